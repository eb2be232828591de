/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/ctl.h"

#include "base/str.h"

#include <string.h>

#define MOST_S (INT64_C(400) * 24 * 3600)

/* "90", "90s", "16m", "16 min", "2h", "3d": seconds. */
static bool parse_seconds(pa_str text, int64_t *ret)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}};
	size_t digits = 0;
	int64_t count;
	pa_str unit;

	while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
		digits++;
	unit = str_trim(str_slice(text, digits, SIZE_MAX));
	if (!str_to_int64(str_slice(text, 0, digits), &count))
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
		if (!str_equal(unit, str_from(units[i].name)))
			continue;
		if (count > MOST_S / units[i].seconds)
			return false;
		*ret = count * units[i].seconds;
		return true;
	}
	return false;
}

int ctl_clock(struct ctl *ctl, int argc, char *const *argv)
{
	struct json *request PA_CLEANUP(json_done) = NULL;
	struct json *answer PA_CLEANUP(json_done) = NULL;
	int64_t seconds;
	int status;

	if (argc != 2 || strcmp(argv[0], "advance") != 0 ||
	    !parse_seconds(str_from(argv[1]), &seconds))
		return ctl_usage(ctl);
	request = json_object_new();
	json_set_text(request, "command", PA_STR("clock"));
	json_set_integer(request, "seconds", seconds);
	status = ctl_ask(ctl, request, &answer);
	if (status == CTL_OK)
		ctl_print(answer);
	return status;
}
