/* SPDX-License-Identifier: Apache-2.0
 *
 * Is the description of the gateway complete and free of contradictions? Better told at the start
 * than at the first code that doesn't arrive.
 */
#include "sms.h"

#include <string.h>

struct word {
	const char *name;
	uint32_t value;
};

static const struct word outcome_words[] = {
	{"retry", PA_OUTCOME_RETRY},
	{"wait", PA_OUTCOME_WAIT},
	{"give_up", PA_OUTCOME_GIVE_UP},
	{"alarm", PA_OUTCOME_ALARM},
};

static const struct word status_words[] = {
	{"sent", PA_STATUS_SENT},     {"delivered", PA_STATUS_DELIVERED}, {"read", PA_STATUS_READ},
	{"failed", PA_STATUS_FAILED}, {"other", PA_STATUS_OTHER},
};

static uint32_t word_find(const struct word *words, size_t count, pa_str name)
{
	for (size_t i = 0; i < count; i++)
		if (sms_equal_literal(name, words[i].name))
			return words[i].value;
	return 0;
}

uint32_t sms_outcome_word(pa_str word)
{
	return word_find(outcome_words, SMS_COUNT(outcome_words), word);
}

uint32_t sms_status_word(pa_str word)
{
	return word_find(status_words, SMS_COUNT(status_words), word);
}

/* "200" or "200-299"; false if it is neither. */
static bool range_read(pa_str piece, int64_t *ret_first, int64_t *ret_last)
{
	pa_str first;

	if (!sms_next_piece(&piece, '-', &first) || !sms_to_number(first, ret_first))
		return false;
	*ret_last = *ret_first;
	return piece.ptr == NULL || sms_to_number(piece, ret_last);
}

bool sms_status_is_listed(pa_str list, uint32_t status)
{
	pa_str piece;
	int64_t first;
	int64_t last;

	while (sms_next_piece(&list, ',', &piece))
		if (range_read(piece, &first, &last) && status >= first && status <= last)
			return true;
	return false;
}

static pa_str text_of(const struct sms *self, enum sms_option option)
{
	return self->settings[option].text;
}

static bool is_one_of(pa_str text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (sms_equal_literal(text, words[i]))
			return true;
	return false;
}

static const struct choice {
	enum sms_option option;
	const char *message;
	const char *words[3];
	size_t count;
} choices[] = {
	{SMS_METHOD, "method must be POST, PUT or GET", {"POST", "PUT", "GET"}, 3},
	{SMS_CONTENT_TYPE, "content_type must be json, form or text", {"json", "form", "text"}, 3},
	{SMS_ACCENTS, "accents must be strip or keep", {"strip", "keep"}, 2},
	{SMS_RECEIPT_METHOD, "receipt_method must be POST, PUT or GET", {"POST", "PUT", "GET"}, 3},
	{SMS_RECEIPT_FORMAT,
	 "receipt_format must be query, form or json",
	 {"query", "form", "json"},
	 3},
	{SMS_RECEIPT_TOKEN_IN, "receipt_token_in must be header or query", {"header", "query"}, 2},
};

static pa_status check_choices(const struct sms *self, pa_error *err)
{
	for (size_t i = 0; i < SMS_COUNT(choices); i++)
		if (!is_one_of(text_of(self, choices[i].option), choices[i].words,
			       choices[i].count))
			return sms_fail(err, PA_REJECTED, "%s", choices[i].message);
	return PA_OK;
}

static pa_status check_statuses(const struct sms *self, pa_error *err)
{
	pa_str list = text_of(self, SMS_SUCCESS_STATUS);
	pa_str piece;
	int64_t first;
	int64_t last;

	while (sms_next_piece(&list, ',', &piece))
		if (!range_read(piece, &first, &last) || first < 100 || last > 599 || first > last)
			return sms_fail(err, PA_REJECTED,
					"success_status must be HTTP statuses like 200-299, 409");
	return PA_OK;
}

static pa_status check_map(const struct sms *self, enum sms_option option,
			   uint32_t (*find)(pa_str word), const char *message, pa_error *err)
{
	const struct sms_setting *map = &self->settings[option];

	for (size_t i = 0; i < map->pairs_count; i++)
		if (map->pairs[i].name.len == 0 || find(map->pairs[i].value) == 0)
			return sms_fail(err, PA_REJECTED, "%s", message);
	return PA_OK;
}

/* ---- templates ---- */

static pa_status check_places(const char *what, pa_str template, pa_error *err)
{
	pa_str unknown = sms_find_unknown_place(template);

	if (unknown.ptr == NULL)
		return PA_OK;
	return sms_fail(err, PA_REJECTED, "%s: %.*s is none of {to} {text} {ref} {sender} {secret}",
			what, (int)(unknown.len < 40 ? unknown.len : 40), unknown.ptr);
}

static pa_status check_all_places(const struct sms *self, pa_error *err)
{
	static const struct {
		const char *name;
		enum sms_option option;
	} maps[] = {{"query", SMS_QUERY}, {"headers", SMS_HEADERS}};
	pa_status status = check_places("body", text_of(self, SMS_BODY), err);

	for (size_t i = 0; i < SMS_COUNT(maps); i++) {
		const struct sms_setting *map = &self->settings[maps[i].option];

		for (size_t j = 0; j < map->pairs_count && status == PA_OK; j++)
			status = check_places(maps[i].name, map->pairs[j].value, err);
	}
	return status;
}

static bool is_placed(const struct sms *self, const char *place)
{
	const struct sms_setting *query = &self->settings[SMS_QUERY];

	if (sms_has_place(text_of(self, SMS_BODY), place))
		return true;
	for (size_t i = 0; i < query->pairs_count; i++)
		if (sms_has_place(query->pairs[i].value, place))
			return true;
	return false;
}

static pa_status check_placed(const struct sms *self, pa_error *err)
{
	if (!is_placed(self, "{to}"))
		return sms_fail(err, PA_REJECTED, "{to} stands neither in body nor in query");
	if (!is_placed(self, "{text}"))
		return sms_fail(err, PA_REJECTED, "{text} stands neither in body nor in query");
	return PA_OK;
}

/* A value that needs every escape there is. */
static pa_status check_json_body(const struct sms *self, pa_call *call, pa_error *err)
{
	const pa_str sample = SMS_STR("1\"\\\n");
	const struct sms_values values = {sample, sample, sample, sample, sample};
	pa_str template = text_of(self, SMS_BODY);
	pa_str body;
	json_t *root;

	if (self->format != SMS_JSON || template.len == 0)
		return PA_OK;
	body = sms_render(self, call, template, &values, SMS_JSON);
	root = json_loadb(body.ptr, body.len, 0, NULL);
	if (root == NULL)
		return sms_fail(err, PA_REJECTED,
				"body is no JSON once the places are filled in; every place needs "
				"quotes around it");
	json_decref(root);
	return PA_OK;
}

static pa_status check_header_names(const struct sms *self, pa_error *err)
{
	const struct sms_setting *headers = &self->settings[SMS_HEADERS];

	for (size_t i = 0; i < headers->pairs_count; i++) {
		pa_str name = headers->pairs[i].name;

		for (size_t j = 0; j < name.len; j++)
			if (name.ptr[j] <= ' ' || name.ptr[j] > '~' || name.ptr[j] == ':')
				return sms_fail(err, PA_REJECTED,
						"headers has a name that is none of a header");
	}
	return PA_OK;
}

/* ---- what belongs together ---- */

static pa_status check_success(const struct sms *self, pa_error *err)
{
	bool has_path = text_of(self, SMS_SUCCESS_PATH).len > 0;
	bool has_values = text_of(self, SMS_SUCCESS_VALUES).len > 0;

	if (has_path != has_values)
		return sms_fail(err, PA_REJECTED,
				"success_path and success_values belong together");
	return PA_OK;
}

static pa_status check_receipts(const struct sms *self, pa_error *err)
{
	if (text_of(self, SMS_RECEIPT_STATUS).len == 0)
		return PA_OK;
	if (text_of(self, SMS_RECEIPT_ID).len == 0 && text_of(self, SMS_RECEIPT_REF).len == 0)
		return sms_fail(err, PA_REJECTED,
				"receipts need receipt_id or receipt_ref to find the message");
	if (text_of(self, SMS_RECEIPT_TOKEN).len == 0 &&
	    text_of(self, SMS_RECEIPT_HMAC_SECRET).len == 0)
		return sms_fail(err, PA_REJECTED,
				"receipts need receipt_token or receipt_hmac_secret: without one "
				"anybody could send them");
	/* A signature covers the body, and a receipt in the query has none. */
	if (text_of(self, SMS_RECEIPT_TOKEN).len == 0 &&
	    sms_equal_literal(text_of(self, SMS_RECEIPT_FORMAT), "query"))
		return sms_fail(err, PA_REJECTED, "receipts in a query need receipt_token");
	return PA_OK;
}

static void derive(struct sms *self)
{
	pa_str type = text_of(self, SMS_CONTENT_TYPE);

	self->format = sms_equal_literal(type, "json")   ? SMS_JSON
		       : sms_equal_literal(type, "form") ? SMS_FORM
							 : SMS_PLAIN;
	self->strips_accents = sms_equal_literal(text_of(self, SMS_ACCENTS), "strip");
}

pa_status sms_check_settings(struct sms *self, pa_call *call, pa_error *err)
{
	pa_status status = check_choices(self, err);

	derive(self);
	if (status == PA_OK)
		status = check_statuses(self, err);
	if (status == PA_OK)
		status = check_map(self, SMS_ERRORS, sms_outcome_word,
				   "errors must map to retry, wait, give_up or alarm", err);
	if (status == PA_OK)
		status = check_map(self, SMS_RECEIPT_STATUSES, sms_status_word,
				   "receipt_statuses must map to sent, delivered, read, failed or "
				   "other",
				   err);
	if (status == PA_OK)
		status = check_all_places(self, err);
	if (status == PA_OK)
		status = check_placed(self, err);
	if (status == PA_OK)
		status = check_json_body(self, call, err);
	if (status == PA_OK)
		status = check_header_names(self, err);
	if (status == PA_OK)
		status = check_success(self, err);
	return status == PA_OK ? check_receipts(self, err) : status;
}
