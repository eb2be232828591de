/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/options.h"

#include <string.h>

static const struct option_word *find(const struct option_word *table, size_t count,
				      const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

bool options_parse(int argc, char *const *argv, const struct option_word *table, size_t count,
		   const char **word)
{
	for (int i = 0; i < argc; i++) {
		const struct option_word *option = find(table, count, argv[i]);

		if (option && option->flag) {
			*option->flag = true;
		} else if (option && i + 1 < argc) {
			*option->value = argv[++i];
		} else if (!option && argv[i][0] != '-' && word && !*word) {
			*word = argv[i];
		} else {
			return false;
		}
	}
	return true;
}
