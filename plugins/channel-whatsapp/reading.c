/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the 16 MiB that a call may have. A full batch of Meta's needs about three. */
#define BUDGET ((size_t)12 << 20)
#define MAX_DETAIL ((size_t)64 << 10)
#define FINGERPRINT_BYTES 16
/* The year 2100: what lies behind is no time. */
#define MAX_SECONDS INT64_C(4102444800)
#define NS_PER_SECOND INT64_C(1000000000)
#define MAX_CODE INT64_C(999999999)

void *reading_alloc(struct reading *reading, size_t n)
{
	if (reading->is_full || n > BUDGET - reading->used) {
		reading->is_full = true;
		return NULL;
	}
	reading->used += n;
	return reading->wa->host->alloc(reading->call, n);
}

pa_str reading_keep(struct reading *reading, pa_str s)
{
	char *copy;

	if (s.ptr == NULL)
		return s;
	copy = reading_alloc(reading, s.len + 1);
	if (copy == NULL)
		return (pa_str){NULL, 0};
	memcpy(copy, s.ptr, s.len);
	return (pa_str){copy, s.len};
}

pa_str reading_keep_json(struct reading *reading, struct wa_value value)
{
	struct wa_writer writer = {0};
	pa_str kept = {NULL, 0};

	if (wa_kind(value) == WA_ABSENT || wa_kind(value) == WA_NULL)
		return kept;
	wa_write_value(&writer, value);
	if (!writer.is_broken && writer.len <= MAX_DETAIL)
		kept = reading_keep(reading, (pa_str){writer.bytes, writer.len});
	wa_writer_free(&writer);
	return kept;
}

pa_event *reading_event(struct reading *reading, uint32_t kind)
{
	pa_event *event = reading_alloc(reading, sizeof(*event));

	if (event == NULL)
		return NULL;
	*event = (pa_event){.size = sizeof(*event), .kind = kind, .account = reading->account};
	return event;
}

static bool make_room(struct reading *reading)
{
	size_t room = reading->room ? reading->room * 2 : 8;
	const pa_event **events;

	if (reading->count < reading->room)
		return true;
	events = reading_alloc(reading, room * sizeof(const pa_event *));
	if (events == NULL)
		return false;
	if (reading->count)
		memcpy(events, reading->events, reading->count * sizeof(const pa_event *));
	reading->events = events;
	reading->room = room;
	return true;
}

void reading_push(struct reading *reading, const pa_event *event)
{
	if (!reading->is_full && make_room(reading))
		reading->events[reading->count++] = event;
}

static pa_str hex_of(struct reading *reading, const uint8_t *bytes)
{
	static const char digits[] = "0123456789abcdef";
	char text[1 + 2 * FINGERPRINT_BYTES] = {'#'};

	for (size_t i = 0; i < FINGERPRINT_BYTES; i++) {
		text[1 + 2 * i] = digits[bytes[i] >> 4];
		text[2 + 2 * i] = digits[bytes[i] & 15];
	}
	return reading_keep(reading, (pa_str){text, sizeof(text)});
}

/* The value with its keys in order; as it is if a key stands there twice. */
static void write_sorted(struct wa_writer *writer, struct wa_value value)
{
	const size_t reading_flags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES;
	const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS;
	char *text = NULL;
	json_t *json;

	wa_write_value(writer, value);
	json = json_loadb(writer->bytes, writer->len, reading_flags, NULL);
	if (json != NULL)
		text = json_dumps(json, flags);
	json_decref(json);
	if (text != NULL) {
		writer->len = 0;
		wa_write(writer, (pa_str){text, strlen(text)});
	}
	free(text);
}

/* For "%.*s". */
static int length_of(pa_str s, int max)
{
	return s.len < (size_t)max ? (int)s.len : max;
}

static const char *text_of(pa_str s)
{
	return s.ptr ? s.ptr : "";
}

pa_str reading_fingerprint(struct reading *reading, struct wa_value item)
{
	struct wa_writer said = {0};
	char where[256];
	uint8_t digest[32];
	int len = snprintf(where, sizeof(where), "%.*s\n%.*s\n%lld\n%.*s",
			   length_of(reading->field, sizeof(where)), reading->field.ptr,
			   length_of(reading->entry_id, 64), text_of(reading->entry_id),
			   (long long)reading->entry_at_ns, length_of(reading->account, 64),
			   text_of(reading->account));

	if (wa_kind(item) != WA_ABSENT)
		write_sorted(&said, item);

	/* A keyed hash because that is the one the host lends; the key is no secret. */
	reading->wa->host->hmac_sha256(reading->call,
				       (pa_str){where, len < 0 || (size_t)len >= sizeof(where)
							       ? sizeof(where) - 1
							       : (size_t)len},
				       (pa_str){said.bytes, said.len}, digest);
	wa_writer_free(&said);
	return hex_of(reading, digest);
}

void reading_unknown(struct reading *reading, struct wa_value item, pa_str type)
{
	pa_event *event = reading_event(reading, PA_EVENT_UNKNOWN);

	if (event == NULL)
		return;
	event->type = reading_keep(reading, type);
	event->unique = reading_fingerprint(reading, item);
	event->detail = reading_keep_json(reading, item);
	reading_push(reading, event);
}

int64_t reading_time(struct wa_value object, const char *key)
{
	int64_t seconds;

	return wa_number_at(object, key, MAX_SECONDS, &seconds) ? seconds * NS_PER_SECOND : 0;
}

/* E.164 has 15 digits at most; Meta's ids of phones have been longer. */
static pa_str phone_in(pa_str text)
{
	if (text.len && text.ptr[0] == '+')
		text = (pa_str){text.ptr + 1, text.len - 1};
	return wa_is_digits(text, 5, 20) ? text : (pa_str){NULL, 0};
}

void reading_identity(struct reading *reading, pa_str text, pa_event *event)
{
	pa_str phone = phone_in(text);

	if (phone.ptr != NULL && event->phone.ptr == NULL)
		event->phone = reading_keep(reading, phone);
	else if (wa_is_user_id(text) && event->user_id.ptr == NULL)
		event->user_id = reading_keep(reading, text);
}

static struct person *person_find(const struct reading *reading, const pa_event *event)
{
	for (size_t i = 0; i < reading->people_count; i++)
		if (event->user_id.ptr && wa_equal(reading->people[i].user_id, event->user_id))
			return &reading->people[i];
	for (size_t i = 0; i < reading->people_count; i++)
		if (event->phone.ptr && wa_equal(reading->people[i].phone, event->phone))
			return &reading->people[i];
	return NULL;
}

void reading_person(struct reading *reading, pa_event *event)
{
	struct person *person = person_find(reading, event);

	if (person == NULL)
		return;
	if (!person->name_is_kept)
		person->name = reading_keep(reading, person->name);
	person->name_is_kept = true;
	event->name = person->name;
	event->device_key = reading_keep(reading, person->device_key);
	reading_identity(reading, person->phone, event);
	reading_identity(reading, person->user_id, event);
}

bool reading_error(struct reading *reading, struct wa_value errors, pa_event *event)
{
	struct wa_value error = wa_kind(errors) == WA_OBJECT ? errors : wa_first(errors);
	pa_str details = wa_text_at(wa_at(error, "error_data"), "details");
	pa_str title = wa_text_at(error, "title");

	if (wa_kind(error) != WA_OBJECT)
		return false;
	/* Old payloads have details in the error itself. */
	if (details.ptr == NULL)
		details = wa_text_at(error, "details");
	if (details.ptr == NULL)
		details = wa_text_at(error, "message");
	if (!wa_number_at(error, "code", MAX_CODE, &event->error_code))
		event->error_code = 0;
	event->error_title =
		reading_keep(reading, title.ptr ? title : wa_text_at(error, "message"));
	event->error_detail = reading_keep(reading, details);
	return true;
}
