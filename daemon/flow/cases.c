/* SPDX-License-Identifier: Apache-2.0 */
#include "base/holidays.h"
#include "base/str.h"
#include "flow/redact.h"
#include "flow/run.h"

#include <string.h>

#define SUBJECT_WORDS 2 /* beside asking for a person: he told what it is about */
#define CLOSING_HOUR 17 /* a case is due at the end of its day */

/* The clock of a term starts when the message arrived, at night and on Sundays too (HD-21). */
static int64_t due_after(const struct turn *t, int days)
{
	int64_t arrived = t->event && t->event->at_ns && t->event->at_ns < t->in->now_ns
				  ? t->event->at_ns
				  : t->in->now_ns;
	int64_t day;

	if (!business_days_after(local_day(arrived), days, &day))
		return 0;
	/* 17:00 in Bogota, which is five hours behind UTC */
	return day * NS_PER_DAY + (CLOSING_HOUR + 5) * NS_PER_HOUR;
}

static void add_case(struct turn *t, pa_str number, pa_str kind, pa_str summary, int64_t due_ns)
{
	if (t->out->cases_count == EFFECTS_MAX) {
		t->has_failed = true;
		return;
	}
	t->out->cases[t->out->cases_count++] = (struct turn_case){
		.number = number,
		.kind = kind,
		.summary = redact_text(t->arena, summary.ptr ? summary : PA_STR(""), NULL),
		.due_ns = due_ns,
	};
}

/* The newest stands first; the oldest gives way. */
static void to_front(struct state *st, size_t at, const struct open_case *first)
{
	memmove(st->cases + 1, st->cases, at * sizeof(st->cases[0]));
	st->cases[0] = *first;
}

void emit_case(struct turn *t, pa_str kind, pa_str summary, int days)
{
	struct open_case opened = {
		.kind = kind, .at_ns = t->in->now_ns, .due_ns = due_after(t, days)};
	size_t last = t->st.cases_count;

	if (t->ports->case_number(t->ports->arg, t->in->now_ns, t->arena, &opened.number) !=
	    PA_OK) {
		t->has_failed = true;
		return;
	}
	if (last == CASES_KEPT)
		last--;
	else
		t->st.cases_count++;
	to_front(&t->st, last, &opened);
	add_case(t, opened.number, kind, summary, opened.due_ns);
	t->out->fact = "case.opened";
}

bool case_again(struct turn *t, pa_str kind)
{
	for (size_t i = 0; i < t->st.cases_count; i++) {
		struct open_case found = t->st.cases[i];

		if (!str_equal(found.kind, kind) || found.is_withdrawn ||
		    t->in->now_ns > found.due_ns)
			continue;
		to_front(&t->st, i, &found);
		return true;
	}
	return false;
}

bool case_of_kind(struct turn *t, pa_str kind)
{
	for (size_t i = 0; i < t->st.cases_count; i++) {
		struct open_case found = t->st.cases[i];

		if (!str_equal(found.kind, kind))
			continue;
		to_front(&t->st, i, &found);
		return true;
	}
	return false;
}

void emit_case_addition(struct turn *t, pa_str kind, pa_str summary)
{
	struct open_case *open = &t->st.cases[0];

	if (t->st.cases_count == 0) { /* only a state of another release gets here */
		emit_case(t, kind, summary, 1);
		return;
	}
	add_case(t,
		 arena_format(t->arena, "%.*s-%lld", PA_FMT(open->number),
			      (long long)++open->additions + 1),
		 kind, summary, open->due_ns);
	t->out->fact = "case.extended";
}

void emit_waiting(struct turn *t, const struct text *text)
{
	int64_t opens = hours_next(&t->set->hours, t->in->now_ns);
	bool is_closed = opens > t->in->now_ns && opens != t->st.opening_told_ns;
	pa_str body = fill(t, text), closed;

	if (is_closed) {
		t->st.opening_told_ns = opens;
		closed = fill(t, t->set->engine[TEXT_CLOSED]);
		body = arena_format(t->arena, "%.*s\n%.*s", PA_FMT(body), PA_FMT(closed));
	}
	emit_question(t, body, NULL, 0, PA_STR_ABSENT);
}

bool subject_is_missing(const struct turn *t)
{
	return t->out->cases_count && t->st.depth < 2 && !t->st.wishes_count && consent_has(t) &&
	       said_beyond(&t->said, t->found, t->found_count) < SUBJECT_WORDS;
}
