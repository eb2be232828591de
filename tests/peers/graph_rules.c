/* SPDX-License-Identifier: Apache-2.0 */
#include "peers/graph_rules.h"

#include "base/str.h"
#include "io/unicode.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define INVALID 131009
#define MISSING 131008
#define UNKNOWN 100

/* Under check: where we are, and the first thing that was wrong. */
struct check {
	const struct graph_world *world;
	struct verdict verdict;
};

__attribute__((format(printf, 3, 4))) static bool fail(struct check *check, int code,
						       const char *format, ...)
{
	va_list args;

	if (check->verdict.code)
		return false;
	check->verdict.http = 400;
	check->verdict.code = code;
	va_start(args, format);
	vsnprintf(check->verdict.details, sizeof(check->verdict.details), format, args);
	va_end(args);
	return false;
}

/* keys is one string, "a b c". */
static bool only_keys(struct check *check, json_t *object, const char *where, const char *keys)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return fail(check, UNKNOWN, "%s must be an object", where);
	json_object_foreach(object, key, value)
	{
		const char *at = strstr(keys, key);
		size_t length = strlen(key);

		while (at && ((at != keys && at[-1] != ' ') || (at[length] && at[length] != ' ')))
			at = strstr(at + 1, key);
		if (!at || !length)
			return fail(check, UNKNOWN, "unexpected key '%s' in %s", key, where);
	}
	return true;
}

static size_t length_of(json_t *text)
{
	return utf8_length((pa_str){json_string_value(text), json_string_length(text)});
}

/* A text of 1 to max code points. */
static bool text(struct check *check, json_t *object, const char *key, size_t max)
{
	json_t *value = json_object_get(object, key);

	if (!value)
		return fail(check, MISSING, "'%s' is missing", key);
	if (!json_is_string(value))
		return fail(check, UNKNOWN, "'%s' must be a string", key);
	if (json_string_length(value) == 0)
		return fail(check, INVALID, "'%s' is empty", key);
	if (length_of(value) > max)
		return fail(check, INVALID, "'%s' is longer than %zu", key, max);
	return true;
}

static bool optional_text(struct check *check, json_t *object, const char *key, size_t max)
{
	return !json_object_get(object, key) || text(check, object, key, max);
}

static bool one_of(struct check *check, json_t *object, const char *key, const char *values)
{
	const char *value = json_string_value(json_object_get(object, key));
	char padded[64];

	if (!value)
		return fail(check, MISSING, "'%s' is missing", key);
	snprintf(padded, sizeof(padded), " %s ", value);
	if (strchr(value, ' ') || !strstr(values, padded))
		return fail(check, INVALID, "'%s' is none of%s", key, values);
	return true;
}

/* ---- media ----------------------------------------------------------------------------------- */

static bool media(struct check *check, json_t *object, const char *where, const char *keys)
{
	json_t *id = json_object_get(object, "id"), *link = json_object_get(object, "link");

	if (!only_keys(check, object, where, keys))
		return false;
	if (!id == !link)
		return fail(check, UNKNOWN, "%s needs exactly one of id and link", where);
	if (id && !json_is_string(id))
		return fail(check, UNKNOWN, "%s id must be a string", where);
	if (id && !check->world->knows_media(check->world->arg, json_string_value(id)))
		return fail(check, INVALID, "%s id is not known", where);
	if (link && (!json_is_string(link) ||
		     !str_starts(str_from(json_string_value(link)), PA_STR("http"))))
		return fail(check, INVALID, "%s link is not a URL", where);
	return optional_text(check, object, "caption", 1024) &&
	       optional_text(check, object, "filename", 240);
}

static bool check_image(struct check *check, json_t *object)
{
	return media(check, object, "image", "id link caption");
}

static bool check_video(struct check *check, json_t *object)
{
	return media(check, object, "video", "id link caption");
}

static bool check_document(struct check *check, json_t *object)
{
	return media(check, object, "document", "id link caption filename");
}

static bool check_audio(struct check *check, json_t *object)
{
	return media(check, object, "audio", "id link voice");
}

static bool check_sticker(struct check *check, json_t *object)
{
	return media(check, object, "sticker", "id link");
}

/* ---- plain types ------------------------------------------------------------------------------
 */

static bool check_text(struct check *check, json_t *object)
{
	json_t *preview = json_object_get(object, "preview_url");

	if (preview && !json_is_boolean(preview))
		return fail(check, UNKNOWN, "'preview_url' must be a boolean");
	return only_keys(check, object, "text", "body preview_url") &&
	       text(check, object, "body", 4096);
}

static bool check_location(struct check *check, json_t *object)
{
	if (!json_object_get(object, "latitude") || !json_object_get(object, "longitude"))
		return fail(check, MISSING, "latitude or longitude is missing");
	return only_keys(check, object, "location", "latitude longitude name address");
}

static bool check_contacts(struct check *check, json_t *object)
{
	size_t i;
	json_t *card;

	if (!json_is_array(object) || json_array_size(object) == 0)
		return fail(check, UNKNOWN, "contacts must be an array");
	json_array_foreach(object, i, card)
	{
		if (!text(check, json_object_get(card, "name"), "formatted_name", 1024))
			return false;
	}
	return true;
}

static bool check_reaction(struct check *check, json_t *object)
{
	return only_keys(check, object, "reaction", "message_id emoji") &&
	       text(check, object, "message_id", 512) && text(check, object, "emoji", 8);
}

/* ---- interactive ------------------------------------------------------------------------------
 */

static bool check_header(struct check *check, json_t *header, bool is_text_only)
{
	const char *type = json_string_value(json_object_get(header, "type"));

	if (!header)
		return true;
	if (!only_keys(check, header, "header", "type text image video document") ||
	    !one_of(check, header, "type", is_text_only ? " text " : " text image video document "))
		return false;
	if (strcmp(type, "text") == 0)
		return text(check, header, "text", 60);
	return media(check, json_object_get(header, type), "header",
		     strcmp(type, "document") == 0 ? "id link filename" : "id link");
}

/* Ids and titles must differ among each other. */
static bool unique(struct check *check, json_t *seen, const char *value, const char *what)
{
	if (json_object_get(seen, value))
		return fail(check, INVALID, "%s are not unique", what);
	json_object_set_new(seen, value, json_true());
	return true;
}

static void json_done(json_t **json)
{
	json_decref(*json);
}

static bool check_button(struct check *check, json_t *button, json_t *ids, json_t *titles)
{
	json_t *reply = json_object_get(button, "reply");
	const char *id = json_string_value(json_object_get(reply, "id"));
	const char *title = json_string_value(json_object_get(reply, "title"));

	if (!only_keys(check, button, "button", "type reply") ||
	    !one_of(check, button, "type", " reply ") ||
	    !only_keys(check, reply, "reply", "id title") || !text(check, reply, "id", 256) ||
	    !text(check, reply, "title", 20))
		return false;
	if (isspace((unsigned char)id[0]) || isspace((unsigned char)id[strlen(id) - 1]))
		return fail(check, INVALID, "a button id begins or ends with a space");
	return unique(check, ids, id, "button ids") &&
	       unique(check, titles, title, "button titles");
}

static bool check_buttons(struct check *check, json_t *action)
{
	json_t *ids PA_CLEANUP(json_done) = json_object();
	json_t *titles PA_CLEANUP(json_done) = json_object();
	json_t *buttons = json_object_get(action, "buttons"), *button;
	size_t i;

	if (!only_keys(check, action, "action", "buttons"))
		return false;
	if (json_array_size(buttons) < 1 || json_array_size(buttons) > 3)
		return fail(check, INVALID, "there must be 1 to 3 buttons");
	json_array_foreach(buttons, i, button)
	{
		if (!check_button(check, button, ids, titles))
			return false;
	}
	return true;
}

static bool check_row(struct check *check, json_t *row, json_t *ids)
{
	return only_keys(check, row, "row", "id title description") &&
	       text(check, row, "id", 200) && text(check, row, "title", 24) &&
	       optional_text(check, row, "description", 72) &&
	       unique(check, ids, json_string_value(json_object_get(row, "id")), "row ids");
}

static bool check_section(struct check *check, json_t *section, json_t *ids, bool is_only)
{
	json_t *row;
	size_t i;

	if (!only_keys(check, section, "section", "title rows") ||
	    !(is_only ? optional_text(check, section, "title", 24)
		      : text(check, section, "title", 24)))
		return false;
	if (json_array_size(json_object_get(section, "rows")) == 0)
		return fail(check, INVALID, "a section has no rows");
	json_array_foreach(json_object_get(section, "rows"), i, row)
	{
		if (!check_row(check, row, ids))
			return false;
	}
	return true;
}

static bool check_list(struct check *check, json_t *action)
{
	json_t *ids PA_CLEANUP(json_done) = json_object();
	json_t *sections = json_object_get(action, "sections"), *section;
	size_t count = json_array_size(sections), i;

	if (!only_keys(check, action, "action", "button sections") ||
	    !text(check, action, "button", 20))
		return false;
	if (count < 1 || count > 10)
		return fail(check, INVALID, "there must be 1 to 10 sections");
	json_array_foreach(sections, i, section)
	{
		if (!check_section(check, section, ids, count == 1))
			return false;
	}
	if (json_object_size(ids) > 10)
		return fail(check, INVALID, "there are more than 10 rows");
	return true;
}

static bool check_cta(struct check *check, json_t *action)
{
	json_t *parameters = json_object_get(action, "parameters");

	return only_keys(check, action, "action", "name parameters") &&
	       one_of(check, action, "name", " cta_url ") &&
	       only_keys(check, parameters, "parameters", "display_text url") &&
	       text(check, parameters, "display_text", 20) && text(check, parameters, "url", 2000);
}

static bool check_named(struct check *check, json_t *action)
{
	return only_keys(check, action, "action", "name") &&
	       one_of(check, action, "name", " send_location request_contact_info ");
}

static bool check_flow(struct check *check, json_t *action)
{
	json_t *parameters = json_object_get(action, "parameters");

	if (!json_object_get(parameters, "flow_id") == !json_object_get(parameters, "flow_name"))
		return fail(check, UNKNOWN, "a flow needs exactly one of flow_id and flow_name");
	return one_of(check, action, "name", " flow ") &&
	       text(check, parameters, "flow_message_version", 4) &&
	       text(check, parameters, "flow_cta", 20);
}

static bool check_interactive(struct check *check, json_t *object)
{
	static const struct {
		const char *type;
		bool is_header_text;
		bool (*action)(struct check *check, json_t *action);
	} kinds[] = {
		{"button", false, check_buttons},
		{"list", true, check_list},
		{"cta_url", false, check_cta},
		{"flow", false, check_flow},
		{"location_request_message", true, check_named},
		{"request_contact_info", true, check_named},
	};
	const char *type = json_string_value(json_object_get(object, "type"));
	json_t *body = json_object_get(object, "body"), *footer = json_object_get(object, "footer");

	if (!only_keys(check, object, "interactive", "type header body footer action") ||
	    !only_keys(check, body, "body", "text") || !text(check, body, "text", 1024))
		return false;
	if (footer &&
	    (!only_keys(check, footer, "footer", "text") || !text(check, footer, "text", 60)))
		return false;
	for (size_t i = 0; type && i < ARRAY_COUNT(kinds); i++) {
		if (strcmp(kinds[i].type, type) == 0)
			return check_header(check, json_object_get(object, "header"),
					    kinds[i].is_header_text) &&
			       kinds[i].action(check, json_object_get(object, "action"));
	}
	return fail(check, INVALID, "interactive type is not known");
}

/* ---- templates --------------------------------------------------------------------------------
 */

/* A text parameter holds no line break, tab or run of more than four spaces. */
static bool check_parameter(struct check *check, json_t *parameter)
{
	const char *type = json_string_value(json_object_get(parameter, "type"));
	const char *value;

	if (!type)
		return fail(check, MISSING, "a template parameter has no type");
	if (strcmp(type, "text") != 0)
		return json_object_get(parameter, type) != NULL ||
		       fail(check, MISSING, "a template parameter lacks its value");
	if (!only_keys(check, parameter, "parameter", "type text parameter_name") ||
	    !text(check, parameter, "text", 1024))
		return false;
	value = json_string_value(json_object_get(parameter, "text"));
	if (strpbrk(value, "\n\t") || strstr(value, "     "))
		return fail(check, 132018, "a template parameter holds a line break or tab");
	return true;
}

static bool check_component(struct check *check, json_t *component, size_t *ret_body)
{
	json_t *parameters = json_object_get(component, "parameters"), *parameter;
	size_t i;

	if (!only_keys(check, component, "component", "type sub_type index parameters") ||
	    !one_of(check, component, "type", " header body button "))
		return false;
	if (!json_is_array(parameters) || json_array_size(parameters) == 0)
		return fail(check, MISSING, "a component has no parameters");
	if (strcmp(json_string_value(json_object_get(component, "type")), "body") == 0)
		*ret_body = json_array_size(parameters);
	else if (strcmp(json_string_value(json_object_get(component, "type")), "button") == 0 &&
		 (!one_of(check, component, "sub_type", " quick_reply url copy_code flow ") ||
		  !json_object_get(component, "index")))
		return fail(check, MISSING, "a button component needs sub_type and index");
	json_array_foreach(parameters, i, parameter)
	{
		if (!check_parameter(check, parameter))
			return false;
	}
	return true;
}

static bool check_known_template(struct check *check, json_t *object, size_t body)
{
	const char *name = json_string_value(json_object_get(object, "name"));
	const char *code =
		json_string_value(json_object_get(json_object_get(object, "language"), "code"));
	json_t *known = json_object_get(check->world->templates, name), *language;
	size_t i;

	if (json_object_size(check->world->templates) == 0)
		return true;
	json_array_foreach(json_object_get(known, "languages"), i, language)
	{
		if (strcmp(json_string_value(language), code) != 0)
			continue;
		if ((size_t)json_integer_value(json_object_get(known, "body")) != body)
			return fail(check, 132000, "the number of body parameters differs");
		return true;
	}
	fail(check, 132001, "the template does not exist in that language");
	check->verdict.http = 404;
	return false;
}

static bool check_template(struct check *check, json_t *object)
{
	json_t *component;
	size_t i, body = 0;

	if (!only_keys(check, object, "template", "name language components") ||
	    !text(check, object, "name", 512) ||
	    !only_keys(check, json_object_get(object, "language"), "language", "code policy") ||
	    !text(check, json_object_get(object, "language"), "code", 15))
		return false;
	json_array_foreach(json_object_get(object, "components"), i, component)
	{
		if (!check_component(check, component, &body))
			return false;
	}
	return check_known_template(check, object, body);
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static bool is_bsuid(const char *id)
{
	size_t length = strlen(id);

	if (length < 4 || !isupper((unsigned char)id[0]) || !isupper((unsigned char)id[1]) ||
	    id[2] != '.')
		return false;
	for (size_t i = 3; i < length; i++) {
		if (!isalnum((unsigned char)id[i]) && id[i] != '.')
			return false;
	}
	return length <= 140;
}

static bool check_recipient(struct check *check, json_t *request)
{
	const char *to = json_string_value(json_object_get(request, "to"));
	const char *recipient = json_string_value(json_object_get(request, "recipient"));

	if (!to == !recipient)
		return fail(check, UNKNOWN, "exactly one of to and recipient is needed");
	if (recipient)
		return is_bsuid(recipient) || fail(check, INVALID, "recipient is not a user id");
	if (is_bsuid(to))
		return fail(check, 131026, "a user id does not belong into to");
	if (to[0] != '+' || !str_is_digits(str_from(to + 1)) || strlen(to) < 9 || strlen(to) > 16)
		return fail(check, INVALID, "to is not a phone number with + and country code");
	return true;
}

static bool check_read(struct check *check, json_t *request)
{
	json_t *typing = json_object_get(request, "typing_indicator");

	if (!only_keys(check, request, "the request",
		       "messaging_product status message_id typing_indicator") ||
	    !one_of(check, request, "status", " read ") || !text(check, request, "message_id", 512))
		return false;
	if (typing && (!only_keys(check, typing, "typing_indicator", "type") ||
		       !one_of(check, typing, "type", " text ")))
		return false;
	if (!check->world->knows_inbound(check->world->arg,
					 json_string_value(json_object_get(request, "message_id"))))
		return fail(check, INVALID, "message_id is not one of ours");
	return true;
}

static bool check_content(struct check *check, json_t *request)
{
	static const struct {
		const char *type;
		bool (*check)(struct check *check, json_t *object);
	} types[] = {
		{"text", check_text},         {"image", check_image},
		{"video", check_video},       {"document", check_document},
		{"audio", check_audio},       {"sticker", check_sticker},
		{"location", check_location}, {"contacts", check_contacts},
		{"reaction", check_reaction}, {"interactive", check_interactive},
		{"template", check_template},
	};
	const char *type = json_string_value(json_object_get(request, "type"));
	bool is_found = false;

	if (!type)
		return fail(check, MISSING, "'type' is missing");
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		json_t *object = json_object_get(request, types[i].type);

		if (strcmp(types[i].type, type) != 0) {
			if (object)
				return fail(check, UNKNOWN, "'%s' beside another type",
					    types[i].type);
			continue;
		}
		if (!object)
			return fail(check, MISSING, "'%s' is missing", type);
		if (!types[i].check(check, object))
			return false;
		is_found = true;
	}
	return is_found || fail(check, 131051, "'type' is not known");
}

static bool check_message(struct check *check, json_t *request)
{
	json_t *context = json_object_get(request, "context");

	if (!only_keys(check, request, "the request",
		       "messaging_product recipient_type to recipient type context "
		       "biz_opaque_callback_data recipient_identity_key_hash text image video "
		       "document audio sticker location contacts reaction interactive template"))
		return false;
	if (json_object_get(request, "recipient_type") &&
	    !one_of(check, request, "recipient_type", " individual "))
		return false;
	if (context && (!only_keys(check, context, "context", "message_id") ||
			!text(check, context, "message_id", 512)))
		return false;
	return check_recipient(check, request) &&
	       optional_text(check, request, "biz_opaque_callback_data", 512) &&
	       check_content(check, request);
}

bool graph_is_read(json_t *request)
{
	return json_object_get(request, "status") != NULL;
}

struct verdict graph_check(const struct graph_world *world, json_t *request)
{
	struct check check = {.world = world};

	if (!json_is_object(request))
		fail(&check, UNKNOWN, "the body is not a JSON object");
	else if (one_of(&check, request, "messaging_product", " whatsapp ")) {
		if (graph_is_read(request))
			check_read(&check, request);
		else
			check_message(&check, request);
	}
	return check.verdict;
}
