/* SPDX-License-Identifier: Apache-2.0
 *
 * proaltod: what it does is decided by the command line (config/command_line.h).
 */
#include "app.h"

#include "base/err.h"
#include "config/command_line.h"
#include "config/config.h"

#include <stdio.h>

#define THIS_PROGRAM "/proc/self/exe"

/* The options of a plugin are read from its descriptor, without opening it. */
static int print_options(const struct command_line *line)
{
	const struct app_options options = {.config_path = line->config_path,
					    .probe_path = THIS_PROGRAM};

	if (line->plugin)
		return app_print_options(&options, line->plugin);
	config_print_options(NULL);
	return 0;
}

int main(int argc, char **argv)
{
	struct command_line line;
	struct app_options options = {.probe_path = THIS_PROGRAM};

	if (!command_line_parse(argc, argv, &line))
		return COMMAND_EXIT_USAGE;
	options.config_path = line.config_path;
	switch (line.action) {
	case COMMAND_RUN:
		return app_run(&options);
	case COMMAND_CHECK:
		return app_check(&options);
	case COMMAND_OPTIONS:
		return print_options(&line);
	case COMMAND_PROBE:
		return host_probe_main(line.file);
	case COMMAND_VERSION:
	case COMMAND_HELP:
		break;
	}
	return command_line_answer(&line);
}
