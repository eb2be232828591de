/* SPDX-License-Identifier: Apache-2.0
 *
 * Which URLs http_client.h lets be used, and their parts: libcurl's own parser, so that what is
 * checked is what is asked for.
 */
#include "base/err.h"
#include "base/str.h"
#include "io/http_client.h"
#include "io/http_message.h"

#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#define URL_MAX 4096

static void part_done(char **part)
{
	curl_free(*part);
}

static pa_status check_parts(CURLU *url, pa_error *err)
{
	char *scheme PA_CLEANUP(part_done) = NULL, *host PA_CLEANUP(part_done) = NULL;
	char *fragment PA_CLEANUP(part_done) = NULL;

	if (curl_url_get(url, CURLUPART_FRAGMENT, &fragment, 0) == CURLUE_OK)
		return error_set(err, PA_REJECTED, "the URL has a fragment");
	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		return error_set(err, PA_REJECTED, "the URL has no scheme or no host");
	/* libcurl has given numeric hosts such as 0x7f.1 their usual form. */
	if (strcmp(scheme, "https") != 0 &&
	    (strcmp(scheme, "http") != 0 || !http_host_is_loopback(host)))
		return error_set(err, PA_REJECTED,
				 "only https, and http to the loopback, may be used");
	return PA_OK;
}

/* Whether a proxy's URL has what it must have, and nothing besides. */
static pa_status check_proxy_parts(CURLU *url, pa_error *err)
{
	static const char *const schemes[] = {"http", "https", "socks5", "socks5h"};
	static const CURLUPart unwanted[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY,
					     CURLUPART_FRAGMENT};
	char *scheme PA_CLEANUP(part_done) = NULL, *port PA_CLEANUP(part_done) = NULL;
	char *path PA_CLEANUP(part_done) = NULL;
	bool is_known = false;

	curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
	for (size_t i = 0; i < ARRAY_COUNT(schemes); i++)
		is_known |= scheme && strcmp(scheme, schemes[i]) == 0;
	if (!is_known)
		return error_set(err, PA_REJECTED, "http://, https://, socks5:// or socks5h://");
	/* libcurl would guess 1080. */
	if (curl_url_get(url, CURLUPART_PORT, &port, 0) != CURLUE_OK)
		return error_set(err, PA_REJECTED, "the port is missing");
	curl_url_get(url, CURLUPART_PATH, &path, 0);
	for (size_t i = 0; i < ARRAY_COUNT(unwanted); i++) {
		char *part PA_CLEANUP(part_done) = NULL;

		if (curl_url_get(url, unwanted[i], &part, 0) == CURLUE_OK ||
		    (path && strcmp(path, "/") != 0))
			return error_set(err, PA_REJECTED,
					 "only scheme, host and port; the login is given apart");
	}
	return PA_OK;
}

pa_status http_proxy_check(const char *url, pa_error *err)
{
	CURLU *parsed = curl_url();
	CURLUcode code;
	pa_status status;

	if (!parsed)
		abort();
	code = curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
	status = code == CURLUE_OK
			 ? check_proxy_parts(parsed, err)
			 : error_set(err, PA_REJECTED, "not a URL: %s", curl_url_strerror(code));
	curl_url_cleanup(parsed);
	return status;
}

bool http_url_host(pa_str url, struct arena *arena, const char **ret_host, long *ret_port)
{
	char *host PA_CLEANUP(part_done) = NULL, *port PA_CLEANUP(part_done) = NULL;
	CURLU *parsed = curl_url();
	bool has_host;

	if (!parsed)
		abort();
	has_host = curl_url_set(parsed, CURLUPART_URL, arena_copy(arena, url).ptr,
				CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
		   curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		   curl_url_get(parsed, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;
	if (has_host) {
		*ret_host = arena_copy(arena, str_from(host)).ptr;
		*ret_port = strtol(port, NULL, 10);
	}
	curl_url_cleanup(parsed);
	return has_host;
}

pa_status http_url_check(pa_str url, pa_error *err)
{
	char text[URL_MAX];
	CURLU *parsed;
	CURLUcode code;
	pa_status status;

	if (url.len == 0 || url.len >= sizeof(text) || memchr(url.ptr, '\0', url.len))
		return error_set(err, PA_REJECTED, "the URL is empty, too long or holds a NUL");
	memcpy(text, url.ptr, url.len);
	text[url.len] = '\0';
	parsed = curl_url();
	if (!parsed)
		abort();
	code = curl_url_set(parsed, CURLUPART_URL, text, CURLU_DISALLOW_USER);
	if (code == CURLUE_OK)
		status = check_parts(parsed, err);
	else
		status = error_set(err, PA_REJECTED, "not a URL: %s", curl_url_strerror(code));
	curl_url_cleanup(parsed);
	return status;
}
