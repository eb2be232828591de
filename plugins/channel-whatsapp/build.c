/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /{version}/{phone-number-id}/messages. Meta's "Send messages" and the page of each type,
 * whose limits count characters.
 */
#include "building.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BODY 4096
#define MAX_INTERACTIVE_BODY 1024
#define MAX_HEADER 60
#define MAX_FOOTER 60
#define MAX_CAPTION 1024
#define MAX_BUTTONS 3
#define MAX_BUTTON_TITLE 20
#define MAX_BUTTON_ID 256
#define MAX_LIST_BUTTON 20
#define MAX_ROWS 10
#define MAX_ROW_ID 200
#define MAX_ROW_TITLE 24
#define MAX_ROW_DESCRIPTION 72
#define MAX_SECTION_TITLE 24
#define MAX_REF 512
#define MAX_WAMID 1024

/* ---- the request's JSON ---- */

/* A key of ours is plain. */
static void begin(struct building *building, const char *key)
{
	struct wa_writer *writer = &building->writer;

	if (writer->len && strchr("{[", writer->bytes[writer->len - 1]) == NULL)
		wa_write(writer, WA_STR(","));
	if (key != NULL) {
		wa_write(writer, WA_STR("\""));
		wa_write(writer, (pa_str){key, strlen(key)});
		wa_write(writer, WA_STR("\":"));
	}
}

void put_text(struct building *building, const char *key, pa_str text)
{
	begin(building, key);
	wa_write_text(&building->writer, text);
}

void open_object(struct building *building, const char *key)
{
	begin(building, key);
	wa_write(&building->writer, WA_STR("{"));
}

void open_array(struct building *building, const char *key)
{
	begin(building, key);
	wa_write(&building->writer, WA_STR("["));
}

void close_object(struct building *building)
{
	wa_write(&building->writer, WA_STR("}"));
}

void close_array(struct building *building)
{
	wa_write(&building->writer, WA_STR("]"));
}

pa_status check_length(struct building *building, const char *what, pa_str text, size_t min,
		       size_t max)
{
	size_t length = wa_length(text);

	if (length < min)
		return wa_fail(building->err, PA_REJECTED, "%s is missing", what);
	if (length > max && max == 0)
		return wa_fail(building->err, PA_REJECTED, "this kind of message takes no %s",
			       what);
	if (length > max)
		return wa_fail(building->err, PA_REJECTED,
			       "%s has %zu characters, the limit is %zu", what, length, max);
	return PA_OK;
}

/* ---- limits of each kind ---- */

struct part_limit {
	const char *what;
	size_t offset; /* of a pa_str in pa_message */
	size_t min;
	size_t max;
};

#define PART(name, field, least, most)                                                             \
	{                                                                                          \
		name, offsetof(pa_message, field), least, most                                     \
	}
static const struct part_limit text_limits[] = {
	PART("body", body, 1, MAX_BODY),
	PART("header", header, 0, 0),
	PART("footer", footer, 0, 0),
};
static const struct part_limit buttons_limits[] = {
	PART("interactive body", body, 1, MAX_INTERACTIVE_BODY),
	PART("header", header, 0, MAX_HEADER),
	PART("footer", footer, 0, MAX_FOOTER),
};
static const struct part_limit list_limits[] = {
	PART("interactive body", body, 1, MAX_INTERACTIVE_BODY),
	PART("header", header, 0, MAX_HEADER),
	PART("footer", footer, 0, MAX_FOOTER),
	PART("list button", list_button, 1, MAX_LIST_BUTTON),
};
static const struct part_limit media_limits[] = {
	PART("caption", body, 0, MAX_CAPTION),
	PART("header", header, 0, 0),
	PART("footer", footer, 0, 0),
	PART("media id", media_id, 1, 128),
};

static pa_status check_parts(struct building *building, const struct part_limit *limits,
			     size_t count)
{
	pa_status status = PA_OK;

	for (size_t i = 0; i < count && status == PA_OK; i++) {
		pa_str part;

		memcpy(&part, (const char *)building->message + limits[i].offset, sizeof(part));
		status = check_length(building, limits[i].what, part, limits[i].min, limits[i].max);
	}
	return status;
}

/* ---- buttons and lists ---- */

struct choice_limits {
	const char *id;
	const char *title;
	size_t max_count;
	size_t max_id;
	size_t max_title;
	size_t max_description;
	bool titles_differ;
};

static const struct choice_limits button_rules = {
	"button id", "button title", MAX_BUTTONS, MAX_BUTTON_ID, MAX_BUTTON_TITLE, 0, true,
};
static const struct choice_limits row_rules = {
	"row id", "row title", MAX_ROWS, MAX_ROW_ID, MAX_ROW_TITLE, MAX_ROW_DESCRIPTION, false,
};

static bool has_blank_ends(pa_str s)
{
	return s.len && (s.ptr[0] == ' ' || s.ptr[s.len - 1] == ' ');
}

static pa_status check_choice(struct building *building, const struct choice_limits *rules,
			      const pa_choice *choice)
{
	pa_status status = check_length(building, rules->id, choice->id, 1, rules->max_id);

	/* The daemon is told the limit in bytes; Meta does not say what it counts. */
	if (status == PA_OK && choice->id.len > rules->max_id)
		return wa_fail(building->err, PA_REJECTED, "%s has %zu bytes, the limit is %zu",
			       rules->id, choice->id.len, rules->max_id);
	if (status == PA_OK && has_blank_ends(choice->id))
		return wa_fail(building->err, PA_REJECTED, "%s begins or ends with a blank",
			       rules->id);
	if (status == PA_OK)
		status = check_length(building, rules->title, choice->title, 1, rules->max_title);
	if (status == PA_OK)
		status = check_length(building, "row description", choice->description, 0,
				      rules->max_description);
	return status;
}

static pa_status check_unlike(struct building *building, const struct choice_limits *rules,
			      size_t at)
{
	const pa_choice *const *choices = building->message->choices;

	for (size_t i = 0; i < at; i++) {
		if (wa_equal(choices[i]->id, choices[at]->id))
			return wa_fail(building->err, PA_REJECTED, "%s stands there twice",
				       rules->id);
		if (rules->titles_differ && wa_equal(choices[i]->title, choices[at]->title))
			return wa_fail(building->err, PA_REJECTED, "%s stands there twice",
				       rules->title);
	}
	return PA_OK;
}

static pa_status check_choices(struct building *building, const struct choice_limits *rules,
			       const char *what)
{
	size_t count = building->message->choices_count;
	pa_status status = PA_OK;

	if (count == 0 || count > rules->max_count)
		return wa_fail(building->err, PA_REJECTED, "%zu %s, the limit is 1 to %zu", count,
			       what, rules->max_count);
	for (size_t i = 0; i < count && status == PA_OK; i++) {
		status = check_choice(building, rules, building->message->choices[i]);
		if (status == PA_OK)
			status = check_unlike(building, rules, i);
	}
	return status;
}

static void put_buttons(struct building *building)
{
	open_array(building, "buttons");
	for (size_t i = 0; i < building->message->choices_count; i++) {
		const pa_choice *choice = building->message->choices[i];

		open_object(building, NULL);
		put_text(building, "type", WA_STR("reply"));
		open_object(building, "reply");
		put_text(building, "id", choice->id);
		put_text(building, "title", choice->title);
		close_object(building);
		close_object(building);
	}
	close_array(building);
}

static void put_row(struct building *building, const pa_choice *choice)
{
	open_object(building, NULL);
	put_text(building, "id", choice->id);
	put_text(building, "title", choice->title);
	if (choice->description.len)
		put_text(building, "description", choice->description);
	close_object(building);
}

/* The title of the section that is open before the row. */
static pa_str section_before(const pa_message *message, size_t at)
{
	while (at > 0)
		if (message->choices[--at]->section.len)
			return message->choices[at]->section;
	return (pa_str){NULL, 0};
}

static bool opens_section(const pa_message *message, size_t at)
{
	pa_str section = message->choices[at]->section;

	return at == 0 || (section.len && !wa_equal(section, section_before(message, at)));
}

static size_t count_sections(const pa_message *message)
{
	size_t count = 0;

	for (size_t i = 0; i < message->choices_count; i++)
		count += opens_section(message, i);
	return count;
}

static void open_section(struct building *building, pa_str title)
{
	open_object(building, NULL);
	if (title.len)
		put_text(building, "title", title);
	open_array(building, "rows");
}

static void close_section(struct building *building)
{
	close_array(building);
	close_object(building);
}

/* Rows without a title of a section belong to the one that is open. */
static pa_status put_sections(struct building *building)
{
	const pa_message *message = building->message;
	size_t min = count_sections(message) > 1;

	open_array(building, "sections");
	for (size_t i = 0; i < message->choices_count; i++) {
		const pa_choice *choice = message->choices[i];

		if (opens_section(message, i)) {
			pa_status status = check_length(building, "section title", choice->section,
							min, MAX_SECTION_TITLE);

			if (status != PA_OK)
				return status;
			if (i > 0)
				close_section(building);
			open_section(building, choice->section);
		}
		put_row(building, choice);
	}
	close_section(building);
	close_array(building);
	return PA_OK;
}

static void put_header(struct building *building)
{
	const pa_message *message = building->message;

	if (message->header.len == 0 && message->media_id.len == 0)
		return;
	open_object(building, "header");
	if (message->media_id.len == 0) {
		put_text(building, "type", WA_STR("text"));
		put_text(building, "text", message->header);
	} else {
		put_text(building, "type",
			 media_is_image(message) ? WA_STR("image") : WA_STR("document"));
		open_media(building);
		close_object(building);
	}
	close_object(building);
}

static void put_part(struct building *building, const char *key, pa_str text)
{
	open_object(building, key);
	put_text(building, "text", text);
	close_object(building);
}

/* What both kinds have; leaves "action" open. */
static void open_interactive(struct building *building, pa_str type)
{
	const pa_message *message = building->message;

	open_object(building, "interactive");
	put_text(building, "type", type);
	put_header(building);
	put_part(building, "body", message->body);
	if (message->footer.len)
		put_part(building, "footer", message->footer);
	open_object(building, "action");
}

static void close_interactive(struct building *building)
{
	close_object(building);
	close_object(building);
}

/* ---- the kinds ---- */

static pa_status build_text(struct building *building)
{
	open_object(building, "text");
	put_text(building, "body", building->message->body);
	close_object(building);
	return check_parts(building, text_limits, WA_COUNT(text_limits));
}

static pa_status build_buttons(struct building *building)
{
	pa_status status = check_parts(building, buttons_limits, WA_COUNT(buttons_limits));

	if (status == PA_OK && building->message->header.len && building->message->media_id.len)
		return wa_fail(building->err, PA_REJECTED, "header is either a text or a file");
	if (status == PA_OK)
		status = check_choices(building, &button_rules, "buttons");
	if (status != PA_OK)
		return status;
	open_interactive(building, WA_STR("button"));
	put_buttons(building);
	close_interactive(building);
	return PA_OK;
}

static pa_status build_list(struct building *building)
{
	pa_status status = check_parts(building, list_limits, WA_COUNT(list_limits));

	if (status == PA_OK)
		status = check_choices(building, &row_rules, "rows");
	if (status != PA_OK)
		return status;
	open_interactive(building, WA_STR("list"));
	put_text(building, "button", building->message->list_button);
	status = put_sections(building);
	close_interactive(building);
	return status;
}

static pa_status build_media(struct building *building)
{
	pa_status status = check_parts(building, media_limits, WA_COUNT(media_limits));

	if (status == PA_OK)
		status = media_check(building);
	if (status != PA_OK)
		return status;
	open_media(building);
	if (building->message->body.len)
		put_text(building, "caption", building->message->body);
	close_object(building);
	return PA_OK;
}

static pa_status build_read_mark(struct building *building)
{
	const pa_message *message = building->message;

	put_text(building, "status", WA_STR("read"));
	put_text(building, "message_id", message->reply_to);
	if (message->flags & PA_OUT_FLAG_TYPING) {
		open_object(building, "typing_indicator");
		put_text(building, "type", WA_STR("text"));
		close_object(building);
	}
	return check_length(building, "reply_to", message->reply_to, 1, MAX_WAMID);
}

static const struct out_kind {
	const char *type; /* NULL: nobody is addressed */
	bool takes_file;
	pa_status (*build)(struct building *building);
} kinds[] = {
	[PA_OUT_TEXT] = {"text", false, build_text},
	[PA_OUT_BUTTONS] = {"interactive", true, build_buttons},
	[PA_OUT_LIST] = {"interactive", false, build_list},
	[PA_OUT_DOCUMENT] = {"document", true, build_media},
	[PA_OUT_IMAGE] = {"image", true, build_media},
	[PA_OUT_TEMPLATE] = {"template", true, template_build},
	[PA_OUT_READ_MARK] = {NULL, false, build_read_mark},
};

/* ---- to whom ---- */

/* A phone needs its plus: without one Meta takes it for a number of our country. A user id has a
 * key of its own; exactly one of both is sent, and codes reach phones only (error 131062). */
static pa_status put_person(struct building *building)
{
	const pa_message *message = building->message;
	char to[1 + 20] = {'+'};

	if (message->phone.len) {
		if (!wa_is_digits(message->phone, 5, sizeof(to) - 1))
			return wa_fail(building->err, PA_REJECTED,
				       "the phone is not 5 to 20 digits");
		memcpy(to + 1, message->phone.ptr, message->phone.len);
		put_text(building, "to", (pa_str){to, message->phone.len + 1});
		return PA_OK;
	}
	if (!wa_is_user_id(message->user_id))
		return wa_fail(building->err, PA_REJECTED, "neither a phone nor a user id");
	put_text(building, "recipient", message->user_id);
	return PA_OK;
}

static pa_status put_envelope(struct building *building, const char *type)
{
	const pa_message *message = building->message;

	put_text(building, "messaging_product", WA_STR("whatsapp"));
	if (type == NULL)
		return PA_OK;
	put_text(building, "type", (pa_str){type, strlen(type)});
	if (message->reply_to.len > MAX_WAMID)
		return wa_fail(building->err, PA_REJECTED, "reply_to is no message id");
	if (message->reply_to.len) {
		open_object(building, "context");
		put_text(building, "message_id", message->reply_to);
		close_object(building);
	}
	if (message->ref.len > MAX_REF)
		return wa_fail(building->err, PA_REJECTED, "ref has %zu bytes, the limit is %d",
			       message->ref.len, MAX_REF);
	if (message->ref.len)
		put_text(building, "biz_opaque_callback_data", message->ref);
	if (message->device_key.len)
		put_text(building, "recipient_identity_key_hash", message->device_key);
	return put_person(building);
}

/* ---- the request ---- */

static pa_status finish(struct building *building, pa_http_request *ret)
{
	const struct whatsapp *wa = building->wa;
	const struct wa_writer *writer = &building->writer;
	pa_str body;

	if (writer->is_broken)
		return wa_fail(building->err, PA_REJECTED, "a text of the message is not UTF-8");
	body = wa_copy(wa, building->call, (pa_str){writer->bytes, writer->len});
	wa_request(wa, building->call, "POST",
		   wa_graph_url(wa, building->call, wa->phone_number_id, WA_STR("/messages")),
		   WA_STR("application/json"), body, ret);
	return PA_OK;
}

static pa_status build_message(struct building *building, pa_http_request *ret)
{
	const struct out_kind *kind = &kinds[building->message->kind];
	pa_status status;

	open_object(building, NULL);
	status = put_envelope(building, kind->type);
	if (status == PA_OK)
		status = kind->build(building);
	close_object(building);
	if (status == PA_OK)
		status = finish(building, ret);
	wa_writer_free(&building->writer);
	return status;
}

pa_status wa_build(void *self, pa_call *call, const pa_message *message,
		   pa_http_request *ret_request, pa_error *err)
{
	struct building building = {.wa = self, .call = call, .message = message, .err = err};

	if (message->kind >= WA_COUNT(kinds) || kinds[message->kind].build == NULL)
		return wa_fail(err, PA_REJECTED, "WhatsApp has no message of kind %u",
			       message->kind);
	if (message->account.len && !wa_equal(message->account, building.wa->phone_number_id))
		return wa_fail(err, PA_REJECTED, "the account is not this channel's phone number");
	if ((message->media_bytes.len || message->media_id.len) && !kinds[message->kind].takes_file)
		return wa_fail(err, PA_REJECTED, "this kind of message carries no file");
	if (message->media_bytes.len && message->media_id.len == 0)
		return upload_build(&building, ret_request);
	return build_message(&building, ret_request);
}
