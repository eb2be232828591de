/* SPDX-License-Identifier: Apache-2.0 */
#include "flow_chat.h"

/* What the store may keep of what a person says in a chat with consent. */
static void test_secrets_volunteered_do_not_stay(void **state)
{
	static const struct {
		const char *text;
		const char *kept;
		const char *bot;
	} table[] = {
		{"mi tarjeta 4111111111111111", "mi tarjeta [tarjeta]", "Borré un dato secreto"},
		{"la contraseña de mi correo es Gato2020", "la contraseña de mi correo es [clave]",
		 "Borré un dato secreto"},
		{"codigo 482913", "codigo [código]", "Borré un dato secreto"},
		{"le di el codigo 482913 a una señora", "le di el codigo [código] a una señora",
		 "Borré un dato secreto"},
		{"mi cedula es 52.123.456", "mi cedula es [número terminado en 456]", "número"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		static struct chat c;

		chat_open(&c);
		consent(&c);
		customer(&c, table[i].text);
		bot_says(&c, table[i].bot);
		assert_int_equal(c.redactions, 1);
		assert_string_equal(c.kept_text, table[i].kept);
		/* it was a secret, not a sentence to understand: a second one calls no person */
		customer(&c, table[i].text);
		assert_int_equal(c.cases_opened, 0);
		customer(&c, "cuánto debo");
		assert_int_equal(c.redactions, 0);
		chat_close(&c);
	}
}

static void test_documents_and_codes_typed_do_not_stay(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	customer(&c, "saldo");
	customer(&c, DOCUMENT);
	assert_int_equal(c.redactions, 1);
	assert_string_equal(c.kept_text, "[número terminado en 456]");
	customer(&c, "el número es 99");
	assert_int_equal(c.redactions, 0);
	customer(&c, "000000");
	assert_string_equal(c.kept_text, "[código]");
	customer(&c, c.code);
	assert_string_equal(c.kept_text, "[código]");
	bot_says(&c, "Le falta por pagar");
	customer(&c, "482913");
	assert_string_equal(c.kept_text, "[código]");
	chat_close(&c);
}

/* What is dictated in words is the same secret. */
static void test_documents_and_codes_in_words_do_not_stay(void **state)
{
	static const char *const digits[] = {"cero",  "uno",  "dos",   "tres", "cuatro",
					     "cinco", "seis", "siete", "ocho", "nueve"};
	static struct chat c;
	char code[80] = "";

	(void)state;
	chat_open(&c);
	consent(&c);
	script(&c, "c saldo",
	       "c cincuenta y dos millones ciento veintitrés mil cuatrocientos cincuenta y seis",
	       "b Si esa cédula está registrada");
	assert_string_equal(c.kept_text, "[número terminado en 456]");
	for (size_t i = 0; c.code[i]; i++) {
		strcat(code, digits[c.code[i] - '0']);
		strcat(code, " ");
	}
	customer(&c, code);
	bot_says(&c, "$ 3.210.500");
	assert_string_equal(c.kept_text, "[código] ");
	chat_close(&c);
}

static void test_what_the_bot_says_it_does_not_keep(void **state)
{
	static const uint32_t kinds[] = {PA_IN_IMAGE,    PA_IN_AUDIO,    PA_IN_DOCUMENT,
					 PA_IN_LOCATION, PA_IN_CONTACTS, PA_IN_VIDEO};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		static struct chat c;
		pa_event event;

		chat_open(&c);
		event = chat_event(&c, kinds[i]);
		event.media_id = PA_STR("media-1");
		event.media_name = PA_STR("cedula.jpg");
		event.detail = PA_STR("{\"latitude\":4.6}");
		event.name = PA_STR("Ana");
		chat_send(&c, &event);
		assert_int_equal(c.redactions, 1);
		assert_false(c.keeps_rest);
		chat_close(&c);
	}
}

static void test_HD_08_nothing_of_a_minor_stays(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	customer(&c, "hola soy sofia tengo 16 años quiero un credito");
	bot_says(&c, "No guardé lo que me escribió");
	assert_int_equal(c.redactions, 1);
	assert_string_equal(c.kept_text, "");
	assert_string_equal(c.case_summary, "");
	customer(&c, "quiero un credito");
	bot_says(&c, "mayores de edad");
	bot_says_not(&c, "permiso");
	assert_int_equal(c.redactions, 1);
	assert_string_equal(c.kept_text, "");
	assert_int_equal(c.cases_opened, 1);
	chat_close(&c);
	chat_open(&c);
	consent(&c);
	script(&c, "c saldo", "c tarjeta de identidad 1032456789", "b mayores de edad");
	assert_string_equal(c.kept_text, "");
	script(&c, "c saldo", "b mayores de edad", "n cédula");
	chat_close(&c);
}

static void test_HD_01_after_a_no_only_wishes_for_a_person_stay(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	customer(&c, "mi cedula es 52123456 cuanto debo");
	assert_string_equal(c.kept_text, "mi cedula es [número terminado en 456] cuanto debo");
	customer(&c, "no autorizo");
	assert_int_equal(c.redactions, 0); /* the proof of his answer */
	customer(&c, "vivo en la calle 5 y me llamo Ana");
	assert_int_equal(c.redactions, 1);
	assert_string_equal(c.kept_text, "");
	customer(&c, "quiero poner una queja porque me gritaron");
	assert_int_equal(c.redactions, 0);
	chat_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secrets_volunteered_do_not_stay),
		cmocka_unit_test(test_documents_and_codes_typed_do_not_stay),
		cmocka_unit_test(test_documents_and_codes_in_words_do_not_stay),
		cmocka_unit_test(test_what_the_bot_says_it_does_not_keep),
		cmocka_unit_test(test_HD_08_nothing_of_a_minor_stays),
		cmocka_unit_test(test_HD_01_after_a_no_only_wishes_for_a_person_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
