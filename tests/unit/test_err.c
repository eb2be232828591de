/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "support/check.h"

#include <string.h>

static void test_text_and_prefix(void **state)
{
	pa_error err = ERROR_INIT;

	(void)state;
	assert_string_equal(error_text(&err), "");
	assert_string_equal(error_text(NULL), "");
	assert_int_equal(error_set(&err, PA_RETRY, "port %d", 7), PA_RETRY);
	error_prefix(&err, "sms: %s: ", "POST");
	assert_string_equal(error_text(&err), "sms: POST: port 7");
	assert_int_equal(err.len, strlen("sms: POST: port 7"));
	assert_int_equal(error_set(NULL, PA_BUG, "nobody listens"), PA_BUG);
	error_prefix(NULL, "nobody");
}

static void test_long_texts_are_cut(void **state)
{
	static char text[2000];
	pa_error err = ERROR_INIT;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	error_set(&err, PA_BUG, "%s", text);
	assert_int_equal(err.len, sizeof(err.text) - 1);
	assert_int_equal(strlen(err.text), err.len);
	for (int i = 0; i < 3; i++) {
		error_prefix(&err, "%s", i == 1 ? text : "front: ");
		assert_int_equal(err.len, sizeof(err.text) - 1);
		assert_int_equal(strlen(err.text), err.len);
	}
	assert_memory_equal(err.text, "front: xxx", 10);
}

static void test_status_names(void **state)
{
	static const char *const names[] = {"ok",       "retry", "rejected",
					    "deadline", "bug",   "unknown"};

	(void)state;
	for (pa_status i = 0; i < ARRAY_COUNT(names); i++)
		assert_string_equal(status_name(i), names[i]);
	assert_string_equal(status_name(UINT32_MAX), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_and_prefix),
		cmocka_unit_test(test_long_texts_are_cut),
		cmocka_unit_test(test_status_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
