/* SPDX-License-Identifier: Apache-2.0 */
#include "flow_chat.h"

static void test_HD_13_first_message_shows_the_notice(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	script(&c, "c hola", "b Asistente Virtual de ProAlto", "b Soy un programa",
	       "b NIT 900123456-8", "b datos@proalto.example", "b https://proalto.example/politica",
	       "b mis datos", "b [Sí, autorizo]", "b [No autorizo]", "b [Leer la política]");
	assert_int_equal(c.consents, 0);
	chat_close(&c);
}

static void test_HD_13_whatever_the_first_words(void **state)
{
	(void)state;
	play("c menú", "b Asistente Virtual", "b ¿Autoriza", "c menú", "b [Quejas y reclamos]");
	play("c asdf qwer", "b no le entendí", "b ¿Autoriza");
}

static void test_HD_02_what_is_kept_of_a_yes(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	script(&c, "c hola", "t Sí, autorizo");
	assert_int_equal(c.consents, 1);
	assert_string_equal(c.consent_action, "otorga");
	assert_string_equal(c.consent_purpose, "servicio");
	assert_string_equal(c.consent_words, "Sí, autorizo");
	assert_non_null(strstr(c.consent_version, "aviso-1 sha256:"));
	assert_non_null(strstr(c.consent_version, "consentimiento-1 sha256:"));
	assert_true(str_equal(c.out.consents[0].answer_id, PA_STR("wamid.test")));
	chat_close(&c);
}

/* The proof names the message that asked: the newest one that shows the question. */
static void test_HD_02_the_question_is_the_message_that_asked(void **state)
{
	static struct chat c;
	int64_t question;

	(void)state;
	chat_open(&c);
	script(&c, "c hola", "c qué es esto", "b ¿Autoriza", "t Leer la política");
	question = c.question;
	script(&c, "b ¿Autoriza", "c gracias", "b ¿Autoriza");
	assert_true(c.question > question);
	question = c.question;
	tap(&c, "Sí, autorizo");
	assert_int_equal(c.consent_question, question);
	script(&c, "c retirar mi permiso", "b ¿Quiere retirarlo?");
	question = c.question;
	tap(&c, "Sí, retirarlo");
	assert_string_equal(c.consent_action, "revoca");
	assert_int_equal(c.consent_question, question);
	/* "No more offers" answers no question, whatever is on the table. */
	script(&c, "c saldo", "b ¿Autoriza", "c no quiero ofertas", "b No le enviamos ofertas");
	assert_string_equal(c.consent_purpose, "publicidad");
	assert_int_equal(c.consent_question, 0);
	chat_close(&c);
}

/* HD-01, HD-03: nothing but an affirmative act opens the gate, and until then no document is asked
 * for, no core asked. */
static void test_HD_01_nothing_before_consent(void **state)
{
	static const char *const no_yes[] = {
		"ok", "👍", "listo", "dale", "bueno", "si cuanto debo", "continuar"};
	static const uint32_t kinds[] = {PA_IN_IMAGE,    PA_IN_AUDIO,    PA_IN_STICKER,
					 PA_IN_REACTION, PA_IN_DOCUMENT, PA_IN_CONTACTS};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(no_yes); i++) {
		static struct chat c;

		chat_open(&c);
		customer(&c, "saldo");
		customer(&c, no_yes[i]);
		bot_says_not(&c, "número de cédula");
		assert_int_equal(c.consents, 0);
		assert_int_equal(c.core_calls, 0);
		chat_close(&c);
	}
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		static struct chat c;

		chat_open(&c);
		customer(&c, "saldo");
		sends(&c, kinds[i]);
		bot_says(&c, "¿Autoriza este uso de sus datos?");
		assert_int_equal(c.consents, 0);
		chat_close(&c);
	}
}

static void test_HD_01_a_document_typed_before_consent_is_not_looked_up(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	script(&c, "c 52123456", "b ¿Autoriza");
	assert_int_equal(c.core_calls, 0);
	assert_null(memmem(c.state, c.state_len, "52123456", 8));
	chat_close(&c);
}

static void test_HD_01_photo_as_first_message(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	sends(&c, PA_IN_IMAGE);
	script(&c, "b Asistente Virtual", "b ¿Autoriza", "b ni lo guardo");
	chat_close(&c);
}

static void test_HD_03_typed_yes(void **state)
{
	(void)state;
	play("c saldo", "c sí autorizo", "b Gracias por su permiso", "b número de cédula");
	play("c saldo", "c Acepto", "b número de cédula");
}

static void test_refusal_is_handled_and_may_be_taken_back(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	script(&c, "c saldo", "c no autorizo", "b Sin su permiso no consulto",
	       "b escriba autorizar");
	assert_string_equal(c.consent_action, "niega");
	script(&c, "c hola", "b ¿En qué le puedo ayudar?", "t Mi saldo", "b ¿Autoriza", "n cédula?",
	       "c no", "c autorizar", "b ¿Autoriza", "t Sí, autorizo", "b número de cédula");
	assert_string_equal(c.consent_action, "otorga");
	chat_close(&c);
}

/* HD-03: the permission for a report, too, is given by a plain yes to its question only. */
static void test_HD_03_a_report_takes_a_plain_yes(void **state)
{
	static const char *const no_yes[] = {"sí pero después", "si me robaron en marzo", "ok", "👍",
					     "bueno"};
	static struct chat c;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(no_yes); i++) {
		chat_open(&c);
		script(&c, "c quiero poner una queja", "b ¿Me permite usar");
		customer(&c, no_yes[i]);
		assert_int_equal(c.consents, 0);
		chat_close(&c);
	}
	chat_open(&c);
	script(&c, "c quiero poner una queja", "c sí, señorita", "b Cuénteme");
	assert_string_equal(c.consent_purpose, "reporte");
	assert_string_equal(c.consent_action, "otorga");
	chat_close(&c);
}

/* HD-12: the button of the notice works for ever. */
static void test_HD_12_the_old_button_of_the_policy(void **state)
{
	static struct chat c;
	pa_str policy;

	(void)state;
	chat_open(&c);
	customer(&c, "hola");
	policy = tap_of(&c, "Leer la política");
	script(&c, "t Sí, autorizo", "c saldo", "+ 4000");
	tap_id(&c, policy, "Leer la política");
	script(&c, "b https://proalto.example/politica", "b cédula", "n ya no sirve");
	chat_close(&c);
}

/* A refusal out of the blue is one; a yes that was given is taken back by a tap only. */
static void test_refusing_without_being_asked(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	script(&c, "c de dónde sacaron mi número", "b ¿Le ayudo con algo más?", "c no autorizo",
	       "b Sin su permiso no consulto", "n no le entendí");
	assert_string_equal(c.consent_action, "niega");
	assert_int_equal(c.consent_question, 0);
	script(&c, "c ya les di permiso", "b ¿Autoriza", "c sí autorizo", "b Gracias");
	script(&c, "c no doy permiso", "b ¿Quiere retirarlo?", "c sí", "b toque el botón");
	assert_string_equal(c.consent_action, "otorga");
	tap(&c, "Sí, retirarlo");
	assert_string_equal(c.consent_action, "revoca");
	chat_close(&c);
}

/* HD-12: the policy is one tap or word away, and nothing is lost by it. */
static void test_HD_12_policy_at_any_time(void **state)
{
	static const char *const words[] = {"política", "la politica de privacidad",
					    "tratamiento de datos"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		static struct chat c;

		chat_open(&c);
		customer(&c, "saldo");
		customer(&c, words[i]);
		script(&c, "b https://proalto.example/politica", "b ¿Autoriza", "t Sí, autorizo",
		       "b número de cédula");
		customer(&c, words[i]);
		script(&c, "b https://proalto.example/politica", "b número de cédula",
		       "c 52123456");
		customer(&c, words[i]);
		script(&c, "b https://proalto.example/politica", "b código", "k", "b Le falta por");
		chat_close(&c);
	}
	play("c hola", "t Leer la política", "b https://proalto.example/politica",
	     "b ¿Autoriza este uso");
}

static void test_HD_12_without_an_address_the_policy_itself(void **state)
{
	struct flow_options options = chat_options();
	static struct chat c;

	(void)state;
	options.house.policy_url = "";
	chat_open_with(&c, &options);
	script(&c, "c hola", "b escriba \"política\"", "t Leer la política",
	       "b 1. Quién responde por sus datos", "b 6. Vigencia", "b ¿Autoriza");
	chat_close(&c);
}

static void test_a_tap_on_yes_counts_once_and_only_here(void **state)
{
	static struct chat c;
	pa_str id;

	(void)state;
	chat_open(&c);
	script(&c, "c hola", "t Sí, autorizo");
	id = tap_of(&c, "Sí, autorizo");
	tap_id(&c, id, "Sí, autorizo");
	assert_int_equal(c.consents, 1);
	script(&c, "s", "+ 5");
	tap_id(&c, id, "Sí, autorizo"); /* later: refused with the present situation */
	script(&c, "b Ese botón ya no sirve", "b [Mi saldo]");
	assert_int_equal(c.consents, 1);
	/* the same payload in another conversation */
	free(c.state);
	c.state = NULL;
	c.state_len = 0;
	c.conversation = 999;
	customer(&c, "hola");
	tap_id(&c, id, "Sí, autorizo");
	assert_int_equal(c.consents, 1);
	bot_says(&c, "¿Autoriza");
	chat_close(&c);
}

static void test_an_expired_tap_is_no_consent(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	script(&c, "c hola", "+ 1500", "t Sí, autorizo", "b Ese botón ya no sirve", "b ¿Autoriza");
	assert_int_equal(c.consents, 0);
	chat_close(&c);
}

/* Rules 5, HD-20, HD-27, HD-28: these need neither consent nor document. */
static void test_HD_27_reports_without_consent(void **state)
{
	static const struct {
		const char *words;
		const char *kind;
	} table[] = {
		{"quiero poner una queja", "queja"},
		{"me descontaron dos veces", "queja"},
		{"me están estafando con un crédito", "fraude"},
		{"yo no pedí ese crédito", "fraude"},
		{"necesito un asesor", "asesor"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		static struct chat c;

		chat_open(&c);
		customer(&c, table[i].words);
		assert_string_equal(c.case_kind, table[i].kind);
		assert_string_equal(c.case_summary, table[i].words);
		script(&c, "b PA-2026-000001", "b a más tardar el", "n cédula?", "n ¿Autoriza");
		assert_int_equal(c.core_calls, 0);
		chat_close(&c);
	}
}

static void test_HD_20_rights_requests(void **state)
{
	static const struct {
		const char *title;
		const char *words;
		const char *kind;
		int day; /* of December 2026: 10 or 15 business days after Friday 20 November */
	} table[] = {
		{"Conocer mis datos", "qué datos tienen de mí", "datos_consulta", 4},
		{"Corregir mis datos", "necesito cambiar mi dirección", "datos_rectificacion", 14},
		{"Borrar mis datos", "por favor eliminen mis datos", "datos_supresion", 14},
		{"Prueba de mi permiso", "quiero prueba de mi autorización", "datos_prueba", 4},
		{"Queja por mis datos", NULL, "datos_queja", 14},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		static struct chat c;
		char says[60];

		chat_open(&c);
		customer(&c, "mis datos");
		tap(&c, table[i].title);
		assert_string_equal(c.case_kind, table[i].kind);
		snprintf(says, sizeof(says), "%d de diciembre de 2026", table[i].day);
		bot_says(&c, says);
		if (table[i].words) {
			c.case_kind[0] = '\0';
			customer(&c, table[i].words);
			assert_string_equal(c.case_kind, table[i].kind);
		}
		chat_close(&c);
	}
}

/* HD-21: the clock of a term starts when the message arrived, whenever it is read. */
static void test_HD_21_clock_starts_at_arrival(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	c.event_at_ns = at(2026, 11, 19, 23);
	customer(&c, "quiero poner una queja");
	bot_says(&c, "11 de diciembre de 2026");
	bot_says(&c, "Perdón por la demora");
	chat_close(&c);
}

static void test_permission_for_a_report_alone(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	script(&c, "c me estafaron", "b No entregue dinero ni códigos a nadie",
	       "b ¿Me permite usar", "t Sí, lo permito", "b Cuénteme qué pasó");
	assert_string_equal(c.consent_purpose, "reporte");
	script(&c, "c Me llamó un señor y me pidió plata, mi cédula es 52123456",
	       "b Agregué lo que me contó al caso PA-2026-000001");
	assert_string_equal(c.case_kind, "fraude_detalle");
	assert_null(strstr(c.case_summary, "52123456"));
	assert_non_null(strstr(c.case_summary, "terminado en 456"));
	chat_close(&c);
}

static void test_revoking_needs_a_tap_and_works_at_once(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	script(&c, "c mis datos", "t Retirar mi permiso", "c sí", "b toque el botón");
	assert_string_equal(c.consent_action, "otorga");
	script(&c, "t Sí, retirarlo", "b Retiramos su permiso");
	assert_string_equal(c.consent_action, "revoca");
	assert_string_equal(c.consent_purpose, "servicio");
	script(&c, "c saldo", "b ¿Autoriza");
	chat_close(&c);
}

static void test_opting_out_works_from_any_wording(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	script(&c, "c saldo", "c no quiero ofertas", "b No le enviamos ofertas", "b cédula");
	assert_string_equal(c.consent_purpose, "publicidad");
	assert_string_equal(c.consent_action, "revoca");
	chat_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_HD_13_first_message_shows_the_notice),
		cmocka_unit_test(test_HD_13_whatever_the_first_words),
		cmocka_unit_test(test_HD_02_what_is_kept_of_a_yes),
		cmocka_unit_test(test_HD_02_the_question_is_the_message_that_asked),
		cmocka_unit_test(test_HD_01_nothing_before_consent),
		cmocka_unit_test(test_HD_01_a_document_typed_before_consent_is_not_looked_up),
		cmocka_unit_test(test_HD_01_photo_as_first_message),
		cmocka_unit_test(test_HD_03_typed_yes),
		cmocka_unit_test(test_refusal_is_handled_and_may_be_taken_back),
		cmocka_unit_test(test_HD_03_a_report_takes_a_plain_yes),
		cmocka_unit_test(test_HD_12_the_old_button_of_the_policy),
		cmocka_unit_test(test_refusing_without_being_asked),
		cmocka_unit_test(test_HD_12_policy_at_any_time),
		cmocka_unit_test(test_HD_12_without_an_address_the_policy_itself),
		cmocka_unit_test(test_a_tap_on_yes_counts_once_and_only_here),
		cmocka_unit_test(test_an_expired_tap_is_no_consent),
		cmocka_unit_test(test_HD_27_reports_without_consent),
		cmocka_unit_test(test_HD_20_rights_requests),
		cmocka_unit_test(test_HD_21_clock_starts_at_arrival),
		cmocka_unit_test(test_permission_for_a_report_alone),
		cmocka_unit_test(test_revoking_needs_a_tap_and_works_at_once),
		cmocka_unit_test(test_opting_out_works_from_any_wording),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
