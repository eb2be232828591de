/* SPDX-License-Identifier: Apache-2.0
 *
 * Delivery receipts of SMS gateways: genuine or not, and what they say in a query, a form or JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "io/crypto.h"
#include "support/channel_rig.h"
#include "support/check.h"
#include "support/fake_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef PROALTO_STATIC
extern const pa_plugin proalto_plugin_channel_sms_http;
#define SMS_HTTP proalto_plugin_channel_sms_http
#else
extern const pa_plugin proalto_plugin;
#define SMS_HTTP proalto_plugin
#endif

#define TOKEN "demo-receipt-token"
#define KEY "demo-hmac-key"

static const char *const words[][2] = {
	{"DELIVRD", "delivered"}, {"ACCEPTD", "sent"}, {"UNDELIV", "failed"}, {"SEEN", "read"},
	{"UNKNOWN", "other"},     {"1", "delivered"},  {NULL, NULL},
};

/* Settings that every test shares but for the format and how the sender proves himself. */
static void must_open(struct rig *rig, const char *format, const struct rig_setting *more,
		      size_t count)
{
	struct rig_setting settings[16] = {
		{"url", "https://sms.example/send", NULL},
		{"body", "{\"to\":\"{to}\",\"text\":\"{text}\"}", NULL},
		{"sender", "85100", NULL},
		{"receipt_format", format, NULL},
		{"receipt_id", "id", NULL},
		{"receipt_status", "status", NULL},
		{"receipt_ref", "meta.ref", NULL},
		{"receipt_error", "error", NULL},
		{"receipt_statuses", NULL, words},
	};
	pa_error err = ERROR_INIT;

	for (size_t i = 0; i < count; i++)
		settings[9 + i] = more[i];
	if (rig_open(rig, &SMS_HTTP, settings, 9 + count, &err) != PA_OK)
		fail_msg("refused: %s", error_text(&err));
}

static const struct rig_setting by_token[] = {{"receipt_token", TOKEN, NULL}};

struct delivery {
	const char *method;
	pa_pair headers[2];
	size_t headers_count;
	pa_pair query[4];
	size_t query_count;
	pa_str body;
};

static pa_status deliver(struct rig *rig, const struct delivery *delivery,
			 const pa_event *const **ret_events, size_t *ret_count)
{
	const pa_pair *headers[2];
	const pa_pair *query[4];
	const pa_http_request request = {
		.size = sizeof(request),
		.method = str_from(delivery->method ? delivery->method : "POST"),
		.headers = headers,
		.headers_count = delivery->headers_count,
		.query = query,
		.query_count = delivery->query_count,
		.body = fake_guard(delivery->body),
	};
	pa_error err = ERROR_INIT;
	pa_status status;

	for (size_t i = 0; i < delivery->headers_count; i++)
		headers[i] = &delivery->headers[i];
	for (size_t i = 0; i < delivery->query_count; i++)
		query[i] = &delivery->query[i];
	*ret_count = 0;
	rig_next_call(rig);
	status = rig->ops->receipt(rig->self, rig->call, &request, ret_events, ret_count, &err);
	fake_guard_free();
	assert_true(status == PA_OK || err.len > 0);
	assert_false(fake_is_forbidden(str_from(error_text(&err))));
	return status;
}

static struct delivery with_token(pa_str body)
{
	return (struct delivery){
		.headers = {{PA_STR("x-receipt-token"), PA_STR(TOKEN)}},
		.headers_count = 1,
		.body = body,
	};
}

static void expect_status(const pa_event *event, uint32_t status, const char *id, const char *ref)
{
	assert_int_equal(event->size, sizeof(*event));
	assert_int_equal(event->kind, PA_EVENT_STATUS);
	assert_int_equal(event->status, status);
	expect_str(event->id, str_from(id));
	expect_str(event->ref, str_from(ref));
	/* The address of the receipts is the channel's own: that tells which of our numbers. */
	expect_str(event->account, PA_STR_ABSENT);
}

/* ---- what they say ---- */

static void test_json_one(void **state)
{
	const struct delivery delivery = with_token(
		PA_STR("{\"id\":\"m1\",\"status\":\"delivrd\",\"meta\":{\"ref\":\"a-1\"}}"));
	const pa_event *const *events;
	struct rig rig;
	size_t count;

	(void)state;
	must_open(&rig, "json", by_token, 1);
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_OK);
	assert_int_equal(count, 1);
	expect_status(events[0], PA_STATUS_DELIVERED, "m1", "a-1");
	expect_str(events[0]->unique, PA_STR("m1:delivrd"));
	expect_str(events[0]->type, PA_STR("delivrd"));
	rig_close(&rig);
}

static void test_json_list(void **state)
{
	const struct rig_setting settings[] = {by_token[0], {"receipt_list", "data.list", NULL}};
	const struct delivery delivery = with_token(PA_STR(
		"{\"data\":{\"list\":[{\"id\":7,\"status\":\"UNDELIV\",\"error\":34},{\"meta\":{"
		"\"ref\":\"a-2\"},\"status\":1},{\"id\":\"m3\"},5,null,{\"id\":\"m4\",\"status\":"
		"\"NOBODY KNOWS\",\"error\":\"x\"}]}}"));
	const pa_event *const *events;
	struct rig rig;
	size_t count;

	(void)state;
	must_open(&rig, "json", settings, 2);
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_OK);
	assert_int_equal(count, 6);
	expect_status(events[0], PA_STATUS_FAILED, "7", NULL);
	assert_int_equal(events[0]->error_code, 34);
	expect_status(events[1], PA_STATUS_DELIVERED, NULL, "a-2");
	expect_str(events[1]->unique, PA_STR("a-2:1"));
	for (size_t i = 2; i < 5; i++) {
		assert_int_equal(events[i]->kind, PA_EVENT_UNKNOWN);
		assert_true(events[i]->unique.len > 0);
		assert_false(str_equal(events[i]->unique, events[i - 1]->unique));
	}
	expect_status(events[5], PA_STATUS_OTHER, "m4", NULL);
	expect_str(events[5]->error_title, PA_STR("x"));
	assert_int_equal(events[5]->error_code, 0);
	rig_close(&rig);
}

static void test_form(void **state)
{
	const struct delivery delivery =
		with_token(PA_STR("ID=m%201&&status=SEEN&meta.ref=a%2D1+b&x&error=%zz%4"));
	const pa_event *const *events;
	struct rig rig;
	size_t count;

	(void)state;
	must_open(&rig, "form", by_token, 1);
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_OK);
	assert_int_equal(count, 1);
	expect_status(events[0], PA_STATUS_READ, "m 1", "a-1 b");
	expect_str(events[0]->error_title, PA_STR("%zz%4"));
	rig_close(&rig);
}

static void test_query(void **state)
{
	const struct rig_setting settings[] = {
		by_token[0],
		{"receipt_method", "GET", NULL},
		{"receipt_token_in", "query", NULL},
		{"receipt_token_name", "Key", NULL},
	};
	struct delivery delivery = {
		.method = "GET",
		.query = {{PA_STR("key"), PA_STR(TOKEN)},
			  {PA_STR("status"), PA_STR("ACCEPTD")},
			  {PA_STR("id"), PA_STR("m1")}},
		.query_count = 3,
	};
	const pa_event *const *events;
	struct rig rig;
	size_t count;

	(void)state;
	must_open(&rig, "query", settings, ARRAY_COUNT(settings));
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_OK);
	assert_int_equal(count, 1);
	expect_status(events[0], PA_STATUS_SENT, "m1", NULL);
	/* In a header it does not count; by another method neither. */
	delivery.query[0].value = PA_STR("wrong");
	delivery.headers[0] = (pa_pair){PA_STR("key"), PA_STR(TOKEN)};
	delivery.headers_count = 1;
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_REJECTED);
	delivery.query[0].value = PA_STR(TOKEN);
	delivery.method = "POST";
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_REJECTED);
	rig_close(&rig);
}

static void test_the_same_again_is_the_same(void **state)
{
	const struct delivery delivery = with_token(PA_STR("[{\"x\":1},{\"x\":1}]"));
	const pa_event *const *events;
	char first[64];
	struct rig rig;
	size_t count;

	(void)state;
	must_open(&rig, "json", by_token, 1);
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_OK);
	assert_int_equal(count, 2);
	snprintf(first, sizeof(first), "%.*s", PA_FMT(events[0]->unique));
	assert_false(str_equal(events[1]->unique, str_from(first)));
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_OK);
	expect_str(events[0]->unique, str_from(first));
	rig_close(&rig);
}

/* ---- genuine or not ---- */

static void test_wrong_tokens(void **state)
{
	static const char *const tokens[] = {"", "wrong", TOKEN "x", "demo-receipt-toke", NULL};
	const pa_event *const *events;
	struct rig rig;
	size_t count;

	(void)state;
	must_open(&rig, "json", by_token, 1);
	for (size_t i = 0; i < ARRAY_COUNT(tokens); i++) {
		struct delivery delivery =
			with_token(PA_STR("{\"id\":\"m1\",\"status\":\"DELIVRD\"}"));

		delivery.headers[0].value = str_from(tokens[i]);
		delivery.headers_count = tokens[i] != NULL;
		assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_REJECTED);
	}
	rig_close(&rig);
}

static void sign(pa_str body, const char *prefix, char *out, size_t room)
{
	uint8_t digest[32];
	size_t len = (size_t)snprintf(out, room, "%s", prefix);

	hmac_sha256(PA_STR(KEY), body, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		len += (size_t)snprintf(out + len, room - len, "%02X", digest[i]);
}

static void test_signatures(void **state)
{
	const struct rig_setting settings[] = {{"receipt_hmac_secret", KEY, NULL},
					       {"receipt_hmac_header", "X-Sms-Sign", NULL}};
	const pa_str body = PA_STR("{\"id\":\"m1\",\"status\":\"DELIVRD\"}");
	struct delivery delivery = {.body = body, .headers_count = 1};
	const pa_event *const *events;
	char signature[100];
	struct rig rig;
	size_t count;

	(void)state;
	must_open(&rig, "json", settings, 2);
	sign(body, "sha256=", signature, sizeof(signature));
	delivery.headers[0] = (pa_pair){PA_STR("x-sms-sign"), str_from(signature)};
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_OK);
	delivery.headers[0].value = str_from(signature + 7);
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_OK);
	delivery.headers[0].value = str_from(signature + 8);
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_REJECTED);
	sign(PA_STR("{}"), "", signature, sizeof(signature));
	delivery.headers[0].value = str_from(signature);
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_REJECTED);
	delivery.headers_count = 0;
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_REJECTED);
	rig_close(&rig);
}

static void test_both_are_asked_for(void **state)
{
	const struct rig_setting settings[] = {by_token[0], {"receipt_hmac_secret", KEY, NULL}};
	const pa_str body = PA_STR("{\"id\":\"m1\",\"status\":\"DELIVRD\"}");
	struct delivery delivery = with_token(body);
	const pa_event *const *events;
	char signature[100];
	struct rig rig;
	size_t count;

	(void)state;
	must_open(&rig, "json", settings, 2);
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_REJECTED);
	sign(body, "", signature, sizeof(signature));
	delivery.headers[1] = (pa_pair){PA_STR("x-signature"), str_from(signature)};
	delivery.headers_count = 2;
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_OK);
	delivery.headers[0].value = PA_STR("wrong");
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_REJECTED);
	rig_close(&rig);
}

/* ---- too much, or nonsense ---- */

static void test_bodies_refused(void **state)
{
	static const char *const bodies[] = {"", "x", "{\"id\":", "{\"id\":1,\"id\":2}"};
	char *many = malloc(3000);
	char *huge = calloc(1, ((size_t)1 << 20) + 1);
	const pa_event *const *events;
	struct delivery delivery;
	struct rig rig;
	size_t count;

	(void)state;
	must_open(&rig, "json", by_token, 1);
	for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
		delivery = with_token(str_from(bodies[i]));
		assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_REJECTED);
	}
	memset(many, '0', 3000);
	for (size_t i = 2; i < 2002; i += 2)
		many[i] = ',';
	many[0] = '[';
	many[2000] = ']';
	delivery = with_token((pa_str){many, 2001});
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_OK);
	assert_int_equal(count, 1000);
	many[2000] = ',';
	many[2002] = ']';
	delivery.body.len = 2003;
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_REJECTED);
	delivery = with_token((pa_str){huge, ((size_t)1 << 20) + 1});
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_REJECTED);
	rig_close(&rig);
	free(many);
	free(huge);
}

static void test_many_fields(void **state)
{
	char body[200];
	struct delivery delivery = with_token((pa_str){body, 63});
	const pa_event *const *events;
	struct rig rig;
	size_t count;

	(void)state;
	memset(body, '&', sizeof(body));
	must_open(&rig, "form", by_token, 1);
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_OK);
	assert_int_equal(events[0]->kind, PA_EVENT_UNKNOWN);
	delivery.body.len = 64;
	assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_REJECTED);
	rig_close(&rig);
}

static void test_long_fields(void **state)
{
	char body[700];
	struct delivery delivery = with_token((pa_str){body, 0});
	const pa_event *const *events;
	struct rig rig;
	size_t count;

	(void)state;
	must_open(&rig, "json", by_token, 1);
	for (int len = 512; len <= 513; len++) {
		delivery.body.len = (size_t)snprintf(
			body, sizeof(body), "{\"id\":\"%0*d\",\"status\":\"DELIVRD\"}", len, 1);
		assert_int_equal(deliver(&rig, &delivery, &events, &count), PA_OK);
		assert_int_equal(events[0]->kind, len == 512 ? PA_EVENT_STATUS : PA_EVENT_UNKNOWN);
	}
	rig_close(&rig);
}

static int forbid(void **state)
{
	(void)state;
	fake_forbid(TOKEN);
	fake_forbid(KEY);
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
		cmocka_unit_test(test_json_one),
		cmocka_unit_test(test_json_list),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_the_same_again_is_the_same),
		cmocka_unit_test(test_wrong_tokens),
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_both_are_asked_for),
		cmocka_unit_test(test_bodies_refused),
		cmocka_unit_test(test_many_fields),
		cmocka_unit_test(test_long_fields),
	};

	return cmocka_run_group_tests(tests, forbid, no_problems);
}
