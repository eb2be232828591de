/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/run.h"

#include "base/money.h"
#include "base/str.h"
#include "flow/redact.h"

#include <string.h>

#define STEPS_A_TURN 100 /* the check allows no circles; a core that lies could still make one */
#define CREDIT_MARK "credito_"
#define CHOSEN PA_STR("credito")
#define ANSWER_MIN 3 /* letters: shorter than that is no story */

struct frame *top_frame(struct turn *t)
{
	return &t->st.frames[t->st.depth - 1];
}

const struct flow *top_flow(struct turn *t)
{
	return &t->set->flows[top_frame(t)->flow];
}

const struct step *top_step(struct turn *t)
{
	return &top_flow(t)->steps[top_frame(t)->step];
}

void flow_next(struct turn *t, int next)
{
	if (next < 0)
		flow_over(t);
	else
		top_frame(t)->step = next;
}

/* ---- the core ---- */

static void forget_credits(struct turn *t)
{
	for (size_t i = 0; i < t->st.memory_count;) {
		if (str_starts(t->st.memory[i].name, PA_STR(CREDIT_MARK)))
			state_remember(&t->st, t->st.memory[i].name, PA_STR_ABSENT);
		else
			i++;
	}
}

/* True if the turn goes on; *ret_found tells whether there is any. */
static bool fetch_credits(struct turn *t, bool *ret_found)
{
	struct core_question question = {.operation = CORE_CREDITS,
					 .customer_id = t->st.identity.customer_id};
	struct core_answer answer = {0};
	pa_status status;

	if (!t->has_credits) {
		if (!core_ask_for(t, &question, &answer, &status))
			return false;
		if (status != PA_OK) { /* the core answers nonsense: a person must look */
			t->st.depth = 0;
			to_person(t, TEXT_CORE_NONSENSE, "sistema");
			flow_start(t, t->set->closing);
			return false;
		}
		t->credits = answer.credits;
		t->credits_count = answer.count;
		t->has_credits = true;
	}
	*ret_found = t->credits_count > 0;
	return true;
}

/* A discount that can't be had is told as missing; it doesn't stop the answer. */
static bool fetch_discount(struct turn *t)
{
	struct core_question question = {.operation = CORE_NEXT_DISCOUNTS,
					 .customer_id = t->st.identity.customer_id};
	struct core_answer answer = {0};
	pa_error err = {.size = sizeof(err)};
	pa_status status = t->ports->core(t->ports->arg, t->arena, &question, &answer, &err);

	t->is_parked = status == PA_DEADLINE;
	for (size_t i = 0; status == PA_OK && i < answer.count; i++)
		if (str_equal(answer.discounts[i]->credit_id, t->credit->id))
			t->discount = answer.discounts[i];
	return !t->is_parked;
}

static bool fetch_credit(struct turn *t, bool *ret_found)
{
	pa_str chosen = state_recall(&t->st, CHOSEN);

	if (!fetch_credits(t, ret_found))
		return false;
	*ret_found = false;
	for (size_t i = 0; i < t->credits_count; i++)
		if (str_equal(t->credits[i]->id, chosen))
			t->credit = t->credits[i];
	if (!t->credit)
		return true;
	*ret_found = true;
	return t->credit->state != PA_CREDIT_ACTIVE || fetch_discount(t);
}

/* ---- one function a verb; true if the flow goes on in this turn ---- */

typedef bool run_verb(struct turn *t, const struct step *step);

static bool run_say(struct turn *t, const struct step *step)
{
	uint64_t missing;
	pa_str body = fill(t, step->text), more;

	consent_act(t, &step->act, step->text);

	missing = t->missing;
	if (missing && step->missing) {
		more = fill(t, step->missing);
		body = arena_format(t->arena, "%.*s\n%.*s", PA_FMT(body), PA_FMT(more));
	}
	emit_question(t, body, NULL, 0, PA_STR_ABSENT);
	flow_next(t, step->next);
	return true;
}

static void note_history(struct turn *t)
{
	struct frame *frame = top_frame(t);

	if (frame->history_count && frame->history[frame->history_count - 1] == frame->step)
		return;
	if (frame->history_count == HISTORY_MAX) {
		memmove(frame->history, frame->history + 1,
			(HISTORY_MAX - 1) * sizeof(frame->history[0]));
		frame->history_count--;
	}
	frame->history[frame->history_count++] = frame->step;
}

static bool run_ask(struct turn *t, const struct step *step)
{
	note_history(t);
	question_ask(t, WAIT_STEP, step->text);
	return false;
}

static void remember_credits(struct turn *t)
{
	forget_credits(t);
	for (size_t i = 0; i < t->credits_count && t->st.memory_count < MEMORY_MAX - 4; i++) {
		pa_str name = arena_format(t->arena, CREDIT_MARK "%02zu", i + 1);
		pa_str title = credit_title(t->arena, t->credits[i]);

		state_remember(&t->st, name,
			       arena_format(t->arena, "%.*s\n%.*s", PA_FMT(title),
					    PA_FMT(t->credits[i]->id)));
	}
}

/* What is known is not asked: one credit is chosen by itself. */
static bool run_choose(struct turn *t, const struct step *step)
{
	if (step->from_credits && t->credits_count == 1) {
		state_remember(&t->st, CHOSEN, t->credits[0]->id);
		flow_next(t, step->next);
		return true;
	}
	if (step->from_credits)
		remember_credits(t);
	return run_ask(t, step);
}

static bool run_verify(struct turn *t, const struct step *step)
{
	if (verified(t)) {
		flow_next(t, step->next);
		return true;
	}
	verify_begin(t);
	return false;
}

static bool run_fetch(struct turn *t, const struct step *step)
{
	bool found = false;

	if (!verified(t)) { /* it lapsed while a question was on the table */
		verify_begin(t);
		return false;
	}
	if (!(step->what == FETCH_CREDIT ? fetch_credit(t, &found) : fetch_credits(t, &found)))
		return false;
	flow_next(t, found ? step->next : step->otherwise);
	return true;
}

static pa_str credit_state(const struct turn *t)
{
	static const char *const names[] = {
		[PA_CREDIT_ACTIVE] = "activo",
		[PA_CREDIT_PAID] = "pagado",
		[PA_CREDIT_ASSIGNED] = "cedido",
		[PA_CREDIT_DISPUTED] = "en_reclamo",
	};
	uint32_t state = t->credit ? t->credit->state : 0;

	return state < ARRAY_COUNT(names) && names[state] ? str_from(names[state]) : PA_STR("");
}

static pa_str looked_at(struct turn *t, const struct step *step)
{
	switch (step->question) {
	case QUESTION_CONSENT:
		return consent_has(t) ? PA_STR("si") : PA_STR("no");
	case QUESTION_VERIFIED:
		return verified(t) ? PA_STR("si") : PA_STR("no");
	case QUESTION_CREDIT_STATE:
		return credit_state(t);
	case QUESTION_CREDIT_COUNT:
		return arena_format(t->arena, "%zu", t->credits_count);
	case QUESTION_SUBJECT:
		return subject_is_missing(t) ? PA_STR("falta") : PA_STR("sabido");
	case QUESTION_MEMORY:
		break;
	}
	return state_recall(&t->st, step->into);
}

static bool run_when(struct turn *t, const struct step *step)
{
	pa_str value = looked_at(t, step);
	int next = step->otherwise;

	for (size_t i = 0; i < step->cases_count; i++)
		if (value.ptr && str_equal(value, step->cases[i].is))
			next = step->cases[i].next;
	flow_next(t, next);
	return true;
}

/* What is remembered, or his own words and what he was doing when he said them. */
static pa_str summary_of(struct turn *t, const struct step *step)
{
	pa_str remembered = state_recall(&t->st, step->summary);
	int64_t amount;

	if (step->summary.ptr && str_to_int64(remembered, &amount))
		return money_format(t->arena, amount); /* a bare number would be blotted out */
	if (step->summary.ptr)
		return remembered;
	if (t->st.depth < 2 || !step->is_waited)
		return t->said.text;
	return arena_format(t->arena, "%.*s [%.*s]", PA_FMT(t->said.text),
			    PA_FMT(t->set->flows[t->st.frames[t->st.depth - 2].flow].label));
}

static bool run_hand_over(struct turn *t, const struct step *step)
{
	pa_str summary = summary_of(t, step);

	if (step->is_addition)
		emit_case_addition(t, step->kind, summary);
	else if (!step->is_single || !case_again(t, step->kind))
		emit_case(t, step->kind, summary, step->days);
	if (step->is_waited)
		emit_waiting(t, step->text);
	else
		emit_question(t, fill(t, step->text), NULL, 0, PA_STR_ABSENT);
	flow_next(t, step->next);
	return true;
}

static bool run_remember(struct turn *t, const struct step *step)
{
	state_remember(&t->st, step->into, step->value);
	flow_next(t, step->next);
	return true;
}

/* "Anything else?" is asked when nothing else waits. */
static bool run_go(struct turn *t, const struct step *step)
{
	bool has_more = t->st.depth > 1 || t->st.wishes_count > 0;

	if (step->flow == t->set->closing && has_more) {
		flow_over(t);
		return true;
	}
	t->st.depth--;
	flow_start(t, step->flow);
	return false;
}

void flow_run(struct turn *t)
{
	static run_verb *const verbs[] = {
		[VERB_SAY] = run_say,
		[VERB_ASK] = run_ask,
		[VERB_CHOOSE] = run_choose,
		[VERB_VERIFY] = run_verify,
		[VERB_FETCH] = run_fetch,
		[VERB_WHEN] = run_when,
		[VERB_HAND_OVER] = run_hand_over,
		[VERB_REMEMBER] = run_remember,
		[VERB_GO] = run_go,
	};

	t->st.waiting = WAIT_NOTHING;
	while (t->st.depth && t->st.waiting == WAIT_NOTHING) {
		const struct step *step = top_step(t);

		if (++t->steps_run > STEPS_A_TURN) {
			t->has_failed = true;
			return;
		}
		if (!verbs[step->verb](t, step))
			return;
	}
}

/* ---- answers ---- */

static void answered(struct turn *t, pa_str value)
{
	const struct step *step = top_step(t);

	misses_reset(t);
	state_remember(&t->st, step->into, value);
	if (step->verb == VERB_ASK)
		flow_next(t, step->next);
	flow_run(t); /* a choice is shown again, with the new value */
}

void step_amount(struct turn *t, int64_t amount)
{
	t->st.amount_doubt = 0;
	answered(t, arena_format(t->arena, "%lld", (long long)amount));
}

static void amount_said(struct turn *t)
{
	int64_t amount;

	switch (amount_read(&t->said, &amount)) {
	case AMOUNT_NONE:
		miss_format(t, TEXT_NOT_UNDERSTOOD);
		return;
	case AMOUNT_CLEAR:
		step_amount(t, amount);
		return;
	case AMOUNT_TWO_WAYS:
		misses_reset(t);
		t->st.amount_doubt = amount;
		question_repeat(t);
		return;
	}
}

bool step_said(struct turn *t)
{
	const struct step *step = top_step(t);

	if (step->verb != VERB_ASK && step->verb != VERB_CHOOSE)
		return false;
	if (step->verb == VERB_CHOOSE || step->ask == ASK_AMOUNT)
		amount_said(t);
	else if (t->said.folded.len < ANSWER_MIN)
		miss_format(t, TEXT_NOT_UNDERSTOOD);
	else
		answered(t, redact_text(t->arena, t->said.text, NULL));
	return true;
}

static void choose_credit(struct turn *t, const struct option *option)
{
	pa_str rest = state_recall(&t->st, option->name);

	str_split(&rest, '\n');
	state_remember(&t->st, CHOSEN, rest);
	forget_credits(t);
}

void step_chosen(struct turn *t, const struct option *option, bool is_tap)
{
	const struct step *step = top_step(t);

	/* What binds a person needs a tap, where there is something to tap. */
	if (option->taps_only && !is_tap && (t->in->features & PA_FEATURE_BUTTONS)) {
		prefix(t, TEXT_TAP_NEEDED);
		question_repeat(t);
		return;
	}
	consent_act(t, &option->act, step->text);
	question_clear(t);
	if (option->action != NOWHERE) {
		action_do(t, (enum action)option->action);
		return;
	}
	if (option->flow != NOWHERE) {
		t->st.depth--;
		wish_take(t, option->flow);
		return;
	}
	if (step->from_credits)
		choose_credit(t, option);
	flow_next(t, option->next);
	flow_run(t);
}
