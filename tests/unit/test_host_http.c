/* SPDX-License-Identifier: Apache-2.0
 *
 * host->http() as a plugin sees it, over the house's own client and server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "host/host.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "io/http_client.h"
#include "io/http_server.h"
#include "support/recorder.h"

static const pa_plugin recorder = RECORDER("recorder", 0);
static const pa_channel_ops pure_ops = PURE_OPS;
static const pa_plugin pure = PURE(&pure_ops);

extern const pa_plugin *const host_static_plugins[];
const pa_plugin *const host_static_plugins[] = {&recorder, &pure, NULL};

static void serve(void *arg, struct http_exchange *exchange)
{
	(void)arg;
	http_exchange_answer(exchange, 202, NULL, 0, http_exchange_request(exchange)->body);
}

struct rig {
	struct http_server *server;
	struct http_client *client;
	struct host *host;
	struct plugin *plugin;
	struct arena *arena;
	const pa_host *services;
	char url[64];
};

static void rig_make(struct rig *rig, const char *name)
{
	const struct http_server_options server = {.address = "127.0.0.1",
						   .listen_fd = -1,
						   .max_body = 100000,
						   .timeout_s = 5,
						   .max_connections = 10,
						   .thread_name = "http-in",
						   .handler = serve};
	const struct http_client_options client = {.user_agent = "test"};
	const struct host_setting setting = {
		.name = "text", .value = {.size = sizeof(pa_value), .is_set = 1, .text = {"x", 1}}};
	pa_error err = ERROR_INIT;
	pa_call *call;

	*rig = (struct rig){.arena = arena_new((size_t)64 << 20)};
	assert_int_equal(http_server_new(&server, &rig->server, &err), PA_OK);
	assert_int_equal(http_client_new(&client, &rig->client, &err), PA_OK);
	rig->host = host_new(&(struct host_options){
		.directory = "/nonexistent", .probe_path = "/nonexistent", .http = rig->client});
	assert_int_equal(host_open(rig->host, name, "mine", &setting, 1, &rig->plugin, &err),
			 PA_OK);
	call = plugin_call_begin(rig->plugin, rig->arena, 1000);
	rig->services = ((const struct recorder *)call_self(call))->host;
	plugin_call_end(call);
	snprintf(rig->url, sizeof(rig->url), "http://127.0.0.1:%u/", http_server_port(rig->server));
}

static void rig_done(struct rig *rig)
{
	plugin_close(rig->plugin);
	host_free(rig->host);
	http_client_free(rig->client);
	http_server_free(rig->server);
	arena_free(rig->arena);
}

static pa_status post(const struct rig *rig, pa_call *call, const char *url,
		      pa_http_response *response, pa_error *err)
{
	const pa_http_request request = {.size = sizeof(request),
					 .method = PA_STR("POST"),
					 .url = str_from(url),
					 .body = PA_STR("a question")};
	uint32_t failure = 0;

	*err = ERROR_INIT;
	*response = (pa_http_response){.size = sizeof(*response)};
	return rig->services->http(call, &request, response, &failure, err);
}

static void test_answers_lie_in_the_call(void **state)
{
	struct rig rig PA_CLEANUP(rig_done);
	pa_http_response response;
	pa_error err;
	pa_call *call;

	(void)state;
	rig_make(&rig, "recorder");
	call = plugin_call_begin(rig.plugin, rig.arena, 5000);
	assert_int_equal(post(&rig, call, rig.url, &response, &err), PA_OK);
	assert_int_equal(response.status, 202);
	assert_int_equal(response.size, sizeof(response));
	assert_true(str_equal(response.body, PA_STR("a question")));
	plugin_call_end(call);
}

/* A plugin made when pa_http_response ended after status. */
static void test_an_older_response_is_not_overrun(void **state)
{
	struct rig rig PA_CLEANUP(rig_done);
	const pa_http_request request = {
		.size = sizeof(request), .method = PA_STR("POST"), .body = PA_STR("x")};
	pa_http_request own = request;
	pa_http_response response = {.size = offsetof(pa_http_response, headers),
				     .headers_count = 77};
	uint32_t failure = 0;
	pa_error err = ERROR_INIT;
	pa_call *call;

	(void)state;
	rig_make(&rig, "recorder");
	own.url = str_from(rig.url);
	call = plugin_call_begin(rig.plugin, rig.arena, 5000);
	assert_int_equal(rig.services->http(call, &own, &response, &failure, &err), PA_OK);
	assert_int_equal(response.status, 202);
	assert_int_equal(response.size, offsetof(pa_http_response, headers));
	assert_int_equal(response.headers_count, 77);
	plugin_call_end(call);
}

static void test_refusals(void **state)
{
	struct rig rig PA_CLEANUP(rig_done);
	pa_http_response response;
	pa_error err;
	pa_call *call;

	(void)state;
	rig_make(&rig, "recorder");
	call = plugin_call_begin(rig.plugin, rig.arena, 5000);
	assert_int_equal(post(&rig, call, "http://example.com/", &response, &err), PA_REJECTED);
	assert_int_equal(post(&rig, call, "http://127.0.0.1:1/", &response, &err), PA_RETRY);
	rig.services->alloc(call, (size_t)15 << 20);
	assert_int_equal(post(&rig, call, rig.url, &response, &err), PA_REJECTED);
	assert_non_null(strstr(error_text(&err), "no memory is left in this call"));
	assert_int_equal(response.status, 0);
	plugin_call_end(call);
	call = plugin_call_begin(rig.plugin, rig.arena, 0);
	assert_int_equal(post(&rig, call, rig.url, &response, &err), PA_DEADLINE);
	plugin_call_end(call);
}

static void test_a_pure_channel_sends_nothing(void **state)
{
	struct rig rig PA_CLEANUP(rig_done);
	pa_http_response response;
	pa_error err;
	pa_call *call;

	(void)state;
	rig_make(&rig, "pure");
	call = plugin_call_begin(rig.plugin, rig.arena, 5000);
	assert_int_equal(post(&rig, call, rig.url, &response, &err), PA_BUG);
	plugin_call_end(call);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_lie_in_the_call),
		cmocka_unit_test(test_an_older_response_is_not_overrun),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_a_pure_channel_sends_nothing),
	};

	if (crypto_init() != PA_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
