/* SPDX-License-Identifier: Apache-2.0 */
#include "customers.h"

#include "simulator.h"

/* The text under that key; NULL if it is null or missing. */
static const char *text_of(const json_t *row, const char *key)
{
	return json_string_value(json_object_get(row, key));
}

/* New reference, or NULL if the row makes no sense. */
static json_t *clean_row(const json_t *row)
{
	const char *label = text_of(row, "label");
	const char *document = text_of(row, "document");
	const char *mobile = text_of(row, "mobile");
	const char *hint = text_of(row, "try");

	if (!label || !document || (mobile && !store_is_phone(sim_str(mobile))))
		return NULL;
	return json_pack("{s:s, s:s, s:s?, s:s}", "label", label, "document", document, "mobile",
			 mobile, "try", hint ? hint : "");
}

static pa_status clean_rows(const json_t *rows, json_t **ret_customers, pa_error *err)
{
	json_t *clean SIM_CLEANUP(sim_unref_json) = json_array();
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		json_t *kept = i < CUSTOMERS_MAX ? clean_row(row) : NULL;

		if (i < CUSTOMERS_MAX && !kept) {
			sim_error(err,
				  "customers_file: entry %zu needs the texts label and document, "
				  "and mobile as digits or null",
				  i + 1);
			return PA_REJECTED;
		}
		if (kept)
			json_array_append_new(clean, kept);
	}
	*ret_customers = json_incref(clean);
	return PA_OK;
}

pa_status customers_read(const char *path, json_t **ret_customers, pa_error *err)
{
	json_error_t problem;
	json_t *rows SIM_CLEANUP(sim_unref_json) =
		json_load_file(path, JSON_REJECT_DUPLICATES, &problem);

	if (!rows) {
		sim_error(err, "customers_file: line %d: %s", problem.line, problem.text);
		return PA_REJECTED;
	}
	if (!json_is_array(rows)) {
		sim_error(err, "customers_file: not a JSON array of customers");
		return PA_REJECTED;
	}
	return clean_rows(rows, ret_customers, err);
}
