/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/str.h"
#include "io/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void expect(const struct json *json, const char *text)
{
	struct buf out PA_CLEANUP(buf_done) = BUF_INIT(4096);

	json_write(json, &out);
	buf_add_byte(&out, 0);
	assert_string_equal(out.data, text);
}

static void test_write(void **state)
{
	struct json *object PA_CLEANUP(json_done) = json_object_new();
	struct json *list = json_array_new(), *child = json_object_new();

	(void)state;
	json_set_text(object, "text", PA_STR("año \"1\"\n"));
	json_set_text(object, "nul", PA_STR("a\0b"));
	json_set_text(object, "absent", PA_STR_ABSENT);
	json_set_text(object, "empty", PA_STR(""));
	json_set_integer(object, "big", INT64_MAX);
	json_set_bool(object, "yes", true);
	json_append_text(list, PA_STR("x"));
	json_set_integer(child, "n", -1);
	json_append(list, child);
	json_set(object, "list", list);
	expect(object, "{\"text\":\"año \\\"1\\\"\\n\",\"nul\":\"a\\u0000b\",\"absent\":null,"
		       "\"empty\":\"\",\"big\":9223372036854775807,\"yes\":true,"
		       "\"list\":[\"x\",{\"n\":-1}]}");
}

static void test_broken_text_is_repaired(void **state)
{
	struct json *object PA_CLEANUP(json_done) = json_object_new();

	(void)state;
	json_set_text(object, "t", PA_STR("a\xff\xed\xa0\x80z"));
	expect(object, "{\"t\":\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"}");
}

static void test_read(void **state)
{
	struct json *json PA_CLEANUP(json_done) = NULL;
	pa_error err = ERROR_INIT;
	int64_t number = 7;
	bool flag = false;
	pa_str text;

	(void)state;
	assert_int_equal(json_parse(PA_STR("{\"a\":\"x\\u0000y\",\"b\":-5,\"c\":true,\"d\":[1,2],"
					   "\"e\":1.5}"),
				    &json, &err),
			 PA_OK);
	assert_true(json_get_text(json, "a", &text));
	assert_true(str_equal(text, PA_STR("x\0y")));
	assert_true(json_get_integer(json, "b", &number));
	assert_int_equal(number, -5);
	assert_true(json_get_bool(json, "c", &flag));
	assert_true(flag);
	assert_int_equal(json_count(json_get(json, "d")), 2);
	assert_null(json_at(json_get(json, "d"), 2));
	/* another type, no such key, no object */
	assert_false(json_get_integer(json, "e", &number));
	assert_false(json_get_text(json, "b", &text));
	assert_false(json_get_bool(json, "z", &flag));
	assert_null(json_get(json_get(json, "d"), "a"));
	assert_int_equal(json_count(json_get(json, "a")), 0);
	assert_int_equal(number, -5);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"{\"a\":1}{",
		"{\"a\":1,\"a\":2}",
		"{'a':1}",
		"[1,]",
		"\"\xff\"",
		"{\"n\":99999999999999999999}",
		"\"\\ud800\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		struct json *json = NULL;
		pa_error err = ERROR_INIT;

		assert_int_equal(json_parse(str_from(bad[i]), &json, &err), PA_REJECTED);
		assert_null(json);
		assert_memory_equal(error_text(&err), "not JSON, line 1", 16);
	}
}

static void test_deep(void **state)
{
	char text[5000];
	struct json *json = NULL;

	(void)state;
	memset(text, '[', sizeof(text));
	assert_int_equal(json_parse((pa_str){text, sizeof(text)}, &json, NULL), PA_REJECTED);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write), cmocka_unit_test(test_broken_text_is_repaired),
		cmocka_unit_test(test_read),  cmocka_unit_test(test_refused),
		cmocka_unit_test(test_deep),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
