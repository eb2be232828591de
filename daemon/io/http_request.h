/* SPDX-License-Identifier: Apache-2.0
 *
 * io/http_request.h: what libmicrohttpd has read of a request's head, for io/http_server.c alone.
 */
#ifndef IO_HTTP_REQUEST_H
#define IO_HTTP_REQUEST_H

#include "base/arena.h"

#include <proalto/http.h>

struct MHD_Connection;

/* Copies method, path, headers and query: the holder may still read when a stop has already ended
 * the connection. Without the body. */
void http_request_fill(struct MHD_Connection *connection, struct arena *arena, const char *path,
		       const char *method, pa_http_request *ret);

/* More headers or query parameters than anybody needs. */
bool http_request_is_crowded(struct MHD_Connection *connection);

/* What the peer says it will send; 0 if it doesn't say. */
uint64_t http_request_length(struct MHD_Connection *connection);

/* Every X-Forwarded-For in its order, joined by commas; absent if there is none. */
pa_str http_request_forwarded(struct MHD_Connection *connection, struct arena *arena);

#endif
