/* SPDX-License-Identifier: Apache-2.0
 *
 * io/http_message.h: parts of HTTP messages that need no library: an outgoing request, checked and
 * copied into one piece of memory; copies of headers.
 *
 *	status = http_message_check(request, err);
 *	http_message_copy(request, &message);
 *	... message.url, message.lines[i] ...
 *	http_message_done(&message);
 *
 * Pure but for malloc. The checks keep a value from becoming a second header or a second request
 * (RFC 9112 section 11.1); the URL is http_url_check()'s.
 */
#ifndef IO_HTTP_MESSAGE_H
#define IO_HTTP_MESSAGE_H

#include "base/arena.h"

#include <proalto/http.h>

/* Header lines are "Name: value", and "Name;" where the value is empty, as libcurl wants them. */
struct http_message {
	void *memory;
	const char *url;
	const char *method;
	char **lines;
	size_t lines_count;
	pa_str body;     /* absent: none */
	bool may_repeat; /* the method is idempotent (RFC 9110 section 9.2.2) */
};

/* Method and header names are tokens, values hold no control characters, the count is bounded. */
pa_status http_message_check(const pa_http_request *request, pa_error *err) PA_MUST_USE;

/* Of a request that was checked. */
void http_message_copy(const pa_http_request *request, struct http_message *ret);

/* A copy of a header or parameter; the name in lower case if asked. */
const pa_pair *http_pair_copy(struct arena *arena, pa_str name, pa_str value, bool is_lower);

/* True for 127.0.0.0/8, "[::1]" and "localhost". A numeric host must have its usual form. */
bool http_host_is_loopback(const char *host);

/* Frees the memory. */
void http_message_done(struct http_message *message);

#endif
