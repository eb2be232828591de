/* SPDX-License-Identifier: Apache-2.0
 *
 * channel-simulator as the page sees it: who is let in, bounds, messages and files from the phone.
 */
#include "browser/simulator_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- options ---- */

static void test_offers_the_customers_of_the_file(void **state)
{
	static const char rows[] = "[{\"label\":\"Ana\",\"document\":\"123\",\"mobile\":null,"
				   "\"try\":\"saldo\",\"secret\":\"x\"}]";
	char path[] = "/tmp/customersXXXXXX";
	int fd = mkstemp(path);
	struct world *world = calloc(1, sizeof(*world));
	const struct session_fake_options options = {.port = 0, .customers_file = path};
	const struct session_fake_callbacks callbacks = {0};
	pa_error err = {.size = sizeof(err)};
	struct answer answer;

	(void)state;
	assert_non_null(world);
	assert_int_equal(write(fd, rows, strlen(rows)), (ssize_t)strlen(rows));
	world->fake = session_fake_open(&SIMULATOR_PLUGIN, &options, &callbacks, &err);
	assert_non_null(world->fake);
	session_fake_run(world->fake);
	world->port = session_fake_port(world->fake);
	answer = rig_ask(world, "GET", "/api/customers", "");
	assert_int_equal(answer.status, 200);
	assert_string_equal(rig_member(&answer, "customers", 0, "label"), "Ana");
	assert_string_equal(rig_member(&answer, "customers", 0, "try"), "saldo");
	assert_null(strstr(answer.text, "secret"));
	raw_http_done(&answer);
	session_fake_stop(world->fake);
	close(fd);
	unlink(path);
	free(world);
}

static void test_says_that_the_port_is_taken(void **state)
{
	struct world *world = *state;
	const struct session_fake_options options = {.port = world->port};
	const struct session_fake_callbacks callbacks = {0};
	pa_error err = {.size = sizeof(err)};
	struct session_fake *second =
		session_fake_open(&SIMULATOR_PLUGIN, &options, &callbacks, &err);

	assert_non_null(second);
	session_fake_run(second);
	assert_int_equal(session_fake_result(second), PA_RETRY);
	session_fake_stop(second);
}

/* ---- strangers ---- */

static void test_serves_only_its_own_page(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *method;
		const char *path;
		const char *headers; /* %d: the port */
		int status;
	} cases[] = {
		{"GET", "/", "Host: 127.0.0.1:%d\r\n", 200},
		{"GET", "/", "Host: LOCALHOST:%d\r\n", 200},
		{"GET", "/page.js", "Host: localhost:%d\r\n", 200},
		{"GET", "/", "Host: evil.example:%d\r\n", 403},
		{"GET", "/", "Host: 127.0.0.1\r\n", 403},
		{"GET", "/api/customers", "Host: 127.0.0.1.evil.example:%d\r\n", 403},
		{"POST", "/api/read", "Host: 127.0.0.1:%1$d\r\nOrigin: http://evil.example\r\n",
		 403},
		{"POST", "/api/read", "Host: 127.0.0.1:%1$d\r\nOrigin: null\r\n", 403},
		{"POST", "/api/read", "Host: 127.0.0.1:%1$d\r\nOrigin: http://127.0.0.1:%1$d\r\n",
		 400},
		{"POST", "/api/read", "Host: 127.0.0.1:%1$d\r\nOrigin: https://127.0.0.1:%1$d\r\n",
		 403},
		{"GET", "/api/customers", "Host: 127.0.0.1:%d\r\nSec-Fetch-Site: cross-site\r\n",
		 403},
		{"GET", "/",
		 "Host: 127.0.0.1:%d\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: "
		 "navigate\r\n",
		 200},
		{"GET", "/",
		 "Host: evil.example:%d\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: "
		 "navigate\r\n",
		 403},
		{"DELETE", "/", "Host: 127.0.0.1:%d\r\n", 405},
		{"GET", "/api/message", "Host: 127.0.0.1:%d\r\n", 405},
		{"GET", "/nothing", "Host: 127.0.0.1:%d\r\n", 404},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char headers[512];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(headers, sizeof(headers), cases[i].headers, world->port);
#pragma GCC diagnostic pop
		assert_int_equal(rig_status(world, cases[i].method, cases[i].path, headers),
				 cases[i].status);
	}
}

static void test_page_may_load_nothing_from_elsewhere(void **state)
{
	struct answer answer = rig_ask(*state, "GET", "/", "");

	assert_non_null(strstr(answer.text, "Content-Security-Policy: default-src 'self'"));
	assert_non_null(strstr(answer.text, "X-Content-Type-Options: nosniff"));
	assert_null(strstr(answer.body, "https://"));
	raw_http_done(&answer);
}

static void test_bodies_are_bounded(void **state)
{
	struct world *world = *state;
	size_t len = 300 << 10;
	char *body = calloc(1, len + 1);

	assert_non_null(body);
	memset(body, 'x', len);
	assert_int_equal(rig_post(world, "/api/message", body), 413);
	free(body);
	assert_int_equal(rig_post(world, "/api/message", "{\"from\":"), 400);
	assert_int_equal(rig_post(world, "/page.js", "x"), 413);
}

/* ---- messages from the phone ---- */

static void test_message_is_acknowledged_once_durable(void **state)
{
	struct world *world = *state;
	struct answer answer =
		rig_ask(world, "POST", "/api/message",
			"{\"from\":\"" RIG_PHONE "\",\"type\":\"text\",\"text\":\"Qué más\","
			"\"id\":\"a1\",\"context_id\":\"sim.x\"}");
	const struct seen *seen = rig_wait_event(world, PA_EVENT_MESSAGE, 0);

	assert_int_equal(answer.status, 200);
	assert_string_equal(json_string_value(json_object_get(answer.json, "state")), "sent");
	assert_string_equal(json_string_value(json_object_get(answer.json, "id")), "sim.a1");
	assert_int_equal(seen->message_kind, PA_IN_TEXT);
	assert_string_equal(seen->unique, "sim.a1");
	assert_string_equal(seen->phone, RIG_PHONE);
	assert_string_equal(seen->user_id, "");
	assert_string_equal(seen->text, "Qué más");
	assert_string_equal(seen->context_id, "sim.x");
	raw_http_done(&answer);
}

static void test_retry_is_the_same_message(void **state)
{
	struct world *world = *state;
	static const char body[] =
		"{\"from\":\"" RIG_PHONE "\",\"type\":\"text\",\"text\":\"hola\",\"id\":\"r1\"}";
	struct answer answer;

	session_fake_answer_with(world->fake, PA_RETRY, 1);
	answer = rig_ask(world, "POST", "/api/message", body);
	assert_int_equal(answer.status, 503);
	assert_non_null(strstr(answer.text, "Retry-After: 1"));
	assert_string_equal(json_string_value(json_object_get(answer.json, "state")), "retrying");
	assert_int_equal(world->events_count, 0);
	raw_http_done(&answer);
	assert_int_equal(rig_post(world, "/api/message", body), 200);
	assert_int_equal(rig_post(world, "/api/message", body), 200);
	assert_int_equal(world->events_count, 1);
	answer = rig_ask(world, "GET", "/api/events?phone=" RIG_PHONE "&wait=0", "");
	assert_int_equal(json_array_size(json_object_get(answer.json, "chat")), 1);
	assert_string_equal(rig_member(&answer, "chat", 0, "state"), "sent");
	raw_http_done(&answer);
}

static void test_refused_message(void **state)
{
	struct world *world = *state;
	struct answer answer;

	session_fake_answer_with(world->fake, PA_REJECTED, 1);
	answer = rig_ask(world, "POST", "/api/message",
			 "{\"from\":\"" RIG_PHONE "\",\"type\":\"text\",\"text\":\"a\"}");
	assert_int_equal(answer.status, 422);
	assert_string_equal(json_string_value(json_object_get(answer.json, "state")), "failed");
	raw_http_done(&answer);
}

static void test_user_without_a_number(void **state)
{
	struct world *world = *state;
	const struct seen *seen;

	assert_int_equal(rig_post(world, "/api/message",
				  "{\"from\":\"CO.SIM1000\",\"type\":\"row\",\"text\":\"Saldo\","
				  "\"reply_id\":\"t:1\"}"),
			 200);
	seen = rig_wait_event(world, PA_EVENT_MESSAGE, 0);
	assert_string_equal(seen->phone, "");
	assert_string_equal(seen->user_id, "CO.SIM1000");
	assert_int_equal(seen->message_kind, PA_IN_ROW);
	assert_string_equal(seen->reply_id, "t:1");
}

static void test_malformed_messages(void **state)
{
	struct world *world = *state;
	static const char *const bodies[] = {
		"",
		"[]",
		"null",
		"{\"from\":\"" RIG_PHONE "\",\"type\":\"text\",\"text\":\"\"}",
		"{\"from\":\"" RIG_PHONE "\",\"type\":\"text\"}",
		"{\"from\":\"" RIG_PHONE "\",\"type\":\"poll\",\"text\":\"x\"}",
		"{\"from\":\"57300\",\"type\":\"text\",\"text\":\"x\"}",
		"{\"from\":\"co.x\",\"type\":\"text\",\"text\":\"x\"}",
		"{\"from\":\"CO.<b>\",\"type\":\"text\",\"text\":\"x\"}",
		"{\"from\":7,\"type\":\"text\",\"text\":\"x\"}",
		"{\"from\":\"" RIG_PHONE "\",\"type\":\"text\",\"text\":\"x\",\"id\":\"a b\"}",
		"{\"from\":\"" RIG_PHONE "\",\"type\":\"text\",\"text\":\"x\",\"id\":7}",
		"{\"from\":\"" RIG_PHONE "\",\"type\":\"button\",\"text\":\"x\"}",
		"{\"from\":\"" RIG_PHONE "\",\"type\":\"image\",\"media_id\":\"none\"}",
		"{\"from\":\"" RIG_PHONE "\",\"type\":\"reaction\",\"text\":\"x\"}",
		"{\"from\":\"" RIG_PHONE "\",\"type\":\"text\",\"text\":\"\xff\"}",
		"{\"from\":\"" RIG_PHONE "\",\"type\":\"text\",\"text\":\"\\ud800\"}",
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_int_equal(rig_post(world, "/api/message", bodies[i]), 400);
	assert_int_equal(world->events_count, 0);
}

static void test_files_go_in_and_out(void **state)
{
	struct world *world = *state;
	struct answer answer = rig_ask(world, "POST", "/api/media?name=mi%20c%C3%A9dula%22.jpg",
				       "not really a photo");
	char text[512];
	char id[128];

	assert_int_equal(answer.status, 200);
	snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(answer.json, "id")));
	raw_http_done(&answer);
	snprintf(text, sizeof(text), "/api/media?id=%s", id);
	answer = rig_ask(world, "GET", text, "");
	assert_string_equal(answer.body, "not really a photo");
	assert_non_null(strstr(answer.text, "Content-Type: application/octet-stream"));
	assert_non_null(
		strstr(answer.text, "attachment; filename*=UTF-8''mi%20c%C3%A9dula%22.jpg"));
	raw_http_done(&answer);
	snprintf(text, sizeof(text),
		 "{\"from\":\"" RIG_PHONE "\",\"type\":\"image\",\"media_id\":\"%s\"}", id);
	assert_int_equal(rig_post(world, "/api/message", text), 200);
	assert_int_equal(rig_wait_event(world, PA_EVENT_MESSAGE, 0)->message_kind, PA_IN_IMAGE);
}

static void keep_file(struct world *world, size_t size, int expected, char *ret_id)
{
	char *body = calloc(1, size + 1);
	struct answer answer;

	assert_non_null(body);
	memset(body, 'x', size);
	answer = rig_ask(world, "POST", "/api/media?name=a.bin", body);
	free(body);
	assert_int_equal(answer.status, expected);
	if (expected == 200)
		rig_keep(ret_id, rig_str(json_string_value(json_object_get(answer.json, "id"))));
	raw_http_done(&answer);
}

static int file_status(struct world *world, const char *id)
{
	char path[TEXT_MAX + 32];
	struct answer answer;
	int status;

	snprintf(path, sizeof(path), "/api/media?id=%s", id);
	answer = rig_ask(world, "GET", path, "");
	status = answer.status;
	raw_http_done(&answer);
	return status;
}

static void test_old_files_give_way(void **state)
{
	char ids[3][TEXT_MAX];

	for (size_t i = 0; i < 3; i++)
		keep_file(*state, 6 << 20, 200, ids[i]);
	assert_int_equal(file_status(*state, ids[0]), 404);
	assert_int_equal(file_status(*state, ids[1]), 200);
	assert_int_equal(file_status(*state, ids[2]), 200);
	keep_file(*state, (16 << 20) + 1, 413, NULL);
	keep_file(*state, 0, 400, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offers_the_customers_of_the_file),
		SIMULATED(test_says_that_the_port_is_taken),
		SIMULATED(test_serves_only_its_own_page),
		SIMULATED(test_page_may_load_nothing_from_elsewhere),
		SIMULATED(test_bodies_are_bounded),
		SIMULATED(test_message_is_acknowledged_once_durable),
		SIMULATED(test_retry_is_the_same_message),
		SIMULATED(test_refused_message),
		SIMULATED(test_user_without_a_number),
		SIMULATED(test_malformed_messages),
		SIMULATED(test_files_go_in_and_out),
		SIMULATED(test_old_files_give_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
