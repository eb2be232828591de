/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of the Graph API to outcomes: every code of Meta's table, every way to have none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "support/check.h"
#include "support/fake_host.h"
#include "support/whatsapp_rig.h"

#include <stdio.h>

#define PHONE "573005550142"

static struct rig rig;

static const pa_message text_message = {.size = sizeof(pa_message), .kind = PA_OUT_TEXT};
static const pa_message read_mark = {.size = sizeof(pa_message), .kind = PA_OUT_READ_MARK};
static const pa_message upload = {
	.size = sizeof(pa_message), .kind = PA_OUT_DOCUMENT, .media_bytes = {"x", 1}};
static const pa_message uploaded = {.size = sizeof(pa_message),
				    .kind = PA_OUT_DOCUMENT,
				    .media_bytes = {"x", 1},
				    .media_id = {"1376", 4}};

static pa_outcome interpret(const pa_message *message, const pa_http_response *response,
			    uint32_t failure)
{
	pa_outcome outcome = {.size = sizeof(outcome)};
	pa_error err = ERROR_INIT;

	rig_next_call(&rig);
	assert_int_equal(
		rig.ops->interpret(rig.self, rig.call, message, response, failure, &outcome, &err),
		PA_OK);
	assert_int_equal(err.len, 0);
	assert_int_equal(outcome.size, sizeof(outcome));
	assert_true(outcome.scope >= PA_SCOPE_MESSAGE && outcome.scope <= PA_SCOPE_ACCOUNT);
	assert_false(fake_is_forbidden(outcome.reason));
	return outcome;
}

static pa_outcome answer(const pa_message *message, uint32_t status, const char *body)
{
	const pa_http_response response = {
		.size = sizeof(response), .status = status, .body = str_from(body)};

	return interpret(message, &response, 0);
}

/* ---- success ---- */

static void test_sent(void **state)
{
	static const char *const bodies[] = {
		"{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"input\":\"+" PHONE
		"\",\"wa_id\":\"" PHONE "\"}],\"messages\":[{\"id\":\"wamid.OUT\","
		"\"message_status\":\"accepted\"}]}",
		("{\"contacts\":[{\"user_id\":\"CO.134\"}],\"messages\":[{\"id\":\"wamid.OUT\","
		 "\"message_status\":\"held_for_quality_assessment\"}]}"),
		"{\"messages\":[{\"id\":\"wamid.OUT\"}],\"n\":123456789012345678901}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
		pa_outcome outcome = answer(&text_message, 200, bodies[i]);

		assert_int_equal(outcome.result, PA_OUTCOME_SENT);
		expect_str(outcome.external_id, PA_STR("wamid.OUT"));
	}
	assert_int_equal(answer(&uploaded, 200, bodies[0]).result, PA_OUTCOME_SENT);
}

static void test_uploaded(void **state)
{
	pa_outcome outcome = answer(&upload, 200, "{\"id\":\"1376223850470843\"}");

	(void)state;
	assert_int_equal(outcome.result, PA_OUTCOME_UPLOADED);
	expect_str(outcome.media_id, PA_STR("1376223850470843"));
}

static void test_read_mark_done(void **state)
{
	pa_outcome outcome = answer(&read_mark, 200, "{\"success\":true}");

	(void)state;
	assert_int_equal(outcome.result, PA_OUTCOME_SENT);
	assert_true(str_is_absent(outcome.external_id));
}

/* Accepted, and the answer can't be read: nobody knows the id. What is harmless is done again. */
static void test_unreadable(void **state)
{
	static const char *const bodies[] = {
		"",
		"<html>ok</html>",
		"{}",
		"[]",
		"{\"messages\":[]}",
		"{\"messages\":[{}]}",
		"{\"messages\":[{\"id\":\"\"}]}",
		"{\"messages\":[{\"id\":7}]}",
		"{\"messages\":{\"id\":\"wamid.OUT\"}}",
		"{\"messages\":[{\"id\":\"wamid.OU",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
		assert_int_equal(answer(&text_message, 200, bodies[i]).result,
				 PA_OUTCOME_UNCERTAIN);
		assert_int_equal(answer(&upload, 200, bodies[i]).result, PA_OUTCOME_RETRY);
		assert_int_equal(answer(&read_mark, 200, bodies[i]).result, PA_OUTCOME_SENT);
	}
	/* The id of a file says nothing of a message, nor the other way round. */
	assert_int_equal(answer(&text_message, 200, "{\"id\":\"1376\"}").result,
			 PA_OUTCOME_UNCERTAIN);
	assert_int_equal(answer(&upload, 200, "{\"messages\":[{\"id\":\"wamid.1\"}]}").result,
			 PA_OUTCOME_RETRY);
}

/* ---- no answer ---- */

static void test_no_answer(void **state)
{
	(void)state;
	assert_int_equal(interpret(&text_message, NULL, PA_HTTP_FAILED_BEFORE_SEND).result,
			 PA_OUTCOME_RETRY);
	assert_int_equal(interpret(&text_message, NULL, PA_HTTP_FAILED_AFTER_SEND).result,
			 PA_OUTCOME_UNCERTAIN);
	assert_int_equal(interpret(&text_message, NULL, 0).result, PA_OUTCOME_UNCERTAIN);
	assert_int_equal(interpret(&upload, NULL, PA_HTTP_FAILED_AFTER_SEND).result,
			 PA_OUTCOME_RETRY);
	assert_int_equal(interpret(&uploaded, NULL, PA_HTTP_FAILED_AFTER_SEND).result,
			 PA_OUTCOME_UNCERTAIN);
	assert_int_equal(interpret(&read_mark, NULL, PA_HTTP_FAILED_AFTER_SEND).result,
			 PA_OUTCOME_RETRY);
}

/* ---- codes ---- */

#define HOUR_MS INT64_C(3600000)
#define M PA_SCOPE_MESSAGE
#define R PA_SCOPE_RECIPIENT
#define A PA_SCOPE_ACCOUNT
static const struct code_case {
	int64_t code;
	uint32_t status;
	uint32_t result;
	uint32_t scope;
	int64_t after_ms;
} codes[] = {
	{0, 401, PA_OUTCOME_ALARM, A, 0},
	{1, 400, PA_OUTCOME_RETRY, M, 0},
	{2, 503, PA_OUTCOME_RETRY, M, 0},
	{3, 500, PA_OUTCOME_ALARM, A, 0},
	{4, 400, PA_OUTCOME_WAIT, A, 60000},
	{10, 403, PA_OUTCOME_ALARM, A, 0},
	{33, 400, PA_OUTCOME_ALARM, A, 0},
	{100, 400, PA_OUTCOME_GIVE_UP, M, 0},
	{190, 401, PA_OUTCOME_ALARM, A, 0},
	{200, 403, PA_OUTCOME_ALARM, A, 0},
	{250, 403, PA_OUTCOME_ALARM, A, 0},
	{299, 403, PA_OUTCOME_ALARM, A, 0},
	{368, 403, PA_OUTCOME_ALARM, A, 0},
	{80007, 400, PA_OUTCOME_WAIT, A, 60000},
	{130429, 400, PA_OUTCOME_WAIT, A, 0},
	{130472, 400, PA_OUTCOME_GIVE_UP, M, 0},
	{130497, 403, PA_OUTCOME_ALARM, R, 0},
	{131000, 500, PA_OUTCOME_RETRY, M, 0},
	{131005, 403, PA_OUTCOME_ALARM, A, 0},
	{131008, 400, PA_OUTCOME_GIVE_UP, M, 0},
	{131009, 400, PA_OUTCOME_GIVE_UP, M, 0},
	{131016, 500, PA_OUTCOME_RETRY, M, 0},
	{131021, 400, PA_OUTCOME_GIVE_UP, R, 0},
	{131026, 400, PA_OUTCOME_GIVE_UP, R, 0},
	{131030, 400, PA_OUTCOME_ALARM, R, 0},
	{131031, 403, PA_OUTCOME_ALARM, A, 0},
	{131037, 400, PA_OUTCOME_ALARM, A, 0},
	{131042, 400, PA_OUTCOME_ALARM, A, 0},
	{131045, 500, PA_OUTCOME_ALARM, A, 0},
	{131047, 400, PA_OUTCOME_GIVE_UP, M, 0},
	{131048, 400, PA_OUTCOME_ALARM, A, 0},
	{131049, 400, PA_OUTCOME_RETRY, R, 24 * HOUR_MS},
	{131050, 400, PA_OUTCOME_GIVE_UP, M, 0},
	{131051, 400, PA_OUTCOME_GIVE_UP, M, 0},
	{131052, 400, PA_OUTCOME_GIVE_UP, M, 0},
	{131053, 400, PA_OUTCOME_GIVE_UP, M, 0},
	{131056, 400, PA_OUTCOME_WAIT, R, 0},
	{131057, 500, PA_OUTCOME_WAIT, A, 60000},
	{131060, 400, PA_OUTCOME_GIVE_UP, M, 0},
	{131062, 400, PA_OUTCOME_GIVE_UP, R, 0},
	{131063, 400, PA_OUTCOME_ALARM, M, 0},
	{131064, 400, PA_OUTCOME_ALARM, M, 0},
	{132000, 400, PA_OUTCOME_GIVE_UP, M, 0},
	{132001, 404, PA_OUTCOME_ALARM, M, 0},
	{132005, 400, PA_OUTCOME_GIVE_UP, M, 0},
	{132007, 400, PA_OUTCOME_ALARM, M, 0},
	{132012, 400, PA_OUTCOME_GIVE_UP, M, 0},
	{132015, 400, PA_OUTCOME_ALARM, M, 0},
	{132016, 400, PA_OUTCOME_ALARM, M, 0},
	{132018, 400, PA_OUTCOME_GIVE_UP, M, 0},
	{132068, 400, PA_OUTCOME_ALARM, M, 0},
	{132069, 400, PA_OUTCOME_ALARM, M, 0},
	{133004, 503, PA_OUTCOME_RETRY, M, 0},
	{133010, 400, PA_OUTCOME_ALARM, A, 0},
	{133016, 400, PA_OUTCOME_RETRY, M, HOUR_MS},
	{135000, 400, PA_OUTCOME_GIVE_UP, M, 0},
	{137000, 400, PA_OUTCOME_GIVE_UP, R, 0},
	/* Codes that Meta may invent: the class of the status decides. */
	{199, 400, PA_OUTCOME_GIVE_UP, M, 0},
	{300, 400, PA_OUTCOME_GIVE_UP, M, 0},
	{424242, 400, PA_OUTCOME_GIVE_UP, M, 0},
	{424242, 403, PA_OUTCOME_GIVE_UP, M, 0},
	{424242, 429, PA_OUTCOME_WAIT, A, 0},
	{424242, 500, PA_OUTCOME_RETRY, M, 0},
	{424242, 504, PA_OUTCOME_RETRY, M, 0},
};

static void test_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(codes); i++) {
		const struct code_case *test = &codes[i];
		char body[400];
		pa_outcome outcome;

		/* Meta's texts may hold the number. */
		snprintf(body, sizeof(body),
			 "{\"error\":{\"message\":\"(#%lld) to " PHONE "\",\"type\":\"" PHONE
			 "\",\"code\":%lld,\"error_data\":{\"details\":\"" PHONE
			 "\"},\"fbtrace_id\":\"A1\"}}",
			 (long long)test->code, (long long)test->code);
		outcome = answer(&text_message, test->status, body);
		if (outcome.result != test->result || outcome.scope != test->scope ||
		    outcome.after_ms != test->after_ms || outcome.code != test->code)
			fail_msg("code %lld with %u: result %u, scope %u, after %lld ms",
				 (long long)test->code, test->status, outcome.result, outcome.scope,
				 (long long)outcome.after_ms);
		assert_true(outcome.reason.len > 0);
	}
}

static void test_code_in_odd_places(void **state)
{
	(void)state;
	assert_int_equal(answer(&text_message, 400, "{\"error\":{\"code\":\"131056\"}}").result,
			 PA_OUTCOME_WAIT);
	assert_int_equal(answer(&text_message, 200, "{\"error\":{\"code\":190}}").result,
			 PA_OUTCOME_ALARM);
	assert_int_equal(answer(&upload, 400, "{\"error\":{\"code\":131053}}").result,
			 PA_OUTCOME_GIVE_UP);
	assert_int_equal(answer(&read_mark, 400, "{\"error\":{\"code\":131009}}").result,
			 PA_OUTCOME_GIVE_UP);
	assert_int_equal(answer(&text_message, 400, "{\"error\":{\"code\":-5}}").result,
			 PA_OUTCOME_GIVE_UP);
	assert_int_equal(answer(&text_message, 400, "{\"error\":\"x\"}").result,
			 PA_OUTCOME_GIVE_UP);
}

static void test_status_alone(void **state)
{
	static const struct {
		uint32_t status;
		uint32_t result;
		uint32_t scope;
	} cases[] = {
		{302, PA_OUTCOME_ALARM, A},     {400, PA_OUTCOME_GIVE_UP, M},
		{401, PA_OUTCOME_ALARM, A},     {403, PA_OUTCOME_ALARM, A},
		{404, PA_OUTCOME_GIVE_UP, M},   {407, PA_OUTCOME_ALARM, A},
		{408, PA_OUTCOME_RETRY, M},     {413, PA_OUTCOME_GIVE_UP, M},
		{429, PA_OUTCOME_WAIT, A},      {500, PA_OUTCOME_RETRY, M},
		{502, PA_OUTCOME_RETRY, M},     {503, PA_OUTCOME_RETRY, M},
		{504, PA_OUTCOME_UNCERTAIN, M}, {599, PA_OUTCOME_RETRY, M},
		{100, PA_OUTCOME_UNCERTAIN, M},
	};
	static const char *const bodies[] = {"", "<html>", "{}", "{\"error\":{}}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		for (size_t j = 0; j < ARRAY_COUNT(bodies); j++) {
			pa_outcome outcome = answer(&text_message, cases[i].status, bodies[j]);

			if (outcome.result != cases[i].result || outcome.scope != cases[i].scope)
				fail_msg("%u with \"%s\": result %u, scope %u", cases[i].status,
					 bodies[j], outcome.result, outcome.scope);
		}
	}
}

static int64_t wait_told(uint32_t status, const char *retry_after)
{
	const pa_pair header = {PA_STR("retry-after"), str_from(retry_after)};
	const pa_pair *const headers[] = {&header};
	const pa_http_response response = {.size = sizeof(response),
					   .status = status,
					   .headers = headers,
					   .headers_count = 1,
					   .body = PA_STR("")};

	return interpret(&text_message, &response, 0).after_ms;
}

static void test_retry_after(void **state)
{
	(void)state;
	assert_int_equal(wait_told(429, "7"), 7000);
	assert_int_equal(wait_told(503, "120"), 120000);
	assert_int_equal(wait_told(503, "3600"), HOUR_MS);
	assert_int_equal(wait_told(503, "3601"), 0);
	assert_int_equal(wait_told(503, "-1"), 0);
	assert_int_equal(wait_told(503, "Sat, 21 Nov 2026 10:00:00 GMT"), 0);
	assert_int_equal(wait_told(400, "7"), 0);
}

static int open_rig(void **state)
{
	(void)state;
	fake_forbid(PHONE);
	fake_forbid(WHATSAPP_TOKEN);
	whatsapp_rig_open(&rig, NULL, 0);
	return 0;
}

static int close_rig(void **state)
{
	(void)state;
	rig_close(&rig);
	return (int)fake_problems();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sent),
		cmocka_unit_test(test_uploaded),
		cmocka_unit_test(test_read_mark_done),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_code_in_odd_places),
		cmocka_unit_test(test_status_alone),
		cmocka_unit_test(test_retry_after),
	};

	return cmocka_run_group_tests(tests, open_rig, close_rig);
}
