/* SPDX-License-Identifier: Apache-2.0 */
#include "flow_chat.h"

/* ---- rules 3: the ladder ---- */

static void test_misses_of_format(void **state)
{
	(void)state;
	play("c saldo", "t Sí, autorizo", "c 12", "b Por ejemplo: 52123456", "c 1234567890123",
	     "b Si prefiere, toque una opción", "b [Hablar con asesor]", "c 99",
	     "b le atienda una persona", "b PA-2026-000001");
}

static void test_misses_of_meaning_hand_over_at_the_second(void **state)
{
	(void)state;
	play("c hola", "t Sí, autorizo", "c asdf qwerty", "b no le entendí", "b [Mi saldo]",
	     "c zxcv tyui", "b le atienda una persona");
	play("c hola", "c el perro ladra", "b no le entendí", "b ¿Autoriza", "c la luna llena",
	     "b le atienda una persona");
}

static void test_progress_resets_the_counters(void **state)
{
	(void)state;
	play("c saldo", "t Sí, autorizo", "c 12", "c 13", "c 52123456", "b Si esa cédula", "c 12",
	     "b El código tiene 6 números", "n persona", "c 13", "b Si prefiere", "c 14",
	     "b le atienda una persona");
	play("c hola", "t Sí, autorizo", "c asdf qwerty", "c menú", "c zxcv tyui",
	     "b no le entendí");
}

/* ---- global words in every state ---- */

static void test_AI_02_a_person_is_one_word_away(void **state)
{
	static const char *const words[] = {"asesor", "quiero hablar con una persona", "humano",
					    "páseme un asesor por favor"};
	static const char *const before[][3] = {{NULL},
						{"hola", NULL},
						{"saldo", "sí autorizo", NULL},
						{"sí autorizo", "saldo", DOCUMENT}};

	(void)state;
	for (size_t w = 0; w < ARRAY_COUNT(words); w++)
		for (size_t b = 0; b < ARRAY_COUNT(before); b++) {
			static struct chat c;

			chat_open(&c);
			for (size_t i = 0; i < 3 && before[b][i]; i++)
				customer(&c, before[b][i]);
			customer(&c, words[w]);
			script(&c, "b Ya pasé su caso a un asesor", "b 23 de noviembre de 2026");
			assert_string_equal(c.case_kind, "asesor");
			c.now_ns += NS_PER_MINUTE;
			customer(&c, words[w]); /* again: the same case */
			script(&c, "b PA-2026-000001");
			assert_int_equal(c.cases_opened, 1);
			chat_close(&c);
		}
}

static void test_AI_01_robot_question_is_answered_truthfully(void **state)
{
	(void)state;
	play("c saldo", "t Sí, autorizo", "c ¿usted es un robot?",
	     "b Soy un programa de computador", "b cédula", "c " DOCUMENT, "k",
	     "b Le falta por pagar");
	play("c con quien hablo", "b Soy un programa");
}

static void test_AI_01_the_menu_says_that_it_is_a_program(void **state)
{
	(void)state;
	play("c hola", "t Sí, autorizo", "b Soy un programa. ¿En qué le puedo ayudar?", "c menú",
	     "b Soy un programa.");
}

static void test_menu_and_exit_from_anywhere(void **state)
{
	(void)state;
	play("c saldo", "t Sí, autorizo", "c menú", "b ¿En qué le puedo ayudar?");
	play("c saldo", "t Sí, autorizo", "c salir", "b Terminamos por ahora");
	play("c hola", "t Sí, autorizo", "b [Hablar con un asesor]", "c 9", "b asesor");
}

/* ---- choices ---- */

static void test_a_choice_is_taken_in_many_forms(void **state)
{
	static const char *const forms[] = {"1",        "1.",
					    "uno",      "la primera",
					    "opción 1", "el primero por favor",
					    "mi saldo", "Mi Saldo",
					    "SALDO",    "quiero mi saldo señorita"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
		static struct chat c;

		chat_open(&c);
		consent(&c);
		customer(&c, forms[i]);
		bot_says(&c, "número de cédula");
		chat_close(&c);
	}
	play("c hola", "t Sí, autorizo", "c la tercera", "b paz y salvo");
	play("c hola", "t Sí, autorizo", "c la última", "b Ya pasé su caso");
	play("c hola", "t Sí, autorizo", "c 27", "b Toque una opción", "n no le entendí");
}

/* "Los dos" is no choice of the second. */
static void test_more_than_one_choice_is_asked(void **state)
{
	(void)state;
	play("c quiero renovar", "t Sí, autorizo", "b ¿La dejo?", "c los dos",
	     "b ¿Dejo su solicitud", "c ambas", "b ¿Dejo su solicitud");
}

static void test_channels_without_lists_get_numbers(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	c.features = 0;
	script(&c, "c hola", "b 1. Sí, autorizo", "c sí autorizo", "b 1. Mi saldo",
	       "b 9. Hablar con un asesor", "c 1", "b número de cédula", "b 1. Hablar con asesor");
	chat_close(&c);
}

static void test_two_near_readings_are_asked_by_tap(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	c.guess[0] = "saldo";
	c.guess[1] = "estado";
	c.guess_confidence[0] = 700000;
	c.guess_confidence[1] = 680000;
	c.guesses = 2;
	script(&c, "c cómo ando por allá", "b ¿Cuál necesita?", "b [su saldo]", "t su saldo",
	       "b cédula");
	chat_close(&c);
	chat_open(&c);
	consent(&c);
	c.guess[0] = "saldo";
	c.guess[1] = "estado";
	c.guess_confidence[0] = 900000;
	c.guess_confidence[1] = 300000;
	c.guesses = 2;
	script(&c, "c cómo ando por allá", "b cédula");
	c.guess_confidence[0] = 300000; /* below the threshold */
	script(&c, "c cómo ando por allá", "b no le entendí");
	chat_close(&c);
}

/* ---- wishes and digressions ---- */

static void test_another_wish_is_served_and_the_question_comes_back(void **state)
{
	(void)state;
	play("c crédito nuevo", "t Sí, autorizo", "b ¿Cuánto dinero necesita?",
	     "c quiero poner una queja", "b Recibimos su queja", "b ¿Quiere contarme algo más?",
	     "t No, gracias", "b Volvamos a lo que estábamos", "b ¿Cuánto dinero necesita?",
	     "c 3 millones", "b ¿La dejo?");
	play("c saldo", "t Sí, autorizo", "c y el paz y salvo?",
	     "b Después le ayudo con su paz y salvo", "b cédula", "c " DOCUMENT, "k",
	     "b Le falta por pagar", "b Ahora seguimos con su paz y");
	play("c saldo", "t Sí, autorizo", "c mis datos", "b política de datos",
	     "t Conocer mis datos", "b Recibimos su solicitud", "b cédula");
}

static void test_back_goes_to_the_question_before(void **state)
{
	(void)state;
	play("c crédito nuevo", "t Sí, autorizo", "c 3 millones", "b ¿La dejo?", "c atrás",
	     "b ¿Cuánto dinero necesita?", "c 2.500.000", "b ¿La dejo?");
}

static void test_what_binds_needs_a_tap(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	script(&c, "c quiero renovar", "b ¿La dejo?", "c sí", "b toque el botón");
	assert_int_equal(c.cases_opened, 0);
	script(&c, "t Sí, dejarla", "b Su solicitud quedó con el número");
	assert_string_equal(c.case_kind, "renovacion");
	chat_close(&c);
}

static void test_not_yet_built_is_said_and_taken_as_a_case(void **state)
{
	static const struct {
		const char *words;
		const char *kind;
	} table[] = {{"en qué va mi solicitud", "estado"},
		     {"necesito el paz y salvo", "paz_y_salvo"},
		     {"quiero renovar mi crédito", "renovacion"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		static struct chat c;

		chat_open(&c);
		consent(&c);
		customer(&c, table[i].words);
		bot_says(&c, "Todavía no puedo resolver");
		tap(&c, "Sí, dejarla");
		assert_string_equal(c.case_kind, table[i].kind);
		bot_says(&c, "25 de noviembre de 2026");
		chat_close(&c);
	}
}

static void test_a_confirmation_takes_another_amount(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	script(&c, "c crédito nuevo", "c 3 millones", "b Necesita $ 3.000.000", "b ¿La dejo?",
	       "c no, mejor 5 millones", "b Necesita $ 5.000.000", "b ¿La dejo?", "t Sí, dejarla");
	assert_string_equal(c.case_summary, "$ 5.000.000");
	chat_close(&c);
}

static void test_an_amount_of_two_readings_is_asked_back(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	script(&c, "c crédito nuevo", "c 1.234", "b ¿Cuál es?", "b [$ 1.234]", "b [$ 1.234.000]",
	       "n ¿La dejo?", "c la segunda", "b Necesita $ 1.234.000", "c 2.500", "b ¿Cuál es?",
	       "c hola", "b ¿Cuál es?", "c 2.500.000", "b Necesita $ 2.500.000", "c 900",
	       "n Necesita $ 900");
	assert_int_equal(c.cases_opened, 0);
	chat_close(&c);
	play("c hola", "t Sí, autorizo", "c crédito nuevo", "c 1.234", "c asesor",
	     "b Ya pasé su caso", "b ¿Cuánto dinero necesita?", "c 3 millones", "b ¿La dejo?");
}

/* ---- drafts ---- */

static void test_a_draft_is_kept_and_offered(void **state)
{
	(void)state;
	play("c crédito nuevo", "t Sí, autorizo", "c 3 millones", "c menú",
	     "b Guardé lo que llevaba", "+ 1440", "c crédito nuevo", "b Tengo guardado",
	     "b Usted necesita $ 3.000.000", "t Continuar", "b ¿La dejo?");
	play("c crédito nuevo", "t Sí, autorizo", "c 3 millones", "c menú", "+ 1440",
	     "c crédito nuevo", "t Comenzar de nuevo", "b ¿Cuánto dinero necesita?");
	play("c crédito nuevo", "t Sí, autorizo", "c 3 millones", "c menú", "+ 21700",
	     "c crédito nuevo", "n Tengo guardado", "b ¿Cuánto dinero necesita?");
}

static void test_stopping_asks_and_sends_nothing(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	script(&c, "c crédito nuevo", "c 3 millones", "c salir", "b ¿Quiere salir?",
	       "t Seguir aquí", "b ¿Dejo su solicitud", "c salir", "t Salir",
	       "b Terminamos por ahora");
	assert_int_equal(c.cases_opened, 0);
	chat_close(&c);
}

/* ---- taps ---- */

static void test_an_old_harmless_tap_is_served_and_answers_nothing_else(void **state)
{
	static struct chat c;
	pa_str menu_balance;

	(void)state;
	chat_open(&c);
	consent(&c);
	menu_balance = tap_of(&c, "Mi saldo");
	script(&c, "c crédito nuevo", "b ¿Cuánto dinero");
	tap_id(&c, menu_balance, "Mi saldo");
	script(&c, "b cédula", "n ¿La dejo?");
	chat_close(&c);
}

static void test_an_effect_happens_once(void **state)
{
	static struct chat c;
	pa_str yes;

	(void)state;
	chat_open(&c);
	consent(&c);
	customer(&c, "renovar");
	yes = tap_of(&c, "Sí, dejarla");
	tap_id(&c, yes, "Sí, dejarla");
	assert_int_equal(c.cases_opened, 1);
	tap_id(&c, yes, "Sí, dejarla");
	assert_int_equal(c.cases_opened, 1);
	bot_is_silent(&c);
	c.now_ns += NS_PER_HOUR;
	tap_id(&c, yes, "Sí, dejarla");
	assert_int_equal(c.cases_opened, 1);
	bot_says(&c, "Ese botón ya no sirve");
	chat_close(&c);
}

/* AI-06: what a person sends is data, never an order to the program. */
static void test_forged_taps_do_nothing(void **state)
{
	static struct chat c;
	char forged[256];
	pa_str id;

	(void)state;
	chat_open(&c);
	consent(&c);
	customer(&c, "renovar");
	id = tap_of(&c, "Sí, dejarla");
	for (size_t i = 0; i < id.len; i++) {
		memcpy(forged, id.ptr, id.len);
		forged[i] = forged[i] == 'A' ? 'B' : 'A';
		tap_id(&c, (pa_str){forged, id.len}, "Sí, dejarla");
		assert_int_equal(c.cases_opened, 0);
	}
	chat_close(&c);
}

/* ---- other kinds of input ---- */

static void test_every_kind_in_every_state_gets_a_fitting_answer(void **state)
{
	static const uint32_t kinds[] = {PA_IN_IMAGE,
					 PA_IN_VIDEO,
					 PA_IN_DOCUMENT,
					 PA_IN_AUDIO,
					 PA_IN_STICKER,
					 PA_IN_LOCATION,
					 PA_IN_CONTACTS,
					 PA_IN_FORM,
					 PA_IN_ORDER,
					 PA_IN_EDIT,
					 PA_IN_UNSUPPORTED,
					 PA_IN_OTHER,
					 99};
	static const struct {
		const char *before[4];
		const char *again;
	} states[] = {
		{{NULL}, "¿Autoriza"},
		{{"saldo", NULL}, "¿Autoriza"},
		{{"saldo", "sí autorizo", NULL}, "número de cédula"},
		{{"saldo", "sí autorizo", DOCUMENT, NULL}, "6 números"},
		{{"hola", "sí autorizo", NULL}, "[Mi saldo]"},
		{{"crédito nuevo", "sí autorizo", NULL}, "¿Cuánto dinero"},
	};

	(void)state;
	for (size_t s = 0; s < ARRAY_COUNT(states); s++)
		for (size_t k = 0; k < ARRAY_COUNT(kinds); k++) {
			static struct chat c;

			chat_open(&c);
			for (size_t i = 0; i < 4 && states[s].before[i]; i++)
				customer(&c, states[s].before[i]);
			sends(&c, kinds[k]);
			bot_says(&c, states[s].again);
			sends(&c, kinds[k]); /* a second time a person is offered */
			bot_says(&c, states[s].again);
			bot_says(&c, "asesor");
			assert_int_equal(c.cases_opened, 0); /* counts no failure */
			chat_close(&c);
		}
}

static void test_reactions_and_revocations(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	sends(&c, PA_IN_REACTION);
	bot_is_silent(&c);
	sends(&c, PA_IN_REVOKE);
	bot_is_silent(&c);
	customer(&c, "hola");
	sends(&c, PA_IN_REACTION);
	bot_says(&c, "¿Autoriza este uso de sus datos?");
	assert_int_equal(c.consents, 0);
	sends(&c, PA_IN_REVOKE);
	bot_is_silent(&c);
	assert_true(c.out.no_answer_ok);
	chat_close(&c);
}

static void test_groups_and_echoes(void **state)
{
	static struct chat c;
	pa_event event;

	(void)state;
	chat_open(&c);
	consent(&c);
	verify(&c);
	event = chat_event(&c, PA_IN_TEXT);
	event.text = PA_STR("saldo");
	event.flags = PA_EVENT_GROUP;
	chat_send(&c, &event);
	script(&c, "b no atiendo en grupos", "n $");
	chat_send(&c, &event);
	bot_is_silent(&c);
	event.flags = PA_EVENT_ECHO;
	chat_send(&c, &event);
	bot_is_silent(&c);
	chat_close(&c);
}

static void test_secrets_are_warned_of_and_not_kept(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	script(&c, "c me robaron la tarjeta 4539 1488 0343 6467 y la clave es gato2024",
	       "b Borré un dato secreto");
	assert_null(strstr(c.case_summary, "4539"));
	assert_null(strstr(c.case_summary, "gato2024"));
	assert_non_null(strstr(c.case_summary, "[tarjeta]"));
	chat_close(&c);
}

/* ---- rules 5: trouble ---- */

static void test_trouble_comes_before_everything(void **state)
{
	static const struct {
		const char *words;
		const char *kind;
		const char *says;
	} table[] = {
		{"quiero mi saldo pero me suplantaron", "fraude", "No entregue dinero ni códigos"},
		{"mi esposo falleció ayer", "fallecimiento", "Lamento mucho su pérdida"},
		{"ya no quiero vivir", "crisis", "línea 106"},
		{"soy menor de edad", "menor", "mayores de edad"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		static struct chat c;

		chat_open(&c);
		consent(&c);
		script(&c, "c crédito nuevo", "c 2 millones");
		customer(&c, table[i].words);
		bot_says(&c, table[i].says);
		assert_string_equal(c.case_kind, table[i].kind);
		chat_close(&c);
	}
}

static void test_grief_ends_the_session_and_asks_for_nothing(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	verify(&c);
	script(&c, "c mi mamá falleció", "b Lamento mucho", "n algo más", "n cédula", "n [");
	assert_string_equal(c.case_summary, "");
	script(&c, "c saldo", "b ¿Cuál es su número de cédula?");
	chat_close(&c);
}

static void test_anger_is_acknowledged(void **state)
{
	(void)state;
	play("c saldo", "t Sí, autorizo", "c qué mal servicio", "b Entiendo su molestia",
	     "b [Sí, con un asesor]", "t No, gracias", "b cédula");
}

static void test_foreign_language(void **state)
{
	(void)state;
	play("c hello, how much do I owe you please", "b I only speak Spanish",
	     "b Solo hablo español");
	play("c please", "b I only speak Spanish", "c bom dia quero saber quanto devo",
	     "b Ya avisé a una persona");
}

/* ---- silence, floods, quiet ---- */

static void test_late_sentence_once(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	chat_internal(&c, TURN_LATE, "");
	bot_says(&c, "Le respondo apenas pueda");
	chat_internal(&c, TURN_LATE, "");
	bot_is_silent(&c);
	customer(&c, "menú");
	chat_internal(&c, TURN_LATE, "");
	bot_says(&c, "Le respondo apenas pueda");
	chat_close(&c);
}

static void test_flood_gets_one_notice(void **state)
{
	static struct chat c;
	int notices = 0, silent = 0;

	(void)state;
	chat_open(&c);
	consent(&c);
	for (int i = 0; i < 40; i++) {
		c.now_ns += NS_PER_S / 2;
		customer(&c, "menú");
		notices += strstr(c.bot, "muchos mensajes") != NULL;
		silent += c.bot[0] == '\0';
	}
	assert_int_equal(notices, 1);
	assert_true(silent > 10);
	script(&c, "+ 1", "c menú", "b ¿En qué le puedo ayudar?");
	chat_close(&c);
}

/* What piled up while the service was away is no flood, however much is read at once. */
static void test_late_messages_are_no_flood(void **state)
{
	static struct chat c;
	static pa_event parts[24];
	static struct turn_event events[24];

	(void)state;
	chat_open(&c);
	consent(&c);
	c.now_ns += 4 * NS_PER_HOUR;
	for (int i = 0; i < 24; i++) {
		c.event_at_ns = c.now_ns - (24 - i) * (3 * NS_PER_HOUR / 24);
		parts[i] = chat_event(&c, PA_IN_TEXT);
		parts[i].text = i < 23 ? PA_STR("asdf qwer") : PA_STR("cuánto debo");
		events[i] = (struct turn_event){
			.id = 100 + i, .kind = TURN_CUSTOMER, .event = &parts[i]};
	}
	for (size_t done = 0; done < 24; done += c.consumed) {
		c.bot[0] = '\0';
		chat_turn(&c, events + done, 24 - done, false);
		assert_true(c.consumed > 0);
		assert_null(strstr(c.bot, "muchos mensajes"));
		assert_true(c.bot[0]);
	}
	bot_says(&c, "cédula");
	/* ... and a flood that was written then has calmed since */
	c.event_at_ns = c.now_ns - NS_PER_HOUR;
	for (int i = 0; i < 30; i++)
		customer(&c, "menú");
	bot_is_silent(&c);
	c.now_ns += 20 * NS_PER_S;
	c.event_at_ns = 0;
	script(&c, "c menú", "b ¿En qué le puedo ayudar?");
	chat_close(&c);
}

static void flood_up_to(struct chat *c, int count)
{
	chat_open(c);
	consent(c);
	c->now_ns += NS_PER_MINUTE; /* what was said before does not count */
	for (int i = 0; i < count; i++)
		customer(c, "menú");
}

static void test_flood_hears_what_is_urgent(void **state)
{
	static struct chat c;

	(void)state;
	flood_up_to(&c, 30);
	bot_is_silent(&c);
	script(&c, "c asesor", "b Ya pasé su caso a un asesor", "c asesor");
	assert_string_equal(c.bot, "");
	script(&c, "c me están estafando", "b No entregue dinero");
	assert_string_equal(c.case_kind, "fraude");
	customer(&c, "cuánto debo");
	bot_is_silent(&c);
	script(&c, "c me quiero morir", "b línea 106", "n muchos mensajes");
	assert_string_equal(c.case_kind, "crisis");
	customer(&c, "me quiero morir");
	bot_is_silent(&c);
	chat_close(&c);

	flood_up_to(&c, 30);
	script(&c, "c tengo 17 años", "b mayores de edad");
	assert_int_equal(c.out.redactions_count, 1);
	customer(&c, "vivo en la calle 13");
	bot_is_silent(&c);
	assert_int_equal(c.out.redactions_count, 1);
	chat_close(&c);
}

static void test_flood_hears_taps_and_captions(void **state)
{
	static struct chat c;
	pa_event photo;

	(void)state;
	flood_up_to(&c, 1);
	for (int i = 0; i < 30; i++)
		sends(&c, PA_IN_STICKER);
	bot_is_silent(&c);
	photo = chat_event(&c, PA_IN_IMAGE);
	photo.text = PA_STR("me quiero morir");
	chat_send(&c, &photo);
	bot_says(&c, "línea 106");
	chat_close(&c);

	flood_up_to(&c, 30);
	tap(&c, "Hablar con un asesor");
	bot_says(&c, "Ya pasé su caso a un asesor");
	sends(&c, PA_IN_STICKER);
	bot_is_silent(&c);
	chat_close(&c);
}

/* Twenty count; what crosses the limit is not lost. */
static void test_flood_serves_what_crosses_the_limit(void **state)
{
	static struct chat c;
	pa_event parts[8];
	struct turn_event events[8];

	(void)state;
	flood_up_to(&c, 20);
	script(&c, "c cuánto debo", "b muchos mensajes", "b cédula", "c mis datos");
	assert_string_equal(c.bot, "");
	chat_close(&c);

	flood_up_to(&c, 16);
	for (int i = 0; i < 8; i++) {
		parts[i] = chat_event(&c, PA_IN_TEXT);
		parts[i].text = i < 7 ? PA_STR("asdf qwer") : PA_STR("me quiero morir");
		events[i] = (struct turn_event){
			.id = 100 + i, .kind = TURN_CUSTOMER, .event = &parts[i]};
	}
	c.bot[0] = '\0';
	chat_turn(&c, events, 8, false);
	assert_int_equal(c.consumed, 8);
	script(&c, "b línea 106", "n muchos mensajes");
	assert_string_equal(c.case_kind, "crisis");
	chat_close(&c);
}

/* What nobody understands does not wait for quiet eight by eight, and each text counts. */
static void test_flood_of_nonsense(void **state)
{
	static struct chat c;
	pa_event parts[8];
	struct turn_event events[8];
	int notices = 0;

	(void)state;
	chat_open(&c);
	consent(&c);
	c.now_ns += NS_PER_MINUTE; /* what was said before does not count */
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 8; i++) {
			parts[i] = chat_event(&c, PA_IN_TEXT);
			parts[i].text = PA_STR("asdf qwer");
			events[i] = (struct turn_event){.id = 100 + 8 * round + i,
							.kind = TURN_CUSTOMER,
							.event = &parts[i]};
		}
		c.bot[0] = '\0';
		chat_turn(&c, events, 8, false);
		assert_int_equal(c.consumed, 8);
		assert_int_equal(c.out.hold_until_ns, 0);
		notices += strstr(c.bot, "muchos mensajes") != NULL;
		if (round > 2)
			assert_string_equal(c.bot, "");
	}
	assert_int_equal(notices, 1);
	chat_turn(&c, events, 7, false);
	assert_int_equal(c.consumed, 0);
	chat_close(&c);
}

static void test_quiet_period(void **state)
{
	static struct chat c;
	pa_event parts[3];
	struct turn_event events[3];

	(void)state;
	chat_open(&c);
	consent(&c);
	c.stays_quiet = true;
	customer(&c, "quisiera que me dijera");
	assert_true(c.out.hold_until_ns > c.now_ns);
	assert_true(c.out.hold_until_ns <= c.now_ns + NS_PER_S);
	assert_int_equal(c.consumed, 0);
	for (int i = 0; i < 3; i++) {
		static const char *const texts[] = {"hola", "quisiera que me dijera",
						    "cuánto debo"};

		parts[i] = chat_event(&c, PA_IN_TEXT);
		parts[i].text = str_from(texts[i]);
		events[i] = (struct turn_event){
			.id = 10 + i, .kind = TURN_CUSTOMER, .event = &parts[i]};
	}
	c.bot[0] = '\0';
	chat_turn(&c, events, 3, false);
	assert_int_equal(c.consumed, 3);
	bot_says(&c, "número de cédula");
	customer(&c, "menú"); /* a global word is answered at once */
	assert_int_equal(c.consumed, 1);
	chat_close(&c);
}

static void album(struct chat *c, const char *const captions[3], bool quiet_is_over)
{
	struct turn_event events[3];
	pa_event photos[3];

	for (int i = 0; i < 3; i++) {
		photos[i] = chat_event(c, PA_IN_IMAGE);
		photos[i].text = captions[i] ? str_from(captions[i]) : PA_STR_ABSENT;
		events[i] = (struct turn_event){
			.id = 20 + i, .kind = TURN_CUSTOMER, .event = &photos[i]};
	}
	c->bot[0] = '\0';
	chat_turn(c, events, 3, quiet_is_over);
}

static void test_an_album_gets_one_answer(void **state)
{
	static const char *const mute[] = {NULL, NULL, NULL};
	static const char *const one[] = {NULL, "cuánto debo", NULL};
	static const char *const two[] = {"menú", "me suplantaron", NULL};
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	album(&c, mute, false);
	assert_int_equal(c.consumed, 0);
	assert_true(c.out.hold_until_ns > c.now_ns);
	album(&c, mute, true);
	assert_int_equal(c.consumed, 3);
	bot_says(&c, "Gracias por el archivo");
	bot_says_not(&c, "Si prefiere hablar"); /* that comes with the second */
	album(&c, one, true);
	assert_int_equal(c.consumed, 3);
	bot_says(&c, "número de cédula");
	album(&c, two, false); /* no words are lost */
	assert_int_equal(c.consumed, 1);
	chat_close(&c);
}

static void test_one_reminder_and_never_at_night(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	consent(&c);
	c.now_ns += 11 * NS_PER_MINUTE;
	chat_internal(&c, TURN_TIMER, "recordatorio");
	script(&c, "b Sigo aquí", "b [Mi saldo]");
	chat_internal(&c, TURN_TIMER, "recordatorio");
	bot_is_silent(&c);
	chat_close(&c);
	chat_open(&c);
	c.now_ns = at(2026, 11, 20, 22);
	consent(&c);
	c.now_ns += 11 * NS_PER_MINUTE;
	chat_internal(&c, TURN_TIMER, "recordatorio");
	bot_is_silent(&c);
	chat_close(&c);
}

/* ---- versions ---- */

static void test_a_conversation_finishes_on_the_version_it_began_with(void **state)
{
	struct flow_options options = chat_options();
	struct flow_set *old;
	static struct chat c;

	(void)state;
	chat_open(&c);
	customer(&c, "hola");
	bot_says(&c, "ProAlto, NIT");
	old = c.set;
	options.house.name = "Otra Casa";
	c.set = chat_load(&options);
	assert_int_not_equal(flow_set_version(c.set), flow_set_version(old));
	flow_set_keep(c.set, old);
	flow_set_unref(old);
	script(&c, "c ok", "b ¿Autoriza", "c sí autorizo", "t Hablar con un asesor", "c gracias",
	       "c contacto de la oficina", "b Otra Casa está en");
	chat_close(&c);
}

static void test_a_broken_state_is_an_error_not_a_crash(void **state)
{
	static struct chat c;
	struct turn_ports ports;
	struct turn_in in;
	pa_event event;
	struct turn_event one;
	pa_error err = ERROR_INIT;

	(void)state;
	chat_open(&c);
	ports = chat_ports(&c);
	event = chat_event(&c, PA_IN_TEXT);
	event.text = PA_STR("hola");
	one = (struct turn_event){.id = 1, .kind = TURN_CUSTOMER, .event = &event};
	in = (struct turn_in){.now_ns = c.now_ns,
			      .conversation = 1,
			      .medium = PA_MEDIUM_CHAT,
			      .state = PA_STR("\xff\xff\xff"),
			      .events = &one,
			      .events_count = 1};
	assert_int_equal(turn_run(c.set, &in, &ports, c.arena, &c.out, &err), PA_BUG);
	chat_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_misses_of_format),
		cmocka_unit_test(test_misses_of_meaning_hand_over_at_the_second),
		cmocka_unit_test(test_progress_resets_the_counters),
		cmocka_unit_test(test_AI_02_a_person_is_one_word_away),
		cmocka_unit_test(test_AI_01_robot_question_is_answered_truthfully),
		cmocka_unit_test(test_AI_01_the_menu_says_that_it_is_a_program),
		cmocka_unit_test(test_menu_and_exit_from_anywhere),
		cmocka_unit_test(test_a_choice_is_taken_in_many_forms),
		cmocka_unit_test(test_more_than_one_choice_is_asked),
		cmocka_unit_test(test_channels_without_lists_get_numbers),
		cmocka_unit_test(test_two_near_readings_are_asked_by_tap),
		cmocka_unit_test(test_another_wish_is_served_and_the_question_comes_back),
		cmocka_unit_test(test_back_goes_to_the_question_before),
		cmocka_unit_test(test_what_binds_needs_a_tap),
		cmocka_unit_test(test_not_yet_built_is_said_and_taken_as_a_case),
		cmocka_unit_test(test_a_confirmation_takes_another_amount),
		cmocka_unit_test(test_an_amount_of_two_readings_is_asked_back),
		cmocka_unit_test(test_a_draft_is_kept_and_offered),
		cmocka_unit_test(test_stopping_asks_and_sends_nothing),
		cmocka_unit_test(test_an_old_harmless_tap_is_served_and_answers_nothing_else),
		cmocka_unit_test(test_an_effect_happens_once),
		cmocka_unit_test(test_forged_taps_do_nothing),
		cmocka_unit_test(test_every_kind_in_every_state_gets_a_fitting_answer),
		cmocka_unit_test(test_reactions_and_revocations),
		cmocka_unit_test(test_groups_and_echoes),
		cmocka_unit_test(test_secrets_are_warned_of_and_not_kept),
		cmocka_unit_test(test_trouble_comes_before_everything),
		cmocka_unit_test(test_grief_ends_the_session_and_asks_for_nothing),
		cmocka_unit_test(test_anger_is_acknowledged),
		cmocka_unit_test(test_foreign_language),
		cmocka_unit_test(test_late_sentence_once),
		cmocka_unit_test(test_flood_gets_one_notice),
		cmocka_unit_test(test_flood_of_nonsense),
		cmocka_unit_test(test_late_messages_are_no_flood),
		cmocka_unit_test(test_flood_hears_what_is_urgent),
		cmocka_unit_test(test_flood_hears_taps_and_captions),
		cmocka_unit_test(test_flood_serves_what_crosses_the_limit),
		cmocka_unit_test(test_quiet_period),
		cmocka_unit_test(test_an_album_gets_one_answer),
		cmocka_unit_test(test_one_reminder_and_never_at_night),
		cmocka_unit_test(test_a_conversation_finishes_on_the_version_it_began_with),
		cmocka_unit_test(test_a_broken_state_is_an_error_not_a_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
