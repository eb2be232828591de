/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/ctl.h"

#include "base/err.h"
#include "base/str.h"
#include "ctl/fresh.h"

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

/* A reload can't take what systemd hands over at a start. Root sees where those lie; who does not,
 * misses a hint. */
static void hint(struct ctl *ctl)
{
	struct json *status PA_CLEANUP(json_done) = NULL;
	struct references references;
	pa_error err = ERROR_INIT;

	if (references_read(ctl, &references, &err) != PA_OK ||
	    ctl_command(ctl, "status", &status) != CTL_OK)
		return;
	for (size_t i = 0; i < references.count; i++) {
		const char *todo = fresh_secret(ctl, references.list[i], status);

		if (todo)
			printf("%.*s: %s: %s\n", PA_FMT(references.list[i]),
			       ctl_say("en el disco hay uno más nuevo que el que se usa",
				       "there is a newer one on the disk than in use"),
			       todo);
	}
}

int ctl_reload(struct ctl *ctl, int argc, char *const *argv)
{
	struct json *answer PA_CLEANUP(json_done) = NULL;
	int status;

	(void)argv;
	if (argc > 0)
		return ctl_usage(ctl);
	status = ctl_command(ctl, "reload", &answer);
	if (status == CTL_OK)
		status = print_report(ctl, answer);
	if (status == CTL_OK)
		hint(ctl);
	return status;
}
