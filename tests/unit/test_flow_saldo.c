/* SPDX-License-Identifier: Apache-2.0 */
#include "flow_chat.h"

#include "flow/set.h"

#include <time.h>

/* Conversation rules 2: what was asked for first is kept through consent and identity. */
static void test_balance_from_the_first_word(void **state)
{
	static struct chat c;
	size_t before;

	(void)state;
	chat_open(&c);
	script(&c, "c cuánto debo", "b Asistente Virtual de ProAlto", "b Soy un programa",
	       "b Con gusto le ayudo con su saldo", "b ¿Autoriza este uso de sus datos?",
	       "t Sí, autorizo", "b ¿Cuál es su número de cédula?");
	before = c.said;
	script(&c, "c mi cédula es 52.123.456", "b Si esa cédula está registrada",
	       "b Nadie le pedirá este código por llamada.", "b celular terminado en 67", "k",
	       "b Gracias, Ana", "b terminada en 456", "b Le falta por pagar: $ 3.210.500.",
	       "b Cuotas pagadas: 12.", "b Cuotas pendientes: 36.",
	       "b Próximo descuento de nómina: $ 145.000.",
	       "b Fecha del descuento: 30 de noviembre de 2026.",
	       "b corte al 31 de octubre de 2026", "b Colpensiones, terminado en 4821",
	       "b ¿Le ayudo con algo más?", "n 52123456");
	/* the question for the document, and three more until the balance */
	assert_true(c.said - before + 1 <= 5);
	assert_string_equal(c.sms_phone, PHONE);
	script(&c, "t No, gracias", "b Terminamos por ahora");
	chat_close(&c);
}

static void test_a_second_wish_needs_no_second_verification(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	verify(&c);
	c.code[0] = '\0';
	script(&c, "t Otra consulta", "b ¿En qué le puedo ayudar?", "c 1", "b Le falta por pagar",
	       "n cédula?");
	assert_string_equal(c.code, "");
	chat_close(&c);
}

static void test_several_credits_by_human_names(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	chat_add_credit(&c, "100007777", "Alcaldía de Medellín", 980000);
	consent(&c);
	verify(&c);
	script(&c, "b Usted tiene 2 créditos", "b • Colpensiones, terminado en 4821: $ 3.210.500",
	       "b • Alcaldía de Medellín, terminado en 7777: $ 980.000", "b [Colpensiones 4821]",
	       "c el segundo", "b crédito de Alcaldía de Medellín, terminado en 7777",
	       "b $ 980.000", "n 3.210.500", "c saldo", "t Colpensiones 4821", "b $ 3.210.500");
	chat_close(&c);
}

static void test_more_credits_than_rows_come_by_pages(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	for (int i = 0; i < 11; i++) {
		static char numbers[11][12];

		snprintf(numbers[i], sizeof(numbers[i]), "20000%04d", 5000 + i);
		chat_add_credit(&c, numbers[i], "Fopep", 1000 + i);
	}
	consent(&c);
	verify(&c);
	script(&c, "b Usted tiene 12 créditos", "b [Más opciones]", "b [Hablar con asesor]",
	       "b [Fopep 5006]", "n [Fopep 5007]", "t Más opciones", "b [Fopep 5007]",
	       "b [Hablar con asesor]", "t Fopep 5010", "b terminado en 5010");
	chat_close(&c);
}

/* Never a figure that the core did not give; what is missing is said. */
static void test_partial_data_is_told(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	c.credits[0].instalments_pending = (pa_number){0};
	c.credits[0].cut_off = (pa_number){0};
	c.credits[0].balance = known(-5);
	c.discounts_count = 0;
	consent(&c);
	verify(&c);
	script(&c, "b Cuotas pagadas: 12", "n Le falta por pagar:", "n -",
	       "n Cuotas pendientes:", "n Próximo descuento", "n corte al",
	       "b Hoy no tengo lo que le falta por pagar, las cuotas pendientes, la fecha de "
	       "corte, el próximo descuento y la fecha del próximo descuento.");
	chat_close(&c);
}

static void test_states_of_a_credit(void **state)
{
	static const struct {
		uint32_t state;
		const char *says;
	} table[] = {
		{PA_CREDIT_PAID, "b ya está pagado"},
		{PA_CREDIT_ASSIGNED, "b lo maneja otra entidad"},
		{PA_CREDIT_DISPUTED, "b tiene un reclamo abierto"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		static struct chat c;

		chat_open(&c);
		c.credits[0].state = table[i].state;
		consent(&c);
		verify(&c);
		script(&c, table[i].says, "n 3.210.500");
		chat_close(&c);
	}
}

static void test_no_credits(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	c.credits_count = 0;
	consent(&c);
	verify(&c);
	bot_says(&c, "No encuentro créditos a su nombre");
	chat_close(&c);
}

/* A core that is down: an honest answer, and the promise is kept when it is back. */
static void test_core_down_after_verifying(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	customer(&c, "saldo");
	customer(&c, DOCUMENT);
	c.is_core_down = true;
	script(&c, "k", "b no responde en este momento", "b Apenas vuelva, le escribo");
	assert_string_equal(c.timer[0].name, "nucleo");
	script(&c, "c saldo", "b todavía no responde");
	chat_internal(&c, TURN_TIMER, "nucleo");
	bot_is_silent(&c);
	c.is_core_down = false;
	chat_internal(&c, TURN_TIMER, TIMER_CORE);
	script(&c, "b ya volvió", "b $ 3.210.500");
	chat_internal(&c, TURN_TIMER, TIMER_CORE);
	bot_is_silent(&c);
	chat_close(&c);
}

static void test_core_back_after_the_session_lapsed(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	customer(&c, "saldo");
	c.is_core_down = true;
	customer(&c, DOCUMENT);
	bot_says(&c, "no responde en este momento");
	assert_string_equal(c.sms, "");
	c.is_core_down = false;
	c.now_ns += 40 * NS_PER_MINUTE;
	chat_internal(&c, TURN_TIMER, "nucleo");
	script(&c, "b ¿Quiere que sigamos con su saldo?", "n 3.210", "t Sí",
	       "b Ya tengo su cédula, terminada en 456", "k", "b $ 3.210.500");
	chat_close(&c);
}

/* The same words when the core is down, whoever asks. */
static void test_SF_04_core_down_is_the_same_for_strangers(void **state)
{
	static char said[2][sizeof(((struct chat *)NULL)->bot)];

	(void)state;
	for (int i = 0; i < 2; i++) {
		static struct chat c;

		chat_open(&c);
		consent(&c);
		customer(&c, "saldo");
		c.is_core_down = true;
		customer(&c, i ? "79999999" : DOCUMENT);
		memcpy(said[i], c.bot, sizeof(said[i]));
		chat_close(&c);
	}
	assert_string_equal(said[0], said[1]);
}

static void test_no_slot_in_the_core_parks_the_turn(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	customer(&c, "saldo");
	customer(&c, DOCUMENT);
	c.is_core_full = true;
	customer(&c, c.code);
	assert_true(c.out.park);
	assert_int_equal(c.consumed, 0);
	c.is_core_full = false;
	script(&c, "k", "b $ 3.210.500");
	chat_close(&c);
}

/* The same wish while its question is on the table: one question, no second query. */
static void test_a_repeated_request_makes_no_second_query(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	customer(&c, "saldo");
	customer(&c, DOCUMENT);
	c.core_calls = 0;
	script(&c, "c " DOCUMENT, "s");
	assert_int_equal(c.core_calls, 0);
	chat_close(&c);
}

static void test_several_wishes_in_one_message(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	script(&c, "c necesito mi saldo y el paz y salvo",
	       "b Primero le ayudo con su saldo. Después, con su paz y salvo.", "c " DOCUMENT, "k",
	       "b $ 3.210.500", "b Ahora seguimos con su paz y salvo", "b ¿La dejo?", "c sí",
	       "b Su solicitud quedó con el número PA-2026-000001", "b algo más");
	chat_close(&c);
}

/* The aim of the room: a simple turn in thirty microseconds. Sanitizers and loaded machines are
 * given room. */
static void test_a_simple_turn_is_quick(void **state)
{
	struct timespec begin, end;
	static struct chat c;
	double us;

	(void)state;
	chat_open(&c);
	consent(&c);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
	for (int i = 0; i < 2000; i++) {
		c.now_ns += NS_PER_MINUTE;
		customer(&c, i % 2 ? "menú" : "robot");
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	us = ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) /
	     2000 / 1000;
	print_message("a simple turn: %.1f us\n", us);
	assert_true(us < 2000);
	chat_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_balance_from_the_first_word),
		cmocka_unit_test(test_a_second_wish_needs_no_second_verification),
		cmocka_unit_test(test_several_credits_by_human_names),
		cmocka_unit_test(test_more_credits_than_rows_come_by_pages),
		cmocka_unit_test(test_partial_data_is_told),
		cmocka_unit_test(test_states_of_a_credit),
		cmocka_unit_test(test_no_credits),
		cmocka_unit_test(test_core_down_after_verifying),
		cmocka_unit_test(test_core_back_after_the_session_lapsed),
		cmocka_unit_test(test_SF_04_core_down_is_the_same_for_strangers),
		cmocka_unit_test(test_no_slot_in_the_core_parks_the_turn),
		cmocka_unit_test(test_a_repeated_request_makes_no_second_query),
		cmocka_unit_test(test_several_wishes_in_one_message),
		cmocka_unit_test(test_a_simple_turn_is_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
