/* SPDX-License-Identifier: Apache-2.0
 *
 * Options, handshake, signature, and where received files may be fetched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "io/crypto.h"
#include "support/check.h"
#include "support/fake_host.h"
#include "support/whatsapp_rig.h"

#include <stdio.h>
#include <string.h>

static struct rig rig;

/* ---- options ---- */

static void test_options_refused(void **state)
{
	static const struct {
		const char *name;
		const char *text;
		const char *in_error;
	} cases[] = {
		{"account", "", "phone_number_id"},
		{"account", "41770/../1", "phone_number_id"},
		{"account", "123456789012345678901234567890123", "phone_number_id"},
		{"app_secret", "", "app_secret"},
		{"verify_token", "", "verify_token"},
		{"access_token", "", "access_token"},
		{"access_token", "a b", "access_token"},
		{"access_token", "a\r\nX-Evil: 1", "access_token"},
		{"graph_url", "https://graph.example/?a=b", "graph_url"},
		{"graph_version", "26.0", "graph_version"},
		{"graph_version", "v26/..", "graph_version"},
		{"business_account_id", "x", "business_account_id"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const struct rig_setting setting = {cases[i].name, cases[i].text, NULL};
		struct rig other;
		pa_error err = ERROR_INIT;

		if (whatsapp_rig_try(&other, &setting, 1, &err) != PA_REJECTED)
			fail_msg("%s = \"%s\" is taken", cases[i].name, cases[i].text);
		assert_non_null(strstr(error_text(&err), cases[i].in_error));
		assert_null(strstr(error_text(&err), "Evil"));
	}
}

/* ---- handshake ---- */

static pa_status shake(const char *mode, const char *token, const char *challenge,
		       pa_http_response *response)
{
	const pa_pair pairs[] = {
		{PA_STR("hub.challenge"), str_from(challenge)},
		{PA_STR("hub.mode"), str_from(mode)},
		{PA_STR("hub.verify_token"), str_from(token)},
		{PA_STR("hub_mode"), PA_STR("subscribe")},
	};
	const pa_pair *query[ARRAY_COUNT(pairs)];
	pa_http_request request = {
		.size = sizeof(request), .method = PA_STR("GET"), .query = query};
	pa_error err = ERROR_INIT;
	pa_status status;

	for (size_t i = 0; i < ARRAY_COUNT(pairs); i++)
		if (!str_is_absent(pairs[i].value))
			query[request.query_count++] = &pairs[i];
	rig_next_call(&rig);
	*response = (pa_http_response){.size = sizeof(*response)};
	status = rig.ops->handshake(rig.self, rig.call, &request, response, &err);
	assert_true(status == PA_OK || err.len > 0);
	assert_false(fake_is_forbidden(str_from(error_text(&err))));
	return status;
}

static void test_handshake(void **state)
{
	pa_http_response response;

	(void)state;
	assert_int_equal(shake("subscribe", WHATSAPP_VERIFY, "1158201444", &response), PA_OK);
	assert_int_equal(response.status, 200);
	expect_str(response.body, PA_STR("1158201444"));
	assert_true(response.headers_count >= 1);
	expect_str(response.headers[0]->name, PA_STR("Content-Type"));
	expect_str(response.headers[0]->value, PA_STR("text/plain"));
}

static void test_handshake_refused(void **state)
{
	static const char *const cases[][3] = {
		{"subscribe", "wrong", "1"},
		{"subscribe", "", "1"},
		{"subscribe", NULL, "1"},
		{"subscribe", WHATSAPP_VERIFY "x", "1"},
		{"unsubscribe", WHATSAPP_VERIFY, "1"},
		{NULL, WHATSAPP_VERIFY, "1"},
		{"subscribe", WHATSAPP_VERIFY, ""},
		{"subscribe", WHATSAPP_VERIFY, NULL},
		{"subscribe", WHATSAPP_VERIFY, "a\nb"},
		{"subscribe", WHATSAPP_VERIFY, "\xc3\xb1"},
	};
	pa_http_response response;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		if (shake(cases[i][0], cases[i][1], cases[i][2], &response) != PA_REJECTED)
			fail_msg("case %zu is taken", i);
}

/* ---- signature ---- */

static pa_status verify(pa_str body, const char *signature)
{
	const pa_pair other = {PA_STR("x-hub-signature"), PA_STR("sha1=0")};
	const pa_pair header = {PA_STR("x-hub-signature-256"), str_from(signature)};
	const pa_pair *const headers[] = {&other, &header};
	pa_http_request request = {.size = sizeof(request),
				   .method = PA_STR("POST"),
				   .headers = headers,
				   .headers_count = signature ? 2 : 1,
				   .body = fake_guard(body)};
	pa_error err = ERROR_INIT;
	pa_status status;

	rig_next_call(&rig);
	status = rig.ops->verify(rig.self, rig.call, &request, &err);
	fake_guard_free();
	assert_true(status == PA_OK || err.len > 0);
	return status;
}

static void test_signatures(void **state)
{
	const struct {
		pa_str body;
		const char *digest;
	} cases[] = {
		{PA_STR("{\"object\":\"whatsapp_business_account\",\"entry\":[]}"),
		 "dfe52278859d81266d5dff85a756136bc7610585238b638825fc381966f6b97d"},
		{PA_STR("{\"object\": \"whatsapp_business_account\", \"entry\": []}"),
		 "36c4c7157d448849e566096b80024de3e4575fefbbb276a758885b6f52110c6c"},
		{PA_STR("{\"a\":\"\xc3\xb1\"}"),
		 "5f7e3396f86d1ffb54cf166dd16ee6001db6d0716049caa5ff3520bb90ec1db0"},
		{PA_STR("{\"a\":\"\\u00f1\"}"),
		 "96683f43718ecc838c21cdb4b00aaea7e71e081239fc7de353951443d8dabd94"},
		{PA_STR(""), "e85fb30a079486f78f25dd8af7acfa410e41fb2a0f194e53cd4bc9aa0755b355"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char header[7 + 64 + 1];

		snprintf(header, sizeof(header), "sha256=%s", cases[i].digest);
		assert_int_equal(verify(cases[i].body, header), PA_OK);
		for (size_t j = 0; j < ARRAY_COUNT(cases); j++)
			assert_int_equal(verify(cases[j].body, header),
					 i == j ? PA_OK : PA_REJECTED);
		header[70] = header[70] == '0' ? '1' : '0';
		assert_int_equal(verify(cases[i].body, header), PA_REJECTED);
	}
}

static void test_signature_headers_refused(void **state)
{
#define DIGEST "e85fb30a079486f78f25dd8af7acfa410e41fb2a0f194e53cd4bc9aa0755b355"
	static const char *const headers[] = {
		NULL,
		"",
		"sha256=",
		DIGEST,
		"sha1=" DIGEST,
		"SHA256=" DIGEST,
		"sha256=" DIGEST "0",
		"sha256= " DIGEST,
		"sha256=x85fb30a079486f78f25dd8af7acfa410e41fb2a0f194e53cd4bc9aa0755b355",
		"sha256=e85fb30a079486f78f25dd8af7acfa410e41fb2a0f194e53cd4bc9aa0755b35",
	};

	(void)state;
	assert_int_equal(verify(PA_STR(""), "sha256=" DIGEST), PA_OK);
	for (size_t i = 0; i < ARRAY_COUNT(headers); i++)
		if (verify(PA_STR(""), headers[i]) != PA_REJECTED)
			fail_msg("header %zu is taken", i);
}

static void sign(const char *secret, pa_str body, char *header, size_t room)
{
	uint8_t digest[32];
	size_t len = (size_t)snprintf(header, room, "sha256=");

	hmac_sha256(str_from(secret), body, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		len += (size_t)snprintf(header + len, room - len, "%02x", digest[i]);
}

static void test_two_secrets(void **state)
{
	const struct rig_setting without = {"app_secret_previous", "", NULL};
	const pa_str body = PA_STR("{}");
	char header[100];

	(void)state;
	sign(WHATSAPP_SECRET, body, header, sizeof(header));
	assert_int_equal(verify(body, header), PA_OK);
	sign(WHATSAPP_SECRET_BEFORE, body, header, sizeof(header));
	assert_int_equal(verify(body, header), PA_OK);
	sign("", body, header, sizeof(header));
	assert_int_equal(verify(body, header), PA_REJECTED);

	rig_close(&rig);
	whatsapp_rig_open(&rig, &without, 1);
	sign("", body, header, sizeof(header));
	assert_int_equal(verify(body, header), PA_REJECTED);
	sign(WHATSAPP_SECRET_BEFORE, body, header, sizeof(header));
	assert_int_equal(verify(body, header), PA_REJECTED);
	rig_close(&rig);
	whatsapp_rig_open(&rig, NULL, 0);
}

/* ---- files ---- */

static void test_download(void **state)
{
	pa_http_request request;
	pa_error err = ERROR_INIT;

	(void)state;
	rig_next_call(&rig);
	assert_int_equal(rig.ops->download(rig.self, rig.call, PA_STR(WHATSAPP_NUMBER),
					   PA_STR("1376223850470843"), &request, &err),
			 PA_OK);
	expect_str(request.method, PA_STR("GET"));
	expect_str(request.url, PA_STR("https://graph.facebook.com/v26.0/1376223850470843"
				       "?phone_number_id=" WHATSAPP_NUMBER));
	assert_true(request.flags & PA_HTTP_NO_REDIRECT);
	expect_str(request.headers[0]->value, PA_STR("Bearer " WHATSAPP_TOKEN));
}

static void test_download_refused(void **state)
{
	static const char *const ids[] = {"", "../me", "1/2", "1?x", "1%2f", "a b", "1\n"};
	pa_http_request request;
	pa_error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(ids); i++)
		assert_int_equal(rig.ops->download(rig.self, rig.call, PA_STR(WHATSAPP_NUMBER),
						   str_from(ids[i]), &request, &err),
				 PA_REJECTED);
	assert_int_equal(
		rig.ops->download(rig.self, rig.call, PA_STR("999"), PA_STR("1"), &request, &err),
		PA_REJECTED);
}

static pa_status next_of(struct rig *with, uint32_t status, const char *body,
			 pa_http_request *request)
{
	const pa_http_response response = {
		.size = sizeof(response), .status = status, .body = str_from(body)};
	pa_error err = ERROR_INIT;
	pa_status result;

	rig_next_call(with);
	result = with->ops->download_next(with->self, with->call, &response, request, &err);
	assert_true(result == PA_OK || err.len > 0);
	return result;
}

static pa_status next_url(struct rig *with, const char *url, pa_http_request *request)
{
	char body[1000];

	snprintf(body, sizeof(body), "{\"url\":\"%s\",\"file_size\":\"1\"}", url);
	return next_of(with, 200, body, request);
}

static void test_file_hosts(void **state)
{
	static const struct {
		const char *url;
		bool is_allowed;
	} cases[] = {
		{"https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1&ext=2", true},
		{"https:\\/\\/lookaside.fbsbx.com\\/x", true},
		{"HTTPS://LOOKASIDE.FBSBX.COM/x", true},
		{"https://scontent.whatsapp.net/x", true},
		{"https://facebook.com/x", true},
		{"https://a.b.fbsbx.com:443/x", true},
		{"https://lookaside.fbsbx.com", true},
		{"https://lookaside.fbsbx.com?x", true},
		{"http://lookaside.fbsbx.com/x", false},
		{"https://lookaside.fbsbx.com:8443/x", false},
		{"https://evilfbsbx.com/x", false},
		{"https://fbsbx.com.evil.example/x", false},
		{"https://fbsbx.com@evil.example/x", false},
		{"https://evil.example/fbsbx.com", false},
		{"https://evil.example?.fbsbx.com", false},
		{"https://evil.example#.fbsbx.com", false},
		{"https://evil.example\\\\.fbsbx.com/", false},
		{"https://evil.example%2f.fbsbx.com/", false},
		{"https://evil.example\\t.fbsbx.com/", false},
		{"https://evil.example\\u0000.fbsbx.com/", false},
		{"https://lookaside.fbsbx.com./x", false},
		{"https://user:pass@lookaside.fbsbx.com/x", false},
		{"https://lookaside.fbsbx.com:/x", false},
		{"https://lookaside.fbsbx.com:44 3/x", false},
		{"https:///x", false},
		{"https://:443/x", false},
		{"https://127.0.0.1/x", false},
		{"http://127.0.0.1/x", false},
		{"https://[::1]/x", false},
		{"ftp://lookaside.fbsbx.com/x", false},
		{"//lookaside.fbsbx.com/x", false},
		{"lookaside.fbsbx.com/x", false},
		{"", false},
	};
	pa_http_request request;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		pa_status status = next_url(&rig, cases[i].url, &request);

		if ((status == PA_OK) != cases[i].is_allowed)
			fail_msg("%s: %s", cases[i].url, status_name(status));
		if (status == PA_OK)
			expect_str(request.headers[0]->value, PA_STR("Bearer " WHATSAPP_TOKEN));
	}
}

static void test_file_hosts_of_ones_own(void **state)
{
	const struct rig_setting settings[] = {
		{"graph_url", "http://127.0.0.1:8099/", NULL},
		{"media_hosts", "*.media.example .other.example", NULL},
	};
	static const char *const allowed[] = {
		"http://127.0.0.1:8099/file", "http://localhost/x",
		"http://[::1]:1234/x",        "https://[::1]/x",
		"https://a.media.example/x",  "https://other.example/x",
	};
	static const char *const refused[] = {
		"http://a.media.example/x",
		"https://lookaside.fbsbx.com/x",
		"http://127.0.0.2/x",
		"http://127.0.0.1.evil.example/x",
		"http://localhost.evil.example/x",
		"http://[::1]evil.example/x",
		"http://[::2]/x",
	};
	pa_http_request request;
	struct rig own;

	(void)state;
	whatsapp_rig_open(&own, settings, ARRAY_COUNT(settings));
	for (size_t i = 0; i < ARRAY_COUNT(allowed); i++)
		if (next_url(&own, allowed[i], &request) != PA_OK)
			fail_msg("%s is refused", allowed[i]);
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++)
		if (next_url(&own, refused[i], &request) != PA_REJECTED)
			fail_msg("%s is taken", refused[i]);
	rig_close(&own);
}

static void test_file_answers(void **state)
{
	static const struct {
		uint32_t status;
		const char *body;
		pa_status wanted;
	} cases[] = {
		{404, "{}", PA_REJECTED},  {400, "{\"error\":{\"code\":100}}", PA_REJECTED},
		{429, "{}", PA_RETRY},     {500, "", PA_RETRY},
		{503, "<html>", PA_RETRY}, {200, "", PA_REJECTED},
		{200, "{}", PA_REJECTED},  {200, "{\"url\":5}", PA_REJECTED},
		{200, "[]", PA_REJECTED},  {302, "{}", PA_REJECTED},
	};
	pa_http_request request;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		assert_int_equal(next_of(&rig, cases[i].status, cases[i].body, &request),
				 cases[i].wanted);
}

static int open_rig(void **state)
{
	(void)state;
	fake_forbid(WHATSAPP_VERIFY);
	fake_forbid(WHATSAPP_SECRET);
	fake_forbid(WHATSAPP_TOKEN);
	whatsapp_rig_open(&rig, NULL, 0);
	return 0;
}

static int close_rig(void **state)
{
	(void)state;
	rig_close(&rig);
	return (int)fake_problems();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_refused),
		cmocka_unit_test(test_handshake),
		cmocka_unit_test(test_handshake_refused),
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_signature_headers_refused),
		cmocka_unit_test(test_two_secrets),
		cmocka_unit_test(test_download),
		cmocka_unit_test(test_download_refused),
		cmocka_unit_test(test_file_hosts),
		cmocka_unit_test(test_file_hosts_of_ones_own),
		cmocka_unit_test(test_file_answers),
	};

	return cmocka_run_group_tests(tests, open_rig, close_rig);
}
