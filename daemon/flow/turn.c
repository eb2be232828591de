/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/turn.h"

#include "base/calendar.h"
#include "base/err.h"
#include "base/str.h"
#include "flow/run.h"

#include <string.h>

#define FLOOD_WINDOW_NS (60 * NS_PER_S)
#define FLOOD_MESSAGES 20
#define CALM_NS (30 * NS_PER_S)
#define REMINDER_NS (10 * NS_PER_MINUTE)
#define MORNING (8 * 60)  /* no reminder before, local minutes */
#define EVENING (19 * 60) /* nor after */
#define JOINED_MAX 8      /* texts read as one */
#define REMINDER "recordatorio"

/* ---- before a message is read ---- */

static bool are_apart(int64_t a, int64_t b, int64_t span)
{
	return a - b >= span || b - a >= span;
}

/* By the time when it was written: what piled up while nobody read it is no flood. */
static void count_message(struct turn *t, const pa_event *event)
{
	struct state *st = &t->st;
	int64_t at = t->in->now_ns;

	if (event->at_ns > 0 && event->at_ns < at)
		at = event->at_ns;
	if (st->is_flooded && are_apart(at, st->flood_last_ns, CALM_NS)) {
		st->is_flooded = false;
		st->flood_count = 0;
	}
	if (st->flood_count == 0 || are_apart(at, st->flood_since_ns, FLOOD_WINDOW_NS)) {
		st->flood_since_ns = at;
		st->flood_count = 0;
	}
	if (st->flood_count == 0 && !st->is_flooded)
		st->flood_heard = 0;
	st->flood_last_ns = at;
	st->flood_count++;
	st->last_in_ns = t->in->now_ns;
}

/* Once heard in a flood, the same again is answered by what was said then. */
static bool is_heard_in_flood(struct turn *t)
{
	const struct intent *urgent = message_urgent(t);
	int64_t hash;

	if (!urgent)
		return false;
	hash = (int64_t)str_hash(t->set->flows[urgent->flow].name);
	if (hash == t->st.flood_heard)
		return false;
	t->st.flood_heard = hash;
	return true;
}

static bool is_over_limit(const struct turn *t)
{
	return t->st.is_flooded || t->st.flood_count > FLOOD_MESSAGES;
}

/* True if what was read in a flood is recorded in silence. A notice is given once; a clear request
 * that crosses the limit is served behind it. */
static bool is_silenced(struct turn *t, bool is_clear)
{
	if (is_heard_in_flood(t))
		return false;
	if (t->st.is_flooded) {
		no_answer(t, "a chat that floods");
		return true;
	}
	t->st.is_flooded = true;
	emit(t, TEXT_FLOOD);
	return !is_clear;
}

static void check_device(struct turn *t)
{
	struct identity *identity = &t->st.identity;
	bool had_session;

	if (t->event->device_key.len == 0)
		return;
	if (identity->device_key.len && !str_equal(identity->device_key, t->event->device_key)) {
		had_session = identity_changed_hands(identity);
		flows_drop(t);
		if (had_session)
			prefix(t, TEXT_ID_CHANGED);
	}
	identity->device_key = t->event->device_key;
}

/* In a group nobody is told anything of anybody; the way to a private chat, once. */
static void answer_group(struct turn *t)
{
	if (t->st.was_group_told) {
		no_answer(t, "a message in a group");
		return;
	}
	t->st.was_group_told = true;
	emit(t, TEXT_IN_GROUP);
}

/* The first words of a conversation say that this is a program (AI-01). */
static void introduce(struct turn *t)
{
	if (t->st.is_greeted)
		return;
	t->st.is_greeted = true;
	prefix(t, TEXT_GREETING);
}

static void begin_message(struct turn *t, const pa_event *event)
{
	t->event = event;
	t->had_code = t->had_secret = false;
	t->keeps_nothing =
		t->st.care_flow != NOWHERE && t->set->flows[t->st.care_flow].keeps_nothing;
	t->st.is_late_said = false;
	t->st.is_reminded = false;
	if (identity_lapse(&t->st.identity, &t->set->identity, t->in->now_ns))
		t->out->fact = "session.lapsed";
	if (t->st.identity.stage == STAGE_VERIFIED)
		t->st.identity.seen_at_ns = t->in->now_ns;
	check_device(t);
}

/* True if the message needs no reading. */
static bool is_settled(struct turn *t, const pa_event *event)
{
	if (event->flags & PA_EVENT_ECHO) {
		t->st.care_flow = NOWHERE; /* a person has it in hand */
		no_answer(t, "written by our own people");
		return true;
	}
	if (event->flags & PA_EVENT_GROUP) {
		t->event = event;
		answer_group(t);
		return true;
	}
	return false;
}

static void say_late(struct turn *t)
{
	if (message_is_late(t))
		prefix(t, TEXT_ANSWERED_LATE);
}

/* ---- texts, which may belong together ---- */

static bool is_written(const struct turn_event *event)
{
	return event->kind == TURN_CUSTOMER && event->event->kind == PA_EVENT_MESSAGE &&
	       !(event->event->flags & (PA_EVENT_ECHO | PA_EVENT_GROUP | PA_EVENT_CODE_DENIED));
}

static bool is_text(const struct turn_event *event)
{
	return is_written(event) && event->event->message_kind == PA_IN_TEXT;
}

static bool awaits_quiet(const struct turn *t)
{
	return !t->in->quiet_is_over && t->set->options.quiet_ns > 0;
}

static void hold(struct turn *t, const pa_event *first)
{
	int64_t until = t->in->now_ns + t->set->options.quiet_ns;
	int64_t limit = first->at_ns + t->set->options.quiet_max_ns;

	if (first->at_ns > 0 && limit > t->in->now_ns && limit < until)
		until = limit;
	t->out->hold_until_ns = until;
}

/* Reads as many texts as make sense together; 0: wait for more. Those of a flood don't wait for
 * each other's quiet: it would last for minutes. ret_clear: whether it is known what they want. */
static size_t read_texts(struct turn *t, size_t at, size_t count, bool *ret_clear)
{
	pa_str joined = t->in->events[at].event->text;
	size_t n = 1;

	t->event = t->in->events[at].event;
	for (;; n++) {
		bool is_clear = message_read(t, joined);

		*ret_clear = is_clear && t->said.count > 0;
		if (is_clear && !(message_is_greeting(t) && n < count))
			return n;
		if (n == count)
			break;
		joined = arena_format(t->arena, "%.*s %.*s", PA_FMT(joined),
				      PA_FMT(t->in->events[at + n].event->text));
	}
	return count < JOINED_MAX && awaits_quiet(t) ? 0 : n;
}

static size_t run_texts(struct turn *t, size_t at)
{
	size_t count = 1, read;
	bool is_clear;

	while (count < JOINED_MAX && at + count < t->in->events_count &&
	       is_text(&t->in->events[at + count]))
		count++;
	if (identity_lapse(&t->st.identity, &t->set->identity, t->in->now_ns))
		t->out->fact = "session.lapsed";
	read = read_texts(t, at, count, &is_clear);
	if (read == 0) {
		hold(t, t->in->events[at].event);
		return 0;
	}
	begin_message(t, t->in->events[at].event);
	for (size_t i = 0; i < read; i++)
		count_message(t, t->in->events[at + i].event);
	if (is_over_limit(t) && is_silenced(t, is_clear))
		return read;
	if (message_is_repeated(t)) {
		no_answer(t, "asked for again within seconds of its answer");
		return read;
	}
	introduce(t);
	say_late(t);
	if (!care_answers(t))
		message_act(t);
	return read;
}

/* ---- other events ---- */

static void run_system(struct turn *t, const pa_event *event)
{
	if (event->system == PA_SYSTEM_OTHER) {
		no_answer(t, "a system event without consequence");
		return;
	}
	if (event->device_key.len)
		t->st.identity.device_key = event->device_key;
	if (identity_changed_hands(&t->st.identity))
		t->out->fact = "session.ended";
	flows_drop(t);
	no_answer(t, "number or device changed: whoever it was is forgotten");
}

/* "I did not ask for this code": what was asked for in this chat is void, and it is a report. */
static void deny_code(struct turn *t)
{
	int fraud = set_find_flow(t->set, PA_STR("fraude"));

	flows_drop(t);
	identity_end(&t->st.identity);
	t->out->fact = "identity.code_denied";
	if (fraud == NOWHERE)
		to_person(t, TEXT_TO_PERSON, "fraude");
	else
		flow_start(t, fraud);
}

static void run_other_message(struct turn *t, const pa_event *event)
{
	begin_message(t, event);
	t->st.asked_hash = 0; /* what is asked for after a tap or a photo is asked for anew */
	if (event->flags & PA_EVENT_CODE_DENIED) {
		introduce(t);
		deny_code(t);
		return;
	}
	if (event->message_kind == PA_IN_REVOKE ||
	    (event->message_kind == PA_IN_REACTION && t->st.waiting == WAIT_NOTHING)) {
		message_other(t);
		return;
	}
	count_message(t, event);
	if (is_over_limit(t) && is_silenced(t, message_read_other(t)))
		return;
	introduce(t);
	say_late(t);
	if (!care_answers(t))
		message_other(t);
}

static bool is_of_album(const struct turn_event *event)
{
	return is_written(event) && (event->event->message_kind == PA_IN_IMAGE ||
				     event->event->message_kind == PA_IN_VIDEO);
}

/* The pictures of an album come one by one and get one answer, to the words under one of them;
 * another's words begin anew. 0: wait for more. */
static size_t run_album(struct turn *t, size_t at)
{
	const struct turn_event *events = t->in->events;
	const pa_event *spoken = NULL;
	size_t end = at;

	for (; end < t->in->events_count && is_of_album(&events[end]); end++) {
		bool has_words = events[end].event->text.len > 0;

		if (spoken && has_words)
			break;
		if (has_words)
			spoken = events[end].event;
	}
	if (end == t->in->events_count && awaits_quiet(t)) {
		hold(t, events[at].event);
		return 0;
	}
	run_other_message(t, spoken ? spoken : events[at].event);
	return end - at;
}

static void run_customer(struct turn *t, const pa_event *event)
{
	if (event->kind == PA_EVENT_SYSTEM)
		run_system(t, event);
	else if (event->kind != PA_EVENT_MESSAGE)
		no_answer(t, "nothing a person did");
	else if (!is_settled(t, event))
		run_other_message(t, event);
}

static void run_reminder(struct turn *t)
{
	int64_t due = t->st.last_in_ns + REMINDER_NS;
	int minute = local_minute(t->in->now_ns);

	t->st.reminder_due_ns = 0;
	if (t->st.waiting != WAIT_NOTHING && !t->st.is_reminded && due > t->in->now_ns) {
		t->st.reminder_due_ns = due; /* he wrote meanwhile */
		emit_timer(t, REMINDER, due);
		no_answer(t, "not idle for long enough");
		return;
	}
	if (t->st.waiting == WAIT_NOTHING || t->st.is_reminded || minute < MORNING ||
	    minute >= EVENING) {
		no_answer(t, "nothing to remind of, or not at this hour");
		return;
	}
	t->st.is_reminded = true;
	prefix(t, TEXT_REMINDER);
	question_repeat(t);
}

static void run_timer(struct turn *t, pa_str name)
{
	if (str_equal(name, PA_STR(REMINDER)))
		run_reminder(t);
	else if (str_equal(name, PA_STR(TIMER_CORE)))
		core_is_back(t);
	else
		no_answer(t, "a timer that nobody knows any more");
}

static void run_late(struct turn *t)
{
	if (t->st.is_late_said) {
		no_answer(t, "that it takes long was said before");
		return;
	}
	t->st.is_late_said = true;
	emit(t, TEXT_LATE);
}

static void run_internal(struct turn *t, const struct turn_event *event)
{
	identity_lapse(&t->st.identity, &t->set->identity, t->in->now_ns);
	switch (event->kind) {
	case TURN_JOB:
		if (str_equal(event->name, PA_STR("identity.lookup")))
			lookup_run(t, event);
		else if (str_equal(event->name, PA_STR("conversation.resume")))
			care_resume(t, event->payload);
		else if (str_equal(event->name, PA_STR(JOB_FILE_REFUSED)))
			file_refused(t, event->payload);
		else
			no_answer(t, "a job that nobody knows any more");
		return;
	case TURN_TIMER:
		run_timer(t, event->name);
		return;
	case TURN_LATE:
		run_late(t);
		return;
	case TURN_UNDELIVERED:
		if (str_starts(event->name, PA_STR(CODE_FOR)))
			verify_undelivered(t, str_slice(event->name, strlen(CODE_FOR), SIZE_MAX));
		else
			no_answer(t, "a message nobody waits for could not be delivered");
		return;
	case TURN_CUSTOMER:
		return;
	}
}

/* ---- the turn ---- */

static bool has_said(const struct turn *t)
{
	return t->out->replies_count > 0 || t->out->jobs_count > 0 || t->out->cases_count > 0 ||
	       t->is_parked;
}

/* Events until something was said, so that each answer is committed with what it answers. */
static void run_events(struct turn *t)
{
	size_t done = 0;

	while (done < t->in->events_count && !has_said(t)) {
		const struct turn_event *event = &t->in->events[done];
		size_t read = 1;

		if (is_text(event))
			read = run_texts(t, done);
		else if (is_of_album(event))
			read = run_album(t, done);
		else if (event->kind == TURN_CUSTOMER)
			run_customer(t, event->event);
		else
			run_internal(t, event);
		if (read == 0)
			break;
		keep_events(t, done, read);
		done += read;
		t->event = NULL;
	}
	emit_prefixes(t);
	t->out->consumed = done;
	if (done)
		t->out->hold_until_ns = 0;
}

/* One timer serves many questions: it looks, when it is due, whether he has written meanwhile. */
static void set_reminder(struct turn *t)
{
	if (t->st.waiting == WAIT_NOTHING || t->st.reminder_due_ns || t->out->replies_count == 0 ||
	    t->st.is_reminded)
		return;
	t->st.reminder_due_ns = t->in->now_ns + REMINDER_NS;
	emit_timer(t, REMINDER, t->st.reminder_due_ns);
}

static const struct flow_set *set_for(const struct flow_set *set, uint64_t version)
{
	if (version == 0 || version == set->version)
		return set;
	for (size_t i = 0; i < OLDER_SETS_MAX; i++)
		if (set->older[i] && set->older[i]->version == version)
			return set->older[i];
	return set;
}

static bool begin(struct turn *t, const struct flow_set *set)
{
	uint64_t version;

	if (!state_version(t->in->state, &version))
		return false;
	t->set = set_for(set, version);
	if (!state_unpack(t->in->state, t->set, &t->st))
		return false;
	if (t->st.waiting == WAIT_STEP && t->st.depth == 0)
		t->st.waiting = WAIT_NOTHING; /* its flow is gone: files changed */
	if (t->st.has_lost_flow)
		prefix(t, TEXT_FLOW_CHANGED);
	return true;
}

static void make_room(struct turn *t)
{
	t->out->replies = ARENA_ARRAY(t->arena, struct turn_reply, REPLIES_MAX);
	t->out->jobs = ARENA_ARRAY(t->arena, struct turn_job, EFFECTS_MAX);
	t->out->timers = ARENA_ARRAY(t->arena, struct turn_timer, EFFECTS_MAX);
	t->out->consents = ARENA_ARRAY(t->arena, struct turn_consent, EFFECTS_MAX);
	t->out->cases = ARENA_ARRAY(t->arena, struct turn_case, EFFECTS_MAX);
	t->out->files = ARENA_ARRAY(t->arena, size_t, t->in->events_count);
	t->out->redactions = ARENA_ARRAY(t->arena, struct turn_redaction, t->in->events_count);
}

pa_status turn_run(const struct flow_set *set, const struct turn_in *in,
		   const struct turn_ports *ports, struct arena *arena, struct turn_out *ret,
		   pa_error *err)
{
	struct turn *t = ARENA_NEW(arena, struct turn);

	*ret = (struct turn_out){0};
	*t = (struct turn){
		.set = set,
		.in = in,
		.ports = ports,
		.arena = arena,
		.out = ret,
		.tags = {ports->tag, ports->arg, in->conversation},
		.wish = NOWHERE,
		.begin_flow = NOWHERE,
	};
	make_room(t);
	if (!begin(t, set))
		return error_set(err, PA_BUG, "the conversation's state can't be read");
	run_events(t);
	if (t->has_failed)
		return error_set(err, PA_BUG, "a flow runs in circles or a port failed");
	if (t->is_parked || ret->consumed == 0) {
		*ret = (struct turn_out){.state = in->state,
					 .park = t->is_parked,
					 .hold_until_ns = ret->hold_until_ns};
		return PA_OK;
	}
	set_reminder(t);
	ret->state = state_pack(arena, t->set, &t->st);
	if (ret->replies_count) {
		ret->no_answer_ok = false;
		ret->no_answer_reason = NULL;
	}
	return PA_OK;
}
