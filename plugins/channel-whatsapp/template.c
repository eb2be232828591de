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
	const char *word; /* NULL: the message's file, which comes without asking */
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
static const struct parameter_kind file_kind = {.component = "header"};

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

/* ---- parameters ---- */

struct parameter {
	const struct parameter_kind *kind;
	pa_str rest; /* of its name: the button's index, or the name in the template */
	pa_str value;
};

struct parameters {
	struct parameter list[1 + MAX_PARAMS];
	size_t count;
};

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

static pa_status read_parameters(struct building *building, struct parameters *ret)
{
	const pa_message *message = building->message;
	size_t body_length = 0;

	if (message->params_count > MAX_PARAMS)
		return wa_fail(building->err, PA_REJECTED, "%zu parameters, the limit is %d",
			       message->params_count, MAX_PARAMS);
	if (message->media_id.len)
		ret->list[ret->count++] = (struct parameter){.kind = &file_kind};
	for (size_t i = 0; i < message->params_count; i++) {
		const pa_pair *pair = message->params[i];
		struct parameter *parameter = &ret->list[ret->count++];
		pa_status status;

		parameter->kind = kind_find(pair->name, &parameter->rest);
		parameter->value = pair->value;
		status = check_parameter(building, parameter->kind, pair, &body_length);
		if (status != PA_OK)
			return status;
	}
	return PA_OK;
}

static void put_file(struct building *building)
{
	open_object(building, NULL);
	put_text(building, "type",
		 media_is_image(building->message) ? WA_STR("image") : WA_STR("document"));
	open_media(building);
	close_object(building);
	close_object(building);
}

static void put_parameter(struct building *building, const struct parameter *parameter)
{
	const char *type = parameter->kind->type;

	if (parameter->kind == &file_kind) {
		put_file(building);
		return;
	}
	open_object(building, NULL);
	put_text(building, "type", (pa_str){type, strlen(type)});
	if (parameter->kind->sub_type == NULL && parameter->rest.len)
		put_text(building, "parameter_name", parameter->rest);
	put_text(building, type, parameter->value);
	close_object(building);
}

/* ---- components ---- */

/* Leaves "parameters" open. */
static void open_component(struct building *building, const struct parameter *first)
{
	const struct parameter_kind *kind = first->kind;

	open_object(building, NULL);
	put_text(building, "type", (pa_str){kind->component, strlen(kind->component)});
	if (kind->sub_type != NULL) {
		put_text(building, "sub_type", (pa_str){kind->sub_type, strlen(kind->sub_type)});
		put_text(building, "index", first->rest);
	}
	open_array(building, "parameters");
}

static void close_component(struct building *building)
{
	close_array(building);
	close_object(building);
}

/* Body and header are one component each, buttons one for each place. */
static bool share_component(const struct parameter *a, const struct parameter *b)
{
	return strcmp(a->kind->component, b->kind->component) == 0 &&
	       (a->kind->sub_type == NULL || wa_equal(a->rest, b->rest));
}

static bool is_first_of_component(const struct parameters *parameters, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (share_component(&parameters->list[i], &parameters->list[at]))
			return false;
	return true;
}

static void put_component(struct building *building, const struct parameters *parameters,
			  size_t first)
{
	open_component(building, &parameters->list[first]);
	for (size_t i = first; i < parameters->count; i++)
		if (share_component(&parameters->list[first], &parameters->list[i]))
			put_parameter(building, &parameters->list[i]);
	close_component(building);
}

static void put_components(struct building *building, const struct parameters *parameters)
{
	open_array(building, "components");
	for (size_t i = 0; i < parameters->count; i++)
		if (is_first_of_component(parameters, i))
			put_component(building, parameters, i);
	close_array(building);
}

/* es-CO in our configuration, es_CO at Meta. */
static void put_language(struct building *building)
{
	pa_str given = building->message->template_language;
	char code[MAX_LANGUAGE];

	for (size_t i = 0; i < given.len; i++)
		code[i] = given.ptr[i] == '-' ? '_' : given.ptr[i];
	open_object(building, "language");
	put_text(building, "code", (pa_str){code, given.len});
	close_object(building);
}

pa_status template_build(struct building *building)
{
	const pa_message *message = building->message;
	struct parameters parameters = {.count = 0};
	pa_status status;

	if (!is_template_name(message->template_name))
		return wa_fail(building->err, PA_REJECTED,
			       "template_name is not 1 to %d lower-case letters, digits and _",
			       MAX_NAME);
	if (!wa_is_word(message->template_language, 2, MAX_LANGUAGE, "_-"))
		return wa_fail(building->err, PA_REJECTED, "template_language is none");
	status = read_parameters(building, &parameters);
	if (status != PA_OK)
		return status;
	open_object(building, "template");
	put_text(building, "name", message->template_name);
	put_language(building);
	if (parameters.count)
		put_components(building, &parameters);
	close_object(building);
	return PA_OK;
}
