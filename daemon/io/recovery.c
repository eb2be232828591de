/* SPDX-License-Identifier: Apache-2.0 */
#include "io/recovery.h"

#include "base/err.h"
#include "base/str.h"
#include "io/json.h"

#include <string.h>

#define CODE_SIGNS 25
#define GROUP 5
#define VERSION 1
#define CONTEXT PA_STR("proalto recovery 1")

/* Crockford's base 32: without I, L, O, which are taken for figures, and U. */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static_assert(RECOVERY_CODE_ROOM == CODE_SIGNS + CODE_SIGNS / GROUP, "hyphens between, NUL behind");

void recovery_code(char ret[RECOVERY_CODE_ROOM])
{
	char *to = ret;

	for (size_t i = 0; i < CODE_SIGNS; i++) {
		if (i && i % GROUP == 0)
			*to++ = '-';
		*to++ = alphabet[random_below(sizeof(alphabet) - 1)];
	}
	*to = '\0';
}

static char plain_sign(char c)
{
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'O')
		return '0';
	return c == 'I' || c == 'L' ? '1' : c;
}

/* The code as it was made, however it was typed. False if it can't be one. */
static bool read_code(pa_str typed, char ret[CODE_SIGNS])
{
	size_t len = 0;

	for (size_t i = 0; i < typed.len; i++) {
		char c = plain_sign(typed.ptr[i]);

		if (c == '-' || c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (len == CODE_SIGNS || !memchr(alphabet, c, sizeof(alphabet) - 1))
			return false;
		ret[len++] = c;
	}
	return len == CODE_SIGNS;
}

static pa_status derive(pa_str typed, const uint8_t salt[SALT_BYTES], struct key *ret,
			pa_error *err)
{
	char code[CODE_SIGNS];
	pa_status status;

	if (!read_code(typed, code))
		return error_set(err, PA_REJECTED, "a recovery code has %d letters and figures",
				 CODE_SIGNS);
	status = key_from_code((pa_str){code, sizeof(code)}, salt, ret);
	bytes_wipe(code, sizeof(code));
	return status == PA_OK ? PA_OK : error_set(err, status, "no memory for the recovery code");
}

pa_status recovery_seal(struct arena *arena, pa_str code, const struct key *key, pa_str *ret,
			pa_error *err)
{
	struct json *file PA_CLEANUP(json_done) = json_object_new();
	struct buf buf PA_CLEANUP(buf_done) = BUF_INIT(RECOVERY_FILE_MAX);
	struct key under PA_CLEANUP(key_wipe);
	uint8_t salt[SALT_BYTES];
	pa_str sealed;
	pa_status status;

	random_fill(salt, sizeof(salt));
	status = derive(code, salt, &under, err);
	if (status != PA_OK)
		return status;
	sealed = seal_arena(arena, &under, CONTEXT,
			    (pa_str){(const char *)key->bytes, sizeof(key->bytes)});
	json_set_integer(file, "proalto_recovery", VERSION);
	json_set_text(file, "salt", hex_encode(arena, (pa_str){(const char *)salt, sizeof(salt)}));
	json_set_text(file, "sealed", hex_encode(arena, sealed));
	json_write(file, &buf);
	buf_add_byte(&buf, '\n');
	*ret = arena_copy(arena, buf_str(&buf));
	return PA_OK;
}

struct parts {
	pa_str salt;
	pa_str sealed;
};

static bool get_bytes(struct arena *arena, const struct json *file, const char *key, pa_str *ret)
{
	pa_str text;

	return json_get_text(file, key, &text) && hex_decode(arena, text, ret) == PA_OK;
}

static pa_status read_parts(struct arena *arena, pa_str text, struct parts *ret, pa_error *err)
{
	struct json *file PA_CLEANUP(json_done) = NULL;
	int64_t version;

	if (text.len > RECOVERY_FILE_MAX || json_parse(text, &file, NULL) != PA_OK ||
	    !json_get_integer(file, "proalto_recovery", &version))
		return error_set(err, PA_REJECTED, "not a recovery file");
	if (version != VERSION)
		return error_set(err, PA_REJECTED, "a recovery file of another version");
	if (!get_bytes(arena, file, "salt", &ret->salt) || ret->salt.len != SALT_BYTES ||
	    !get_bytes(arena, file, "sealed", &ret->sealed))
		return error_set(err, PA_REJECTED, "a damaged recovery file");
	return PA_OK;
}

pa_status recovery_open(struct arena *arena, pa_str code, pa_str text, struct key *ret,
			pa_error *err)
{
	struct key under PA_CLEANUP(key_wipe);
	struct parts parts;
	pa_str plain;
	pa_status status = read_parts(arena, text, &parts, err);

	if (status != PA_OK)
		return status;
	status = derive(code, (const uint8_t *)parts.salt.ptr, &under, err);
	if (status != PA_OK)
		return status;
	if (unseal(arena, &under, CONTEXT, parts.sealed, &plain) != PA_OK || plain.len != KEY_BYTES)
		return error_set(err, PA_REJECTED,
				 "the recovery file was sealed under another code, or is damaged");
	memcpy(ret->bytes, plain.ptr, KEY_BYTES);
	bytes_wipe((char *)(uintptr_t)plain.ptr, plain.len);
	return PA_OK;
}
