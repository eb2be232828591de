/* SPDX-License-Identifier: Apache-2.0
 *
 * A batch holds up to a thousand updates of other people: one lone surrogate, one byte that is no
 * UTF-8 must not cost them all. What a reader of JSON refuses in a string is replaced, the rest
 * stays as it is.
 */
#include "json.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

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
	bool nul_is_bad; /* it stands for itself otherwise */
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

static void mend_outside(struct mending *mending)
{
	mending->is_in_string = mending->in.ptr[mending->at] == '"';
	pass(mending, 1);
}

char *wa_mend(pa_str text, bool nul_is_bad, size_t *ret_len)
{
	struct mending mending = {.in = text, .nul_is_bad = nul_is_bad};

	if (text.len > SIZE_MAX / GROWTH - 1)
		return NULL;
	mending.out = malloc((text.len + 1) * GROWTH);
	if (mending.out == NULL)
		return NULL;
	while (mending.at < text.len) {
		if (mending.is_in_string)
			mend_in_string(&mending);
		else
			mend_outside(&mending);
	}
	*ret_len = mending.len;
	return mending.out;
}
