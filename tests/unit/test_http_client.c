/* SPDX-License-Identifier: Apache-2.0
 *
 * io/http_client against io/http_server, and against a peer of raw sockets that misbehaves. What
 * counts: did a byte of the request leave, and is anything ever sent twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>

/* One call, with what came of it. */
struct outcome {
	pa_status status;
	pa_http_response response;
	uint32_t failure;
	pa_error err;
};

static struct outcome call(struct http_client *client, struct arena *arena,
			   const pa_http_request *request, int64_t timeout_ms)
{
	struct outcome outcome = {.err = ERROR_INIT};

	outcome.status = http_client_call(client, request, timeout_ms, arena, &outcome.response,
					  &outcome.failure, &outcome.err);
	return outcome;
}

static struct outcome post(struct http_client *client, struct arena *arena, uint16_t port,
			   int64_t timeout_ms)
{
	pa_http_request request =
		request_of("POST", url_of(arena, port, "/p?secret=s"), PA_STR("hello"));

	return call(client, arena, &request, timeout_ms);
}

/* ---- a peer that misbehaves ------------------------------------------------------------------ */

/* Takes connections one after the other; on each reads a request and does what the script says:
 * the answer's bytes, or NULL to say nothing; then closes, or goes on with the next step. */
struct step {
	const char *answer;
	bool is_close;
	int hang_ms;
};

struct peer {
	int fd;
	uint16_t port;
	const struct step *steps;
	size_t count;
	atomic_uint requests; /* whole ones read */
	pthread_t thread;
};

/* Tests send bodies that end in "hello", or none. */
static bool read_request(int fd)
{
	struct buf request PA_CLEANUP(buf_done) = BUF_INIT(1 << 20);

	if (!net_read_until(fd, &request, PA_STR("\r\n\r\n"), 3000))
		return false;
	return str_starts(buf_str(&request), PA_STR("GET")) ||
	       str_ends(buf_str(&request), PA_STR("hello")) ||
	       net_read_until(fd, &request, PA_STR("hello"), 3000);
}

static void *run_peer(void *arg)
{
	struct peer *peer = arg;
	int fd = -1;

	for (size_t i = 0; i < peer->count; i++) {
		const struct step *step = &peer->steps[i];

		if (fd < 0)
			fd = accept(peer->fd, NULL, NULL);
		if (fd < 0)
			break;
		if (read_request(fd))
			atomic_fetch_add(&peer->requests, 1);
		if (step->answer)
			net_send(fd, str_from(step->answer));
		if (step->hang_ms)
			sleep_ms(step->hang_ms);
		if (step->is_close) {
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void peer_start(struct peer *peer, const struct step *steps, size_t count)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(peer->fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(peer->fd, 10), 0);
	assert_int_equal(getsockname(peer->fd, (struct sockaddr *)&address, &size), 0);
	peer->port = ntohs(address.sin_port);
	peer->steps = steps;
	peer->count = count;
	atomic_init(&peer->requests, 0);
	pthread_create(&peer->thread, NULL, run_peer, peer);
}

static void peer_stop(struct peer *peer)
{
	shutdown(peer->fd, SHUT_RDWR);
	pthread_join(peer->thread, NULL);
	close(peer->fd);
}

/* ---- handlers ---------------------------------------------------------------------------------
 */

static void on_echo(void *arg, struct http_exchange *exchange)
{
	const pa_http_request *request = http_exchange_request(exchange);
	static const pa_pair header = {{"X-Answer", 8}, {"Yes", 3}};
	const pa_pair *const headers[] = {&header};
	struct buf text PA_CLEANUP(buf_done) = BUF_INIT(1 << 22);

	(void)arg;
	buf_format(&text, "%.*s %.*s", PA_FMT(request->method), PA_FMT(request->url));
	for (size_t i = 0; i < request->headers_count; i++)
		buf_format(&text, " [%.*s=%.*s]", PA_FMT(request->headers[i]->name),
			   PA_FMT(request->headers[i]->value));
	buf_add(&text, PA_STR(" "));
	buf_add(&text, request->body);
	http_exchange_answer(exchange, 201, headers, 1, buf_str(&text));
}

static void on_redirect(void *arg, struct http_exchange *exchange)
{
	static const pa_pair header = {{"Location", 8}, {"/elsewhere", 10}};
	const pa_pair *const headers[] = {&header};

	atomic_fetch_add((atomic_uint *)arg, 1);
	http_exchange_answer(exchange, 302, headers, 1, PA_STR_ABSENT);
}

static void on_large(void *arg, struct http_exchange *exchange)
{
	struct buf text PA_CLEANUP(buf_done) = BUF_INIT(1 << 22);

	(void)arg;
	memset(buf_grow(&text, 200000), 'L', 200000);
	http_exchange_answer(exchange, 200, NULL, 0, buf_str(&text));
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void test_call(void **state)
{
	struct http_server *server = server_start(LOOPBACK_SERVER(.handler = on_echo));
	struct http_client *client =
		client_start((struct http_client_options){.user_agent = "tester/1"});
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 22);
	static const pa_pair one = {{"X-One", 5}, {"1", 1}}, empty = {{"X-Empty", 7}, {"", 0}};
	const pa_pair *const headers[] = {&one, &empty};
	pa_http_request request =
		request_of("POST", url_of(arena, http_server_port(server), "/a"), PA_STR("hello"));
	struct outcome outcome;

	(void)state;
	request.headers = headers;
	request.headers_count = 2;
	outcome = call(client, arena, &request, 3000);
	assert_int_equal(outcome.status, PA_OK);
	assert_int_equal(outcome.response.status, 201);
	assert_true(str_starts(outcome.response.body, PA_STR("POST /a")));
	assert_true(str_ends(outcome.response.body, PA_STR(" hello")));
	assert_true(str_find(outcome.response.body, PA_STR("[x-one=1]")) != SIZE_MAX);
	assert_true(str_find(outcome.response.body, PA_STR("[x-empty=]")) != SIZE_MAX);
	assert_true(str_find(outcome.response.body, PA_STR("[user-agent=tester/1]")) != SIZE_MAX);
	/* Nobody gave a content type, and nobody asks before sending. */
	assert_true(str_find(outcome.response.body, PA_STR("content-type")) == SIZE_MAX);
	assert_true(str_find(outcome.response.body, PA_STR("expect")) == SIZE_MAX);
	http_client_free(client);
	http_server_free(server);
}

static void test_headers_of_an_answer(void **state)
{
	struct http_server *server = server_start(LOOPBACK_SERVER(.handler = on_echo));
	struct http_client *client = client_start((struct http_client_options){.max_response = 0});
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 22);
	struct outcome outcome = post(client, arena, http_server_port(server), 3000);
	bool is_found = false;

	(void)state;
	for (size_t i = 0; i < outcome.response.headers_count; i++)
		is_found |= str_equal(outcome.response.headers[i]->name, PA_STR("x-answer")) &&
			    str_equal(outcome.response.headers[i]->value, PA_STR("Yes"));
	assert_true(is_found);
	http_client_free(client);
	http_server_free(server);
}

static void test_methods(void **state)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "PATCH"};
	struct http_server *server = server_start(LOOPBACK_SERVER(.handler = on_echo));
	struct http_client *client = client_start((struct http_client_options){.max_response = 0});
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 22);

	(void)state;
	/* Twice: the handles are used again. */
	for (size_t i = 0; i < 2 * ARRAY_COUNT(methods); i++) {
		const char *method = methods[i % ARRAY_COUNT(methods)];
		pa_str body = i % 2 ? PA_STR("hello") : PA_STR_ABSENT;
		pa_http_request request =
			request_of(method, url_of(arena, http_server_port(server), "/m"), body);
		struct outcome outcome = call(client, arena, &request, 3000);

		assert_int_equal(outcome.status, PA_OK);
		assert_true(str_starts(outcome.response.body, str_from(method)));
		assert_true(str_ends(outcome.response.body, body.ptr ? body : PA_STR("] ")));
	}
	http_client_free(client);
	http_server_free(server);
}

static void test_head_after_post_has_no_body(void **state)
{
	struct http_server *server = server_start(LOOPBACK_SERVER(.handler = on_echo));
	struct http_client *client = client_start((struct http_client_options){.max_response = 0});
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 22);
	pa_http_request head =
		request_of("HEAD", url_of(arena, http_server_port(server), "/h"), PA_STR_ABSENT);

	(void)state;
	assert_int_equal(post(client, arena, http_server_port(server), 3000).status, PA_OK);
	assert_int_equal(call(client, arena, &head, 3000).response.body.len, 0);
	assert_true(post(client, arena, http_server_port(server), 3000).response.body.len > 0);
	http_client_free(client);
	http_server_free(server);
}

/* What goes to a file; a longer answer, one that nobody wants any more, and a kept handle. */
static void test_a_body_into_a_file(void **state)
{
	static const struct step steps[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, 0},
		{"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nlonger", true, 0},
		{NULL, true, 1000},
	};
	struct http_client *client = client_start((struct http_client_options){.max_response = 0});
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 22);
	int fd = memfd_create("sink", MFD_CLOEXEC);
	struct http_sink sink = {.fd = fd, .max = 5};
	pa_http_response response = {.size = sizeof(response)};
	_Atomic bool is_unwanted = true;
	pa_http_request request;
	struct peer peer;
	uint32_t failure;
	char got[8];

	(void)state;
	peer_start(&peer, steps, ARRAY_COUNT(steps));
	request = request_of("GET", url_of(arena, peer.port, "/f"), PA_STR_ABSENT);
	assert_int_equal(
		http_client_fetch(client, &request, 3000, &sink, arena, &response, &failure, NULL),
		PA_OK);
	assert_int_equal(response.status, 200);
	assert_int_equal(response.body.len, 0);
	assert_int_equal(sink.len, 5);
	assert_int_equal(pread(fd, got, sizeof(got), 0), 5);
	assert_memory_equal(got, "hello", 5);
	sink = (struct http_sink){.fd = fd, .max = 5};
	assert_int_equal(
		http_client_fetch(client, &request, 3000, &sink, arena, &response, &failure, NULL),
		PA_RETRY);
	assert_true(sink.is_over);
	sink = (struct http_sink){.fd = -1, .is_unwanted = &is_unwanted};
	assert_int_equal(
		http_client_fetch(client, &request, 60000, &sink, arena, &response, &failure, NULL),
		PA_RETRY);
	close(fd);
	http_client_free(client);
	peer_stop(&peer);
}

static void test_which_urls(void **state)
{
	static const struct {
		const char *url;
		bool is_allowed;
	} cases[] = {
		{"https://graph.facebook.com/v26.0/1/messages", true},
		{"HTTPS://Example.com:8443/x?y=z", true},
		{"http://127.0.0.1:1/", true},
		{"http://127.9.8.7/", true},
		{"http://localhost/x", true},
		{"http://LOCALHOST/x", true},
		{"http://[::1]:80/x", true},
		{"http://0x7f.1/", true}, /* the loopback, oddly written */
		{"http://example.com/", false},
		{"http://128.0.0.1/", false},
		{"http://127.0.0.1.example.com/", false},
		{"http://localhost.example.com/", false},
		{"http://[::2]/", false},
		{"http://0.0.0.0/", false},
		{"https://user@example.com/", false},
		{"https://user:pass@example.com/", false},
		{"http://127.0.0.1@example.com/", false},
		{"https://example.com/#part", false},
		{"ftp://127.0.0.1/", false},
		{"file:///etc/passwd", false},
		{"gopher://127.0.0.1/", false},
		{"example.com", false},
		{"/relative", false},
		{"", false},
		{"https://", false},
		{"https://exa mple.com/", false},
		{"https://example.com/\r\nX: y", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		pa_error err = ERROR_INIT;
		bool is_allowed = http_url_check(str_from(cases[i].url), &err) == PA_OK;

		if (is_allowed != cases[i].is_allowed)
			fail_msg("%s: %s", cases[i].url, error_text(&err));
		assert_true(is_allowed || err.len > 0);
	}
	assert_int_equal(http_url_check((pa_str){"https://a\0b/", 12}, NULL), PA_REJECTED);
}

static void on_unexpected(void *arg, const struct http_result *result)
{
	(void)arg;
	(void)result;
	abort();
}

static void test_refused_requests_are_not_started(void **state)
{
	struct http_client *client = client_start((struct http_client_options){.max_response = 0});
	static const pa_pair bad_value = {{"X", 1}, {"a\r\nY: b", 7}};
	static const pa_pair bad_name = {{"X: y\r\nZ", 7}, {"b", 1}};
	static const pa_pair nul_name = {{"X\0", 2}, {"b", 1}};
	static const pa_pair *const bad[] = {&bad_value, &bad_name, &nul_name};
	pa_http_request request = request_of("GET", PA_STR("http://example.com/"), PA_STR_ABSENT);
	pa_error err = ERROR_INIT;

	(void)state;
	assert_int_equal(http_client_start(client, &request, 1000, on_unexpected, NULL, &err),
			 PA_REJECTED);
	request.url = PA_STR("https://example.com/");
	request.headers_count = 1;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		request.headers = &bad[i];
		assert_int_equal(
			http_client_start(client, &request, 1000, on_unexpected, NULL, &err),
			PA_REJECTED);
	}
	request.headers_count = 0;
	request.method = PA_STR("GET / HTTP/1.1\r\n");
	assert_int_equal(http_client_start(client, &request, 1000, on_unexpected, NULL, &err),
			 PA_REJECTED);
	http_client_free(client);
}

static void test_redirect_is_not_followed(void **state)
{
	atomic_uint handled = 0;
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_redirect, .arg = &handled));
	struct http_client *client = client_start((struct http_client_options){.max_response = 0});
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 22);
	struct outcome outcome = post(client, arena, http_server_port(server), 3000);

	(void)state;
	assert_int_equal(outcome.status, PA_OK);
	assert_int_equal(outcome.response.status, 302);
	assert_int_equal(atomic_load(&handled), 1);
	http_client_free(client);
	http_server_free(server);
}

static void test_nobody_listens(void **state)
{
	struct http_server *server = server_start(LOOPBACK_SERVER(.handler = on_echo));
	uint16_t port = http_server_port(server);
	struct http_client *client = client_start((struct http_client_options){.max_response = 0});
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 22);
	struct outcome outcome;

	(void)state;
	http_server_free(server);
	outcome = post(client, arena, port, 3000);
	assert_int_equal(outcome.status, PA_RETRY);
	assert_int_equal(outcome.failure, PA_HTTP_FAILED_BEFORE_SEND);
	assert_null(strstr(error_text(&outcome.err), "secret"));
	assert_true(outcome.err.len > 0);
	http_client_free(client);
}

/* TLS against a peer that speaks none: the handshake fails, the request never leaves. */
static void test_tls_failure_is_before_send(void **state)
{
	static const struct step steps[] = {{"HTTP/1.1 400 Bad Request\r\n\r\n", true, 0}};
	struct peer peer;
	struct http_client *client = client_start((struct http_client_options){.max_response = 0});
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 22);
	pa_http_request request;
	struct outcome outcome;

	(void)state;
	peer_start(&peer, steps, 1);
	request = request_of("POST",
			     arena_format(arena, "https://127.0.0.1:%u/", (unsigned)peer.port),
			     PA_STR("hello"));
	outcome = call(client, arena, &request, 5000);
	assert_int_equal(outcome.status, PA_RETRY);
	assert_int_equal(outcome.failure, PA_HTTP_FAILED_BEFORE_SEND);
	http_client_free(client);
	peer_stop(&peer);
}

static void assert_fails_after_send(const struct step *steps, size_t count, pa_status expected,
				    int64_t timeout_ms)
{
	struct peer peer;
	struct http_client *client =
		client_start((struct http_client_options){.max_response = 1 << 16});
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 22);
	struct outcome outcome;

	peer_start(&peer, steps, count);
	outcome = post(client, arena, peer.port, timeout_ms);
	assert_int_equal(outcome.status, expected);
	assert_int_equal(outcome.failure, PA_HTTP_FAILED_AFTER_SEND);
	assert_null(strstr(error_text(&outcome.err), "secret"));
	http_client_free(client);
	peer_stop(&peer);
	assert_int_equal(atomic_load(&peer.requests), 1);
}

static void test_failures_after_send(void **state)
{
	static const struct step closes[] = {{NULL, true, 0}};
	static const struct step half[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", true, 0}};
	static const struct step nonsense[] = {{"SSH-2.0-OpenSSH\r\n\r\n", true, 0}};

	(void)state;
	assert_fails_after_send(closes, 1, PA_RETRY, 3000);
	assert_fails_after_send(half, 1, PA_RETRY, 3000);
	assert_fails_after_send(nonsense, 1, PA_RETRY, 3000);
}

static void test_hanging_peers(void **state)
{
	static const struct step silent[] = {{NULL, true, 600}};
	static const struct step stuck[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", true, 600}};

	(void)state;
	assert_fails_after_send(silent, 1, PA_DEADLINE, 300);
	assert_fails_after_send(stuck, 1, PA_DEADLINE, 300);
}

static void test_endless_headers(void **state)
{
	struct buf answer PA_CLEANUP(buf_done) = BUF_INIT(1 << 20);
	struct step step = {NULL, true, 0};

	(void)state;
	buf_add(&answer, PA_STR("HTTP/1.1 200 OK\r\n"));
	for (int i = 0; i < 5000; i++)
		buf_format(&answer, "X-Header-%d: something or other\r\n", i);
	buf_add(&answer, PA_STR("Content-Length: 0\r\n\r\n"));
	buf_add_byte(&answer, 0);
	step.answer = answer.data;
	assert_fails_after_send(&step, 1, PA_RETRY, 3000);
}

static void test_too_long_an_answer(void **state)
{
	struct http_server *server = server_start(LOOPBACK_SERVER(.handler = on_large));
	struct http_client *client =
		client_start((struct http_client_options){.max_response = 100000});
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 22);
	struct outcome outcome = post(client, arena, http_server_port(server), 3000);

	(void)state;
	assert_int_equal(outcome.status, PA_RETRY);
	assert_int_equal(outcome.failure, PA_HTTP_FAILED_AFTER_SEND);
	assert_string_equal(error_text(&outcome.err), "the answer is too long");
	http_client_free(client);
	http_server_free(server);
}

#define WHOLE "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* The trap: on a connection that was used before, the peer reads a POST, dies, and libcurl would
 * send it again to the one who comes after. */
static void test_a_post_is_never_sent_twice(void **state)
{
	static const struct step steps[] = {{WHOLE, false, 0}, {NULL, true, 0}, {WHOLE, true, 0}};
	struct peer peer;
	struct http_client *client = client_start((struct http_client_options){.max_response = 0});
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 22);
	struct outcome outcome;

	(void)state;
	peer_start(&peer, steps, ARRAY_COUNT(steps));
	assert_int_equal(post(client, arena, peer.port, 3000).status, PA_OK);
	outcome = post(client, arena, peer.port, 3000);
	assert_int_equal(outcome.status, PA_RETRY);
	assert_int_equal(outcome.failure, PA_HTTP_FAILED_AFTER_SEND);
	assert_int_equal(atomic_load(&peer.requests), 2);
	http_client_free(client);
	peer_stop(&peer);
	assert_int_equal(atomic_load(&peer.requests), 2);
}

/* A GET may be. */
static void test_a_get_is_sent_again(void **state)
{
	static const struct step steps[] = {{WHOLE, false, 0}, {NULL, true, 0}, {WHOLE, true, 0}};
	struct peer peer;
	struct http_client *client = client_start((struct http_client_options){.max_response = 0});
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 22);
	pa_http_request get;

	(void)state;
	peer_start(&peer, steps, ARRAY_COUNT(steps));
	get = request_of("GET", url_of(arena, peer.port, "/g"), PA_STR_ABSENT);
	assert_int_equal(call(client, arena, &get, 3000).status, PA_OK);
	assert_int_equal(call(client, arena, &get, 3000).status, PA_OK);
	assert_int_equal(atomic_load(&peer.requests), 3);
	http_client_free(client);
	peer_stop(&peer);
}

/* A kept connection that the peer has closed meanwhile is noticed before it is used. */
static void test_a_closed_connection_is_not_used(void **state)
{
	static const struct step steps[] = {{WHOLE, true, 0}, {WHOLE, true, 0}};
	struct peer peer;
	struct http_client *client = client_start((struct http_client_options){.max_response = 0});
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 22);

	(void)state;
	peer_start(&peer, steps, ARRAY_COUNT(steps));
	assert_int_equal(post(client, arena, peer.port, 3000).status, PA_OK);
	sleep_ms(100);
	assert_int_equal(post(client, arena, peer.port, 3000).status, PA_OK);
	http_client_free(client);
	peer_stop(&peer);
}

static void test_start_and_stop(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		http_client_free(client_start((struct http_client_options){.max_response = 0}));
	http_client_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_headers_of_an_answer),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_head_after_post_has_no_body),
		cmocka_unit_test(test_which_urls),
		cmocka_unit_test(test_refused_requests_are_not_started),
		cmocka_unit_test(test_redirect_is_not_followed),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_tls_failure_is_before_send),
		cmocka_unit_test(test_failures_after_send),
		cmocka_unit_test(test_hanging_peers),
		cmocka_unit_test(test_endless_headers),
		cmocka_unit_test(test_too_long_an_answer),
		cmocka_unit_test(test_a_post_is_never_sent_twice),
		cmocka_unit_test(test_a_get_is_sent_again),
		cmocka_unit_test(test_a_closed_connection_is_not_used),
		cmocka_unit_test(test_a_body_into_a_file),
		cmocka_unit_test(test_start_and_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
