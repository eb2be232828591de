/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/ctl.h"

#include "base/str.h"

#include <string.h>

#define FIRST_LEVEL 3 /* syslog's "error" */

static bool parse_level(const char *word, int64_t *ret)
{
	static const char *const words[] = {"error", "warning", "notice", "info", "debug"};

	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		if (strcmp(words[i], word) != 0)
			continue;
		*ret = FIRST_LEVEL + (int64_t)i;
		return true;
	}
	return false;
}

int ctl_log_level(struct ctl *ctl, int argc, char *const *argv)
{
	struct json *request PA_CLEANUP(json_done) = NULL;
	struct json *answer PA_CLEANUP(json_done) = NULL;
	int64_t level;

	if (argc != 1 || !parse_level(argv[0], &level))
		return ctl_usage(ctl);
	request = json_object_new();
	json_set_text(request, "command", PA_STR("log-level"));
	json_set_integer(request, "level", level);
	return ctl_ask(ctl, request, &answer);
}
