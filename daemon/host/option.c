/* SPDX-License-Identifier: Apache-2.0 */
#include "host/option.h"

#include "base/err.h"
#include "base/str.h"
#include "io/http_client.h"

#define YEAR_MS (INT64_C(366) * 24 * 60 * 60 * 1000)

static const struct unit {
	const char *name;
	int64_t ms;
} units[] = {
	{"ms", 1},
	{"s", 1000},
	{"min", INT64_C(60) * 1000},
	{"h", INT64_C(3600) * 1000},
};

bool duration_parse(pa_str text, int64_t *ret_ms)
{
	size_t digits = 0;
	pa_str unit;
	int64_t count;

	while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
		digits++;
	if (!str_to_int64(str_slice(text, 0, digits), &count))
		return false;
	unit = str_trim(str_slice(text, digits, text.len));
	for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
		if (!str_equal(unit, str_from(units[i].name)))
			continue;
		if (count > YEAR_MS / units[i].ms)
			return false;
		*ret_ms = count * units[i].ms;
		return true;
	}
	return false;
}

static const char *type_name(uint32_t type)
{
	static const char *const names[] = {
		[PA_OPT_TEXT] = "a text",
		[PA_OPT_NUMBER] = "a whole number",
		[PA_OPT_BOOL] = "true or false",
		[PA_OPT_DURATION] = "a duration (500 ms, 2 s, 5 min, 1 h)",
		[PA_OPT_URL] = "an https address",
		[PA_OPT_SECRET] = "a reference to a secret",
		[PA_OPT_MAP] = "a group of names and texts",
	};

	return type < ARRAY_COUNT(names) && names[type] ? names[type] : "of an unknown type";
}

static bool bool_parse(pa_str text, int64_t *ret)
{
	bool is_true = str_equal(text, PA_STR("true"));

	if (!is_true && !str_equal(text, PA_STR("false")))
		return false;
	*ret = is_true;
	return true;
}

static bool fits(uint32_t type, pa_str text, int64_t *ret_number)
{
	switch (type) {
	case PA_OPT_TEXT:
	case PA_OPT_SECRET:
		return true;
	case PA_OPT_NUMBER:
		return str_to_int64(text, ret_number);
	case PA_OPT_BOOL:
		return bool_parse(text, ret_number);
	case PA_OPT_DURATION:
		return duration_parse(text, ret_number);
	case PA_OPT_URL:
		return http_url_check(text, NULL) == PA_OK;
	default:
		return false;
	}
}

pa_status option_parse(const pa_option *option, pa_str text, pa_value *ret, pa_error *err)
{
	pa_value value = {.size = sizeof(value), .is_set = 1, .text = text};

	if (!fits(option->type, text, &value.number))
		return error_set(err, PA_REJECTED, "%s must be %s", option->name,
				 type_name(option->type));
	*ret = value;
	return PA_OK;
}
