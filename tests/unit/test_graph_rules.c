/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of the Graph API's stand-in: what Meta would refuse must not pass in our tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "peers/graph_rules.h"

#include <string.h>

static bool knows(void *arg, const char *id)
{
	(void)arg;
	return strcmp(id, "known") == 0;
}

static int check(const char *text, json_t *templates)
{
	struct graph_world world = {
		.knows_media = knows, .knows_inbound = knows, .templates = templates};
	json_t *request = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct verdict verdict;

	if (!request)
		fail_msg("the test's own JSON is broken: %s", text);
	verdict = graph_check(&world, request);
	json_decref(request);
	assert_true(verdict.code == 0 || (verdict.http >= 400 && verdict.details[0]));
	return verdict.code;
}

/* The head of every message. */
#define TO "{\"messaging_product\":\"whatsapp\",\"to\":\"+573005550142\","
#define BUTTONS(buttons)                                                                           \
	TO "\"type\":\"interactive\",\"interactive\":{\"type\":\"button\",\"body\":{\"text\":"     \
	   "\"x\"},\"action\":{\"buttons\":[" buttons "]}}}"
#define BUTTON(id, title)                                                                          \
	"{\"type\":\"reply\",\"reply\":{\"id\":\"" id "\",\"title\":\"" title "\"}}"
#define LIST(sections)                                                                             \
	TO "\"type\":\"interactive\",\"interactive\":{\"type\":\"list\",\"body\":{\"text\":"       \
	   "\"x\"},\"action\":{\"button\":\"Ver\",\"sections\":[" sections "]}}}"
#define ROW(id) "{\"id\":\"" id "\",\"title\":\"t\"}"
#define TEMPLATE(components)                                                                       \
	TO "\"type\":\"template\",\"template\":{\"name\":\"aviso\",\"language\":{\"code\":"        \
	   "\"es_CO\"},\"components\":[" components "]}}"
#define BODY(text) "{\"type\":\"body\",\"parameters\":[{\"type\":\"text\",\"text\":\"" text "\"}]}"

static void test_shapes(void **state)
{
	static const struct {
		const char *json;
		int code;
	} cases[] = {
		{TO "\"type\":\"text\",\"text\":{\"body\":\"hola\",\"preview_url\":false}}", 0},
		{"[]", 100},
		{"{}", 131008},
		{"{\"messaging_product\":\"sms\"}", 131009},
		/* recipients */
		{"{\"messaging_product\":\"whatsapp\",\"type\":\"text\",\"text\":{\"body\":\"x\"}}",
		 100},
		{"{\"messaging_product\":\"whatsapp\",\"to\":\"573005550142\",\"type\":\"text\","
		 "\"text\":{\"body\":\"x\"}}",
		 131009},
		{"{\"messaging_product\":\"whatsapp\",\"to\":\"CO.134\",\"type\":\"text\","
		 "\"text\":{\"body\":\"x\"}}",
		 131026},
		{"{\"messaging_product\":\"whatsapp\",\"recipient\":\"CO.134\",\"type\":\"text\","
		 "\"text\":{\"body\":\"x\"}}",
		 0},
		{TO "\"recipient\":\"CO.134\",\"type\":\"text\",\"text\":{\"body\":\"x\"}}", 100},
		/* text */
		{TO "\"text\":{\"body\":\"x\"}}", 131008},
		{TO "\"type\":\"text\"}", 131008},
		{TO "\"type\":\"text\",\"text\":{\"body\":\"\"}}", 131009},
		{TO "\"type\":\"text\",\"text\":{\"body\":7}}", 100},
		{TO "\"type\":\"text\",\"text\":{\"body\":\"x\",\"colour\":1}}", 100},
		{TO "\"type\":\"text\",\"text\":{\"body\":\"x\"},\"extra\":1}", 100},
		{TO "\"type\":\"text\",\"text\":{\"body\":\"x\"},\"image\":{\"id\":\"known\"}}",
		 100},
		{TO "\"type\":\"telegram\",\"text\":{\"body\":\"x\"}}", 100},
		{TO
		 "\"type\":\"text\",\"text\":{\"body\":\"x\"},\"context\":{\"message_id\":\"w\"}}",
		 0},
		{TO "\"type\":\"text\",\"text\":{\"body\":\"x\"},\"context\":{\"id\":\"w\"}}", 100},
		/* media */
		{TO "\"type\":\"document\",\"document\":{\"id\":\"known\",\"filename\":\"a.pdf\"}}",
		 0},
		{TO "\"type\":\"document\",\"document\":{\"id\":\"other\"}}", 131009},
		{TO "\"type\":\"document\",\"document\":{}}", 100},
		{TO "\"type\":\"image\",\"image\":{\"id\":\"known\",\"link\":\"https://x/y\"}}",
		 100},
		{TO "\"type\":\"audio\",\"audio\":{\"id\":\"known\",\"caption\":\"no\"}}", 100},
		/* marks */
		{"{\"messaging_product\":\"whatsapp\",\"status\":\"read\",\"message_id\":\"known\","
		 "\"typing_indicator\":{\"type\":\"text\"}}",
		 0},
		{"{\"messaging_product\":\"whatsapp\",\"status\":\"read\",\"message_id\":"
		 "\"other\"}",
		 131009},
		{"{\"messaging_product\":\"whatsapp\",\"status\":\"seen\",\"message_id\":"
		 "\"known\"}",
		 131009},
		/* buttons */
		{BUTTONS(BUTTON("a", "A") "," BUTTON("b", "B") "," BUTTON("c", "C")), 0},
		{BUTTONS(""), 131009},
		{BUTTONS(BUTTON("a", "A") "," BUTTON("b", "B") "," BUTTON("c", "C") "," BUTTON(
			 "d", "D")),
		 131009},
		{BUTTONS(BUTTON("a", "A") "," BUTTON("a", "B")), 131009},
		{BUTTONS(BUTTON("a", "A") "," BUTTON("b", "A")), 131009},
		{BUTTONS(BUTTON(" a", "A")), 131009},
		{BUTTONS(BUTTON("a", "veintiún caracteres!!")), 131009},
		{BUTTONS(BUTTON("a", "ñandúes ñandúes ñand")), 0}, /* 20 code points */
		/* lists */
		{LIST("{\"rows\":[" ROW("a") "," ROW("b") "]}"), 0},
		{LIST("{\"rows\":[" ROW("a") "," ROW("a") "]}"), 131009},
		{LIST("{\"rows\":[" ROW("a") "]},{\"rows\":[" ROW("b") "]}"), 131008},
		{LIST("{\"rows\":[]}"), 131009},
		{LIST("{\"rows\":[" ROW("0") "," ROW("1") "," ROW("2") "," ROW("3") "," ROW("4") "," ROW(
			 "5") "," ROW("6") "," ROW("7") "," ROW("8") "," ROW("9") "," ROW("a") "]"
											       "}"),
		 131009},
		/* templates */
		{TEMPLATE(BODY("Ana")), 0},
		{TEMPLATE(BODY("dos\\nlíneas")), 132018},
		{TEMPLATE("{\"type\":\"body\",\"parameters\":[]}"), 131008},
		{TEMPLATE("{\"type\":\"button\",\"parameters\":[{\"type\":\"text\",\"text\":\"x\"}]"
			  "}"),
		 131008},
	};
	json_t *templates = json_object();

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		int code = check(cases[i].json, templates);

		if (code != cases[i].code)
			fail_msg("%d instead of %d: %s", code, cases[i].code, cases[i].json);
	}
	json_decref(templates);
}

/* Limits count code points: n of a letter that takes two bytes pass, one more does not. */
static void assert_limit(const char *before, size_t limit, const char *after)
{
	json_t *templates = json_object();

	for (size_t more = 0; more < 2; more++) {
		struct buf text PA_CLEANUP(buf_done) = BUF_INIT(1 << 16);

		buf_add(&text, str_from(before));
		for (size_t i = 0; i < limit + more; i++)
			buf_add(&text, PA_STR("ñ"));
		buf_add(&text, str_from(after));
		buf_add_byte(&text, 0);
		if (check(text.data, templates) != (more ? 131009 : 0))
			fail_msg("limit %zu, %zu more: %s", limit, more, before);
	}
	json_decref(templates);
}

static void test_limits(void **state)
{
	(void)state;
	assert_limit(TO "\"type\":\"text\",\"text\":{\"body\":\"", 4096, "\"}}");
	assert_limit(TO "\"biz_opaque_callback_data\":\"", 512,
		     "\",\"type\":\"text\",\"text\":{\"body\":\"x\"}}");
	assert_limit(TO "\"type\":\"interactive\",\"interactive\":{\"type\":\"button\",\"body\":"
			"{\"text\":\"",
		     1024, "\"},\"action\":{\"buttons\":[" BUTTON("a", "A") "]}}}");
	assert_limit(TO "\"type\":\"interactive\",\"interactive\":{\"type\":\"button\",\"body\":"
			"{\"text\":\"x\"},\"footer\":{\"text\":\"",
		     60, "\"},\"action\":{\"buttons\":[" BUTTON("a", "A") "]}}}");
	assert_limit(
		TO "\"type\":\"interactive\",\"interactive\":{\"type\":\"button\",\"header\":"
		   "{\"type\":\"text\",\"text\":\"",
		60,
		"\"},\"body\":{\"text\":\"x\"},\"action\":{\"buttons\":[" BUTTON("a", "A") "]}}}");
	assert_limit(TO "\"type\":\"interactive\",\"interactive\":{\"type\":\"button\",\"body\":"
			"{\"text\":\"x\"},\"action\":{\"buttons\":[{\"type\":\"reply\",\"reply\":"
			"{\"title\":\"A\",\"id\":\"",
		     256, "\"}}]}}}");
}

static void test_limits_of_rows(void **state)
{
	(void)state;
	assert_limit(TO "\"type\":\"interactive\",\"interactive\":{\"type\":\"list\",\"body\":"
			"{\"text\":\"x\"},\"action\":{\"button\":\"",
		     20, "\",\"sections\":[{\"rows\":[" ROW("a") "]}]}}}");
#define ROW_FIELD(field)                                                                           \
	TO "\"type\":\"interactive\",\"interactive\":{\"type\":\"list\",\"body\":{\"text\":"       \
	   "\"x\"},\"action\":{\"button\":\"V\",\"sections\":[{\"rows\":[{" field
	assert_limit(ROW_FIELD("\"title\":\"t\",\"id\":\""), 200, "\"}]}]}}}");
	assert_limit(ROW_FIELD("\"id\":\"i\",\"title\":\""), 24, "\"}]}]}}}");
	assert_limit(ROW_FIELD("\"id\":\"i\",\"title\":\"t\",\"description\":\""), 72, "\"}]}]}}}");
}

static void test_known_templates(void **state)
{
	json_t *templates = json_pack("{s{s[s] si}}", "aviso", "languages", "es_CO", "body", 1);

	(void)state;
	assert_int_equal(check(TEMPLATE(BODY("Ana")), templates), 0);
	assert_int_equal(check(TEMPLATE(""), templates), 132000);
	json_object_clear(templates);
	json_object_set_new(templates, "otro", json_object());
	assert_int_equal(check(TEMPLATE(BODY("Ana")), templates), 132001);
	json_decref(templates);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_limits_of_rows),
		cmocka_unit_test(test_known_templates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
