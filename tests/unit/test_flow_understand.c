/* SPDX-License-Identifier: Apache-2.0 */
#include "flow_chat.h"

#include "flow/redact.h"
#include "flow/tap.h"
#include "flow/understand.h"

static const struct option options[] = {
	{.name = {"saldo", 5}, .title = {"Mi saldo", 8}, .folded = {"mi saldo", 8}},
	{.name = {"paz", 3}, .title = {"Paz y salvo", 11}, .folded = {"paz y salvo", 11}},
	{.name = {"datos", 5}, .title = {"Mis datos", 9}, .folded = {"mis datos", 9}},
};

static void test_options_in_many_forms(void **state)
{
	static const struct {
		const char *text;
		enum match want;
		size_t which;
	} table[] = {
		{"1", MATCH_ONE, 0},
		{"1.", MATCH_ONE, 0},
		{"2)", MATCH_ONE, 1},
		{"uno", MATCH_ONE, 0},
		{"La primera", MATCH_ONE, 0},
		{"el segundo, por favor", MATCH_ONE, 1},
		{"opción 3", MATCH_ONE, 2},
		{"la última", MATCH_ONE, 2},
		{"③", MATCH_ONE, 2},
		{"3️⃣", MATCH_ONE, 2},
		{"saldo", MATCH_ONE, 0},
		{"Paz y Salvo", MATCH_ONE, 1},
		{"quiero mi paz y salvo", MATCH_ONE, 1},
		{"datos", MATCH_ONE, 2},
		{"mi saldo y mis datos", MATCH_SEVERAL, 0},
		{"4", MATCH_NONE, 0},
		{"10", MATCH_NONE, 0},
		{"1 2", MATCH_NONE, 0},
		{"buenas", MATCH_NONE, 0},
		{"", MATCH_NONE, 0},
	};
	struct arena *arena = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		struct said said;
		size_t which = 99;
		enum match got;

		said_split(arena, str_from(table[i].text), &said);
		got = match_option(&said, options, 3, &which);
		if (got != table[i].want)
			print_error("\"%s\": %d\n", table[i].text, (int)got);
		assert_int_equal(got, table[i].want);
		if (got == MATCH_ONE)
			assert_int_equal(which, table[i].which);
	}
	arena_free(arena);
}

static void test_amounts(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* 0: not an amount */
	} table[] = {
		{"3000000", 3000000},
		{"3.000.000", 3000000},
		{"$ 2.500.000", 2500000},
		{"2'500.000", 2500000},
		{"unos 500 mil pesos", 500000},
		{"3 millones", 3000000},
		{"un millón", 1000000},
		{"2 palos", 2000000},
		{"necesito 1,500,000 por favor", 1500000},
		{"1.5 millones", 1500000},
		{"2,75 millones", 2750000},
		{"12.5 mil", 0},
		{"mil gracias", 0},
		{"1.5.2 millones", 0},
		{"1,5", 0},
		{"20", 0},
		{"99999999999999999999", 0},
		{"entre 2 y 3 millones", 0},
		{"mucho", 0},
		{"", 0},
	};
	struct arena *arena = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		struct said said;
		int64_t got = 0;

		said_split(arena, str_from(table[i].text), &said);
		if (amount_read(&said, &got) == AMOUNT_NONE)
			got = 0;
		if (got != table[i].want)
			print_error("\"%s\": %lld\n", table[i].text, (long long)got);
		assert_int_equal(got, table[i].want);
	}
	arena_free(arena);
}

/* "1.500" is said for a million and a half: it is asked which. */
static void test_amounts_of_two_readings(void **state)
{
	static const struct {
		const char *text;
		enum amount_reading want;
	} table[] = {
		{"1.234", AMOUNT_TWO_WAYS},       {"$ 1.500", AMOUNT_TWO_WAYS},
		{"2,500", AMOUNT_TWO_WAYS},       {"50 000 pesos", AMOUNT_TWO_WAYS},
		{"350.000", AMOUNT_CLEAR},        {"1.234.000", AMOUNT_CLEAR},
		{"1500 mil", AMOUNT_CLEAR},       {"50000", AMOUNT_CLEAR},
		{"1.500 millones", AMOUNT_CLEAR},
	};
	struct arena *arena = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		struct said said;
		int64_t got = 0;

		said_split(arena, str_from(table[i].text), &said);
		if (amount_read(&said, &got) != table[i].want)
			print_error("\"%s\"\n", table[i].text);
		assert_int_equal(amount_read(&said, &got), table[i].want);
	}
	arena_free(arena);
}

static void test_intents_of_the_shipped_words(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* names, in order */
	} table[] = {
		{"hola", "saludo"},
		{"Buenos días, ¿cuánto debo?", "saludo saldo"},
		{"quiero saber cuánto es lo que debo", "saldo"},
		{"cuanto devo", "saldo"},
		{"cuando me descuentan", "saldo"},
		{"necesito el paz y salvo y mi saldo", "paz_y_salvo saldo"},
		{"como va mi credito", "estado"},
		{"renovación", "renovacion"},
		{"quiero hablar con una persona", "asesor"},
		{"es usted una persona?", "robot"},
		{"el saldo de mi mama", "otra_persona"},
		{"me robaron el celular", "sin_celular"},
		{"me robaron", "fraude"},
		{"yo no pedí ese crédito", "fraude"},
		{"no me llegó el código", "reenviar"},
		{"política de privacidad", "politica privacidad"},
		{"la casa es azul", ""},
	};
	struct arena *arena = arena_new((size_t)1 << 24);
	struct flow_options flow_options = chat_options();
	struct flow_set *set = chat_load(&flow_options);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		struct found_intent found[INTENTS_FOUND_MAX];
		struct said said;
		pa_str rest = str_from(table[i].want);
		size_t count;

		said_split(arena, str_from(table[i].text), &said);
		count = intents_find(set, &said, found);
		for (size_t k = 0; k < count; k++) {
			pa_str want = str_split(&rest, ' ');

			if (str_equal(want, PA_STR("privacidad")))
				continue; /* the same intent, by another of its words */
			if (!str_equal(found[k].intent->name, want))
				print_error("\"%s\": %.*s\n", table[i].text,
					    PA_FMT(found[k].intent->name));
			assert_true(str_equal(found[k].intent->name, want));
		}
		if (table[i].want[0] == '\0')
			assert_int_equal(count, 0);
		else
			assert_true(count > 0);
	}
	flow_set_unref(set);
	arena_free(arena);
}

static void test_secrets_are_blotted(void **state)
{
	static const struct {
		const char *text;
		const char *want;
		unsigned what;
	} table[] = {
		{"mi tarjeta es 4539 1488 0343 6467", "mi tarjeta es [tarjeta]", REDACTED_SECRET},
		{"4539148803436467", "[tarjeta]", REDACTED_SECRET},
		{"4539148803436468", "[número terminado en 468]", REDACTED_DOCUMENT},
		{"mi clave es gato2024", "mi clave es [clave]", REDACTED_SECRET},
		{"la contraseña: abc123*", "la contraseña: [clave]", REDACTED_SECRET},
		{"mi clave es secreta", "mi clave es secreta", 0},
		{"el código es 123456", "el código es [código]", REDACTED_CODE},
		{"soy 52.123.456 de Cali", "soy [número terminado en 456] de Cali",
		 REDACTED_DOCUMENT},
		{"cc1032456789", "cc[número terminado en 789]", REDACTED_DOCUMENT},
		{"soy 1'032.456.789", "soy [número terminado en 789]", REDACTED_DOCUMENT},
		{"soy 1\u2019032.456.789", "soy [número terminado en 789]", REDACTED_DOCUMENT},
		{"soy 1,032,456,789", "soy [número terminado en 789]", REDACTED_DOCUMENT},
		{"soy uno cero tres dos cuatro cinco seis siete ocho nueve",
		 "soy [número terminado en 789]", REDACTED_DOCUMENT},
		{"mi cédula: nueve millones novecientos noventa mil diez.",
		 "mi cédula: [número terminado en 010].", REDACTED_DOCUMENT},
		{"me quitaron dos millones quinientos mil",
		 "me quitaron dos millones quinientos mil", 0},
		{"me deben $ 3.210.500", "me deben $ 3.210.500", 0},
		{"hola", "hola", 0},
		{"", "", 0},
	};
	struct arena *arena = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		unsigned what;
		pa_str got = redact_text(arena, str_from(table[i].text), &what);

		if (!str_equal(got, str_from(table[i].want)))
			print_error("\"%s\": \"%.*s\"\n", table[i].text, PA_FMT(got));
		assert_true(str_equal(got, str_from(table[i].want)));
		assert_int_equal(what, table[i].what);
	}
	assert_true(luhn_is_valid(PA_STR("4539148803436467")));
	assert_false(luhn_is_valid(PA_STR("4539148803436466")));
	assert_false(luhn_is_valid(PA_STR("0")));
	arena_free(arena);
}

static void test_gsm7(void **state)
{
	(void)state;
	assert_int_equal(gsm7_length(PA_STR("Hola, ¿qué tal? ñÑüÜé")), 21);
	assert_int_equal(gsm7_length(PA_STR("a{b}")), 6);
	assert_int_equal(gsm7_length(PA_STR("código")), SIZE_MAX);
	assert_int_equal(gsm7_length(PA_STR("👍")), SIZE_MAX);
	assert_int_equal(gsm7_length(PA_STR("")), 0);
}

static void test_taps_are_ours_and_short(void **state)
{
	static struct chat c;
	struct turn_ports ports = chat_ports(&c);
	struct arena *arena = arena_new(1 << 20);
	struct tap back;
	struct tap tap = {.waiting = WAIT_STEP,
			  .flow = PA_STR("abcdefghijklmnopqrstuvwx"),
			  .step = PA_STR("abcdefghijklmnopqrstuvwx"),
			  .option = PA_STR("abcdefghijklmnopqrstuvwx"),
			  .version = UINT32_MAX,
			  .mark = INT64_MAX,
			  .until_s = INT64_C(4000000000)};
	pa_str id = tap_write(arena, &ports, 257, &tap);

	(void)state;
	assert_true(id.len <= TAP_BYTES_MAX);
	assert_true(tap_read(arena, &ports, 257, id, &back));
	assert_true(str_equal(back.flow, tap.flow) && str_equal(back.step, tap.step) &&
		    str_equal(back.option, tap.option));
	assert_int_equal(back.mark, tap.mark);
	assert_int_equal(back.until_s, tap.until_s);
	assert_false(tap_read(arena, &ports, 258, id, &back));
	assert_false(tap_read(arena, &ports, 257, str_slice(id, 0, id.len - 1), &back));
	assert_false(tap_read(arena, &ports, 257, PA_STR(""), &back));
	assert_false(tap_read(arena, &ports, 257, PA_STR("saldo"), &back));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_in_many_forms),
		cmocka_unit_test(test_amounts),
		cmocka_unit_test(test_amounts_of_two_readings),
		cmocka_unit_test(test_intents_of_the_shipped_words),
		cmocka_unit_test(test_secrets_are_blotted),
		cmocka_unit_test(test_gsm7),
		cmocka_unit_test(test_taps_are_ours_and_short),
	};

	if (crypto_init() != PA_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
