/* SPDX-License-Identifier: Apache-2.0
 *
 * io/unicode.h: the only user of utf8proc. Pure.
 */
#ifndef IO_UNICODE_H
#define IO_UNICODE_H

#include "base/arena.h"

bool utf8_is_valid(pa_str s);

/* A valid copy: what is not UTF-8 becomes U+FFFD. Valid input is returned as it is, not copied. */
pa_str utf8_repair(struct arena *arena, pa_str s);

/* Code points in valid UTF-8. */
size_t utf8_length(pa_str s);

/* The longest prefix of at most max code points that cuts no grapheme cluster. */
pa_str utf8_cut(pa_str s, size_t max);

/* For comparing what people type: compatibility form, lower case, no accents (ñ becomes n), no
 * marks, control characters, punctuation or emoji; runs of white space become one space, none at
 * the ends. Digits of any script become ASCII. */
pa_str text_fold(struct arena *arena, pa_str s);

/* The same letters without accents and other marks: "Crédito Fácil" is "Credito Facil". Valid
 * UTF-8. */
pa_str text_without_marks(struct arena *arena, pa_str s);

#endif
