/* SPDX-License-Identifier: Apache-2.0 */
#include "config/key.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <string.h>

#define CHANGES_MAX 1000
#define VALUE_MAX 4096

struct walk {
	struct arena *arena;
	struct host *host;
	struct config_change *list;
	size_t count;
};

/* What is known of a setting: the core's key, or the option of a plugin, or neither. */
struct known {
	const struct config_key *key;
	const pa_option *option;
};

/* ---- values as they would be written ---- */

static void put_text(struct buf *buf, pa_str text)
{
	buf_add_byte(buf, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"' || text.ptr[i] == '\\')
			buf_add_byte(buf, '\\');
		buf_add_byte(buf, (uint8_t)text.ptr[i]);
	}
	buf_add_byte(buf, '"');
}

static void put_value(struct buf *buf, const struct conf_node *node)
{
	switch (node->kind) {
	case CONF_TEXT:
		put_text(buf, node->text);
		return;
	case CONF_INTEGER:
		buf_format(buf, "%lld", (long long)node->integer);
		return;
	case CONF_REAL:
		buf_format(buf, "%g", node->real);
		return;
	case CONF_BOOL:
		buf_add(buf, node->boolean ? PA_STR("true") : PA_STR("false"));
		return;
	case CONF_LIST:
		buf_add(buf, PA_STR("( ... )"));
		return;
	case CONF_GROUP: /* of names: what they hold may be anything */
	default:
		buf_add(buf, PA_STR("{"));
		for (size_t i = 0; i < node->count; i++)
			buf_format(buf, " %s = ...;",
				   node->children[i]->name ? node->children[i]->name : "");
		buf_add(buf, PA_STR(" }"));
		return;
	}
}

/* A literal where a reference belongs is wrong, and still nobody's to see. */
static bool may_be_secret(struct known known, const struct conf_node *node)
{
	if (node->kind != CONF_TEXT || secret_is_reference(node->text))
		return false;
	if (known.key)
		return known.key->type == KEY_MASTER || text_holds_password(node->text);
	return !known.option || known.option->type == PA_OPT_SECRET ||
	       text_holds_password(node->text);
}

/* ---- the walk ---- */

static void note(struct walk *walk, const char *path, struct known known,
		 const struct conf_node *node)
{
	struct buf buf PA_CLEANUP(buf_done) = BUF_INIT(VALUE_MAX);
	struct config_change *change = &walk->list[walk->count];
	const char *fallback = known.key      ? known.key->fallback
			       : known.option ? known.option->fallback
					      : NULL;

	if (walk->count == CHANGES_MAX)
		return;
	*change = (struct config_change){
		.path = path, .fallback = fallback, .where = conf_where(walk->arena, node)};
	if (!may_be_secret(known, node)) {
		put_value(&buf, node);
		change->value = arena_copy(walk->arena, buf_str(&buf)).ptr;
		if (fallback && strcmp(change->value, fallback) == 0)
			return;
	}
	walk->count++;
}

static const struct config_key *key_of(const struct config_table *table, const char *path)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->keys[i].path, path) == 0)
			return &table->keys[i];
	return NULL;
}

static const pa_option *option_of(const pa_plugin *plugin, const char *name)
{
	for (size_t i = 0; plugin && i < plugin->options_count; i++)
		if (strcmp(plugin->options[i]->name, name) == 0)
			return plugin->options[i];
	return NULL;
}

/* A plugin that can't be looked at leaves its options unknown; check says what is wrong with it. */
static const pa_plugin *plugin_of(struct walk *walk, const struct conf_node *group)
{
	const struct conf_node *name = conf_find(group, "plugin");
	const pa_plugin *plugin = NULL;
	pa_error err = ERROR_INIT;

	if (!walk->host || !name || name->kind != CONF_TEXT ||
	    host_describe(walk->host, name->text.ptr, &plugin, &err) != PA_OK)
		return NULL;
	return plugin;
}

static void walk_section(struct walk *walk, const char *path, const struct config_table *table,
			 const struct conf_node *group)
{
	const pa_plugin *plugin = plugin_of(walk, group);

	for (size_t i = 0; group->kind == CONF_GROUP && i < group->count; i++) {
		const struct conf_node *node = group->children[i];
		struct known known = {.key = key_of(table, node->name)};

		if (!known.key)
			known.option = option_of(plugin, node->name);
		note(walk, arena_format(walk->arena, "%s.%s", path, node->name).ptr, known, node);
	}
}

static void walk_sections(struct walk *walk, const struct config_table *table,
			  const struct conf_node *groups)
{
	for (size_t i = 0; groups->kind == CONF_GROUP && i < groups->count; i++)
		walk_section(
			walk,
			arena_format(walk->arena, "%s.%s", groups->name, groups->children[i]->name)
				.ptr,
			table, groups->children[i]);
}

static void walk_core(struct walk *walk, const struct conf_node *node)
{
	if (node->kind != CONF_GROUP) {
		note(walk, node->name, (struct known){key_of(&config_core_keys, node->name), NULL},
		     node);
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		const char *path =
			arena_format(walk->arena, "%s.%s", node->name, node->children[i]->name).ptr;

		note(walk, path, (struct known){key_of(&config_core_keys, path), NULL},
		     node->children[i]);
	}
}

pa_status config_changes(const char *path, struct host *host, struct arena *arena,
			 const struct config_change **ret, size_t *ret_count, pa_error *err)
{
	struct walk walk = {.arena = arena,
			    .host = host,
			    .list = ARENA_ARRAY(arena, struct config_change, CHANGES_MAX)};
	const struct conf_node *root;
	pa_status status = config_read_tree(path, arena, &root, err);

	for (size_t i = 0; status == PA_OK && i < root->count; i++) {
		const struct conf_node *node = root->children[i];

		if (strcmp(node->name, "channels") == 0)
			walk_sections(&walk, &config_channel_keys, node);
		else if (strcmp(node->name, "backends") == 0)
			walk_sections(&walk, &config_backend_keys, node);
		else if (strcmp(node->name, "language") == 0)
			walk_section(&walk, "language", &config_language_keys, node);
		else
			walk_core(&walk, node);
	}
	*ret = walk.list;
	*ret_count = walk.count;
	return status;
}

/* ---- one path ---- */

/* "\"/usr\"" as the table writes it. */
static const char *bare(struct arena *arena, const char *written)
{
	pa_str text = str_from(written);

	return arena_copy(arena, str_slice(text, 1, text.len - 2)).ptr;
}

const char *config_path_of(const char *file, const char *key, struct arena *arena)
{
	const struct config_key *known = key_of(&config_core_keys, key);
	const struct conf_node *root, *node;
	pa_error err = ERROR_INIT;
	pa_str name = str_from(key), group = str_split(&name, '.');

	if (config_read_tree(file, arena, &root, &err) != PA_OK)
		return NULL;
	node = conf_find(conf_find(root, arena_copy(arena, group).ptr), name.ptr);
	if (!node || node->kind != CONF_TEXT || !str_starts(node->text, PA_STR("/")))
		return bare(arena, known->fallback);
	return arena_copy(arena, node->text).ptr;
}
