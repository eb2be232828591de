/* SPDX-License-Identifier: Apache-2.0 */
#include "flow_chat.h"

static void test_after_a_crisis_only_a_person_goes_on(void **state)
{
	static struct chat c;
	pa_event ours;

	(void)state;
	chat_open(&c);
	consent(&c);
	script(&c, "c ya no quiero vivir", "b línea 106", "b PA-2026-000001", "c gracias",
	       "n Con gusto", "b línea 106", "b PA-2026-000001", "c saldo", "n cédula",
	       "b línea 106", "t Mi saldo", "n cédula", "c hola", "n ¿En qué");
	assert_string_equal(c.case_kind, "crisis");
	assert_int_equal(c.cases, 1);
	ours = chat_event(&c, PA_IN_TEXT);
	ours.flags = PA_EVENT_ECHO;
	ours.text = PA_STR("Hola, le escribe Marta.");
	chat_send(&c, &ours);
	script(&c, "c saldo", "b número de cédula");
	chat_close(&c);
}

static void operator_says(struct chat *c, const char *payload)
{
	strcpy(c->job.name, "conversation.resume");
	strcpy(c->job.payload, payload);
	c->bot[0] = '\0';
	chat_job(c);
}

/* Not even after the case was due does the assistant go on by itself. */
static void test_an_operator_lets_the_chat_go_on(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	script(&c, "c ya no quiero vivir", "b PA-2026-000001", "+ 10080", "c saldo", "n cédula");
	operator_says(&c, "uid 1000: la llamamos y esta bien");
	bot_is_silent(&c);
	assert_string_equal(c.case_kind, "reanudado");
	assert_string_equal(c.case_summary, "uid 1000: la llamamos y esta bien");
	assert_string_equal(c.out.fact, "conversation.resumed");
	script(&c, "c saldo", "b número de cédula");
	operator_says(&c, "uid 1000: otra vez"); /* nothing is stopped any more */
	assert_string_equal(c.case_summary, "uid 1000: la llamamos y esta bien");
	script(&c, "c " DOCUMENT, "b Si esa cédula");
	chat_close(&c);
}

static void test_the_bereaved_are_not_sold_anything(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	script(&c, "c mi marido se murio el martes y el tenia un credito", "b Lamento mucho",
	       "c que papeles necesito", "n no le entendí", "n Renovar", "b PA-2026-000001");
	assert_string_equal(c.case_summary, "que papeles necesito");
	script(&c, "c hola", "n Autoriza", "n permiso", "b PA-2026-000001");
	assert_int_equal(c.cases, 1);
	script(&c, "c quiero saber mi saldo", "b permiso");
	chat_close(&c);
}

static void test_one_case_for_one_wait(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	script(&c, "c asesor", "b PA-2026-000001", "c bla bla uno",
	       "b Agregué lo que escribió al caso PA-2026-000001", "c bla bla dos", "s");
	assert_string_equal(c.case_summary, "bla bla dos");
	assert_int_equal(c.cases, 1);
	chat_close(&c);
	chat_open(&c);
	script(&c, "c hello please i need help", "b I only speak Spanish",
	       "c what do you want i need my loan", "b Ya avisé a una persona", "n I only");
	assert_int_equal(c.cases, 1);
	chat_close(&c);
}

static void test_the_wish_said_last_is_the_one(void **state)
{
	(void)state;
	play("c cuanto debo", "b su saldo", "c no", "b Está bien", "c quiero un prestamo",
	     "b Con gusto le ayudo con un crédito nuevo", "t Sí, autorizo",
	     "b ¿Cuánto dinero necesita?");
	play("c cuanto debo", "c no", "c autorizar", "t Sí, autorizo", "b número de cédula");
	play("c hola", "t Sí, autorizo", "t Pedir un crédito", "b ¿Cuánto dinero",
	     "t Renovar mi crédito", "b la renovación de su crédito");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_after_a_crisis_only_a_person_goes_on),
		cmocka_unit_test(test_an_operator_lets_the_chat_go_on),
		cmocka_unit_test(test_the_bereaved_are_not_sold_anything),
		cmocka_unit_test(test_one_case_for_one_wait),
		cmocka_unit_test(test_the_wish_said_last_is_the_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
