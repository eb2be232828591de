/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/bench/load_script.h: what a customer says, from a file. One step a line:
 *
 *	# a comment
 *	Hola
 *	tap:1 | answers=2         the second button or row of the last answer; two answers come
 *	{document}                the customer's own number; {n} is his index
 *	code | expect=saldo       the code of the last SMS; the answer must hold "saldo"
 */
#ifndef TESTS_BENCH_LOAD_SCRIPT_H
#define TESTS_BENCH_LOAD_SCRIPT_H

#include "base/buf.h"

#define STEPS_MAX 64

enum step_kind { STEP_TEXT, STEP_TAP, STEP_CODE };

struct step {
	enum step_kind kind;
	unsigned tap;     /* index */
	unsigned answers; /* messages that answer it */
	char text[256];
	char expect[64]; /* "": anything */
};

struct script {
	struct step steps[STEPS_MAX];
	size_t count;
};

/* Reads a file; says what is wrong on standard error. */
bool script_read(struct script *script, const char *path);

/* The text of a step for one customer, as the inside of a JSON string. */
void script_write_text(const struct step *step, uint64_t index, uint64_t document, struct buf *out);

#endif
