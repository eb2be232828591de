/* SPDX-License-Identifier: Apache-2.0
 *
 * proalto/http.h: an HTTP request and its answer, as channels translate them and as host->http()
 * carries them. Only data: no plugin opens a socket for HTTP.
 */
#ifndef PROALTO_HTTP_H
#define PROALTO_HTTP_H

#include <proalto/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A request, incoming or outgoing. */
typedef struct pa_http_request {
	uint32_t size;
	uint32_t flags;                /* PA_HTTP_* */
	pa_str method;                 /* upper case: "GET", "POST" */
	pa_str url;                    /* outgoing: absolute. Incoming: the path, percent-decoded */
	const pa_pair *const *headers; /* incoming: names in lower case */
	size_t headers_count;
	const pa_pair *const *query; /* incoming: decoded; outgoing: unused, put it in url */
	size_t query_count;
	pa_str body; /* the exact bytes */
} pa_http_request;

/* Follow no redirect and refuse one: a credential must not travel to another host. Always on for
 * requests with an authorization header; may be set for others. */
#define PA_HTTP_NO_REDIRECT 1u

/* An answer. */
typedef struct pa_http_response {
	uint32_t size;
	uint32_t status;               /* 100 to 599 */
	const pa_pair *const *headers; /* names in lower case */
	size_t headers_count;
	pa_str body;
} pa_http_response;

/* Why no answer came. What counts is whether the peer may have seen the request. */
#define PA_HTTP_FAILED_BEFORE_SEND 1u /* name, connection or TLS failed: the peer saw nothing */
#define PA_HTTP_FAILED_AFTER_SEND 2u  /* bytes left and no whole answer came: outcome unknown */

#ifdef __cplusplus
}
#endif

#endif
