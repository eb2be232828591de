/* SPDX-License-Identifier: Apache-2.0 */
#include "io/recovery.h"

#include "base/err.h"
#include "base/str.h"
#include "io/json.h"

#include <string.h>

#define CODE_SIGNS 25
#define GROUP 5
#define VERSION 1

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

static pa_status pair_of(pa_str code, const uint8_t salt[SALT_BYTES], struct key_pair *ret,
			 pa_error *err)
{
	struct key seed PA_CLEANUP(key_wipe);
	pa_status status = derive(code, salt, &seed, err);

	if (status == PA_OK)
		key_pair_from(&seed, ret);
	return status;
}

pa_status recovery_lock_new(pa_str code, struct recovery_lock *ret, pa_error *err)
{
	struct key_pair pair;
	pa_status status;

	random_fill(ret->salt, sizeof(ret->salt));
	status = pair_of(code, ret->salt, &pair, err);
	if (status != PA_OK)
		return status;
	ret->public = pair.public;
	key_wipe(&pair.secret);
	return PA_OK;
}

pa_status recovery_unlock(pa_str code, const struct recovery_lock *lock, struct key_pair *ret,
			  pa_error *err)
{
	struct key_pair pair;
	pa_status status = pair_of(code, lock->salt, &pair, err);

	if (status != PA_OK)
		return status;
	if (memcmp(pair.public.bytes, lock->public.bytes, KEY_BYTES) == 0)
		*ret = pair;
	else
		status = error_set(err, PA_REJECTED, "it was sealed under another code");
	key_wipe(&pair.secret);
	return status;
}

static void set_hex(struct arena *arena, struct json *file, const char *key, const void *bytes,
		    size_t n)
{
	json_set_text(file, key, hex_encode(arena, (pa_str){bytes, n}));
}

static pa_status write_file(struct arena *arena, const struct recovery_lock *lock,
			    const struct key *key, pa_str *ret, pa_error *err)
{
	struct json *file PA_CLEANUP(json_done) = json_object_new();
	struct buf buf PA_CLEANUP(buf_done) = BUF_INIT(RECOVERY_FILE_MAX);
	pa_str sealed = box_put(arena, &lock->public,
				(pa_str){(const char *)key->bytes, sizeof(key->bytes)});

	if (!sealed.ptr)
		return error_set(err, PA_REJECTED, "a damaged recovery file");
	json_set_integer(file, "proalto_recovery", VERSION);
	set_hex(arena, file, "salt", lock->salt, sizeof(lock->salt));
	set_hex(arena, file, "public", lock->public.bytes, KEY_BYTES);
	set_hex(arena, file, "sealed", sealed.ptr, sealed.len);
	json_write(file, &buf);
	buf_add_byte(&buf, '\n');
	*ret = arena_copy(arena, buf_str(&buf));
	return PA_OK;
}

pa_status recovery_seal(struct arena *arena, pa_str code, const struct key *key, pa_str *ret,
			pa_error *err)
{
	struct recovery_lock lock;
	pa_status status = recovery_lock_new(code, &lock, err);

	return status == PA_OK ? write_file(arena, &lock, key, ret, err) : status;
}

struct parts {
	struct recovery_lock lock;
	pa_str sealed;
};

static bool get_bytes(struct arena *arena, const struct json *file, const char *key, size_t len,
		      void *ret)
{
	pa_str text, bytes;

	if (!json_get_text(file, key, &text) || hex_decode(arena, text, &bytes) != PA_OK ||
	    bytes.len != len)
		return false;
	memcpy(ret, bytes.ptr, len);
	return true;
}

static pa_status read_parts(struct arena *arena, pa_str text, struct parts *ret, pa_error *err)
{
	struct json *file PA_CLEANUP(json_done) = NULL;
	int64_t version;
	pa_str sealed;

	if (text.len > RECOVERY_FILE_MAX || json_parse(text, &file, NULL) != PA_OK ||
	    !json_get_integer(file, "proalto_recovery", &version))
		return error_set(err, PA_REJECTED, "not a recovery file");
	if (version != VERSION)
		return error_set(err, PA_REJECTED, "a recovery file of another version");
	if (!get_bytes(arena, file, "salt", SALT_BYTES, ret->lock.salt) ||
	    !get_bytes(arena, file, "public", KEY_BYTES, ret->lock.public.bytes) ||
	    !json_get_text(file, "sealed", &sealed) ||
	    hex_decode(arena, sealed, &ret->sealed) != PA_OK)
		return error_set(err, PA_REJECTED, "a damaged recovery file");
	return PA_OK;
}

pa_status recovery_lock_of(struct arena *arena, pa_str text, struct recovery_lock *ret,
			   pa_error *err)
{
	struct parts parts;
	pa_status status = read_parts(arena, text, &parts, err);

	if (status == PA_OK)
		*ret = parts.lock;
	return status;
}

pa_status recovery_renew(struct arena *arena, pa_str text, const struct key *key, pa_str *ret,
			 pa_error *err)
{
	struct recovery_lock lock;
	pa_status status = recovery_lock_of(arena, text, &lock, err);

	return status == PA_OK ? write_file(arena, &lock, key, ret, err) : status;
}

pa_status recovery_open(struct arena *arena, pa_str code, pa_str text, struct key *ret,
			pa_error *err)
{
	struct key_pair pair;
	struct parts parts = {0};
	pa_str plain = PA_STR_ABSENT;
	pa_status status = read_parts(arena, text, &parts, err);

	if (status == PA_OK)
		status = recovery_unlock(code, &parts.lock, &pair, err);
	if (status != PA_OK)
		return status;
	status = box_take(arena, &pair, parts.sealed, &plain);
	key_wipe(&pair.secret);
	if (status != PA_OK || plain.len != KEY_BYTES)
		return error_set(err, PA_REJECTED, "a damaged recovery file");
	memcpy(ret->bytes, plain.ptr, KEY_BYTES);
	bytes_wipe((char *)(uintptr_t)plain.ptr, plain.len);
	return PA_OK;
}
