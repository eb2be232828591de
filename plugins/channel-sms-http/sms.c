/* SPDX-License-Identifier: Apache-2.0 */
#include "sms.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool sms_equal(pa_str a, pa_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool sms_equal_nocase(pa_str a, pa_str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	return true;
}

bool sms_equal_literal(pa_str s, const char *literal)
{
	return sms_equal(s, (pa_str){literal, strlen(literal)});
}

static pa_str trim(pa_str s)
{
	while (s.len && s.ptr[0] == ' ')
		s = (pa_str){s.ptr + 1, s.len - 1};
	while (s.len && s.ptr[s.len - 1] == ' ')
		s.len--;
	return s;
}

bool sms_next_piece(pa_str *list, char separator, pa_str *ret)
{
	const char *end;
	size_t len;

	if (list->ptr == NULL)
		return false;
	end = list->len ? memchr(list->ptr, separator, list->len) : NULL;
	len = end ? (size_t)(end - list->ptr) : list->len;
	*ret = trim((pa_str){list->ptr, len});
	*list = end ? (pa_str){end + 1, list->len - len - 1} : (pa_str){NULL, 0};
	return true;
}

bool sms_to_number(pa_str s, int64_t *ret)
{
	int64_t number = 0;

	if (s.len == 0 || s.len > 9)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		number = number * 10 + (s.ptr[i] - '0');
	}
	*ret = number;
	return true;
}

pa_str sms_join(const struct sms *self, pa_call *call, const pa_str *parts, size_t count)
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

pa_str sms_copy(const struct sms *self, pa_call *call, pa_str s)
{
	return s.ptr ? sms_join(self, call, &s, 1) : s;
}

pa_str sms_pair_value(const pa_pair *const *pairs, size_t count, pa_str name)
{
	for (size_t i = 0; i < count; i++)
		if (sms_equal_nocase(pairs[i]->name, name))
			return pairs[i]->value;
	return (pa_str){NULL, 0};
}

bool sms_map_find(const struct sms *self, enum sms_option option, pa_str name, pa_str *ret)
{
	const struct sms_setting *setting = &self->settings[option];

	for (size_t i = 0; i < setting->pairs_count; i++) {
		if (!sms_equal_nocase(setting->pairs[i].name, name))
			continue;
		*ret = setting->pairs[i].value;
		return true;
	}
	return false;
}

pa_status sms_fail(pa_error *err, pa_status status, const char *format, ...)
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

const json_t *sms_json_at(const json_t *root, pa_str path)
{
	pa_str key;
	int64_t index;

	if (path.len == 0)
		return root;
	while (root != NULL && sms_next_piece(&path, '.', &key)) {
		if (!json_is_array(root))
			root = json_object_getn(root, key.ptr, key.len);
		else
			root = sms_to_number(key, &index) ? json_array_get(root, (size_t)index)
							  : NULL;
	}
	return root;
}

pa_str sms_json_text(const struct sms *self, pa_call *call, const json_t *root, pa_str path)
{
	const json_t *value = path.len ? sms_json_at(root, path) : NULL;
	pa_str text = {NULL, 0};
	char *dump;

	if (json_is_string(value))
		return sms_copy(self, call,
				(pa_str){json_string_value(value), json_string_length(value)});
	if (!json_is_number(value) && !json_is_boolean(value))
		return text;
	dump = json_dumps(value, JSON_ENCODE_ANY);
	if (dump != NULL)
		text = sms_copy(self, call, (pa_str){dump, strlen(dump)});
	free(dump);
	return text;
}
