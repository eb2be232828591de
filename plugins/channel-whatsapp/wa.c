/* SPDX-License-Identifier: Apache-2.0 */
#include "wa.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool wa_equal(pa_str a, pa_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool wa_equal_literal(pa_str s, const char *literal)
{
	return wa_equal(s, (pa_str){literal, strlen(literal)});
}

bool wa_is_digits(pa_str s, size_t min, size_t max)
{
	if (s.len < min || s.len > max)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return true;
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool wa_is_word(pa_str s, size_t min, size_t max, const char *extra)
{
	if (s.len < min || s.len > max)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!is_alphanumeric(s.ptr[i]) &&
		    (s.ptr[i] == '\0' || strchr(extra, s.ptr[i]) == NULL))
			return false;
	return true;
}

/* "CC." and up to 128 letters and digits; "CC.ENT." and so on for a parent. */
bool wa_is_user_id(pa_str s)
{
	return wa_is_word(s, 4, 140, ".") && s.ptr[0] >= 'A' && s.ptr[0] <= 'Z' &&
	       s.ptr[1] >= 'A' && s.ptr[1] <= 'Z' && s.ptr[2] == '.';
}

size_t wa_length(pa_str s)
{
	size_t count = 0;

	for (size_t i = 0; i < s.len; i++)
		count += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
	return count;
}

bool wa_to_number(pa_str s, int64_t max, int64_t *ret)
{
	int64_t number = 0;

	if (!wa_is_digits(s, 1, 18))
		return false;
	for (size_t i = 0; i < s.len; i++)
		number = number * 10 + (s.ptr[i] - '0');
	if (number > max)
		return false;
	*ret = number;
	return true;
}

pa_str wa_pair_value(const pa_pair *const *pairs, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (wa_equal_literal(pairs[i]->name, name))
			return pairs[i]->value;
	return (pa_str){NULL, 0};
}

pa_str wa_join(const struct whatsapp *self, pa_call *call, const pa_str *parts, size_t count)
{
	size_t len = 0;
	size_t at = 0;
	char *out;

	for (size_t i = 0; i < count; i++)
		len += parts[i].len;
	out = self->host->alloc(call, len + 1);
	for (size_t i = 0; i < count; i++) {
		if (parts[i].len)
			memcpy(out + at, parts[i].ptr, parts[i].len);
		at += parts[i].len;
	}
	return (pa_str){out, len};
}

pa_str wa_copy(const struct whatsapp *self, pa_call *call, pa_str s)
{
	return s.ptr ? wa_join(self, call, &s, 1) : s;
}

const pa_pair *const *wa_pairs(const struct whatsapp *self, pa_call *call, const pa_pair *pairs,
			       size_t count)
{
	const pa_pair **list = self->host->alloc(call, count * sizeof(const pa_pair *));
	pa_pair *copies = self->host->alloc(call, count * sizeof(*copies));

	for (size_t i = 0; i < count; i++) {
		copies[i] = (pa_pair){wa_copy(self, call, pairs[i].name),
				      wa_copy(self, call, pairs[i].value)};
		list[i] = &copies[i];
	}
	return list;
}

void wa_request(const struct whatsapp *self, pa_call *call, const char *method, pa_str url,
		pa_str content_type, pa_str body, pa_http_request *ret)
{
	const pa_str bearer[] = {WA_STR("Bearer "), self->access_token};
	const pa_pair headers[] = {
		{WA_STR("Authorization"), wa_join(self, call, bearer, WA_COUNT(bearer))},
		/* Some hosts of files are said to want one. */
		{WA_STR("User-Agent"), WA_STR("proaltod")},
		{WA_STR("Content-Type"), content_type},
	};
	size_t count = WA_COUNT(headers) - (content_type.ptr == NULL);

	*ret = (pa_http_request){
		.size = sizeof(*ret),
		.flags = PA_HTTP_NO_REDIRECT,
		.method = wa_copy(self, call, (pa_str){method, strlen(method)}),
		.url = url,
		.headers = wa_pairs(self, call, headers, count),
		.headers_count = count,
		.body = body,
	};
}

pa_str wa_graph_url(const struct whatsapp *self, pa_call *call, pa_str first, pa_str second)
{
	const pa_str parts[] = {self->graph_url, WA_STR("/"), self->graph_version,
				WA_STR("/"),     first,       second};

	return wa_join(self, call, parts, WA_COUNT(parts));
}

pa_status wa_fail(pa_error *err, pa_status status, const char *format, ...)
{
	va_list args;
	int len;

	if (err == NULL)
		return status;
	va_start(args, format);
	len = vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	if (len < 0)
		len = 0;
	err->len = (size_t)len < sizeof(err->text) ? (uint32_t)len : sizeof(err->text) - 1;
	return status;
}
