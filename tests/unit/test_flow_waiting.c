/* SPDX-License-Identifier: Apache-2.0 */
#include "flow_chat.h"

/* ---- waiting for a person ---- */

/* The case is open at once; what it is about is asked once, where nothing tells and it may be used.
 */
static void test_one_question_before_a_person(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	script(&c, "c asesor", "b Su número es PA-2026-000001", "b ¿Sobre qué tema es?",
	       "c un cobro de marzo que no reconozco", "b Agregué lo que escribió al caso",
	       "n ¿Sobre qué");
	assert_string_equal(c.case_summary, "un cobro de marzo que no reconozco");
	script(&c, "c y otro de abril", "s", "+ 1", "c asesor", "b PA-2026-000001",
	       "n ¿Sobre qué tema es?");
	chat_close(&c);
	play("c hola", "t Sí, autorizo", "c necesito hablar con un asesor sobre mi embargo",
	     "b Su número es", "n ¿Sobre qué tema es?");
	play("c asesor", "b Su número es", "n ¿Sobre qué tema es?");
}

static void test_what_was_interrupted_goes_to_the_person(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	script(&c, "c saldo", "c asesor", "b Su número es", "n ¿Sobre qué tema es?",
	       "b número de cédula");
	assert_string_equal(c.case_summary, "asesor [su saldo]");
	chat_close(&c);
}

static void test_out_of_hours_the_opening_is_told_once(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	c.now_ns = at(2026, 11, 21, 20); /* Saturday */
	consent(&c);
	script(&c, "c asesor",
	       "b A esta hora no hay asesores. Abrimos el lunes 23 de noviembre de 2026 a las 8 de "
	       "la mañana.",
	       "+ 1", "c asesor", "n A esta hora", "+ 600", "c el perro ladra", "c la luna llena",
	       "b Ya avisé a una persona", "n A esta hora");
	c.now_ns = at(2026, 11, 23, 9);
	script(&c, "c asesor", "n A esta hora");
	c.now_ns = at(2026, 11, 23, 18);
	script(&c, "c asesor", "b Abrimos mañana a las 8 de la mañana.");
	chat_close(&c);
}

/* ---- people in a hurry ---- */

/* Three in a row, as impatient people write: one query, one answer. */
static void test_three_quick_requests_are_one(void **state)
{
	static struct chat c;
	unsigned calls;

	(void)state;
	chat_open(&c);
	consent(&c);
	verify(&c);
	c.now_ns += NS_PER_MINUTE;
	script(&c, "c mi saldo", "b $ 3.210.500");
	calls = c.core_calls;
	for (int i = 0; i < 3; i++) {
		c.now_ns += 3 * NS_PER_S;
		customer(&c, i == 0 ? "mi saldo" : "cuánto debo");
		bot_is_silent(&c);
		assert_int_equal(c.core_calls, calls);
	}
	c.now_ns += 3 * NS_PER_S; /* who goes on asking is answered */
	script(&c, "c mi saldo", "b $ 3.210.500");
	assert_true(c.core_calls > calls);
	chat_close(&c);
}

static void test_quick_greetings_get_one_notice(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	script(&c, "c hola", "b ¿Autoriza", "c hola", "s", "c buenas tardes", "s",
	       "c hola mi saldo", "b ¿Autoriza", "+ 1", "c hola", "b ¿Autoriza");
	chat_close(&c);
}

static void test_impatience_behind_a_request_is_not_answered(void **state)
{
	static struct chat c;
	char first[8];

	(void)state;
	play("c mi saldo ya", "b ¿Autoriza", "c hola??", "s");
	play("c saldo", "c no autorizo", "c hola", "b ¿En qué le puedo ayudar?");
	/* another complaint is another one, however soon */
	play("c quiero poner una queja", "b PA-2026-000001", "t No lo permito",
	     "c quiero poner una queja", "b PA-2026-000002", "c quiero poner una queja", "s",
	     "c otra queja: me gritaron", "n no le entendí");
	chat_open(&c);
	consent(&c);
	script(&c, "c saldo", "c " DOCUMENT, "c no me llega", "b Le llega otro código");
	memcpy(first, c.code, sizeof(first));
	script(&c, "c no me llega", "s");
	assert_string_equal(c.code, first); /* no second SMS */
	c.now_ns += NS_PER_MINUTE;
	script(&c, "c no me llega", "b Le llega otro código");
	chat_close(&c);
}

/* Handed to a person in the middle, he gives the answer all the same: nothing is asked anew. */
static void test_an_answer_after_the_hand_over_counts(void **state)
{
	play("c saldo", "t Sí, autorizo", "c patatín patatán", "c troloró troloró",
	     "b le atienda una persona", "c mi cédula es la 52.123.456", "b Si esa cédula", "k",
	     "b $ 3.210.500");
	play("c saldo", "t Sí, autorizo", "c patatín patatán", "c troloró troloró", "+ 120",
	     "c 52123456", "b Vi un número");
	(void)state;
}

/* A complaint among the wishes is done first and hides no other. */
static void test_a_complaint_beside_wishes_hides_none(void **state)
{
	(void)state;
	play("c quiero mi saldo, el paz y salvo y poner una queja",
	     "b Primero le ayudo con su queja. Después, con su saldo y su paz y salvo.",
	     "b Recibimos su queja", "t No lo permito", "b con su saldo", "t Sí, autorizo",
	     "c " DOCUMENT, "k", "b $ 3.210.500", "b su paz y salvo", "b ¿La dejo?");
}

/* Who is in danger is heard each time. */
static void test_urgent_words_are_never_taken_for_repeated(void **state)
{
	(void)state;
	play("c me quiero morir", "b 106", "c me quiero morir", "b 106");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_question_before_a_person),
		cmocka_unit_test(test_what_was_interrupted_goes_to_the_person),
		cmocka_unit_test(test_out_of_hours_the_opening_is_told_once),
		cmocka_unit_test(test_three_quick_requests_are_one),
		cmocka_unit_test(test_quick_greetings_get_one_notice),
		cmocka_unit_test(test_impatience_behind_a_request_is_not_answered),
		cmocka_unit_test(test_an_answer_after_the_hand_over_counts),
		cmocka_unit_test(test_a_complaint_beside_wishes_hides_none),
		cmocka_unit_test(test_urgent_words_are_never_taken_for_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
