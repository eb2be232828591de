/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/money.h"
#include "support/check.h"

static void test_format(void **state)
{
	static const struct {
		int64_t pesos;
		const char *text;
	} cases[] = {
		{0, "$\u00a00"},
		{7, "$\u00a07"},
		{999, "$\u00a0999"},
		{1000, "$\u00a01.000"},
		{100000, "$\u00a0100.000"},
		{3210500, "$\u00a03.210.500"},
		{-1, "-$\u00a01"},
		{-1234, "-$\u00a01.234"},
		{INT64_MAX, "$\u00a09.223.372.036.854.775.807"},
		{INT64_MIN, "-$\u00a09.223.372.036.854.775.808"},
	};
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 16);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		expect_str(money_format(arena, cases[i].pesos), str_from(cases[i].text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_format)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
