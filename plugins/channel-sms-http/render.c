/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates with places in braces.
 */
#include "sms.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct place {
	const char *name;
	size_t offset; /* in struct sms_values */
} places[] = {
	{"{to}", offsetof(struct sms_values, to)},
	{"{text}", offsetof(struct sms_values, text)},
	{"{ref}", offsetof(struct sms_values, ref)},
	{"{sender}", offsetof(struct sms_values, sender)},
	{"{secret}", offsetof(struct sms_values, secret)},
};

static const struct place *place_at(pa_str rest)
{
	for (size_t i = 0; i < SMS_COUNT(places); i++) {
		size_t len = strlen(places[i].name);

		if (rest.len >= len && memcmp(rest.ptr, places[i].name, len) == 0)
			return &places[i];
	}
	return NULL;
}

/* What stands before the next place; *ret_place NULL: no place follows. */
static pa_str text_before_place(pa_str rest, const struct place **ret_place)
{
	size_t len = 0;

	*ret_place = NULL;
	while (len < rest.len) {
		*ret_place = place_at((pa_str){rest.ptr + len, rest.len - len});
		if (*ret_place != NULL)
			break;
		len++;
	}
	return (pa_str){rest.ptr, len};
}

/* jansson writes the string; its quotes stand in the template. */
static pa_str escape_json(const struct sms *self, pa_call *call, pa_str value)
{
	json_t *string = json_stringn(value.ptr ? value.ptr : "", value.len);
	char *dump = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
	pa_str escaped = {NULL, 0};

	if (dump != NULL)
		escaped = sms_copy(self, call, (pa_str){dump + 1, strlen(dump) - 2});
	free(dump);
	json_decref(string);
	return escaped;
}

static bool is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

pa_str sms_escape_form(const struct sms *self, pa_call *call, pa_str value)
{
	static const char digits[] = "0123456789ABCDEF";
	char *out = self->host->alloc(call, 3 * value.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.ptr[i];

		if (is_unreserved(value.ptr[i])) {
			out[len++] = value.ptr[i];
			continue;
		}
		out[len++] = '%';
		out[len++] = digits[c >> 4];
		out[len++] = digits[c & 15];
	}
	return (pa_str){out, len};
}

static pa_str escape(const struct sms *self, pa_call *call, pa_str value, enum sms_format format)
{
	if (format == SMS_JSON)
		return escape_json(self, call, value);
	if (format == SMS_FORM)
		return sms_escape_form(self, call, value);
	return value;
}

static pa_str value_of(const struct place *place, const struct sms_values *values)
{
	pa_str value;

	memcpy(&value, (const char *)values + place->offset, sizeof(value));
	return value;
}

static size_t count_places(pa_str template)
{
	const struct place *place;
	size_t count = 0;

	for (;;) {
		pa_str before = text_before_place(template, &place);
		size_t skip;

		if (place == NULL)
			return count;
		skip = before.len + strlen(place->name);
		template = (pa_str){template.ptr + skip, template.len - skip};
		count++;
	}
}

pa_str sms_render(const struct sms *self, pa_call *call, pa_str template,
		  const struct sms_values *values, enum sms_format format)
{
	pa_str *parts = self->host->alloc(call, (2 * count_places(template) + 1) * sizeof(*parts));
	const struct place *place;
	size_t count = 0;

	do {
		pa_str before = text_before_place(template, &place);
		size_t skip = before.len + (place ? strlen(place->name) : 0);

		parts[count++] = before;
		if (place != NULL)
			parts[count++] = escape(self, call, value_of(place, values), format);
		template = (pa_str){template.ptr + skip, template.len - skip};
	} while (place != NULL);
	return sms_join(self, call, parts, count);
}

/* The length of a word in braces at the start of rest; 0 if there is none. */
static size_t braced_word(pa_str rest)
{
	size_t len = 1;

	while (len < rest.len &&
	       ((rest.ptr[len] >= 'a' && rest.ptr[len] <= 'z') || rest.ptr[len] == '_'))
		len++;
	return len > 1 && len < rest.len && rest.ptr[len] == '}' ? len + 1 : 0;
}

pa_str sms_find_unknown_place(pa_str template)
{
	for (size_t i = 0; i < template.len; i++) {
		pa_str rest = {template.ptr + i, template.len - i};
		size_t len = rest.ptr[0] == '{' ? braced_word(rest) : 0;

		if (len && place_at(rest) == NULL)
			return (pa_str){rest.ptr, len};
	}
	return (pa_str){NULL, 0};
}

bool sms_has_place(pa_str template, const char *place)
{
	size_t len = strlen(place);

	for (size_t i = 0; i + len <= template.len; i++)
		if (memcmp(template.ptr + i, place, len) == 0)
			return true;
	return false;
}
