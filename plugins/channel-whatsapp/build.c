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

void put_text(struct building *building, json_t *object, const char *key, pa_str text)
{
	json_t *value = json_stringn(text.ptr ? text.ptr : "", text.len);

	(void)put_value(building, object, key, value);
}

json_t *put_value(struct building *building, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new_nocheck(object, key, value) == 0)
		return value;
	building->is_broken = true;
	return NULL;
}

json_t *add_value(struct building *building, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) == 0)
		return value;
	building->is_broken = true;
	return NULL;
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

static void put_buttons(struct building *building, json_t *action)
{
	json_t *buttons = put_value(building, action, "buttons", json_array());

	for (size_t i = 0; i < building->message->choices_count; i++) {
		const pa_choice *choice = building->message->choices[i];
		json_t *button = add_value(building, buttons, json_object());
		json_t *reply = NULL;

		put_text(building, button, "type", WA_STR("reply"));
		reply = put_value(building, button, "reply", json_object());
		put_text(building, reply, "id", choice->id);
		put_text(building, reply, "title", choice->title);
	}
}

static void add_row(struct building *building, json_t *rows, const pa_choice *choice)
{
	json_t *row = add_value(building, rows, json_object());

	put_text(building, row, "id", choice->id);
	put_text(building, row, "title", choice->title);
	if (choice->description.len)
		put_text(building, row, "description", choice->description);
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

/* Rows without a title of a section belong to the one that is open. */
static pa_status put_sections(struct building *building, json_t *action)
{
	const pa_message *message = building->message;
	json_t *sections = put_value(building, action, "sections", json_array());
	json_t *rows = NULL;
	size_t min = count_sections(message) > 1;

	for (size_t i = 0; i < message->choices_count; i++) {
		const pa_choice *choice = message->choices[i];

		if (opens_section(message, i)) {
			json_t *section = add_value(building, sections, json_object());
			pa_status status = check_length(building, "section title", choice->section,
							min, MAX_SECTION_TITLE);

			if (status != PA_OK)
				return status;
			if (choice->section.len)
				put_text(building, section, "title", choice->section);
			rows = put_value(building, section, "rows", json_array());
		}
		add_row(building, rows, choice);
	}
	return PA_OK;
}

static void put_header(struct building *building, json_t *interactive)
{
	const pa_message *message = building->message;
	const char *media = media_is_image(message) ? "image" : "document";
	json_t *header;

	if (message->header.len == 0 && message->media_id.len == 0)
		return;
	header = put_value(building, interactive, "header", json_object());
	if (message->media_id.len == 0) {
		put_text(building, header, "type", WA_STR("text"));
		put_text(building, header, "text", message->header);
		return;
	}
	put_text(building, header, "type", (pa_str){media, strlen(media)});
	(void)put_value(building, header, media, media_object(building));
}

/* What both kinds have; returns action. */
static json_t *put_interactive(struct building *building, json_t *root, pa_str type)
{
	const pa_message *message = building->message;
	json_t *interactive = put_value(building, root, "interactive", json_object());
	json_t *part;

	put_text(building, interactive, "type", type);
	put_header(building, interactive);
	part = put_value(building, interactive, "body", json_object());
	put_text(building, part, "text", message->body);
	if (message->footer.len) {
		part = put_value(building, interactive, "footer", json_object());
		put_text(building, part, "text", message->footer);
	}
	return put_value(building, interactive, "action", json_object());
}

/* ---- the kinds ---- */

static pa_status build_text(struct building *building, json_t *root)
{
	pa_status status = check_parts(building, text_limits, WA_COUNT(text_limits));
	json_t *text = put_value(building, root, "text", json_object());

	put_text(building, text, "body", building->message->body);
	return status;
}

static pa_status build_buttons(struct building *building, json_t *root)
{
	pa_status status = check_parts(building, buttons_limits, WA_COUNT(buttons_limits));

	if (status == PA_OK && building->message->header.len && building->message->media_id.len)
		return wa_fail(building->err, PA_REJECTED, "header is either a text or a file");
	if (status == PA_OK)
		status = check_choices(building, &button_rules, "buttons");
	if (status == PA_OK)
		put_buttons(building, put_interactive(building, root, WA_STR("button")));
	return status;
}

static pa_status build_list(struct building *building, json_t *root)
{
	pa_status status = check_parts(building, list_limits, WA_COUNT(list_limits));
	json_t *action;

	if (status == PA_OK)
		status = check_choices(building, &row_rules, "rows");
	if (status != PA_OK)
		return status;
	action = put_interactive(building, root, WA_STR("list"));
	put_text(building, action, "button", building->message->list_button);
	return put_sections(building, action);
}

static pa_status build_media(struct building *building, json_t *root)
{
	const char *type = media_is_image(building->message) ? "image" : "document";
	pa_status status = check_parts(building, media_limits, WA_COUNT(media_limits));
	json_t *media;

	if (status == PA_OK)
		status = media_check(building);
	if (status != PA_OK)
		return status;
	media = put_value(building, root, type, media_object(building));
	if (building->message->body.len)
		put_text(building, media, "caption", building->message->body);
	return PA_OK;
}

static pa_status build_read_mark(struct building *building, json_t *root)
{
	const pa_message *message = building->message;
	json_t *typing;

	put_text(building, root, "status", WA_STR("read"));
	put_text(building, root, "message_id", message->reply_to);
	if (message->flags & PA_OUT_FLAG_TYPING) {
		typing = put_value(building, root, "typing_indicator", json_object());
		put_text(building, typing, "type", WA_STR("text"));
	}
	return check_length(building, "reply_to", message->reply_to, 1, MAX_WAMID);
}

static const struct out_kind {
	const char *type; /* NULL: nobody is addressed */
	bool takes_file;
	pa_status (*build)(struct building *building, json_t *root);
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
static pa_status put_person(struct building *building, json_t *root)
{
	const pa_message *message = building->message;
	char to[1 + 20] = {'+'};

	if (message->phone.len) {
		if (!wa_is_digits(message->phone, 5, sizeof(to) - 1))
			return wa_fail(building->err, PA_REJECTED,
				       "the phone is not 5 to 20 digits");
		memcpy(to + 1, message->phone.ptr, message->phone.len);
		put_text(building, root, "to", (pa_str){to, message->phone.len + 1});
		return PA_OK;
	}
	if (!wa_is_user_id(message->user_id))
		return wa_fail(building->err, PA_REJECTED, "neither a phone nor a user id");
	put_text(building, root, "recipient", message->user_id);
	return PA_OK;
}

static pa_status put_envelope(struct building *building, json_t *root, const char *type)
{
	const pa_message *message = building->message;
	json_t *context;

	put_text(building, root, "messaging_product", WA_STR("whatsapp"));
	if (type == NULL)
		return PA_OK;
	put_text(building, root, "type", (pa_str){type, strlen(type)});
	if (message->reply_to.len > MAX_WAMID)
		return wa_fail(building->err, PA_REJECTED, "reply_to is no message id");
	if (message->reply_to.len) {
		context = put_value(building, root, "context", json_object());
		put_text(building, context, "message_id", message->reply_to);
	}
	if (message->ref.len > MAX_REF)
		return wa_fail(building->err, PA_REJECTED, "ref has %zu bytes, the limit is %d",
			       message->ref.len, MAX_REF);
	if (message->ref.len)
		put_text(building, root, "biz_opaque_callback_data", message->ref);
	if (message->device_key.len)
		put_text(building, root, "recipient_identity_key_hash", message->device_key);
	return put_person(building, root);
}

/* ---- the request ---- */

static pa_status finish(struct building *building, const json_t *root, pa_http_request *ret)
{
	const struct whatsapp *wa = building->wa;
	char *text = building->is_broken ? NULL : json_dumps(root, JSON_COMPACT);
	pa_str body;

	if (text == NULL)
		return wa_fail(building->err, PA_REJECTED, "a text of the message is not UTF-8");
	body = wa_copy(wa, building->call, (pa_str){text, strlen(text)});
	free(text);
	wa_request(wa, building->call, "POST",
		   wa_graph_url(wa, building->call, wa->phone_number_id, WA_STR("/messages")),
		   WA_STR("application/json"), body, ret);
	return PA_OK;
}

static pa_status build_message(struct building *building, pa_http_request *ret)
{
	const struct out_kind *kind = &kinds[building->message->kind];
	json_t *root = json_object();
	pa_status status = put_envelope(building, root, kind->type);

	if (status == PA_OK)
		status = kind->build(building, root);
	if (status == PA_OK)
		status = finish(building, root, ret);
	json_decref(root);
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
