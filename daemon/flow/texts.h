/* SPDX-License-Identifier: Apache-2.0
 *
 * flow/texts.h: a text of the house with its {values}: compiled at load, measured against the
 * wording rules, and filled in at each turn.
 *
 * A line whose value is not known is left out whole: better nothing than a figure that the core did
 * not give. The caller learns which values were missing, and says so.
 */
#ifndef FLOW_TEXTS_H
#define FLOW_TEXTS_H

#include "base/arena.h"
#include "flow/values.h"

struct flow_problems;
struct flow_house;
struct identity_settings;

enum text_kind {
	TEXT_KIND_BODY,
	TEXT_KIND_LEGAL,  /* may be as long as an interactive body */
	TEXT_KIND_BUTTON, /* title of a button */
	TEXT_KIND_ROW,    /* title of a row */
	TEXT_KIND_SMS,    /* fits one part in GSM-7 */
	TEXT_KIND_PHRASE, /* part of a sentence */
};

struct text_piece {
	pa_str literal;
	enum value value; /* VALUE_COUNT: it is literal */
};

struct text_line {
	const struct text_piece *pieces;
	size_t count;
};

struct text {
	pa_str name;
	const char *where;
	pa_str source;
	struct text_line *lines;
	size_t count;
	uint64_t values; /* bit 1 << value */
	uint32_t needs;  /* FACT_* */
	bool may_miss;   /* shows a value that the core need not have */
	bool is_used;
};

/* Compiles source; unknown values are problems. */
void text_compile(struct arena *arena, struct text *text, const struct flow_house *house,
		  const struct identity_settings *identity, struct flow_problems *problems);

/* Complains about what breaks a measurable rule of wording. */
void text_measure(const struct text *text, enum text_kind kind, struct flow_problems *problems);

/* Complains about what no house may say, or not this one (BU-05, CO-11, EV-09, GE-02). */
void text_forbid(const char *where, pa_str text, bool is_legal, bool is_supervised,
		 struct flow_problems *problems);

/* Septets that s takes in GSM-7; SIZE_MAX if a character is not in it (3GPP TS 23.038, 6.2.1). */
size_t gsm7_length(pa_str s);

/* Fills in a text: values[v] absent means not known. *ret_missing gets the bits of those that were
 * needed. NULL is fine. */
pa_str text_fill(struct arena *arena, const struct text *text, const pa_str values[VALUE_COUNT],
		 uint64_t *ret_missing);

/* The texts that the engine itself says, whatever the flows. */
enum engine_text {
#define ENGINE_TEXT(id, name, kind, facts) id,
#include "flow/engine_texts.def"
#undef ENGINE_TEXT
	TEXT_COUNT,
};

struct engine_text_info {
	const char *name;
	enum text_kind kind;
	uint32_t facts; /* what holds where it is said */
};

extern const struct engine_text_info engine_text_table[TEXT_COUNT];

#endif
