/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/event_json.h"

#include "base/str.h"

static const char *const events[] = {
	[PA_EVENT_MESSAGE] = "message", [PA_EVENT_STATUS] = "status",
	[PA_EVENT_SYSTEM] = "system",   [PA_EVENT_ACCOUNT] = "account",
	[PA_EVENT_ERROR] = "error",     [PA_EVENT_UNKNOWN] = "unknown",
};

static const char *const kinds[] = {
	[PA_IN_TEXT] = "text",         [PA_IN_IMAGE] = "image",
	[PA_IN_VIDEO] = "video",       [PA_IN_DOCUMENT] = "document",
	[PA_IN_AUDIO] = "audio",       [PA_IN_STICKER] = "sticker",
	[PA_IN_LOCATION] = "location", [PA_IN_CONTACTS] = "contacts",
	[PA_IN_BUTTON] = "button",     [PA_IN_ROW] = "row",
	[PA_IN_FORM] = "form",         [PA_IN_REACTION] = "reaction",
	[PA_IN_ORDER] = "order",       [PA_IN_EDIT] = "edit",
	[PA_IN_REVOKE] = "revoke",     [PA_IN_UNSUPPORTED] = "unsupported",
	[PA_IN_OTHER] = "other",
};

static const char *const statuses[] = {
	[PA_STATUS_SENT] = "sent",     [PA_STATUS_DELIVERED] = "delivered",
	[PA_STATUS_READ] = "read",     [PA_STATUS_PLAYED] = "played",
	[PA_STATUS_FAILED] = "failed", [PA_STATUS_OTHER] = "other",
};

static const char *const systems[] = {
	[PA_SYSTEM_NUMBER_CHANGED] = "number_changed",
	[PA_SYSTEM_USER_ID_CHANGED] = "user_id_changed",
	[PA_SYSTEM_DEVICE_KEY_CHANGED] = "device_key_changed",
	[PA_SYSTEM_OTHER] = "other",
};

static const struct {
	uint32_t flag;
	const char *name;
} flags[] = {
	{PA_EVENT_FORWARDED, "forwarded"}, {PA_EVENT_GROUP, "group"},
	{PA_EVENT_VOICE, "voice"},         {PA_EVENT_CODE_DENIED, "code_denied"},
	{PA_EVENT_ECHO, "echo"},           {PA_EVENT_OWN_CONTACT, "own_contact"},
};

/* A member that kinds of items have (bits: 1 << PA_EVENT_*). */
#define OF(kind) (1u << (kind))
#define OF_ALL (~0u)
#define OF_FAILURES (OF(PA_EVENT_STATUS) | OF(PA_EVENT_ERROR))

static const struct {
	const char *name;
	size_t offset;
	unsigned of;
} texts[] = {
	{"message_id", offsetof(pa_event, id), OF_ALL},
	{"phone", offsetof(pa_event, phone), OF_ALL},
	{"user_id", offsetof(pa_event, user_id), OF_ALL},
	{"account", offsetof(pa_event, account), OF_ALL},
	{"type", offsetof(pa_event, type), OF_ALL},
	{"text", offsetof(pa_event, text), OF(PA_EVENT_MESSAGE) | OF(PA_EVENT_SYSTEM)},
	{"reply_id", offsetof(pa_event, reply_id), OF(PA_EVENT_MESSAGE)},
	{"media_id", offsetof(pa_event, media_id), OF(PA_EVENT_MESSAGE)},
	{"media_type", offsetof(pa_event, media_type), OF(PA_EVENT_MESSAGE)},
	{"media_name", offsetof(pa_event, media_name), OF(PA_EVENT_MESSAGE)},
	{"context_id", offsetof(pa_event, context_id), OF(PA_EVENT_MESSAGE)},
	{"ref", offsetof(pa_event, ref), OF(PA_EVENT_STATUS)},
	{"error_title", offsetof(pa_event, error_title), OF_FAILURES},
	{"error_detail", offsetof(pa_event, error_detail), OF_FAILURES},
	{"new_phone", offsetof(pa_event, new_phone), OF(PA_EVENT_SYSTEM)},
	{"new_user_id", offsetof(pa_event, new_user_id), OF(PA_EVENT_SYSTEM)},
	{"previous_user_id", offsetof(pa_event, previous_user_id), OF(PA_EVENT_SYSTEM)},
	{"device_key", offsetof(pa_event, device_key), OF(PA_EVENT_SYSTEM)},
	{"detail", offsetof(pa_event, detail), OF_ALL},
};

/* The word for a number; absent for one that is not known. */
static pa_str word(const char *const *words, size_t count, uint32_t number)
{
	return number < count ? str_from(words[number]) : PA_STR_ABSENT;
}

#define WORD(words, number) word((words), ARRAY_COUNT(words), (number))

static void add_kind(const pa_event *event, struct json *object)
{
	json_set_text(object, "event", WORD(events, event->kind));
	if (event->kind == PA_EVENT_MESSAGE)
		json_set_text(object, "kind", WORD(kinds, event->message_kind));
	if (event->kind == PA_EVENT_STATUS)
		json_set_text(object, "status", WORD(statuses, event->status));
	if (event->kind == PA_EVENT_SYSTEM)
		json_set_text(object, "system", WORD(systems, event->system));
}

static void add_flags(const pa_event *event, struct json *object)
{
	struct json *list = json_array_new();

	for (size_t i = 0; i < ARRAY_COUNT(flags); i++)
		if (event->flags & flags[i].flag)
			json_append_text(list, str_from(flags[i].name));
	json_set(object, "flags", list);
}

void event_json(const pa_event *event, struct json *object)
{
	unsigned kind = event->kind < ARRAY_COUNT(events) ? OF(event->kind) : 0;

	add_kind(event, object);
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		const char *at = (const char *)event + texts[i].offset;

		if (texts[i].of & kind || texts[i].of == OF_ALL)
			json_set_text(object, texts[i].name, *(const pa_str *)(const void *)at);
	}
	if (OF_FAILURES & kind)
		json_set_integer(object, "error_code", event->error_code);
	json_set_integer(object, "provider_at_ns", event->at_ns);
	add_flags(event, object);
}
