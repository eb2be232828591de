/* SPDX-License-Identifier: Apache-2.0
 *
 * flow/understand.h: what a typed text means: which of some options, which amount, which intents.
 * Everything compares folded text (io/unicode.h). Pure.
 *
 * Bad at: spelling mistakes that sound otherwise, negations far from what they deny, irony. A
 * language plugin is asked where this finds nothing.
 */
#ifndef FLOW_UNDERSTAND_H
#define FLOW_UNDERSTAND_H

#include "flow/model.h"

#define SAID_WORDS_MAX 60
#define INTENTS_FOUND_MAX 8

/* A text, folded and split once. */
struct said {
	pa_str text;   /* as typed, secrets redacted */
	pa_str folded; /* all of it */
	pa_str words[SAID_WORDS_MAX];
	pa_str sounds[SAID_WORDS_MAX];   /* of the words */
	uint64_t hashes[SAID_WORDS_MAX]; /* of the sounds */
	size_t count;
};

/* How a folded word sounds in Colombia, so that "kiero", "devo" and "grasias" are what they mean.
 */
pa_str word_sound(struct arena *arena, pa_str word);

void said_split(struct arena *arena, pa_str text, struct said *ret);

enum match { MATCH_NONE, MATCH_ONE, MATCH_SEVERAL };

/* Which option is meant: "1", "1.", "uno", "la primera", "opción 1", "la última", a title or a
 * clear piece of one. On MATCH_SEVERAL *ret is the first of them. */
enum match match_option(const struct said *said, const struct option *options, size_t count,
			size_t *ret);

/* Exactly an option's title or one of its words, and nothing else. */
bool match_exactly(const struct said *said, const struct option *option);

enum amount_reading {
	AMOUNT_NONE,
	AMOUNT_CLEAR,
	AMOUNT_TWO_WAYS, /* "1.234": that, or so many thousands; *ret is the smaller */
};

#define AMOUNT_THOUSANDS 1000

/* An amount in pesos: "2.500.000", "$ 500000", "2,5 millones", "500 mil". */
enum amount_reading amount_read(const struct said *said, int64_t *ret);

struct found_intent {
	const struct intent *intent;
	size_t at;    /* first word */
	size_t last;  /* last word */
	size_t words; /* how many matched */
};

/* The intents whose phrases stand in the text, in the order they are said; where two overlap, the
 * longer one. What is said not to be wanted is left out. */
size_t intents_find(const struct flow_set *set, const struct said *said,
		    struct found_intent ret[INTENTS_FOUND_MAX]);

/* How many words say something else than the intents found, and are no courtesy. */
size_t said_beyond(const struct said *said, const struct found_intent *found, size_t count);

/* True if the words are hardly Spanish: a few marks of English or Portuguese. */
bool said_is_foreign(const struct said *said);

#endif
