/* SPDX-License-Identifier: Apache-2.0 */
#include "io/json.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "io/unicode.h"

#include <jansson.h>
#include <stdlib.h>

/* U+FFFD for every byte: the most that a repair can make of a text. */
#define REPAIR_FACTOR 3
#define REPAIR_SLACK 4096

/* struct json is jansson's json_t under another name. */
static json_t *inner(struct json *json)
{
	return (json_t *)json;
}

static const json_t *inner_const(const struct json *json)
{
	return (const json_t *)json;
}

static struct json *outer(json_t *json)
{
	if (!json)
		abort(); /* memory */
	return (struct json *)json;
}

pa_status json_parse(pa_str text, struct json **ret, pa_error *err)
{
	json_error_t error;
	json_t *json = json_loadb(text.len ? text.ptr : "", text.len,
				  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

	/* jansson's own text quotes what it read. */
	if (!json)
		return error_set(err, PA_REJECTED, "not JSON, line %d, column %d", error.line,
				 error.column);
	*ret = outer(json);
	return PA_OK;
}

struct json *json_object_new(void)
{
	return outer(json_object());
}

struct json *json_array_new(void)
{
	return outer(json_array());
}

void json_done(struct json **json)
{
	json_decref(inner(*json));
	*json = NULL;
}

static json_t *text_new(pa_str text)
{
	struct arena *arena PA_CLEANUP(arena_done) = NULL;

	if (str_is_absent(text))
		return json_null();
	if (!utf8_is_valid(text)) {
		arena = arena_new(REPAIR_FACTOR * text.len + REPAIR_SLACK);
		text = utf8_repair(arena, text);
	}
	return inner(outer(json_stringn(text.ptr, text.len)));
}

static void set(struct json *object, const char *key, json_t *value)
{
	if (json_object_set_new(inner(object), key, value) < 0)
		abort(); /* memory, or no object */
}

void json_set_text(struct json *object, const char *key, pa_str text)
{
	set(object, key, text_new(text));
}

void json_set_integer(struct json *object, const char *key, int64_t value)
{
	set(object, key, json_integer(value));
}

void json_set_bool(struct json *object, const char *key, bool value)
{
	set(object, key, json_boolean(value));
}

void json_set(struct json *object, const char *key, struct json *value)
{
	set(object, key, inner(value));
}

void json_append(struct json *array, struct json *value)
{
	if (json_array_append_new(inner(array), inner(value)) < 0)
		abort();
}

void json_append_text(struct json *array, pa_str text)
{
	if (json_array_append_new(inner(array), text_new(text)) < 0)
		abort();
}

pa_str json_text_of(const struct json *json, const char *key)
{
	pa_str text;

	return json_get_text(json, key, &text) ? text : PA_STR_ABSENT;
}

int64_t json_integer_of(const struct json *json, const char *key)
{
	int64_t value;

	return json_get_integer(json, key, &value) ? value : 0;
}

bool json_bool_of(const struct json *json, const char *key)
{
	bool value;

	return json_get_bool(json, key, &value) && value;
}

const struct json *json_get(const struct json *json, const char *key)
{
	return (const struct json *)json_object_get(inner_const(json), key);
}

bool json_text(const struct json *json, pa_str *ret)
{
	const json_t *value = inner_const(json);

	if (!json_is_string(value))
		return false;
	*ret = (pa_str){json_string_value(value), json_string_length(value)};
	return true;
}

bool json_get_text(const struct json *json, const char *key, pa_str *ret)
{
	return json_text(json_get(json, key), ret);
}

void json_each(const struct json *object, json_member_fn *fn, void *arg)
{
	/* jansson's iterator wants a value that it does not change. */
	json_t *json = (json_t *)(uintptr_t)object;

	for (void *at = json_object_iter(json); at; at = json_object_iter_next(json, at))
		fn(arg, json_object_iter_key(at), (const struct json *)json_object_iter_value(at));
}

bool json_get_integer(const struct json *json, const char *key, int64_t *ret)
{
	const json_t *value = inner_const(json_get(json, key));

	if (!json_is_integer(value))
		return false;
	*ret = json_integer_value(value);
	return true;
}

bool json_get_bool(const struct json *json, const char *key, bool *ret)
{
	const json_t *value = inner_const(json_get(json, key));

	if (!json_is_boolean(value))
		return false;
	*ret = json_is_true(value);
	return true;
}

size_t json_count(const struct json *array)
{
	return json_array_size(inner_const(array));
}

const struct json *json_at(const struct json *array, size_t i)
{
	return (const struct json *)json_array_get(inner_const(array), i);
}

static int write_part(const char *bytes, size_t len, void *arg)
{
	buf_add(arg, (pa_str){bytes, len});
	return 0;
}

void json_write(const struct json *json, struct buf *out)
{
	if (json_dump_callback(inner_const(json), write_part, out, JSON_COMPACT | JSON_ENCODE_ANY) <
	    0)
		abort(); /* memory */
}
