/* SPDX-License-Identifier: Apache-2.0
 *
 * The queue's small parts: rates, tags, lanes, references, ids, mailboxes, records, the gate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "gate/gate.h"
#include "queue/codec.h"
#include "queue/dispatch.h"
#include "queue/ids.h"
#include "queue/keyring.h"
#include "queue/lanes.h"
#include "queue/rate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- rates ---- */

static void rate_lets_a_burst_through_and_then_holds_the_average(void **state)
{
	struct rate rate = rate_make(6 * NS_PER_S, 3);
	int64_t now = 1000 * NS_PER_S;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(rate_take(&rate, now), 0);
	assert_int_equal(rate_take(&rate, now), 6 * NS_PER_S);
	assert_int_equal(rate_take(&rate, now + 6 * NS_PER_S), 0);
	assert_true(rate_take(&rate, now + 6 * NS_PER_S) > 0);
}

static void what_did_not_happen_is_given_back(void **state)
{
	struct rate rate = rate_make(NS_PER_S, 1);

	(void)state;
	assert_int_equal(rate_take(&rate, NS_PER_S), 0);
	rate_return(&rate);
	assert_int_equal(rate_take(&rate, NS_PER_S), 0);
}

static void a_long_silence_earns_no_more_than_the_burst(void **state)
{
	struct rate rate = rate_make(NS_PER_S, 2);
	int64_t now = 100000 * NS_PER_S;

	(void)state;
	assert_int_equal(rate_take(&rate, now), 0);
	assert_int_equal(rate_take(&rate, now), 0);
	assert_true(rate_take(&rate, now) > 0);
}

static void what_is_charged_puts_off_the_next(void **state)
{
	struct rate rate = rate_make(4 * NS_PER_S, 2);
	int64_t now = 1000 * NS_PER_S;

	(void)state;
	assert_int_equal(rate_take(&rate, now), 0);
	rate_charge(&rate, NS_PER_S);
	assert_int_equal(rate_take(&rate, now), NS_PER_S);
	assert_int_equal(rate_take(&rate, now + NS_PER_S), 0);
	assert_int_equal(rate_take(&rate, now + NS_PER_S), 4 * NS_PER_S);
}

/* ---- tags ---- */

/* What is stored under a tag is looked for under the same one for ever. */
static void a_tag_is_the_same_whether_its_key_is_kept_or_not(void **state)
{
	static const char *const purposes[] = {"contact address", "event unique", "external id",
					       ""};
	struct key store = {.bytes = {1, 2, 3}}, key;
	struct keyring *ring = keyring_new(PA_STR("0123456789abcdef0123456789abcdef"));
	uint8_t expected[TAG_BYTES], tag[TAG_BYTES];

	(void)state;
	assert_int_equal(crypto_init(), PA_OK);
	keyring_set_store(ring, &store);
	for (size_t i = 0; i < ARRAY_COUNT(purposes); i++) {
		key_derive(&store, purposes[i], &key);
		keyed_tag(&key, PA_STR("57300"), expected);
		keyring_tag(ring, purposes[i], PA_STR("57300"), tag);
		assert_memory_equal(tag, expected, sizeof(tag));
	}
	keyring_free(ring);
}

/* ---- lanes ---- */

static void lanes_come_due_in_order_of_time(void **state)
{
	struct lanes *lanes = calloc(1, sizeof(*lanes));
	struct channel channel = {0};
	int64_t last = 0;

	(void)state;
	assert_non_null(lanes);
	for (int64_t i = 1; i <= 500; i++) {
		struct lane *lane = lanes_get(lanes, i, &channel);

		lanes_insert(lane, outbound_new(PA_STR("x"), PA_STR("")));
		lanes_delay(lanes, lane, (i * 7919) % 1000 + 1);
	}
	for (int64_t i = 1; i <= 500; i += 3)
		lanes_delay(lanes, lanes_find(lanes, i, &channel), (i * 31) % 1000 + 1);
	assert_null(lanes_due(lanes, 0));
	for (struct lane *lane; (lane = lanes_due(lanes, lanes_next_due(lanes)));) {
		assert_int_equal(lane->due_ns, 0);
		last++;
		if (lanes_next_due(lanes) == INT64_MAX)
			break;
	}
	assert_int_equal(last, 500);
	lanes_done(lanes);
	free(lanes);
}

/* What a dead node left is found late, and goes before what was said since. */
static void an_older_message_gets_in_line_before_younger_ones(void **state)
{
	static const struct {
		int64_t at_ns, id;
	} come[] = {{20, 7}, {10, 9}, {30, 1}, {10, 8}, {20, 7}},
	  go[] = {{20, 7}, {10, 8}, {10, 9}, {20, 7}, {30, 1}};
	struct lanes *lanes = calloc(1, sizeof(*lanes));
	struct channel channel = {0};
	struct lane *lane;

	(void)state;
	assert_non_null(lanes);
	lane = lanes_get(lanes, 5, &channel);
	for (size_t i = 0; i < ARRAY_COUNT(come); i++) {
		struct outbound *o = outbound_new(PA_STR("x"), PA_STR(""));

		o->at_ns = come[i].at_ns;
		o->id = come[i].id;
		o->is_out = i == 0; /* on its way: nothing gets before it */
		lanes_insert(lane, o);
	}
	for (size_t i = 0; i < ARRAY_COUNT(go); i++) {
		struct outbound *o = lanes_pop(lane);

		assert_int_equal(o->at_ns, go[i].at_ns);
		assert_int_equal(o->id, go[i].id);
		outbound_free(o);
	}
	assert_null(lanes_pop(lane));
	lanes_insert(lane,
		     outbound_new(PA_STR("x"), PA_STR(""))); /* its end is where it should be */
	lanes_done(lanes);
	free(lanes);
}

static void an_empty_lane_goes_and_a_promised_one_stays(void **state)
{
	struct lanes *lanes = calloc(1, sizeof(*lanes));
	struct channel channel = {0};
	struct lane *lane;

	(void)state;
	assert_non_null(lanes);
	lane = lanes_get(lanes, 5, &channel);
	lane->is_reserved = true;
	lanes_tidy(lanes, lane);
	assert_ptr_equal(lanes_find(lanes, 5, &channel), lane);
	lane->is_reserved = false;
	lanes_tidy(lanes, lane);
	assert_null(lanes_find(lanes, 5, &channel));
	lanes_done(lanes);
	free(lanes);
}

/* ---- references ---- */

static void a_reference_comes_back_as_it_went(void **state)
{
	struct arena *arena = arena_new(1 << 16);
	struct outbound *o = outbound_new(PA_STR("payload"), PA_STR("saldo"));
	int64_t id, at_ns;

	(void)state;
	o->id = INT64_C(0x1234567890);
	o->at_ns = INT64_C(1793500053123456000);
	o->tries = 3;
	assert_true(outbound_ref_parse(outbound_ref(o, arena), &id, &at_ns));
	assert_int_equal(id, o->id);
	assert_int_equal(at_ns, o->at_ns);
	outbound_free(o);
	arena_free(arena);
}

static void a_strange_reference_is_none(void **state)
{
	static const char *const strange[] = {
		"",
		".",
		"..",
		"1.2",
		"1.2.",
		".2.3",
		"1..3",
		"1.2.3.4",
		"g.2.3",
		"1.2.3 ",
		"1.-2.3",
		"11111111111111111.2.3",
		"ffffffffffffffff.2.3",
		"1.ffffffffffffffff.3",
		"0x1.2.3",
	};
	int64_t id, at_ns;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(strange); i++)
		assert_false(outbound_ref_parse(str_from(strange[i]), &id, &at_ns));
	assert_false(outbound_ref_parse((pa_str){"1\0.2.3", 6}, &id, &at_ns));
}

/* ---- ids ---- */

static void ids_never_repeat_and_end_when_blocks_do(void **state)
{
	int64_t last = 0;

	(void)state;
	while (ids_left())
		ids_next();
	assert_int_equal(ids_next(), 0);
	ids_feed(7);
	ids_feed(9);
	assert_int_equal(ids_next(), 7 * ID_BLOCK_SIZE);
	for (int i = 1; i < 2 * ID_BLOCK_SIZE; i++) {
		int64_t id = ids_next();

		assert_true(id > last);
		last = id;
	}
	assert_int_equal(last, 10 * ID_BLOCK_SIZE - 1);
	assert_int_equal(ids_next(), 0);
}

static void a_run_of_ids_lies_in_one_block(void **state)
{
	int64_t first;

	(void)state;
	ids_feed(20);
	ids_feed(30);
	for (int i = 0; i < ID_BLOCK_SIZE - 10; i++)
		ids_next();
	first = ids_next_run(500);
	assert_int_equal(first, 30 * ID_BLOCK_SIZE);
	assert_int_equal(ids_next(), first + 500);
	while (ids_left())
		ids_next();
}

/* ---- mailboxes ---- */

#define SENDERS 4
#define LETTERS 5000

static void *send_letters(void *arg)
{
	struct mailbox *box = arg;

	for (int i = 0; i < LETTERS; i++) {
		struct mail *mail = calloc(1, sizeof(*mail));

		assert_non_null(mail);
		mailbox_put(box, mail);
	}
	return NULL;
}

static void every_letter_arrives_once(void **state)
{
	struct mailbox box;
	pthread_t senders[SENDERS];
	size_t arrived = 0;

	(void)state;
	mailbox_init(&box);
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_create(&senders[i], NULL, send_letters, &box), 0);
	while (arrived < (size_t)SENDERS * LETTERS) {
		struct mail *mail = mailbox_take(&box, INT64_MAX);

		while (mail) {
			struct mail *next = mail->next;

			free(mail);
			mail = next;
			arrived++;
		}
	}
	for (int i = 0; i < SENDERS; i++)
		pthread_join(senders[i], NULL);
	assert_int_equal(mailbox_count(&box), 0);
	assert_null(mailbox_take(&box, 0));
	mailbox_poke(&box);
	assert_null(mailbox_take(&box, INT64_MAX));
	mailbox_done(&box);
}

/* ---- records ---- */

static void an_event_is_read_as_it_was_written(void **state)
{
	struct buf buf = BUF_INIT(1 << 16);
	pa_event event = {.size = sizeof(event),
			  .kind = PA_EVENT_MESSAGE,
			  .message_kind = PA_IN_TEXT,
			  .flags = PA_EVENT_FORWARDED,
			  .at_ns = -5,
			  .phone = PA_STR("573005550142"),
			  .text = {"a\0b", 3},
			  .reply_id = PA_STR(""),
			  .error_code = 131047};
	pa_event read;

	(void)state;
	event_pack(&buf, &event);
	assert_int_equal(event_unpack(buf_str(&buf), &read), PA_OK);
	assert_int_equal(read.kind, event.kind);
	assert_int_equal(read.flags, event.flags);
	assert_int_equal(read.at_ns, event.at_ns);
	assert_int_equal(read.error_code, event.error_code);
	assert_true(str_equal(read.text, event.text));
	assert_true(str_equal(read.phone, event.phone));
	assert_non_null(read.reply_id.ptr);
	assert_int_equal(read.reply_id.len, 0);
	assert_null(read.user_id.ptr);
	buf_done(&buf);
}

static void a_message_keeps_its_choices_and_parameters(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct buf buf = BUF_INIT(1 << 16);
	pa_choice yes = {.size = sizeof(yes), .id = PA_STR("1"), .title = PA_STR("Sí, autorizo")};
	pa_choice no = {.size = sizeof(no), .id = PA_STR("2"), .title = PA_STR("No autorizo")};
	pa_pair param = {PA_STR("body"), PA_STR("482913")};
	pa_message message = {.size = sizeof(message),
			      .kind = PA_OUT_BUTTONS,
			      .body = PA_STR("¿Autoriza?"),
			      .choices = (const pa_choice *[]){&yes, &no},
			      .choices_count = 2,
			      .params = (const pa_pair *[]){&param},
			      .params_count = 1};
	pa_message read;

	(void)state;
	message_pack(&buf, &message);
	assert_int_equal(message_unpack(arena, buf_str(&buf), &read), PA_OK);
	assert_int_equal(read.choices_count, 2);
	assert_true(str_equal(read.choices[1]->title, no.title));
	assert_true(str_equal(read.params[0]->value, param.value));
	assert_true(str_equal(read.body, message.body));
	buf_done(&buf);
	arena_free(arena);
}

static void a_cut_record_is_refused_or_shorter_and_never_read_past(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct buf buf = BUF_INIT(1 << 16);
	pa_choice choice = {.size = sizeof(choice), .id = PA_STR("1"), .title = PA_STR("uno")};
	pa_message message = {.size = sizeof(message),
			      .body = PA_STR("cuerpo"),
			      .choices = (const pa_choice *[]){&choice},
			      .choices_count = 1};
	pa_message read;

	(void)state;
	message_pack(&buf, &message);
	for (size_t len = 0; len < buf.len; len++) {
		char *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, buf.data, len);
		arena_reset(arena);
		if (message_unpack(arena, (pa_str){copy, len}, &read) == PA_OK)
			assert_true(read.choices_count <= 1);
		free(copy);
	}
	buf_done(&buf);
	arena_free(arena);
}

/* ---- the gate ---- */

static void only_three_classes_leave_until_the_gate_is_whole(void **state) /* CO-01 */
{
	static const struct {
		enum turn_class class;
		enum gate_verdict verdict;
	} cases[] = {
		{CLASS_RESPUESTA, GATE_SEND},      {CLASS_SEGURIDAD, GATE_SEND},
		{CLASS_TRANSACCIONAL, GATE_SEND},  {CLASS_LEGAL, GATE_REFUSE},
		{CLASS_COBRANZA, GATE_REFUSE},     {CLASS_PUBLICIDAD, GATE_REFUSE},
		{(enum turn_class)0, GATE_REFUSE}, {(enum turn_class)99, GATE_REFUSE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct gate_question question = {.class = cases[i].class, .now_ns = 1};

		assert_int_equal(gate_ask(&question).verdict, cases[i].verdict);
	}
}

static void time_closes_the_gate(void **state)
{
	struct gate_question question = {
		.class = CLASS_RESPUESTA, .now_ns = 100, .not_after_ns = 100, .window_ns = 101};

	(void)state;
	assert_int_equal(gate_ask(&question).verdict, GATE_SEND);
	question.now_ns = 101;
	assert_int_equal(gate_ask(&question).reason, GATE_TOO_LATE);
	question.not_after_ns = 0;
	assert_int_equal(gate_ask(&question).reason, GATE_WINDOW_CLOSED);
	question.is_template = true;
	assert_int_equal(gate_ask(&question).verdict, GATE_SEND);
	question.is_disabled = true;
	assert_int_equal(gate_ask(&question).reason, GATE_CHANNEL_DISABLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate_lets_a_burst_through_and_then_holds_the_average),
		cmocka_unit_test(what_did_not_happen_is_given_back),
		cmocka_unit_test(a_long_silence_earns_no_more_than_the_burst),
		cmocka_unit_test(what_is_charged_puts_off_the_next),
		cmocka_unit_test(a_tag_is_the_same_whether_its_key_is_kept_or_not),
		cmocka_unit_test(lanes_come_due_in_order_of_time),
		cmocka_unit_test(an_older_message_gets_in_line_before_younger_ones),
		cmocka_unit_test(an_empty_lane_goes_and_a_promised_one_stays),
		cmocka_unit_test(a_reference_comes_back_as_it_went),
		cmocka_unit_test(a_strange_reference_is_none),
		cmocka_unit_test(ids_never_repeat_and_end_when_blocks_do),
		cmocka_unit_test(a_run_of_ids_lies_in_one_block),
		cmocka_unit_test(every_letter_arrives_once),
		cmocka_unit_test(an_event_is_read_as_it_was_written),
		cmocka_unit_test(a_message_keeps_its_choices_and_parameters),
		cmocka_unit_test(a_cut_record_is_refused_or_shorter_and_never_read_past),
		cmocka_unit_test(only_three_classes_leave_until_the_gate_is_whole),
		cmocka_unit_test(time_closes_the_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
