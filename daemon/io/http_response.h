/* SPDX-License-Identifier: Apache-2.0
 *
 * io/http_response.h: answers as libmicrohttpd wants them, for io/http_server.c alone. Whoever gets
 * one destroys it with MHD_destroy_response().
 */
#ifndef IO_HTTP_RESPONSE_H
#define IO_HTTP_RESPONSE_H

#include "base/base.h"

struct MHD_Response;

/* With a copy of the body, and no header. */
struct MHD_Response *http_response_new(pa_str body);

/* Adds the headers that every answer has, unless they are there. */
void http_response_finish(struct MHD_Response *response, unsigned status);

/* A whole one: a sentence as text/plain; 503 and 429 with Retry-After. */
struct MHD_Response *http_response_refuse(unsigned status, const char *sentence);

/* The connection ends with it. */
void http_response_close(struct MHD_Response *response);

#endif
