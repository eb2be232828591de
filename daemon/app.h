/* SPDX-License-Identifier: Apache-2.0
 *
 * app.h: the whole daemon, started in order and stopped in reverse.
 */
#ifndef APP_H
#define APP_H

#include "base/arena.h"

struct app_options {
	const char *config_path;
	const char *probe_path; /* this program, to probe plugins with */
};

/* Runs until a signal says stop. Returns the exit status: 0 after a clean stop, 1 if it could not
 * start (the reason is in the journal), 2 if the configuration is wrong. */
int app_run(const struct app_options *options);

/* proaltod --check: reads everything as a start would, prints what is wrong, starts nothing. 0
 * or 2. */
int app_check(const struct app_options *options);

/* proaltod --options PLUGIN: prints what can be configured of a plugin. 0 or 2. */
int app_print_options(const struct app_options *options, const char *plugin);

#endif
