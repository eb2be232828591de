/* SPDX-License-Identifier: Apache-2.0
 *
 * config/command_line.h: what proaltod was asked on its command line.
 *
 *	struct command_line line;
 *	if (!command_line_parse(argc, argv, &line)) return COMMAND_EXIT_USAGE;
 *	if (line.action == COMMAND_VERSION || line.action == COMMAND_HELP) return
 * command_line_answer(&line);
 *
 * Pure but for the printing; the strings are argv's.
 */
#ifndef CONFIG_COMMAND_LINE_H
#define CONFIG_COMMAND_LINE_H

#include "base/base.h"

#define COMMAND_EXIT_USAGE 2
#define COMMAND_DEFAULT_CONFIG "/etc/proalto.conf"

enum command_action {
	COMMAND_RUN,
	COMMAND_CHECK,   /* --check */
	COMMAND_OPTIONS, /* --options [PLUGIN] */
	COMMAND_PROBE,   /* --probe FILE */
	COMMAND_VERSION,
	COMMAND_HELP,
};

struct command_line {
	enum command_action action;
	const char *config_path;
	const char *plugin; /* of --options; NULL: the core's own keys */
	const char *file;   /* of --probe */
};

/* False after a sentence on standard error: the arguments make no sense. */
bool command_line_parse(int argc, char *const *argv, struct command_line *ret) PA_MUST_USE;

/* Prints version or help on standard output; returns the exit status. */
int command_line_answer(const struct command_line *line);

#endif
