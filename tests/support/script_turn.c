/* SPDX-License-Identifier: Apache-2.0
 *
 * script_turn.c: a turn_run() for tests of the queue, in place of the daemon's own: it does what
 * the customer's message says, so that a test can bring about any effect and any failure. A message
 * is a line of commands, with ";" between them:
 *
 *	say TEXT         answers "N TEXT", N counting the conversation's answers so far
 *	care TEXT        the same, and wants to hear if it can't be delivered
 *	doc TEXT         sends a file with this caption
 *	template NAME    sends this template, with a value that counts as say does
 *	secret PHONE     sends a one-time code by SMS
 *	job COMMAND      does the command in a job, or, timer COMMAND, as soon as a timer fires
 *	core             asks the core system and says what came of it
 *	quiet            waits for the second of quiet first
 *	consent, case    records one
 *	fail             the turn fails, each time
 *	segv, exit       kills the daemon, by a signal or without a word
 *	sleep MS         takes so long
 *
 * What the queue itself tells the conversation is answered by its name: "core back", "late",
 * "undelivered".
 */
#include "flow/turn.h"

#include "base/err.h"
#include "base/str.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_EFFECTS 32

struct script {
	const struct turn_in *in;
	const struct turn_ports *ports;
	struct arena *arena;
	struct turn_out *out;
	int64_t answers;
	bool is_parked, has_failed;
};

static struct turn_reply *say(struct script *s, const char *mark, pa_str text)
{
	struct turn_reply *reply = &s->out->replies[s->out->replies_count];

	assert(s->out->replies_count < MAX_EFFECTS);
	s->out->replies_count++;
	reply->class = CLASS_RESPUESTA;
	reply->message.kind = PA_OUT_TEXT;
	reply->message.body =
		arena_format(s->arena, "%lld %s%.*s", (long long)++s->answers, mark, PA_FMT(text));
	return reply;
}

static void do_say(struct script *s, pa_str text)
{
	say(s, "", text);
}

static void do_care(struct script *s, pa_str text)
{
	say(s, "", text)->what_for = PA_STR("care");
}

static void do_doc(struct script *s, pa_str text)
{
	pa_message *message = &say(s, "", text)->message;

	message->kind = PA_OUT_DOCUMENT;
	message->media_name = PA_STR("estado.pdf");
	message->media_type = PA_STR("application/pdf");
	message->media_bytes = PA_STR("%PDF-1.4 not much of one");
}

static void do_template(struct script *s, pa_str name)
{
	pa_message *message = &say(s, "", PA_STR("valor"))->message;
	pa_pair *value = ARENA_NEW(s->arena, pa_pair);
	const pa_pair **values = ARENA_ARRAY(s->arena, const pa_pair *, 1);

	*value = (pa_pair){PA_STR("body"), message->body};
	values[0] = value;
	message->kind = PA_OUT_TEMPLATE;
	message->body = PA_STR_ABSENT;
	message->template_name = arena_copy(s->arena, name);
	message->template_language = PA_STR("es_CO");
	message->params = values;
	message->params_count = 1;
}

static void do_secret(struct script *s, pa_str phone)
{
	struct turn_reply *reply = say(s, "", PA_STR("123456"));

	s->answers--;
	reply->class = CLASS_SEGURIDAD;
	reply->channel = PA_STR("sms");
	reply->is_secret = true;
	reply->message.phone = arena_copy(s->arena, phone);
	reply->message.medium = PA_MEDIUM_SMS;
	reply->message.body = PA_STR("123456 es su codigo");
	reply->not_after_ns = s->in->now_ns + 5 * NS_PER_MINUTE;
	reply->what_for = PA_STR("care");
}

static void do_job(struct script *s, pa_str command)
{
	s->out->jobs[s->out->jobs_count++] =
		(struct turn_job){PA_STR("script"), arena_copy(s->arena, command)};
}

static void do_timer(struct script *s, pa_str command)
{
	s->out->timers[s->out->timers_count++] =
		(struct turn_timer){arena_copy(s->arena, command), s->in->now_ns};
}

static void do_core(struct script *s, pa_str rest)
{
	const struct core_question question = {.operation = CORE_FIND_CUSTOMER,
					       .document_type = PA_STR("CC"),
					       .document = PA_STR("1")};
	struct core_answer answer;
	pa_error err = ERROR_INIT;
	pa_status status = s->ports->core(s->ports->arg, s->arena, &question, &answer, &err);

	(void)rest;
	s->is_parked = status == PA_DEADLINE;
	if (!s->is_parked)
		say(s, "core ", str_from(status_name(status)));
	if (status == PA_RETRY)
		s->out->timers[s->out->timers_count++] =
			(struct turn_timer){PA_STR(TIMER_CORE), s->in->now_ns + 2 * NS_PER_MINUTE};
}

static void do_quiet(struct script *s, pa_str rest)
{
	(void)rest;
	s->is_parked = !s->in->quiet_is_over; /* consumed nothing: it is held */
}

static void do_consent(struct script *s, pa_str rest)
{
	(void)rest;
	s->out->consents[s->out->consents_count++] =
		(struct turn_consent){.purpose = PA_STR("servicio"),
				      .action = PA_STR("otorga"),
				      .text_version = PA_STR("1"),
				      .words = PA_STR("si")};
}

static void do_case(struct script *s, pa_str rest)
{
	struct turn_case *one = &s->out->cases[s->out->cases_count++];

	(void)rest;
	*one = (struct turn_case){.kind = PA_STR("queja"), .summary = PA_STR("no anda")};
	if (s->ports->case_number(s->ports->arg, s->in->now_ns, s->arena, &one->number) != PA_OK)
		s->has_failed = true;
}

static void do_fail(struct script *s, pa_str rest)
{
	(void)rest;
	s->has_failed = true;
}

static void do_segv(struct script *s, pa_str rest)
{
	(void)s;
	(void)rest;
	raise(SIGSEGV);
}

static void do_exit(struct script *s, pa_str rest)
{
	(void)s;
	(void)rest;
	_exit(9);
}

static void do_sleep(struct script *s, pa_str ms)
{
	int64_t n = 0;
	struct timespec pause;

	(void)s;
	for (size_t i = 0; i < ms.len; i++)
		n = n * 10 + (ms.ptr[i] - '0');
	pause = (struct timespec){n / 1000, n % 1000 * NS_PER_MS};
	nanosleep(&pause, NULL);
}

static const struct command {
	const char *name;
	void (*run)(struct script *s, pa_str rest);
} commands[] = {
	{"say", do_say},           {"care", do_care},     {"doc", do_doc},
	{"template", do_template}, {"secret", do_secret}, {"job", do_job},
	{"timer", do_timer},       {"core", do_core},     {"quiet", do_quiet},
	{"consent", do_consent},   {"case", do_case},     {"fail", do_fail},
	{"segv", do_segv},         {"exit", do_exit},     {"sleep", do_sleep},
};

static void run_command(struct script *s, pa_str line)
{
	pa_str rest = line;
	pa_str name = str_split(&rest, ' ');

	for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
		if (str_equal(name, str_from(commands[i].name)))
			commands[i].run(s, rest);
}

static void run_line(struct script *s, pa_str text)
{
	pa_str rest = text;

	while (rest.len && !s->is_parked && !s->has_failed)
		run_command(s, str_split(&rest, ';'));
}

static void run_event(struct script *s, const struct turn_event *event)
{
	switch (event->kind) {
	case TURN_CUSTOMER:
		run_line(s, event->event->text);
		return;
	case TURN_JOB:
		run_line(s, event->payload);
		return;
	case TURN_TIMER:
		if (str_equal(event->name, PA_STR(TIMER_CORE)))
			say(s, "core back", PA_STR(""));
		run_line(s, event->name);
		return;
	case TURN_LATE:
		say(s, "late", PA_STR(""));
		return;
	case TURN_UNDELIVERED:
		say(s, "undelivered ", event->name);
		return;
	}
}

static int64_t read_answers(pa_str state)
{
	int64_t answers = 0;

	for (size_t i = 0; i < state.len; i++)
		answers = answers * 10 + (state.ptr[i] - '0');
	return answers;
}

/* One event a turn: its effects are committed with it. */
pa_status turn_run(const struct flow_set *set, const struct turn_in *in,
		   const struct turn_ports *ports, struct arena *arena, struct turn_out *ret,
		   pa_error *err)
{
	struct script s = {.in = in,
			   .ports = ports,
			   .arena = arena,
			   .out = ret,
			   .answers = read_answers(in->state)};
	bool asks_core;

	(void)set;
	*ret = (struct turn_out){0};
	ret->replies = ARENA_ARRAY(arena, struct turn_reply, MAX_EFFECTS);
	ret->jobs = ARENA_ARRAY(arena, struct turn_job, MAX_EFFECTS);
	ret->timers = ARENA_ARRAY(arena, struct turn_timer, MAX_EFFECTS);
	ret->consents = ARENA_ARRAY(arena, struct turn_consent, MAX_EFFECTS);
	ret->cases = ARENA_ARRAY(arena, struct turn_case, MAX_EFFECTS);
	run_event(&s, &in->events[0]);
	if (s.has_failed)
		return error_set(err, PA_BUG, "the script says so");
	asks_core = in->events[0].kind == TURN_CUSTOMER &&
		    str_starts(in->events[0].event->text, PA_STR("core"));
	ret->park = s.is_parked && asks_core;
	ret->consumed = s.is_parked ? 0 : 1;
	ret->state = arena_format(arena, "%lld", (long long)s.answers);
	return PA_OK;
}
