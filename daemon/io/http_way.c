/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_way.h"

#include "base/str.h"

#include <stdlib.h>

#include <curl/curl.h>

#define SYSTEM_CA_FOLDER "/etc/ssl/certs"
#define NEVER_PROXIED "localhost,127.0.0.0/8,::1"

/* The environment has no say: a proxy is given always, "" for none. */
static void set_proxy(CURL *easy, const struct http_client_options *options)
{
	curl_easy_setopt(easy, CURLOPT_PROXY, options->proxy ? options->proxy : "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, options->no_proxy);
	if (!options->proxy_login)
		return;
	curl_easy_setopt(easy, CURLOPT_PROXYAUTH, CURLAUTH_ANY);
	curl_easy_setopt(easy, CURLOPT_PROXYUSERPWD, options->proxy_login);
}

/* libcurl trusts what it finds in either of file and folder: with its own for both as in Debian, a
 * file of ours takes the place of one and the other stays. */
static void set_authorities(CURL *easy, const struct http_client_options *options)
{
	if (!options->ca_file)
		return;
	curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, options->ca_file);
	curl_easy_setopt(easy, CURLOPT_CAPATH, options->no_system_ca ? NULL : SYSTEM_CA_FOLDER);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH,
			 options->no_system_ca ? NULL : SYSTEM_CA_FOLDER);
}

void http_way_set(void *easy, const struct http_client_options *options)
{
	set_authorities(easy, options);
	set_proxy(easy, options);
}

static void part_done(char **part)
{
	curl_free(*part);
}

/* libcurl decodes both parts (CURLOPT_PROXYUSERPWD). */
static const char *escape_login(struct arena *arena, pa_str login)
{
	char *user PA_CLEANUP(part_done) = NULL, *password PA_CLEANUP(part_done) = NULL;
	pa_str name;

	if (!login.ptr)
		return NULL;
	name = str_split(&login, ':');
	user = curl_easy_escape(NULL, name.ptr, (int)name.len);
	password = curl_easy_escape(NULL, login.ptr ? login.ptr : "", (int)login.len);
	if (!user || !password)
		abort();
	return arena_format(arena, "%s:%s", user, password).ptr;
}

void http_way_copy(struct arena *arena, const struct http_client_options *from,
		   struct http_client_options *to)
{
	*to = *from;
	to->ca_file = arena_copy(arena, str_from(from->ca_file)).ptr;
	to->proxy = arena_copy(arena, str_from(from->proxy)).ptr;
	to->user_agent = arena_copy(arena, str_from(from->user_agent)).ptr;
	to->no_proxy = arena_format(arena, "%s%s%s", NEVER_PROXIED, from->no_proxy ? "," : "",
				    from->no_proxy ? from->no_proxy : "")
			       .ptr;
	to->proxy_login = escape_login(arena, str_from(from->proxy_login));
}
