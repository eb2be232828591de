/* SPDX-License-Identifier: Apache-2.0
 *
 * Webhook bodies to events: the cases of tests/unit/data/whatsapp, and bodies that no JSON file can
 * hold.
 *
 * A file is a list of cases: "name"; one of "message", "echo", "status", "error" (an item of that
 * list in field "messages", with "contacts" beside it), "change" (field and value) or "body"; and
 * "events", what must come out. Account, type and unique are filled in where they are the usual.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "support/event_json.h"
#include "support/fake_host.h"
#include "support/whatsapp_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA "tests/unit/data/whatsapp/"

static struct rig rig;

static pa_status parse(pa_str body, const pa_event *const **ret_events, size_t *ret_count)
{
	pa_error err = ERROR_INIT;
	pa_status status;

	*ret_count = 0;
	rig_next_call(&rig);
	status = rig.ops->parse(rig.self, rig.call, fake_guard(body), ret_events, ret_count, &err);
	fake_guard_free();
	assert_true(status == PA_OK || err.len > 0);
	return status;
}

/* ---- the files ---- */

static const struct wrapper {
	const char *key;  /* in the case */
	const char *list; /* in the value */
} wrappers[] = {
	{"message", "messages"},
	{"echo", "message_echoes"},
	{"status", "statuses"},
	{"error", "errors"},
};

static json_t *wrap_change(json_t *change)
{
	return json_pack("{s:s, s:[{s:s, s:[O]}]}", "object", "whatsapp_business_account", "entry",
			 "id", "104400000000077", "changes", change);
}

static json_t *wrap_item(const json_t *test)
{
	json_t *value = json_pack("{s:s, s:{s:s, s:s}}", "messaging_product", "whatsapp",
				  "metadata", "display_phone_number", "576015550199",
				  "phone_number_id", WHATSAPP_NUMBER);
	json_t *change = json_pack("{s:s, s:o}", "field", "messages", "value", value);
	json_t *body;

	for (size_t i = 0; i < ARRAY_COUNT(wrappers); i++) {
		json_t *item = json_object_get(test, wrappers[i].key);

		if (item)
			json_object_set_new(value, wrappers[i].list, json_pack("[O]", item));
	}
	if (json_object_get(test, "contacts"))
		json_object_set(value, "contacts", json_object_get(test, "contacts"));
	body = wrap_change(change);
	json_decref(change);
	return body;
}

static json_t *body_of(const json_t *test)
{
	if (json_object_get(test, "body"))
		return json_incref(json_object_get(test, "body"));
	if (json_object_get(test, "change"))
		return wrap_change(json_object_get(test, "change"));
	return wrap_item(test);
}

static void fill_in(json_t *wanted, const char *key, json_t *usual)
{
	if (!json_object_get(wanted, key) && usual)
		json_object_set(wanted, key, usual);
	/* null in a file: absent in the event. */
	if (json_is_null(json_object_get(wanted, key)))
		json_object_del(wanted, key);
}

/* What nearly every case expects need not stand in it. */
static void complete(const json_t *test, json_t *wanted)
{
	static const char *const sources[] = {"message", "echo", "status", "error"};
	json_t *number = json_string(WHATSAPP_NUMBER);

	for (size_t i = 0; i < ARRAY_COUNT(sources); i++) {
		json_t *item = json_object_get(test, sources[i]);

		if (!item)
			continue;
		fill_in(wanted, "account", number);
		fill_in(wanted, "id", json_object_get(item, "id"));
		fill_in(wanted, "unique", json_object_get(item, "id"));
		fill_in(wanted, "type", json_object_get(item, "type"));
	}
	json_decref(number);
}

static void print_difference(const char *name, size_t at, const json_t *wanted, const json_t *got)
{
	char *a = json_dumps(wanted, JSON_SORT_KEYS);
	char *b = json_dumps(got, JSON_SORT_KEYS);

	print_message("%s, event %zu:\n  wanted %s\n  got    %s\n", name, at, a, b);
	free(a);
	free(b);
}

static bool case_holds(const json_t *test)
{
	const char *name = json_string_value(json_object_get(test, "name"));
	json_t *wanted = json_object_get(test, "events");
	json_t *body = body_of(test);
	char *text = json_dumps(body, JSON_COMPACT | JSON_ENSURE_ASCII);
	const pa_event *const *events;
	size_t count = 0;
	pa_status status = parse(str_from(text), &events, &count);
	bool holds = status == PA_OK && count == json_array_size(wanted);

	if (!holds)
		print_message("%s: %s, %zu events\n", name, status_name(status), count);
	for (size_t i = 0; holds && i < count; i++) {
		json_t *got = event_as_json(events[i]);

		complete(test, json_array_get(wanted, i));
		holds = json_equal(got, json_array_get(wanted, i));
		if (!holds)
			print_difference(name, i, json_array_get(wanted, i), got);
		json_decref(got);
	}
	free(text);
	json_decref(body);
	return holds;
}

static void run_file(const char *path, size_t at_least)
{
	json_error_t error;
	json_t *cases = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	size_t failures = 0;

	if (!cases)
		fail_msg("%s:%d: %s", path, error.line, error.text);
	assert_true(json_array_size(cases) >= at_least);
	for (size_t i = 0; i < json_array_size(cases); i++)
		failures += !case_holds(json_array_get(cases, i));
	json_decref(cases);
	assert_int_equal(failures, 0);
}

static void test_messages(void **state)
{
	(void)state;
	run_file(DATA "messages.json", 40);
}

static void test_system(void **state)
{
	(void)state;
	run_file(DATA "system.json", 8);
}

static void test_statuses(void **state)
{
	(void)state;
	run_file(DATA "statuses.json", 12);
}

static void test_account(void **state)
{
	(void)state;
	run_file(DATA "account.json", 25);
}

static void test_envelope(void **state)
{
	(void)state;
	run_file(DATA "envelope.json", 15);
}

/* ---- what no JSON file holds ---- */

#define HEAD                                                                                       \
	"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"104400000000077\","        \
	"\"changes\":[{\"field\":\"messages\",\"value\":{\"metadata\":{\"phone_number_id\":"       \
	"\"417700000000123\"},\"messages\":["
#define TAIL "]}}]}]}"
#define TEXT(id, body)                                                                             \
	"{\"from\":\"573005550142\",\"id\":\"wamid." id "\",\"timestamp\":\"1793500000\","         \
	"\"type\":\"text\",\"text\":{\"body\":\"" body "\"}}"

/* The text of the first of two messages; the second must have come through whole. */
static void test_broken_texts_cost_no_neighbour(void **state)
{
	const struct {
		pa_str body;
		pa_str text;
	} cases[] = {
		{PA_STR("a\\ud83d"), PA_STR("a\xef\xbf\xbd")},
		{PA_STR("\\udc00b"), PA_STR("\xef\xbf\xbd"
					    "b")},
		{PA_STR("\\ud83d\\ud83d\\ude00"), PA_STR("\xef\xbf\xbd\xf0\x9f\x98\x80")},
		{PA_STR("\\ud83dx\\ude00"), PA_STR("\xef\xbf\xbdx\xef\xbf\xbd")},
		{PA_STR("a\\u0000b"), PA_STR("a\0b")},
		{PA_STR("a\\u0000b\\ud800"), PA_STR("a\0b\xef\xbf\xbd")},
		{PA_STR("a\xff"
			"b"),
		 PA_STR("a\xef\xbf\xbd"
			"b")},
		{PA_STR("\xc3"), PA_STR("\xef\xbf\xbd")},
		{PA_STR("\xed\xa0\x80!"), PA_STR("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd!")},
		{PA_STR("a\nb"), PA_STR("a\nb")},
		{PA_STR("\\\\ud800"), PA_STR("\\ud800")},
		{PA_STR("\\\"\\ud800\\\""), PA_STR("\"\xef\xbf\xbd\"")},
		{PA_STR("\\qx\xff"), PA_STR("\xef\xbf\xbdqx\xef\xbf\xbd")},
		{PA_STR("\\u12\xff"), PA_STR("\xef\xbf\xbdu12\xef\xbf\xbd")},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);
		const pa_event *const *events;
		size_t count;
		pa_str body = arena_format(arena, HEAD TEXT("A", "%.*s") "," TEXT("B", "bien") TAIL,
					   (int)cases[i].body.len, cases[i].body.ptr);

		assert_int_equal(parse(body, &events, &count), PA_OK);
		assert_int_equal(count, 2);
		if (!str_equal(events[0]->text, cases[i].text))
			fail_msg("case %zu: got %.*s", i, PA_FMT(events[0]->text));
		assert_true(str_equal(events[1]->text, PA_STR("bien")));
		assert_true(str_equal(events[1]->unique, PA_STR("wamid.B")));
	}
}

/* Items that jansson would refuse the whole body for. */
static void test_broken_items_cost_no_neighbour(void **state)
{
	static const char *const items[] = {
		"{\"id\":\"wamid.A\",\"n\":123456789012345678901234567890}",
		"{\"id\":\"wamid.A\",\"n\":-9223372036854775809}",
		"{\"id\":\"wamid.A\",\"n\":1e999}",
		"{\"id\":\"wamid.A\",\"n\":[1E+400,0.5]}",
		"{\"id\":\"wamid.A\",\"id\":\"wamid.C\"}",
		"{\"id\":\"wamid.A\",\"type\":\"x\",\"x\":1,\"x\":2,\"x\":3}",
		"{\"id\":\"wamid.A\",\"a\\u0000b\":1}",
		"{\"id\":\"wamid.A\",\"a\\u0000b\":1,\"big\":99999999999999999999,\"big\":0}",
		"99999999999999999999999",
		"null",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(items); i++) {
		struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);
		pa_str body = arena_format(arena, HEAD "%s," TEXT("B", "bien") TAIL, items[i]);
		const pa_event *const *events;
		size_t count;

		if (parse(body, &events, &count) != PA_OK)
			fail_msg("case %zu is refused", i);
		assert_int_equal(count, 2);
		assert_true(str_equal(events[1]->text, PA_STR("bien")));
	}
}

static void test_first_of_equal_keys_counts(void **state)
{
	const pa_str body = PA_STR(
		HEAD "{\"from\":\"573005550142\",\"id\":\"wamid.A\",\"type\":\"text\",\"text\":"
		     "{\"body\":\"uno\",\"body\":\"dos\"},\"from\":\"573005550143\"}" TAIL);
	const pa_event *const *events;
	size_t count;

	(void)state;
	assert_int_equal(parse(body, &events, &count), PA_OK);
	assert_int_equal(count, 1);
	assert_true(str_equal(events[0]->text, PA_STR("uno")));
	assert_true(str_equal(events[0]->phone, PA_STR("573005550142")));
}

static void test_big_numbers_keep_their_digits(void **state)
{
	const pa_str body =
		PA_STR("{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":"
		       "\"104400000000077\",\"time\":1793500000,\"changes\":[{\"field\":"
		       "\"account_update\",\"value\":{\"event\":\"X\",\"n\":"
		       "123456789012345678901234567890}}]}]}");
	const pa_event *const *events;
	size_t count;

	(void)state;
	assert_int_equal(parse(body, &events, &count), PA_OK);
	assert_int_equal(count, 1);
	assert_int_equal(events[0]->at_ns, INT64_C(1793500000) * NS_PER_S);
	assert_true(
		str_equal(events[0]->detail,
			  PA_STR("{\"event\":\"X\",\"n\":\"123456789012345678901234567890\"}")));
}

static void test_no_json(void **state)
{
	static const pa_str bodies[] = {
		{"", 0},
		{NULL, 0},
		{"x", 1},
		{"{\"object\":", 10},
		{"{}{}", 4},
		{"\0", 1},
		{"[1,2", 4},
		{"{\"a\":\"\xff", 7},
		{"\"texto\"", 7},
		{"12", 2},
		{"\xef\xbb\xbf{}", 5},
	};
	const pa_event *const *events;
	size_t count;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bodies); i++)
		if (parse(bodies[i], &events, &count) != PA_REJECTED)
			fail_msg("body %zu is taken", i);
}

static void test_deep_nesting(void **state)
{
	static char body[100000];
	const pa_event *const *events;
	size_t count;

	(void)state;
	memset(body, '[', sizeof(body));
	assert_int_equal(parse((pa_str){body, sizeof(body)}, &events, &count), PA_REJECTED);
	for (size_t i = 0; i < 1000; i++)
		body[2000 - 1 - i] = ']';
	memset(body, '[', 1000);
	assert_int_equal(parse((pa_str){body, 2000}, &events, &count), PA_OK);
	assert_int_equal(count, 1);
	assert_int_equal(events[0]->kind, PA_EVENT_UNKNOWN);
}

/* ---- the same again, and much at once ---- */

static pa_str unique_of(pa_str body, char *place, size_t room)
{
	const pa_event *const *events;
	size_t count;

	assert_int_equal(parse(body, &events, &count), PA_OK);
	assert_int_equal(count, 1);
	assert_true(events[0]->unique.len > 0 && events[0]->unique.len < room);
	memcpy(place, events[0]->unique.ptr, events[0]->unique.len);
	return (pa_str){place, events[0]->unique.len};
}

#define ACCOUNT(id, time, event)                                                                   \
	"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"" id "\",\"time\":" time   \
	",\"changes\":[{\"field\":\"account_update\",\"value\":{\"event\":\"" event                \
	"\",\"a\":1,\"b\":2}}]}]}"

static void test_fingerprints(void **state)
{
	static const char reordered[] =
		"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\",\"time\":"
		"1793500000,\"changes\":[{\"field\":\"account_update\",\"value\":{\"b\": 2,"
		"\"event\":\"\\u0058\",\"a\":1}}]}]}";
	static const char *const others[] = {
		ACCOUNT("1", "1793500001", "X"),
		ACCOUNT("1", "1793500000", "Y"),
		ACCOUNT("2", "1793500000", "X"),
	};
	char first[128];
	char other[128];
	pa_str unique = unique_of(PA_STR(ACCOUNT("1", "1793500000", "X")), first, sizeof(first));

	(void)state;
	assert_true(str_equal(
		unique, unique_of(PA_STR(ACCOUNT("1", "1793500000", "X")), other, sizeof(other))));
	assert_true(str_equal(unique, unique_of(str_from(reordered), other, sizeof(other))));
	for (size_t i = 0; i < ARRAY_COUNT(others); i++)
		assert_false(
			str_equal(unique, unique_of(str_from(others[i]), other, sizeof(other))));
}

/* One app may serve several accounts: what concerns another is recorded and no more. */
static void test_other_business_accounts(void **state)
{
	static const struct rig_setting setting = {"business_account_id", "104400000000077", NULL};
	static const struct {
		const char *body;
		uint32_t kind;
	} cases[] = {
		{ACCOUNT("104400000000077", "1793500000", "X"), PA_EVENT_ACCOUNT},
		{ACCOUNT("104400000000078", "1793500000", "X"), PA_EVENT_UNKNOWN},
		{HEAD TEXT("A", "x") TAIL, PA_EVENT_MESSAGE},
	};

	(void)state;
	rig_close(&rig);
	whatsapp_rig_open(&rig, &setting, 1);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const pa_event *const *events;
		size_t count;

		assert_int_equal(parse(str_from(cases[i].body), &events, &count), PA_OK);
		assert_int_equal(count, 1);
		assert_int_equal(events[0]->kind, cases[i].kind);
	}
	rig_close(&rig);
	whatsapp_rig_open(&rig, NULL, 0);
}

/* Meta's largest batch: a thousand updates, from people with long names. */
static void test_batch_of_a_thousand(void **state)
{
	struct arena *arena = arena_new((size_t)16 << 20);
	size_t room = (size_t)4 << 20;
	char *body = arena_alloc(arena, room);
	char *name = arena_alloc(arena, 500001);
	const pa_event *const *events;
	size_t count;
	size_t len;

	(void)state;
	memset(name, 'n', 500000);
	len = (size_t)snprintf(body, room,
			       "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\","
			       "\"changes\":[{\"field\":\"messages\",\"value\":{\"metadata\":{"
			       "\"phone_number_id\":\"417700000000123\"},\"contacts\":[{\"wa_id\":"
			       "\"573005550142\",\"profile\":{\"name\":\"%s\"}}],\"messages\":[",
			       name);
	for (int i = 0; i < 1000; i++)
		len += (size_t)snprintf(body + len, room - len, "%s" TEXT("M%d", "hola %d"),
					i ? "," : "", i, i);
	len += (size_t)snprintf(body + len, room - len, "%s", TAIL);
	assert_int_equal(parse((pa_str){body, len}, &events, &count), PA_OK);
	assert_int_equal(count, 1000);
	assert_true(str_equal(events[999]->text, PA_STR("hola 999")));
	assert_int_equal(events[999]->name.len, 500000);
	arena_free(arena);
}

/* More items than a call's memory has events for: the fake host ends the program past 16 MiB. */
static void test_more_than_fits(void **state)
{
	size_t items = 1000000;
	char *body = malloc(items * 2 + 1000);
	const pa_event *const *events;
	size_t count;
	size_t len = (size_t)snprintf(body, 1000, "%s", HEAD);

	(void)state;
	for (size_t i = 0; i < items; i++) {
		memcpy(body + len, i ? ",0" : "0", i ? 2 : 1);
		len += i ? 2 : 1;
	}
	memcpy(body + len, TAIL, sizeof(TAIL) - 1);
	len += sizeof(TAIL) - 1;
	assert_int_equal(parse((pa_str){body, len}, &events, &count), PA_OK);
	assert_true(count > 1000 && count < items);
	assert_int_equal(events[count - 1]->kind, PA_EVENT_UNKNOWN);
	assert_true(str_equal(events[count - 1]->type, PA_STR("overflow")));
	free(body);
}

static int open_rig(void **state)
{
	(void)state;
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
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_system),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_account),
		cmocka_unit_test(test_envelope),
		cmocka_unit_test(test_broken_texts_cost_no_neighbour),
		cmocka_unit_test(test_broken_items_cost_no_neighbour),
		cmocka_unit_test(test_first_of_equal_keys_counts),
		cmocka_unit_test(test_big_numbers_keep_their_digits),
		cmocka_unit_test(test_no_json),
		cmocka_unit_test(test_deep_nesting),
		cmocka_unit_test(test_fingerprints),
		cmocka_unit_test(test_other_business_accounts),
		cmocka_unit_test(test_batch_of_a_thousand),
		cmocka_unit_test(test_more_than_fits),
	};

	return cmocka_run_group_tests(tests, open_rig, close_rig);
}
