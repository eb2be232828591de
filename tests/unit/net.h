/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of HTTP server and client share: raw sockets on the loopback, and a server with
 * sensible options. Static functions in a header, because each unit test is one file.
 */
#ifndef TESTS_UNIT_NET_H
#define TESTS_UNIT_NET_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/http_client.h"
#include "io/http_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LOOPBACK_SERVER(...) loopback_server((struct http_server_options){__VA_ARGS__})

/* What the test doesn't say is sensible. */
static inline struct http_server_options loopback_server(struct http_server_options options)
{
	if (!options.address)
		options.address = "127.0.0.1";
	if (!options.listen_fd)
		options.listen_fd = -1;
	if (!options.max_body)
		options.max_body = 1 << 20;
	if (!options.timeout_s)
		options.timeout_s = 5;
	options.max_connections = 2000;
	options.thread_name = "http-test";
	return options;
}

static inline struct http_server *server_start(struct http_server_options options)
{
	pa_error err = ERROR_INIT;
	struct http_server *server = NULL;
	pa_status status = http_server_new(&options, &server, &err);

	assert_string_equal(error_text(&err), "");
	assert_int_equal(status, PA_OK);
	return server;
}

static inline void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * NS_PER_MS}, NULL);
}

static inline int net_connect(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static inline void net_send(int fd, pa_str bytes)
{
	while (bytes.len) {
		ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

		if (sent <= 0)
			return; /* what the peer did is seen by what can be read */
		bytes = str_slice(bytes, (size_t)sent, SIZE_MAX);
	}
}

/* Reads until the peer closes, or needle was read, or the time is up. True if needle was read. */
static inline bool net_read_until(int fd, struct buf *into, pa_str needle, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	char piece[4096];
	ssize_t got;

	while (poll(&poll_fd, 1, timeout_ms) > 0) {
		got = recv(fd, piece, sizeof(piece), 0);
		if (got <= 0)
			return false;
		buf_add(into, (pa_str){piece, (size_t)got});
		if (needle.len && str_find(buf_str(into), needle) != SIZE_MAX)
			return true;
	}
	return false;
}

/* True if the peer closes within the time; what it says before is dropped. */
static inline bool net_is_closed_within(int fd, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	int64_t end = clock_monotonic_ns() + timeout_ms * NS_PER_MS;
	char piece[4096];

	while (clock_monotonic_ns() < end) {
		if (poll(&poll_fd, 1, 20) > 0 && recv(fd, piece, sizeof(piece), 0) <= 0)
			return true;
	}
	return false;
}

static inline struct http_client *client_start(struct http_client_options options)
{
	pa_error err = ERROR_INIT;
	struct http_client *client = NULL;

	assert_int_equal(http_client_new(&options, &client, &err), PA_OK);
	return client;
}

/* "http://127.0.0.1:PORT/path" */
static inline pa_str url_of(struct arena *arena, uint16_t port, const char *path)
{
	return arena_format(arena, "http://127.0.0.1:%u%s", (unsigned)port, path);
}

static inline pa_http_request request_of(const char *method, pa_str url, pa_str body)
{
	return (pa_http_request){.size = sizeof(pa_http_request),
				 .method = str_from(method),
				 .url = url,
				 .body = body};
}

#endif
