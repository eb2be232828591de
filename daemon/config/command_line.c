/* SPDX-License-Identifier: Apache-2.0 */
#include "config/command_line.h"

#include "config/words.h"

#include <stdio.h>
#include <string.h>

#define PRINT_CAP ((size_t)64 << 10)

enum argument { NONE, REQUIRED, OPTIONAL };

static const struct {
	const char *name;
	enum argument argument;
	enum command_action action; /* COMMAND_RUN: it changes none */
} options[] = {
	{"--config", REQUIRED, COMMAND_RUN},      {"--check", NONE, COMMAND_CHECK},
	{"--options", OPTIONAL, COMMAND_OPTIONS}, {"--probe", REQUIRED, COMMAND_PROBE},
	{"--version", NONE, COMMAND_VERSION},     {"--help", NONE, COMMAND_HELP},
};

static bool refuse(enum words words, const char *argument)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(PRINT_CAP);

	fprintf(stderr, "proaltod: %s (proaltod --help)\n",
		words_say(arena, words, argument, NULL, NULL));
	return false;
}

static void take(struct command_line *line, size_t option, const char *value)
{
	if (options[option].action != COMMAND_RUN)
		line->action = options[option].action;
	if (options[option].action == COMMAND_RUN)
		line->config_path = value;
	else if (options[option].action == COMMAND_PROBE)
		line->file = value;
	else if (options[option].action == COMMAND_OPTIONS)
		line->plugin = value;
}

/* The value that follows argv[i], if it is one; "--option=value" is not understood. */
static const char *value_after(int argc, char *const *argv, int i)
{
	return i + 1 < argc && argv[i + 1][0] != '-' ? argv[i + 1] : NULL;
}

static size_t find_option(const char *name)
{
	size_t i = 0;

	while (i < ARRAY_COUNT(options) && strcmp(options[i].name, name) != 0)
		i++;
	return i;
}

bool command_line_parse(int argc, char *const *argv, struct command_line *ret)
{
	struct command_line line = {.action = COMMAND_RUN, .config_path = COMMAND_DEFAULT_CONFIG};

	for (int i = 1; i < argc; i++) {
		size_t option = find_option(argv[i]);
		const char *value = value_after(argc, argv, i);

		if (option == ARRAY_COUNT(options))
			return refuse(WORDS_USAGE_UNKNOWN, argv[i]);
		if (options[option].argument == NONE)
			value = NULL;
		if (options[option].argument == REQUIRED && !value)
			return refuse(WORDS_USAGE_ARGUMENT, argv[i]);
		take(&line, option, value);
		i += value != NULL;
	}
	*ret = line;
	return true;
}

int command_line_answer(const struct command_line *line)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(PRINT_CAP);

	if (line->action == COMMAND_VERSION)
		puts("proaltod " PROALTO_VERSION);
	else
		fputs(words_say(arena, WORDS_USAGE, NULL, NULL, NULL), stdout);
	return 0;
}
