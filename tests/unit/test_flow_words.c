/* SPDX-License-Identifier: Apache-2.0 */
#include "flow_chat.h"

#include "flow/understand.h"

/* The words of the shipped files, as customers said them: which intents, in order. */
static const struct {
	const char *text;
	const char *want;
} said_table[] = {
	/* in danger, in grief, deceived */
	{"mejor me mato y se acaba todo", "crisis"},
	{"mi esposo me pega y me quita la plata", "crisis"},
	{"no vale la pena vivir", "crisis"},
	{"ya no aguanto mas", "crisis"},
	{"mi papá ya no está con nosotros, que en paz descanse", "duelo"},
	{"perdí a mi esposa", "duelo"},
	{"mi viejo se nos fue ayer", "duelo"},
	{"no le veo sentido a la vida", "crisis"},
	{"yo nunca pedi ese credito", "fraude"},
	{"en datacredito me aparece algo que yo nunca saque", "fraude"},
	{"alguien saco un credito a mi nombre", "fraude"},
	{"me llamaron y que consigne 200 mil antes", "fraude"},
	{"me estan extorsionando", "fraude"},
	{"me llego un codigo y yo no lo pedi", "fraude"},
	/* rights, by words */
	{"borren todos mis datos ya", "datos_borrar"},
	{"revoco mi autorizacion", "datos_retirar"},
	{"de donde sacaron mi telefono", "datos_conocer"},
	{"quiero que me quiten de datacredito", "datos_corregir"},
	{"quiero la prueba de mi autorizacion", "datos_prueba"},
	{"necesito actualizar mi correo", "datos_corregir"},
	{"para que quieren mis datos?", "politica"},
	/* as it sounds */
	{"kiero saber kuanto devo", "saldo"},
	{"i kuando me descuentan", "saldo"},
	{"grasias", "gracias"},
	{"acesor", "asesor"},
	{"ablar con un acesor", "asesor"},
	{"asecor", "asesor"},
	/* cancelar is to pay; small words inside others */
	{"quiero cancelar mi credito, cuanto es", "saldo"},
	{"cuanto es para cancelar todo", "saldo"},
	{"cancelar", "salir"},
	{"necesito una cuota mas baja", "saldo"},
	{"baja", "baja"},
	{"no me escriban mas", "baja"},
	{"me tienen que devolver mi plata", "queja"},
	{"quiero volver a pedir un credito", "credito_nuevo"},
	{"quiero volver", "atras"},
	{"soy agente de policia y quiero saber mi saldo", "saldo"},
	{"soy una persona mayor y quiero mi saldo", "saldo"},
	{"por que me descontaron mas este mes", "queja"},
	{"que otra persona me atienda", "asesor"},
	/* denied */
	{"no quiero hablar con un asesor, quiero mi saldo", "saldo"},
	{"no es ningun fraude, solo quiero saber mi saldo", "saldo"},
	{"no se cuanto debo", "saldo"},
	{"no quiero vivir", "crisis"},
	/* one wish, two words */
	{"cuanto debo del prestamo", "saldo"},
	{"cuanto debo de mi libranza", "saldo"},
	{"quiero un prestamo", "credito_nuevo"},
	{"quiero renovar mi credito", "renovacion"},
	/* what else is asked often */
	{"quiero pagar todo el credito de una vez", "saldo"},
	{"no tengo plata para pagar este mes", "acompanar"},
	{"no se leer bien", "acompanar"},
	{"estoy desesperado con las deudas", "acompanar"},
	{"donde pago", "saldo"},
	{"yo ya pague eso ustedes me siguen cobrando", "queja"},
	{"los voy a demandar", "queja"},
	{"voy a poner una tutela", "queja"},
	{"cual es el horario", "contacto"},
	{"Dios la bendiga", "gracias"},
	{"es seguro esto?", "confianza"},
	{"no confio", "confianza"},
	{"necesito el certificado laboral", "laboral"},
	{"ya no quiero asesor", "ya_no"},
	{"ya no", "ya_no"},
	{"jajajaja", "nada"},
	{"claro que si", "nada"},
};

static void test_words_of_customers(void **state)
{
	struct arena *arena = arena_new((size_t)1 << 24);
	struct flow_options flow_options = chat_options();
	struct flow_set *set = chat_load(&flow_options);
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(said_table); i++) {
		struct found_intent found[INTENTS_FOUND_MAX];
		struct said said;
		pa_str got = PA_STR("");
		size_t count;

		said_split(arena, str_from(said_table[i].text), &said);
		count = intents_find(set, &said, found);
		for (size_t k = 0; k < count; k++)
			got = arena_format(arena, "%.*s%s%.*s", PA_FMT(got), k ? " " : "",
					   PA_FMT(found[k].intent->name));
		if (str_equal(got, str_from(said_table[i].want)))
			continue;
		wrong++;
		print_error("\"%s\": \"%.*s\", not \"%s\"\n", said_table[i].text, PA_FMT(got),
			    said_table[i].want);
	}
	assert_int_equal(wrong, 0);
	flow_set_unref(set);
	arena_free(arena);
}

static void test_rights_get_their_number_at_once(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	script(&c, "c borren todos mis datos ya", "b PA-2026-000001");
	assert_string_equal(c.case_kind, "datos_supresion");
	script(&c, "c revoco mi autorizacion", "b ¿Quiere retirarlo?");
	assert_int_equal(c.cases, 1);
	chat_close(&c);
}

static void test_several_wishes_with_a_complaint(void **state)
{
	(void)state;
	play("c hola", "t Sí, autorizo",
	     "c necesito saber cuanto debo, un paz y salvo, y poner una queja",
	     "b Primero le ayudo con su queja. Después, con su saldo y su paz y salvo");
	play("c cuanto debo y quiero poner una queja", "b Primero le ayudo con su queja",
	     "b Recibimos su queja");
}

static void test_small_words(void **state)
{
	(void)state;
	play("c hola", "t Sí, autorizo", "c jajaja", "n no le entendí", "c ok", "n no le entendí",
	     "c no se", "b Toque una opción", "n caso");
	play("c asesor", "b PA-2026-000001", "c ya no", "b Retiré su solicitud PA-2026-000001",
	     "c asesor", "b PA-2026-000002");
	play("c crédito nuevo", "t Sí, autorizo", "c salir", "b ¿Quiere salir?", "c no",
	     "b ¿Cuánto dinero", "c salir", "c sí", "b Terminamos");
	play("c hola", "t Sí, autorizo", "c no me llego el codigo", "b No le he enviado ningún");
	play("c quiero saber el saldo de mi esposo", "n Cerré", "b su saldo", "t Sí, autorizo",
	     "b número de cédula");
	play("c yo no soy esa persona, no me escriban mas", "n Cerré", "b No le enviamos ofertas",
	     "n ¿En qué");
	play("c cuanto debo", "t Sí, autorizo", "t Leer la política", "n ya no sirve",
	     "b política de datos", "b cédula");
	play("c no confio", "b Puede comprobarlo");
	play("c hola", "t Sí, autorizo", "t Pedir un crédito", "c dos millones quinientos mil",
	     "b 2.500.000", "b ¿La dejo?");
}

static void test_a_sentence_with_si_is_no_consent(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	script(&c, "c quiero poner una queja", "b ¿Me permite usar",
	       "c si yo supiera para que es eso le diria", "n Cuénteme qué pasó");
	assert_int_equal(c.consents, 0);
	script(&c, "c sí", "b Cuénteme qué pasó");
	assert_int_equal(c.consents, 1);
	chat_close(&c);
}

static void test_names_of_payrolls_are_whole(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	c.credits[0].payroll = PA_STR("Secretaría de Educación Departamental de Santander");
	consent(&c);
	verify(&c);
	bot_says(&c, "Secretaría de Educación Departamental de Santander");
	chat_close(&c);
	chat_open(&c);
	c.credits[0].payroll = PA_STR("Alcaldía de San Lorenzo del Valle");
	chat_add_credit(&c, "100009999", "Universidad Técnica de La Península", 100);
	consent(&c);
	verify(&c);
	script(&c, "b [Alcaldía de San 4821]", "b [Universidad Técnica 9999]");
	chat_close(&c);
}

static void test_absurd_instalments_are_not_told(void **state)
{
	static struct chat c;

	(void)state;
	chat_open(&c);
	c.credits[0].instalments_total = known(6);
	c.credits[0].instalments_paid = known(8);
	c.credits[0].instalments_pending = known(4);
	consent(&c);
	verify(&c);
	script(&c, "b Le falta por pagar", "n Cuotas pagadas", "b Hoy no tengo las cuotas pagadas");
	chat_close(&c);
}

static void test_the_words_under_a_photo_are_read(void **state)
{
	static struct chat c;
	pa_event photo;

	(void)state;
	chat_open(&c);
	consent(&c);
	photo = chat_event(&c, PA_IN_IMAGE);
	photo.text = PA_STR("quiero saber cuanto debo");
	photo.media_id = PA_STR("media-1");
	chat_send(&c, &photo);
	script(&c, "b Gracias por el archivo", "b número de cédula");
	assert_false(c.keeps_rest);
	chat_close(&c);
}

static void test_a_draft_says_what_is_saved(void **state)
{
	(void)state;
	play("c crédito nuevo", "t Sí, autorizo", "c 3 millones", "c salir", "t Salir",
	     "c pedir un credito", "b Tengo guardado", "b 3.000.000");
}

static void test_after_the_lock_the_lock_is_told(void **state)
{
	(void)state;
	play("c hola", "t Sí, autorizo", "c saldo", "c " DOCUMENT, "c 000000", "c 000000",
	     "c 000000", "b dejamos de recibir", "t Enviar otro código", "b todavía no recibimos",
	     "c 123456", "b todavía no recibimos");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_of_customers),
		cmocka_unit_test(test_rights_get_their_number_at_once),
		cmocka_unit_test(test_several_wishes_with_a_complaint),
		cmocka_unit_test(test_small_words),
		cmocka_unit_test(test_a_sentence_with_si_is_no_consent),
		cmocka_unit_test(test_names_of_payrolls_are_whole),
		cmocka_unit_test(test_absurd_instalments_are_not_told),
		cmocka_unit_test(test_the_words_under_a_photo_are_read),
		cmocka_unit_test(test_a_draft_says_what_is_saved),
		cmocka_unit_test(test_after_the_lock_the_lock_is_told),
	};

	if (crypto_init() != PA_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
