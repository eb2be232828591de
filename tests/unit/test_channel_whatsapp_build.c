/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages and files to requests: what goes out, byte for byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/whatsapp_send.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* The request's body must be the JSON wanted; spaces and order of keys don't matter. */
static void expect_body(const pa_message *message, const char *wanted)
{
	pa_http_request request;
	pa_error err;
	json_t *want = json_loads(wanted, 0, NULL);
	json_t *got;

	assert_non_null(want);
	if (build(message, &request, &err) != PA_OK)
		fail_msg("refused: %s", error_text(&err));
	got = json_loadb(request.body.ptr, request.body.len, JSON_REJECT_DUPLICATES, NULL);
	if (!got || !json_equal(got, want))
		fail_msg("got %.*s", PA_FMT(request.body));
	expect_str(request.method, PA_STR("POST"));
	expect_str(request.url,
		   PA_STR("https://graph.facebook.com/v26.0/" WHATSAPP_NUMBER "/messages"));
	assert_true(request.flags & PA_HTTP_NO_REDIRECT);
	expect_str(request.headers[0]->name, PA_STR("Authorization"));
	expect_str(request.headers[0]->value, PA_STR("Bearer " WHATSAPP_TOKEN));
	expect_str(request.headers[2]->name, PA_STR("Content-Type"));
	expect_str(request.headers[2]->value, PA_STR("application/json"));
	json_decref(got);
	json_decref(want);
}

/* ---- what goes out ---- */

static void test_text(void **state)
{
	pa_message message = message_of(PA_OUT_TEXT);

	(void)state;
	message.body = PA_STR("Su saldo es \"$ 1.250.000\"\n\xc2\xbf"
			      "Algo m\xc3\xa1s?");
	expect_body(&message,
		    "{\"messaging_product\":\"whatsapp\",\"to\":\"+573005550142\",\"type\":"
		    "\"text\",\"text\":{\"body\":\"Su saldo es \\\"$ 1.250.000\\\"\\n\\u00bfAlgo "
		    "m\\u00e1s?\"}}");
}

/* Byte for byte: what is no plain text is escaped, and the rest is left alone. */
static void test_escapes(void **state)
{
	const struct {
		pa_str text;
		pa_str wanted;
	} cases[] = {
		{PA_STR("a\0b"), PA_STR("\"a\\u0000b\"")},
		{PA_STR("\"\\\t\x01/"), PA_STR("\"\\\"\\\\\\t\\u0001/\"")},
		{PA_STR("\xf0\x9f\x98\x80\x7f{["), PA_STR("\"\xf0\x9f\x98\x80\x7f{[\"")},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		pa_message message = message_of(PA_OUT_TEXT);
		pa_http_request request;
		pa_error err;

		message.body = cases[i].text;
		assert_int_equal(build(&message, &request, &err), PA_OK);
		assert_non_null(memmem(request.body.ptr, request.body.len, cases[i].wanted.ptr,
				       cases[i].wanted.len));
	}
}

static void test_text_to_user_id_with_everything(void **state)
{
	pa_message message = message_of(PA_OUT_TEXT);

	(void)state;
	message.phone = PA_STR_ABSENT;
	message.user_id = PA_STR(USER_ID);
	message.body = PA_STR("x");
	message.ref = PA_STR("a-8812");
	message.reply_to = PA_STR("wamid.HBgIN");
	message.device_key = PA_STR("Hg8=");
	expect_body(&message,
		    "{\"messaging_product\":\"whatsapp\",\"recipient\":\"" USER_ID
		    "\",\"type\":\"text\",\"text\":{\"body\":\"x\"},\"context\":{\"message_id\":"
		    "\"wamid.HBgIN\"},\"biz_opaque_callback_data\":\"a-8812\","
		    "\"recipient_identity_key_hash\":\"Hg8=\"}");
	/* Exactly one of both keys: the phone wins at Meta. */
	message.phone = PA_STR(PHONE);
	message.ref = message.reply_to = message.device_key = PA_STR_ABSENT;
	expect_body(&message, "{\"messaging_product\":\"whatsapp\",\"to\":\"+573005550142\","
			      "\"type\":\"text\",\"text\":{\"body\":\"x\"}}");
}

static const pa_choice pay = {.size = sizeof(pay),
			      .id = {"pagar", 5},
			      .title = {"Pagar ahora", 11},
			      .description = {NULL, 0}};
static const pa_choice agree = {
	.size = sizeof(agree), .id = {"acuerdo", 7}, .title = {"Hacer un acuerdo", 16}};

static void test_buttons(void **state)
{
	static const pa_choice *const choices[] = {&pay, &agree};
	pa_message message = message_of(PA_OUT_BUTTONS);

	(void)state;
	message.body = PA_STR("Su cuota vence hoy.");
	message.header = PA_STR("Cuota");
	message.footer = PA_STR("ProAlto");
	message.choices = choices;
	message.choices_count = 2;
	expect_body(&message,
		    "{\"messaging_product\":\"whatsapp\",\"to\":\"+573005550142\",\"type\":"
		    "\"interactive\",\"interactive\":{\"type\":\"button\",\"header\":{\"type\":"
		    "\"text\",\"text\":\"Cuota\"},\"body\":{\"text\":\"Su cuota vence hoy.\"},"
		    "\"footer\":{\"text\":\"ProAlto\"},\"action\":{\"buttons\":[{\"type\":"
		    "\"reply\",\"reply\":{\"id\":\"pagar\",\"title\":\"Pagar ahora\"}},{\"type\":"
		    "\"reply\",\"reply\":{\"id\":\"acuerdo\",\"title\":\"Hacer un acuerdo\"}}]}}}");
}

static void test_buttons_under_a_document(void **state)
{
	static const pa_choice *const choices[] = {&pay};
	pa_message message = message_of(PA_OUT_BUTTONS);

	(void)state;
	message.body = PA_STR("x");
	message.media_id = PA_STR("1376");
	message.media_name = PA_STR("extracto.pdf");
	message.media_type = PA_STR("application/pdf");
	message.choices = choices;
	message.choices_count = 1;
	expect_body(&message,
		    "{\"messaging_product\":\"whatsapp\",\"to\":\"+573005550142\",\"type\":"
		    "\"interactive\",\"interactive\":{\"type\":\"button\",\"header\":{\"type\":"
		    "\"document\",\"document\":{\"id\":\"1376\",\"filename\":\"extracto.pdf\"}},"
		    "\"body\":{\"text\":\"x\"},\"action\":{\"buttons\":[{\"type\":\"reply\","
		    "\"reply\":{\"id\":\"pagar\",\"title\":\"Pagar ahora\"}}]}}}");
	message.header = PA_STR("y");
	expect_refused(&message, "header");
}

static void test_list(void **state)
{
	const pa_choice rows[] = {
		{.size = sizeof(pa_choice),
		 .id = PA_STR("p3"),
		 .title = PA_STR("3 cuotas"),
		 .description = PA_STR("$ 410.000 cada una"),
		 .section = PA_STR("Plazos")},
		{.size = sizeof(pa_choice), .id = PA_STR("p6"), .title = PA_STR("6 cuotas")},
		{.size = sizeof(pa_choice),
		 .id = PA_STR("p9"),
		 .title = PA_STR("9 cuotas"),
		 .section = PA_STR("Plazos")},
		{.size = sizeof(pa_choice),
		 .id = PA_STR("no"),
		 .title = PA_STR("Ninguno"),
		 .section = PA_STR("Otros")},
	};
	const pa_choice *const choices[] = {&rows[0], &rows[1], &rows[2], &rows[3]};
	pa_message message = message_of(PA_OUT_LIST);

	(void)state;
	message.body = PA_STR("Elija");
	message.list_button = PA_STR("Ver plazos");
	message.choices = choices;
	message.choices_count = 1;
	expect_body(&message,
		    "{\"messaging_product\":\"whatsapp\",\"to\":\"+573005550142\",\"type\":"
		    "\"interactive\",\"interactive\":{\"type\":\"list\",\"body\":{\"text\":"
		    "\"Elija\"},\"action\":{\"button\":\"Ver plazos\",\"sections\":[{\"title\":"
		    "\"Plazos\",\"rows\":[{\"id\":\"p3\",\"title\":\"3 cuotas\",\"description\":"
		    "\"$ 410.000 cada una\"}]}]}}}");
	/* A row without a title belongs to the section that is open; the next title opens one. */
	message.choices_count = 2;
	expect_body(&message,
		    "{\"messaging_product\":\"whatsapp\",\"to\":\"+573005550142\",\"type\":"
		    "\"interactive\",\"interactive\":{\"type\":\"list\",\"body\":{\"text\":"
		    "\"Elija\"},\"action\":{\"button\":\"Ver plazos\",\"sections\":[{\"title\":"
		    "\"Plazos\",\"rows\":[{\"id\":\"p3\",\"title\":\"3 cuotas\",\"description\":"
		    "\"$ 410.000 cada una\"},{\"id\":\"p6\",\"title\":\"6 cuotas\"}]}]}}}");
}

static size_t count_sections(const pa_message *message)
{
	pa_http_request request;
	pa_error err;
	json_t *body;
	size_t count;

	assert_int_equal(build(message, &request, &err), PA_OK);
	body = json_loadb(request.body.ptr, request.body.len, 0, NULL);
	count = json_array_size(json_object_get(
		json_object_get(json_object_get(body, "interactive"), "action"), "sections"));
	json_decref(body);
	return count;
}

static void test_sections(void **state)
{
	pa_choice rows[4] = {{.section = PA_STR("A")},
			     {.section = PA_STR_ABSENT},
			     {.section = PA_STR("A")},
			     {.section = PA_STR("B")}};
	const pa_choice *const choices[] = {&rows[0], &rows[1], &rows[2], &rows[3]};
	pa_message message = message_of(PA_OUT_LIST);

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		rows[i].size = sizeof(pa_choice);
		rows[i].id = rows[i].title = (pa_str){&"abcd"[i], 1};
	}
	message.body = message.list_button = PA_STR("x");
	message.choices = choices;
	message.choices_count = 4;
	assert_int_equal(count_sections(&message), 2);
	/* With more than one section each needs a title. */
	rows[0].section = PA_STR_ABSENT;
	expect_refused(&message, "section title");
	rows[2].section = rows[3].section = PA_STR_ABSENT;
	assert_int_equal(count_sections(&message), 1);
}

static void test_files_by_id(void **state)
{
	pa_message message = message_of(PA_OUT_DOCUMENT);

	(void)state;
	message.media_id = PA_STR("1376223850470843");
	message.media_name = PA_STR("paz_y_salvo_8812.pdf");
	message.body = PA_STR("Su paz y salvo");
	expect_body(&message, "{\"messaging_product\":\"whatsapp\",\"to\":\"+573005550142\","
			      "\"type\":\"document\",\"document\":{\"id\":\"1376223850470843\","
			      "\"filename\":\"paz_y_salvo_8812.pdf\",\"caption\":\"Su paz y "
			      "salvo\"}}");
	message = message_of(PA_OUT_IMAGE);
	message.media_id = PA_STR("1376");
	message.media_name = PA_STR("x.png");
	expect_body(&message, "{\"messaging_product\":\"whatsapp\",\"to\":\"+573005550142\","
			      "\"type\":\"image\",\"image\":{\"id\":\"1376\"}}");
	message.media_id = PA_STR_ABSENT;
	expect_refused(&message, "media id");
}

static void test_read_mark(void **state)
{
	pa_message message = message_of(PA_OUT_READ_MARK);

	(void)state;
	message.reply_to = PA_STR("wamid.HBgIN");
	expect_body(&message, "{\"messaging_product\":\"whatsapp\",\"status\":\"read\","
			      "\"message_id\":\"wamid.HBgIN\"}");
	message.flags = PA_OUT_FLAG_TYPING;
	message.phone = PA_STR_ABSENT;
	expect_body(&message, "{\"messaging_product\":\"whatsapp\",\"status\":\"read\","
			      "\"message_id\":\"wamid.HBgIN\",\"typing_indicator\":{\"type\":"
			      "\"text\"}}");
	message.reply_to = PA_STR_ABSENT;
	expect_refused(&message, "reply_to");
}

/* ---- templates ---- */

static void test_template(void **state)
{
	const pa_pair params[] = {
		{PA_STR("body"), PA_STR("Ana")},
		{PA_STR("payload:0"), PA_STR("PAGAR_8812")},
		{PA_STR("body"), PA_STR("$ 212.000")},
		{PA_STR("url:1"), PA_STR("8812")},
	};
	const pa_pair *const list[] = {&params[0], &params[1], &params[2], &params[3]};
	pa_message message = message_of(PA_OUT_TEMPLATE);

	(void)state;
	message.template_name = PA_STR("recordatorio_cuota");
	message.template_language = PA_STR("es-CO");
	expect_body(&message,
		    "{\"messaging_product\":\"whatsapp\",\"to\":\"+573005550142\",\"type\":"
		    "\"template\",\"template\":{\"name\":\"recordatorio_cuota\",\"language\":{"
		    "\"code\":\"es_CO\"}}}");
	message.params = list;
	message.params_count = 4;
	message.media_id = PA_STR("1376");
	message.media_name = PA_STR("extracto.pdf");
	message.media_type = PA_STR("application/pdf");
	expect_body(&message,
		    "{\"messaging_product\":\"whatsapp\",\"to\":\"+573005550142\",\"type\":"
		    "\"template\",\"template\":{\"name\":\"recordatorio_cuota\",\"language\":{"
		    "\"code\":\"es_CO\"},\"components\":[{\"type\":\"header\",\"parameters\":[{"
		    "\"type\":\"document\",\"document\":{\"id\":\"1376\",\"filename\":"
		    "\"extracto.pdf\"}}]},{\"type\":\"body\",\"parameters\":[{\"type\":\"text\","
		    "\"text\":\"Ana\"},{\"type\":\"text\",\"text\":\"$ 212.000\"}]},{\"type\":"
		    "\"button\",\"sub_type\":\"quick_reply\",\"index\":\"0\",\"parameters\":[{"
		    "\"type\":\"payload\",\"payload\":\"PAGAR_8812\"}]},{\"type\":\"button\","
		    "\"sub_type\":\"url\",\"index\":\"1\",\"parameters\":[{\"type\":\"text\","
		    "\"text\":\"8812\"}]}]}}");
}

static void test_code_template(void **state)
{
	const pa_pair params[] = {{PA_STR("body"), PA_STR("482913")},
				  {PA_STR("url:0"), PA_STR("482913")}};
	const pa_pair *const list[] = {&params[0], &params[1]};
	pa_message message = message_of(PA_OUT_TEMPLATE);

	(void)state;
	message.template_name = PA_STR("codigo_acceso");
	message.template_language = PA_STR("es_CO");
	message.params = list;
	message.params_count = 2;
	expect_body(&message,
		    "{\"messaging_product\":\"whatsapp\",\"to\":\"+573005550142\",\"type\":"
		    "\"template\",\"template\":{\"name\":\"codigo_acceso\",\"language\":{\"code\":"
		    "\"es_CO\"},\"components\":[{\"type\":\"body\",\"parameters\":[{\"type\":"
		    "\"text\",\"text\":\"482913\"}]},{\"type\":\"button\",\"sub_type\":\"url\","
		    "\"index\":\"0\",\"parameters\":[{\"type\":\"text\",\"text\":\"482913\"}]}]}}");
}

static void test_named_parameters_and_text_header(void **state)
{
	const pa_pair params[] = {{PA_STR("header"), PA_STR("Noviembre")},
				  {PA_STR("body:nombre"), PA_STR("Ana")}};
	const pa_pair *const list[] = {&params[0], &params[1]};
	pa_message message = message_of(PA_OUT_TEMPLATE);

	(void)state;
	message.template_name = PA_STR("n");
	message.template_language = PA_STR("es");
	message.params = list;
	message.params_count = 2;
	expect_body(&message,
		    "{\"messaging_product\":\"whatsapp\",\"to\":\"+573005550142\",\"type\":"
		    "\"template\",\"template\":{\"name\":\"n\",\"language\":{\"code\":\"es\"},"
		    "\"components\":[{\"type\":\"header\",\"parameters\":[{\"type\":\"text\","
		    "\"text\":\"Noviembre\"}]},{\"type\":\"body\",\"parameters\":[{\"type\":"
		    "\"text\",\"parameter_name\":\"nombre\",\"text\":\"Ana\"}]}]}}");
}

/* ---- uploads ---- */

static pa_message upload_of(const char *type, pa_str bytes)
{
	pa_message message = message_of(
		str_starts(str_from(type), PA_STR("image/")) ? PA_OUT_IMAGE : PA_OUT_DOCUMENT);

	message.media_type = str_from(type);
	message.media_name = PA_STR("extracto.pdf");
	message.media_bytes = bytes;
	return message;
}

static pa_str boundary_of(const pa_http_request *request)
{
	pa_str type = request->headers[2]->value;
	const pa_str before = PA_STR("multipart/form-data; boundary=");

	expect_str(request->headers[2]->name, PA_STR("Content-Type"));
	assert_true(str_starts(type, before));
	return str_slice(type, before.len, type.len);
}

static void test_upload(void **state)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);
	pa_message message = upload_of("application/pdf", PA_STR("%PDF\0\r\n--\xff"));
	pa_http_request request;
	pa_error err;
	pa_str boundary;
	pa_str first;

	(void)state;
	message.media_name = PA_STR("a\"b\r\nX: \xc3\xb1.pdf");
	assert_int_equal(build(&message, &request, &err), PA_OK);
	expect_str(request.url,
		   PA_STR("https://graph.facebook.com/v26.0/" WHATSAPP_NUMBER "/media"));
	boundary = boundary_of(&request);
	assert_int_equal(boundary.len, 32);
	expect_str(
		request.body,
		arena_format(arena,
			     "--%.*s\r\nContent-Disposition: form-data; "
			     "name=\"messaging_product\"\r\n\r\nwhatsapp\r\n--%.*s\r\n"
			     "Content-Disposition: form-data; name=\"type\"\r\n\r\napplication/pdf"
			     "\r\n--%.*s\r\nContent-Disposition: form-data; name=\"file\"; "
			     "filename=\"a%%22bX: \xc3\xb1.pdf\"\r\nContent-Type: "
			     "application/pdf\r\n\r\n%%PDF%c\r\n--\xff\r\n--%.*s--\r\n",
			     PA_FMT(boundary), PA_FMT(boundary), PA_FMT(boundary), '\0',
			     PA_FMT(boundary)));
	first = arena_copy(arena, boundary);
	assert_int_equal(build(&message, &request, &err), PA_OK);
	assert_false(str_equal(first, boundary_of(&request)));
	/* Uploaded: the message itself. */
	message.media_id = PA_STR("1376");
	assert_int_equal(build(&message, &request, &err), PA_OK);
	assert_true(str_ends(request.url, PA_STR("/messages")));
}

static void test_upload_limits(void **state)
{
	static const struct {
		const char *type;
		size_t max;
	} cases[] = {
		{"image/jpeg", (size_t)5 << 20},
		{"image/png", (size_t)5 << 20},
		{"application/pdf", (size_t)14 << 20},
		{"text/plain", (size_t)14 << 20},
	};
	char *bytes = calloc(1, ((size_t)14 << 20) + 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		pa_message message = upload_of(cases[i].type, (pa_str){bytes, cases[i].max});

		expect_taken(&message);
		message.media_bytes.len++;
		expect_refused(&message, "limit is");
	}
	free(bytes);
}

static void test_upload_types_refused(void **state)
{
	static const struct {
		uint32_t kind;
		const char *type;
		const char *in_error;
	} cases[] = {
		{PA_OUT_DOCUMENT, "application/zip", "media type"},
		{PA_OUT_DOCUMENT, "application/pdf\r\nX: y", "media type"},
		{PA_OUT_DOCUMENT, "image/png", "as a document"},
		{PA_OUT_DOCUMENT, "", "media type"},
		{PA_OUT_IMAGE, "application/pdf", "image/jpeg or image/png"},
		{PA_OUT_IMAGE, "image/gif", "media type"},
		{PA_OUT_IMAGE, NULL, "media type"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		pa_message message = upload_of("application/pdf", PA_STR("x"));

		message.kind = cases[i].kind;
		message.media_type = str_from(cases[i].type);
		expect_refused(&message, cases[i].in_error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_text_to_user_id_with_everything),
		cmocka_unit_test(test_buttons),
		cmocka_unit_test(test_buttons_under_a_document),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_files_by_id),
		cmocka_unit_test(test_read_mark),
		cmocka_unit_test(test_template),
		cmocka_unit_test(test_code_template),
		cmocka_unit_test(test_named_parameters_and_text_header),
		cmocka_unit_test(test_upload),
		cmocka_unit_test(test_upload_limits),
		cmocka_unit_test(test_upload_types_refused),
	};

	return cmocka_run_group_tests(tests, open_rig, close_rig);
}
