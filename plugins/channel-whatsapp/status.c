/* SPDX-License-Identifier: Apache-2.0
 *
 * statuses[], errors[] and what concerns our account. Meta's "status messages webhook reference".
 */
#include "reading.h"

#include <string.h>

static const struct status_word {
	const char *name;
	uint32_t status;
} status_words[] = {
	{"sent", PA_STATUS_SENT},     {"delivered", PA_STATUS_DELIVERED}, {"read", PA_STATUS_READ},
	{"played", PA_STATUS_PLAYED}, {"failed", PA_STATUS_FAILED},
};

static uint32_t status_find(pa_str word)
{
	for (size_t i = 0; i < WA_COUNT(status_words); i++)
		if (wa_equal_literal(word, status_words[i].name))
			return status_words[i].status;
	return PA_STATUS_OTHER;
}

/* Message and status; in a group also whose. No message id holds a colon. */
static pa_str status_unique(struct reading *reading, struct wa_value status)
{
	pa_str member = wa_text_at(status, "recipient_participant_user_id");
	const pa_str parts[] = {
		wa_text_at(status, "id"),
		WA_STR(":"),
		wa_text_at(status, "status"),
		WA_STR(":"),
		member.ptr ? member : wa_text_at(status, "recipient_participant_id"),
	};
	char text[512];
	size_t len = 0;

	for (size_t i = 0; i < WA_COUNT(parts); i++) {
		if (i == 3 && parts[4].len == 0)
			break;
		if (parts[i].len > sizeof(text) - len)
			return reading_fingerprint(reading, status);
		if (parts[i].len)
			memcpy(text + len, parts[i].ptr, parts[i].len);
		len += parts[i].len;
	}
	return reading_keep(reading, (pa_str){text, len});
}

static void status_fill(struct reading *reading, struct wa_value status, pa_event *event)
{
	pa_str word = wa_text_at(status, "status");

	event->unique = status_unique(reading, status);
	event->id = reading_keep(reading, wa_text_at(status, "id"));
	event->status = status_find(word);
	event->type = reading_keep(reading, word);
	event->at_ns = reading_time(status, "timestamp");
	event->ref = reading_keep(reading, wa_text_at(status, "biz_opaque_callback_data"));
	event->device_key =
		reading_keep(reading, wa_text_at(status, "recipient_identity_key_hash"));
	event->detail = reading_keep_json(reading, wa_at(status, "pricing"));
	reading_identity(reading, wa_text_at(status, "recipient_id"), event);
	reading_identity(reading, wa_text_at(status, "recipient_user_id"), event);
	if (wa_equal(wa_text_at(status, "recipient_type"), WA_STR("group")))
		event->flags |= PA_EVENT_GROUP;
	(void)reading_error(reading, wa_at(status, "errors"), event);
}

void status_read(struct reading *reading, struct wa_value status)
{
	pa_event *event;

	/* Calls have statuses too; they say nothing about a message. */
	if (wa_text_at(status, "id").len == 0 || wa_text_at(status, "status").len == 0 ||
	    wa_equal(wa_text_at(status, "type"), WA_STR("call"))) {
		reading_unknown(reading, status, WA_STR("statuses"));
		return;
	}
	event = reading_event(reading, PA_EVENT_STATUS);
	if (event == NULL)
		return;
	status_fill(reading, status, event);
	reading_push(reading, event);
}

void error_read(struct reading *reading, struct wa_value error)
{
	pa_event *event = reading_event(reading, PA_EVENT_ERROR);

	if (event == NULL)
		return;
	event->type = reading_keep(reading, WA_STR("errors"));
	event->at_ns = reading->entry_at_ns;
	event->unique = reading_fingerprint(reading, error);
	(void)reading_error(reading, error, event);
	reading_push(reading, event);
}

static pa_str first_text(struct wa_value object, const char *const *keys, size_t count)
{
	pa_str text = {NULL, 0};

	for (size_t i = 0; i < count && text.ptr == NULL; i++)
		text = wa_text_at(object, keys[i]);
	return text;
}

void account_read(struct reading *reading, bool has_detail)
{
	/* The word that says what happened, by field. */
	static const char *const keys[] = {"event", "decision", "new_category",
					   "new_quality_score"};
	pa_event *event = reading_event(reading, PA_EVENT_ACCOUNT);

	if (event == NULL)
		return;
	event->type = reading_keep(reading, reading->field);
	event->id = reading_keep(reading, reading->entry_id);
	event->at_ns = reading->entry_at_ns;
	event->unique = reading_fingerprint(reading, reading->value);
	event->text = reading_keep(reading, first_text(reading->value, keys, WA_COUNT(keys)));
	if (has_detail)
		event->detail = reading_keep_json(reading, reading->value);
	(void)reading_error(reading, wa_at(reading->value, "errors"), event);
	reading_push(reading, event);
}

void preference_read(struct reading *reading, struct wa_value preference)
{
	pa_event *event = reading_event(reading, PA_EVENT_ACCOUNT);

	if (event == NULL)
		return;
	event->type = reading_keep(reading, WA_STR("user_preferences"));
	event->at_ns = reading_time(preference, "timestamp");
	event->unique = reading_fingerprint(reading, preference);
	event->text = reading_keep(reading, wa_text_at(preference, "value"));
	event->detail = reading_keep_json(reading, preference);
	reading_identity(reading, wa_text_at(preference, "wa_id"), event);
	reading_identity(reading, wa_text_at(preference, "user_id"), event);
	reading_person(reading, event);
	reading_push(reading, event);
}
