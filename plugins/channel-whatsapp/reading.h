/* SPDX-License-Identifier: Apache-2.0
 *
 * reading.h: one POST of Meta's on its way to events: what is shared by webhook.c (the envelope),
 * message.c and status.c (the items).
 *
 *	pa_event *event = reading_event(reading, PA_EVENT_MESSAGE);
 *	event->text = reading_keep(reading, wa_text_at(text, "body"));
 *	reading_push(reading, event);
 *
 * All that is kept lies in the call's memory, within BUDGET: what does not fit is counted and told
 * in one last event, since the daemon keeps the body anyway. One reading is used by one thread.
 */
#ifndef CHANNEL_WHATSAPP_READING_H
#define CHANNEL_WHATSAPP_READING_H

#include "json.h"

/* A sender as contacts[] shows him. The first three are borrowed from the document. */
struct person {
	pa_str phone;
	pa_str user_id;
	pa_str device_key;
	pa_str name;
	bool name_is_kept; /* copied once, however many messages he sent */
};

struct reading {
	const struct whatsapp *wa;
	pa_call *call;

	/* the events so far */
	const pa_event **events;
	size_t count;
	size_t room;
	size_t used;  /* bytes */
	bool is_full; /* some items have no event */

	/* the change being read */
	struct wa_value value;
	pa_str field;        /* borrowed */
	pa_str entry_id;     /* borrowed */
	int64_t entry_at_ns; /* 0: none */
	pa_str account;      /* kept */
	struct person *people;
	size_t people_count;
	size_t people_room;
};

/* n bytes of zeroed memory; NULL when the budget is used up. */
void *reading_alloc(struct reading *reading, size_t n);

/* Keeps a copy; absent stays absent, and comes out absent when the budget is used up. */
pa_str reading_keep(struct reading *reading, pa_str s);

/* Keeps the value as compact JSON text; absent if there is none, it is null, or too long for a
 * detail. */
pa_str reading_keep_json(struct reading *reading, struct wa_value value);

/* A new event with the change's account. NULL: the budget is used up. */
pa_event *reading_event(struct reading *reading, uint32_t kind);

/* Adds a complete event. If the budget ended under way it is dropped instead. */
void reading_push(struct reading *reading, const pa_event *event);

/* What tells apart an item that has no id: a hash of what it says and where it stood, so that the
 * same item gives the same text whenever it comes again. */
pa_str reading_fingerprint(struct reading *reading, struct wa_value item);

/* An item that is well formed and not understood. */
void reading_unknown(struct reading *reading, struct wa_value item, pa_str type);

/* Seconds since 1970 under that key as nanoseconds; 0 if there are none that make sense. */
int64_t reading_time(struct wa_value object, const char *key);

/* The event's phone or user id from a text that may hold either (user ids have been seen where
 * phones belong). What the event has already stays; a text that is neither is ignored. */
void reading_identity(struct reading *reading, pa_str text, pa_event *event);

/* Fills in what contacts[] knows of the event's person. */
void reading_person(struct reading *reading, pa_event *event);

/* The first of errors[] in the event's error fields, texts included; false if there is none. */
bool reading_error(struct reading *reading, struct wa_value errors, pa_event *event);

/* ---- the kinds of item ---- */

/* One of messages[]. */
void message_read(struct reading *reading, struct wa_value message);

/* One of message_echoes[]: written by our own people in the business app. */
void message_read_echo(struct reading *reading, struct wa_value message);

/* One of statuses[]. */
void status_read(struct reading *reading, struct wa_value status);

/* One of errors[] that belongs to no message. */
void error_read(struct reading *reading, struct wa_value error);

/* A change about our account. has_detail: the value is worth keeping. */
void account_read(struct reading *reading, bool has_detail);

/* One of user_preferences[]. */
void preference_read(struct reading *reading, struct wa_value preference);

#endif
