/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/ctl.h"

#include "base/str.h"

#include <stdio.h>

/* Prints what the daemon found, a line each; fails if it kept the old configuration. */
static int print_report(const struct ctl *ctl, const struct json *answer)
{
	const struct json *report = json_get(answer, "report");
	bool is_reloaded = false;
	pa_str line;

	IGNORE_STATUS(!json_get_bool(answer, "reloaded", &is_reloaded), "then it is not");
	for (size_t i = 0; i < json_count(report); i++)
		if (json_text(json_at(report, i), &line))
			fprintf(is_reloaded ? stdout : stderr, "%.*s\n", PA_FMT(line));
	if (!is_reloaded)
		return ctl_fail(ctl, CTL_FAILED, "%s",
				ctl_say("sigue en vigor la configuración anterior",
					"the old configuration stays in force"));
	puts(ctl_say("se leyó de nuevo la configuración", "the configuration was read again"));
	return CTL_OK;
}

int ctl_reload(struct ctl *ctl, int argc, char *const *argv)
{
	struct json *answer PA_CLEANUP(json_done) = NULL;
	int status;

	(void)argv;
	if (argc > 0)
		return ctl_usage(ctl);
	status = ctl_command(ctl, "reload", &answer);
	return status == CTL_OK ? print_report(ctl, answer) : status;
}
