/* SPDX-License-Identifier: Apache-2.0
 *
 * Translating channels: pure functions over hostile bytes.
 */
#include "contract/check.h"

#include "base/err.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

#define MUTATIONS 1500
#define MAX_CHOICES 64

static const char *const builtin_seeds[] = {
	"",
	"{}",
	"[]",
	"null",
	"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\",\"changes\":[{"
	"\"field\":"
	"\"messages\",\"value\":{\"messaging_product\":\"whatsapp\",\"metadata\":{\"display_phone_"
	"number\":\"15550783881\",\"phone_number_id\":\"106540352242922\"},\"contacts\":[{"
	"\"profile\""
	":{\"name\":\"Ana\"},\"wa_id\":\"" PLANTED_PHONE "\"}],\"messages\":[{\"from\":"
	"\"" PLANTED_PHONE "\",\"id\":\"wamid.A\",\"timestamp\":\"1749416383\",\"type\":\"text\","
	"\"text\":{\"body\":\"" PLANTED_TEXT "\"}}],\"statuses\":[{\"id\":\"wamid.B\",\"status\":"
	"\"failed\",\"timestamp\":\"1749416384\",\"recipient_id\":\"" PLANTED_PHONE "\",\"errors\":"
	"[{\"code\":131047,\"title\":\"Re-engagement message\"}]}]}}]}]}",
	"id=1&from=" PLANTED_PHONE "&text=" PLANTED_TEXT "%20%C3%B1&ref=abc&status=delivered",
	"text\t1\t" PLANTED_PHONE "\t" PLANTED_TEXT "\nstate\t2\tref1\tdelivered\n",
	"<?xml version=\"1.0\"?><sms><from>" PLANTED_PHONE "</from></sms>",
};

static const pa_channel_ops *ops_of(const struct subject *subject)
{
	return subject->plugin->ops;
}

static pa_str seed_at(const struct subject *subject, size_t which)
{
	which %= ARRAY_COUNT(builtin_seeds) + subject->seeds_count;
	return which < subject->seeds_count ? subject->seeds[which]
					    : str_from(builtin_seeds[which - subject->seeds_count]);
}

/* ---- incoming ---- */

/* What brought it about, for the author: these bytes are the suite's own. */
static void show_body(pa_str body)
{
	char line[400];
	size_t len = 0;

	for (size_t i = 0; i < body.len && len < sizeof(line) - 5; i++) {
		unsigned char c = (unsigned char)body.ptr[i];

		len += (size_t)snprintf(line + len, sizeof(line) - len,
					c < 0x20 || c >= 0x7f ? "\\x%02x" : "%c", c);
	}
	printf("#   the body: %.*s\n", (int)len, line);
}

static void parse_one(const struct subject *subject, pa_str body)
{
	const pa_event *const *events = NULL;
	pa_call *call = fake_call_new(1000);
	unsigned problems = fake_problems();
	pa_error err = ERROR_INIT;
	size_t count = 0;
	pa_status status = ops_of(subject)->parse(subject->self, call, fake_guard(body), &events,
						  &count, &err);

	if (judge_status("parse", status, &err))
		judge_events("parse", events, count);
	else if (events || count)
		fake_problem("parse failed and set results");
	fake_call_free(call);
	if (fake_problems() > problems && problems == 0)
		show_body(body);
	fake_guard_free();
}

static pa_pair guarded_pair(const char *name, pa_str value)
{
	return (pa_pair){fake_guard(str_from(name)), fake_guard(value)};
}

/* A request as the server hands it in, hostile in body, headers and query. */
static void request_one(const struct subject *subject, pa_str body, pa_str hostile)
{
	const pa_pair pairs[] = {
		guarded_pair("x-hub-signature-256", hostile),
		guarded_pair("x-signature", hostile),
		guarded_pair("authorization", hostile),
		guarded_pair("hub.mode", hostile),
		guarded_pair("hub.verify_token", hostile),
		guarded_pair("hub.challenge", hostile),
	};
	const pa_pair *const list[] = {&pairs[0], &pairs[1], &pairs[2],
				       &pairs[3], &pairs[4], &pairs[5]};
	const pa_http_request request = {.size = sizeof(request),
					 .method = PA_STR("POST"),
					 .url = PA_STR("/webhook/check"),
					 .headers = list,
					 .headers_count = ARRAY_COUNT(list),
					 .query = list,
					 .query_count = ARRAY_COUNT(list),
					 .body = fake_guard(body)};
	pa_http_response response = {.size = sizeof(response)};
	const pa_channel_ops *ops = ops_of(subject);
	const pa_event *const *events = NULL;
	pa_call *call = fake_call_new(1000);
	pa_error err = ERROR_INIT;
	size_t count = 0;

	judge_status("verify", ops->verify(subject->self, call, &request, &err), &err);
	err = ERROR_INIT;
	if (ops->handshake &&
	    judge_status("handshake",
			 ops->handshake(subject->self, call, &request, &response, &err), &err))
		judge_str("handshake", response.body);
	err = ERROR_INIT;
	if (ops->receipt &&
	    judge_status("receipt",
			 ops->receipt(subject->self, call, &request, &events, &count, &err), &err))
		judge_events("receipt", events, count);
	fake_call_free(call);
	fake_guard_free();
}

static void download_one(const struct subject *subject, pa_str text)
{
	const pa_channel_ops *ops = ops_of(subject);
	const pa_http_response answer = {
		.size = sizeof(answer), .status = 200, .body = fake_guard(text)};
	pa_http_request request = {.size = sizeof(request)};
	pa_call *call = fake_call_new(1000);
	pa_error err = ERROR_INIT;

	if (judge_status("download",
			 ops->download(subject->self, call, fake_guard(PA_STR("123")),
				       fake_guard(text), &request, &err),
			 &err))
		judge_request("download", &request);
	err = ERROR_INIT;
	request = (pa_http_request){.size = sizeof(request)};
	if (judge_status("download_next",
			 ops->download_next(subject->self, call, &answer, &request, &err), &err))
		judge_request("download_next", &request);
	fake_call_free(call);
	fake_guard_free();
}

static void incoming(const struct subject *subject, unsigned thread, unsigned rounds)
{
	struct noise noise = {.state = 88172645463325252u + thread};

	for (unsigned i = 0; i < rounds; i++) {
		struct arena *arena PA_CLEANUP(arena_done) = arena_new((size_t)8 << 20);
		pa_str body = noise_mutate(&noise, arena, seed_at(subject, i));

		parse_one(subject, body);
		request_one(subject, body, hostile_text(arena, i % hostile_count));
		if (ops_of(subject)->download)
			download_one(subject, body);
	}
}

static void case_seeds(const struct subject *subject)
{
	for (size_t i = 0; i < ARRAY_COUNT(builtin_seeds) + subject->seeds_count; i++) {
		parse_one(subject, seed_at(subject, i));
		request_one(subject, seed_at(subject, i), PA_STR("sha256=00"));
	}
	for (size_t i = 0; i < hostile_count; i++)
		parse_one(subject, hostile_text(subject->arena, i));
}

static void case_mutations(const struct subject *subject)
{
	incoming(subject, 0, MUTATIONS);
}

/* Nesting that would exhaust a recursive parser's stack. */
static void case_nesting(const struct subject *subject)
{
	static const char brackets[] = "[{(<";
	size_t len = 200000;
	char *body = arena_alloc(subject->arena, len);

	for (size_t i = 0; brackets[i]; i++) {
		memset(body, brackets[i], len);
		parse_one(subject, (pa_str){body, len});
	}
	for (size_t i = 0; i < len; i++)
		body[i] = "{\"a\":"[i % 5];
	parse_one(subject, (pa_str){body, len});
}

/* ---- outgoing ---- */

struct draft {
	pa_message message;
	pa_choice choices[MAX_CHOICES];
	const pa_choice *list[MAX_CHOICES];
};

/* n code points; two bytes each if wide. */
static pa_str letters(struct arena *arena, size_t n, bool is_wide)
{
	char *text = arena_alloc(arena, 2 * n + 1);

	for (size_t i = 0; i < n; i++) {
		if (is_wide)
			memcpy(text + 2 * i, "\xc3\xb1", 2);
		else
			text[i] = 'a';
	}
	return (pa_str){text, is_wide ? 2 * n : n};
}

static void draft_make(struct draft *draft, const struct subject *subject, uint32_t kind)
{
	const pa_channel_ops *ops = ops_of(subject);

	*draft = (struct draft){.message = {.size = sizeof(pa_message),
					    .kind = kind,
					    .account = PA_STR("106540352242922"),
					    .phone = PA_STR(PLANTED_PHONE),
					    .ref = PA_STR("0f1e2d3c"),
					    .body = PA_STR("hola"),
					    .choices = draft->list}};
	for (uint32_t medium = 1; medium && !draft->message.medium; medium <<= 1)
		draft->message.medium = ops->media & medium;
}

/* Distinct ids; titles as long as asked. */
static void add_choices(struct draft *draft, struct arena *arena, size_t count, size_t title)
{
	if (count > MAX_CHOICES)
		count = MAX_CHOICES;
	for (size_t i = 0; i < count; i++) {
		pa_str text = letters(arena, title, false);
		char *first = arena_alloc(arena, text.len + 1);

		memcpy(first, text.ptr, text.len);
		if (text.len)
			first[0] = (char)('A' + i % 26);
		if (text.len > 1)
			first[1] = (char)('a' + i / 26);
		draft->choices[i] = (pa_choice){.size = sizeof(pa_choice),
						.id = arena_format(arena, "id%zu", i),
						.title = {first, text.len}};
		draft->list[i] = &draft->choices[i];
	}
	draft->message.choices_count = count;
}

/* Builds, and lets every kind of answer be interpreted. */
static void interpret_all(const struct subject *subject, const pa_message *message, pa_call *call)
{
	static const uint32_t statuses[] = {100, 200, 201, 202, 204, 301, 400, 401, 403, 404,
					    408, 409, 413, 429, 500, 502, 503, 504, 599};
	struct noise noise = {.state = 1234567};

	for (size_t i = 0; i < ARRAY_COUNT(statuses) * 4; i++) {
		struct arena *arena PA_CLEANUP(arena_done) = arena_new((size_t)8 << 20);
		const pa_http_response response = {
			.size = sizeof(response),
			.status = statuses[i % ARRAY_COUNT(statuses)],
			.body = fake_guard(noise_mutate(&noise, arena, seed_at(subject, i)))};
		pa_outcome outcome = {.size = sizeof(outcome)};
		pa_error err = ERROR_INIT;

		if (judge_status("interpret",
				 ops_of(subject)->interpret(subject->self, call, message, &response,
							    0, &outcome, &err),
				 &err))
			judge_outcome(&outcome);
		else
			fake_problem("interpret failed: it has an outcome for every answer");
	}
}

/* Without an answer: what the peer may have seen decides. */
static void interpret_silence(const struct subject *subject, const pa_message *message,
			      pa_call *call)
{
	static const uint32_t failures[] = {PA_HTTP_FAILED_BEFORE_SEND, PA_HTTP_FAILED_AFTER_SEND};

	for (size_t i = 0; i < ARRAY_COUNT(failures); i++) {
		pa_outcome outcome = {.size = sizeof(outcome)};
		pa_error err = ERROR_INIT;
		pa_status status = ops_of(subject)->interpret(subject->self, call, message, NULL,
							      failures[i], &outcome, &err);

		if (!judge_status("interpret", status, &err))
			continue;
		judge_outcome(&outcome);
		if (outcome.result == PA_OUTCOME_SENT || outcome.result == PA_OUTCOME_UPLOADED)
			fake_problem("interpret takes silence for success");
		if (failures[i] == PA_HTTP_FAILED_BEFORE_SEND &&
		    outcome.result == PA_OUTCOME_UNCERTAIN)
			fake_problem("interpret is uncertain about what never left");
		if (failures[i] == PA_HTTP_FAILED_AFTER_SEND && message->kind == PA_OUT_TEXT &&
		    outcome.result == PA_OUTCOME_RETRY)
			fake_problem("interpret sends again what may have arrived");
	}
}

static pa_status build_one(const struct subject *subject, const pa_message *message)
{
	pa_http_request request = {.size = sizeof(request)};
	pa_call *call = fake_call_new(1000);
	pa_error err = ERROR_INIT;
	pa_status status = ops_of(subject)->build(subject->self, call, message, &request, &err);

	if (judge_status("build", status, &err))
		judge_request("build", &request);
	fake_call_free(call);
	return status;
}

static void expect(const char *what, pa_status got, pa_status wanted)
{
	if (got != wanted)
		fake_problem("build of %s returned %s, not %s", what, status_name(got),
			     status_name(wanted));
}

static void case_text_limits(const struct subject *subject)
{
	size_t limit = ops_of(subject)->limits->text;
	struct draft draft;

	draft_make(&draft, subject, PA_OUT_TEXT);
	if (limit == 0) {
		expect("an unsupported text", build_one(subject, &draft.message), PA_REJECTED);
		return;
	}
	draft.message.body = fake_guard(letters(subject->arena, limit, false));
	expect("a text at the limit", build_one(subject, &draft.message), PA_OK);
	draft.message.body = fake_guard(letters(subject->arena, limit, true));
	expect("a text of two-byte letters at the limit", build_one(subject, &draft.message),
	       PA_OK);
	draft.message.body = fake_guard(letters(subject->arena, limit + 1, false));
	expect("a text over the limit", build_one(subject, &draft.message), PA_REJECTED);
	fake_guard_free();
}

static void case_buttons(const struct subject *subject)
{
	const pa_channel_ops *ops = ops_of(subject);
	const pa_channel_limits *limits = ops->limits;
	bool has = ops->features & PA_FEATURE_BUTTONS;
	struct draft draft;

	draft_make(&draft, subject, PA_OUT_BUTTONS);
	add_choices(&draft, subject->arena, has ? limits->buttons : 1, limits->button_title);
	expect(has ? "buttons at the limit" : "unsupported buttons",
	       build_one(subject, &draft.message), has ? PA_OK : PA_REJECTED);
	if (!has)
		return;
	add_choices(&draft, subject->arena, limits->buttons + 1, 5);
	expect("a button too many", build_one(subject, &draft.message), PA_REJECTED);
	add_choices(&draft, subject->arena, 1, limits->button_title + 1);
	expect("a button's title over the limit", build_one(subject, &draft.message), PA_REJECTED);
}

static void case_list(const struct subject *subject)
{
	const pa_channel_ops *ops = ops_of(subject);
	const pa_channel_limits *limits = ops->limits;
	bool has = ops->features & PA_FEATURE_LIST;
	struct draft draft;

	draft_make(&draft, subject, PA_OUT_LIST);
	draft.message.list_button = letters(subject->arena, has ? limits->list_button : 3, false);
	add_choices(&draft, subject->arena, has ? limits->rows : 1, limits->row_title);
	expect(has ? "a list at the limit" : "an unsupported list",
	       build_one(subject, &draft.message), has ? PA_OK : PA_REJECTED);
	if (!has)
		return;
	add_choices(&draft, subject->arena, limits->rows + 1, 5);
	expect("a row too many", build_one(subject, &draft.message), PA_REJECTED);
	add_choices(&draft, subject->arena, 1, limits->row_title + 1);
	expect("a row's title over the limit", build_one(subject, &draft.message), PA_REJECTED);
	add_choices(&draft, subject->arena, 1, 5);
	draft.choices[0].description = letters(subject->arena, limits->row_description + 1, false);
	expect("a row's description over the limit", build_one(subject, &draft.message),
	       PA_REJECTED);
}

/* Every kind with every hostile text in every field. */
static void hostile_message(const struct subject *subject, uint32_t kind, pa_str text)
{
	const pa_pair pair = {text, text};
	const pa_pair *const params[] = {&pair};
	struct draft draft;

	draft_make(&draft, subject, kind);
	add_choices(&draft, subject->arena, 1, 3);
	draft.choices[0] = (pa_choice){sizeof(pa_choice), 0, text, text, text, text};
	draft.message.account = draft.message.user_id = draft.message.ref = text;
	draft.message.header = draft.message.body = draft.message.footer = text;
	draft.message.list_button = draft.message.media_id = draft.message.media_name = text;
	draft.message.media_type = draft.message.template_name = text;
	draft.message.template_language = draft.message.reply_to = draft.message.device_key = text;
	draft.message.params = params;
	draft.message.params_count = 1;
	build_one(subject, &draft.message);
	draft.message.phone = text;
	build_one(subject, &draft.message);
	draft.message.media_id = PA_STR_ABSENT;
	draft.message.media_bytes = text;
	build_one(subject, &draft.message);
}

static void case_hostile_messages(const struct subject *subject)
{
	for (uint32_t kind = 0; kind <= PA_OUT_READ_MARK + 1; kind++) {
		for (size_t i = 0; i < hostile_count; i++) {
			hostile_message(subject, kind, fake_guard(hostile_text(subject->arena, i)));
			fake_guard_free();
		}
		build_one(subject, &(pa_message){.size = sizeof(pa_message), .kind = kind});
	}
}

static void case_interpret(const struct subject *subject)
{
	for (uint32_t kind = PA_OUT_TEXT; kind <= PA_OUT_READ_MARK; kind++) {
		pa_call *call = fake_call_new(10000);
		struct draft draft;

		draft_make(&draft, subject, kind);
		interpret_all(subject, &draft.message, call);
		interpret_silence(subject, &draft.message, call);
		fake_call_free(call);
		fake_guard_free();
	}
}

/* A deadline that has passed changes nothing for functions that do not block. */
static void case_without_time(const struct subject *subject)
{
	pa_http_request request = {.size = sizeof(request)};
	pa_call *call = fake_call_new(0);
	pa_error err = ERROR_INIT;
	struct draft draft;

	draft_make(&draft, subject, PA_OUT_TEXT);
	if (judge_status(
		    "build",
		    ops_of(subject)->build(subject->self, call, &draft.message, &request, &err),
		    &err))
		judge_request("build", &request);
	fake_call_free(call);
}

static void parallel_work(const struct subject *subject, unsigned thread)
{
	struct draft draft;

	incoming(subject, thread, 100);
	draft_make(&draft, subject, PA_OUT_TEXT);
	for (int i = 0; i < 200; i++)
		build_one(subject, &draft.message);
}

static void case_parallel(const struct subject *subject)
{
	in_parallel(parallel_work, subject);
}

#define PURE(name)                                                                                 \
	static void pure_##name(const struct subject *subject)                                     \
	{                                                                                          \
		fake_plan(&(struct fake_plan){.is_pure = true});                                   \
		case_##name(subject);                                                              \
	}
PURE(seeds)
PURE(mutations)
PURE(nesting)
PURE(text_limits)
PURE(buttons)
PURE(list)
PURE(hostile_messages)
PURE(interpret)
PURE(without_time)
PURE(parallel)

const struct check_case channel_cases[] = {
	{"reads bodies of every make", pure_seeds},
	{"bears mutilated bodies and requests", pure_mutations},
	{"bears deep nesting", pure_nesting},
	{"keeps its limits of texts", pure_text_limits},
	{"keeps its limits of buttons", pure_buttons},
	{"keeps its limits of lists", pure_list},
	{"builds nothing dangerous from hostile messages", pure_hostile_messages},
	{"has an outcome for every answer and for none", pure_interpret},
	{"needs no time to translate", pure_without_time},
	{"works on four threads", pure_parallel},
	{NULL, NULL},
};
