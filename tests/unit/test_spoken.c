/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "identity/spoken.h"

static const struct spoken_limits document = {.least = 5, .most = 10};

static void assert_said(pa_str text, struct spoken_limits limits, const char *want)
{
	struct arena *arena = arena_new((size_t)1 << 20);
	pa_str got = spoken_numbers(arena, text, limits);

	if (!str_equal(got, str_from(want)))
		print_error("%.*s: %.*s, not %s\n", PA_FMT(text), PA_FMT(got), want);
	assert_true(str_equal(got, str_from(want)));
	arena_free(arena);
}

static void test_documents_in_words(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} table[] = {
		{"uno cero tres dos cuatro cinco seis siete ocho nueve", "1032456789"},
		{"Uno, cero, tres, dos, cuatro, cinco, seis, siete, ocho, nueve", "1032456789"},
		{"mi cédula es mil treinta y dos millones cuatrocientos cincuenta y seis mil "
		 "setecientos ochenta y nueve",
		 "mi cédula es 1032456789"},
		{"nueve millones novecientos noventa mil diez", "9990010"},
		{"cincuenta y dos millones ciento veintitrés mil cuatrocientos cincuenta y seis",
		 "52123456"},
		{"cincuenta y dos ciento veintitres cuatrocientos cincuenta y seis", "52123456"},
		{"diez treinta y dos cuatrocientos cincuenta y seis setecientos ochenta y nueve",
		 "1032456789"},
		{"uno punto cero treinta y dos punto cuatrocientos cincuenta y seis punto "
		 "setecientos ochenta y nueve",
		 "1032456789"},
		{"es la cinco dos uno dos tres cuatro cinco seis, gracias",
		 "es la 52123456, gracias"},
		{"UN MILLÓN DOSCIENTOS TREINTA MIL CINCO", "1230005"},
		{"mil millones doscientos treinta", "1000000230"},
		{"diez y seis veinte dos treinta cero uno", "16223001"},
		{"cero cero siete cero uno", "00701"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++)
		assert_said(str_from(table[i].text), document, table[i].want);
}

static void test_other_words_stay(void **state)
{
	static const char *const table[] = {
		"",
		"hola",
		"mil gracias",
		"un momento y dos minutos",
		"dos y tres",
		"quiero dos millones quinientos mil",
		"me descontaron tres veces en el año dos mil veinticinco",
		"una dos tres y listo",
		"uno dos tres cuatro cinco seis siete ocho nueve cero uno dos", /* too long */
		"\xff\xfe uno",
		"   ",
		"y y y",
		"millones millones millones millones millones",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++)
		assert_said(str_from(table[i]), document, table[i]);
}

static void test_amounts_are_taken_where_any_number_is(void **state)
{
	struct spoken_limits any = {.least = 7, .most = 40, .takes_round = true};

	(void)state;
	assert_said(PA_STR("dos millones"), any, "2000000");
	assert_said(PA_STR("nueve millones novecientos noventa mil"), any, "9990000");
}

static void test_rows_without_end_are_left_alone(void **state)
{
	struct arena *arena = arena_new((size_t)16 << 20);
	char *text = arena_alloc(arena, 70000);

	(void)state;
	for (size_t i = 0; i < 70000; i++)
		text[i] = "mil uno "[i % 8];
	assert_true(spoken_numbers(arena, (pa_str){text, 69999}, document).len <= 70000);
	for (size_t i = 0; i < 70000; i++)
		text[i] = "millones "[i % 9];
	assert_true(spoken_numbers(arena, (pa_str){text, 69999}, document).len <= 70000);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents_in_words),
		cmocka_unit_test(test_other_words_stay),
		cmocka_unit_test(test_amounts_are_taken_where_any_number_is),
		cmocka_unit_test(test_rows_without_end_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
