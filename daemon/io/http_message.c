/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_message.h"

#include "base/err.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define METHOD_MAX 16
#define HEADERS_MAX 100

/* A line without a value keeps libcurl from adding that header by itself: asking before it sends a
 * body costs a round trip, and a content type that nobody gave would be a guess. */
static const pa_str no_expect = {"Expect:", 7};
static const pa_str no_type = {"Content-Type:", 13};

static bool is_line(pa_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* A token (RFC 9110 section 5.6.2). */
static bool is_token(pa_str s)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < s.len; i++) {
		if (!isalnum((unsigned char)s.ptr[i]) &&
		    !memchr(marks, s.ptr[i], sizeof(marks) - 1))
			return false;
	}
	return s.len > 0;
}

pa_status http_message_check(const pa_http_request *request, pa_error *err)
{
	if (!is_token(request->method) || request->method.len > METHOD_MAX)
		return error_set(err, PA_REJECTED, "not an HTTP method");
	if (request->headers_count > HEADERS_MAX)
		return error_set(err, PA_REJECTED, "too many headers");
	for (size_t i = 0; i < request->headers_count; i++) {
		if (!is_token(request->headers[i]->name) || !is_line(request->headers[i]->value))
			return error_set(err, PA_REJECTED, "header %zu is malformed", i + 1);
	}
	return PA_OK;
}

/* Writes into memory that was measured before. */
struct copier {
	char *at;
};

static void copy_bytes(struct copier *to, pa_str s)
{
	if (s.len)
		memcpy(to->at, s.ptr, s.len);
	to->at += s.len;
}

static char *copy_text(struct copier *to, pa_str s)
{
	char *start = to->at;

	copy_bytes(to, s);
	*to->at++ = '\0';
	return start;
}

static char *copy_line(struct copier *to, const pa_pair *header)
{
	char *start = to->at;

	copy_bytes(to, header->name);
	if (header->value.len)
		copy_bytes(to, PA_STR(": "));
	copy_text(to, header->value.len ? header->value : PA_STR(";"));
	return start;
}

static bool is_idempotent(pa_str method)
{
	static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};

	for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
		if (str_equal(method, str_from(methods[i])))
			return true;
	}
	return false;
}

static bool has_type(const pa_http_request *request)
{
	for (size_t i = 0; i < request->headers_count; i++) {
		if (str_equal_nocase(request->headers[i]->name, PA_STR("content-type")))
			return true;
	}
	return false;
}

static size_t size_of_copy(const pa_http_request *request)
{
	size_t size = request->url.len + request->method.len + request->body.len + 3;

	size += 2 * sizeof(char *) + no_expect.len + no_type.len + 2;

	for (size_t i = 0; i < request->headers_count; i++) {
		const pa_pair *header = request->headers[i];

		size += sizeof(char *) + header->name.len + header->value.len + sizeof(": ");
	}
	return size;
}

void http_message_copy(const pa_http_request *request, struct http_message *ret)
{
	struct copier to;

	*ret = (struct http_message){.may_repeat = is_idempotent(request->method)};
	ret->memory = malloc(size_of_copy(request));
	if (!ret->memory)
		abort();
	ret->lines = ret->memory;
	to.at = (char *)ret->memory + (request->headers_count + 2) * sizeof(char *);
	for (size_t i = 0; i < request->headers_count; i++)
		ret->lines[ret->lines_count++] = copy_line(&to, request->headers[i]);
	ret->lines[ret->lines_count++] = copy_text(&to, no_expect);
	if (!has_type(request))
		ret->lines[ret->lines_count++] = copy_text(&to, no_type);
	ret->url = copy_text(&to, request->url);
	ret->method = copy_text(&to, request->method);
	if (request->body.ptr)
		ret->body = (pa_str){copy_text(&to, request->body), request->body.len};
}

void http_message_done(struct http_message *message)
{
	free(message->memory);
	*message = (struct http_message){.memory = NULL};
}

const pa_pair *http_pair_copy(struct arena *arena, pa_str name, pa_str value, bool is_lower)
{
	pa_pair *pair = ARENA_NEW(arena, pa_pair);
	struct copier to = {arena_alloc(arena, name.len + value.len + 2)};
	char *start = copy_text(&to, name);

	for (size_t i = 0; is_lower && i < name.len; i++)
		start[i] = (char)tolower((unsigned char)start[i]);
	pair->name = (pa_str){start, name.len};
	pair->value = (pa_str){copy_text(&to, value), value.len};
	return pair;
}

bool http_host_is_loopback(const char *host)
{
	struct in_addr address;

	if (inet_pton(AF_INET, host, &address) == 1)
		return ntohl(address.s_addr) >> 24 == 127;
	return strcmp(host, "[::1]") == 0 || strcasecmp(host, "localhost") == 0;
}
