/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/run.h"

#include "base/str.h"
#include "flow/redact.h"
#include "io/unicode.h"

#include <string.h>

#define BODY_MAX 1024 /* of an interactive message; what is longer stands in a bubble before */
#define BUBBLES 2
#define MENU_TAP_S (INT64_C(30) * 24 * 3600)
#define TAP_S (INT64_C(24) * 3600)
#define CODE_TAP_S (INT64_C(15) * 60)

pa_str fill(struct turn *t, const struct text *text)
{
	pa_str values[VALUE_COUNT];

	shown_values(t, text, values);
	return text_fill(t->arena, text, values, &t->missing);
}

struct turn_reply *emit_reply(struct turn *t)
{
	struct turn_reply *reply;

	if (t->out->replies_count == REPLIES_MAX) {
		t->has_failed = true;
		t->out->replies_count--;
	}
	reply = &t->out->replies[t->out->replies_count++];
	*reply = (struct turn_reply){.class = CLASS_RESPUESTA};
	reply->message.size = sizeof(reply->message);
	reply->message.kind = PA_OUT_TEXT;
	reply->message.medium = t->in->medium;
	return reply;
}

static pa_str two_paragraphs(struct turn *t, pa_str a, pa_str b)
{
	if (a.len == 0 || b.len == 0)
		return a.len ? a : b;
	return arena_format(t->arena, "%.*s\n\n%.*s", PA_FMT(a), PA_FMT(b));
}

static bool is_plain(const struct turn_reply *reply)
{
	return reply->message.kind == PA_OUT_TEXT && !reply->is_secret;
}

/* Two bubbles a turn: a third is said in the first one that takes it. Returns the place of a plain
 * text, NULL if a new bubble may be made. */
static struct turn_reply *full_bubble(struct turn *t)
{
	struct turn_reply *first = NULL;
	size_t bubbles = 0;

	for (size_t i = 0; i < t->out->replies_count; i++) {
		if (!str_is_absent(t->out->replies[i].channel))
			continue;
		if (!first && is_plain(&t->out->replies[i]))
			first = &t->out->replies[i];
		bubbles++;
	}
	return bubbles >= BUBBLES ? first : NULL;
}

static void say(struct turn *t, pa_str body)
{
	struct turn_reply *full = full_bubble(t);

	if (body.len == 0)
		return;
	if (full)
		full->message.body = two_paragraphs(t, full->message.body, body);
	else
		emit_reply(t)->message.body = body;
}

static pa_str take_prefixes(struct turn *t)
{
	pa_str all = PA_STR("");

	for (size_t i = 0; i < t->prefixes_count; i++)
		all = two_paragraphs(t, all, t->prefixes[i]);
	t->prefixes_count = 0;
	return all;
}

void emit_prefixes(struct turn *t)
{
	say(t, take_prefixes(t));
}

void emit_text(struct turn *t, const struct text *text)
{
	pa_str body = fill(t, text);

	say(t, two_paragraphs(t, take_prefixes(t), body));
}

void emit(struct turn *t, enum engine_text id)
{
	emit_text(t, t->set->engine[id]);
}

void prefix(struct turn *t, enum engine_text id)
{
	if (t->prefixes_count < PREFIXES_MAX)
		t->prefixes[t->prefixes_count++] = fill(t, t->set->engine[id]);
}

/* ---- questions ---- */

static int64_t tap_lives_s(const struct turn *t)
{
	if (t->st.waiting == WAIT_IDENTITY)
		return CODE_TAP_S;
	if (t->st.waiting == WAIT_STEP && t->st.depth &&
	    t->st.frames[t->st.depth - 1].flow == t->set->menu)
		return MENU_TAP_S;
	return TAP_S;
}

static pa_str tap_id(struct turn *t, const struct option *option)
{
	struct tap tap = {
		.waiting = t->st.waiting,
		.option = option->name,
		.version = (int64_t)(t->set->version & UINT32_MAX),
		.mark = t->st.mark,
		.until_s = t->in->now_ns / NS_PER_S + tap_lives_s(t),
	};

	if (t->st.waiting == WAIT_STEP) {
		tap.flow = top_flow(t)->name;
		tap.step = top_step(t)->name;
	}
	return tap_write(t->arena, t->ports, t->in->conversation, &tap);
}

static pa_choice *choice_of(struct turn *t, const struct option *option, uint32_t title_max)
{
	pa_choice *choice = ARENA_NEW(t->arena, pa_choice);

	choice->size = sizeof(*choice);
	choice->id = tap_id(t, option);
	choice->title = title_max ? utf8_cut(option->title, title_max) : option->title;
	return choice;
}

static bool fit_buttons(const struct turn *t, const struct option *options, size_t count)
{
	uint32_t room = t->in->limits ? t->in->limits->buttons : BUTTONS_MAX;
	uint32_t title = t->in->limits ? t->in->limits->button_title : 20;

	if (!(t->in->features & PA_FEATURE_BUTTONS) || count > BUTTONS_MAX || count > room)
		return false;
	for (size_t i = 0; i < count; i++)
		if (utf8_length(options[i].title) > title)
			return false;
	return true;
}

static void as_choices(struct turn *t, pa_message *message, const struct option *options,
		       size_t count, bool is_list)
{
	const pa_channel_limits *limits = t->in->limits;
	const pa_choice **choices = ARENA_ARRAY(t->arena, const pa_choice *, count);

	for (size_t i = 0; i < count; i++) {
		uint32_t room = !limits ? 0 : is_list ? limits->row_title : limits->button_title;
		pa_choice *choice = choice_of(t, &options[i], room);

		if (is_list)
			choice->description = options[i].description;
		choices[i] = choice;
	}
	message->kind = is_list ? PA_OUT_LIST : PA_OUT_BUTTONS;
	message->choices = choices;
	message->choices_count = count;
}

static void as_numbers(struct turn *t, pa_message *message, const struct option *options,
		       size_t count)
{
	for (size_t i = 0; i < count; i++)
		message->body = arena_format(t->arena, "%.*s\n%zu. %.*s", PA_FMT(message->body),
					     i + 1, PA_FMT(options[i].title));
}

/* A question is the last bubble: two plain ones before it become one. */
static struct turn_reply *question_bubble(struct turn *t)
{
	struct turn_reply *plain[BUBBLES] = {NULL, NULL};
	size_t count = 0;

	for (size_t i = 0; i < t->out->replies_count && count < BUBBLES; i++)
		if (str_is_absent(t->out->replies[i].channel) && is_plain(&t->out->replies[i]))
			plain[count++] = &t->out->replies[i];
	if (count < BUBBLES)
		return emit_reply(t);
	plain[0]->message.body = two_paragraphs(t, plain[0]->message.body, plain[1]->message.body);
	plain[1]->message.body = PA_STR("");
	return plain[1];
}

void emit_question(struct turn *t, pa_str body, const struct option *options, size_t count,
		   pa_str list_button)
{
	pa_str whole = t->prefixes_count ? take_prefixes(t) : PA_STR("");
	struct turn_reply *reply;

	if (utf8_length(whole) + 2 + utf8_length(body) > BODY_MAX)
		say(t, whole);
	else
		body = two_paragraphs(t, whole, body);
	reply = question_bubble(t);
	reply->message.body = body;
	if (t->st.waiting != WAIT_NOTHING)
		t->out->question = (size_t)(reply - t->out->replies) + 1;
	if (count == 0)
		return;
	if (fit_buttons(t, options, count))
		as_choices(t, &reply->message, options, count, false);
	else if ((t->in->features & PA_FEATURE_LIST) && count <= ROWS_MAX)
		as_choices(t, &reply->message, options, count, true);
	else
		as_numbers(t, &reply->message, options, count);
	if (reply->message.kind == PA_OUT_LIST)
		reply->message.list_button =
			list_button.ptr ? list_button : fill(t, t->set->engine[TEXT_SEE]);
}

/* ---- other effects ---- */

void emit_job(struct turn *t, const char *name, pa_str payload)
{
	if (t->out->jobs_count < EFFECTS_MAX)
		t->out->jobs[t->out->jobs_count++] = (struct turn_job){str_from(name), payload};
}

void emit_timer(struct turn *t, const char *name, int64_t due_ns)
{
	size_t i = 0;

	while (i < t->out->timers_count && !str_equal(t->out->timers[i].name, str_from(name)))
		i++;
	if (i == EFFECTS_MAX)
		return;
	t->out->timers[i] = (struct turn_timer){str_from(name), due_ns};
	if (i == t->out->timers_count)
		t->out->timers_count++;
}

void emit_consent(struct turn *t, const char *action, pa_str purpose, pa_str texts)
{
	if (t->out->consents_count == EFFECTS_MAX)
		return;
	t->out->consents[t->out->consents_count++] = (struct turn_consent){
		.purpose = purpose,
		.action = str_from(action),
		.text_version = texts,
		.words = t->event ? redact_text(t->arena, t->event->text, NULL) : PA_STR_ABSENT,
		.question = t->st.waiting == WAIT_NOTHING ? 0 : t->st.question_outbox,
		.answer_id = t->event ? t->event->id : PA_STR_ABSENT,
	};
}

void no_answer(struct turn *t, const char *reason)
{
	t->out->no_answer_ok = true;
	t->out->no_answer_reason = reason;
}
