/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "flow/run.h"

/* What a bereaved person asks for in plain words is served; nothing is offered to him. */
static bool wants_something(const struct turn *t)
{
	for (size_t i = 0; i < t->found_count; i++)
		if (t->found[i].intent->action != ACTION_GREETING &&
		    t->found[i].intent->action != ACTION_THANKS)
			return true;
	return false;
}

static const struct step *step_of_case(const struct flow *flow)
{
	for (size_t i = 0; i < flow->steps_count; i++)
		if (flow->steps[i].verb == VERB_HAND_OVER)
			return &flow->steps[i];
	return NULL;
}

static bool is_served(struct turn *t, const struct flow *flow)
{
	bool is_tap = t->event->message_kind == PA_IN_BUTTON || t->event->message_kind == PA_IN_ROW;

	if (t->event->message_kind == PA_IN_TEXT && message_trouble(t))
		return true;
	return flow->serves_wishes &&
	       (is_tap || t->st.waiting != WAIT_NOTHING ||
		(t->event->message_kind == PA_IN_TEXT && wants_something(t)));
}

/* What he adds belongs to the person who will read the case. */
static void attach(struct turn *t, const struct flow *flow)
{
	const struct step *step = step_of_case(flow);

	if (!step || !case_again(t, step->kind)) {
		to_person(t, TEXT_TO_PERSON, "asesor");
		return;
	}
	if (!flow->keeps_nothing && t->said.count && t->event->message_kind == PA_IN_TEXT)
		emit_case_addition(t, step->kind, t->said.text);
	if (flow->after)
		emit_text(t, flow->after);
	else
		emit(t, TEXT_CARE);
}

bool care_answers(struct turn *t)
{
	const struct flow *flow;

	if (t->st.care_flow == NOWHERE)
		return false;
	flow = &t->set->flows[t->st.care_flow];
	if (is_served(t, flow))
		return false;
	attach(t, flow);
	return true;
}

/* Who let it go on, and why, stands with the case in which the chat was stopped. */
void care_resume(struct turn *t, pa_str by)
{
	const struct step *step;

	if (t->st.care_flow == NOWHERE) {
		no_answer(t, "nobody but the assistant goes on in this chat");
		return;
	}
	step = step_of_case(&t->set->flows[t->st.care_flow]);
	t->st.care_flow = NOWHERE;
	t->st.asked_hash = 0; /* what was asked for meanwhile had no answer */
	misses_reset(t);
	if (step && case_of_kind(t, step->kind))
		emit_case_addition(t, PA_STR("reanudado"), by);
	else
		emit_case(t, PA_STR("reanudado"), by, 1);
	t->out->fact = "conversation.resumed";
	no_answer(t, "an operator lets the chat go on");
}
