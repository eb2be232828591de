/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/check.h"

#include <string.h>

static void test_equal_and_compare(void **state)
{
	static const struct {
		pa_str a, b;
		bool is_equal, is_equal_nocase;
	} cases[] = {
		{{"", 0}, {NULL, 0}, true, true},      {{"a", 1}, {"a", 1}, true, true},
		{{"a", 1}, {"b", 1}, false, false},    {{"b", 1}, {"a", 1}, false, false},
		{{"a", 1}, {"ab", 2}, false, false},   {{"ab", 2}, {"a", 1}, false, false},
		{{NULL, 0}, {"a", 1}, false, false},   {{"a\0b", 3}, {"a\0c", 3}, false, false},
		{{"A", 1}, {"a", 1}, false, true},     {{"\xff", 1}, {"a", 1}, false, false},
		{{"Key", 3}, {"kEY", 3}, false, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_int_equal(str_equal(cases[i].a, cases[i].b), cases[i].is_equal);
		assert_int_equal(str_equal_nocase(cases[i].a, cases[i].b),
				 cases[i].is_equal_nocase);
	}
}

static void test_starts_and_ends(void **state)
{
	static const struct {
		const char *text, *part;
		bool starts, ends;
	} cases[] = {
		{"", "", true, true},       {"abc", "", true, true},
		{"abc", "ab", true, false}, {"abc", "bc", false, true},
		{"abc", "abc", true, true}, {"abc", "abcd", false, false},
		{"", "a", false, false},    {"aaa", "aa", true, true},
		{NULL, "a", false, false},  {NULL, "", true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		pa_str text = str_from(cases[i].text), part = str_from(cases[i].part);

		assert_int_equal(str_starts(text, part), cases[i].starts);
		assert_int_equal(str_ends(text, part), cases[i].ends);
	}
}

static void test_slice_is_clamped(void **state)
{
	static const struct {
		size_t at, len;
		const char *wanted;
	} cases[] = {
		{0, 3, "abc"}, {1, 1, "b"},          {1, 99, "bc"},      {3, 1, ""},
		{99, 99, ""},  {0, SIZE_MAX, "abc"}, {2, SIZE_MAX, "c"}, {SIZE_MAX, SIZE_MAX, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		expect_str(str_slice(PA_STR("abc"), cases[i].at, cases[i].len),
			   str_from(cases[i].wanted));
	expect_str(str_slice(PA_STR_ABSENT, 0, 5), PA_STR_ABSENT);
	expect_str(str_slice(PA_STR_ABSENT, 7, 5), PA_STR_ABSENT);
}

static void test_trim(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{" ", ""},
		{" \t\r\n\v\f", ""},
		{"a", "a"},
		{" a ", "a"},
		{"\n a b \t", "a b"},
		{"\xc2\xa0x", "\xc2\xa0x"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		expect_str(str_trim(str_from(cases[i][0])), str_from(cases[i][1]));
	expect_str(str_trim(PA_STR_ABSENT), PA_STR_ABSENT);
}

static void test_printable(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"peso \xc2\xb7 \xc3\xb1", "peso \xc2\xb7 \xc3\xb1"},
		{"a\tb\r\nc\x7f", "a b  c "},
		{"\x1b[2J\x1b]0;x\a", " [2J ]0;x "},
		{"\xc2\x9b"
		 "31m\xc2\x80\xc2\x9f",
		 " 31m  "},
		{"x\xc2", "x\xc2"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		pa_str text = str_from(cases[i][0]);

		expect_str((pa_str){out, str_printable(text, out)}, str_from(cases[i][1]));
		memcpy(out, text.ptr, text.len);
		expect_str((pa_str){out, str_printable((pa_str){out, text.len}, out)},
			   str_from(cases[i][1]));
	}
}

static void test_find(void **state)
{
	static const struct {
		const char *text, *needle;
		size_t at;
	} cases[] = {
		{"abcabc", "c", 2},    {"abc", "abc", 0}, {"abc", "abcd", SIZE_MAX},
		{"abc", "", 0},        {"", "", 0},       {"", "a", SIZE_MAX},
		{NULL, "a", SIZE_MAX}, {NULL, "", 0},     {"aab", "ab", 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		assert_true(str_find(str_from(cases[i].text), str_from(cases[i].needle)) ==
			    cases[i].at);
	assert_int_equal(str_find((pa_str){"a\0b\0c", 5}, (pa_str){"\0c", 2}), 3);
}

static void test_split_walks_all_parts(void **state)
{
	static const struct {
		const char *text;
		const char *parts[4];
		size_t count;
	} cases[] = {
		{"", {""}, 1},      {"a", {"a"}, 1},           {"a,b", {"a", "b"}, 2},
		{",", {"", ""}, 2}, {",a,", {"", "a", ""}, 3}, {"a,,b", {"a", "", "b"}, 3},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		pa_str rest = str_from(cases[i].text);
		size_t count = 0;

		while (!str_is_absent(rest))
			expect_str(str_split(&rest, ','), str_from(cases[i].parts[count++]));
		assert_int_equal(count, cases[i].count);
	}
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		bool is_int, is_uint;
		int64_t integer;
		uint64_t natural;
	} cases[] = {
		{"0", true, true, 0, 0},
		{"-0", true, false, 0, 0},
		{"007", true, true, 7, 7},
		{"9223372036854775807", true, true, INT64_MAX, INT64_MAX},
		{"9223372036854775808", false, true, 0, UINT64_C(9223372036854775808)},
		{"-9223372036854775808", true, false, INT64_MIN, 0},
		{"-9223372036854775809", false, false, 0, 0},
		{"18446744073709551615", false, true, 0, UINT64_MAX},
		{"18446744073709551616", false, false, 0, 0},
		{"99999999999999999999", false, false, 0, 0},
		{"000000000000000000000000000001", true, true, 1, 1},
		{"", false, false, 0, 0},
		{NULL, false, false, 0, 0},
		{"-", false, false, 0, 0},
		{"--1", false, false, 0, 0},
		{"+1", false, false, 0, 0},
		{" 1", false, false, 0, 0},
		{"1 ", false, false, 0, 0},
		{"1.0", false, false, 0, 0},
		{"1e3", false, false, 0, 0},
		{"0x1", false, false, 0, 0},
		{"٣", false, false, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		int64_t integer = 42;
		uint64_t natural = 42;

		assert_int_equal(str_to_int64(str_from(cases[i].text), &integer), cases[i].is_int);
		assert_true(integer == (cases[i].is_int ? cases[i].integer : 42));
		assert_int_equal(str_to_uint64(str_from(cases[i].text), &natural),
				 cases[i].is_uint);
		assert_true(natural == (cases[i].is_uint ? cases[i].natural : 42));
		assert_int_equal(str_is_digits(str_from(cases[i].text)),
				 cases[i].text && *cases[i].text &&
					 strspn(cases[i].text, "0123456789") ==
						 strlen(cases[i].text));
	}
	{
		int64_t integer;

		assert_false(str_to_int64((pa_str){"1\0", 2}, &integer));
	}
}

/* Neighbouring keys spread over the low bits, which tables use. */
static void test_hash_spreads(void **state)
{
	enum { BUCKETS = 1024, KEYS = 16 * BUCKETS };
	static unsigned buckets[BUCKETS];
	unsigned worst = 0;

	(void)state;
	for (uint32_t i = 0; i < KEYS; i++) {
		pa_str key = {(const char *)&i, sizeof(i)};
		unsigned n = ++buckets[str_hash(key) % BUCKETS];

		worst = n > worst ? n : worst;
	}
	assert_true(worst < 48); /* 16 on average; beyond 48 is less likely than 1 in 10^7 */
	assert_true(str_hash(PA_STR("ab")) != str_hash(PA_STR("ba")));
	assert_true(str_hash(PA_STR("")) == str_hash(PA_STR_ABSENT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_and_compare),
		cmocka_unit_test(test_starts_and_ends),
		cmocka_unit_test(test_slice_is_clamped),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_printable),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_split_walks_all_parts),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_hash_spreads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
