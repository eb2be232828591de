/* SPDX-License-Identifier: Apache-2.0
 *
 * messages[]: what people send. Meta's "messages webhook reference" and the page of each type.
 */
#include "reading.h"

#include <string.h>

/* Meta speaks of "a few hundred characters". */
#define MAX_ID 1024
#define CODE_DENIED "DID_NOT_REQUEST_CODE"

/* Reads the object named like the type into the event; false if it is not what it should be, then
 * the message counts as of another kind. */
typedef bool content_fn(struct reading *reading, struct wa_value content, pa_event *event);

static bool read_text(struct reading *reading, struct wa_value content, pa_event *event)
{
	event->text = reading_keep(reading, wa_text_at(content, "body"));
	return event->text.ptr != NULL;
}

static bool read_media(struct reading *reading, struct wa_value content, pa_event *event)
{
	event->media_id = reading_keep(reading, wa_text_at(content, "id"));
	event->media_type = reading_keep(reading, wa_text_at(content, "mime_type"));
	event->media_name = reading_keep(reading, wa_text_at(content, "filename"));
	event->media_sha256 = reading_keep(reading, wa_text_at(content, "sha256"));
	event->text = reading_keep(reading, wa_text_at(content, "caption"));
	if (wa_kind(wa_at(content, "voice")) == WA_TRUE)
		event->flags |= PA_EVENT_VOICE;
	return event->media_id.ptr != NULL;
}

static bool read_location(struct reading *reading, struct wa_value content, pa_event *event)
{
	event->detail = reading_keep_json(reading, content);
	return wa_kind(wa_at(content, "latitude")) == WA_NUMBER &&
	       wa_kind(wa_at(content, "longitude")) == WA_NUMBER;
}

static bool is_own_card(struct wa_value card)
{
	return wa_equal(wa_text_at(card, "origin"), WA_STR("contact_request"));
}

/* The number on a card that the person gave for his own on our request. */
static pa_str card_phone(struct wa_value card)
{
	struct wa_value phone = wa_first(wa_at(card, "phones"));
	pa_str digits = wa_text_at(phone, "wa_id");

	if (digits.len && digits.ptr[0] == '+')
		digits = (pa_str){digits.ptr + 1, digits.len - 1};
	return wa_is_digits(digits, 5, 20) ? digits : (pa_str){NULL, 0};
}

static bool read_contacts(struct reading *reading, struct wa_value content, pa_event *event)
{
	event->detail = reading_keep_json(reading, content);
	for (struct wa_value card = wa_first(content); card.json != NULL;
	     card = wa_next(content, card)) {
		if (!is_own_card(card) && !(event->flags & PA_EVENT_OWN_CONTACT))
			continue;
		event->flags |= PA_EVENT_OWN_CONTACT;
		event->new_phone = reading_keep(reading, card_phone(card));
		break;
	}
	return wa_first(content).json != NULL;
}

static bool read_reaction(struct reading *reading, struct wa_value content, pa_event *event)
{
	pa_str emoji = wa_text_at(content, "emoji");

	/* A reaction taken back: the key is absent, formerly empty. */
	if (emoji.len)
		event->text = reading_keep(reading, emoji);
	event->context_id = reading_keep(reading, wa_text_at(content, "message_id"));
	return event->context_id.ptr != NULL;
}

static bool read_order(struct reading *reading, struct wa_value content, pa_event *event)
{
	event->text = reading_keep(reading, wa_text_at(content, "text"));
	event->detail = reading_keep_json(reading, content);
	return wa_kind(wa_at(content, "product_items")) == WA_ARRAY;
}

/* A quick reply of a template. */
static bool read_button(struct reading *reading, struct wa_value content, pa_event *event)
{
	event->reply_id = reading_keep(reading, wa_text_at(content, "payload"));
	event->text = reading_keep(reading, wa_text_at(content, "text"));
	if (wa_equal(event->reply_id, WA_STR(CODE_DENIED)))
		event->flags |= PA_EVENT_CODE_DENIED;
	return event->reply_id.ptr != NULL || event->text.ptr != NULL;
}

static bool read_reply(struct reading *reading, struct wa_value content, pa_event *event)
{
	event->reply_id = reading_keep(reading, wa_text_at(content, "id"));
	event->text = reading_keep(reading, wa_text_at(content, "title"));
	return event->reply_id.ptr != NULL;
}

/* response_json is a string made on the person's device: only an object passes for a form. */
static bool read_form(struct reading *reading, struct wa_value content, pa_event *event)
{
	pa_str answers = wa_text_at(content, "response_json");
	struct wa_json *parsed = NULL;

	event->text = reading_keep(reading, wa_text_at(content, "body"));
	if (answers.len && wa_json_load(answers, &parsed, NULL) == PA_OK &&
	    wa_kind(wa_root(parsed)) == WA_OBJECT)
		event->detail = reading_keep_json(reading, wa_root(parsed));
	wa_json_free(parsed);
	return event->detail.ptr != NULL;
}

static const struct interactive_type {
	const char *name;
	uint32_t kind;
	content_fn *read;
} interactive_types[] = {
	{"button_reply", PA_IN_BUTTON, read_reply},
	{"list_reply", PA_IN_ROW, read_reply},
	{"nfm_reply", PA_IN_FORM, read_form},
};

static bool read_interactive(struct reading *reading, struct wa_value content, pa_event *event)
{
	pa_str name = wa_text_at(content, "type");

	for (size_t i = 0; i < WA_COUNT(interactive_types); i++) {
		const struct interactive_type *type = &interactive_types[i];

		if (!wa_equal_literal(name, type->name))
			continue;
		event->message_kind = type->kind;
		return type->read(reading, wa_at(content, type->name), event);
	}
	return false;
}

/* People may change a text within 15 minutes. */
static bool read_edit(struct reading *reading, struct wa_value content, pa_event *event)
{
	struct wa_value message = wa_at(content, "message");
	pa_str body = wa_text_at(wa_at(message, "text"), "body");

	event->context_id = reading_keep(reading, wa_text_at(content, "original_message_id"));
	event->text = reading_keep(reading, body);
	if (body.ptr == NULL)
		event->detail = reading_keep_json(reading, message);
	return event->context_id.ptr != NULL;
}

static bool read_revoke(struct reading *reading, struct wa_value content, pa_event *event)
{
	event->context_id = reading_keep(reading, wa_text_at(content, "original_message_id"));
	return event->context_id.ptr != NULL;
}

/* The reason stands in errors[]; what it was, sometimes, in the content. */
static bool read_unsupported(struct reading *reading, struct wa_value content, pa_event *event)
{
	event->detail = reading_keep_json(reading, content);
	return true;
}

static const struct message_type {
	const char *name;
	uint32_t kind;
	content_fn *read;
} message_types[] = {
	{"text", PA_IN_TEXT, read_text},
	{"interactive", PA_IN_OTHER, read_interactive},
	{"button", PA_IN_BUTTON, read_button},
	{"image", PA_IN_IMAGE, read_media},
	{"document", PA_IN_DOCUMENT, read_media},
	{"audio", PA_IN_AUDIO, read_media},
	{"video", PA_IN_VIDEO, read_media},
	{"sticker", PA_IN_STICKER, read_media},
	{"location", PA_IN_LOCATION, read_location},
	{"contacts", PA_IN_CONTACTS, read_contacts},
	{"reaction", PA_IN_REACTION, read_reaction},
	{"order", PA_IN_ORDER, read_order},
	{"edit", PA_IN_EDIT, read_edit},
	{"revoke", PA_IN_REVOKE, read_revoke},
	{"unsupported", PA_IN_UNSUPPORTED, read_unsupported},
};

static void content_read(struct reading *reading, struct wa_value message, pa_str name,
			 pa_event *event)
{
	event->message_kind = PA_IN_OTHER;
	for (size_t i = 0; i < WA_COUNT(message_types); i++) {
		const struct message_type *type = &message_types[i];

		if (!wa_equal_literal(name, type->name))
			continue;
		event->message_kind = type->kind;
		if (type->read(reading, wa_at(message, type->name), event))
			return;
		break;
	}
	/* Somebody did something that we can't read: kept whole, and he deserves an answer. What
	 * was read of it so far must not pass for his words. */
	event->message_kind = PA_IN_OTHER;
	event->text = (pa_str){NULL, 0};
	event->reply_id = (pa_str){NULL, 0};
	event->detail = reading_keep_json(reading, message);
}

static void context_read(struct reading *reading, struct wa_value message, pa_event *event)
{
	struct wa_value context = wa_at(message, "context");
	struct wa_value referral = wa_at(message, "referral");

	if (wa_kind(wa_at(context, "forwarded")) == WA_TRUE ||
	    wa_kind(wa_at(context, "frequently_forwarded")) == WA_TRUE)
		event->flags |= PA_EVENT_FORWARDED;
	if (event->context_id.ptr == NULL)
		event->context_id = reading_keep(reading, wa_text_at(context, "id"));
	/* The advertisement through which he came. */
	if (event->detail.ptr == NULL && wa_kind(referral) == WA_OBJECT)
		event->detail = reading_keep_json(reading, referral);
}

/* ---- system events ---- */

static const struct system_type {
	const char *name;
	uint32_t system;
} system_types[] = {
	{"user_changed_number", PA_SYSTEM_NUMBER_CHANGED},
	{"user_changed_user_id", PA_SYSTEM_USER_ID_CHANGED},
	{"customer_identity_changed", PA_SYSTEM_DEVICE_KEY_CHANGED},
	{"user_identity_changed", PA_SYSTEM_DEVICE_KEY_CHANGED},
	/* Until 2023, for user_changed_number. */
	{"customer_changed_number", PA_SYSTEM_NUMBER_CHANGED},
};

static uint32_t system_find(pa_str name)
{
	for (size_t i = 0; i < WA_COUNT(system_types); i++)
		if (wa_equal_literal(name, system_types[i].name))
			return system_types[i].system;
	return PA_SYSTEM_OTHER;
}

/* A new number may stand where a user id belongs, and the other way round. */
static void new_identity_read(struct reading *reading, struct wa_value system, pa_event *event)
{
	pa_event found = {.size = sizeof(found)};

	reading_identity(reading, wa_text_at(system, "wa_id"), &found);
	reading_identity(reading, wa_text_at(system, "new_wa_id"), &found);
	reading_identity(reading, wa_text_at(system, "user_id"), &found);
	event->new_phone = found.phone;
	event->new_user_id = found.user_id;
	event->previous_user_id = reading_keep(reading, wa_text_at(system, "previous_user_id"));
}

static void system_read(struct reading *reading, struct wa_value message, pa_event *event)
{
	struct wa_value system = wa_at(message, "system");
	struct wa_value identity = wa_at(message, "identity");
	pa_str key = wa_text_at(identity, "hash");

	event->kind = PA_EVENT_SYSTEM;
	event->type = reading_keep(reading, wa_text_at(system, "type"));
	event->system = system_find(event->type);
	new_identity_read(reading, system, event);
	event->device_key = reading_keep(reading, key.ptr ? key : wa_text_at(system, "identity"));
	if (event->system == PA_SYSTEM_OTHER)
		event->detail = reading_keep_json(reading, message);
}

/* ---- one message ---- */

static bool id_is_sane(pa_str id)
{
	return id.len > 0 && id.len <= MAX_ID;
}

static pa_event *message_begin(struct reading *reading, struct wa_value message, uint32_t flags)
{
	pa_event *event = reading_event(reading, PA_EVENT_MESSAGE);

	if (event == NULL)
		return NULL;
	event->id = reading_keep(reading, wa_text_at(message, "id"));
	event->unique = event->id;
	event->at_ns = reading_time(message, "timestamp");
	event->flags = flags;
	if (wa_kind(wa_at(message, "group_id")) != WA_ABSENT)
		event->flags |= PA_EVENT_GROUP;
	if (is_own_card(message))
		event->flags |= PA_EVENT_OWN_CONTACT;
	return event;
}

/* Only a system event may come without a person: it tells of his new ids. */
static void message_finish(struct reading *reading, struct wa_value message, const char *list,
			   pa_event *event)
{
	pa_str type = wa_text_at(message, "type");
	bool is_system = wa_equal(type, WA_STR("system"));

	if (!is_system && event->phone.ptr == NULL && event->user_id.ptr == NULL) {
		reading_unknown(reading, message, (pa_str){list, strlen(list)});
		return;
	}
	event->type = reading_keep(reading, type);
	(void)reading_error(reading, wa_at(message, "errors"), event);
	if (is_system) {
		system_read(reading, message, event);
	} else {
		content_read(reading, message, type, event);
		context_read(reading, message, event);
	}
	reading_push(reading, event);
}

void message_read(struct reading *reading, struct wa_value message)
{
	pa_event *event;

	if (!id_is_sane(wa_text_at(message, "id")) || wa_text_at(message, "type").len == 0) {
		reading_unknown(reading, message, WA_STR("messages"));
		return;
	}
	event = message_begin(reading, message, 0);
	if (event == NULL)
		return;
	reading_identity(reading, wa_text_at(message, "from"), event);
	reading_identity(reading, wa_text_at(message, "from_user_id"), event);
	reading_person(reading, event);
	message_finish(reading, message, "messages", event);
}

void message_read_echo(struct reading *reading, struct wa_value message)
{
	pa_event *event;

	if (!id_is_sane(wa_text_at(message, "id"))) {
		reading_unknown(reading, message, WA_STR("message_echoes"));
		return;
	}
	event = message_begin(reading, message, PA_EVENT_ECHO);
	if (event == NULL)
		return;
	/* The person is the one who was written to. */
	reading_identity(reading, wa_text_at(message, "to"), event);
	reading_identity(reading, wa_text_at(message, "to_user_id"), event);
	message_finish(reading, message, "message_echoes", event);
}
