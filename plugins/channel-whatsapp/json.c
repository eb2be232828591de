/* SPDX-License-Identifier: Apache-2.0
 *
 * jansson refuses a body whole for one lone surrogate, one number beyond 64 bits, one byte that is
 * no UTF-8. A batch holds up to a thousand updates of other people: so a refused body is copied
 * with these details mended and read again. The ordinary body is read once and not copied.
 */
#include "wa.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

/* Of equal keys the first counts: each pass renames one. */
#define MAX_DUPLICATES 16
/* Numbers of so many characters fit 64 bits. */
#define SAFE_NUMBER 18
/* What one byte can become: a control character as \u00XX. */
#define GROWTH 6

static const char replacement[] = "\\ufffd";

/* A mended copy under way. out has room for GROWTH bytes a byte of what is left. */
struct mending {
	pa_str in;
	size_t at;
	char *out;
	size_t len;
	bool is_in_string;
	bool nul_is_bad; /* jansson takes no NUL in a key */
};

static void put(struct mending *mending, const char *bytes, size_t len)
{
	memcpy(mending->out + mending->len, bytes, len);
	mending->len += len;
}

/* Copies len bytes of the input, fewer at its end. */
static void pass(struct mending *mending, size_t len)
{
	size_t left = mending->in.len - mending->at;

	if (len > left)
		len = left;
	put(mending, mending->in.ptr + mending->at, len);
	mending->at += len;
}

static void replace(struct mending *mending, size_t len)
{
	put(mending, replacement, sizeof(replacement) - 1);
	mending->at += len;
}

/* The value of the \uXXXX at offset, or -1. */
static int escape_value(const struct mending *mending, size_t offset)
{
	size_t at = mending->at + offset;
	int value = 0;

	if (mending->in.len < 6 || at > mending->in.len - 6 ||
	    memcmp(mending->in.ptr + at, "\\u", 2) != 0)
		return -1;
	for (size_t i = at + 2; i < at + 6; i++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *digit = memchr(digits, mending->in.ptr[i], sizeof(digits) - 1);

		if (digit == NULL)
			return -1;
		value = value * 16 + (int)((digit - digits) % 16);
	}
	return value;
}

/* RFC 8259, section 7. */
static void mend_escape(struct mending *mending)
{
	size_t left = mending->in.len - mending->at;
	char kind = left > 1 ? mending->in.ptr[mending->at + 1] : '\0';
	int value = escape_value(mending, 0);
	int next;

	if (kind != '\0' && strchr("\"\\/bfnrt", kind) != NULL) {
		pass(mending, 2);
		return;
	}
	if (value < 0 || (value >= 0xdc00 && value <= 0xdfff) ||
	    (value == 0 && mending->nul_is_bad)) {
		replace(mending, value < 0 ? 1 : 6);
		return;
	}
	if (value < 0xd800 || value > 0xdbff) {
		pass(mending, 6);
		return;
	}
	next = escape_value(mending, 6);
	if (next >= 0xdc00 && next <= 0xdfff)
		pass(mending, 12);
	else
		replace(mending, 6);
}

static void mend_control(struct mending *mending)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char c = (unsigned char)mending->in.ptr[mending->at++];
	const char escape[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};

	put(mending, escape, sizeof(escape));
}

static void mend_in_string(struct mending *mending)
{
	unsigned char c = (unsigned char)mending->in.ptr[mending->at];
	size_t left = mending->in.len - mending->at;
	utf8proc_int32_t code_point;
	utf8proc_ssize_t taken;

	if (c == '\\') {
		mend_escape(mending);
	} else if (c < 0x20) {
		mend_control(mending);
	} else if (c < 0x80) {
		mending->is_in_string = c != '"';
		pass(mending, 1);
	} else {
		taken = utf8proc_iterate((const utf8proc_uint8_t *)mending->in.ptr + mending->at,
					 (utf8proc_ssize_t)(left < 4 ? left : 4), &code_point);
		if (taken > 0)
			pass(mending, (size_t)taken);
		else
			replace(mending, 1);
	}
}

static size_t number_length(const struct mending *mending)
{
	size_t end = mending->at;

	while (end < mending->in.len && mending->in.ptr[end] != '\0' &&
	       strchr("0123456789+-.eE", mending->in.ptr[end]) != NULL)
		end++;
	return end - mending->at;
}

static void mend_number(struct mending *mending)
{
	const char *number = mending->in.ptr + mending->at;
	size_t len = number_length(mending);
	bool is_exact = len <= SAFE_NUMBER && memchr(number, 'e', len) == NULL &&
			memchr(number, 'E', len) == NULL;

	if (!is_exact)
		put(mending, "\"", 1);
	pass(mending, len);
	if (!is_exact)
		put(mending, "\"", 1);
}

static void mend_outside(struct mending *mending)
{
	char c = mending->in.ptr[mending->at];

	if (c == '-' || (c >= '0' && c <= '9')) {
		mend_number(mending);
		return;
	}
	mending->is_in_string = c == '"';
	pass(mending, 1);
}

/* A mended copy of the body, to be freed; NULL if there is no memory. */
static char *mend(pa_str body, bool nul_is_bad, size_t *ret_len)
{
	struct mending mending = {.in = body, .nul_is_bad = nul_is_bad};

	if (body.len > SIZE_MAX / GROWTH - 1)
		return NULL;
	mending.out = malloc((body.len + 1) * GROWTH);
	if (mending.out == NULL)
		return NULL;
	while (mending.at < body.len) {
		if (mending.is_in_string)
			mend_in_string(&mending);
		else
			mend_outside(&mending);
	}
	*ret_len = mending.len;
	return mending.out;
}

static json_t *load(const char *bytes, size_t len, json_error_t *error)
{
	return json_loadb(bytes, len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, error);
}

/* Renames the key that ends at the error's place. False if that can't be done. */
static bool rename_key(char *bytes, size_t len, const json_error_t *error, int attempt)
{
	size_t end = error->position < 0 ? 0 : (size_t)error->position;

	if (end < 3 || end > len || bytes[end - 1] != '"' || bytes[end - 2] == '"')
		return false;
	bytes[end - 2] = (char)('#' + attempt);
	return true;
}

static json_t *load_first_wins(char *bytes, size_t len, json_error_t *error)
{
	json_t *root = load(bytes, len, error);

	for (int i = 0; i < MAX_DUPLICATES && root == NULL; i++) {
		if (json_error_code(error) != json_error_duplicate_key ||
		    !rename_key(bytes, len, error, i))
			return NULL;
		root = load(bytes, len, error);
	}
	return root;
}

static json_t *load_mended(pa_str body, bool nul_is_bad, json_error_t *error)
{
	size_t len = 0;
	char *bytes = mend(body, nul_is_bad, &len);
	json_t *root = NULL;

	if (bytes != NULL)
		root = load_first_wins(bytes, len, error);
	free(bytes);
	return root;
}

pa_status wa_json_load(pa_str body, json_t **ret, pa_error *err)
{
	json_error_t error = {.line = 0};
	json_t *root;

	if (body.len == 0)
		return wa_fail(err, PA_REJECTED, "the body is empty");
	root = load(body.ptr, body.len, &error);
	if (root == NULL)
		root = load_mended(body, false, &error);
	if (root == NULL && json_error_code(&error) == json_error_null_byte_in_key)
		root = load_mended(body, true, &error);
	if (root == NULL && json_error_code(&error) == json_error_out_of_memory)
		return wa_fail(err, PA_RETRY, "no memory for the body");
	if (root == NULL)
		return wa_fail(err, PA_REJECTED, "the body is no JSON (line %d, column %d)",
			       error.line, error.column);
	*ret = root;
	return PA_OK;
}
