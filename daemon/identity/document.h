/* SPDX-License-Identifier: Apache-2.0
 *
 * identity/document.h: identity documents and one-time codes as people type them.
 *
 *	struct document document;
 *	if (document_read(arena, text, &document) == DOCUMENT_OK) ... document.number ...
 *
 * Accepts "1.032.456.789", "cc 52 123 456", "Mi cédula es la 52123456." and the like. Colombia's
 * cédula has no public check digit, so shape is all that can be checked. Pure, thread-safe.
 * Bad at: telling a cédula from any other number of its length; the caller knows what he asked.
 */
#ifndef IDENTITY_DOCUMENT_H
#define IDENTITY_DOCUMENT_H

#include "base/arena.h"

#define DOCUMENT_DIGITS_MAX 15
#define CODE_DIGITS 6

enum document_reading {
	DOCUMENT_NONE,     /* no number in it */
	DOCUMENT_OK,       /* type and number are set */
	DOCUMENT_UNLIKELY, /* set too, but such a number was hardly ever issued: ask again */
	DOCUMENT_LAST4,    /* exactly four digits: number is set */
	DOCUMENT_LENGTH,   /* a number that no document has */
	DOCUMENT_LETTERS,  /* letters among the digits */
	DOCUMENT_MINOR,    /* a tarjeta de identidad or registro civil (HD-08) */
	DOCUMENT_FOREIGN,  /* passport, PPT, PEP: a person must see it */
};

struct document {
	char type[4];                         /* "CC", "CE" */
	char number[DOCUMENT_DIGITS_MAX + 1]; /* digits, without leading zeros */
};

/* Reads the document in a text. */
enum document_reading document_read(struct arena *arena, pa_str text, struct document *ret);

/* How many bytes at `at` may stand between two groups of digits, as in "1'032.456.789"; 0: none. */
size_t digits_joint(pa_str text, size_t at);

enum code_reading {
	CODE_NONE,   /* no digits */
	CODE_OK,     /* six digits, in ret */
	CODE_LENGTH, /* digits, but not six, or several sixes */
};

/* Reads a one-time code, also inside a sentence. */
enum code_reading code_read(pa_str text, char ret[CODE_DIGITS + 1]);

#endif
