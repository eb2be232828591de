/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <string.h>

pa_str str_from(const char *text)
{
	return (pa_str){text, text ? strlen(text) : 0};
}

bool str_equal(pa_str a, pa_str b)
{
	if (a.len != b.len)
		return false;
	return !a.len || (a.ptr && b.ptr && memcmp(a.ptr, b.ptr, a.len) == 0);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_equal_nocase(pa_str a, pa_str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	return true;
}

bool str_starts(pa_str s, pa_str prefix)
{
	return s.len >= prefix.len && str_equal(str_slice(s, 0, prefix.len), prefix);
}

bool str_ends(pa_str s, pa_str suffix)
{
	return s.len >= suffix.len &&
	       str_equal(str_slice(s, s.len - suffix.len, suffix.len), suffix);
}

pa_str str_slice(pa_str s, size_t at, size_t len)
{
	if (at > s.len)
		at = s.len;
	if (len > s.len - at)
		len = s.len - at;
	return (pa_str){s.ptr ? s.ptr + at : NULL, len};
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

pa_str str_trim(pa_str s)
{
	while (s.len && is_space(s.ptr[0]))
		s = str_slice(s, 1, s.len);
	while (s.len && is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

size_t str_find(pa_str s, pa_str needle)
{
	const char *hit;

	if (needle.len == 0)
		return 0;
	if (needle.len > s.len)
		return SIZE_MAX;
	hit = memmem(s.ptr, s.len, needle.ptr, needle.len);
	return hit ? (size_t)(hit - s.ptr) : SIZE_MAX;
}

pa_str str_split(pa_str *rest, char separator)
{
	pa_str whole = *rest;
	const char *hit = whole.len ? memchr(whole.ptr, separator, whole.len) : NULL;
	size_t at;

	if (!hit) {
		*rest = PA_STR_ABSENT;
		return whole;
	}
	at = (size_t)(hit - whole.ptr);
	*rest = str_slice(whole, at + 1, whole.len);
	return str_slice(whole, 0, at);
}

bool str_is_digits(pa_str s)
{
	if (!s.ptr)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return s.len > 0;
}

bool str_to_uint64(pa_str s, uint64_t *ret)
{
	uint64_t value = 0;

	if (!s.ptr || !str_is_digits(s))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
		    __builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value))
			return false;
	}
	*ret = value;
	return true;
}

bool str_to_int64(pa_str s, int64_t *ret)
{
	bool negative = s.len && s.ptr[0] == '-';
	uint64_t value;

	if (!str_to_uint64(negative ? str_slice(s, 1, s.len) : s, &value))
		return false;
	if (value > (uint64_t)INT64_MAX + (negative ? 1 : 0))
		return false;
	*ret = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

size_t str_printable(pa_str s, char *out)
{
	size_t len = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		bool is_c1 = c == 0xc2 && i + 1 < s.len && (unsigned char)s.ptr[i + 1] < 0xa0;

		i += is_c1;
		out[len++] = is_c1 || c < 0x20 || c == 0x7f ? ' ' : (char)c;
	}
	return len;
}

uint64_t str_hash(pa_str s)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	/* FNV-1a, with a final mix so that the low bits are good for masks */
	for (size_t i = 0; i < s.len; i++)
		hash = (hash ^ (uint8_t)s.ptr[i]) * UINT64_C(0x100000001b3);
	hash ^= hash >> 32;
	return hash;
}
