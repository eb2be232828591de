/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "support/check.h"

#include <time.h>

#define BOGOTA_MIDNIGHT (5 * NS_PER_HOUR) /* 1970-01-01 00:00 in Bogota */

static void test_known_dates(void **state)
{
	static const struct {
		struct date date;
		int64_t days;
		int weekday;
	} cases[] = {
		{{1970, 1, 1}, 0, 4},      {{1969, 12, 31}, -1, 3},   {{2000, 2, 29}, 11016, 2},
		{{2000, 3, 1}, 11017, 3},  {{1900, 3, 1}, -25508, 4}, {{2026, 11, 21}, 20778, 6},
		{{2024, 2, 29}, 19782, 4}, {{1, 1, 1}, -719162, 1},   {{9999, 12, 31}, 2932896, 5},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct date back = date_from_days(cases[i].days);

		assert_int_equal(date_to_days(cases[i].date), cases[i].days);
		assert_int_equal(back.year, cases[i].date.year);
		assert_int_equal(back.month, cases[i].date.month);
		assert_int_equal(back.day, cases[i].date.day);
		assert_int_equal(day_of_week(cases[i].days), cases[i].weekday);
	}
}

/* Every day from year 1 to 9999: one after the other, and as the C library has it. */
static void test_every_day_of_all_years(void **state)
{
	struct date end = {9999, 12, 31}, start = {1, 1, 1};
	int64_t last = date_to_days(end);

	(void)state;
	for (int64_t days = date_to_days(start); days <= last; days++) {
		struct date date = date_from_days(days);
		time_t seconds = (time_t)(days * 86400);
		struct tm tm;

		gmtime_r(&seconds, &tm);
		if (date.year != tm.tm_year + 1900 || date.month != tm.tm_mon + 1 ||
		    date.day != tm.tm_mday || day_of_week(days) != tm.tm_wday ||
		    date_to_days(date) != days || !date_is_valid(date))
			fail_msg("day %lld", (long long)days);
	}
}

static void test_validity(void **state)
{
	static const struct {
		struct date date;
		bool is_valid;
	} cases[] = {
		{{2024, 2, 29}, true},        {{2023, 2, 29}, false},
		{{1900, 2, 29}, false},       {{2000, 2, 29}, true},
		{{2024, 2, 30}, false},       {{2024, 4, 31}, false},
		{{2024, 12, 31}, true},       {{2024, 12, 32}, false},
		{{2024, 13, 1}, false},       {{2024, 0, 1}, false},
		{{2024, 1, 0}, false},        {{0, 1, 1}, false},
		{{10000, 1, 1}, false},       {{-1, 1, 1}, false},
		{{INT32_MAX, 12, 31}, false}, {{2024, INT32_MIN, INT32_MIN}, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		assert_int_equal(date_is_valid(cases[i].date), cases[i].is_valid);
}

static void test_local_time(void **state)
{
	static const struct {
		int64_t at_ns, day;
		int minute;
	} cases[] = {
		{BOGOTA_MIDNIGHT, 0, 0},
		{BOGOTA_MIDNIGHT - 1, -1, 1439},
		{0, -1, 19 * 60},
		{BOGOTA_MIDNIGHT + NS_PER_DAY - 1, 0, 1439},
		{BOGOTA_MIDNIGHT + NS_PER_DAY, 1, 0},
		{BOGOTA_MIDNIGHT - NS_PER_DAY, -1, 0},
		{BOGOTA_MIDNIGHT - NS_PER_DAY - 1, -2, 1439},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_int_equal(local_day(cases[i].at_ns), cases[i].day);
		assert_int_equal(local_minute(cases[i].at_ns), cases[i].minute);
	}
}

static void test_words(void **state)
{
	static const struct {
		int minute;
		const char *spoken;
	} hours[] = {
		{60, "1 de la mañana"},
		{11 * 60 + 59, "11:59 de la mañana"},
		{12 * 60, "12 del mediodía"},
		{12 * 60 + 30, "12:30 del mediodía"},
		{13 * 60, "1 de la tarde"},
		{14 * 60 + 5, "2:05 de la tarde"},
		{18 * 60 + 59, "6:59 de la tarde"},
		{19 * 60, "7 de la noche"},
		{23 * 60 + 59, "11:59 de la noche"},
	};
	static const char *const months[] = {"enero",      "febrero", "marzo",     "abril",
					     "mayo",       "junio",   "julio",     "agosto",
					     "septiembre", "octubre", "noviembre", "diciembre"};
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 16);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(hours); i++)
		expect_str(hour_spoken(arena, BOGOTA_MIDNIGHT + hours[i].minute * NS_PER_MINUTE),
			   str_from(hours[i].spoken));
	for (int i = 0; i < 12; i++) {
		struct date date = {2027, i + 1, 15};

		expect_str(date_long(arena, date_to_days(date)),
			   arena_format(arena, "15 de %s de 2027", months[i]));
	}
	expect_str(instant_iso(arena, INT64_C(1795219199999999999)),
		   PA_STR("2026-11-20T18:59:59-05:00"));
	expect_str(instant_iso(arena, -1), PA_STR("1969-12-31T18:59:59-05:00"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_dates), cmocka_unit_test(test_every_day_of_all_years),
		cmocka_unit_test(test_validity),    cmocka_unit_test(test_local_time),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
