/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulator refuses what WhatsApp refuses: each limit met exactly, and passed by one.
 */
#include "../../plugins/channel-simulator/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static pa_str str(const char *text)
{
	return (pa_str){text, text ? strlen(text) : 0};
}

#define X20 "12345678901234567890"
#define X24 X20 "1234"
#define X60 X20 X20 X20
#define X72 X24 X24 X24
#define X200 X60 X60 X60 X20
#define X256 X60 X60 X60 X60 "1234567890123456"
#define X1020 X60 X60 X60 X60 X60 X60 X60 X60 X60 X60 X60 X60 X60 X60 X60 X60 X60

struct limit_case {
	uint32_t kind;
	const char *body;
	const char *list_button;
	const char *footer;
	size_t count;
	const char *id; /* of the first choice; the others get "b", "c" ... */
	const char *title;
	const char *description;
	const char *section;
	const char *reason; /* NULL: it is carried */
};

static const struct limit_case limit_cases[] = {
	{PA_OUT_TEXT, "Hola", 0, 0, 0, 0, 0, 0, 0, NULL},
	{PA_OUT_TEXT, "", 0, 0, 0, 0, 0, 0, 0, "empty"},
	{PA_OUT_TEXT, " \n", 0, 0, 0, 0, 0, 0, 0, "empty"},
	{PA_OUT_TEMPLATE, "Hola", 0, 0, 0, 0, 0, 0, 0, "kind"},
	{PA_OUT_DOCUMENT, "Hola", 0, 0, 0, 0, 0, 0, 0, "no file"},
	{PA_OUT_BUTTONS, "Hola", 0, X60, 3, X256, X20, 0, 0, NULL},
	{PA_OUT_BUTTONS, "Hola", 0, 0, 3, "a", "ññññññññññññññññññññ", 0, 0, NULL},
	{PA_OUT_BUTTONS, X1020 "1234", 0, 0, 1, "a", "A", 0, 0, NULL},
	{PA_OUT_BUTTONS, X1020 "12345", 0, 0, 1, "a", "A", 0, 0, "1024"},
	{PA_OUT_BUTTONS, "", 0, 0, 1, "a", "A", 0, 0, "empty"},
	{PA_OUT_BUTTONS, "Hola", 0, X60 "1", 1, "a", "A", 0, 0, "footer"},
	{PA_OUT_BUTTONS, "Hola", 0, 0, 0, "a", "A", 0, 0, "one to three"},
	{PA_OUT_BUTTONS, "Hola", 0, 0, 4, "a", "A", 0, 0, "one to three"},
	{PA_OUT_BUTTONS, "Hola", 0, 0, 1, "a", X20 "1", 0, 0, "20 characters"},
	{PA_OUT_BUTTONS, "Hola", 0, 0, 1, "a", "", 0, 0, "no title"},
	{PA_OUT_BUTTONS, "Hola", 0, 0, 1, "", "A", 0, 0, "no id"},
	{PA_OUT_BUTTONS, "Hola", 0, 0, 1, " a", "A", 0, 0, "space"},
	{PA_OUT_BUTTONS, "Hola", 0, 0, 1, X256 "1", "A", 0, 0, "256 bytes"},
	{PA_OUT_BUTTONS, "Hola", 0, 0, 2, "b", "A", 0, 0, "same id"},
	{PA_OUT_BUTTONS, "Hola", 0, 0, 2, "a", "b", 0, 0, "same title"},
	{PA_OUT_LIST, "Hola", X20, X60, 10, X200, X24, X72, X24, NULL},
	{PA_OUT_LIST, "Hola", "", 0, 1, "a", "A", 0, 0, "list's button"},
	{PA_OUT_LIST, "Hola", X20 "1", 0, 1, "a", "A", 0, 0, "list's button"},
	{PA_OUT_LIST, "Hola", "Ver", 0, 0, "a", "A", 0, 0, "one to ten"},
	{PA_OUT_LIST, "Hola", "Ver", 0, 11, "a", "A", 0, 0, "one to ten"},
	{PA_OUT_LIST, "Hola", "Ver", 0, 1, X200 "1", "A", 0, 0, "200 bytes"},
	{PA_OUT_LIST, "Hola", "Ver", 0, 1, "a", X24 "1", 0, 0, "24 characters"},
	{PA_OUT_LIST, "Hola", "Ver", 0, 1, "a", "A", X72 "1", 0, "72 characters"},
	{PA_OUT_LIST, "Hola", "Ver", 0, 1, "a", "A", 0, X24 "1", "section"},
	{PA_OUT_LIST, "Hola", "Ver", 0, 2, "b", "A", 0, 0, "same id"},
	{PA_OUT_LIST, X1020 "12345", "Ver", 0, 1, "a", "A", 0, 0, "1024"},
};

static void expect(const pa_message *message, const char *reason)
{
	const char *broken = limits_broken_by(message);

	if (!reason) {
		assert_null(broken);
		return;
	}
	assert_non_null(broken);
	assert_non_null(strstr(broken, reason));
}

static void check_limit(const struct limit_case *limit)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"};
	pa_choice choices[11];
	const pa_choice *list[11];
	const pa_message message = {
		.size = sizeof(message),
		.kind = limit->kind,
		.medium = PA_MEDIUM_CHAT,
		.body = str(limit->body),
		.list_button = str(limit->list_button),
		.footer = str(limit->footer),
		.choices = list,
		.choices_count = limit->count,
	};

	for (size_t i = 0; i < limit->count; i++) {
		choices[i] = (pa_choice){
			.size = sizeof(pa_choice), .id = str(names[i]), .title = str(names[i])};
		list[i] = &choices[i];
	}
	if (limit->count) {
		choices[0].id = str(limit->id);
		choices[0].title = str(limit->title);
		choices[0].description = str(limit->description);
		choices[0].section = str(limit->section);
	}
	expect(&message, limit->reason);
}

static void test_limits_are_whatsapps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(limit_cases) / sizeof(limit_cases[0]); i++)
		check_limit(&limit_cases[i]);
}

static void test_text_and_sms_lengths(void **state)
{
	char body[4097];
	pa_message message = {.size = sizeof(message), .kind = PA_OUT_TEXT};

	(void)state;
	memset(body, 'x', sizeof(body));
	message.medium = PA_MEDIUM_CHAT;
	message.body = (pa_str){body, 4096};
	expect(&message, NULL);
	message.body.len = 4097;
	expect(&message, "too long");
	message.medium = PA_MEDIUM_SMS;
	message.body.len = 1530;
	expect(&message, NULL);
	message.body.len = 1531;
	expect(&message, "too long");
	message.body.len = 10;
	message.kind = PA_OUT_BUTTONS;
	expect(&message, "plain text");
}

static void test_captions_and_references(void **state)
{
	char body[1025];
	pa_message message = {.size = sizeof(message),
			      .kind = PA_OUT_DOCUMENT,
			      .medium = PA_MEDIUM_CHAT,
			      .media_name = str("a.pdf"),
			      .media_bytes = str("x")};

	(void)state;
	memset(body, 'x', sizeof(body));
	message.body = (pa_str){body, 1024};
	expect(&message, NULL);
	message.body.len = 1025;
	expect(&message, "caption");
	message.body.len = 0;
	message.media_name = str(" ");
	expect(&message, "no name");
	message.media_name = str("a.pdf");
	message.ref = (pa_str){body, 513};
	expect(&message, "512 bytes");
}

static void test_sections_need_titles(void **state)
{
	const pa_choice first = {.size = sizeof(first), .id = str("a"), .title = str("A")};
	const pa_choice second = {
		.size = sizeof(second), .id = str("b"), .title = str("B"), .section = str("Otra")};
	const pa_choice *const list[] = {&first, &second};
	const pa_choice *const turned[] = {&second, &first};
	pa_message message = {.size = sizeof(message),
			      .kind = PA_OUT_LIST,
			      .medium = PA_MEDIUM_CHAT,
			      .body = str("Hola"),
			      .list_button = str("Ver"),
			      .choices = list,
			      .choices_count = 2};

	(void)state;
	expect(&message, "section");
	message.choices = turned;
	expect(&message, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits_are_whatsapps),
		cmocka_unit_test(test_text_and_sms_lengths),
		cmocka_unit_test(test_captions_and_references),
		cmocka_unit_test(test_sections_need_titles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
