/* SPDX-License-Identifier: Apache-2.0
 *
 * How a webhook's JSON may be written: what is none is refused, what is unusual is read, what is
 * hostile costs no more than its length.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "support/fake_host.h"
#include "support/whatsapp_rig.h"

#include <stdlib.h>
#include <string.h>

#define HEAD                                                                                       \
	"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"changes\":[{\"field\":"           \
	"\"messages\",\"value\":{\"messages\":["
#define TAIL "]}}]}]}"

static struct rig rig;

static pa_status parse(pa_str body, const pa_event *const **ret_events, size_t *ret_count)
{
	pa_error err = ERROR_INIT;
	pa_status status;

	rig_next_call(&rig);
	status = rig.ops->parse(rig.self, rig.call, fake_guard(body), ret_events, ret_count, &err);
	fake_guard_free();
	return status;
}

/* What a reader that only looks for tokens would let pass. */
static void test_almost_json(void **state)
{
	const pa_str bodies[] = {
		PA_STR("{\"a\"}"),
		PA_STR("{\"a\":}"),
		PA_STR("{\"a\" 1}"),
		PA_STR("{\"a\" \"b\"}"),
		PA_STR("{\"a\":1 \"b\":2}"),
		PA_STR("{\"a\":1,}"),
		PA_STR("{\"a\":1:2}"),
		PA_STR("{\"a\":\"b\":\"c\"}"),
		PA_STR("{\"a\":{}{}}"),
		PA_STR("{,}"),
		PA_STR("{:1}"),
		PA_STR("{1:2}"),
		PA_STR("{[]:1}"),
		PA_STR("{\"a\":[1}]"),
		PA_STR("[\"a\":1]"),
		PA_STR("[1 2]"),
		PA_STR("[[] []]"),
		PA_STR("[\"a\" \"b\"]"),
		PA_STR("[1,,2]"),
		PA_STR("[,1]"),
		PA_STR("[1,]"),
		PA_STR("[}"),
		PA_STR("[]]"),
		PA_STR("[],"),
		PA_STR("[] []"),
		PA_STR("[]\0"),
		PA_STR("[\0]"),
		PA_STR("[1\0]"),
		PA_STR("[\"a]"),
		PA_STR("[\"a\\\"]"),
		PA_STR("[truex]"),
		PA_STR("[nul]"),
		PA_STR("[falsefalse]"),
		PA_STR("[-]"),
		PA_STR("[01]"),
		PA_STR("[1.]"),
		PA_STR("[1e]"),
		PA_STR("[.5]"),
		PA_STR("[+1]"),
		PA_STR("[0x10]"),
		PA_STR("[1E400-5]"),
		PA_STR("[1E400\"a\"]"),
		PA_STR("[99999999999999999999a]"),
		PA_STR("['a']"),
		PA_STR("[\xc2\xa0]"),
	};
	const pa_event *const *events;
	size_t count;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bodies); i++)
		if (parse(bodies[i], &events, &count) != PA_REJECTED)
			fail_msg("body %zu is taken: %.*s", i, PA_FMT(bodies[i]));
}

/* Escapes in keys, blanks, and objects that hold the same keys further in. */
static void test_unusual_ways_to_write_it(void **state)
{
	const pa_str body = PA_STR(
		" \t{ \"\\u006fbject\" : \"whatsapp\\u005fbusiness_account\" ,\r\n\"entry\":[{"
		"\"changes\":[{\"value\":{\"metadata\":{\"id\":\"9\",\"messages\":[7],"
		"\"phone\\u005fnumber_id\":\"417700000000123\"},\"messages\" : [ {\"context\":{"
		"\"type\":\"no\",\"text\":{\"body\":\"no\"},\"id\":\"wamid.\\/X\"},\"\\u0066rom\":"
		"\"+573005550142\",\"id\":\"wamid.A\",\"timestamp\":1793500000 ,\"type\":\"text\","
		"\"text\":{\"a\":[[{\"body\":\"no\"}],{}],\"body\":\"Mar\\u00eda \x7f\"}} ] },"
		"\"field\":\"messages\"}]}]}\n");
	const pa_event *const *events;
	size_t count;

	(void)state;
	assert_int_equal(parse(body, &events, &count), PA_OK);
	assert_int_equal(count, 1);
	assert_int_equal(events[0]->kind, PA_EVENT_MESSAGE);
	assert_true(str_equal(events[0]->account, PA_STR("417700000000123")));
	assert_true(str_equal(events[0]->phone, PA_STR("573005550142")));
	assert_true(str_equal(events[0]->context_id, PA_STR("wamid./X")));
	assert_true(str_equal(events[0]->text, PA_STR("Mar\xc3\xad"
						      "a \x7f")));
	assert_int_equal(events[0]->at_ns, INT64_C(1793500000) * NS_PER_S);
}

static pa_str joined(struct arena *arena, const pa_str parts[3])
{
	char *text = arena_alloc(arena, parts[0].len + parts[1].len + parts[2].len);
	size_t len = 0;

	for (size_t i = 0; i < 3; i++) {
		memcpy(text + len, parts[i].ptr, parts[i].len);
		len += parts[i].len;
	}
	return (pa_str){text, len};
}

/* An item that is kept as it came: compact, and JSON whatever it was. */
static void test_detail_is_compact_json(void **state)
{
	const struct {
		pa_str item;
		pa_str detail;
	} cases[] = {
		{PA_STR("[ ]"), PA_STR("[]")},
		{PA_STR("{ \"a\" : [ 1 , -2,{ } ],\t\"b\" : null }"),
		 PA_STR("{\"a\":[1,-2,{}],\"b\":null}")},
		{PA_STR("{\"a\":[true,false,0,-0,0.5,2e3]}"),
		 PA_STR("{\"a\":[true,false,0,0,0.5,2000.0]}")},
		{PA_STR("[1E400,123456789012345678901,1234567890123456789]"),
		 PA_STR("[\"1E400\",\"123456789012345678901\",1234567890123456789]")},
		{PA_STR("\"a\\/\\u00e9\\n , \\\"\""), PA_STR("\"a/\xc3\xa9\\n , \\\"\"")},
		{PA_STR("{\"a\\u0000\":\"\\u0000\"}"), PA_STR("{\"a\xef\xbf\xbd\":\"\\u0000\"}")},
		{PA_STR("[\"\0\",\"\xff\",\"\\q\"]"),
		 PA_STR("[\"\\u0000\",\"\xef\xbf\xbd\",\"\xef\xbf\xbdq\"]")},
		{PA_STR("{\"id\":1,\"id\":2}"), PA_STR("{\"id\":1,\"id\":2}")},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const pa_str parts[3] = {PA_STR(HEAD), cases[i].item, PA_STR(TAIL)};
		struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);
		const pa_event *const *events;
		size_t count;

		assert_int_equal(parse(joined(arena, parts), &events, &count), PA_OK);
		assert_int_equal(count, 1);
		assert_int_equal(events[0]->kind, PA_EVENT_UNKNOWN);
		if (!str_equal(events[0]->detail, cases[i].detail))
			fail_msg("case %zu: got %.*s", i, PA_FMT(events[0]->detail));
	}
}

static pa_status parse_repeated(const char *begin, const char *again, size_t times, const char *end)
{
	size_t room = strlen(begin) + times * strlen(again) + strlen(end);
	char *body = malloc(room);
	size_t len = strlen(begin);
	const pa_event *const *events;
	size_t count;
	pa_status status;

	memcpy(body, begin, len);
	for (size_t i = 0; i < times; i++, len += strlen(again))
		memcpy(body + len, again, strlen(again));
	memcpy(body + len, end, strlen(end));
	status = parse((pa_str){body, room}, &events, &count);
	free(body);
	return status;
}

static pa_status parse_nested(size_t depth)
{
	static char body[10000];
	const pa_event *const *events;
	size_t count;

	memset(body, '[', depth);
	memset(body + depth, ']', depth);
	return parse((pa_str){body, 2 * depth}, &events, &count);
}

static void test_depth(void **state)
{
	(void)state;
	assert_int_equal(parse_nested(2048), PA_OK);
	assert_int_equal(parse_nested(2049), PA_REJECTED);
}

/* A megabyte of what would take a careless reader minutes, or its stack. */
static void test_hostile_megabytes(void **state)
{
	(void)state;
	assert_int_equal(parse_repeated("", "[", 1000000, ""), PA_REJECTED);
	assert_int_equal(parse_repeated("", "{\"a\":", 200000, ""), PA_REJECTED);
	assert_int_equal(parse_repeated("[", "{\"a\":", 200000, "]"), PA_REJECTED);
	assert_int_equal(parse_repeated("[", "[],", 300000, "0]"), PA_OK);
	assert_int_equal(parse_repeated("{", "\"a\":1,", 150000, "\"a\":1}"), PA_OK);
	assert_int_equal(parse_repeated(HEAD "{", "\"a\":1,", 150000, "\"id\":\"a\"}" TAIL), PA_OK);
	assert_int_equal(parse_repeated("{", "\"\":", 300000, "0}"), PA_REJECTED);
	assert_int_equal(parse_repeated(HEAD "\"", "\\ud800", 150000, "\"" TAIL), PA_OK);
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
		cmocka_unit_test(test_almost_json),
		cmocka_unit_test(test_unusual_ways_to_write_it),
		cmocka_unit_test(test_detail_is_compact_json),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_hostile_megabytes),
	};

	return cmocka_run_group_tests(tests, open_rig, close_rig);
}
