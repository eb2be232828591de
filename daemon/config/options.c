/* SPDX-License-Identifier: Apache-2.0 */
#include "config/key.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

#define PRINT_CAP ((size_t)4 << 20)

/* ---- what a reload can't change ----------------------------------------------------------------
 */

static bool texts_differ(const char *a, const char *b)
{
	return !str_equal(str_from(a), str_from(b));
}

static bool values_differ(const struct config_key *key, const void *old, const void *new)
{
	const char *a = (const char *)old + key->offset;
	const char *b = (const char *)new + key->offset;

	switch (key->type) {
	case KEY_MASTER:
		return !str_equal(*(const pa_str *)(const void *)a,
				  *(const pa_str *)(const void *)b);
	case KEY_INTEGER:
	case KEY_DURATION:
	case KEY_SIZE:
	case KEY_LEVEL:
		return memcmp(a, b, sizeof(int64_t)) != 0;
	case KEY_REAL:
		return memcmp(a, b, sizeof(double)) != 0;
	case KEY_BOOL:
		return memcmp(a, b, sizeof(bool)) != 0;
	case KEY_CHOICE:
		return memcmp(a, b, sizeof(unsigned)) != 0;
	case KEY_TEXT:
	case KEY_NAME:
	case KEY_PATH:
	case KEY_PATH_OR:
	case KEY_URL:
	case KEY_PROXY:
	case KEY_NETWORKS:
	case KEY_SECRET:
	case KEY_DATABASE:
	default:
		return texts_differ(*(const char *const *)(const void *)a,
				    *(const char *const *)(const void *)b);
	}
}

static bool keys_differ(const struct config_table *table, const void *old, const void *new)
{
	for (size_t i = 0; i < table->count; i++)
		if (values_differ(&table->keys[i], old, new))
			return true;
	return false;
}

static bool pairs_differ(const pa_value *a, const pa_value *b)
{
	if (a->pairs_count != b->pairs_count)
		return true;
	for (size_t i = 0; i < a->pairs_count; i++)
		if (!str_equal(a->pairs[i]->name, b->pairs[i]->name) ||
		    !str_equal(a->pairs[i]->value, b->pairs[i]->value))
			return true;
	return false;
}

bool config_settings_differ(const struct host_setting *a, size_t a_count,
			    const struct host_setting *b, size_t b_count)
{
	if (a_count != b_count)
		return true;
	for (size_t i = 0; i < a_count; i++)
		if (texts_differ(a[i].name, b[i].name) || a[i].value.is_set != b[i].value.is_set ||
		    a[i].value.number != b[i].value.number ||
		    !str_equal(a[i].value.text, b[i].value.text) ||
		    pairs_differ(&a[i].value, &b[i].value))
			return true;
	return false;
}

/* Which channels there are, and the daemon's own keys of each; what is its plugin's may change. */
static bool channels_differ(const struct config *old, const struct config *new)
{
	if (old->channels_count != new->channels_count)
		return true;
	for (size_t i = 0; i < old->channels_count; i++)
		if (texts_differ(old->channels[i].name, new->channels[i].name) ||
		    keys_differ(&config_channel_keys, &old->channels[i], &new->channels[i]))
			return true;
	return false;
}

static bool backend_differs(const struct config_backend *old, const struct config_backend *new)
{
	return texts_differ(old->name, new->name) || keys_differ(&config_backend_keys, old, new) ||
	       config_settings_differ(old->settings, old->settings_count, new->settings,
				      new->settings_count);
}

static bool backends_differ(const struct config *old, const struct config *new)
{
	if (old->backends_count != new->backends_count)
		return true;
	for (size_t i = 0; i < old->backends_count; i++)
		if (backend_differs(&old->backends[i], &new->backends[i]))
			return true;
	return false;
}

static bool language_differs(const struct config_language *old, const struct config_language *new)
{
	return keys_differ(&config_language_keys, old, new) ||
	       config_settings_differ(old->settings, old->settings_count, new->settings,
				      new->settings_count);
}

size_t config_restart_keys(const struct config *old, const struct config *new, const char **names,
			   size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < config_core_keys.count && count < room; i++) {
		const struct config_key *key = &config_core_keys.keys[i];

		if (key->flags & KEY_RESTART && values_differ(key, old, new))
			names[count++] = key->path;
	}
	if (count < room && channels_differ(old, new))
		names[count++] = "channels";
	if (count < room && backends_differ(old, new))
		names[count++] = "backends";
	if (count < room && language_differs(&old->language, &new->language))
		names[count++] = "language";
	return count;
}

/* ---- proaltod --check --------------------------------------------------------------------------
 */

size_t config_print_problems(const char *path, const struct config_problems *problems)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(PRINT_CAP);
	const char *warning = words_say(arena, WORDS_WARNING, NULL, NULL, NULL);
	size_t errors = 0;

	for (size_t i = 0; i < problems->count; i++) {
		const struct config_problem *problem = &problems->list[i];

		errors += !problem->is_warning;
		fprintf(stderr, "%s: %s%s%s\n", problem->where, problem->is_warning ? warning : "",
			problem->is_warning ? ": " : "", problem->what);
	}
	if (errors)
		fprintf(stderr, "%s\n",
			words_say(arena, WORDS_CHECK_FAILED, path,
				  arena_format(arena, "%zu", errors).ptr, NULL));
	else
		printf("%s\n", words_say(arena, WORDS_CHECK_OK, path, NULL, NULL));
	return errors;
}

/* ---- proaltod --options ------------------------------------------------------------------------
 */

static void print_key(struct arena *arena, const struct config_key *key)
{
	printf("%s: %s", key->path, key_type_words(arena, key));
	if (key->flags & KEY_REQUIRED)
		printf("; %s", words_say(arena, WORDS_REQUIRED, NULL, NULL, NULL));
	else
		printf("; %s", words_say(arena, WORDS_DEFAULT, key->fallback, NULL, NULL));
	if (key->flags & KEY_RESTART)
		printf("; %s", words_say(arena, WORDS_NEEDS_RESTART, NULL, NULL, NULL));
	printf("\n    %s\n", words_are_spanish() ? key->es : key->en);
}

static void print_table(struct arena *arena, const struct config_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		print_key(arena, &table->keys[i]);
}

static void print_section(struct arena *arena, enum words head, const struct config_table *table)
{
	printf("\n%s\n\n", words_say(arena, head, NULL, NULL, NULL));
	print_table(arena, table);
}

static void print_option(struct arena *arena, const pa_option *option)
{
	printf("%s: %s", option->name, option_words(arena, option->type));
	if (option->flags & PA_OPT_REQUIRED)
		printf("; %s", words_say(arena, WORDS_REQUIRED, NULL, NULL, NULL));
	else if (option->fallback)
		printf("; %s", words_say(arena, WORDS_DEFAULT, option->fallback, NULL, NULL));
	printf("\n    %s\n", option->help ? option->help : "");
}

static void print_plugin(struct arena *arena, const pa_plugin *plugin)
{
	printf("%s %s: %s\n\n", plugin->name, plugin->version ? plugin->version : "",
	       plugin->summary ? plugin->summary : "");
	for (size_t i = 0; i < plugin->options_count; i++)
		print_option(arena, plugin->options[i]);
}

void config_print_options(const pa_plugin *plugin)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(PRINT_CAP);

	if (plugin) {
		print_plugin(arena, plugin);
		return;
	}
	print_table(arena, &config_core_keys);
	print_section(arena, WORDS_SECTION_CHANNEL, &config_channel_keys);
	print_section(arena, WORDS_SECTION_BACKEND, &config_backend_keys);
	print_section(arena, WORDS_SECTION_LANGUAGE, &config_language_keys);
}
