/* SPDX-License-Identifier: Apache-2.0
 *
 * io/http_client with many requests at once, and at its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net.h"

#include <pthread.h>
#include <stdatomic.h>

#define BURST 500

static void on_hello(void *arg, struct http_exchange *exchange)
{
	(void)arg;
	http_exchange_answer(exchange, 200, NULL, 0, PA_STR("hello"));
}

static void on_never(void *arg, struct http_exchange *exchange)
{
	(void)exchange;
	atomic_fetch_add((atomic_uint *)arg, 1);
}

struct tally {
	pthread_mutex_t lock;
	size_t answers, before, after;
};

static void on_tally(void *arg, const struct http_result *result)
{
	struct tally *tally = arg;

	pthread_mutex_lock(&tally->lock);
	if (result->response)
		tally->answers++;
	else if (result->failure == PA_HTTP_FAILED_BEFORE_SEND)
		tally->before++;
	else
		tally->after++;
	pthread_mutex_unlock(&tally->lock);
}

static size_t tally_sum(struct tally *tally)
{
	size_t sum;

	pthread_mutex_lock(&tally->lock);
	sum = tally->answers + tally->before + tally->after;
	pthread_mutex_unlock(&tally->lock);
	return sum;
}

static void start_burst(struct http_client *client, uint16_t port, struct tally *tally,
			size_t count, int64_t timeout_ms)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 22);
	pa_http_request request =
		request_of("POST", url_of(arena, port, "/burst"), PA_STR("hello"));
	pa_error err = ERROR_INIT;

	for (size_t i = 0; i < count; i++)
		assert_int_equal(
			http_client_start(client, &request, timeout_ms, on_tally, tally, &err),
			PA_OK);
}

static void test_a_burst(void **state)
{
	struct http_server *server = server_start(LOOPBACK_SERVER(.handler = on_hello));
	struct http_client *client =
		client_start((struct http_client_options){.max_connections = 20});
	struct tally tally = {.lock = PTHREAD_MUTEX_INITIALIZER};

	(void)state;
	start_burst(client, http_server_port(server), &tally, BURST, 20000);
	for (int i = 0; i < 2000 && tally_sum(&tally) < BURST; i++)
		sleep_ms(5);
	http_client_free(client);
	http_server_free(server);
	assert_int_equal(tally.answers, BURST);
}

static void test_stop_with_requests_in_flight(void **state)
{
	atomic_uint handled = 0;
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_never, .arg = &handled));
	struct http_client *client =
		client_start((struct http_client_options){.max_connections = 10});
	struct tally tally = {.lock = PTHREAD_MUTEX_INITIALIZER};

	(void)state;
	start_burst(client, http_server_port(server), &tally, 30, 20000);
	for (int i = 0; i < 1000 && atomic_load(&handled) < 10; i++)
		sleep_ms(5);
	http_client_free(client);
	http_server_free(server);
	/* Ten connections: the others never left. */
	assert_int_equal(tally.after, 10);
	assert_int_equal(tally.before, 20);
}

/* Asks again, whatever came, as a retry would. */
struct persistent {
	struct http_client *client;
	const pa_http_request *request;
	atomic_uint failures;
};

static void on_again(void *arg, const struct http_result *result)
{
	struct persistent *persistent = arg;
	pa_error err = ERROR_INIT;

	if (result->response)
		return;
	atomic_fetch_add(&persistent->failures, 1);
	assert_int_equal(http_client_start(persistent->client, persistent->request, 9000, on_again,
					   persistent, &err),
			 PA_RETRY);
}

static void test_stop_is_the_end_of_retries(void **state)
{
	atomic_uint handled = 0;
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_never, .arg = &handled));
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 16);
	pa_http_request request =
		request_of("GET", url_of(arena, http_server_port(server), "/"), PA_STR_ABSENT);
	struct persistent persistent = {.request = &request};
	pa_error err = ERROR_INIT;

	(void)state;
	persistent.client = client_start((struct http_client_options){.max_response = 0});
	assert_int_equal(
		http_client_start(persistent.client, &request, 9000, on_again, &persistent, &err),
		PA_OK);
	for (int i = 0; i < 400 && atomic_load(&handled) < 1; i++)
		sleep_ms(5);
	http_client_free(persistent.client);
	http_server_free(server);
	assert_int_equal(atomic_load(&persistent.failures), 1);
}

static void test_waiting_for_a_connection_has_an_end(void **state)
{
	atomic_uint handled = 0;
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_never, .arg = &handled));
	struct http_client *client =
		client_start((struct http_client_options){.max_connections = 1});
	struct tally tally = {.lock = PTHREAD_MUTEX_INITIALIZER};

	(void)state;
	start_burst(client, http_server_port(server), &tally, 1, 20000);
	start_burst(client, http_server_port(server), &tally, 5, 200);
	for (int i = 0; i < 400 && tally_sum(&tally) < 5; i++)
		sleep_ms(5);
	assert_int_equal(tally_sum(&tally), 5);
	assert_int_equal(tally.before, 5);
	http_client_free(client);
	http_server_free(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_burst),
		cmocka_unit_test(test_stop_with_requests_in_flight),
		cmocka_unit_test(test_stop_is_the_end_of_retries),
		cmocka_unit_test(test_waiting_for_a_connection_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
