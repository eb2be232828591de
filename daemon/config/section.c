/* SPDX-License-Identifier: Apache-2.0 */
#include "config/key.h"

#include "base/err.h"
#include "base/str.h"
#include "host/option.h"

#include <string.h>

#define NAME_MAX_LEN 48

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein's distance, one row at a time. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1];
	size_t len = strlen(b);

	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < len; j++) {
			size_t above = row[j + 1];

			row[j + 1] = least(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
			diagonal = above;
		}
	}
	return row[len];
}

const char *nearest_name(const char *name, const char *const *known, size_t count)
{
	const char *best = NULL;
	size_t best_distance = strlen(name) / 3 + 1;

	if (strlen(name) > NAME_MAX_LEN)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t d = strlen(known[i]) <= NAME_MAX_LEN ? distance(name, known[i]) : SIZE_MAX;

		if (d <= best_distance) {
			best_distance = d;
			best = known[i];
		}
	}
	return best;
}

void section_unknown_key(struct reader *reader, const struct conf_node *node, const char *path,
			 const char *nearest)
{
	reader_error(reader, conf_where(reader->arena, node),
		     nearest ? WORDS_UNKNOWN_KEY : WORDS_UNKNOWN_KEY_ALONE, path, nearest, NULL);
}

/* ---- the core's own keys ----------------------------------------------------------------------
 */

static const struct config_key *table_find(const struct config_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->keys[i].path, name) == 0)
			return &table->keys[i];
	return NULL;
}

void section_read_keys(struct reader *reader, const struct config_table *table,
		       const struct conf_node *group, const char *where, void *base)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct config_key *key = &table->keys[i];
		const struct conf_node *node = conf_find(group, key->path);

		if (node)
			value_read(reader, key, node, base);
		else if (key->flags & KEY_REQUIRED)
			reader_error(reader, where, WORDS_MISSING_KEY, key->path, NULL, NULL);
		else
			value_fallback(reader, key, base);
	}
}

/* ---- the plugin's -----------------------------------------------------------------------------
 */

static enum conf_kind option_kind(uint32_t type)
{
	switch (type) {
	case PA_OPT_NUMBER:
		return CONF_INTEGER;
	case PA_OPT_BOOL:
		return CONF_BOOL;
	case PA_OPT_MAP:
		return CONF_GROUP;
	default:
		return CONF_TEXT;
	}
}

static bool wrong_type(struct reader *reader, const struct conf_node *node, const char *wanted)
{
	reader_error(reader, conf_where(reader->arena, node), WORDS_WRONG_TYPE, node->name, wanted,
		     kind_words(reader->arena, node->kind));
	return false;
}

static bool no_password(struct reader *reader, const struct conf_node *node)
{
	if (!text_holds_password(node->text))
		return true;
	reader_error(reader, conf_where(reader->arena, node), WORDS_SECRET_PASSWORD, node->name,
		     NULL, NULL);
	return false;
}

/* { name = "text"; ... }, or, for names that begin with no letter, (("name", "text"), ...). */
static bool read_pair(struct reader *reader, const struct conf_node *map,
		      const struct conf_node *child, pa_pair *pair)
{
	bool is_listed = map->kind == CONF_LIST;
	const struct conf_node *name = NULL, *value = child;

	if (is_listed && child->kind == CONF_LIST && child->count == 2) {
		name = child->children[0];
		value = child->children[1];
	}
	if (is_listed && (!name || name->kind != CONF_TEXT || value->kind != CONF_TEXT))
		return wrong_type(reader, map, option_words(reader->arena, PA_OPT_MAP));
	if (value->kind != CONF_TEXT)
		return wrong_type(reader, value,
				  words_say(reader->arena, WORDS_KIND_TEXT, NULL, NULL, NULL));
	pair->name = arena_copy(reader->arena, name ? name->text : str_from(child->name));
	pair->value = arena_copy(reader->arena, value->text);
	return true;
}

static bool read_map(struct reader *reader, const struct conf_node *node, pa_value *value)
{
	const pa_pair **pairs = ARENA_ARRAY(reader->arena, const pa_pair *, node->count);

	for (size_t i = 0; i < node->count; i++) {
		pa_pair *pair = ARENA_NEW(reader->arena, pa_pair);

		if (!read_pair(reader, node, node->children[i], pair))
			return false;
		pairs[i] = pair;
	}
	value->pairs = pairs;
	value->pairs_count = node->count;
	return true;
}

/* A text by the option's type: host/option.h knows durations and addresses. */
static bool read_option_text(struct reader *reader, const pa_option *option,
			     const struct conf_node *node, pa_value *value)
{
	pa_error err = ERROR_INIT;
	pa_str text = arena_copy(reader->arena, node->text);
	const char *where = conf_where(reader->arena, node);

	if (option->type == PA_OPT_SECRET)
		return secret_read(reader, where, node->name, node->text, &value->text);
	if (!no_password(reader, node))
		return false;
	if (option_parse(option, text, value, &err) == PA_OK)
		return true;
	if (option->type == PA_OPT_DURATION) {
		reader_error(reader, where, WORDS_NOT_A_DURATION, node->name, NULL, NULL);
		return false;
	}
	if (http_url_check(text, &err) != PA_OK)
		reader_error(reader, where, WORDS_BAD_URL, node->name, error_text(&err), NULL);
	return false;
}

static bool read_option(struct reader *reader, const pa_option *option,
			const struct conf_node *node, pa_value *value)
{
	bool is_map = option->type == PA_OPT_MAP && node->kind == CONF_LIST;

	if (node->kind != option_kind(option->type) && !is_map)
		return wrong_type(reader, node, option_words(reader->arena, option->type));
	switch (node->kind) {
	case CONF_INTEGER:
		value->number = node->integer;
		return true;
	case CONF_BOOL:
		value->number = node->boolean;
		return true;
	case CONF_GROUP:
	case CONF_LIST:
		return read_map(reader, node, value);
	case CONF_TEXT:
	case CONF_REAL:
	default:
		return read_option_text(reader, option, node, value);
	}
}

/* Without the plugin's table a value is kept as it looks. */
static bool read_unchecked(struct reader *reader, const struct conf_node *node, pa_value *value)
{
	switch (node->kind) {
	case CONF_TEXT:
		value->text = arena_copy(reader->arena, node->text);
		return no_password(reader, node);
	case CONF_INTEGER:
		value->number = node->integer;
		return true;
	case CONF_BOOL:
		value->number = node->boolean;
		return true;
	case CONF_GROUP:
	case CONF_LIST:
		return read_map(reader, node, value);
	case CONF_REAL:
	default:
		return wrong_type(reader, node,
				  words_say(reader->arena, WORDS_KIND_TEXT, NULL, NULL, NULL));
	}
}

static const pa_option *option_find(const pa_plugin *plugin, const char *name)
{
	for (size_t i = 0; i < plugin->options_count; i++)
		if (strcmp(plugin->options[i]->name, name) == 0)
			return plugin->options[i];
	return NULL;
}

static void unknown_option(struct reader *reader, const struct plugin_section *section,
			   const struct conf_node *node)
{
	size_t own = section->table->count, count = own + section->descriptor->options_count;
	const char **known;

	if (reader->errors >= CONFIG_PROBLEMS_MAX)
		return;
	known = ARENA_ARRAY(reader->arena, const char *, count);
	for (size_t i = 0; i < own; i++)
		known[i] = section->table->keys[i].path;
	for (size_t i = own; i < count; i++)
		known[i] = section->descriptor->options[i - own]->name;
	section_unknown_key(reader, node, node->name, nearest_name(node->name, known, count));
}

/* True if the node became a setting. A key of the core's own is one only if the plugin has an
 * option of that name too. */
static bool read_setting(struct reader *reader, const struct plugin_section *section,
			 const struct conf_node *node, struct host_setting *setting)
{
	bool is_own = table_find(section->table, node->name) != NULL;
	const pa_option *option =
		section->descriptor ? option_find(section->descriptor, node->name) : NULL;

	setting->name = arena_copy(reader->arena, str_from(node->name)).ptr;
	setting->where = conf_where(reader->arena, node);
	setting->value = (pa_value){.size = sizeof(pa_value), .is_set = 1};
	if (option)
		return read_option(reader, option, node, &setting->value);
	if (is_own)
		return false;
	if (!section->descriptor)
		return read_unchecked(reader, node, &setting->value);
	unknown_option(reader, section, node);
	return false;
}

static void check_required(struct reader *reader, const struct plugin_section *section)
{
	const pa_plugin *plugin = section->descriptor;

	for (size_t i = 0; plugin && i < plugin->options_count; i++) {
		const pa_option *option = plugin->options[i];

		if (option->flags & PA_OPT_REQUIRED && !conf_find(section->group, option->name))
			reader_error(reader, conf_where(reader->arena, section->group),
				     WORDS_MISSING_KEY, option->name, NULL, NULL);
	}
}

static const char *kind_name(uint32_t kind)
{
	static const char *const names[] = {
		[PA_KIND_CHANNEL] = "channel",
		[PA_KIND_BACKEND] = "backend",
		[PA_KIND_NLP] = "nlp",
		[PA_KIND_SCANNER] = "scanner",
		[PA_KIND_TRANSCRIBER] = "transcriber",
		[PA_KIND_TIMESTAMPER] = "timestamper",
	};

	return names[kind];
}

/* Finds the plugin's table. False: it can't be used. */
static bool describe(struct reader *reader, struct plugin_section *section)
{
	const struct conf_node *node = conf_find(section->group, "plugin");
	const char *where = conf_where(reader->arena, node ? node : section->group);
	pa_error err = ERROR_INIT;
	const pa_plugin *plugin;

	if (!reader->host || !section->plugin)
		return true;
	if (host_describe(reader->host, section->plugin, &plugin, &err) != PA_OK) {
		if (section->is_optional)
			reader_problem(reader, where, true, WORDS_PLUGIN_LEFT_OUT, section->plugin,
				       error_text(&err), NULL);
		else
			reader_error(reader, where, WORDS_PLUGIN_REFUSED, error_text(&err), NULL,
				     NULL);
		return false;
	}
	if (plugin->kind != section->kind) {
		reader_error(reader, where, WORDS_PLUGIN_KIND, section->plugin,
			     kind_name(section->kind), NULL);
		return false;
	}
	section->descriptor = plugin;
	return true;
}

bool section_read_options(struct reader *reader, struct plugin_section *section)
{
	size_t room = section->group->count;
	struct host_setting *settings;
	size_t count = 0;

	if (!describe(reader, section))
		return false;
	settings = ARENA_ARRAY(reader->arena, struct host_setting, room);
	for (size_t i = 0; i < room; i++)
		if (read_setting(reader, section, section->group->children[i], &settings[count]))
			count++;
	check_required(reader, section);
	section->settings = settings;
	section->settings_count = count;
	return true;
}
