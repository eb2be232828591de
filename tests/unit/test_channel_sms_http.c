/* SPDX-License-Identifier: Apache-2.0
 *
 * channel-sms-http: the description of a gateway, what fits into one SMS, requests and answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "io/conf.h"
#include "support/channel_rig.h"
#include "support/check.h"
#include "support/fake_host.h"

#include <stdio.h>
#include <string.h>

#ifdef PROALTO_STATIC
extern const pa_plugin proalto_plugin_channel_sms_http;
#define SMS_HTTP proalto_plugin_channel_sms_http
#else
extern const pa_plugin proalto_plugin;
#define SMS_HTTP proalto_plugin
#endif

#define PHONE "573005550142"
#define SECRET "demo-gateway-key"
#define MAX_SETTINGS 24

#define JSON_BODY "{\"to\":\"+{to}\",\"text\":\"{text}\",\"ref\":\"{ref}\",\"from\":\"{sender}\"}"

static const char *const bearer[][2] = {{"Authorization", "Bearer {secret}"}, {NULL, NULL}};
static const char *const gateway_errors[][2] = {
	{"21211", "give_up"}, {"NO_CREDIT", "alarm"}, {"14107", "wait"},
	{"busy", "retry"},    {"http:400", "alarm"},  {NULL, NULL},
};

static const struct rig_setting usual[] = {
	{"url", "https://sms.example/send", NULL},
	{"headers", NULL, bearer},
	{"body", JSON_BODY, NULL},
	{"secret", SECRET, NULL},
	{"sender", "85100", NULL},
};

/* The usual settings with those of the test instead or beside them. */
static pa_status open_with(struct rig *rig, const struct rig_setting *more, size_t count,
			   pa_error *err)
{
	struct rig_setting settings[MAX_SETTINGS];
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		settings[used++] = more[i];
	for (size_t i = 0; i < ARRAY_COUNT(usual); i++) {
		bool is_replaced = false;

		for (size_t j = 0; j < count; j++)
			is_replaced |= strcmp(more[j].name, usual[i].name) == 0;
		if (!is_replaced)
			settings[used++] = usual[i];
	}
	*err = (pa_error){.size = sizeof(*err)};
	return rig_open(rig, &SMS_HTTP, settings, used, err);
}

static void must_open(struct rig *rig, const struct rig_setting *more, size_t count)
{
	pa_error err;

	if (open_with(rig, more, count, &err) != PA_OK)
		fail_msg("refused: %s", error_text(&err));
}

static pa_message message_of(pa_str body)
{
	return (pa_message){
		.size = sizeof(pa_message),
		.kind = PA_OUT_TEXT,
		.medium = PA_MEDIUM_SMS,
		.phone = PA_STR(PHONE),
		.ref = PA_STR("a-1"),
		.body = body,
	};
}

static pa_status build(struct rig *rig, const pa_message *message, pa_http_request *request,
		       pa_error *err)
{
	rig_next_call(rig);
	*err = (pa_error){.size = sizeof(*err)};
	return rig->ops->build(rig->self, rig->call, message, request, err);
}

static void expect_refused(struct rig *rig, const pa_message *message, const char *in_error)
{
	pa_http_request request;
	pa_error err;

	if (build(rig, message, &request, &err) != PA_REJECTED)
		fail_msg("taken, though %s", in_error);
	if (!strstr(error_text(&err), in_error))
		fail_msg("\"%s\" does not say \"%s\"", error_text(&err), in_error);
	assert_false(fake_is_forbidden(str_from(error_text(&err))));
}

/* ---- the shipped file ---- */

static const char *const (*pairs_of(struct arena *arena, const struct conf_node *group))[2]
{
	const char *(*pairs)[2] = (void *)ARENA_ARRAY(arena, const char *, 2 * group->count + 2);

	for (size_t i = 0; i < group->count; i++) {
		pairs[i][0] = group->children[i]->name;
		pairs[i][1] = arena_copy(arena, group->children[i]->text).ptr;
	}
	return (const char *const(*)[2])pairs;
}

/* What etc/proalto.conf shows of a gateway is whole: it opens, sends and hears of what became of
 * it. */
static void test_shipped_gateway(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct rig_setting settings[MAX_SETTINGS];
	const pa_message message = message_of(PA_STR("123456 es su codigo"));
	const struct conf_node *root, *group;
	pa_http_request request;
	size_t count = 0;
	struct rig rig;
	pa_error err = ERROR_INIT;

	(void)state;
	if (conf_read_file(arena, "etc/proalto.conf", "etc", &root, &err) != PA_OK)
		fail_msg("%s", error_text(&err));
	group = conf_find(conf_find(root, "channels"), "sms");
	assert_non_null(group);
	for (size_t i = 0; i < group->count; i++) {
		const struct conf_node *node = group->children[i];

		if (strcmp(node->name, "plugin") == 0)
			continue;
		settings[count++] = (struct rig_setting){
			node->name,
			node->kind == CONF_TEXT ? arena_copy(arena, node->text).ptr : NULL,
			node->kind == CONF_GROUP ? pairs_of(arena, node) : NULL};
	}
	if (rig_open(&rig, &SMS_HTTP, settings, count, &err) != PA_OK)
		fail_msg("refused: %s", error_text(&err));
	assert_int_equal(build(&rig, &message, &request, &err), PA_OK);
	assert_true(str_find(request.body, PA_STR(PHONE)) != SIZE_MAX);
	assert_true(str_find(request.body, message.body) != SIZE_MAX);
	assert_non_null(conf_find(group, "id_path"));
	assert_non_null(conf_find(group, "receipt_id"));
	rig_close(&rig);
	arena_free(arena);
}

/* ---- options ---- */

static void test_options_refused(void **state)
{
	static const char *const bad_errors[][2] = {{"1", "explode"}, {NULL, NULL}};
	static const char *const bad_words[][2] = {{"DELIVRD", "arrived"}, {NULL, NULL}};
	static const char *const bad_query[][2] = {{"to", "{phone}"}, {NULL, NULL}};
	static const char *const bad_headers[][2] = {{"X Y", "z"}, {NULL, NULL}};
	static const struct {
		struct rig_setting settings[4];
		const char *in_error;
	} cases[] = {
		{{{"method", "PATCH", NULL}}, "method"},
		{{{"content_type", "xml", NULL}}, "content_type"},
		{{{"accents", "maybe", NULL}}, "accents"},
		{{{"success_status", "2xx", NULL}}, "success_status"},
		{{{"success_status", "299-200", NULL}}, "success_status"},
		{{{"success_status", "200,99", NULL}}, "success_status"},
		{{{"success_path", "status", NULL}}, "success_values"},
		{{{"success_values", "0", NULL}}, "success_path"},
		{{{"errors", NULL, bad_errors}}, "errors"},
		{{{"body", "{\"to\":\"{to}\"}", NULL}}, "{text}"},
		{{{"body", "{\"text\":\"{text}\"}", NULL}}, "{to}"},
		{{{"body", "", NULL}}, "{to}"},
		{{{"body", "{\"to\":\"{to}\",\"text\":\"{txt}\"}", NULL}}, "{txt}"},
		{{{"body", "{\"to\":{to},\"text\":\"{text}\"}", NULL}}, "no JSON"},
		{{{"body", "to={to}&text={text}", NULL}}, "no JSON"},
		{{{"query", NULL, bad_query}}, "{phone}"},
		{{{"headers", NULL, bad_headers}}, "headers"},
		{{{"receipt_method", "PATCH", NULL}}, "receipt_method"},
		{{{"receipt_format", "xml", NULL}}, "receipt_format"},
		{{{"receipt_token_in", "body", NULL}}, "receipt_token_in"},
		{{{"receipt_statuses", NULL, bad_words}}, "receipt_statuses"},
		{{{"receipt_status", "s", NULL}}, "receipt_id"},
		{{{"receipt_status", "s", NULL}, {"receipt_id", "i", NULL}}, "receipt_token"},
		{{{"receipt_status", "s", NULL},
		  {"receipt_id", "i", NULL},
		  {"receipt_hmac_secret", "k", NULL},
		  {"receipt_format", "query", NULL}},
		 "receipt_token"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		size_t count = 0;
		struct rig rig;
		pa_error err;

		while (count < 4 && cases[i].settings[count].name)
			count++;
		if (open_with(&rig, cases[i].settings, count, &err) != PA_REJECTED)
			fail_msg("case %zu is taken", i);
		if (!strstr(error_text(&err), cases[i].in_error))
			fail_msg("case %zu: %s", i, error_text(&err));
	}
}

static void test_receives_no_messages(void **state)
{
	const pa_http_request request = {.size = sizeof(request)};
	const pa_event *const *events;
	pa_error err = ERROR_INIT;
	struct rig rig;
	size_t count;

	(void)state;
	must_open(&rig, NULL, 0);
	assert_int_equal(rig.ops->verify(rig.self, rig.call, &request, &err), PA_REJECTED);
	assert_int_equal(rig.ops->parse(rig.self, rig.call, PA_STR("{}"), &events, &count, &err),
			 PA_REJECTED);
	assert_int_equal(rig.ops->receipt(rig.self, rig.call, &request, &events, &count, &err),
			 PA_REJECTED);
	rig_close(&rig);
}

/* ---- one part ---- */

/* 3GPP TS 23.038, 6.2.1: the alphabet in the order of its codes, and the extension table. */
static const char alphabet[] =
	"@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRST"
	"UVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
static const char *const extension[] = {"\f", "^", "{", "}", "\\", "[", "~", "]", "|", "€"};

/* Fills up to 160 characters of the alphabet: taken; one more: refused. */
static void expect_septets(struct rig *rig, const char *piece, size_t septets)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);
	char rest[161];
	pa_message message;
	pa_http_request request;
	pa_error err;

	memset(rest, 'x', sizeof(rest));
	rest[160 - septets] = '\0';
	message = message_of(arena_format(arena, "%s%s", piece, rest));
	if (build(rig, &message, &request, &err) != PA_OK)
		fail_msg("\"%s\" takes more than %zu: %s", piece, septets, error_text(&err));
	message = message_of(arena_format(arena, "%s%sx", piece, rest));
	expect_refused(rig, &message, "161 septets");
}

static void test_alphabet(void **state)
{
	static const struct rig_setting keep = {"accents", "keep", NULL};
	struct rig rig;

	(void)state;
	must_open(&rig, &keep, 1);
	expect_septets(&rig, alphabet, 127);
	for (size_t i = 0; i < ARRAY_COUNT(extension); i++)
		expect_septets(&rig, extension[i], 2);
	rig_close(&rig);
}

static void test_one_strange_letter_costs_ninety(void **state)
{
	static const struct rig_setting keep = {"accents", "keep", NULL};
	static const struct {
		const char *letter;
		size_t units;
	} cases[] = {{"á", 1}, {"í", 1}, {"ó", 1}, {"ú", 1},  {"Á", 1}, {"º", 1},
		     {"’", 1}, {"…", 1}, {"`", 1}, {"\t", 1}, {"😀", 2}};
	struct rig rig;

	(void)state;
	must_open(&rig, &keep, 1);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);
		char rest[71];
		pa_message message;
		pa_http_request request;
		pa_error err;

		memset(rest, 'x', sizeof(rest));
		rest[70 - cases[i].units] = '\0';
		message = message_of(arena_format(arena, "%s%s", cases[i].letter, rest));
		assert_int_equal(build(&rig, &message, &request, &err), PA_OK);
		message = message_of(arena_format(arena, "%s%sx", cases[i].letter, rest));
		expect_refused(&rig, &message, "71 units");
	}
	rig_close(&rig);
}

static void test_accents_stripped(void **state)
{
	static const struct rig_setting plain[] = {{"content_type", "text", NULL},
						   {"body", "{to}:{text}", NULL}};
	static const struct {
		const char *text;
		const char *out;
	} cases[] = {
		{"áéíóúÁÉÍÓÚñÑüÜ¿¡", "aéiouAÉIOUñÑüÜ¿¡"},
		{"âêîôûãõëïçŠž", "aeiouaoeicSz"},
		{"“Hola” ‘x’ «y» – — …", "\"Hola\" 'x' \"y\" - - ..."},
		{"n\xcc\x83 a\xcc\x81 e\xcc\x81", "ñ a é"},
		{"1º y 2ª, 30°", "1o y 2a, 30o"},
		{"a\xc2\xa0"
		 "b\tc",
		 "a b c"},
		{"a\xe2\x80\x8b"
		 "b\xef\xbb\xbf",
		 "ab"},
		{"€ [x] {to} {secret}", "€ [x] {to} {secret}"},
		{"Código 482913 😀", "Codigo 482913 😀"},
	};
	struct rig rig;

	(void)state;
	must_open(&rig, plain, ARRAY_COUNT(plain));
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 16);
		pa_message message = message_of(str_from(cases[i].text));
		pa_http_request request;
		pa_error err;

		assert_int_equal(build(&rig, &message, &request, &err), PA_OK);
		expect_str(request.body, arena_format(arena, PHONE ":%s", cases[i].out));
	}
	rig_close(&rig);
}

/* A whole message with a code: one part without the accents that cost ninety characters. */
static void test_code_text(void **state)
{
	static const struct rig_setting keep = {"accents", "keep", NULL};
	pa_message message = message_of(
		PA_STR("ProAlto: su código es 482913 y vale 5 minutos. Nadie le pedirá este código "
		       "por llamada. Si usted no lo pidió, no lo comparta y escríbanos al WhatsApp "
		       "oficial."));
	pa_http_request request;
	pa_error err;
	struct rig rig;

	(void)state;
	must_open(&rig, NULL, 0);
	assert_int_equal(build(&rig, &message, &request, &err), PA_OK);
	rig_close(&rig);
	must_open(&rig, &keep, 1);
	expect_refused(&rig, &message, "GSM 03.38");
	rig_close(&rig);
}

static void test_messages_refused(void **state)
{
	pa_message message = message_of(PA_STR("x"));
	char huge[5000];
	struct rig rig;

	(void)state;
	must_open(&rig, NULL, 0);
	message.phone = PA_STR("+573005550142");
	expect_refused(&rig, &message, "phone");
	message.phone = PA_STR_ABSENT;
	expect_refused(&rig, &message, "phone");
	message = message_of(PA_STR_ABSENT);
	expect_refused(&rig, &message, "missing");
	message = message_of(PA_STR("a\xff"));
	expect_refused(&rig, &message, "UTF-8");
	memset(huge, 'x', sizeof(huge));
	message = message_of((pa_str){huge, sizeof(huge)});
	expect_refused(&rig, &message, "one SMS");
	message = message_of(PA_STR("x"));
	message.kind = PA_OUT_BUTTONS;
	expect_refused(&rig, &message, "plain text");
	message.kind = PA_OUT_TEXT;
	message.header = PA_STR("x");
	expect_refused(&rig, &message, "body");
	message.header = PA_STR_ABSENT;
	message.media_id = PA_STR("1");
	expect_refused(&rig, &message, "file");
	rig_close(&rig);
}

/* ---- requests ---- */

static void test_json_request(void **state)
{
	pa_message message = message_of(PA_STR("Su código: \"482913\"\n\\ {ref}"));
	pa_http_request request;
	pa_error err;
	struct rig rig;

	(void)state;
	must_open(&rig, NULL, 0);
	assert_int_equal(build(&rig, &message, &request, &err), PA_OK);
	expect_str(request.method, PA_STR("POST"));
	expect_str(request.url, PA_STR("https://sms.example/send"));
	assert_true(request.flags & PA_HTTP_NO_REDIRECT);
	expect_str(request.body,
		   PA_STR("{\"to\":\"+" PHONE "\",\"text\":\"Su codigo: \\\"482913\\\"\\n\\\\ "
			  "{ref}\",\"ref\":\"a-1\",\"from\":\"85100\"}"));
	assert_int_equal(request.headers_count, 2);
	expect_str(request.headers[0]->name, PA_STR("Content-Type"));
	expect_str(request.headers[0]->value, PA_STR("application/json"));
	expect_str(request.headers[1]->name, PA_STR("Authorization"));
	expect_str(request.headers[1]->value, PA_STR("Bearer " SECRET));
	rig_close(&rig);
}

static void test_form_request(void **state)
{
	static const struct rig_setting form[] = {
		{"content_type", "form", NULL},
		{"body", "to={to}&msg={text}&key={secret}", NULL},
	};
	pa_message message = message_of(PA_STR("a&b=c d+é%"));
	pa_http_request request;
	pa_error err;
	struct rig rig;

	(void)state;
	must_open(&rig, form, ARRAY_COUNT(form));
	assert_int_equal(build(&rig, &message, &request, &err), PA_OK);
	expect_str(request.body, PA_STR("to=" PHONE "&msg=a%26b%3Dc%20d%2B%C3%A9%25&key=" SECRET));
	expect_str(request.headers[0]->value, PA_STR("application/x-www-form-urlencoded"));
	rig_close(&rig);
}

static void test_query_request(void **state)
{
	static const char *const query[][2] = {
		{"to", "+{to}"}, {"text", "{text}"}, {"a b", "{secret}"}, {NULL, NULL}};
	struct rig_setting get[] = {
		{"method", "GET", NULL},
		{"url", "https://sms.example/send", NULL},
		{"query", NULL, query},
		{"body", "", NULL},
	};
	pa_message message = message_of(PA_STR("¿x?&y"));
	pa_http_request request;
	pa_error err;
	struct rig rig;

	(void)state;
	must_open(&rig, get, ARRAY_COUNT(get));
	assert_int_equal(build(&rig, &message, &request, &err), PA_OK);
	expect_str(request.method, PA_STR("GET"));
	expect_str(request.url, PA_STR("https://sms.example/send?to=%2B" PHONE
				       "&text=%C2%BFx%3F%26y&a%20b=" SECRET));
	assert_true(str_is_absent(request.body));
	assert_int_equal(request.headers_count, 1);
	rig_close(&rig);
	get[1].text = "https://sms.example/send?v=2";
	must_open(&rig, get, ARRAY_COUNT(get));
	assert_int_equal(build(&rig, &message, &request, &err), PA_OK);
	assert_true(str_starts(request.url, PA_STR("https://sms.example/send?v=2&to=%2B")));
	rig_close(&rig);
}

static void test_no_line_end_in_headers(void **state)
{
	static const char *const headers[][2] = {{"X-Ref", "{ref}"}, {NULL, NULL}};
	static const struct rig_setting setting = {"headers", NULL, headers};
	pa_message message = message_of(PA_STR("x"));
	struct rig rig;

	(void)state;
	must_open(&rig, &setting, 1);
	message.ref = PA_STR("a\r\nX-Evil: 1");
	expect_refused(&rig, &message, "header");
	rig_close(&rig);
}

/* ---- answers ---- */

static pa_outcome interpret(struct rig *rig, const pa_http_response *response, uint32_t failure)
{
	const pa_message message = message_of(PA_STR("x"));
	pa_outcome outcome = {.size = sizeof(outcome)};
	pa_error err = ERROR_INIT;

	rig_next_call(rig);
	assert_int_equal(rig->ops->interpret(rig->self, rig->call, &message, response, failure,
					     &outcome, &err),
			 PA_OK);
	assert_false(fake_is_forbidden(outcome.reason));
	assert_true(outcome.result == PA_OUTCOME_SENT || outcome.reason.len > 0);
	return outcome;
}

struct answer_case {
	uint32_t status;
	const char *body;
	uint32_t result;
	uint32_t scope;
	int64_t code;
	const char *id;
};

static void run_answers(struct rig *rig, const struct answer_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const pa_http_response response = {.size = sizeof(response),
						   .status = cases[i].status,
						   .body = str_from(cases[i].body)};
		pa_outcome outcome = interpret(rig, &response, 0);

		if (outcome.result != cases[i].result || outcome.scope != cases[i].scope ||
		    outcome.code != cases[i].code)
			fail_msg("case %zu: result %u, scope %u, code %lld", i, outcome.result,
				 outcome.scope, (long long)outcome.code);
		expect_str(outcome.external_id, str_from(cases[i].id));
	}
}

#define M PA_SCOPE_MESSAGE
#define A PA_SCOPE_ACCOUNT

static void test_answers_by_status(void **state)
{
	static const struct answer_case cases[] = {
		{200, "", PA_OUTCOME_SENT, M, 0, NULL},
		{202, "0: Accepted for delivery", PA_OUTCOME_SENT, M, 0, NULL},
		{302, "", PA_OUTCOME_ALARM, A, 302, NULL},
		{400, "", PA_OUTCOME_GIVE_UP, M, 400, NULL},
		{401, "", PA_OUTCOME_ALARM, A, 401, NULL},
		{402, "", PA_OUTCOME_ALARM, A, 402, NULL},
		{403, "", PA_OUTCOME_ALARM, A, 403, NULL},
		{404, "", PA_OUTCOME_ALARM, A, 404, NULL},
		{407, "", PA_OUTCOME_ALARM, A, 407, NULL},
		{408, "", PA_OUTCOME_RETRY, M, 408, NULL},
		{422, "", PA_OUTCOME_GIVE_UP, M, 422, NULL},
		{429, "", PA_OUTCOME_WAIT, A, 429, NULL},
		{500, "", PA_OUTCOME_RETRY, M, 500, NULL},
		{503, "", PA_OUTCOME_RETRY, M, 503, NULL},
		{504, "", PA_OUTCOME_UNCERTAIN, M, 504, NULL},
		{100, "", PA_OUTCOME_UNCERTAIN, M, 100, NULL},
	};
	struct rig rig;

	(void)state;
	must_open(&rig, NULL, 0);
	run_answers(&rig, cases, ARRAY_COUNT(cases));
	assert_int_equal(interpret(&rig, NULL, PA_HTTP_FAILED_BEFORE_SEND).result,
			 PA_OUTCOME_RETRY);
	assert_int_equal(interpret(&rig, NULL, PA_HTTP_FAILED_AFTER_SEND).result,
			 PA_OUTCOME_UNCERTAIN);
	rig_close(&rig);
}

static void test_answers_by_value(void **state)
{
	static const struct rig_setting settings[] = {
		{"success_path", "messages.0.status", NULL},
		{"success_values", "0, queued,true", NULL},
		{"id_path", "messages.0.id", NULL},
		{"error_path", "error.code", NULL},
		{"errors", NULL, gateway_errors},
	};
	static const struct answer_case cases[] = {
		{200, "{\"messages\":[{\"status\":0,\"id\":\"m1\"}]}", PA_OUTCOME_SENT, M, 0, "m1"},
		{200, "{\"messages\":[{\"status\":\"QUEUED\",\"id\":77}]}", PA_OUTCOME_SENT, M, 0,
		 "77"},
		{200, "{\"messages\":[{\"status\":true}]}", PA_OUTCOME_SENT, M, 0, NULL},
		{200, "{\"messages\":[{\"status\":\"no\"}]}", PA_OUTCOME_GIVE_UP, M, 200, NULL},
		{200, "{\"messages\":[]}", PA_OUTCOME_GIVE_UP, M, 200, NULL},
		{200, "{\"error\":{\"code\":21211,\"to\":\"" PHONE "\"}}", PA_OUTCOME_GIVE_UP, M,
		 21211, NULL},
		{200, "{\"error\":{\"code\":\"no_credit\"}}", PA_OUTCOME_ALARM, A, 200, NULL},
		{200, "{\"error\":{\"code\":\"" PHONE "\"}}", PA_OUTCOME_GIVE_UP, M, 200, NULL},
		{500, "{\"error\":{\"code\":14107}}", PA_OUTCOME_WAIT, A, 14107, NULL},
		{503, "{\"error\":{\"code\":\"busy\"}}", PA_OUTCOME_RETRY, M, 503, NULL},
		{400, "{\"error\":{\"code\":1}}", PA_OUTCOME_ALARM, A, 400, NULL},
		{422, "{\"error\":{\"code\":1}}", PA_OUTCOME_GIVE_UP, M, 422, NULL},
		{200, "<html>", PA_OUTCOME_UNCERTAIN, M, 0, NULL},
		{200, "", PA_OUTCOME_UNCERTAIN, M, 0, NULL},
	};
	struct rig rig;

	(void)state;
	must_open(&rig, settings, ARRAY_COUNT(settings));
	run_answers(&rig, cases, ARRAY_COUNT(cases));
	rig_close(&rig);
}

static void test_answers_without_id(void **state)
{
	static const struct rig_setting settings[] = {
		{"id_path", "id", NULL},
		{"success_status", "200,409", NULL},
	};
	static const struct answer_case cases[] = {
		{200, "{\"id\":\"m1\"}", PA_OUTCOME_SENT, M, 0, "m1"},
		{409, "{\"id\":\"m1\"}", PA_OUTCOME_SENT, M, 0, "m1"},
		{200, "{\"id\":null}", PA_OUTCOME_UNCERTAIN, M, 0, NULL},
		{200, "{}", PA_OUTCOME_UNCERTAIN, M, 0, NULL},
		{202, "{\"id\":\"m1\"}", PA_OUTCOME_UNCERTAIN, M, 202, NULL},
	};
	struct rig rig;

	(void)state;
	must_open(&rig, settings, ARRAY_COUNT(settings));
	run_answers(&rig, cases, ARRAY_COUNT(cases));
	rig_close(&rig);
}

static void test_retry_after(void **state)
{
	const pa_pair header = {PA_STR("retry-after"), PA_STR("90")};
	const pa_pair *const headers[] = {&header};
	pa_http_response response = {
		.size = sizeof(response), .status = 503, .headers = headers, .headers_count = 1};
	struct rig rig;

	(void)state;
	must_open(&rig, NULL, 0);
	assert_int_equal(interpret(&rig, &response, 0).after_ms, 90000);
	response.status = 400;
	assert_int_equal(interpret(&rig, &response, 0).after_ms, 0);
	rig_close(&rig);
}

static int forbid(void **state)
{
	(void)state;
	fake_forbid(PHONE);
	fake_forbid(SECRET);
	return 0;
}

static int no_problems(void **state)
{
	(void)state;
	return (int)fake_problems();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped_gateway),
		cmocka_unit_test(test_options_refused),
		cmocka_unit_test(test_receives_no_messages),
		cmocka_unit_test(test_alphabet),
		cmocka_unit_test(test_one_strange_letter_costs_ninety),
		cmocka_unit_test(test_accents_stripped),
		cmocka_unit_test(test_code_text),
		cmocka_unit_test(test_messages_refused),
		cmocka_unit_test(test_json_request),
		cmocka_unit_test(test_form_request),
		cmocka_unit_test(test_query_request),
		cmocka_unit_test(test_no_line_end_in_headers),
		cmocka_unit_test(test_answers_by_status),
		cmocka_unit_test(test_answers_by_value),
		cmocka_unit_test(test_answers_without_id),
		cmocka_unit_test(test_retry_after),
	};

	return cmocka_run_group_tests(tests, forbid, no_problems);
}
