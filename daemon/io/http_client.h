/* SPDX-License-Identifier: Apache-2.0
 *
 * io/http_client.h: all outgoing HTTP of the house: one curl multi handle on one thread
 * ("http-out"), one connection cache, one TLS policy. The only user of libcurl.
 *
 * URLs are https; plain http only to the loopback (127.0.0.0/8, ::1, localhost) and never by way of
 * a redirect; no redirect is followed at all. Answers are bounded. Any thread may start a request.
 *
 * A proxy is asked for a tunnel (CONNECT, or SOCKS), so that it sees hosts and no content. Its
 * login goes to it alone, by whatever it asks for (Basic is tested).
 */
#ifndef IO_HTTP_CLIENT_H
#define IO_HTTP_CLIENT_H

#include "base/arena.h"
#include "base/meter.h"

#include <proalto/http.h>

struct http_client;

struct http_client_options {
	size_t max_response;     /* bytes; a longer answer is a failure after sending. 0: 1 MiB */
	long max_connections;    /* to one host; 0: 512 */
	const char *ca_file;     /* authorities in PEM, besides the system's; NULL: none */
	bool no_system_ca;       /* ... instead of them */
	const char *proxy;       /* passed http_proxy_check; NULL: none. Never the environment's */
	const char *proxy_login; /* "user:password"; NULL: none */
	const char
		*no_proxy; /* hosts reached without it, as CURLOPT_NOPROXY; the loopback always */
	const char *user_agent;
};

/* Starts the thread. PA_REJECTED: ca_file can't be read. */
pa_status http_client_new(const struct http_client_options *options, struct http_client **ret,
			  pa_error *err) PA_MUST_USE;

/* Ends the thread; requests under way end with PA_HTTP_FAILED_AFTER_SEND (or BEFORE, if nothing
 * left). NULL is fine. */
void http_client_free(struct http_client *client);

/* What came of a request. response is NULL when there was no whole answer; then failure is one of
 * PA_HTTP_FAILED_* and reason says why in English, without URL parameters or credentials.
 * Everything is borrowed until the callback returns. */
struct http_result {
	const pa_http_response *response;
	uint32_t failure;
	const char *reason;
};

/* Called once per request, on the client's thread: be quick, do not block. */
typedef void http_done_fn(void *arg, const struct http_result *result);

/* Sends the request (copied) and calls done. timeout_ms bounds the whole. PA_REJECTED: the URL is
 * not allowed (done is not called). */
pa_status http_client_start(struct http_client *client, const pa_http_request *request,
			    int64_t timeout_ms, http_done_fn *done, void *arg, pa_error *err)
	PA_MUST_USE;

/* The same, waiting for the answer, which is copied into the arena. Statuses as host->http(). */
pa_status http_client_call(struct http_client *client, const pa_http_request *request,
			   int64_t timeout_ms, struct arena *arena, pa_http_response *ret,
			   uint32_t *ret_failure, pa_error *err) PA_MUST_USE;

/* Where the body of an answer goes as it comes, and whether anybody still wants it. */
struct http_sink {
	int fd;                          /* -1: into memory, like any other */
	uint64_t max;                    /* bytes; a longer one is a failure after sending */
	uint64_t len;                    /* written so far */
	bool is_over;                    /* there was more than max */
	const _Atomic bool *is_unwanted; /* NULL: nobody says so; looked at ten times a second */
};

/* The same with the body written to the sink; ret's is empty. */
pa_status http_client_fetch(struct http_client *client, const pa_http_request *request,
			    int64_t timeout_ms, struct http_sink *sink, struct arena *arena,
			    pa_http_response *ret, uint32_t *ret_failure, pa_error *err)
	PA_MUST_USE;

/* http_client_start() with a sink (NULL: none), which lives until done was called. */
pa_status http_client_start_into(struct http_client *client, const pa_http_request *request,
				 int64_t timeout_ms, struct http_sink *sink, http_done_fn *done,
				 void *arg, pa_error *err) PA_MUST_USE;

/* PA_OK if it is a proxy's URL: http, https, socks5 or socks5h, with a port, and nothing else: the
 * login is given apart. */
pa_status http_proxy_check(const char *url, pa_error *err) PA_MUST_USE;

/* Host (an IPv6 address in brackets) and port of a URL, in the arena; false if it has none. */
bool http_url_host(pa_str url, struct arena *arena, const char **ret_host, long *ret_port);

/* PA_OK if a URL may be used: https, or http to the loopback; no user part, no fragment. */
pa_status http_url_check(pa_str url, pa_error *err) PA_MUST_USE;

/* Requests, and the connections that were made for them: a kept one serves many. Any thread. */
struct http_client_counts {
	meter begun;
	meter ended;
	meter connections;
};
const struct http_client_counts *http_client_counts(const struct http_client *client);

#endif
