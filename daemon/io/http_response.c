/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_response.h"

#include "base/str.h"

#include <stdlib.h>

#include <microhttpd.h>

static void put_header(struct MHD_Response *response, const char *name, const char *value)
{
	if (!MHD_get_response_header(response, name))
		MHD_add_response_header(response, name, value);
}

struct MHD_Response *http_response_new(pa_str body)
{
	/* The copy is the library's: it does not write to what it is given. */
	void *bytes = (void *)(uintptr_t)(body.ptr ? body.ptr : "");
	struct MHD_Response *response =
		MHD_create_response_from_buffer(body.len, bytes, MHD_RESPMEM_MUST_COPY);

	if (!response)
		abort();
	return response;
}

void http_response_finish(struct MHD_Response *response, unsigned status)
{
	if (status == MHD_HTTP_CONTENT_TOO_LARGE || status == MHD_HTTP_REQUEST_TIMEOUT)
		put_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	put_header(response, "X-Content-Type-Options", "nosniff");
	put_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}

struct MHD_Response *http_response_refuse(unsigned status, const char *sentence)
{
	struct MHD_Response *response = http_response_new(str_from(sentence));

	put_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE || status == MHD_HTTP_TOO_MANY_REQUESTS)
		put_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "5");
	http_response_finish(response, status);
	return response;
}

void http_response_close(struct MHD_Response *response)
{
	put_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
}
