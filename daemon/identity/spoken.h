/* SPDX-License-Identifier: Apache-2.0
 *
 * identity/spoken.h: numbers in words, as people dictate a document or a code: digit by digit ("uno
 * cero tres"), in groups ("cincuenta y dos ciento veintitrés"), whole ("nueve millones novecientos
 * noventa mil diez"). What belongs together by grammar is one number; numbers in a row stand one
 * behind the other. Pure.
 * Bad at: "un" and "una", which are articles; numbers that mix words and digits.
 */
#ifndef IDENTITY_SPOKEN_H
#define IDENTITY_SPOKEN_H

#include "base/arena.h"

struct spoken_limits {
	size_t least; /* digits that a row of words must make */
	size_t most;
	bool takes_round; /* also what ends in three zeros, as amounts do and documents hardly ever
			   */
};

/* The text with such rows of number words in digits; the text itself if there is none. */
pa_str spoken_numbers(struct arena *arena, pa_str text, struct spoken_limits limits);

#endif
