/* SPDX-License-Identifier: Apache-2.0
 *
 * io/http_server.h: incoming HTTP. The only user of libmicrohttpd: one thread with epoll; requests
 * are read whole (bounded), handed to the handler, and suspended until somebody answers them.
 */
#ifndef IO_HTTP_SERVER_H
#define IO_HTTP_SERVER_H

#include "base/arena.h"

#include <proalto/http.h>

struct http_server;
struct tls;
struct networks;

/* One request being served. Has an arena of its own, that dies with the answer. */
struct http_exchange;

/* Called on the server's thread with a complete request: must not block. It either answers with
 * http_exchange_answer() at once or keeps the exchange and lets another thread do so. */
typedef void http_handler_fn(void *arg, struct http_exchange *exchange);

struct http_server_options {
	const char *address; /* "127.0.0.1" or "::1" or "0.0.0.0" ... */
	uint16_t port;       /* 0: any free one */
	int listen_fd;       /* a socket passed by systemd, or -1 */
	size_t max_body;     /* larger ones get 413 */
	unsigned timeout_s;  /* a connection that is silent this long is closed */
	unsigned max_connections;
	unsigned max_per_address;               /* connections; 0: no limit */
	unsigned bad_per_minute;                /* of one address, then it hears 429; 0: no limit */
	const struct networks *trusted_proxies; /* whose X-Forwarded-For is believed; NULL: none */
	const char *const *delivery_paths;      /* prefixes, NULL behind the last: where 2xx is told
						   only to those who are recognised; static.
						   NULL: nowhere */
	struct tls *tls;                        /* NULL: plain HTTP; outlives the server */
	const char *thread_name;
	http_handler_fn *handler;
	void *arg;
};

pa_status http_server_new(const struct http_server_options *options, struct http_server **ret,
			  pa_error *err) PA_MUST_USE;

/* Requests refused so far because of what their sender had sent before. Any thread. */
uint64_t http_server_limited(const struct http_server *server);

/* Whether a peer that isn't trusted has brought X-Forwarded-For: likely a proxy that nobody named.
 * Always false without bad_per_minute. Any thread. */
bool http_server_met_proxy(const struct http_server *server);

/* The port listened on. */
uint16_t http_server_port(const struct http_server *server);

/* Open just now. Any thread. */
size_t http_server_connections(const struct http_server *server);

/* Before the end, so that nobody is turned away who came in time: closes the listening socket (who
 * connects now waits with systemd, if the socket is systemd's), goes on serving, with `Connection:
 * close`, and returns when every connection has ended or the patience has: then those from which no
 * request is on its way are closed. Exchanges may still be open after it. */
void http_server_drain(struct http_server *server, int patience_ms);

/* Stops accepting, answers every exchange still open with 503 and Retry-After, waits for the
 * answers to be sent (a second at most), ends the thread. After it returns no exchange may be
 * touched: whoever keeps exchanges must have let go of them before. NULL is fine. */
void http_server_free(struct http_server *server);

/* The request; headers in lower case, path and query decoded. Lives as long as the exchange. */
const pa_http_request *http_exchange_request(const struct http_exchange *exchange);

/* Memory that lives as long as the exchange. Not thread-safe: only its present holder. */
struct arena *http_exchange_arena(struct http_exchange *exchange);

/* Answers (body copied) and gives the exchange up. Any thread; exactly once. Every answer carries
 * X-Content-Type-Options: nosniff and Cache-Control: no-store unless headers say otherwise. */
void http_exchange_answer(struct http_exchange *exchange, unsigned status,
			  const pa_pair *const *headers, size_t headers_count, pa_str body);

/* Answers with a status, a text/plain sentence, and for 503 Retry-After: 5. */
void http_exchange_refuse(struct http_exchange *exchange, unsigned status, const char *sentence);

#endif
