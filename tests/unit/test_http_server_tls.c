/* SPDX-License-Identifier: Apache-2.0
 *
 * io/http_server with io/tls: what was tested without TLS where TLS could make a difference, and
 * certificates that change while handshakes are made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "certificate.h"
#include "io/tls.h"
#include "net.h"

#include <pthread.h>
#include <signal.h>

#define CALLERS 4
#define CALLS 25
#define LARGE ((size_t)3 << 20)

struct fixture {
	struct arena *arena;
	char folder[64];
	const char *certificate, *key;
	struct tls *tls;
	struct http_server *server;
};

/* Answers from another thread, so that the connection sleeps meanwhile. */
static void *answer_late(void *arg)
{
	struct http_exchange *exchange = arg;
	pa_str body = http_exchange_request(exchange)->body;

	sleep_ms(2);
	http_exchange_answer(exchange, 200, NULL, 0, body);
	return NULL;
}

static void on_request(void *arg, struct http_exchange *exchange)
{
	pthread_t thread;

	(void)arg;
	assert_int_equal(pthread_create(&thread, NULL, answer_late, exchange), 0);
	pthread_detach(thread);
}

static int set_up(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));
	pa_error err = ERROR_INIT;

	fx->arena = arena_new(1 << 20);
	strcpy(fx->folder, "/tmp/test_tls.XXXXXX");
	assert_non_null(mkdtemp(fx->folder));
	fx->certificate = arena_format(fx->arena, "%s/cert.pem", fx->folder).ptr;
	fx->key = arena_format(fx->arena, "%s/key.pem", fx->folder).ptr;
	write_pair(fx->certificate, fx->key, 3600);
	assert_int_equal(tls_new(fx->certificate, fx->key, &fx->tls, &err), PA_OK);
	fx->server = server_start(LOOPBACK_SERVER(.tls = fx->tls, .handler = on_request, .arg = fx,
						  .max_body = 2 * LARGE, .timeout_s = 1));
	*state = fx;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fx = *state;

	http_server_free(fx->server);
	tls_free(fx->tls);
	unlink(fx->certificate);
	unlink(fx->key);
	rmdir(fx->folder);
	arena_free(fx->arena);
	free(fx);
	return 0;
}

static pa_status post(struct fixture *fx, struct http_client *client, pa_str body, bool *ret_same)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(4 * LARGE);
	pa_http_request request = request_of(
		"POST", arena_format(arena, "https://localhost:%u/x", http_server_port(fx->server)),
		body);
	pa_http_response response;
	uint32_t failure;
	pa_error err = ERROR_INIT;
	pa_status status =
		http_client_call(client, &request, 20000, arena, &response, &failure, &err);

	*ret_same = status == PA_OK && response.status == 200 && str_equal(response.body, body);
	return status;
}

static void test_answered_by_others(void **state)
{
	struct fixture *fx = *state;
	struct http_client *client = client_start((struct http_client_options){
		.ca_file = fx->certificate, .max_response = 2 * LARGE});
	char *large = malloc(LARGE);
	bool is_same;

	memset(large, 'a', LARGE);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(post(fx, client, PA_STR("hello"), &is_same), PA_OK);
		assert_true(is_same);
	}
	assert_int_equal(post(fx, client, (pa_str){large, LARGE}, &is_same), PA_OK);
	assert_true(is_same);
	http_client_free(client);
	free(large);
}

static void test_silent_peers_are_closed(void **state)
{
	struct fixture *fx = *state;
	int silent = net_connect(http_server_port(fx->server));
	int half = net_connect(http_server_port(fx->server));
	int plain = net_connect(http_server_port(fx->server));

	net_send(half, (pa_str){"\x16\x03\x01\x02\x00\x01", 6}); /* a ClientHello begins so */
	net_send(plain, PA_STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
	assert_true(net_is_closed_within(plain, 20000));
	assert_true(net_is_closed_within(half, 20000));
	assert_true(net_is_closed_within(silent, 20000));
	close(silent);
	close(half);
	close(plain);
}

/* Each call makes a handshake of its own. */
static void *call_often(void *arg)
{
	struct fixture *fx = arg;
	bool is_same;

	for (int i = 0; i < CALLS; i++) {
		struct http_client *client =
			client_start((struct http_client_options){.ca_file = "/dev/null"});

		/* Nobody vouches for it; what counts is that the handshake takes its course. */
		assert_int_equal(post(fx, client, PA_STR("hello"), &is_same), PA_RETRY);
		http_client_free(client);
	}
	return NULL;
}

static void test_renewal_beside_handshakes(void **state)
{
	struct fixture *fx = *state;
	pthread_t callers[CALLERS];
	pa_error err = ERROR_INIT;
	struct http_client *client;
	bool is_same;

	for (int i = 0; i < CALLERS; i++)
		pthread_create(&callers[i], NULL, call_often, fx);
	for (int i = 0; i < 20; i++) {
		write_pair(fx->certificate, fx->key, 3600);
		assert_int_equal(tls_renew(fx->tls, &err), PA_OK);
		sleep_ms(5);
	}
	for (int i = 0; i < CALLERS; i++)
		pthread_join(callers[i], NULL);
	client = client_start((struct http_client_options){.ca_file = fx->certificate});
	assert_int_equal(post(fx, client, PA_STR("hello"), &is_same), PA_OK);
	assert_true(is_same);
	http_client_free(client);
}

static void test_when_it_ends(void **state)
{
	struct fixture *fx = *state;
	int64_t before = time(NULL), ends_ns;
	pa_error err = ERROR_INIT;

	write_pair(fx->certificate, fx->key, 7200);
	assert_int_equal(tls_renew(fx->tls, &err), PA_OK);
	assert_in_range(tls_ends_ns(fx->tls) / NS_PER_S, before + 7200, before + 7260);
	assert_int_equal(tls_file_ends_ns(fx->certificate, &ends_ns, &err), PA_OK);
	assert_int_equal(ends_ns, tls_ends_ns(fx->tls));
	assert_int_equal(tls_file_ends_ns(fx->key, &ends_ns, &err), PA_REJECTED);
	write_pair(fx->certificate, fx->key, -1);
	assert_int_equal(tls_renew(fx->tls, &err), PA_REJECTED);
	assert_non_null(strstr(error_text(&err), "has expired"));
	assert_int_equal(ends_ns, tls_ends_ns(fx->tls));
}

static void test_files_that_settle(void **state)
{
	struct fixture *fx = *state;

	assert_false(tls_has_settled(fx->tls));
	write_pair(fx->certificate, fx->key, 3600);
	assert_false(tls_has_settled(fx->tls)); /* maybe there is more to come */
	assert_true(tls_has_settled(fx->tls));
	assert_false(tls_has_settled(fx->tls));
	assert_int_equal(unlink(fx->key), 0);
	assert_false(tls_has_settled(fx->tls));
	assert_true(tls_has_settled(fx->tls));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answered_by_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_silent_peers_are_closed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_renewal_beside_handshakes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_when_it_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_files_that_settle, set_up, tear_down),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
