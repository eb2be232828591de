/* SPDX-License-Identifier: Apache-2.0
 *
 * channel-simulator as the daemon sees it: messages to the phone and what becomes of them, ticks,
 * the 24 h window, a clean stop.
 */
#include "browser/simulator_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define DAY_NS (INT64_C(24) * 3600 * 1000000000)

/* ---- messages to the phone ---- */

static void test_statuses_follow_the_phone(void **state)
{
	struct world *world = *state;
	pa_message message = rig_text("Hola");
	struct answer answer;
	char path[128];

	assert_int_equal(rig_send(world, &message), PA_OUTCOME_SENT);
	assert_string_equal(rig_wait_event(world, PA_EVENT_STATUS, PA_STATUS_SENT)->ref,
			    "attempt-7");
	answer = rig_ask(world, "GET", "/api/events?phone=" RIG_PHONE, "");
	assert_string_equal(rig_member(&answer, "chat", 0, "body"), "Hola");
	assert_string_equal(rig_member(&answer, "chat", 0, "id"), world->external_id);
	snprintf(path, sizeof(path), "/api/events?phone=" RIG_PHONE "&wait=0&after=%lld",
		 (long long)json_integer_value(json_object_get(answer.json, "next")));
	raw_http_done(&answer);
	assert_int_equal(world->events_count, 1);
	answer = rig_ask(world, "GET", path, "");
	assert_int_equal(json_array_size(json_object_get(answer.json, "chat")), 0);
	raw_http_done(&answer);
	rig_wait_event(world, PA_EVENT_STATUS, PA_STATUS_DELIVERED);
	assert_int_equal(rig_post(world, "/api/read", "{\"phone\":\"" RIG_PHONE "\",\"upto\":99}"),
			 200);
	rig_wait_event(world, PA_EVENT_STATUS, PA_STATUS_READ);
	assert_int_equal(rig_post(world, "/api/read", "{\"phone\":\"" RIG_PHONE "\",\"upto\":99}"),
			 200);
	assert_int_equal(world->events_count, 3);
}

static void test_statuses_wait_for_the_store(void **state)
{
	struct world *world = *state;
	pa_message message = rig_text("Hola");

	session_fake_answer_with(world->fake, PA_RETRY, 1);
	assert_int_equal(rig_send(world, &message), PA_OUTCOME_SENT);
	rig_wait_event(world, PA_EVENT_STATUS, PA_STATUS_SENT);
}

static void test_customers_ticks(void **state)
{
	struct world *world = *state;
	pa_message message = rig_text("Hola");
	struct answer answer;

	assert_int_equal(rig_post(world, "/api/message",
				  "{\"from\":\"" RIG_PHONE
				  "\",\"type\":\"text\",\"text\":\"a\",\"id\":\"1\"}"),
			 200);
	assert_int_equal(rig_send(world, &message), PA_OUTCOME_SENT);
	answer = rig_ask(world, "GET", "/api/events?phone=" RIG_PHONE, "");
	assert_string_equal(rig_member(&answer, "chat", 0, "state"), "delivered");
	raw_http_done(&answer);
	message.kind = PA_OUT_READ_MARK;
	message.flags = PA_OUT_FLAG_TYPING;
	message.reply_to = rig_str("sim.1");
	assert_int_equal(rig_send(world, &message), PA_OUTCOME_SENT);
	answer = rig_ask(world, "GET", "/api/events?phone=" RIG_PHONE, "");
	assert_string_equal(rig_member(&answer, "chat", 0, "state"), "read");
	assert_true(json_is_true(json_object_get(answer.json, "typing")));
	raw_http_done(&answer);
}

static const char *post_and_see(struct world *world, uint32_t answer_kind, char *ret_state)
{
	struct answer answer;

	world->answer_inside = answer_kind;
	assert_int_equal(rig_post(world, "/api/message",
				  "{\"from\":\"" RIG_PHONE
				  "\",\"type\":\"text\",\"text\":\"a\",\"id\":\"1\"}"),
			 200);
	answer = rig_ask(world, "GET", "/api/events?phone=" RIG_PHONE, "");
	rig_keep(ret_state, rig_str(rig_member(&answer, "chat", 0, "state")));
	raw_http_done(&answer);
	return ret_state;
}

static void test_read_before_the_delivery_returned(void **state)
{
	char seen[TEXT_MAX];

	assert_string_equal(post_and_see(*state, PA_OUT_READ_MARK, seen), "read");
}

static void test_answered_before_the_delivery_returned(void **state)
{
	char seen[TEXT_MAX];

	assert_string_equal(post_and_see(*state, PA_OUT_TEXT, seen), "delivered");
}

static void test_sms_go_to_the_mobile(void **state)
{
	struct world *world = *state;
	pa_message message = rig_text("Su código es 123456");
	struct answer answer;

	message.medium = PA_MEDIUM_SMS;
	assert_int_equal(rig_send(world, &message), PA_OUTCOME_SENT);
	answer = rig_ask(world, "GET", "/api/events?phone=CO.SIM7&sms=" RIG_PHONE, "");
	assert_int_equal(json_array_size(json_object_get(answer.json, "chat")), 0);
	assert_string_equal(rig_member(&answer, "sms", 0, "body"), "Su código es 123456");
	raw_http_done(&answer);
	message.kind = PA_OUT_BUTTONS;
	assert_int_equal(rig_send(world, &message), PA_OUTCOME_GIVE_UP);
}

static void test_waiting_request_wakes(void **state)
{
	struct world *world = *state;
	pa_message message = rig_text("Hola");
	int fd = rig_ask_later(world, "GET", "/api/events?phone=" RIG_PHONE, "");
	struct answer answer;

	rig_nap();
	assert_int_equal(rig_send(world, &message), PA_OUTCOME_SENT);
	answer = raw_http_receive(fd);
	assert_string_equal(rig_member(&answer, "chat", 0, "body"), "Hola");
	raw_http_done(&answer);
	answer = rig_ask(world, "GET", "/api/events?phone=" RIG_PHONE "&after=9999&wait=300", "");
	assert_int_equal(answer.status, 200);
	assert_int_equal(json_array_size(json_object_get(answer.json, "chat")), 0);
	raw_http_done(&answer);
}

static void test_stop_answers_all_that_wait(void **state)
{
	struct world *world = *state;
	int fds[8];

	for (size_t i = 0; i < 8; i++)
		fds[i] = rig_ask_later(world, "GET", "/api/events?phone=" RIG_PHONE, "");
	for (int i = 0; i < 50; i++)
		rig_nap();
	assert_int_equal(session_fake_result(world->fake), PA_OK);
	for (size_t i = 0; i < 8; i++) {
		struct answer answer = raw_http_receive(fds[i]);

		assert_int_equal(answer.status, 200);
		raw_http_done(&answer);
	}
}

/* ---- what WhatsApp refuses ---- */

static void test_window_closes_after_a_day(void **state)
{
	struct world *world = *state;
	pa_message message = rig_text("Hola");

	assert_int_equal(rig_post(world, "/api/message",
				  "{\"from\":\"" RIG_PHONE "\",\"type\":\"text\",\"text\":\"a\"}"),
			 200);
	session_fake_turn_clock(world->fake, DAY_NS - INT64_C(60000000000));
	assert_int_equal(rig_send(world, &message), PA_OUTCOME_SENT);
	session_fake_turn_clock(world->fake, INT64_C(61000000000));
	assert_int_equal(rig_send(world, &message), PA_OUTCOME_GIVE_UP);
	assert_int_equal(world->code, 131047);
	message.medium = PA_MEDIUM_SMS;
	assert_int_equal(rig_send(world, &message), PA_OUTCOME_SENT);
}

static void test_refusal_tells_why(void **state)
{
	struct world *world = *state;
	pa_message message = rig_text(" ");

	assert_int_equal(rig_send(world, &message), PA_OUTCOME_GIVE_UP);
	assert_int_equal(world->code, 131009);
	assert_string_equal(world->reason, "the body is empty");
	message.body = rig_str("\xff");
	assert_int_equal(rig_send(world, &message), PA_OUTCOME_GIVE_UP);
	assert_string_equal(world->reason, "a text is not UTF-8");
	message.phone = rig_str("CO.<b>");
	assert_int_equal(rig_send(world, &message), PA_OUTCOME_GIVE_UP);
	assert_string_equal(world->reason, "there is no valid recipient");
}

static void test_document_reaches_the_phone(void **state)
{
	struct world *world = *state;
	pa_message message = rig_text("Su paz y salvo");
	struct answer answer;
	char path[256];

	message.kind = PA_OUT_DOCUMENT;
	message.media_name = rig_str("paz_y_salvo.pdf");
	message.media_type = rig_str("application/pdf");
	message.media_bytes = rig_str("%PDF-1.4");
	assert_int_equal(rig_send(world, &message), PA_OUTCOME_SENT);
	answer = rig_ask(world, "GET", "/api/events?phone=" RIG_PHONE, "");
	snprintf(path, sizeof(path), "/api/media?id=%s",
		 json_string_value(json_object_get(
			 json_object_get(json_array_get(json_object_get(answer.json, "chat"), 0),
					 "media"),
			 "id")));
	raw_http_done(&answer);
	answer = rig_ask(world, "GET", path, "");
	assert_string_equal(answer.body, "%PDF-1.4");
	raw_http_done(&answer);
}

static void test_history_is_bounded(void **state)
{
	struct world *world = *state;
	char text[32];
	struct answer answer;

	for (int i = 0; i < 230; i++) {
		pa_message message;

		snprintf(text, sizeof(text), "n%d", i);
		message = rig_text(text);
		rig_forget_events(world);
		assert_int_equal(rig_send(world, &message), PA_OUTCOME_SENT);
	}
	answer = rig_ask(world, "GET", "/api/events?phone=" RIG_PHONE, "");
	assert_int_equal(json_array_size(json_object_get(answer.json, "chat")), 200);
	assert_string_equal(rig_member(&answer, "chat", 0, "body"), "n30");
	raw_http_done(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIMULATED(test_statuses_follow_the_phone),
		SIMULATED(test_statuses_wait_for_the_store),
		SIMULATED(test_customers_ticks),
		SIMULATED(test_read_before_the_delivery_returned),
		SIMULATED(test_answered_before_the_delivery_returned),
		SIMULATED(test_sms_go_to_the_mobile),
		SIMULATED(test_waiting_request_wakes),
		SIMULATED(test_stop_answers_all_that_wait),
		SIMULATED(test_window_closes_after_a_day),
		SIMULATED(test_refusal_tells_why),
		SIMULATED(test_document_reaches_the_phone),
		SIMULATED(test_history_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
