/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages that WhatsApp would refuse: every limit at its edge and beyond, each with an error that
 * names it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/whatsapp_send.h"

#include <string.h>

/* ---- templates ---- */

static void test_template_refused(void **state)
{
	static const struct {
		const char *name;
		const char *language;
		const char *param;
		const char *value;
		const char *in_error;
	} cases[] = {
		{"", "es", NULL, NULL, "template_name"},
		{"Recordatorio", "es", NULL, NULL, "template_name"},
		{"a-b", "es", NULL, NULL, "template_name"},
		{"n", "", NULL, NULL, "template_language"},
		{"n", "e", NULL, NULL, "template_language"},
		{"n", "es_CO_larga_larga", NULL, NULL, "template_language"},
		{"n", "es/CO", NULL, NULL, "template_language"},
		{"n", "es", "cuerpo", "x", "parameter"},
		{"n", "es", "", "x", "parameter"},
		{"n", "es", "url", "x", "parameter"},
		{"n", "es", "url:", "x", "parameter"},
		{"n", "es", "url:10", "x", "parameter"},
		{"n", "es", "url:x", "x", "parameter"},
		{"n", "es", "payload:-1", "x", "parameter"},
		{"n", "es", "header:x", "x", "parameter"},
		{"n", "es", "body:", "x", "parameter"},
		{"n", "es", "body", "", "body is missing"},
		{"n", "es", "body", "a\nb", "new line"},
		{"n", "es", "body", "a\tb", "tab"},
		{"n", "es", "body", "a     b", "blanks"},
		{"n", "es", "url:0", "a\rb", "new line"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const pa_pair param = {str_from(cases[i].param), str_from(cases[i].value)};
		const pa_pair *const list[] = {&param};
		pa_message message = message_of(PA_OUT_TEMPLATE);

		message.template_name = str_from(cases[i].name);
		message.template_language = str_from(cases[i].language);
		message.params = list;
		message.params_count = cases[i].param != NULL;
		expect_refused(&message, cases[i].in_error);
	}
}

static void test_template_limits(void **state)
{
	static const struct {
		const char *param;
		size_t max;
	} cases[] = {{"body", 1024}, {"header", 60}, {"url:0", 2000}, {"payload:0", 256}};
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		pa_pair param = {str_from(cases[i].param), letters(arena, cases[i].max)};
		const pa_pair *const list[] = {&param};
		pa_message message = message_of(PA_OUT_TEMPLATE);

		message.template_name = PA_STR("n");
		message.template_language = PA_STR("es");
		message.params = list;
		message.params_count = 1;
		expect_taken(&message);
		param.value = letters(arena, cases[i].max + 1);
		expect_refused(&message, "limit is");
	}
}

static void test_template_body_in_all(void **state)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);
	const pa_pair half = {PA_STR("body"), letters(arena, 512)};
	const pa_pair rest = {PA_STR("body"), letters(arena, 1)};
	const pa_pair *const list[] = {&half, &half, &rest};
	pa_message message = message_of(PA_OUT_TEMPLATE);

	(void)state;
	message.template_name = PA_STR("n");
	message.template_language = PA_STR("es");
	message.params = list;
	message.params_count = 2;
	expect_taken(&message);
	message.params_count = 3;
	expect_refused(&message, "1024");
}

/* ---- limits ---- */

struct limit_case {
	uint32_t kind;
	size_t offset; /* of a pa_str: in the message, or in its first choice */
	bool in_choice;
	size_t max; /* characters of two bytes; 0: none at all */
	const char *in_error;
};

#define IN_MESSAGE(kind, field, max, error)                                                        \
	{                                                                                          \
		kind, offsetof(pa_message, field), false, max, error                               \
	}
#define IN_CHOICE(kind, field, max, error)                                                         \
	{                                                                                          \
		kind, offsetof(pa_choice, field), true, max, error                                 \
	}
static const struct limit_case limit_cases[] = {
	IN_MESSAGE(PA_OUT_TEXT, body, 4096, "body has 4097 characters, the limit is 4096"),
	IN_MESSAGE(PA_OUT_TEXT, header, 0, "header"),
	IN_MESSAGE(PA_OUT_TEXT, footer, 0, "footer"),
	IN_MESSAGE(PA_OUT_BUTTONS, body, 1024, "interactive body"),
	IN_MESSAGE(PA_OUT_BUTTONS, header, 60, "header"),
	IN_MESSAGE(PA_OUT_BUTTONS, footer, 60, "footer"),
	IN_CHOICE(PA_OUT_BUTTONS, title, 20, "button title"),
	IN_CHOICE(PA_OUT_BUTTONS, id, 128, "button id"),
	IN_CHOICE(PA_OUT_BUTTONS, description, 0, "description"),
	IN_MESSAGE(PA_OUT_LIST, body, 1024, "interactive body"),
	IN_MESSAGE(PA_OUT_LIST, header, 60, "header"),
	IN_MESSAGE(PA_OUT_LIST, footer, 60, "footer"),
	IN_MESSAGE(PA_OUT_LIST, list_button, 20, "list button"),
	IN_CHOICE(PA_OUT_LIST, title, 24, "row title"),
	IN_CHOICE(PA_OUT_LIST, id, 100, "row id"),
	IN_CHOICE(PA_OUT_LIST, description, 72, "row description"),
	IN_CHOICE(PA_OUT_LIST, section, 24, "section title"),
	IN_MESSAGE(PA_OUT_DOCUMENT, body, 1024, "caption"),
	IN_MESSAGE(PA_OUT_DOCUMENT, media_name, 240, "file name"),
	IN_MESSAGE(PA_OUT_DOCUMENT, header, 0, "header"),
	IN_MESSAGE(PA_OUT_IMAGE, body, 1024, "caption"),
	IN_MESSAGE(PA_OUT_TEXT, ref, 256, "ref"),
	IN_MESSAGE(PA_OUT_READ_MARK, reply_to, 1024, "reply_to"),
};

static void limit_case_run(const struct limit_case *test)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);
	pa_choice choice = {.size = sizeof(choice), .id = PA_STR("a"), .title = PA_STR("A")};
	const pa_choice *const choices[] = {&choice};
	pa_message message = message_of(test->kind);
	char *place = (test->in_choice ? (char *)&choice : (char *)&message) + test->offset;
	bool has_choices = test->kind == PA_OUT_BUTTONS || test->kind == PA_OUT_LIST;
	bool has_file = test->kind == PA_OUT_DOCUMENT || test->kind == PA_OUT_IMAGE;
	pa_str text;

	message.body = PA_STR("x");
	message.reply_to = PA_STR("wamid.1");
	message.list_button = PA_STR("Ver");
	message.media_id = has_file ? PA_STR("1") : PA_STR_ABSENT;
	message.choices = choices;
	message.choices_count = has_choices;
	text = test->max ? letters(arena, test->max) : PA_STR_ABSENT;
	memcpy(place, &text, sizeof(text));
	expect_taken(&message);
	text = letters(arena, test->max + 1);
	memcpy(place, &text, sizeof(text));
	expect_refused(&message, test->in_error);
}

static void test_limits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(limit_cases); i++)
		limit_case_run(&limit_cases[i]);
}

/* The plugin's own table is what the daemon cuts by. */
static void test_limits_told(void **state)
{
	const pa_channel_limits *limits = rig.ops->limits;

	(void)state;
	assert_int_equal(limits->text, 4096);
	assert_int_equal(limits->interactive_body, 1024);
	assert_int_equal(limits->buttons, 3);
	assert_int_equal(limits->button_title, 20);
	assert_int_equal(limits->button_id_bytes, 256);
	assert_int_equal(limits->rows, 10);
	assert_int_equal(limits->row_title, 24);
	assert_int_equal(limits->row_description, 72);
	assert_int_equal(limits->row_id_bytes, 200);
	assert_int_equal(limits->ref_bytes, 512);
}

static void test_how_many_choices(void **state)
{
	static const char names[] = "abcdefghijkl";
	static const struct {
		uint32_t kind;
		size_t max;
	} cases[] = {{PA_OUT_BUTTONS, 3}, {PA_OUT_LIST, 10}};
	pa_choice all[12];
	const pa_choice *choices[12];

	(void)state;
	for (size_t i = 0; i < 12; i++) {
		all[i] = (pa_choice){
			.size = sizeof(all[i]), .id = {names + i, 1}, .title = {names + i, 1}};
		choices[i] = &all[i];
	}
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		pa_message message = message_of(cases[i].kind);

		message.body = message.list_button = PA_STR("x");
		message.choices = choices;
		message.choices_count = cases[i].max;
		expect_taken(&message);
		message.choices_count = cases[i].max + 1;
		expect_refused(&message, "limit is 1 to");
		message.choices_count = 0;
		expect_refused(&message, "limit is 1 to");
	}
}

static void test_choices_refused(void **state)
{
	static const struct {
		pa_choice first;
		pa_choice second;
		const char *in_error;
		bool list_takes_it;
	} cases[] = {
		{{.id = {"a", 1}, .title = {"A", 1}},
		 {.id = {"a", 1}, .title = {"B", 1}},
		 "id stands there twice",
		 false},
		{{.id = {"a", 1}, .title = {"A", 1}},
		 {.id = {"b", 1}, .title = {"A", 1}},
		 "title stands there twice",
		 true},
		{{.id = {" a", 2}, .title = {"A", 1}},
		 {.id = {"b", 1}, .title = {"B", 1}},
		 "blank",
		 false},
		{{.id = {"a ", 2}, .title = {"A", 1}},
		 {.id = {"b", 1}, .title = {"B", 1}},
		 "blank",
		 false},
		{{.id = {"", 0}, .title = {"A", 1}},
		 {.id = {"b", 1}, .title = {"B", 1}},
		 "id is missing",
		 false},
		{{.id = {"a", 1}, .title = {"A", 1}},
		 {.id = {"b", 1}, .title = {"", 0}},
		 "title is missing",
		 false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const pa_choice *const choices[] = {&cases[i].first, &cases[i].second};
		pa_message message = message_of(PA_OUT_BUTTONS);

		message.body = message.list_button = PA_STR("x");
		message.choices = choices;
		message.choices_count = 2;
		expect_refused(&message, cases[i].in_error);
		message.kind = PA_OUT_LIST;
		if (cases[i].list_takes_it)
			expect_taken(&message);
		else
			expect_refused(&message, cases[i].in_error);
	}
}

static void test_missing_parts(void **state)
{
	static const struct {
		uint32_t kind;
		const char *in_error;
	} cases[] = {
		{PA_OUT_TEXT, "body is missing"},
		{PA_OUT_BUTTONS, "interactive body is missing"},
		{PA_OUT_LIST, "interactive body is missing"},
		{PA_OUT_DOCUMENT, "media id is missing"},
		{PA_OUT_IMAGE, "media id is missing"},
		{PA_OUT_TEMPLATE, "template_name"},
		{0, "kind 0"},
		{8, "kind 8"},
		{UINT32_MAX, "kind 4294967295"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		pa_message message = message_of(cases[i].kind);

		expect_refused(&message, cases[i].in_error);
	}
}

static void test_recipients_refused(void **state)
{
	static const struct {
		const char *phone;
		const char *user_id;
	} cases[] = {
		{NULL, NULL},
		{"", ""},
		{"+573005550142", NULL},
		{"1234", NULL},
		{"123456789012345678901", NULL},
		{"57300555014x", NULL},
		{NULL, "134"},
		{NULL, "co.134"},
		{NULL, "CO."},
		{NULL, "CO.1/2"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		pa_message message = message_of(PA_OUT_TEXT);

		message.body = PA_STR("x");
		message.phone = str_from(cases[i].phone);
		message.user_id = str_from(cases[i].user_id);
		expect_refused(&message, "phone");
	}
}

static void test_other_refusals(void **state)
{
	pa_message message = message_of(PA_OUT_TEXT);

	(void)state;
	message.body = PA_STR("a\xff");
	expect_refused(&message, "UTF-8");
	message.body = PA_STR("x");
	message.account = PA_STR("999");
	expect_refused(&message, "account");
	message.account = PA_STR_ABSENT;
	expect_taken(&message);
	message.media_id = PA_STR("1");
	expect_refused(&message, "no file");
	message.media_id = PA_STR_ABSENT;
	message.media_bytes = PA_STR("x");
	expect_refused(&message, "no file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_template_refused),
		cmocka_unit_test(test_template_limits),
		cmocka_unit_test(test_template_body_in_all),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_limits_told),
		cmocka_unit_test(test_how_many_choices),
		cmocka_unit_test(test_choices_refused),
		cmocka_unit_test(test_missing_parts),
		cmocka_unit_test(test_recipients_refused),
		cmocka_unit_test(test_other_refusals),
	};

	return cmocka_run_group_tests(tests, open_rig, close_rig);
}
