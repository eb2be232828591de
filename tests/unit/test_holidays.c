/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/holidays.h"

static int64_t day(int year, int month, int of_month)
{
	return date_to_days((struct date){year, month, of_month});
}

/* CA-01: the published lists of three years, the law of 2026 included. */
static void test_CA_01_published_years(void **state)
{
	static const int published[3][19][2] = {
		{{1, 1},
		 {1, 6},
		 {3, 24},
		 {4, 17},
		 {4, 18},
		 {5, 1},
		 {6, 2},
		 {6, 23},
		 {6, 30},
		 {6, 30},
		 {7, 20},
		 {8, 7},
		 {8, 18},
		 {10, 13},
		 {11, 3},
		 {11, 17},
		 {12, 8},
		 {12, 25}},
		{{1, 1},
		 {1, 12},
		 {3, 23},
		 {4, 2},
		 {4, 3},
		 {5, 1},
		 {5, 18},
		 {6, 8},
		 {6, 15},
		 {6, 29},
		 {7, 13},
		 {7, 20},
		 {8, 7},
		 {8, 17},
		 {10, 12},
		 {11, 2},
		 {11, 16},
		 {12, 8},
		 {12, 25}},
		{{1, 1},
		 {1, 11},
		 {3, 22},
		 {3, 25},
		 {3, 26},
		 {5, 1},
		 {5, 10},
		 {5, 31},
		 {6, 7},
		 {7, 5},
		 {7, 12},
		 {7, 20},
		 {8, 7},
		 {8, 16},
		 {10, 18},
		 {11, 1},
		 {11, 15},
		 {12, 8},
		 {12, 25}},
	};

	(void)state;
	for (int year = 2025; year <= 2027; year++) {
		int64_t days[HOLIDAYS_ROOM];
		size_t count = holidays_of_year(year, days);

		assert_int_equal(count, year == 2025 ? 18 : 19);
		for (size_t i = 0; i < count; i++) {
			const int *want = published[year - 2025][i];

			assert_int_equal(days[i], day(year, want[0], want[1]));
		}
	}
}

static void test_CA_01_two_on_one_day_and_days_that_are_none(void **state)
{
	static const int none[][3] = {
		{2026, 4, 4}, {2026, 3, 30}, {2026, 12, 24}, {2026, 12, 31}, {2025, 7, 14}};
	const char *name;

	(void)state;
	assert_true(holiday_name(day(2025, 6, 30), &name));
	assert_non_null(name);
	for (size_t i = 0; i < ARRAY_COUNT(none); i++) {
		assert_true(holiday_name(day(none[i][0], none[i][1], none[i][2]), &name));
		assert_null(name);
	}
}

static void test_CA_02_outside_the_years_is_an_error(void **state)
{
	int64_t days[HOLIDAYS_ROOM];
	const char *name;
	int64_t due;
	bool is;

	(void)state;
	assert_int_equal(holidays_of_year(1983, days), 0);
	assert_int_equal(holidays_of_year(2100, days), 0);
	assert_int_equal(holidays_of_year(1984, days), 18);
	assert_int_equal(holidays_of_year(2099, days), 19);
	assert_false(holiday_name(day(2100, 1, 1), &name));
	assert_false(business_day(day(1983, 12, 31), &is));
	assert_false(business_days_after(day(2099, 12, 30), 5, &due));
}

/* Easter falls on a Sunday, and the moved ones on a Monday, in every year. */
static void test_CA_02_every_year_is_sane(void **state)
{
	(void)state;
	for (int year = HOLIDAYS_FIRST_YEAR; year <= HOLIDAYS_LAST_YEAR; year++) {
		int64_t days[HOLIDAYS_ROOM];

		holidays_of_year(year, days);
		assert_int_equal(day_of_week(days[3]), 4);
		assert_int_equal(day_of_week(days[4]), 5);
		for (size_t i = 6; i <= 9; i++)
			assert_int_equal(day_of_week(days[i]), 1);
	}
}

/* The vectors of the terms of Ley 1581: 2, 10 (next day and strict), 15 and 8 more. */
static void test_business_day_terms(void **state)
{
	static const struct {
		int from[3], two[3], ten[3], strict[3], fifteen[3], eight[3];
	} v[] = {
		{{2025, 6, 20},
		 {2025, 6, 25},
		 {2025, 7, 8},
		 {2025, 7, 7},
		 {2025, 7, 15},
		 {2025, 7, 25}},
		{{2025, 12, 30},
		 {2026, 1, 2},
		 {2026, 1, 15},
		 {2026, 1, 14},
		 {2026, 1, 22},
		 {2026, 2, 3}},
		{{2026, 6, 26},
		 {2026, 7, 1},
		 {2026, 7, 14},
		 {2026, 7, 10},
		 {2026, 7, 22},
		 {2026, 8, 3}},
		{{2026, 7, 12},
		 {2026, 7, 15},
		 {2026, 7, 28},
		 {2026, 7, 28},
		 {2026, 8, 4},
		 {2026, 8, 18}},
		{{2026, 11, 20},
		 {2026, 11, 24},
		 {2026, 12, 4},
		 {2026, 12, 3},
		 {2026, 12, 14},
		 {2026, 12, 24}},
		{{2026, 12, 4},
		 {2026, 12, 9},
		 {2026, 12, 21},
		 {2026, 12, 18},
		 {2026, 12, 29},
		 {2027, 1, 12}},
		{{2027, 3, 19},
		 {2027, 3, 24},
		 {2027, 4, 7},
		 {2027, 4, 6},
		 {2027, 4, 14},
		 {2027, 4, 26}},
	};

	(void)state;
#define DAY(d) day((d)[0], (d)[1], (d)[2])
	for (size_t i = 0; i < ARRAY_COUNT(v); i++) {
		int64_t due;

		assert_true(business_days_after(DAY(v[i].from), 2, &due));
		assert_int_equal(due, DAY(v[i].two));
		assert_true(business_days_after(DAY(v[i].from), 10, &due));
		assert_int_equal(due, DAY(v[i].ten));
		assert_true(business_days_after(DAY(v[i].from) - 1, 10, &due));
		assert_int_equal(due, DAY(v[i].strict));
		assert_true(business_days_after(DAY(v[i].from), 15, &due));
		assert_int_equal(due, DAY(v[i].fifteen));
		assert_true(business_days_after(due, 8, &due));
		assert_int_equal(due, DAY(v[i].eight));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_CA_01_published_years),
		cmocka_unit_test(test_CA_01_two_on_one_day_and_days_that_are_none),
		cmocka_unit_test(test_CA_02_outside_the_years_is_an_error),
		cmocka_unit_test(test_CA_02_every_year_is_sane),
		cmocka_unit_test(test_business_day_terms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
