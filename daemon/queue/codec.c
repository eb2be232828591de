/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/codec.h"

#include "base/str.h"

/* A field of a record: its number on the wire and its place in the struct. Numbers never change. */
struct field {
	uint16_t number;
	uint16_t offset;
	enum { FIELD_STR, FIELD_U32, FIELD_I64 } kind;
};

#define STR(type, number, member)                                                                  \
	{                                                                                          \
		number, offsetof(type, member), FIELD_STR                                          \
	}
#define U32(type, number, member)                                                                  \
	{                                                                                          \
		number, offsetof(type, member), FIELD_U32                                          \
	}
#define I64(type, number, member)                                                                  \
	{                                                                                          \
		number, offsetof(type, member), FIELD_I64                                          \
	}

/* Number 12 was the name by which a person calls himself: nobody uses it, so nobody keeps it. */
static const struct field event_fields[] = {
	U32(pa_event, 1, kind),
	U32(pa_event, 2, message_kind),
	U32(pa_event, 3, status),
	U32(pa_event, 4, system),
	U32(pa_event, 5, flags),
	I64(pa_event, 6, at_ns),
	STR(pa_event, 8, account),
	STR(pa_event, 9, id),
	STR(pa_event, 10, phone),
	STR(pa_event, 11, user_id),
	STR(pa_event, 13, type),
	STR(pa_event, 14, text),
	STR(pa_event, 15, reply_id),
	STR(pa_event, 16, media_id),
	STR(pa_event, 17, media_type),
	STR(pa_event, 18, media_name),
	STR(pa_event, 19, media_sha256),
	STR(pa_event, 20, context_id),
	STR(pa_event, 21, ref),
	STR(pa_event, 22, error_title),
	STR(pa_event, 23, error_detail),
	I64(pa_event, 24, error_code),
	STR(pa_event, 25, new_phone),
	STR(pa_event, 26, new_user_id),
	STR(pa_event, 27, previous_user_id),
	STR(pa_event, 28, device_key),
	STR(pa_event, 29, detail),
};

static const struct field message_fields[] = {
	U32(pa_message, 1, kind),           U32(pa_message, 2, medium),
	U32(pa_message, 3, flags),          STR(pa_message, 4, account),
	STR(pa_message, 5, phone),          STR(pa_message, 6, user_id),
	STR(pa_message, 8, header),         STR(pa_message, 9, body),
	STR(pa_message, 10, footer),        STR(pa_message, 11, list_button),
	STR(pa_message, 12, media_id),      STR(pa_message, 13, media_name),
	STR(pa_message, 14, media_type),    STR(pa_message, 15, media_bytes),
	STR(pa_message, 16, template_name), STR(pa_message, 17, template_language),
	STR(pa_message, 18, reply_to),      STR(pa_message, 19, device_key),
};

static const struct field choice_fields[] = {
	STR(pa_choice, 1, id),
	STR(pa_choice, 2, title),
	STR(pa_choice, 3, description),
	STR(pa_choice, 4, section),
};

static const struct field pair_fields[] = {
	STR(pa_pair, 1, name),
	STR(pa_pair, 2, value),
};

#define RECEIPT_BODY 40
#define MESSAGE_CHOICE 30 /* repeated */
#define MESSAGE_PARAM 31  /* repeated */
#define MAX_REPEATED 64

static void pack_fields(struct buf *out, const struct field *fields, size_t count,
			const void *record)
{
	for (size_t i = 0; i < count; i++) {
		const char *at = (const char *)record + fields[i].offset;

		if (fields[i].kind == FIELD_STR)
			pack_str(out, fields[i].number, *(const pa_str *)(const void *)at);
		else if (fields[i].kind == FIELD_U32)
			pack_int(out, fields[i].number, *(const uint32_t *)(const void *)at);
		else
			pack_int(out, fields[i].number, *(const int64_t *)(const void *)at);
	}
}

static void unpack_field(const struct unpack *in, const struct field *fields, size_t count,
			 void *record)
{
	for (size_t i = 0; i < count; i++) {
		char *at = (char *)record + fields[i].offset;

		if (fields[i].number != in->field)
			continue;
		if (fields[i].kind == FIELD_STR)
			*(pa_str *)(void *)at = in->str;
		else if (fields[i].kind == FIELD_U32)
			*(uint32_t *)(void *)at = (uint32_t)in->integer;
		else
			*(int64_t *)(void *)at = in->integer;
		return;
	}
}

static bool unpack_fields(pa_str bytes, const struct field *fields, size_t count, void *record)
{
	struct unpack in = unpack_from(bytes);

	while (unpack_next(&in))
		unpack_field(&in, fields, count, record);
	return !in.is_broken;
}

void event_pack(struct buf *out, const pa_event *event)
{
	pack_fields(out, event_fields, ARRAY_COUNT(event_fields), event);
}

pa_status event_unpack(pa_str bytes, pa_event *ret)
{
	pa_event event = {.size = sizeof(event)};

	if (!unpack_fields(bytes, event_fields, ARRAY_COUNT(event_fields), &event))
		return PA_REJECTED;
	*ret = event;
	return PA_OK;
}

void receipt_pack(struct buf *out, const pa_event *event, pa_str body)
{
	event_pack(out, event);
	pack_str(out, RECEIPT_BODY, body);
}

pa_status receipt_unpack(pa_str bytes, pa_event *ret, pa_str *ret_body)
{
	struct unpack in = unpack_from(bytes);

	*ret_body = PA_STR_ABSENT;
	while (unpack_next(&in))
		if (in.field == RECEIPT_BODY)
			*ret_body = in.str;
	return event_unpack(bytes, ret);
}

void message_pack(struct buf *out, const pa_message *message)
{
	size_t begin;

	pack_fields(out, message_fields, ARRAY_COUNT(message_fields), message);
	for (size_t i = 0; i < message->choices_count; i++) {
		begin = pack_begin(out, MESSAGE_CHOICE);
		pack_fields(out, choice_fields, ARRAY_COUNT(choice_fields), message->choices[i]);
		pack_end(out, begin);
	}
	for (size_t i = 0; i < message->params_count; i++) {
		begin = pack_begin(out, MESSAGE_PARAM);
		pack_fields(out, pair_fields, ARRAY_COUNT(pair_fields), message->params[i]);
		pack_end(out, begin);
	}
}

pa_status message_unpack(struct arena *arena, pa_str bytes, pa_message *ret)
{
	pa_message message = {.size = sizeof(message)};
	const pa_choice **choices = ARENA_ARRAY(arena, const pa_choice *, MAX_REPEATED);
	const pa_pair **params = ARENA_ARRAY(arena, const pa_pair *, MAX_REPEATED);
	struct unpack in = unpack_from(bytes);
	bool is_whole = true;

	while (is_whole && unpack_next(&in)) {
		if (in.field == MESSAGE_CHOICE && message.choices_count < MAX_REPEATED) {
			pa_choice *choice = ARENA_NEW(arena, pa_choice);

			choice->size = sizeof(*choice);
			choices[message.choices_count++] = choice;
			is_whole = unpack_fields(in.str, choice_fields, ARRAY_COUNT(choice_fields),
						 choice);
		} else if (in.field == MESSAGE_PARAM && message.params_count < MAX_REPEATED) {
			pa_pair *param = ARENA_NEW(arena, pa_pair);

			params[message.params_count++] = param;
			is_whole =
				unpack_fields(in.str, pair_fields, ARRAY_COUNT(pair_fields), param);
		} else {
			unpack_field(&in, message_fields, ARRAY_COUNT(message_fields), &message);
		}
	}
	if (in.is_broken || !is_whole)
		return PA_REJECTED;
	message.choices = choices;
	message.params = params;
	*ret = message;
	return PA_OK;
}
