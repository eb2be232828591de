/* SPDX-License-Identifier: Apache-2.0
 *
 * config/sample.h with the shipped file itself: what is changed is read back by io/conf.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"
#include "config/sample.h"
#include "io/conf.h"
#include "io/file.h"
#include "support/check.h"

#include <string.h>

#define ROOM (64 << 20)

struct fixture {
	struct arena *arena;
	pa_str text;
};

static int set_up(void **state)
{
	static struct fixture fx;

	fx.arena = arena_new(ROOM);
	assert_int_equal(file_read(fx.arena, "etc/proalto.conf", 1 << 20, &fx.text, NULL), PA_OK);
	*state = &fx;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fx = *state;

	arena_free(fx->arena);
	return 0;
}

static void edit(struct fixture *fx, enum sample_edit_kind kind, const char *path,
		 const char *value)
{
	const struct sample_edit edit = {kind, path, str_from(value)};
	pa_error err = ERROR_INIT;

	if (sample_edit(fx->arena, fx->text, &edit, &fx->text, &err) != PA_OK)
		fail_msg("%s", error_text(&err));
}

static void edit_is_refused(struct fixture *fx, enum sample_edit_kind kind, const char *path,
			    const char *value)
{
	const struct sample_edit edit = {kind, path, str_from(value)};
	pa_str untouched = PA_STR("untouched");

	assert_int_equal(sample_edit(fx->arena, fx->text, &edit, &untouched, NULL), PA_REJECTED);
	expect_str(untouched, PA_STR("untouched"));
}

/* The node at a path of the text as it is now; NULL: none. */
static const struct conf_node *node_at(struct fixture *fx, const char *path)
{
	const struct conf_node *node;
	pa_str rest = str_from(path);
	pa_error err = ERROR_INIT;

	if (conf_read_text(fx->arena, fx->text, "t", &node, &err) != PA_OK)
		fail_msg("%s", error_text(&err));
	while (node && rest.len)
		node = conf_find(node, arena_copy(fx->arena, str_split(&rest, '.')).ptr);
	return node;
}

static void expect_text(struct fixture *fx, const char *path, const char *value)
{
	const struct conf_node *node = node_at(fx, path);

	assert_non_null(node);
	assert_int_equal(node->kind, CONF_TEXT);
	expect_str(node->text, str_from(value));
}

static void test_values_come_back_as_they_were_given(void **state)
{
	static const char *const values[] = {
		"ProAlto", "",     "a \"b\" 'c'",        "\\", "C:\\x\\", "Bogotá, ñandú, 🙂",
		"tab\tx",  "x\ny", "\"; otra = \"clave", "#",  "/* x */", "@include \"x\"",
	};
	struct fixture *fx = *state;

	for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
		edit(fx, EDIT_SET, "house.name", values[i]);
		expect_text(fx, "house.name", values[i]);
	}
	expect_text(fx, "house.nit", "900.000.000-0");
}

/* The same name stands in several groups, and in comments. */
static void test_only_the_key_at_the_path_changes(void **state)
{
	struct fixture *fx = *state;
	size_t before = fx->text.len;

	edit(fx, EDIT_SET, "channels.sms.url", "https://a.example");
	edit(fx, EDIT_SET, "channels.whatsapp.business_account_id", "77");
	edit(fx, EDIT_SET, "listen.port", "9000");
	edit(fx, EDIT_SET, "demo", "true");
	expect_text(fx, "channels.sms.url", "https://a.example");
	expect_text(fx, "channels.whatsapp.business_account_id", "77");
	assert_int_equal(node_at(fx, "listen.port")->integer, 9000);
	assert_true(node_at(fx, "demo")->boolean);
	assert_null(node_at(fx, "channels.whatsapp.url"));
	assert_null(node_at(fx, "listen.address"));
	assert_true(fx->text.len > before - 40 && fx->text.len < before + 40);
}

static void test_a_group_is_left_out_whole(void **state)
{
	struct fixture *fx = *state;

	edit(fx, EDIT_OFF, "channels.sms", NULL);
	assert_null(node_at(fx, "channels.sms"));
	assert_non_null(node_at(fx, "channels.whatsapp.account"));
	assert_non_null(node_at(fx, "backends.core.sql.credits"));
	edit(fx, EDIT_OFF, "backends.core", NULL);
	assert_null(node_at(fx, "backends.core"));
	assert_non_null(node_at(fx, "backends"));
	assert_false(sample_mentions(fx->text, "credential:proalto.sms-key"));
	assert_true(sample_mentions(fx->text, "credential:proalto.master-key"));
	edit_is_refused(fx, EDIT_SET, "channels.sms.url", "x");
}

static void test_a_group_is_read_from_elsewhere(void **state)
{
	struct fixture *fx = *state;

	edit(fx, EDIT_INCLUDE, "backends.core.sql", "proalto/core.conf");
	assert_true(sample_mentions(fx->text, "\t\t@include \"proalto/core.conf\""));
	assert_false(sample_mentions(fx->text, "find_customer"));
	assert_true(sample_mentions(fx->text, "credential:proalto.core-password"));
}

static void test_what_is_refused(void **state)
{
	struct fixture *fx = *state;

	edit_is_refused(fx, EDIT_SET, "house.nombre", "x");
	edit_is_refused(fx, EDIT_SET, "name", "x");
	edit_is_refused(fx, EDIT_SET, "house", "x");
	edit_is_refused(fx, EDIT_SET, "listen.port", "80; otra = 1");
	edit_is_refused(fx, EDIT_SET, "demo", "");
	edit_is_refused(fx, EDIT_SET, "channels.sms.headers", "x");
	edit_is_refused(fx, EDIT_SET, "backends.core.sql.credits", "x");
	edit_is_refused(fx, EDIT_OFF, "house.name", NULL);
	edit_is_refused(fx, EDIT_OFF, "channels.otro", NULL);
}

static void test_values_are_found_set_or_shown(void **state)
{
	struct fixture *fx = *state;

	expect_str(sample_value(fx->arena, fx->text, "channels.whatsapp.graph_url"),
		   PA_STR("https://graph.facebook.com"));
	expect_str(sample_value(fx->arena, fx->text, "channels.whatsapp.account"),
		   PA_STR("100000000000001"));
	assert_true(str_is_absent(sample_value(fx->arena, fx->text, "channels.sms.graph_url")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_values_come_back_as_they_were_given),
		TEST(test_only_the_key_at_the_path_changes),
		TEST(test_a_group_is_left_out_whole),
		TEST(test_a_group_is_read_from_elsewhere),
		TEST(test_what_is_refused),
		TEST(test_values_are_found_set_or_shown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
