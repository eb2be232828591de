/* SPDX-License-Identifier: Apache-2.0 */
#include "io/unicode.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define REPLACEMENT 0xFFFD
#define REPLACEMENT_BYTES 3
#define CODE_POINT_BYTES 4
#define DECOMPOSED_MAX 32 /* U+FDFA, the longest, becomes 18 */

/* Reads the code point at i and returns how many bytes it takes. What is not UTF-8 reads as
 * U+FFFD, one byte long, and clears *ret_valid. */
static size_t read_point(pa_str s, size_t i, utf8proc_int32_t *ret, bool *ret_valid)
{
	utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s.ptr + i,
					      (utf8proc_ssize_t)(s.len - i), ret);

	*ret_valid = n > 0;
	if (n > 0)
		return (size_t)n;
	*ret = REPLACEMENT;
	return 1;
}

/* Bytes of s once repaired; *ret_valid tells whether there is nothing to repair. */
static size_t repaired_length(pa_str s, bool *ret_valid)
{
	size_t len = 0;

	*ret_valid = true;
	for (size_t i = 0; i < s.len;) {
		utf8proc_int32_t point;
		bool valid;
		size_t n = read_point(s, i, &point, &valid);

		len += valid ? n : REPLACEMENT_BYTES;
		*ret_valid = *ret_valid && valid;
		i += n;
	}
	return len;
}

bool utf8_is_valid(pa_str s)
{
	bool valid;

	repaired_length(s, &valid);
	return valid;
}

pa_str utf8_repair(struct arena *arena, pa_str s)
{
	bool valid;
	size_t len = repaired_length(s, &valid), at = 0;
	char *copy;

	if (valid)
		return s;
	copy = arena_alloc(arena, len + 1);
	for (size_t i = 0; i < s.len;) {
		utf8proc_int32_t point;

		i += read_point(s, i, &point, &valid);
		at += (size_t)utf8proc_encode_char(point, (utf8proc_uint8_t *)copy + at);
	}
	return (pa_str){copy, at};
}

size_t utf8_length(pa_str s)
{
	size_t count = 0;

	for (size_t i = 0; i < s.len; i++)
		count += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
	return count;
}

pa_str utf8_cut(pa_str s, size_t max)
{
	utf8proc_int32_t previous = 0, state = 0;
	size_t whole = 0, count = 0;

	for (size_t i = 0; i < s.len; count++) {
		utf8proc_int32_t point;
		bool valid;
		size_t n = read_point(s, i, &point, &valid);

		if (i == 0 || utf8proc_grapheme_break_stateful(previous, point, &state))
			whole = i;
		if (count == max)
			return str_slice(s, 0, whole);
		previous = point;
		i += n;
	}
	return s;
}

/* Decimal digits stand ten in a row, ascending (Unicode Standard 4.6), and each row that has no
 * compatibility form begins at a multiple of 16 or at 6 after one. */
static char ascii_digit(utf8proc_int32_t point)
{
	utf8proc_int32_t low = point & 0xF;

	if (utf8proc_category(point - low) != UTF8PROC_CATEGORY_ND)
		low -= 6;
	return (char)('0' + low);
}

static bool is_kept(utf8proc_category_t category)
{
	return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
	       (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

/* Marks and invisible characters vanish; everything else that is dropped parts two words, so that
 * "sí,gracias" is two of them. */
static bool is_separator(utf8proc_int32_t point, utf8proc_category_t category)
{
	if (category == UTF8PROC_CATEGORY_CC)
		return point >= '\t' && point <= '\r';
	return category != UTF8PROC_CATEGORY_CF && category != UTF8PROC_CATEGORY_CN &&
	       !(category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME);
}

struct folded {
	char *text;
	size_t len;
	bool owes_space;
};

static void fold_point(struct folded *out, utf8proc_int32_t point)
{
	utf8proc_category_t category = utf8proc_category(point);

	if (!is_kept(category)) {
		out->owes_space = out->owes_space || is_separator(point, category);
		return;
	}
	if (out->owes_space && out->len)
		out->text[out->len++] = ' ';
	out->owes_space = false;
	if (category == UTF8PROC_CATEGORY_ND)
		out->text[out->len++] = ascii_digit(point);
	else
		out->len += (size_t)utf8proc_encode_char(point,
							 (utf8proc_uint8_t *)out->text + out->len);
}

/* The code points that one becomes: compatibility form, lower case, without marks. */
static size_t decompose(utf8proc_int32_t point, utf8proc_int32_t out[DECOMPOSED_MAX])
{
	const utf8proc_option_t options = UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD;
	int boundary = 0;
	utf8proc_ssize_t n =
		utf8proc_decompose_char(point, out, DECOMPOSED_MAX, options, &boundary);

	return n < 0 || n > DECOMPOSED_MAX ? 0 : (size_t)n;
}

static size_t folded_room(pa_str s)
{
	utf8proc_int32_t points[DECOMPOSED_MAX], point;
	size_t room = 1;
	bool valid;

	for (size_t i = 0; i < s.len;) {
		i += read_point(s, i, &point, &valid);
		room += decompose(point, points) * (CODE_POINT_BYTES + 1);
	}
	return room;
}

pa_str text_fold(struct arena *arena, pa_str s)
{
	utf8proc_int32_t points[DECOMPOSED_MAX], point;
	struct folded out = {.text = arena_alloc(arena, folded_room(s))};
	bool valid;

	for (size_t i = 0; i < s.len;) {
		size_t count;

		i += read_point(s, i, &point, &valid);
		count = decompose(point, points);
		for (size_t k = 0; k < count; k++)
			fold_point(&out, points[k]);
	}
	return (pa_str){out.text, out.len};
}

pa_str text_without_marks(struct arena *arena, pa_str s)
{
	utf8proc_uint8_t *plain;
	utf8proc_ssize_t len =
		utf8proc_map((const utf8proc_uint8_t *)s.ptr, (utf8proc_ssize_t)s.len, &plain,
			     UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_STRIPMARK);
	pa_str copy;

	if (len < 0)
		abort(); /* no memory; the text is valid */
	copy = arena_copy(arena, (pa_str){(const char *)plain, (size_t)len});
	free(plain);
	return copy;
}
