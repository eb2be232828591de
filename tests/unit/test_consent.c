/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "consent/consent.h"

/* HD-03: what is a yes to the consent question, what is a no, and what is neither. */
static void test_HD_03_utterances(void **state)
{
	static const struct {
		const char *text;
		enum consent_answer want;
	} table[] = {
		{"Sí, autorizo", CONSENT_YES},
		{"si autorizo", CONSENT_YES},
		{"SI AUTORIZO", CONSENT_YES},
		{"sí", CONSENT_YES},
		{"Si señora", CONSENT_YES},
		{"autorizo", CONSENT_YES},
		{"Autorizo el uso de mis datos.", CONSENT_YES},
		{"sí, autorizo el tratamiento de mis datos personales", CONSENT_YES},
		{"acepto", CONSENT_YES},
		{"Si acepto gracias", CONSENT_YES},
		{"buenas tardes, sí autorizo", CONSENT_YES},
		{"claro que sí", CONSENT_UNCLEAR},
		{"Claro, sí autorizo", CONSENT_YES},
		{"doy mi permiso", CONSENT_YES},
		{"Yo doy mi autorización", CONSENT_YES},
		{"estoy de acuerdo", CONSENT_YES},
		{"sí ✅", CONSENT_YES},
		{"no", CONSENT_NO},
		{"No autorizo", CONSENT_NO},
		{"no, gracias", CONSENT_NO},
		{"No acepto", CONSENT_NO},
		{"no estoy de acuerdo", CONSENT_NO},
		{"no quiero", CONSENT_NO},
		{"nunca", CONSENT_NO},
		{"rechazo", CONSENT_NO},
		{"no doy mi permiso", CONSENT_NO},
		{"no les autorizo usar mis datos", CONSENT_NO},
		{"ok", CONSENT_UNCLEAR},
		{"OK 👍", CONSENT_UNCLEAR},
		{"👍", CONSENT_UNCLEAR},
		{"✅", CONSENT_UNCLEAR},
		{"listo", CONSENT_UNCLEAR},
		{"dale", CONSENT_UNCLEAR},
		{"bueno", CONSENT_UNCLEAR},
		{"continuar", CONSENT_UNCLEAR},
		{"hola", CONSENT_UNCLEAR},
		{"", CONSENT_UNCLEAR},
		{"   ", CONSENT_UNCLEAR},
		{"cuánto debo", CONSENT_UNCLEAR},
		{"si cuanto debo", CONSENT_UNCLEAR},
		{"sí pero no compartan mis datos", CONSENT_UNCLEAR},
		{"sí, pero primero quiero saber mi saldo", CONSENT_UNCLEAR},
		{"¿sí autorizo?", CONSENT_UNCLEAR},
		{"para qué usan mis datos?", CONSENT_UNCLEAR},
		{"no sé", CONSENT_UNCLEAR},
		{"no entiendo", CONSENT_UNCLEAR},
		{"si no autorizo", CONSENT_UNCLEAR},
		{"si no autorizo qué pasa", CONSENT_UNCLEAR},
		{"mi hijo autorizo ayer", CONSENT_UNCLEAR},
		{"creo que si", CONSENT_UNCLEAR},
		{"siempre", CONSENT_UNCLEAR},
		{"1032456789", CONSENT_UNCLEAR},
		{"asesor", CONSENT_UNCLEAR},
		{"ya les envié la cédula", CONSENT_UNCLEAR},
		{"sigamos", CONSENT_UNCLEAR},
		{"autorizo a mi hermana para que reclame", CONSENT_UNCLEAR},
		{"quiero que me autorizo un credito", CONSENT_UNCLEAR},
	};
	struct arena *arena = arena_new(1 << 20);

	(void)state;
	_Static_assert(ARRAY_COUNT(table) >= 40, "HD-03 asks for forty");
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		enum consent_answer got = consent_read(arena, str_from(table[i].text));

		if (got != table[i].want)
			print_error("\"%s\": %d, not %d\n", table[i].text, (int)got,
				    (int)table[i].want);
		assert_int_equal(got, table[i].want);
	}
	arena_free(arena);
}

static void test_HD_03_a_long_story_is_no_answer(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	char text[400];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "si "[i % 3];
	assert_int_equal(consent_read(arena, (pa_str){text, sizeof(text)}), CONSENT_UNCLEAR);
	arena_free(arena);
}

static void test_HD_06_older_than_the_substantial_version(void **state)
{
	struct consent_document document = {.version = 4, .substantial = 3};
	struct consent consent = {.version = 2, .at_ns = 1};

	(void)state;
	assert_false(consent_is_valid(&consent, &document));
	consent.version = 3;
	assert_true(consent_is_valid(&consent, &document));
	consent.version = 0;
	document.substantial = 0;
	assert_false(consent_is_valid(&consent, &document));
}

static void test_HD_02_names_the_exact_texts(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct consent_document a = {.name = PA_STR("aviso"), .version = 2, .digest = {0xab}};
	struct consent_document b = {.name = PA_STR("consentimiento"), .version = 1};
	const struct consent_document *both[] = {&a, &b};
	pa_str text = consent_texts_shown(arena, both, 2);

	(void)state;
	assert_true(str_starts(text, PA_STR("aviso-2 sha256:ab00")));
	assert_true(str_find(text, PA_STR(" consentimiento-1 sha256:0000")) != SIZE_MAX);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_HD_03_utterances),
		cmocka_unit_test(test_HD_03_a_long_story_is_no_answer),
		cmocka_unit_test(test_HD_06_older_than_the_substantial_version),
		cmocka_unit_test(test_HD_02_names_the_exact_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
