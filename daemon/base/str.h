/* SPDX-License-Identifier: Apache-2.0
 *
 * base/str.h: slices of bytes (pa_str) and what is done with them. A slice never owns; its maker
 * says how long it lives. All functions are pure; ASCII only where case matters (Unicode:
 * io/unicode.h).
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/base.h"

/* A slice of a string literal. */
#define PA_STR(literal) ((pa_str){("" literal), sizeof(literal) - 1})
#define PA_STR_ABSENT ((pa_str){NULL, 0})

/* For printf: "%.*s" takes PA_FMT(s). */
#define PA_FMT(s) (int)(s).len, ((s).ptr ? (s).ptr : "")

/* A slice of a C string; absent for NULL. */
pa_str str_from(const char *text);

static inline bool str_is_absent(pa_str s)
{
	return s.ptr == NULL;
}

bool str_equal(pa_str a, pa_str b);
bool str_equal_nocase(pa_str a, pa_str b);
bool str_starts(pa_str s, pa_str prefix);
bool str_ends(pa_str s, pa_str suffix);

/* The part from at (clamped) with at most len bytes. */
pa_str str_slice(pa_str s, size_t at, size_t len);

/* Without ASCII white space at both ends. */
pa_str str_trim(pa_str s);

/* Copies s to out, which has room for as much and may be its own bytes, with a space for each
 * control character (UTF-8's second set, too): one line, which commands no terminal. Returns its
 * length. */
size_t str_printable(pa_str s, char *out);

/* Where needle first stands in s, or SIZE_MAX. */
size_t str_find(pa_str s, pa_str needle);

/* Cuts *rest at the first separator: returns what stands before it and moves *rest behind it.
 * Without separator returns all and leaves *rest absent. */
pa_str str_split(pa_str *rest, char separator);

/* True if s is not empty and all digits. */
bool str_is_digits(pa_str s);

/* Whole decimal numbers, an optional leading minus, nothing else; false if out of range. */
bool str_to_int64(pa_str s, int64_t *ret) PA_MUST_USE;
bool str_to_uint64(pa_str s, uint64_t *ret) PA_MUST_USE;

/* A spread-out 64-bit hash, for tables in memory; not for security. */
uint64_t str_hash(pa_str s);

#endif
