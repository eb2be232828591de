/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/run.h"

#include "base/str.h"

#define PERSON_DAYS 1 /* business days in which a person answers */
#define OPTIONS_AT 2
#define TALKS_OF_CASE_NS NS_PER_HOUR
#define PERSON_AT 3
#define PERSON_AT_MEANING 2 /* AI-02: two in a row */

void misses_reset(struct turn *t)
{
	t->st.misses_format = 0;
	t->st.misses_meaning = 0;
	t->st.misses_kind = 0;
}

void to_person(struct turn *t, enum engine_text text, const char *kind)
{
	bool is_told = case_again(t, str_from(kind));

	if (is_told)
		emit_case_addition(t, str_from(kind), t->said.text);
	else
		emit_case(t, str_from(kind), t->said.text, PERSON_DAYS);
	flows_drop(t);
	if (is_told && (text == TEXT_TO_PERSON || text == TEXT_FOREIGN))
		text = TEXT_PERSON_TOLD;
	emit_waiting(t, t->set->engine[text]);
}

/* What was asked was understood, and what came has the wrong shape. The hint, if it is of its own,
 * takes the place of the example. */
void miss_format(struct turn *t, enum engine_text hint)
{
	t->st.misses_format++;
	t->st.misses_meaning = 0;
	if (t->st.misses_format >= PERSON_AT) {
		to_person(t, TEXT_TO_PERSON, "asesor");
		return;
	}
	if (t->st.misses_format >= OPTIONS_AT)
		prefix(t, TEXT_OPTIONS);
	if (hint != TEXT_NOT_UNDERSTOOD && t->st.waiting == WAIT_IDENTITY)
		question_ask(t, WAIT_IDENTITY, t->set->engine[hint]);
	else
		question_repeat(t);
}

static void ask_again(struct turn *t)
{
	if (t->st.waiting == WAIT_NOTHING)
		action_do(t, ACTION_MENU);
	else
		question_repeat(t);
}

/* After a case was opened, what asks for nothing else belongs to it: it waits for the same person.
 * Without his permission nothing he writes is used. */
static bool adds_to_case(struct turn *t)
{
	const struct open_case *open = &t->st.cases[0];
	bool is_idle = t->st.waiting == WAIT_NOTHING ||
		       (t->st.waiting == WAIT_STEP && top_frame(t)->flow == t->set->closing);

	if (!is_idle || !t->st.cases_count || open->is_withdrawn ||
	    t->in->now_ns - open->at_ns > TALKS_OF_CASE_NS || !consent_has(t))
		return false;
	emit_case_addition(t, open->kind, t->said.text);
	if (open->additions == 1)
		prefix(t, TEXT_ADDED);
	if (t->st.waiting != WAIT_NOTHING)
		question_repeat(t);
	else if (open->additions == 1)
		emit_prefixes(t);
	else
		no_answer(t, "more about a case, noted with it");
	return true;
}

void miss_meaning(struct turn *t)
{
	if (t->had_secret) { /* what there was to understand is blotted out */
		ask_again(t);
		return;
	}
	if (adds_to_case(t))
		return;
	t->st.misses_meaning++;
	if (t->st.misses_meaning >= PERSON_AT_MEANING) {
		to_person(t, TEXT_TO_PERSON, "asesor");
		return;
	}
	prefix(t, TEXT_NOT_UNDERSTOOD);
	ask_again(t);
	t->st.misses_meaning = 1; /* the menu begins anew and forgets */
}

void miss_kind(struct turn *t, enum engine_text thanks)
{
	int64_t before = t->st.misses_kind;

	prefix(t, thanks);
	if (before > 0)
		prefix(t, TEXT_OFFER_PERSON);
	ask_again(t);
	t->st.misses_kind = before + 1;
}
