/* SPDX-License-Identifier: Apache-2.0 */
#include "support/event_json.h"

#include "base/str.h"

#include <string.h>

static const char *const kinds[] = {"?",       "message", "status", "system",
				    "account", "error",   "unknown"};
static const char *const message_kinds[] = {
	"?",        "text",     "image",    "video",  "document",    "audio",
	"sticker",  "location", "contacts", "button", "row",         "form",
	"reaction", "order",    "edit",     "revoke", "unsupported", "other",
};
static const char *const statuses[] = {"?",      "sent",   "delivered", "read",
				       "played", "failed", "other"};
static const char *const systems[] = {"?", "number", "user_id", "device_key", "other"};
static const char *const flags[] = {"forwarded",   "group", "voice",
				    "code_denied", "echo",  "own_contact"};

static const struct field {
	const char *name;
	size_t offset;
} fields[] = {
	{"account", offsetof(pa_event, account)},
	{"id", offsetof(pa_event, id)},
	{"phone", offsetof(pa_event, phone)},
	{"user_id", offsetof(pa_event, user_id)},
	{"name", offsetof(pa_event, name)},
	{"type", offsetof(pa_event, type)},
	{"text", offsetof(pa_event, text)},
	{"reply_id", offsetof(pa_event, reply_id)},
	{"media_id", offsetof(pa_event, media_id)},
	{"media_type", offsetof(pa_event, media_type)},
	{"media_name", offsetof(pa_event, media_name)},
	{"media_sha256", offsetof(pa_event, media_sha256)},
	{"context_id", offsetof(pa_event, context_id)},
	{"ref", offsetof(pa_event, ref)},
	{"error_title", offsetof(pa_event, error_title)},
	{"error_detail", offsetof(pa_event, error_detail)},
	{"new_phone", offsetof(pa_event, new_phone)},
	{"new_user_id", offsetof(pa_event, new_user_id)},
	{"previous_user_id", offsetof(pa_event, previous_user_id)},
	{"device_key", offsetof(pa_event, device_key)},
};

static void put_word(json_t *out, const char *name, const char *const *words, size_t count,
		     uint32_t value)
{
	if (value)
		json_object_set_new(out, name, json_string(value < count ? words[value] : "?"));
}

static void put_fields(json_t *out, const pa_event *event)
{
	for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
		pa_str value;

		memcpy(&value, (const char *)event + fields[i].offset, sizeof(value));
		if (!str_is_absent(value))
			json_object_set_new(out, fields[i].name,
					    json_stringn(value.ptr, value.len));
	}
}

static void put_flags(json_t *out, const pa_event *event)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_COUNT(flags); i++)
		if (event->flags & (1u << i))
			json_array_append_new(list, json_string(flags[i]));
	if (event->flags)
		json_object_set(out, "flags", list);
	json_decref(list);
}

json_t *event_as_json(const pa_event *event)
{
	json_t *out = json_object();
	bool is_hash = str_starts(event->unique, PA_STR("#"));

	put_word(out, "kind", kinds, ARRAY_COUNT(kinds), event->kind);
	put_word(out, "message", message_kinds, ARRAY_COUNT(message_kinds), event->message_kind);
	put_word(out, "status", statuses, ARRAY_COUNT(statuses), event->status);
	put_word(out, "system", systems, ARRAY_COUNT(systems), event->system);
	put_flags(out, event);
	put_fields(out, event);
	json_object_set_new(out, "unique",
			    json_stringn(event->unique.ptr, is_hash ? 1 : event->unique.len));
	if (event->at_ns)
		json_object_set_new(out, "at", json_integer(event->at_ns / NS_PER_S));
	if (event->error_code)
		json_object_set_new(out, "error_code", json_integer(event->error_code));
	if (!str_is_absent(event->detail))
		json_object_set_new(out, "detail",
				    json_loadb(event->detail.ptr, event->detail.len,
					       JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
	return out;
}
