/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/run.h"

#include "base/str.h"

#include <string.h>

#define DRAFT_LIVES_NS (15 * NS_PER_DAY)
#define CORE_RETRY_NS (2 * NS_PER_MINUTE)
#define PARKED_LIVES_NS (20 * NS_PER_HOUR) /* within the window of free messages */

/* Menu and closing are places to leave, not to come back to. */
static bool is_neutral(const struct turn *t, int flow)
{
	return flow == t->set->menu || flow == t->set->closing;
}

void wish_note(struct turn *t, int flow)
{
	for (size_t i = 0; i < t->st.wishes_count; i++)
		if (t->st.wishes[i] == flow)
			return;
	if (t->st.wishes_count < WISHES_MAX)
		t->st.wishes[t->st.wishes_count++] = flow;
}

/* The one said last is served first. */
static void wish_first(struct turn *t, int flow)
{
	size_t at = 0;

	wish_note(t, flow);
	while (at + 1 < t->st.wishes_count && t->st.wishes[at] != flow)
		at++;
	memmove(t->st.wishes + 1, t->st.wishes, at * sizeof(t->st.wishes[0]));
	t->st.wishes[0] = flow;
}

static int take_wish(struct turn *t)
{
	int flow = t->st.wishes[0];

	memmove(t->st.wishes, t->st.wishes + 1, --t->st.wishes_count * sizeof(t->st.wishes[0]));
	return flow;
}

/* ---- drafts ---- */

static bool has_draft(struct turn *t, int flow)
{
	if (t->st.draft_flow == NOWHERE)
		return false;
	if (t->in->now_ns - t->st.draft_at_ns > DRAFT_LIVES_NS) {
		t->st.draft_flow = NOWHERE;
		t->st.draft_memory = PA_STR_ABSENT;
	}
	return t->st.draft_flow == flow;
}

static void keep_draft(struct turn *t, const struct frame *frame)
{
	if (!t->set->flows[frame->flow].keeps_draft || frame->history_count == 0)
		return;
	t->st.draft_flow = frame->flow;
	t->st.draft_step = frame->step;
	t->st.draft_at_ns = t->in->now_ns;
	t->st.draft_memory = state_pack_memory(t->arena, &t->st);
}

void flows_drop(struct turn *t)
{
	for (size_t i = 0; i < t->st.depth; i++)
		keep_draft(t, &t->st.frames[i]);
	t->st.depth = 0;
	t->st.wishes_count = 0;
	question_clear(t);
	misses_reset(t);
}

static void forget_draft(struct turn *t)
{
	t->st.draft_flow = NOWHERE;
	t->st.draft_step = NOWHERE;
	t->st.draft_memory = PA_STR_ABSENT;
}

static void push(struct turn *t, int flow, int step)
{
	if (t->st.depth == FRAMES_MAX) { /* the oldest gives way */
		keep_draft(t, &t->st.frames[0]);
		memmove(t->st.frames, t->st.frames + 1, (FRAMES_MAX - 1) * sizeof(t->st.frames[0]));
		t->st.depth--;
	}
	t->st.frames[t->st.depth++] = (struct frame){.flow = flow, .step = step};
}

void draft_chosen(struct turn *t, pa_str option)
{
	int flow = t->st.draft_flow, step = t->st.draft_step;
	bool goes_on = str_equal(option, PA_STR("seguir")) && flow != NOWHERE &&
		       state_unpack_memory(t->st.draft_memory, &t->st);

	question_clear(t);
	forget_draft(t);
	if (flow == NOWHERE) {
		action_do(t, ACTION_MENU);
		return;
	}
	push(t, flow, goes_on ? step : 0);
	flow_run(t);
}

/* ---- starting and ending ---- */

static void only_a_person(struct turn *t, int flow)
{
	identity_end(&t->st.identity);
	t->st.care_flow = flow;
	t->st.parked_flow = NOWHERE;
	t->keeps_nothing = t->keeps_nothing || t->set->flows[flow].keeps_nothing;
}

void flow_start(struct turn *t, int flow)
{
	if (!is_neutral(t, flow) && !t->set->flows[flow].is_aside)
		t->st.last_wish = flow;
	if (t->set->flows[flow].ends_session)
		only_a_person(t, flow);
	if (has_draft(t, flow)) {
		t->wish = flow;
		question_ask(t, WAIT_DRAFT, t->set->engine[TEXT_DRAFT]);
		t->wish = NOWHERE;
		return;
	}
	push(t, flow, t->begin_flow == flow ? t->begin_step : 0);
	t->begin_flow = NOWHERE;
	flow_run(t);
}

static void resume(struct turn *t)
{
	t->st.waiting = WAIT_STEP;
	if (top_step(t)->verb == VERB_VERIFY || top_step(t)->verb == VERB_FETCH) {
		flow_run(t); /* what was interrupted was the proof of who he is */
		return;
	}
	if (!is_neutral(t, top_frame(t)->flow))
		prefix(t, TEXT_RETURN);
	question_repeat(t);
}

void flow_over(struct turn *t)
{
	if (t->st.depth)
		t->st.depth--;
	if (t->st.depth) {
		resume(t);
	} else if (t->st.wishes_count) {
		t->wish = t->st.wishes[0];
		prefix(t, TEXT_WISH_NEXT);
		t->wish = NOWHERE;
		wish_serve_next(t);
	}
}

void wish_serve_next(struct turn *t)
{
	if (t->st.wishes_count == 0) {
		action_do(t, ACTION_MENU);
		return;
	}
	wish_take(t, take_wish(t));
}

static void ask_consent_for(struct turn *t, int flow)
{
	wish_first(t, flow);
	t->st.last_wish = flow;
	if (t->st.waiting == WAIT_CONSENT) {
		t->wish = flow;
		prefix(t, TEXT_CONSENT_FIRST);
		t->wish = NOWHERE;
		question_repeat(t);
		return;
	}
	t->st.depth = 0;
	consent_ask(t);
}

static void note_for_later(struct turn *t, int flow)
{
	wish_note(t, flow);
	t->wish = flow;
	prefix(t, TEXT_WISH_AFTER);
	t->wish = NOWHERE;
	question_repeat(t);
}

/* A flow that only tells something: the question on the table stays. */
static void tell_aside(struct turn *t, int flow)
{
	enum waiting waiting = t->st.waiting;
	size_t depth = t->st.depth;

	push(t, flow, 0);
	flow_run(t);
	if (waiting == WAIT_NOTHING || t->st.waiting != WAIT_NOTHING)
		return;
	t->st.depth = depth < t->st.depth ? depth : t->st.depth;
	t->st.waiting = waiting;
	question_repeat(t);
}

void wish_take(struct turn *t, int flow)
{
	const struct flow *wanted = &t->set->flows[flow];
	bool is_same = t->st.waiting != WAIT_NOTHING && t->st.depth && top_frame(t)->flow == flow;

	if (wanted->is_aside && t->st.waiting != WAIT_NOTHING && t->st.waiting != WAIT_STEP) {
		tell_aside(t, flow);
		return;
	}
	if (wanted->needs_consent && !consent_has(t)) {
		ask_consent_for(t, flow);
		return;
	}
	if (t->st.parked_flow == flow) {
		emit(t, TEXT_CORE_STILL_AWAY);
		return;
	}
	if (is_same && t->st.waiting != WAIT_EXIT && t->st.waiting != WAIT_PICK) {
		question_repeat(t);
		return;
	}
	if (t->st.waiting == WAIT_IDENTITY && wanted->needs_consent) {
		note_for_later(t, flow);
		return;
	}
	if (t->st.waiting == WAIT_STEP && is_neutral(t, top_frame(t)->flow) && !wanted->is_aside)
		t->st.depth--;
	question_clear(t);
	flow_start(t, flow);
}

/* ---- what the engine does itself ---- */

static void show_policy(struct turn *t)
{
	if (t->set->options.house.policy_url[0])
		emit(t, TEXT_POLICY_LINK);
	else
		emit_question(t, t->set->documents[DOC_POLICY].body, NULL, 0, PA_STR_ABSENT);
	question_repeat(t);
}

static void show_menu(struct turn *t)
{
	bool keeps = false;

	for (size_t i = 0; i < t->st.depth; i++)
		keeps = keeps || t->set->flows[t->st.frames[i].flow].keeps_draft;
	flows_drop(t);
	if (keeps && t->st.draft_flow != NOWHERE)
		prefix(t, TEXT_DRAFT_KEPT);
	push(t, t->set->menu, 0);
	flow_run(t);
}

static bool was_never_asked(const struct turn *t)
{
	return !consent_has(t) && !t->st.consent.is_refused;
}

/* A new conversation begins with the notice (HD-13); the menu itself needs no consent. */
static void want_menu(struct turn *t)
{
	if (t->st.waiting == WAIT_NOTHING && was_never_asked(t))
		consent_ask(t);
	else
		show_menu(t);
}

static void greet(struct turn *t)
{
	if (t->st.waiting == WAIT_CONSENT || was_never_asked(t)) {
		consent_ask(t);
		return;
	}
	if (t->st.is_greeted)
		prefix(t, TEXT_GREETING_AGAIN);
	if (t->st.waiting == WAIT_NOTHING)
		show_menu(t);
	else
		question_repeat(t);
}

static void go_back(struct turn *t)
{
	struct frame *frame;

	if (t->st.waiting == WAIT_IDENTITY && t->st.identity.stage == STAGE_CODE) {
		identity_end(&t->st.identity);
		verify_begin(t);
		return;
	}
	if (t->st.waiting == WAIT_EXIT) {
		exit_chosen(t, PA_STR("quedarse"));
		return;
	}
	if (t->st.waiting != WAIT_STEP || top_frame(t)->history_count < 2) {
		show_menu(t);
		return;
	}
	frame = top_frame(t);
	frame->history_count -= 2;
	frame->step = frame->history[frame->history_count];
	flow_run(t);
}

static void leave(struct turn *t)
{
	flows_drop(t);
	identity_end(&t->st.identity);
	t->out->fact = "session.ended";
	emit(t, TEXT_GOODBYE);
}

/* Stopping in the middle asks first; nothing half-done is sent. */
static void ask_leave(struct turn *t)
{
	bool is_midway = t->st.waiting == WAIT_STEP && top_flow(t)->keeps_draft &&
			 top_frame(t)->history_count > 0;

	if (is_midway)
		question_ask(t, WAIT_EXIT, t->set->engine[TEXT_EXIT]);
	else
		leave(t);
}

void exit_chosen(struct turn *t, pa_str option)
{
	if (str_equal(option, PA_STR("salir"))) {
		leave(t);
		return;
	}
	if (t->st.depth == 0) {
		show_menu(t);
		return;
	}
	t->st.waiting = WAIT_STEP;
	question_repeat(t);
}

static void thank(struct turn *t)
{
	bool is_over = t->st.waiting == WAIT_NOTHING ||
		       (t->st.waiting == WAIT_STEP && is_neutral(t, top_frame(t)->flow));

	if (is_over) {
		question_clear(t);
		t->st.depth = 0;
	}
	if (is_over)
		emit(t, TEXT_THANKS);
	else
		question_repeat(t);
}

/* Nobody was shown anything: he has no business here. */
static bool is_a_stranger(const struct turn *t)
{
	return t->st.identity.stage == STAGE_NOBODY && !t->st.identity.document.number[0];
}

static void not_me(struct turn *t)
{
	int wrong_number = set_find_flow(t->set, PA_STR("equivocado"));

	if (is_a_stranger(t) && wrong_number != NOWHERE) {
		flows_drop(t);
		flow_start(t, wrong_number);
		return;
	}
	flows_drop(t);
	identity_end(&t->st.identity);
	t->out->fact = "session.ended";
	prefix(t, TEXT_ID_NOT_ME);
	show_menu(t);
}

/* What needs to know who it is, and is asked for most. */
static int first_to_verify(const struct flow_set *set)
{
	const struct flow *menu = &set->flows[set->menu];

	for (size_t i = 0; i < menu->steps[0].options_count; i++) {
		int flow = menu->steps[0].options[i].flow;

		if (flow != NOWHERE && set->flows[flow].steps[0].verb == VERB_VERIFY)
			return flow;
	}
	return NOWHERE;
}

static void other_person(struct turn *t)
{
	int wish = t->st.last_wish;
	bool had_somebody = !is_a_stranger(t);

	if (wish == NOWHERE)
		wish = first_to_verify(t->set);
	flows_drop(t);
	identity_end(&t->st.identity);
	if (had_somebody)
		prefix(t, TEXT_ID_OTHER);
	if (wish == NOWHERE || !t->set->flows[wish].needs_consent)
		show_menu(t);
	else
		wish_take(t, wish);
}

static void authorize(struct turn *t)
{
	if (!consent_has(t)) {
		if (t->st.wishes_count == 0 && t->st.last_wish != NOWHERE &&
		    t->set->flows[t->st.last_wish].needs_consent)
			wish_note(t, t->st.last_wish); /* what a no before had ended */
		if (t->st.waiting == WAIT_CONSENT)
			question_repeat(t);
		else
			consent_ask(t);
		return;
	}
	prefix(t, TEXT_CONSENT_HAD);
	if (t->st.waiting == WAIT_NOTHING)
		show_menu(t);
	else
		question_repeat(t);
}

static void take_nothing(struct turn *t)
{
	if (t->st.waiting != WAIT_NOTHING)
		question_repeat(t);
	else if (was_never_asked(t))
		want_menu(t);
	else
		no_answer(t, "a word that asks for nothing, and no question on the table");
}

static void resend(struct turn *t)
{
	if (t->st.waiting == WAIT_IDENTITY) {
		verify_resend(t);
		return;
	}
	prefix(t, TEXT_NO_CODE_SENT);
	want_menu(t);
}

static void lost_mobile(struct turn *t)
{
	verify_lost_mobile(t);
}

/* Who waits for a person leaves the queue with a word. */
static void withdraw(struct turn *t)
{
	if (!case_again(t, PA_STR("asesor"))) {
		take_nothing(t);
		return;
	}
	emit_case_addition(t, PA_STR("asesor_retirado"), t->said.text);
	t->st.cases[0].is_withdrawn = true;
	if (t->st.waiting == WAIT_NOTHING) {
		emit(t, TEXT_WITHDRAWN);
		return;
	}
	prefix(t, TEXT_WITHDRAWN);
	question_repeat(t);
}

void action_do(struct turn *t, enum action action)
{
	static void (*const doers[ACTION_COUNT])(struct turn *) = {
		[ACTION_GREETING] = greet,
		[ACTION_MENU] = want_menu,
		[ACTION_BACK] = go_back,
		[ACTION_EXIT] = ask_leave,
		[ACTION_THANKS] = thank,
		[ACTION_NOT_ME] = not_me,
		[ACTION_OTHER_PERSON] = other_person,
		[ACTION_AUTHORIZE] = authorize,
		[ACTION_RESEND] = resend,
		[ACTION_LOST_MOBILE] = lost_mobile,
		[ACTION_POLICY] = show_policy,
		[ACTION_WITHDRAW] = withdraw,
		[ACTION_NOTHING] = take_nothing,
	};

	if (doers[action])
		doers[action](t);
}

/* ---- the core comes and goes ---- */

void core_away(struct turn *t)
{
	int flow = t->st.depth ? t->st.frames[0].flow : t->st.last_wish;

	if (t->is_probe)
		return;
	t->st.parked_flow = flow;
	t->st.parked_at_ns = t->in->now_ns;
	t->st.depth = 0;
	question_clear(t);
	if (t->st.identity.stage == STAGE_CODE)
		identity_pause(&t->st.identity);
	emit_timer(t, TIMER_CORE, t->in->now_ns + CORE_RETRY_NS);
	t->out->fact = "core.away";
	emit(t, TEXT_CORE_AWAY);
}

bool core_ask_for(struct turn *t, const struct core_question *question, struct core_answer *ret,
		  pa_status *ret_status)
{
	pa_error err = {.size = sizeof(err)};

	*ret_status = t->ports->core(t->ports->arg, t->arena, question, ret, &err);
	if (*ret_status == PA_DEADLINE) {
		t->is_parked = true;
		return false;
	}
	if (*ret_status == PA_RETRY) {
		core_away(t);
		return false;
	}
	return true;
}

/* Whether the core answers at all: asked before anything is said. */
static bool probe(struct turn *t)
{
	const struct identity *identity = &t->st.identity;
	bool is_known = identity->document.number[0] && !identity->is_last4;
	struct core_question question = {
		.operation = CORE_FIND_CUSTOMER,
		.document_type = PA_STR("CC"),
		.document = is_known ? str_from(identity->document.number) : PA_STR("0"),
	};
	struct core_answer answer = {0};
	pa_status status;
	bool is_up;

	t->is_probe = true;
	is_up = core_ask_for(t, &question, &answer, &status);
	t->is_probe = false;
	return is_up;
}

/* The promise is kept: the answer if he is still verified, or the offer to go on. */
void core_is_back(struct turn *t)
{
	int flow = t->st.parked_flow;

	if (flow == NOWHERE || t->in->now_ns - t->st.parked_at_ns > PARKED_LIVES_NS) {
		t->st.parked_flow = NOWHERE;
		no_answer(t, "nothing waits for the core");
		return;
	}
	if (t->st.waiting != WAIT_NOTHING ||
	    !probe(t)) { /* busy with something else, or too soon */
		emit_timer(t, TIMER_CORE, t->in->now_ns + CORE_RETRY_NS);
		no_answer(t, "what waits for the core waits on");
		return;
	}
	t->st.parked_flow = NOWHERE;
	emit_timer(t, TIMER_CORE, 0);
	if (verified(t)) {
		prefix(t, TEXT_CORE_BACK);
		flow_start(t, flow);
		return;
	}
	t->st.last_wish = flow;
	t->wish = flow;
	question_ask(t, WAIT_CORE_BACK, t->set->engine[TEXT_CORE_BACK_VERIFY]);
	t->wish = NOWHERE;
}

void core_back_chosen(struct turn *t, pa_str option)
{
	int flow = t->st.last_wish;

	question_clear(t);
	if (str_equal(option, PA_STR("si")) && flow != NOWHERE)
		wish_take(t, flow);
	else
		emit(t, TEXT_THANKS);
}
