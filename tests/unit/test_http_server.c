/* SPDX-License-Identifier: Apache-2.0
 *
 * io/http_server against raw sockets: what a hostile or clumsy peer may do to it, and how exchanges
 * live and die.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>

#define KEPT_MAX 2000

/* A handler's memory: exchanges kept for later. */
struct keeper {
	pthread_mutex_t lock;
	struct http_exchange *kept[KEPT_MAX];
	size_t count;
	size_t handled;
};

static void on_keep(void *arg, struct http_exchange *exchange)
{
	struct keeper *keeper = arg;

	pthread_mutex_lock(&keeper->lock);
	assert_true(keeper->count < KEPT_MAX);
	keeper->kept[keeper->count++] = exchange;
	pthread_mutex_unlock(&keeper->lock);
}

static size_t kept_count(struct keeper *keeper)
{
	size_t count;

	pthread_mutex_lock(&keeper->lock);
	count = keeper->count;
	pthread_mutex_unlock(&keeper->lock);
	return count;
}

static void wait_for_kept(struct keeper *keeper, size_t count)
{
	for (int i = 0; i < 1000 && kept_count(keeper) < count; i++)
		sleep_ms(5);
	assert_int_equal(kept_count(keeper), count);
}

/* Says back what it understood. */
static void on_echo(void *arg, struct http_exchange *exchange)
{
	const pa_http_request *request = http_exchange_request(exchange);
	struct arena *arena = http_exchange_arena(exchange);
	static const pa_pair type = {{"Content-Type", 12}, {"text/x-echo", 11}};
	const pa_pair *const headers[] = {&type};
	struct buf text PA_CLEANUP(buf_done) = BUF_INIT(1 << 22);

	(void)arg;
	assert_non_null(arena);
	buf_format(&text, "%.*s %.*s", PA_FMT(request->method), PA_FMT(request->url));
	for (size_t i = 0; i < request->query_count; i++)
		buf_format(&text, " ?%.*s=%.*s", PA_FMT(request->query[i]->name),
			   PA_FMT(request->query[i]->value));
	for (size_t i = 0; i < request->headers_count; i++) {
		if (str_starts(request->headers[i]->name, PA_STR("x-")))
			buf_format(&text, " %.*s=%.*s", PA_FMT(request->headers[i]->name),
				   PA_FMT(request->headers[i]->value));
	}
	buf_format(&text, " body %zu:", request->body.len);
	buf_add(&text, request->body);
	buf_add(&text, PA_STR("."));
	http_exchange_answer(exchange, 200, headers, 1, buf_str(&text));
}

/* Sends one request and returns all that came until needle. */
static struct buf talk(int fd, pa_str request, pa_str needle)
{
	struct buf answer = BUF_INIT(1 << 22);

	net_send(fd, request);
	net_read_until(fd, &answer, needle, 3000);
	buf_add_byte(&answer, 0);
	return answer;
}

static void assert_holds(const struct buf *text, const char *needle)
{
	if (str_find(buf_str(text), str_from(needle)) == SIZE_MAX)
		fail_msg("'%s' is not in '%s'", needle, text->data ? text->data : "");
}

static void assert_talk(uint16_t port, pa_str request, const char *expected)
{
	int fd = net_connect(port);
	struct buf answer PA_CLEANUP(buf_done) = talk(fd, request, str_from(expected));

	close(fd);
	assert_holds(&answer, expected);
}

static void test_understands_requests(void **state)
{
	struct http_server *server = server_start(LOOPBACK_SERVER(.handler = on_echo));
	uint16_t port = http_server_port(server);

	(void)state;
	assert_talk(port,
		    PA_STR("GET /a%20b?x=1%262&y=&z HTTP/1.1\r\nHost: h\r\nX-One: Two\r\n\r\n"),
		    "GET /a b ?x=1&2 ?y= ?z= x-one=Two body 0:.");
	assert_talk(port, PA_STR("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"),
		    "POST /p body 5:hello.");
	assert_talk(port,
		    PA_STR("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
			   "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
		    "POST /c body 5:abcde.");
	/* A NUL would cut the path. */
	assert_talk(port, PA_STR("GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n"), "GET /a%00b body 0:.");
	http_server_free(server);
}

static void test_nul_in_body_is_data(void **state)
{
	static const char request[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na\0b";
	struct http_server *server = server_start(LOOPBACK_SERVER(.handler = on_echo));
	int fd = net_connect(http_server_port(server));
	struct buf answer PA_CLEANUP(buf_done) =
		talk(fd, (pa_str){request, sizeof(request) - 1}, PA_STR("b."));

	(void)state;
	assert_true(str_find(buf_str(&answer), (pa_str){"body 3:a\0b.", 11}) != SIZE_MAX);
	close(fd);
	http_server_free(server);
}

static void test_standard_headers(void **state)
{
	struct http_server *server = server_start(LOOPBACK_SERVER(.handler = on_echo));
	int fd = net_connect(http_server_port(server));
	struct buf answer PA_CLEANUP(buf_done) =
		talk(fd, PA_STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), PA_STR("0:."));

	(void)state;
	assert_holds(&answer, "X-Content-Type-Options: nosniff\r\n");
	assert_holds(&answer, "Cache-Control: no-store\r\n");
	assert_holds(&answer, "Content-Type: text/x-echo\r\n");
	close(fd);
	http_server_free(server);
}

static void test_keep_alive(void **state)
{
	struct http_server *server = server_start(LOOPBACK_SERVER(.handler = on_echo));
	int fd = net_connect(http_server_port(server));

	(void)state;
	for (int i = 0; i < 50; i++) {
		struct buf answer PA_CLEANUP(buf_done) = talk(
			fd, PA_STR("POST /k HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"),
			PA_STR("body 1:x."));

		assert_holds(&answer, "HTTP/1.1 200");
	}
	close(fd);
	http_server_free(server);
}

static void test_pipelined_requests_are_answered_in_order(void **state)
{
	struct http_server *server = server_start(LOOPBACK_SERVER(.handler = on_echo));
	int fd = net_connect(http_server_port(server));
	struct buf answer PA_CLEANUP(buf_done) = talk(
		fd, PA_STR("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"),
		PA_STR("GET /2 body"));

	(void)state;
	assert_true(str_find(buf_str(&answer), PA_STR("GET /1")) <
		    str_find(buf_str(&answer), PA_STR("GET /2")));
	close(fd);
	http_server_free(server);
}

static void add_body(struct buf *request, size_t declared, size_t sent)
{
	buf_format(request, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", declared);
	for (size_t i = 0; i < sent; i++)
		buf_add_byte(request, 'x');
}

static void test_large_bodies(void **state)
{
	static const struct {
		size_t declared, sent;
		const char *answer;
	} cases[] = {
		{1000, 1000, "body 1000:xxx"},
		{1001, 1001, "413"},   /* read to its end and dropped */
		{1900, 1900, "413"},   /* likewise */
		{5000, 0, "413"},      /* refused at once */
		{1u << 30, 10, "413"}, /* likewise */
	};
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_echo, .max_body = 1000));

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct buf request PA_CLEANUP(buf_done) = BUF_INIT(1 << 16);

		add_body(&request, cases[i].declared, cases[i].sent);
		assert_talk(http_server_port(server), buf_str(&request), cases[i].answer);
	}
	http_server_free(server);
}

static void test_413_closes(void **state)
{
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_echo, .max_body = 10));
	int fd = net_connect(http_server_port(server));
	struct buf request PA_CLEANUP(buf_done) = BUF_INIT(1 << 16);
	struct buf answer PA_CLEANUP(buf_done) = BUF_INIT(1 << 16);

	(void)state;
	add_body(&request, 15, 15);
	net_send(fd, buf_str(&request));
	assert_false(net_read_until(fd, &answer, PA_STR_ABSENT, 3000));
	assert_holds(&answer, "Connection: close");
	close(fd);
	http_server_free(server);
}

static void test_endless_chunks_are_cut_off(void **state)
{
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_echo, .max_body = 1000));
	int fd = net_connect(http_server_port(server));
	bool is_closed = false;

	(void)state;
	net_send(fd, PA_STR("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"));
	for (int i = 0; i < 1000 && !is_closed; i++) {
		net_send(fd, PA_STR("10\r\n0123456789abcdef\r\n"));
		is_closed = net_is_closed_within(fd, 1);
	}
	assert_true(is_closed);
	close(fd);
	http_server_free(server);
}

static void test_expect_continue_of_too_large_a_body(void **state)
{
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_echo, .max_body = 1000));

	(void)state;
	assert_talk(http_server_port(server),
		    PA_STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1500\r\n"
			   "Expect: 100-continue\r\n\r\n"),
		    "HTTP/1.1 413");
	http_server_free(server);
}

static void test_too_many_headers(void **state)
{
	struct http_server *server = server_start(LOOPBACK_SERVER(.handler = on_echo));
	struct buf request PA_CLEANUP(buf_done) = BUF_INIT(1 << 20);

	(void)state;
	buf_add(&request, PA_STR("GET / HTTP/1.1\r\nHost: h\r\n"));
	for (int i = 0; i < 150; i++)
		buf_format(&request, "A%d: b\r\n", i);
	buf_add(&request, PA_STR("\r\n"));
	assert_talk(http_server_port(server), buf_str(&request), "HTTP/1.1 431");
	http_server_free(server);
}

static void test_huge_headers(void **state)
{
	struct http_server *server = server_start(LOOPBACK_SERVER(.handler = on_echo));
	struct buf request PA_CLEANUP(buf_done) = BUF_INIT(1 << 20);

	(void)state;
	buf_add(&request, PA_STR("GET / HTTP/1.1\r\nHost: h\r\nX-Big: "));
	for (int i = 0; i < 40000; i++)
		buf_add_byte(&request, 'y');
	buf_add(&request, PA_STR("\r\n\r\n"));
	assert_talk(http_server_port(server), buf_str(&request), "HTTP/1.1 431");
	http_server_free(server);
}

static void test_nonsense_does_no_harm(void **state)
{
	static const pa_str cases[] = {
		{"\0\0\0\0\r\n\r\n", 8},
		{"GET\r\n\r\n", 7},
		{"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 40},
		{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", 67},
		{"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n", 60},
		{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11}, /* TLS knocking */
	};
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_echo, .timeout_s = 1));

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		int fd = net_connect(http_server_port(server));

		net_send(fd, cases[i]);
		shutdown(fd, SHUT_WR);
		assert_true(net_is_closed_within(fd, 3000));
		close(fd);
	}
	assert_talk(http_server_port(server), PA_STR("GET /ok HTTP/1.1\r\nHost: h\r\n\r\n"),
		    "GET /ok");
	http_server_free(server);
}

static void test_silent_peer_is_closed(void **state)
{
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_echo, .timeout_s = 1));
	int fd = net_connect(http_server_port(server));

	(void)state;
	net_send(fd, PA_STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf"));
	assert_true(net_is_closed_within(fd, 4000));
	close(fd);
	http_server_free(server);
}

/* A byte every 200 ms is never silent for a second. */
static void test_tricklers_are_closed(void **state)
{
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_echo, .timeout_s = 1));
	int in_headers = net_connect(http_server_port(server));
	int in_body = net_connect(http_server_port(server));
	bool is_headers_closed = false, is_body_closed = false;

	(void)state;
	net_send(in_headers, PA_STR("GET / HTTP/1.1\r\nHost: h\r\nX-Slow: "));
	net_send(in_body, PA_STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"));
	for (int i = 0; i < 50 && !(is_headers_closed && is_body_closed); i++) {
		net_send(in_headers, PA_STR("x"));
		net_send(in_body, PA_STR("x"));
		is_headers_closed = is_headers_closed || net_is_closed_within(in_headers, 100);
		is_body_closed = is_body_closed || net_is_closed_within(in_body, 100);
	}
	assert_true(is_headers_closed);
	assert_true(is_body_closed);
	close(in_headers);
	close(in_body);
	http_server_free(server);
}

static void test_limit_per_address(void **state)
{
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_echo, .max_per_address = 3));
	int fds[3], more;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
		struct buf answer PA_CLEANUP(buf_done) = {.cap = 4096};

		fds[i] = net_connect(http_server_port(server));
		net_send(fds[i], PA_STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
		assert_true(net_read_until(fds[i], &answer, PA_STR("0:."), 3000));
	}
	more = net_connect(http_server_port(server));
	assert_true(net_is_closed_within(more, 3000));
	close(more);
	for (size_t i = 0; i < ARRAY_COUNT(fds); i++)
		close(fds[i]);
	http_server_free(server);
}

static void *answer_kept(void *arg)
{
	struct keeper *keeper = arg;

	pthread_mutex_lock(&keeper->lock);
	while (keeper->count)
		http_exchange_answer(keeper->kept[--keeper->count], 200, NULL, 0, PA_STR("later"));
	pthread_mutex_unlock(&keeper->lock);
	return NULL;
}

static void test_a_thousand_suspended(void **state)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	static int fds[1000];
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_keep, .arg = keeper));
	pthread_t thread;

	(void)state;
	pthread_mutex_init(&keeper->lock, NULL);
	for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
		fds[i] = net_connect(http_server_port(server));
		net_send(fds[i], PA_STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	}
	wait_for_kept(keeper, ARRAY_COUNT(fds));
	pthread_create(&thread, NULL, answer_kept, keeper);
	pthread_join(thread, NULL);
	for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
		struct buf answer PA_CLEANUP(buf_done) = BUF_INIT(4096);

		assert_true(net_read_until(fds[i], &answer, PA_STR("later"), 3000));
		close(fds[i]);
	}
	http_server_free(server);
	free(keeper);
}

/* An answer from another thread wakes the server: it doesn't wait for the next tick. */
static void test_answers_leave_at_once(void **state)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_keep, .arg = keeper));
	int fd = net_connect(http_server_port(server));
	int64_t spent = 0;

	(void)state;
	pthread_mutex_init(&keeper->lock, NULL);
	for (int i = 0; i < 10; i++) {
		struct buf answer PA_CLEANUP(buf_done) = BUF_INIT(4096);
		int64_t begin;

		net_send(fd, PA_STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
		wait_for_kept(keeper, 1);
		begin = clock_monotonic_ns();
		answer_kept(keeper);
		assert_true(net_read_until(fd, &answer, PA_STR("later"), 3000));
		spent += clock_monotonic_ns() - begin;
	}
	assert_true(spent < 500 * NS_PER_MS);
	close(fd);
	http_server_free(server);
	free(keeper);
}

/* The peer is gone, or half gone, while its request is being thought about. (libmicrohttpd 0.9.75
 * takes the half closed one for gone when it wakes the connection.) */
static void test_peers_that_leave(void **state)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_keep, .arg = keeper));
	int gone = net_connect(http_server_port(server));
	int half = net_connect(http_server_port(server));

	(void)state;
	pthread_mutex_init(&keeper->lock, NULL);
	net_send(gone, PA_STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	net_send(half, PA_STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	wait_for_kept(keeper, 2);
	setsockopt(gone, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
	close(gone);
	shutdown(half, SHUT_WR);
	sleep_ms(50);
	answer_kept(keeper);
	assert_true(net_is_closed_within(half, 3000));
	close(half);
	http_server_free(server);
	free(keeper);
}

static void test_stop_answers_what_is_open(void **state)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_keep, .arg = keeper));
	int fds[20];
	int64_t begin;

	(void)state;
	pthread_mutex_init(&keeper->lock, NULL);
	for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
		fds[i] = net_connect(http_server_port(server));
		net_send(fds[i],
			 PA_STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"));
	}
	wait_for_kept(keeper, ARRAY_COUNT(fds));
	begin = clock_monotonic_ns();
	http_server_free(server);
	assert_true(clock_monotonic_ns() - begin < 2 * NS_PER_S);
	for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
		struct buf answer PA_CLEANUP(buf_done) = BUF_INIT(4096);

		net_read_until(fds[i], &answer, PA_STR_ABSENT, 1000);
		buf_add_byte(&answer, 0);
		assert_holds(&answer, "HTTP/1.1 503");
		assert_holds(&answer, "Retry-After: 5");
		close(fds[i]);
	}
	free(keeper);
}

/* Holders answer at the very time of the stop, before or after it answered for them. */
static void test_stop_beside_answers(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		struct keeper *keeper = calloc(1, sizeof(*keeper));
		struct http_server *server =
			server_start(LOOPBACK_SERVER(.handler = on_keep, .arg = keeper));
		int fds[50];
		pthread_t thread;

		pthread_mutex_init(&keeper->lock, NULL);
		for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
			fds[i] = net_connect(http_server_port(server));
			net_send(fds[i], PA_STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
		}
		wait_for_kept(keeper, ARRAY_COUNT(fds));
		pthread_create(&thread, NULL, answer_kept, keeper);
		http_server_free(server);
		pthread_join(thread, NULL);
		for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
			struct buf answer PA_CLEANUP(buf_done) = BUF_INIT(4096);

			net_read_until(fds[i], &answer, PA_STR_ABSENT, 1000);
			assert_true(str_starts(buf_str(&answer), PA_STR("HTTP/1.1 ")));
			close(fds[i]);
		}
		free(keeper);
	}
}

static void test_stop_with_half_a_request(void **state)
{
	struct http_server *server = server_start(LOOPBACK_SERVER(.handler = on_echo));
	int fd = net_connect(http_server_port(server));
	int64_t begin;

	(void)state;
	net_send(fd, PA_STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf"));
	sleep_ms(50);
	begin = clock_monotonic_ns();
	http_server_free(server);
	assert_true(clock_monotonic_ns() - begin < 2 * NS_PER_S);
	assert_true(net_is_closed_within(fd, 1000));
	close(fd);
}

static void test_refuse(void **state)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_keep, .arg = keeper));
	struct buf answer PA_CLEANUP(buf_done) = BUF_INIT(4096);
	int fd = net_connect(http_server_port(server));

	(void)state;
	pthread_mutex_init(&keeper->lock, NULL);
	net_send(fd, PA_STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	wait_for_kept(keeper, 1);
	http_exchange_refuse(keeper->kept[0], 503, "Busy.");
	assert_true(net_read_until(fd, &answer, PA_STR("Busy."), 3000));
	assert_holds(&answer, "Retry-After: 5");
	assert_holds(&answer, "text/plain");
	close(fd);
	http_server_free(server);
	free(keeper);
}

/* A listening socket, and a copy for a server: the way systemd keeps its own. */
static int listening_socket(int *ret_copy)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 10), 0);
	*ret_copy = dup(fd);
	return fd;
}

static void test_socket_passed(void **state)
{
	int copy, held = listening_socket(&copy);
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_echo, .listen_fd = copy));

	(void)state;
	assert_talk(http_server_port(server), PA_STR("GET /s HTTP/1.1\r\nHost: h\r\n\r\n"),
		    "GET /s body");
	http_server_free(server);
	close(held);
}

static void *drain_for_a_second(void *server)
{
	http_server_drain(server, 1000);
	return NULL;
}

static void assert_last_answer(int fd)
{
	struct buf answer PA_CLEANUP(buf_done) = BUF_INIT(4096);

	net_read_until(fd, &answer, PA_STR("later"), 3000);
	buf_add_byte(&answer, 0);
	assert_holds(&answer, "HTTP/1.1 200");
	assert_holds(&answer, "Connection: close");
	assert_true(net_is_closed_within(fd, 3000));
	close(fd);
}

/* A restart: who waits and who was kept are answered for the last time, who comes meanwhile is
 * answered by the next server. */
static void test_drain(void **state)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	int copy, held = listening_socket(&copy);
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_keep, .arg = keeper, .listen_fd = copy));
	uint16_t port = http_server_port(server);
	struct buf first PA_CLEANUP(buf_done) = BUF_INIT(4096);
	int kept = net_connect(port), waiting = net_connect(port), new;
	int64_t begin = clock_monotonic_ns();
	pthread_t thread;

	(void)state;
	pthread_mutex_init(&keeper->lock, NULL);
	net_send(kept, PA_STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	wait_for_kept(keeper, 1);
	answer_kept(keeper);
	assert_true(net_read_until(kept, &first, PA_STR("later"), 3000));
	net_send(waiting, PA_STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	wait_for_kept(keeper, 1);

	pthread_create(&thread, NULL, drain_for_a_second, server);
	sleep_ms(100);
	new = net_connect(port);
	net_send(new, PA_STR("GET /new HTTP/1.1\r\nHost: h\r\n\r\n"));
	net_send(kept, PA_STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	sleep_ms(100);
	wait_for_kept(keeper, 2); /* the new one is not here */
	answer_kept(keeper);
	assert_last_answer(kept);
	assert_last_answer(waiting);
	pthread_join(thread, NULL);
	assert_true(clock_monotonic_ns() - begin < 900 * NS_PER_MS); /* all had gone before */
	http_server_free(server);

	server = server_start(LOOPBACK_SERVER(.handler = on_echo, .listen_fd = held));
	assert_true(net_read_until(new, &first, PA_STR("GET /new body"), 3000));
	close(new);
	http_server_free(server);
	free(keeper);
}

/* The silent one is closed when the patience ends, the one in the middle of his request is not. */
static void test_drain_ends(void **state)
{
	struct http_server *server = server_start(LOOPBACK_SERVER(.handler = on_echo));
	struct buf answer PA_CLEANUP(buf_done) = BUF_INIT(4096);
	int silent = net_connect(http_server_port(server));
	int half = net_connect(http_server_port(server));

	(void)state;
	net_send(half, PA_STR("POST /h HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab"));
	sleep_ms(100);
	assert_false(net_is_closed_within(silent, 100));
	http_server_drain(server, 200);
	assert_true(net_is_closed_within(silent, 1000));
	net_send(half, PA_STR("cd"));
	assert_true(net_read_until(half, &answer, PA_STR("POST /h body 4:abcd."), 3000));
	close(silent);
	close(half);
	http_server_free(server);
}

static void test_ipv6(void **state)
{
	struct http_server *server =
		server_start(LOOPBACK_SERVER(.handler = on_echo, .address = "::1"));

	(void)state;
	assert_true(http_server_port(server) > 0);
	http_server_free(server);
}

static void test_addresses_that_do_not_work(void **state)
{
	struct http_server *first = server_start(LOOPBACK_SERVER(.handler = on_echo));
	struct http_server_options busy =
		LOOPBACK_SERVER(.handler = on_echo, .port = http_server_port(first));
	struct http_server_options nowhere =
		LOOPBACK_SERVER(.handler = on_echo, .address = "nowhere");
	struct http_server *server = NULL;
	pa_error err = ERROR_INIT;

	(void)state;
	assert_int_equal(http_server_new(&busy, &server, &err), PA_RETRY);
	assert_non_null(strstr(error_text(&err), "in use"));
	assert_int_equal(http_server_new(&nowhere, &server, &err), PA_REJECTED);
	assert_null(server);
	http_server_free(first);
	http_server_free(NULL);
}

/* A thousand connections with both their ends are more than a login shell of Debian allows. */
static int allow_many_files(void **state)
{
	struct rlimit files;

	(void)state;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return -1;
	if (files.rlim_cur < 4096)
		files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096;
	return setrlimit(RLIMIT_NOFILE, &files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_understands_requests),
		cmocka_unit_test(test_nul_in_body_is_data),
		cmocka_unit_test(test_standard_headers),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_pipelined_requests_are_answered_in_order),
		cmocka_unit_test(test_large_bodies),
		cmocka_unit_test(test_413_closes),
		cmocka_unit_test(test_endless_chunks_are_cut_off),
		cmocka_unit_test(test_expect_continue_of_too_large_a_body),
		cmocka_unit_test(test_too_many_headers),
		cmocka_unit_test(test_huge_headers),
		cmocka_unit_test(test_nonsense_does_no_harm),
		cmocka_unit_test(test_silent_peer_is_closed),
		cmocka_unit_test(test_tricklers_are_closed),
		cmocka_unit_test(test_limit_per_address),
		cmocka_unit_test(test_a_thousand_suspended),
		cmocka_unit_test(test_answers_leave_at_once),
		cmocka_unit_test(test_peers_that_leave),
		cmocka_unit_test(test_stop_answers_what_is_open),
		cmocka_unit_test(test_stop_beside_answers),
		cmocka_unit_test(test_stop_with_half_a_request),
		cmocka_unit_test(test_refuse),
		cmocka_unit_test(test_socket_passed),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_drain_ends),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_addresses_that_do_not_work),
	};

	return cmocka_run_group_tests(tests, allow_many_files, NULL);
}
