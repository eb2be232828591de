/* SPDX-License-Identifier: Apache-2.0
 *
 * flow_chat.h: a conversation with the shipped flows, without queue or network: what the queue does
 * with a turn (commit, jobs, timers) is done here in memory, the core and the limits are played.
 *
 *	struct chat chat; chat_open(&chat);
 *	customer(&chat, "cuánto debo"); bot_says(&chat, "¿Autoriza");
 *	tap(&chat, "Sí, autorizo");     bot_says(&chat, "cédula");
 */
#ifndef FLOW_CHAT_H
#define FLOW_CHAT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/err.h"
#include "base/str.h"
#include "flow/model.h"
#include "flow/turn.h"
#include "io/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAT_TEXTS 16
#define PHONE "573001234567"
#define DOCUMENT "52123456"

struct chat {
	struct flow_set *set;
	struct arena *arena; /* of the last turn */
	struct arena *kept;
	struct turn_out out;
	char *state;
	size_t state_len;
	int64_t now_ns;
	int64_t event_at_ns; /* 0: now */
	int64_t conversation;
	const char *phone;
	uint32_t medium;
	uint32_t features;
	int64_t next_event;
	/* the core */
	bool is_core_down;
	bool is_core_full;
	unsigned core_calls;
	const pa_customer *customer;
	pa_credit credits[12];
	const pa_credit *credit_list[12];
	size_t credits_count;
	pa_discount discount;
	const pa_discount *discounts[1];
	size_t discounts_count;
	/* limits */
	int64_t person_locked_until;
	bool is_quota_used_up;
	unsigned quota_calls;
	bool was_owner;
	bool is_sms_down;
	int64_t cases;
	const char *guess[2];
	uint32_t guess_confidence[2];
	size_t guesses;
	/* what happened */
	char bot[8192]; /* all that was said in the last turns, a line a bubble */
	size_t bubbles; /* of the last chat turn */
	size_t said;    /* chat messages in all */
	char sms[400];
	char sms_phone[32];
	char code[8];
	bool runs_jobs;
	struct {
		char name[40];
		char payload[40];
	} job;
	struct {
		char name[40];
		int64_t due_ns;
	} timer[4];
	pa_str tap_ids[64];
	char tap_titles[64][80];
	size_t taps;
	size_t cases_opened;
	char case_kind[40];
	char case_summary[2200];
	int64_t case_due_ns;
	char consent_action[20];
	char consent_purpose[40];
	char consent_version[300];
	char consent_words[400];
	size_t consents;
	size_t consumed;
	size_t redactions;    /* of the last message */
	char kept_text[2200]; /* what may stay of its text */
	bool keeps_rest;      /* ... and of its file's name, place, contacts */
	int64_t outbox;       /* id of the last message */
	int64_t question;     /* ... of the one that shows the question on the table */
	int64_t consent_question;
	bool stays_quiet; /* the second of quiet does not pass by itself */
};

/* ---- the ports ---- */

static inline pa_status chat_find(struct chat *c, struct arena *arena,
				  const struct core_question *q, struct core_answer *ret)
{
	const pa_customer **list = ARENA_ARRAY(arena, const pa_customer *, 1);
	bool is_hit = c->customer != NULL;

	if (is_hit && q->operation == CORE_FIND_CUSTOMER)
		is_hit = str_equal(q->document, c->customer->document);
	if (is_hit && q->operation == CORE_FIND_BY_MOBILE)
		is_hit = str_equal(q->mobile, c->customer->mobile) &&
			 str_ends(c->customer->document, q->last4);
	list[0] = c->customer;
	ret->customers = list;
	ret->count = is_hit;
	return PA_OK;
}

static inline pa_status chat_core(void *arg, struct arena *arena, const struct core_question *q,
				  struct core_answer *ret, pa_error *err)
{
	struct chat *c = arg;

	(void)err;
	c->core_calls++;
	if (c->is_core_down)
		return PA_RETRY;
	if (c->is_core_full)
		return PA_DEADLINE;
	switch ((int)q->operation) {
	case CORE_FIND_CUSTOMER:
	case CORE_FIND_BY_MOBILE:
		return chat_find(c, arena, q, ret);
	case CORE_CREDITS:
		ret->credits = c->credit_list;
		ret->count = c->credits_count;
		return PA_OK;
	case CORE_NEXT_DISCOUNTS:
		ret->discounts = c->discounts;
		ret->count = c->discounts_count;
		return PA_OK;
	default:
		return PA_REJECTED;
	}
}

static inline pa_status chat_classify(void *arg, struct arena *arena, pa_str text, pa_str question,
				      struct turn_intent *ret, size_t room, size_t *ret_count)
{
	struct chat *c = arg;

	(void)arena;
	(void)text;
	(void)question;
	for (*ret_count = 0; *ret_count < c->guesses && *ret_count < room; (*ret_count)++)
		ret[*ret_count] = (struct turn_intent){str_from(c->guess[*ret_count]),
						       c->guess_confidence[*ret_count]};
	return c->guesses ? PA_OK : PA_RETRY;
}

static inline pa_status chat_locked(void *arg, pa_str person, int64_t now_ns, int64_t *ret)
{
	(void)person;
	(void)now_ns;
	*ret = ((struct chat *)arg)->person_locked_until;
	return PA_OK;
}

static inline pa_status chat_quota(void *arg, pa_str person, bool is_owner, int64_t now_ns,
				   int64_t event, bool *ret)
{
	struct chat *c = arg;

	(void)person;
	(void)now_ns;
	(void)event;
	c->quota_calls++;
	c->was_owner = is_owner;
	*ret = !c->is_quota_used_up;
	return PA_OK;
}

static inline pa_status chat_number(void *arg, int64_t now_ns, struct arena *arena, pa_str *ret)
{
	(void)now_ns;
	*ret = arena_format(arena, "PA-2026-%06lld", (long long)++((struct chat *)arg)->cases);
	return PA_OK;
}

static inline bool chat_healthy(void *arg, pa_str channel)
{
	return !str_equal(channel, PA_STR("sms")) || !((struct chat *)arg)->is_sms_down;
}

static inline void chat_tag(void *arg, const char *purpose, pa_str data, uint8_t out[16])
{
	static const struct key root = {{7}};
	struct key key;

	(void)arg;
	key_derive(&root, purpose, &key);
	keyed_tag(&key, data, out);
}

static inline struct turn_ports chat_ports(struct chat *c)
{
	return (struct turn_ports){.arg = c,
				   .core = chat_core,
				   .classify = chat_classify,
				   .person_locked_until = chat_locked,
				   .code_quota_take = chat_quota,
				   .case_number = chat_number,
				   .channel_is_healthy = chat_healthy,
				   .tag = chat_tag};
}

/* ---- opening ---- */

static inline struct flow_options chat_options(void)
{
	return (struct flow_options){
		.flows_directory = "etc/flows",
		.texts_directory = "etc/texts",
		.house = {"ProAlto", "900123456-8", "Carrera 7 # 12-34, Bogotá", "601 234 5678",
			  "datos@proalto.example", "https://proalto.example/politica"},
		.identity = {.code_channel = "sms",
			     .code_ttl_ns = 5 * NS_PER_MINUTE,
			     .code_tries = 3,
			     .lock_ns = 30 * NS_PER_MINUTE,
			     .session_idle_ns = 15 * NS_PER_MINUTE,
			     .session_max_ns = 60 * NS_PER_MINUTE,
			     .mobile_settle_days = 5},
		.quiet_ns = NS_PER_S,
		.quiet_max_ns = 3 * NS_PER_S,
		.intent_threshold = 600000,
	};
}

static inline struct flow_set *chat_load(const struct flow_options *options)
{
	struct arena *arena = arena_new((size_t)1 << 26);
	struct flow_problems problems = {.arena = arena};
	struct flow_set *set = NULL;
	pa_error err = ERROR_INIT;

	if (flow_set_load(options, &set, &problems, &err) != PA_OK)
		for (size_t i = 0; i < problems.count; i++)
			print_error("%s: %s\n", problems.list[i].where, problems.list[i].what);
	assert_non_null(set);
	arena_free(arena);
	return set;
}

static inline pa_number known(int64_t value)
{
	return (pa_number){.value = value, .is_known = 1};
}

static inline int64_t at(int year, int month, int day, int hour)
{
	return date_to_days((struct date){year, month, day}) * NS_PER_DAY +
	       (hour + 5) * NS_PER_HOUR;
}

static inline void chat_add_credit(struct chat *c, const char *number, const char *payroll,
				   int64_t balance)
{
	pa_credit *credit = &c->credits[c->credits_count];

	*credit = (pa_credit){.size = sizeof(*credit),
			      .state = PA_CREDIT_ACTIVE,
			      .id = str_from(number),
			      .number = str_from(number),
			      .payroll = str_from(payroll),
			      .balance = known(balance),
			      .instalments_total = known(48),
			      .instalments_paid = known(12),
			      .instalments_pending = known(36),
			      .cut_off = known(date_to_days((struct date){2026, 10, 31}))};
	c->credit_list[c->credits_count++] = credit;
}

static inline void chat_open_with(struct chat *c, const struct flow_options *options)
{
	static const pa_customer ana = {.size = sizeof(ana),
					.id = {"c-1", 3},
					.document_type = {"CC", 2},
					.document = {DOCUMENT, 8},
					.name = {"Ana Torres", 10},
					.first_name = {"Ana", 3},
					.mobile = {PHONE, 12},
					.mobile_since = {.value = 18000, .is_known = 1}};

	assert_int_equal(crypto_init(), PA_OK);
	memset(c, 0, sizeof(*c));
	c->now_ns = at(2026, 11, 20, 10);
	c->conversation = 257;
	c->phone = PHONE;
	c->medium = PA_MEDIUM_CHAT;
	c->features = PA_FEATURE_BUTTONS | PA_FEATURE_LIST | PA_FEATURE_TYPING;
	c->customer = &ana;
	c->runs_jobs = true;
	c->set = chat_load(options);
	c->arena = arena_new((size_t)16 << 20);
	c->kept = arena_new((size_t)16 << 20);
	chat_add_credit(c, "100004821", "Colpensiones", 3210500);
	c->discount = (pa_discount){.size = sizeof(c->discount),
				    .state = PA_DISCOUNT_SCHEDULED,
				    .credit_id = str_from("100004821"),
				    .on = known(date_to_days((struct date){2026, 11, 30})),
				    .amount = known(145000)};
	c->discounts[0] = &c->discount;
	c->discounts_count = 1;
}

static inline void chat_open(struct chat *c)
{
	struct flow_options options = chat_options();

	chat_open_with(c, &options);
}

static inline void chat_close(struct chat *c)
{
	flow_set_unref(c->set);
	arena_free(c->arena);
	arena_free(c->kept);
	free(c->state);
}

/* ---- turns ---- */

static inline void chat_copy(char *to, size_t room, pa_str from)
{
	size_t len = from.len < room ? from.len : room - 1;

	if (len)
		memcpy(to, from.ptr, len);
	to[len] = '\0';
}

static inline void chat_note_reply(struct chat *c, const struct turn_reply *reply)
{
	size_t used = strlen(c->bot);

	if (reply->channel.ptr) {
		const char *digits;

		assert_true(reply->is_secret);
		assert_int_equal(reply->class, CLASS_SEGURIDAD);
		assert_int_equal(reply->message.medium, PA_MEDIUM_SMS);
		assert_true(reply->not_after_ns > c->now_ns);
		chat_copy(c->sms, sizeof(c->sms), reply->message.body);
		chat_copy(c->sms_phone, sizeof(c->sms_phone), reply->message.phone);
		digits = strpbrk(c->sms, "0123456789");
		assert_non_null(digits);
		chat_copy(c->code, sizeof(c->code), (pa_str){digits, 6});
		return;
	}
	c->bubbles++;
	c->said++;
	snprintf(c->bot + used, sizeof(c->bot) - used, "%.*s\n", PA_FMT(reply->message.body));
	for (size_t i = 0; i < reply->message.choices_count && c->taps < 64; i++) {
		const pa_choice *choice = reply->message.choices[i];

		assert_true(choice->id.len > 0 && choice->id.len <= 200);
		c->tap_ids[c->taps] = arena_copy(c->kept, choice->id);
		chat_copy(c->tap_titles[c->taps++], 80, choice->title);
		used = strlen(c->bot);
		snprintf(c->bot + used, sizeof(c->bot) - used, "[%.*s]\n", PA_FMT(choice->title));
	}
}

static inline void chat_note(struct chat *c)
{
	for (size_t i = 0; i < c->out.replies_count; i++)
		chat_note_reply(c, &c->out.replies[i]);
	assert_true(c->bubbles <= 2);
	for (size_t i = 0; i < c->out.cases_count; i++) {
		c->cases_opened++;
		chat_copy(c->case_kind, sizeof(c->case_kind), c->out.cases[i].kind);
		chat_copy(c->case_summary, sizeof(c->case_summary), c->out.cases[i].summary);
		c->case_due_ns = c->out.cases[i].due_ns;
	}
	for (size_t i = 0; i < c->out.consents_count; i++) {
		const struct turn_consent *consent = &c->out.consents[i];

		c->consents++;
		chat_copy(c->consent_action, sizeof(c->consent_action), consent->action);
		chat_copy(c->consent_purpose, sizeof(c->consent_purpose), consent->purpose);
		chat_copy(c->consent_version, sizeof(c->consent_version), consent->text_version);
		chat_copy(c->consent_words, sizeof(c->consent_words), consent->words);
		c->consent_question = consent->question;
	}
	for (size_t i = 0; i < c->out.redactions_count; i++) {
		const pa_event *kept = c->out.redactions[i].kept;

		assert_true(c->out.redactions[i].event < c->out.consumed);
		c->redactions++;
		chat_copy(c->kept_text, sizeof(c->kept_text), kept->text);
		c->keeps_rest = kept->detail.len || kept->media_name.len;
	}
	c->job.name[0] = '\0';
	for (size_t i = 0; i < c->out.jobs_count; i++) {
		chat_copy(c->job.name, sizeof(c->job.name), c->out.jobs[i].name);
		chat_copy(c->job.payload, sizeof(c->job.payload), c->out.jobs[i].payload);
	}
	for (size_t i = 0; i < c->out.timers_count && i < 4; i++) {
		chat_copy(c->timer[i].name, 40, c->out.timers[i].name);
		c->timer[i].due_ns = c->out.timers[i].due_ns;
	}
}

/* The messages get their ids when they are stored, and the state learns which one asks. */
static inline void chat_keep_state(struct chat *c)
{
	pa_str kept = c->out.state;
	char *state;

	if (c->out.question) {
		assert_true(c->out.question <= c->out.replies_count);
		c->question = c->outbox + (int64_t)c->out.question;
		kept = turn_state_with_question(c->arena, kept, c->question);
	}
	c->outbox += (int64_t)c->out.replies_count;
	state = malloc(kept.len + 1);
	assert_non_null(state);
	if (kept.len)
		memcpy(state, kept.ptr, kept.len);
	free(c->state);
	c->state = state;
	c->state_len = kept.len;
}

/* Runs one turn over these events and commits it. */
static inline void chat_turn(struct chat *c, const struct turn_event *events, size_t count,
			     bool quiet_is_over)
{
	static const pa_channel_limits limits = {.size = sizeof(limits),
						 .text = 4096,
						 .interactive_body = 1024,
						 .buttons = 3,
						 .button_title = 20,
						 .button_id_bytes = 256,
						 .rows = 10,
						 .row_title = 24,
						 .row_description = 72,
						 .row_id_bytes = 200,
						 .list_button = 20};
	struct turn_ports ports = chat_ports(c);
	struct turn_in in = {.now_ns = c->now_ns,
			     .conversation = c->conversation,
			     .contact = 1,
			     .channel = PA_STR("whatsapp"),
			     .medium = c->medium,
			     .features = c->features,
			     .limits = &limits,
			     .phone = str_from(c->phone),
			     .state = {c->state ? c->state : "", c->state_len},
			     .events = events,
			     .events_count = count,
			     .quiet_is_over = quiet_is_over};
	pa_error err = ERROR_INIT;
	pa_status status;

	arena_reset(c->arena);
	status = turn_run(c->set, &in, &ports, c->arena, &c->out, &err);
	if (status != PA_OK)
		print_error("turn_run: %s\n", error_text(&err));
	assert_int_equal(status, PA_OK);
	c->consumed = c->out.consumed;
	c->bubbles = 0;
	if (c->out.consumed)
		chat_note(c);
	assert_true(c->out.park || c->out.hold_until_ns || c->out.replies_count ||
		    c->out.no_answer_ok);
	chat_keep_state(c);
}

static inline void chat_job(struct chat *c)
{
	struct turn_event event = {.id = ++c->next_event, .kind = TURN_JOB};
	char name[40], payload[40];

	memcpy(name, c->job.name, sizeof(name));
	memcpy(payload, c->job.payload, sizeof(payload));
	event.name = str_from(name);
	event.payload = str_from(payload);
	c->job.name[0] = '\0';
	chat_turn(c, &event, 1, false);
}

static inline void chat_internal(struct chat *c, enum turn_event_kind kind, const char *name)
{
	struct turn_event event = {.kind = kind, .name = str_from(name)};

	c->bot[0] = '\0';
	chat_turn(c, &event, 1, false);
	if (c->runs_jobs && c->job.name[0])
		chat_job(c);
}

static inline pa_event chat_event(struct chat *c, uint32_t kind)
{
	return (pa_event){.size = sizeof(pa_event),
			  .kind = PA_EVENT_MESSAGE,
			  .message_kind = kind,
			  .at_ns = c->event_at_ns ? c->event_at_ns : c->now_ns,
			  .id = PA_STR("wamid.test"),
			  .phone = str_from(c->phone)};
}

static inline void chat_send(struct chat *c, const pa_event *event)
{
	struct turn_event one = {.id = ++c->next_event, .kind = TURN_CUSTOMER, .event = event};
	size_t bubbles;

	c->bot[0] = '\0';
	c->sms[0] = '\0';
	c->redactions = 0;
	c->kept_text[0] = '\0';
	chat_turn(c, &one, 1, false);
	if (c->out.hold_until_ns && !c->stays_quiet)
		chat_turn(c, &one, 1, true);
	bubbles = c->bubbles;
	if (c->runs_jobs && c->job.name[0])
		chat_job(c);
	c->bubbles = bubbles;
}

static inline void customer(struct chat *c, const char *text)
{
	pa_event event = chat_event(c, PA_IN_TEXT);

	event.text = str_from(text);
	chat_send(c, &event);
}

static inline void sends(struct chat *c, uint32_t kind)
{
	pa_event event = chat_event(c, kind);

	chat_send(c, &event);
}

static inline void tap_id(struct chat *c, pa_str id, const char *title)
{
	pa_event event = chat_event(c, PA_IN_BUTTON);

	event.reply_id = id;
	event.text = str_from(title);
	chat_send(c, &event);
}

/* The newest button or row with that title. */
static inline pa_str tap_of(struct chat *c, const char *title)
{
	for (size_t i = c->taps; i-- > 0;)
		if (strcmp(c->tap_titles[i], title) == 0)
			return c->tap_ids[i];
	print_error("nothing to tap says \"%s\"; the bot said:\n%s", title, c->bot);
	fail();
	return PA_STR_ABSENT;
}

static inline void tap(struct chat *c, const char *title)
{
	tap_id(c, tap_of(c, title), title);
}

static inline void bot_says_(struct chat *c, const char *text, bool wanted, const char *file,
			     int line)
{
	if ((strstr(c->bot, text) != NULL) == wanted)
		return;
	print_error("%s:%d: the bot %s \"%s\":\n%s", file, line,
		    wanted ? "should say" : "should not say", text, c->bot);
	fail();
}

#define bot_says(c, text) bot_says_((c), (text), true, __FILE__, __LINE__)
#define bot_says_not(c, text) bot_says_((c), (text), false, __FILE__, __LINE__)
#define bot_is_silent(c) assert_string_equal((c)->bot, "")

/* To the point where the person is verified and sees the balance. */
static inline void consent(struct chat *c)
{
	customer(c, "hola");
	tap(c, "Sí, autorizo");
}

static inline void verify(struct chat *c)
{
	customer(c, "saldo");
	customer(c, DOCUMENT);
	customer(c, c->code);
}

/* A chat, a line each: "c text" the customer writes, "t title" he taps, "b text" the bot says it,
 * "n text" it does not, "+ minutes" pass, "s" the bot is silent, "k code" he types the right code.
 */
static inline void chat_line(struct chat *c, const char *line, const char *file, int at_line)
{
	const char *rest = line[1] ? line + 2 : "";

	switch (line[0]) {
	case 'c':
		customer(c, rest);
		return;
	case 't':
		tap(c, rest);
		return;
	case 'b':
		bot_says_(c, rest, true, file, at_line);
		return;
	case 'n':
		bot_says_(c, rest, false, file, at_line);
		return;
	case 'k':
		customer(c, c->code);
		return;
	case 's':
		bot_is_silent(c);
		return;
	case '+':
		c->now_ns += strtol(rest, NULL, 10) * NS_PER_MINUTE;
		return;
	default:
		print_error("no such line: %s\n", line);
		fail();
	}
}

static inline void chat_script(struct chat *c, const char *const *lines, size_t count,
			       const char *file, int at_line)
{
	for (size_t i = 0; i < count; i++)
		chat_line(c, lines[i], file, at_line + (int)i);
}

#define script(c, ...)                                                                             \
	chat_script((c), (const char *const[]){__VA_ARGS__},                                       \
		    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), __FILE__,         \
		    __LINE__)

/* A whole chat of its own. */
#define play(...)                                                                                  \
	do {                                                                                       \
		static struct chat played;                                                         \
                                                                                                   \
		chat_open(&played);                                                                \
		script(&played, __VA_ARGS__);                                                      \
		chat_close(&played);                                                               \
	} while (0)

#endif
