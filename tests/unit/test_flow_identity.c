/* SPDX-License-Identifier: Apache-2.0 */
#include "flow_chat.h"

#define STRANGER "79999999" /* nobody's document */

/* Everything the bot says to one who asks for this document and fails three times. */
static void failing(const char *document, const char *phone, char *out, size_t room)
{
	static struct chat c;
	size_t used;

	chat_open(&c);
	c.phone = phone;
	consent(&c);
	customer(&c, "saldo");
	out[0] = '\0';
	customer(&c, document);
	snprintf(out, room, "%s", c.bot);
	for (int i = 0; i < 4; i++) {
		customer(&c, "000000");
		used = strlen(out);
		snprintf(out + used, room - used, "%s", c.bot);
	}
	customer(&c, "saldo");
	used = strlen(out);
	snprintf(out + used, room - used, "%s", c.bot);
	assert_int_equal(c.out.lock_person.len, 0);
	chat_close(&c);
}

/* SF-04, rules 4: unknown, and known from another chat: same words, counters and locks. */
static void test_SF_04_decoys_can_not_be_told_apart(void **state)
{
	static char unknown[20000], known_elsewhere[20000];

	(void)state;
	failing(STRANGER, "573009999999", unknown, sizeof(unknown));
	failing(DOCUMENT, "573009999999", known_elsewhere, sizeof(known_elsewhere));
	assert_string_equal(unknown, known_elsewhere);
	assert_non_null(strstr(unknown, "Le quedan 2 intentos"));
	assert_non_null(strstr(unknown, "Le queda 1 intento"));
	assert_non_null(strstr(unknown, "por 30 minutos"));
	assert_non_null(strstr(unknown, "después de las 10:30"));
	assert_null(strstr(unknown, "celular terminado"));
}

/* The neutral answer is committed before the core is asked. */
static void test_neutral_answer_comes_before_the_core(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	customer(&c, "saldo");
	c.runs_jobs = false;
	customer(&c, DOCUMENT);
	bot_says(&c, "Si esa cédula está registrada");
	assert_int_equal(c.core_calls, 0);
	assert_int_equal(c.quota_calls, 0);
	assert_string_equal(c.sms, "");
	assert_string_equal(c.job.name, "identity.lookup");
	assert_null(strstr(c.job.payload, DOCUMENT));
	chat_job(&c);
	assert_int_equal(c.core_calls, 1);
	assert_int_equal(c.quota_calls, 1);
	assert_string_not_equal(c.sms, "");
	chat_close(&c);
}

static void test_SF_03_sms_in_one_gsm7_part(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	customer(&c, "saldo");
	customer(&c, DOCUMENT);
	assert_true(gsm7_length(str_from(c.sms)) <= 160);
	assert_non_null(strstr(c.sms, "ProAlto"));
	assert_non_null(strstr(c.sms, "Nadie le pedira este codigo por llamada."));
	assert_non_null(strstr(c.sms, "consultar su credito"));
	/* the state keeps a hash, never the code */
	assert_null(memmem(c.state, c.state_len, c.code, 6));
	chat_close(&c);
}

static void test_known_from_another_chat_gets_the_code_on_his_mobile(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	c.phone = "573009999999";
	consent(&c);
	script(&c, "c saldo", "c " DOCUMENT, "n terminado en 67");
	assert_string_equal(c.sms_phone, PHONE);
	assert_false(c.was_owner);
	script(&c, "k", "b Le falta por pagar");
	chat_close(&c);
}

static void test_a_code_inside_a_sentence_counts(void **state)
{
	static struct chat c;
	char text[80];

	(void)state;
	chat_open(&c);
	consent(&c);
	customer(&c, "saldo");
	customer(&c, DOCUMENT);
	snprintf(text, sizeof(text), "buenas, el código es %.3s %.3s, gracias", c.code, c.code + 3);
	customer(&c, text);
	bot_says(&c, "Le falta por pagar");
	chat_close(&c);
}

static void test_three_tries_then_a_lock_that_refuses_the_right_code(void **state)
{
	static struct chat c;
	char right[8];

	(void)state;
	chat_open(&c);
	consent(&c);
	customer(&c, "saldo");
	customer(&c, DOCUMENT);
	memcpy(right, c.code, sizeof(right));
	script(&c, "c 000000", "b Le quedan 2 intentos", "c 000001", "b Le queda 1 intento",
	       "c 000002", "b dejamos de recibir códigos por 30 minutos", "b asesor");
	/* in the registered chat the person is locked everywhere */
	assert_int_equal(c.out.lock_person.len, 16);
	assert_int_equal(c.out.lock_until_ns, c.now_ns + 30 * NS_PER_MINUTE);
	customer(&c, right);
	bot_says_not(&c, "Le falta por pagar");
	c.sms[0] = '\0';
	script(&c, "c saldo", "b todavía no recibimos códigos");
	assert_string_equal(c.sms, "");
	script(&c, "+ 31", "c saldo", "b cédula", "c " DOCUMENT, "k", "b Le falta por pagar");
	chat_close(&c);
}

static void test_a_person_locked_elsewhere_is_refused_here_without_a_word(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	c.phone = "573009999999";
	consent(&c);
	customer(&c, "saldo");
	customer(&c, DOCUMENT);
	c.person_locked_until = c.now_ns + 20 * NS_PER_MINUTE;
	script(&c, "k", "b Ese código no es. Le quedan 2 intentos", "n Le falta por pagar");
	chat_close(&c);
	chat_open(&c);
	c.person_locked_until = c.now_ns + 20 * NS_PER_MINUTE;
	consent(&c);
	c.code[0] = '\0';
	script(&c, "c saldo", "c " DOCUMENT, "b todavía no recibimos códigos");
	assert_string_equal(c.code, "");
	chat_close(&c);
}

static void test_a_code_lives_five_minutes(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	script(&c, "c saldo", "c " DOCUMENT, "+ 5", "k", "b Ese código ya no sirve",
	       "b [Enviar otro código]", "t Enviar otro código", "b El anterior ya no sirve", "k",
	       "b Le falta por pagar");
	chat_close(&c);
}

static void test_a_resend_voids_the_one_before(void **state)
{
	static struct chat c;
	char first[8];

	(void)state;
	chat_open(&c);
	consent(&c);
	script(&c, "c saldo", "c " DOCUMENT);
	memcpy(first, c.code, sizeof(first));
	script(&c, "c no me llegó", "b Le llega otro código");
	if (strcmp(first, c.code) != 0) {
		customer(&c, first);
		bot_says(&c, "Le quedan 2 intentos");
	}
	script(&c, "k", "b Le falta por pagar");
	chat_close(&c);
}

/* A code typed in another chat than the one that asked is of no use there, and counts as abuse. */
static void test_a_code_counts_only_where_it_was_asked_for(void **state)
{
	static struct chat c, other;

	(void)state;
	chat_open(&c);
	chat_open(&other);
	other.conversation = 513;
	consent(&c);
	script(&c, "c saldo", "c " DOCUMENT);
	consent(&other);
	for (int i = 0; i < 2; i++) {
		customer(&other, c.code);
		bot_says(&other, "No comparta códigos con nadie");
	}
	customer(&other, c.code);
	bot_says(&other, "por 30 minutos");
	chat_close(&other);
	chat_close(&c);
}

static void test_a_job_run_twice_does_no_harm(void **state)
{
	static struct chat c;
	char payload[40];
	struct turn_event event = {.id = 9, .kind = TURN_JOB, .name = PA_STR("identity.lookup")};

	(void)state;
	chat_open(&c);
	consent(&c);
	customer(&c, "saldo");
	c.runs_jobs = false;
	customer(&c, DOCUMENT);
	memcpy(payload, c.job.payload, sizeof(payload));
	chat_job(&c);
	event.payload = str_from(payload);
	c.bot[0] = c.sms[0] = '\0';
	chat_turn(&c, &event, 1, false);
	assert_string_equal(c.sms, "");
	bot_is_silent(&c);
	script(&c, "k", "b Le falta por pagar");
	chat_close(&c);
}

static void test_quota_used_up(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	c.is_quota_used_up = true;
	consent(&c);
	script(&c, "c saldo", "c " DOCUMENT, "b Ya le enviamos varios códigos");
	assert_string_equal(c.code, "");
	chat_close(&c);
	chat_open(&c); /* a stranger hears nothing of it */
	c.phone = "573009999999";
	c.is_quota_used_up = true;
	consent(&c);
	script(&c, "c saldo", "c " DOCUMENT, "n varios códigos", "b Si esa cédula");
	assert_string_equal(c.code, "");
	chat_close(&c);
}

static void test_too_many_documents_lock_the_chat(void **state)
{
	static const char *const documents[] = {"79000001", "79000002", "79000003",
						"79000004", "79000005", "79000006"};
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	customer(&c, "saldo");
	for (size_t i = 0; i < ARRAY_COUNT(documents); i++)
		customer(&c, documents[i]);
	bot_says(&c, "por 30 minutos");
	chat_close(&c);
}

static void test_SF_03_a_mobile_changed_lately_goes_to_a_person(void **state)
{
	pa_customer lately;
	static struct chat c;

	(void)state;
	chat_open(&c);
	lately = *c.customer;
	lately.mobile_since = known(local_day(c.now_ns) - 2);
	c.customer = &lately;
	consent(&c);
	script(&c, "c saldo", "c " DOCUMENT, "b Su celular cambió hace pocos días", "b PA-2026-");
	assert_string_equal(c.code, "");
	chat_close(&c);
	chat_open(&c); /* elsewhere: a decoy */
	c.customer = &lately;
	c.phone = "573009999999";
	consent(&c);
	script(&c, "c saldo", "c " DOCUMENT, "n cambió", "b Si esa cédula");
	assert_string_equal(c.code, "");
	chat_close(&c);
}

static void test_gateway_down_is_told_to_all_alike(void **state)
{
	static char said[2][8192];

	(void)state;
	for (int i = 0; i < 2; i++) {
		static struct chat c;

		chat_open(&c);
		c.is_sms_down = true;
		consent(&c);
		customer(&c, "saldo");
		customer(&c, i ? STRANGER : DOCUMENT);
		bot_says(&c, "no podemos enviar mensajes de texto");
		memcpy(said[i], c.bot, sizeof(said[i]));
		assert_int_equal(c.core_calls, 0);
		chat_close(&c);
	}
	assert_string_equal(said[0], said[1]);
}

static void test_undelivered_code(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	script(&c, "c saldo", "c " DOCUMENT);
	chat_internal(&c, TURN_UNDELIVERED, "codigo 1");
	script(&c, "b no se pudo entregar", "t Enviar otro código");
	chat_internal(&c, TURN_UNDELIVERED, "codigo 1"); /* of the code that counts no more */
	bot_is_silent(&c);
	script(&c, "k", "b Le falta por pagar");
	chat_close(&c);
	chat_open(&c); /* a stranger must not learn that there was a message */
	c.phone = "573009999999";
	consent(&c);
	script(&c, "c saldo", "c " DOCUMENT);
	chat_internal(&c, TURN_UNDELIVERED, "codigo 1");
	bot_is_silent(&c);
	chat_close(&c);
}

/* SF-05: the session ends after fifteen minutes idle and after an hour whatever happens. */
static void test_SF_05_session_lapses(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	verify(&c);
	script(&c, "+ 14", "c saldo", "b Le falta por pagar", "+ 15", "c saldo", "n Le falta por",
	       "b Ya tengo su cédula, terminada en 456", "k", "b Le falta por pagar");
	for (int i = 0; i < 5; i++)
		script(&c, "+ 10", "c saldo", "b Le falta por pagar");
	script(&c, "+ 10", "c saldo", "n Le falta por pagar");
	chat_close(&c);
}

static void test_lapse_in_the_middle_of_a_choice(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	chat_add_credit(&c, "100007777", "Fopep", 980000);
	consent(&c);
	verify(&c);
	script(&c, "+ 20", "c el segundo", "n 980", "b Ya tengo su cédula", "k", "b 7777");
	chat_close(&c);
}

static void test_not_me_and_leaving_end_the_session(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		static struct chat c;

		chat_open(&c);
		consent(&c);
		verify(&c);
		customer(&c, i ? "no soy yo" : "salir");
		bot_says(&c, i ? "Cerré esa consulta" : "Terminamos por ahora");
		script(&c, "c saldo", "b ¿Cuál es su número de cédula?", "n 456");
		chat_close(&c);
	}
}

static void test_another_persons_data_needs_another_verification(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	verify(&c);
	script(&c, "c y el saldo de mi mamá?", "b Cada persona confirma con su propio código",
	       "b número de cédula", "n Le falta por pagar");
	chat_close(&c);
	chat_open(&c);
	consent(&c);
	verify(&c);
	c.code[0] = '\0';
	script(&c, "c " STRANGER, "b Cada persona confirma", "b Si esa cédula está registrada",
	       "n Le falta por pagar", "c 123456", "b Ese código no es");
	assert_string_equal(c.code, "");
	chat_close(&c);
}

static void test_number_and_device_changes_end_the_session(void **state)
{
	static struct chat c;
	pa_event event;

	(void)state;
	chat_open(&c);
	consent(&c);
	verify(&c);
	event = chat_event(&c, 0);
	event.kind = PA_EVENT_SYSTEM;
	event.system = PA_SYSTEM_NUMBER_CHANGED;
	chat_send(&c, &event);
	script(&c, "s", "c saldo", "b ¿Cuál es su número de cédula?");
	chat_close(&c);
	chat_open(&c);
	event = chat_event(&c, PA_IN_TEXT);
	consent(&c);
	event.device_key = PA_STR("one");
	event.text = PA_STR("saldo");
	chat_send(&c, &event);
	script(&c, "c " DOCUMENT, "k", "b Le falta por pagar");
	event.device_key = PA_STR("two");
	event.at_ns = c.now_ns;
	chat_send(&c, &event);
	script(&c, "b Su teléfono cambió", "b número de cédula", "n Le falta por pagar");
	chat_close(&c);
}

static void test_a_code_nobody_asked_for_is_a_report(void **state)
{
	static struct chat c;
	pa_event event;

	(void)state;
	chat_open(&c);
	consent(&c);
	script(&c, "c saldo", "c " DOCUMENT);
	event = chat_event(&c, PA_IN_TEXT);
	event.flags = PA_EVENT_CODE_DENIED;
	event.text = PA_STR("No pedí este código");
	chat_send(&c, &event);
	script(&c, "b No entregue dinero ni códigos", "b PA-2026-000001", "k",
	       "n Le falta por pagar");
	chat_close(&c);
}

static void test_documents_of_other_kinds(void **state)
{
	(void)state;
	play("c saldo", "t Sí, autorizo", "c tengo tarjeta de identidad 1032456789",
	     "b para mayores de edad");
	play("c saldo", "t Sí, autorizo", "c mi pasaporte es AB123456", "b le atiende una persona");
	play("c saldo", "t Sí, autorizo", "c 123456789", "b no parece de una cédula", "c 123456789",
	     "b Si esa cédula está registrada");
	play("c saldo", "t Sí, autorizo", "c 10e2456", "b Escriba solo el número", "c " DOCUMENT,
	     "b Si esa cédula");
}

/* HD-08: what a minor sent is not kept. */
static void test_HD_08_minor_leaves_nothing(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	script(&c, "c saldo", "c TI 1032456789", "b mayores de edad");
	assert_string_equal(c.case_kind, "menor");
	assert_string_equal(c.case_summary, "");
	assert_null(memmem(c.state, c.state_len, "1032456789", 10));
	chat_close(&c);
}

/* The core's birth date says so: no code; elsewhere the neutral answer, as for everybody. */
static void test_HD_08_a_minor_by_the_birth_date(void **state)
{
	static struct chat c;
	pa_customer young;

	(void)state;
	chat_open(&c);
	young = *c.customer;
	young.birth_date = known(date_to_days((struct date){2008, 11, 21})); /* 18 tomorrow */
	c.customer = &young;
	consent(&c);
	script(&c, "c saldo", "c " DOCUMENT, "b mayores de edad");
	assert_string_equal(c.sms, "");
	assert_string_equal(c.case_kind, "menor");
	assert_null(memmem(c.state, c.state_len, DOCUMENT, strlen(DOCUMENT)));
	script(&c, "c saldo", "b mayores de edad", "n cédula");
	chat_close(&c);
	chat_open(&c);
	c.customer = &young;
	c.phone = "573009999999";
	consent(&c);
	script(&c, "c saldo", "c " DOCUMENT, "b Si esa cédula está registrada", "n mayores");
	assert_string_equal(c.sms, "");
	chat_close(&c);
	chat_open(&c);
	c.customer = &young;
	c.now_ns += NS_PER_DAY;
	consent(&c);
	script(&c, "c saldo", "c " DOCUMENT, "k", "b Le falta por pagar");
	chat_close(&c);
}

/* A code never travels by the channel that asks for it. */
static void test_by_sms_a_person_takes_over(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	c.medium = PA_MEDIUM_SMS;
	c.features = 0;
	script(&c, "c saldo", "b 1. Sí, autorizo", "c sí autorizo",
	       "b Por mensajes de texto no puedo confirmar", "b PA-2026-000001");
	assert_int_equal(c.core_calls, 0);
	chat_close(&c);
}

static void test_lost_mobile_is_told_without_a_digit(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	c.phone = "573009999999";
	consent(&c);
	script(&c, "c saldo", "c " DOCUMENT, "t No tengo ese celular",
	       "b una persona debe confirmar quién es usted", "n 67", "n 4567");
	assert_string_equal(c.case_kind, "cambio_celular");
	chat_close(&c);
}

static void test_back_from_the_code_to_the_document(void **state)
{
	(void)state;
	play("c saldo", "t Sí, autorizo", "c 52123465", "c atrás",
	     "b ¿Cuál es su número de cédula?", "c " DOCUMENT, "k", "b Le falta por pagar");
	play("c saldo", "t Sí, autorizo", "c 52123465", "c perdón, es " DOCUMENT, "b Si esa cédula",
	     "k", "b Le falta por pagar");
}

/* ---- identity.lookup = last4 ---- */

static void open_last4(struct chat *c)
{
	struct flow_options options = chat_options();

	options.identity.lookup = IDENTITY_LAST4;
	chat_open_with(c, &options);
	consent(c);
}

static void test_last4_from_the_registered_chat(void **state)
{
	static struct chat c;

	(void)state;
	open_last4(&c);
	script(&c, "c saldo", "b últimos 4 números", "c 3456", "b Si esa cédula",
	       "b terminado en 67", "k", "b Le falta por pagar");
	chat_close(&c);
}

static void test_last4_elsewhere_falls_back_to_the_whole(void **state)
{
	static struct chat c;

	(void)state;
	open_last4(&c);
	c.phone = "573009999999";
	script(&c, "c saldo", "c 3456", "b cédula completo", "c " DOCUMENT, "b Si esa cédula", "k",
	       "b Le falta por pagar");
	chat_close(&c);
}

static void test_last4_takes_a_whole_number_too(void **state)
{
	static struct chat c;

	(void)state;
	open_last4(&c);
	script(&c, "c saldo", "c " DOCUMENT, "k", "b Le falta por pagar");
	chat_close(&c);
}

static void test_late_messages_start_no_code(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	customer(&c, "saldo");
	c.event_at_ns = c.now_ns - 2 * NS_PER_HOUR;
	customer(&c, DOCUMENT);
	script(&c, "b Perdón por la demora", "b número de cédula");
	assert_string_equal(c.code, "");
	assert_int_equal(c.core_calls, 0);
	chat_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_SF_04_decoys_can_not_be_told_apart),
		cmocka_unit_test(test_neutral_answer_comes_before_the_core),
		cmocka_unit_test(test_SF_03_sms_in_one_gsm7_part),
		cmocka_unit_test(test_known_from_another_chat_gets_the_code_on_his_mobile),
		cmocka_unit_test(test_a_code_inside_a_sentence_counts),
		cmocka_unit_test(test_three_tries_then_a_lock_that_refuses_the_right_code),
		cmocka_unit_test(test_a_person_locked_elsewhere_is_refused_here_without_a_word),
		cmocka_unit_test(test_a_code_lives_five_minutes),
		cmocka_unit_test(test_a_resend_voids_the_one_before),
		cmocka_unit_test(test_a_code_counts_only_where_it_was_asked_for),
		cmocka_unit_test(test_a_job_run_twice_does_no_harm),
		cmocka_unit_test(test_quota_used_up),
		cmocka_unit_test(test_too_many_documents_lock_the_chat),
		cmocka_unit_test(test_SF_03_a_mobile_changed_lately_goes_to_a_person),
		cmocka_unit_test(test_gateway_down_is_told_to_all_alike),
		cmocka_unit_test(test_undelivered_code),
		cmocka_unit_test(test_SF_05_session_lapses),
		cmocka_unit_test(test_lapse_in_the_middle_of_a_choice),
		cmocka_unit_test(test_not_me_and_leaving_end_the_session),
		cmocka_unit_test(test_another_persons_data_needs_another_verification),
		cmocka_unit_test(test_number_and_device_changes_end_the_session),
		cmocka_unit_test(test_a_code_nobody_asked_for_is_a_report),
		cmocka_unit_test(test_documents_of_other_kinds),
		cmocka_unit_test(test_HD_08_minor_leaves_nothing),
		cmocka_unit_test(test_HD_08_a_minor_by_the_birth_date),
		cmocka_unit_test(test_by_sms_a_person_takes_over),
		cmocka_unit_test(test_lost_mobile_is_told_without_a_digit),
		cmocka_unit_test(test_back_from_the_code_to_the_document),
		cmocka_unit_test(test_last4_from_the_registered_chat),
		cmocka_unit_test(test_last4_elsewhere_falls_back_to_the_whole),
		cmocka_unit_test(test_last4_takes_a_whole_number_too),
		cmocka_unit_test(test_late_messages_start_no_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
