/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/options.h: what stands behind a subcommand: "--name VALUE" or "--name", and at most one word.
 *
 *	const struct option_word table[] = {{"--output", &output, NULL}, {"--replace", NULL,
 *&replace}}; if (!options_parse(argc, argv, table, ARRAY_COUNT(table), &file)) return
 * ctl_usage(ctl);
 */
#ifndef CTL_OPTIONS_H
#define CTL_OPTIONS_H

#include "base/base.h"

struct option_word {
	const char *name;
	const char **value; /* one of the two */
	bool *flag;
};

/* False: something else stands there. word may be NULL: none is taken. */
bool options_parse(int argc, char *const *argv, const struct option_word *table, size_t count,
		   const char **word);

#endif
