/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates: the only messages outside of the 24 h window. Meta's "Template messages" and
 * "Authentication templates".
 *
 * Parameters, in order: "body" (or "body:NAME" where the template names its own), "header",
 * "url:N" and "payload:N" for the button at place N. The code of an authentication template goes
 * twice, as "body" and as "url:0".
 */
#include "building.h"

#include <string.h>

#define MAX_NAME 512
#define MAX_LANGUAGE 15
#define MAX_HEADER 60
#define MAX_RENDERED_BODY 1024
#define MAX_URL_PART 2000
#define MAX_PAYLOAD 256
#define MAX_BLANKS 4 /* in a row */
#define MAX_BUTTON_INDEX 9
#define MAX_PARAMS 64

static bool is_template_name(pa_str s)
{
	if (s.len == 0 || s.len > MAX_NAME)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') ||
		      (s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '_'))
			return false;
	return true;
}

/* Meta refuses new lines, tabs and more than four blanks in a row (132018 and others). */
static bool is_one_line(pa_str s)
{
	size_t blanks = 0;

	for (size_t i = 0; i < s.len; i++) {
		blanks = s.ptr[i] == ' ' ? blanks + 1 : 0;
		if (s.ptr[i] == '\n' || s.ptr[i] == '\r' || s.ptr[i] == '\t' || blanks > MAX_BLANKS)
			return false;
	}
	return true;
}

/* One kind of parameter, by the word before the colon. */
struct parameter_kind {
	const char *word;
	const char *component;
	const char *sub_type; /* buttons only */
	const char *type;
	size_t max;
};

static const struct parameter_kind parameter_kinds[] = {
	{"body", "body", NULL, "text", MAX_RENDERED_BODY},
	{"header", "header", NULL, "text", MAX_HEADER},
	{"url", "button", "url", "text", MAX_URL_PART},
	{"payload", "button", "quick_reply", "payload", MAX_PAYLOAD},
};

/* Cuts "url:0" into its word and what stands behind the colon (absent: no colon). */
static pa_str name_split(pa_str name, pa_str *ret_rest)
{
	const char *colon = name.len ? memchr(name.ptr, ':', name.len) : NULL;
	size_t len = colon ? (size_t)(colon - name.ptr) : name.len;

	*ret_rest = colon ? (pa_str){colon + 1, name.len - len - 1} : (pa_str){NULL, 0};
	return (pa_str){name.ptr, len};
}

static bool rest_is_fit(const struct parameter_kind *kind, pa_str rest)
{
	int64_t index;

	if (kind->sub_type != NULL)
		return wa_to_number(rest, MAX_BUTTON_INDEX, &index);
	if (rest.ptr == NULL)
		return true;
	return strcmp(kind->word, "body") == 0 && is_template_name(rest);
}

static const struct parameter_kind *kind_find(pa_str name, pa_str *ret_rest)
{
	pa_str word = name_split(name, ret_rest);

	for (size_t i = 0; i < WA_COUNT(parameter_kinds); i++)
		if (wa_equal_literal(word, parameter_kinds[i].word) &&
		    rest_is_fit(&parameter_kinds[i], *ret_rest))
			return &parameter_kinds[i];
	return NULL;
}

/* ---- components ---- */

static json_t *component_new(struct building *building, json_t *components, const char *type)
{
	json_t *component = add_value(building, components, json_object());

	put_text(building, component, "type", (pa_str){type, strlen(type)});
	(void)put_value(building, component, "parameters", json_array());
	return component;
}

/* The component the parameter belongs to: made when its first parameter comes. */
static json_t *component_of(struct building *building, json_t *components,
			    const struct parameter_kind *kind, pa_str index)
{
	for (size_t i = 0; i < json_array_size(components); i++) {
		json_t *component = json_array_get(components, i);

		if (wa_equal_literal(wa_text_at(component, "type"), kind->component) &&
		    (kind->sub_type == NULL || wa_equal(wa_text_at(component, "index"), index)))
			return component;
	}
	json_t *component = component_new(building, components, kind->component);

	if (kind->sub_type != NULL) {
		put_text(building, component, "sub_type",
			 (pa_str){kind->sub_type, strlen(kind->sub_type)});
		put_text(building, component, "index", index);
	}
	return component;
}

static void put_parameter(struct building *building, json_t *components,
			  const struct parameter_kind *kind, const pa_pair *pair)
{
	pa_str rest;
	json_t *component;
	json_t *parameter;

	(void)name_split(pair->name, &rest);
	component = component_of(building, components, kind, rest);
	parameter = add_value(building, json_object_get(component, "parameters"), json_object());
	put_text(building, parameter, "type", (pa_str){kind->type, strlen(kind->type)});
	if (kind->sub_type == NULL && rest.len)
		put_text(building, parameter, "parameter_name", rest);
	put_text(building, parameter, kind->type, pair->value);
}

static pa_status check_parameter(struct building *building, const struct parameter_kind *kind,
				 const pa_pair *pair, size_t *body_length)
{
	pa_status status;

	if (kind == NULL)
		return wa_fail(building->err, PA_REJECTED,
			       "a parameter is not named body, body:NAME, header, url:N or "
			       "payload:N");
	status = check_length(building, kind->word, pair->value, 1, kind->max);
	if (status != PA_OK)
		return status;
	if (!is_one_line(pair->value))
		return wa_fail(building->err, PA_REJECTED,
			       "parameter %s has a new line, a tab or more than %d blanks in a row",
			       kind->word, MAX_BLANKS);
	if (kind == &parameter_kinds[0])
		*body_length += wa_length(pair->value);
	if (*body_length > MAX_RENDERED_BODY)
		return wa_fail(building->err, PA_REJECTED,
			       "the parameters of the body have more than %d characters",
			       MAX_RENDERED_BODY);
	return PA_OK;
}

static pa_status put_parameters(struct building *building, json_t *components)
{
	const pa_message *message = building->message;
	size_t body_length = 0;

	if (message->params_count > MAX_PARAMS)
		return wa_fail(building->err, PA_REJECTED, "%zu parameters, the limit is %d",
			       message->params_count, MAX_PARAMS);
	for (size_t i = 0; i < message->params_count; i++) {
		const pa_pair *pair = message->params[i];
		pa_str rest;
		const struct parameter_kind *kind = kind_find(pair->name, &rest);
		pa_status status = check_parameter(building, kind, pair, &body_length);

		if (status != PA_OK)
			return status;
		put_parameter(building, components, kind, pair);
	}
	return PA_OK;
}

static void put_media_header(struct building *building, json_t *components)
{
	const char *type = media_is_image(building->message) ? "image" : "document";
	json_t *component = component_new(building, components, "header");
	json_t *parameter =
		add_value(building, json_object_get(component, "parameters"), json_object());

	put_text(building, parameter, "type", (pa_str){type, strlen(type)});
	(void)put_value(building, parameter, type, media_object(building));
}

/* es-CO in our configuration, es_CO at Meta. */
static void put_language(struct building *building, json_t *template)
{
	pa_str given = building->message->template_language;
	json_t *language = put_value(building, template, "language", json_object());
	char code[MAX_LANGUAGE];

	for (size_t i = 0; i < given.len; i++)
		code[i] = given.ptr[i] == '-' ? '_' : given.ptr[i];
	put_text(building, language, "code", (pa_str){code, given.len});
}

pa_status template_build(struct building *building, json_t *root)
{
	const pa_message *message = building->message;
	json_t *template = put_value(building, root, "template", json_object());
	json_t *components;

	if (!is_template_name(message->template_name))
		return wa_fail(building->err, PA_REJECTED,
			       "template_name is not 1 to %d lower-case letters, digits and _",
			       MAX_NAME);
	if (!wa_is_word(message->template_language, 2, MAX_LANGUAGE, "_-"))
		return wa_fail(building->err, PA_REJECTED, "template_language is none");
	put_text(building, template, "name", message->template_name);
	put_language(building, template);
	if (message->params_count == 0 && message->media_id.len == 0)
		return PA_OK;
	components = put_value(building, template, "components", json_array());
	if (message->media_id.len)
		put_media_header(building, components);
	return put_parameters(building, components);
}
