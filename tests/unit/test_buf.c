/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "support/check.h"

#include <string.h>

static void test_grows_and_holds(void **state)
{
	struct buf buf PA_CLEANUP(buf_done) = BUF_INIT(1 << 20);

	(void)state;
	expect_str(buf_str(&buf), PA_STR(""));
	for (int i = 0; i < 1000; i++) {
		buf_add(&buf, PA_STR("ab"));
		buf_add_byte(&buf, 'c');
		buf_format(&buf, "%03d", i);
	}
	assert_false(buf.is_over);
	assert_int_equal(buf.len, 6000);
	expect_str(str_slice(buf_str(&buf), 6 * 123, 6), PA_STR("abc123"));
	buf_clear(&buf);
	expect_str(buf_str(&buf), PA_STR(""));
	buf_add(&buf, PA_STR_ABSENT);
	buf_format(&buf, "%s", "");
	assert_int_equal(buf.len, 0);
	assert_false(buf.is_over);
}

/* Nothing is added beyond the cap, and nothing after that either, however small. */
static void test_cap_is_kept(void **state)
{
	static const struct {
		size_t cap, first, second;
		bool is_over;
	} cases[] = {
		{0, 1, 0, true},      {1, 1, 0, false},      {1, 1, 1, true},
		{10, 4, 6, false},    {10, 4, 7, true},      {300, 299, 1, false},
		{300, 256, 45, true}, {1000, 1001, 1, true}, {1000, 0, 1000, false},
	};
	static char bytes[1024];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct buf buf PA_CLEANUP(buf_done) = BUF_INIT(cases[i].cap);

		buf_add(&buf, (pa_str){bytes, cases[i].first});
		buf_add(&buf, (pa_str){bytes, cases[i].second});
		assert_int_equal(buf.is_over, cases[i].is_over);
		assert_true(buf.len <= cases[i].cap);
		if (!cases[i].is_over)
			continue;
		{
			size_t len = buf.len;

			buf_add_byte(&buf, 'y');
			buf_format(&buf, "y");
			assert_null(buf_grow(&buf, 1));
			assert_int_equal(buf.len, len);
			assert_true(buf.is_over);
		}
	}
}

static void test_reserved_bytes_are_writable(void **state)
{
	struct buf buf PA_CLEANUP(buf_done) = BUF_INIT(4096);
	char *start;

	(void)state;
	buf_add(&buf, PA_STR("head"));
	start = buf_grow(&buf, 4000);
	assert_non_null(start);
	memset(start, 'z', 4000);
	expect_str(str_slice(buf_str(&buf), 0, 6), PA_STR("headzz"));
	assert_int_equal(buf.len, 4004);
	assert_null(buf_grow(&buf, SIZE_MAX));
	assert_true(buf.is_over);
	buf_done(&buf);
	buf_add(&buf, PA_STR("usable"));
	expect_str(buf_str(&buf), PA_STR("usable"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_and_holds),
		cmocka_unit_test(test_cap_is_kept),
		cmocka_unit_test(test_reserved_bytes_are_writable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
