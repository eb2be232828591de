/* SPDX-License-Identifier: Apache-2.0
 *
 * Files in: GET /{version}/{media-id} tells an address that lives five minutes; the file is fetched
 * from there with the same token. The address comes from outside: the token goes to no other host.
 */
#include "json.h"

#include <string.h>

#define MAX_MEDIA_ID 128
#define MAX_URL 4096

/* A URL as far as it matters here (RFC 3986, section 3). */
struct address {
	bool is_https;
	pa_str host;
	pa_str port; /* absent: the usual one */
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool equal_nocase(pa_str a, pa_str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	return true;
}

static bool skip_scheme(pa_str *url, pa_str scheme)
{
	if (url->len < scheme.len || !equal_nocase((pa_str){url->ptr, scheme.len}, scheme))
		return false;
	*url = (pa_str){url->ptr + scheme.len, url->len - scheme.len};
	return true;
}

static bool is_url_text(pa_str url)
{
	for (size_t i = 0; i < url.len; i++)
		if (url.ptr[i] <= 0x20 || url.ptr[i] > 0x7e || strchr("\\\"<>^`{|}#", url.ptr[i]))
			return false;
	return url.len <= MAX_URL;
}

static size_t authority_length(pa_str rest)
{
	size_t len = 0;

	while (len < rest.len && rest.ptr[len] != '/' && rest.ptr[len] != '?')
		len++;
	return len;
}

static size_t host_length(pa_str authority)
{
	const pa_str ipv6 = WA_STR("[::1]");
	const char *colon;

	if (authority.len >= ipv6.len && memcmp(authority.ptr, ipv6.ptr, ipv6.len) == 0)
		return ipv6.len;
	colon = authority.len ? memchr(authority.ptr, ':', authority.len) : NULL;
	return colon ? (size_t)(colon - authority.ptr) : authority.len;
}

/* False for all that is not scheme://host[:port] and a path: no user part, no percent escapes in
 * the host, no fragment. */
static bool address_read(pa_str url, struct address *ret)
{
	pa_str authority;
	size_t len;

	if (!is_url_text(url))
		return false;
	ret->is_https = skip_scheme(&url, WA_STR("https://"));
	if (!ret->is_https && !skip_scheme(&url, WA_STR("http://")))
		return false;
	authority = (pa_str){url.ptr, authority_length(url)};
	len = host_length(authority);
	ret->host = (pa_str){authority.ptr, len};
	ret->port = (pa_str){NULL, 0};
	if (len < authority.len) {
		ret->port = (pa_str){authority.ptr + len + 1, authority.len - len - 1};
		if (authority.ptr[len] != ':' || !wa_is_digits(ret->port, 1, 5))
			return false;
	}
	return wa_equal(ret->host, WA_STR("[::1]")) || wa_is_word(ret->host, 1, 253, ".-");
}

static bool host_is_loopback(pa_str host)
{
	return wa_equal(host, WA_STR("127.0.0.1")) || wa_equal(host, WA_STR("[::1]")) ||
	       equal_nocase(host, WA_STR("localhost"));
}

bool wa_url_is_loopback(pa_str url)
{
	struct address address;

	return address_read(url, &address) && host_is_loopback(address.host);
}

/* True if host is the suffix or lies under it. */
static bool host_is_under(pa_str host, pa_str suffix)
{
	size_t skip;

	if (suffix.len == 0 || host.len < suffix.len)
		return false;
	skip = host.len - suffix.len;
	return equal_nocase((pa_str){host.ptr + skip, suffix.len}, suffix) &&
	       (skip == 0 || host.ptr[skip - 1] == '.');
}

/* The next word of a list with commas or blanks between; empty at its end. */
static pa_str next_word(pa_str *list)
{
	pa_str word;
	size_t len = 0;

	while (list->len && (list->ptr[0] == ',' || list->ptr[0] == ' '))
		*list = (pa_str){list->ptr + 1, list->len - 1};
	while (len < list->len && list->ptr[len] != ',' && list->ptr[len] != ' ')
		len++;
	word = (pa_str){list->ptr, len};
	*list = (pa_str){list->ptr + len, list->len - len};
	/* "*.fbsbx.com" and ".fbsbx.com" mean the same as "fbsbx.com". */
	while (word.len && (word.ptr[0] == '*' || word.ptr[0] == '.'))
		word = (pa_str){word.ptr + 1, word.len - 1};
	return word;
}

bool wa_media_url_is_allowed(const struct whatsapp *self, pa_str url)
{
	struct address address;
	pa_str list = self->media_hosts;

	if (!address_read(url, &address))
		return false;
	if (self->is_loopback && host_is_loopback(address.host))
		return true;
	if (!address.is_https || (address.port.ptr && !wa_equal(address.port, WA_STR("443"))))
		return false;
	while (list.len)
		if (host_is_under(address.host, next_word(&list)))
			return true;
	return false;
}

pa_status wa_download(void *self, pa_call *call, pa_str account, pa_str media_id,
		      pa_http_request *ret_request, pa_error *err)
{
	const struct whatsapp *wa = self;
	const pa_str query[] = {WA_STR("?phone_number_id="), wa->phone_number_id};

	if (account.len && !wa_equal(account, wa->phone_number_id))
		return wa_fail(err, PA_REJECTED, "the account is not this channel's phone number");
	/* It becomes part of a path. */
	if (!wa_is_word(media_id, 1, MAX_MEDIA_ID, "_-"))
		return wa_fail(err, PA_REJECTED,
			       "the media id has characters that are none of an id");
	wa_request(wa, call, "GET",
		   wa_graph_url(wa, call, media_id, wa_join(wa, call, query, WA_COUNT(query))),
		   (pa_str){NULL, 0}, (pa_str){NULL, 0}, ret_request);
	return PA_OK;
}

static pa_status check_answer(const pa_http_response *response, pa_error *err)
{
	bool may_change = response->status == 401 || response->status == 403 ||
			  response->status == 429 || response->status >= 500;

	/* A token that is dead today says nothing of the file. */
	if (may_change)
		return wa_fail(err, PA_RETRY, "Meta answered %u when asked for a file",
			       response->status);
	if (response->status != 200)
		return wa_fail(err, PA_REJECTED, "Meta answered %u when asked for a file",
			       response->status);
	return PA_OK;
}

pa_status wa_download_next(void *self, pa_call *call, const pa_http_response *response,
			   pa_http_request *ret_request, pa_error *err)
{
	const struct whatsapp *wa = self;
	struct wa_json *json = NULL;
	pa_status status = check_answer(response, err);
	pa_str url;

	if (status == PA_OK)
		status = wa_json_load(response->body, &json, err);
	if (status != PA_OK)
		return status;
	url = wa_copy(wa, call, wa_text_at(wa_root(json), "url"));
	wa_json_free(json);
	if (url.len == 0)
		return wa_fail(err, PA_REJECTED, "Meta's answer has no address of the file");
	if (!wa_media_url_is_allowed(wa, url))
		return wa_fail(err, PA_REJECTED,
			       "the file's address is not on a host of media_hosts");
	wa_request(wa, call, "GET", url, (pa_str){NULL, 0}, (pa_str){NULL, 0}, ret_request);
	return PA_OK;
}
