/* SPDX-License-Identifier: Apache-2.0 */
#include "flow_chat.h"

#include "flow/hours.h"

/* Monday to Friday 8 to 17, Saturday 9 to 12. */
static const struct hours week = {{0, 480, 480, 480, 480, 480, 540},
				  {0, 1020, 1020, 1020, 1020, 1020, 720}};

static void assert_next(int64_t now_ns, int64_t want_ns)
{
	assert_int_equal(hours_next(&week, now_ns), want_ns);
}

static void test_the_next_opening(void **state)
{
	(void)state;
	assert_next(at(2026, 11, 20, 10), at(2026, 11, 20, 10)); /* open */
	assert_next(at(2026, 11, 20, 7), at(2026, 11, 20, 8));
	assert_next(at(2026, 11, 20, 17), at(2026, 11, 21, 9)); /* Saturday */
	assert_next(at(2026, 11, 21, 12), at(2026, 11, 23, 8));
	assert_next(at(2026, 12, 7, 20), at(2026, 12, 9, 8)); /* 8 December is a holiday */
	assert_next(at(2026, 12, 8, 10), at(2026, 12, 9, 8));
}

static void test_a_house_that_never_opens(void **state)
{
	static const struct hours none;

	(void)state;
	assert_int_equal(hours_next(&none, at(2026, 11, 20, 10)), 0);
	assert_int_equal(hours_next(&week, at(2150, 1, 1, 10)), 0); /* beyond the calendar */
}

static void assert_said(pa_str got, const char *want)
{
	if (!str_equal(got, str_from(want)))
		print_error("%.*s\n", PA_FMT(got));
	assert_true(str_equal(got, str_from(want)));
}

static void test_how_it_is_said(void **state)
{
	struct arena *arena = arena_new((size_t)1 << 20);
	int64_t friday = at(2026, 11, 20, 7);
	static const struct hours odd = {{0, 780, 0, 0, 0, 0, 0}, {0, 1140, 0, 0, 0, 0, 0}};

	(void)state;
	assert_said(opening_spoken(arena, friday, at(2026, 11, 20, 8)), "hoy a las 8 de la mañana");
	assert_said(opening_spoken(arena, friday, at(2026, 11, 21, 13)),
		    "mañana a la 1 de la tarde");
	assert_said(opening_spoken(arena, friday, at(2026, 11, 23, 8)),
		    "el lunes 23 de noviembre de 2026 a las 8 de la mañana");
	assert_said(hours_spoken(arena, &week),
		    "lunes a viernes, de 8 de la mañana a 5 de la tarde; sábado, de 9 de la mañana "
		    "a 12 del mediodía");
	assert_said(hours_spoken(arena, &odd), "lunes, de 1 de la tarde a 7 de la noche");
	arena_free(arena);
}

static void test_the_hours_are_told_when_asked_for(void **state)
{
	(void)state;
	play("c hola", "t Sí, autorizo", "c a qué hora abren",
	     "b Horario: lunes a viernes, de 8 de la mañana a 5 de la tarde.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_next_opening),
		cmocka_unit_test(test_a_house_that_never_opens),
		cmocka_unit_test(test_how_it_is_said),
		cmocka_unit_test(test_the_hours_are_told_when_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
