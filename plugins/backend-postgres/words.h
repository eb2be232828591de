/* SPDX-License-Identifier: Apache-2.0
 *
 * words.h: the core's own words for states ("ACTIVO", "en estudio") and the canonical states they
 * stand for. Each state has a comma-separated list of words; the configuration replaces the list of
 * a state by name ("credit_active"). Compared whole, without regard to ASCII case.
 *
 *	if (pg_words_init(&words, pairs, count, err) != PA_OK) ...
 *	uint32_t state = pg_words_find(&words, STATE_OF_CREDIT, text);   // 0: nobody's word
 *	pg_words_done(&words);
 *
 * Read-only after pg_words_init(), so any thread may look up. Bad at: letters with tildes in
 * another case, which must be listed as the core writes them.
 */
#ifndef BACKEND_POSTGRES_WORDS_H
#define BACKEND_POSTGRES_WORDS_H

#include <proalto/backend.h>

#include "fail.h"

enum state_set { STATE_OF_CREDIT = 1, STATE_OF_DISCOUNT, STATE_OF_APPLICATION, STATE_OF_CHANGE };

#define WORDS_STATES 16

struct words {
	char *lists[WORDS_STATES]; /* owned; NULL: the default list */
};

/* Takes the configured lists. PA_REJECTED names a state that does not exist, an empty list, or a
 * word that stands for two states of one set; words then needs no pg_words_done(). */
pa_status pg_words_init(struct words *words, const pa_pair *const *pairs, size_t count,
			pa_error *err) MUST_USE;

/* Frees what pg_words_init() took. */
void pg_words_done(struct words *words);

/* The PA_* state of the set that text stands for; 0 if none. */
uint32_t pg_words_find(const struct words *words, enum state_set set, pa_str text);

#endif
