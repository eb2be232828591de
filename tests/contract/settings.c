/* SPDX-License-Identifier: Apache-2.0
 *
 * A settings file has lines "name = value"; for maps "name.key = value"; '#' begins a comment line.
 */
#include "contract/check.h"

#include "base/err.h"
#include "base/str.h"
#include "host/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PAIRS 64
#define MAX_FILE ((size_t)1 << 20)

static _Noreturn void give_up(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	exit(2);
}

static void file_done(FILE **file)
{
	if (*file)
		fclose(*file);
}

pa_str file_bytes(struct arena *arena, const char *path)
{
	FILE *file PA_CLEANUP(file_done) = fopen(path, "rbe");
	char *bytes = arena_alloc(arena, MAX_FILE + 1);
	size_t len;

	if (!file)
		give_up(path, "can't be read");
	len = fread(bytes, 1, MAX_FILE + 1, file);
	if (len > MAX_FILE)
		give_up(path, "is too large");
	return (pa_str){bytes, len};
}

static void add_pair(struct arena *arena, pa_value *value, pa_str key, pa_str text)
{
	const pa_pair **pairs = ARENA_ARRAY(arena, const pa_pair *, value->pairs_count + 1);
	pa_pair *pair = ARENA_NEW(arena, pa_pair);

	if (value->pairs_count)
		memcpy(pairs, value->pairs, value->pairs_count * sizeof(*pairs));
	*pair = (pa_pair){arena_copy(arena, key), arena_copy(arena, text)};
	pairs[value->pairs_count++] = pair;
	value->pairs = pairs;
	value->is_set = 1;
}

/* One line of the file, if it speaks of this option. */
static void take_line(struct arena *arena, const pa_option *option, pa_str line, pa_value *value,
		      const char *path)
{
	pa_str text = line;
	pa_str name = str_trim(str_split(&text, '='));
	pa_str key = name;
	pa_str base = str_split(&key, '.');
	pa_error err = ERROR_INIT;

	text = str_trim(text);
	if (!str_equal(base, str_from(option->name)))
		return;
	if (option->type == PA_OPT_MAP) {
		if (!str_is_absent(key))
			add_pair(arena, value, key, text);
		value->is_set = 1;
		return;
	}
	if (option_parse(option, arena_copy(arena, text), value, &err) != PA_OK)
		give_up(path, error_text(&err));
}

static void read_settings(struct arena *arena, const pa_option *option, const char *path,
			  pa_value *value)
{
	pa_str rest = file_bytes(arena, path);

	while (!str_is_absent(rest)) {
		pa_str line = str_trim(str_split(&rest, '\n'));

		if (line.len && line.ptr[0] != '#')
			take_line(arena, option, line, value, path);
	}
}

/* Something of the right type for what is required and not given. */
static void invent(const pa_option *option, pa_value *value)
{
	static const pa_value by_type[] = {
		[PA_OPT_TEXT] = {.text = {"text", 4}},
		[PA_OPT_NUMBER] = {.number = 1},
		[PA_OPT_BOOL] = {.number = 0},
		[PA_OPT_DURATION] = {.number = 1000},
		[PA_OPT_URL] = {.text = {"https://localhost/check", 23}},
		[PA_OPT_SECRET] = {.text = {PLANTED_SECRET, sizeof(PLANTED_SECRET) - 1}},
		[PA_OPT_MAP] = {.pairs_count = 0},
	};

	*value = by_type[option->type];
	value->size = sizeof(*value);
	value->is_set = 1;
}

const pa_value *const *settings_make(struct arena *arena, const pa_plugin *plugin, const char *path)
{
	const pa_value **values = ARENA_ARRAY(arena, const pa_value *, plugin->options_count);

	for (size_t i = 0; i < plugin->options_count; i++) {
		const pa_option *option = plugin->options[i];
		pa_value *value = ARENA_NEW(arena, pa_value);
		pa_error err = ERROR_INIT;

		value->size = sizeof(*value);
		if (path)
			read_settings(arena, option, path, value);
		if (!value->is_set && option->fallback &&
		    option_parse(option, str_from(option->fallback), value, &err) != PA_OK)
			give_up(option->name, error_text(&err));
		if (!value->is_set && option->flags & PA_OPT_REQUIRED)
			invent(option, value);
		values[i] = value;
	}
	return values;
}
