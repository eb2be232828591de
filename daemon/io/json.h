/* SPDX-License-Identifier: Apache-2.0
 *
 * io/json.h: JSON, for what the daemon itself says and hears (control socket, proaltoctl). The only
 * user of jansson in the daemon; a thin layer.
 *
 *	struct json *object PA_CLEANUP(json_done) = json_object_new();
 *	json_set_text(object, "name", name);
 *	json_write(object, &buf);
 *
 * Values are owned by whoever made them, until they are put into another: json_set and json_append
 * take what they are given. Text that is not UTF-8 is repaired (U+FFFD); a NUL is data. Parsing is
 * strict (RFC 8259), one value, no double keys, and as deep as jansson allows (2048): bound the
 * size before. Not thread-safe for one value. Bad at: large documents, floating point.
 */
#ifndef IO_JSON_H
#define IO_JSON_H

#include "base/buf.h"

struct json;

/* PA_REJECTED with position and reason. */
pa_status json_parse(pa_str text, struct json **ret, pa_error *err) PA_MUST_USE;

struct json *json_object_new(void);
struct json *json_array_new(void);

/* For PA_CLEANUP; NULL is fine. */
void json_done(struct json **json);

void json_set_text(struct json *object, const char *key, pa_str text); /* absent: null */
void json_set_integer(struct json *object, const char *key, int64_t value);
void json_set_bool(struct json *object, const char *key, bool value);

/* Takes value. */
void json_set(struct json *object, const char *key, struct json *value);
void json_append(struct json *array, struct json *value);
void json_append_text(struct json *array, pa_str text);

/* False if json is no object, or has no such key, or of another type. The text lives as long as
 * json. */
bool json_get_text(const struct json *json, const char *key, pa_str *ret);
bool json_get_integer(const struct json *json, const char *key, int64_t *ret);
bool json_get_bool(const struct json *json, const char *key, bool *ret);

/* The same for who takes what is not there for absent, 0 or false. */
pa_str json_text_of(const struct json *json, const char *key);
int64_t json_integer_of(const struct json *json, const char *key);
bool json_bool_of(const struct json *json, const char *key);

/* The member; NULL if there is none. Borrowed. */
const struct json *json_get(const struct json *json, const char *key);

/* The text of a value that is one. */
bool json_text(const struct json *json, pa_str *ret);

/* Calls fn for each member, in the order they were set. */
typedef void json_member_fn(void *arg, const char *key, const struct json *value);
void json_each(const struct json *object, json_member_fn *fn, void *arg);

/* An array's size, 0 for what is none, and its elements: borrowed. */
size_t json_count(const struct json *array);
const struct json *json_at(const struct json *array, size_t i);

/* Appends it in one line, without the line's end, keys in the order they were set. */
void json_write(const struct json *json, struct buf *out);

#endif
