/* SPDX-License-Identifier: Apache-2.0 */
#include "io/conf.h"

#include "base/err.h"
#include "base/str.h"
#include "io/conf_scan.h"
#include "io/file.h"
#include "io/unicode.h"

#include <libconfig.h>
#include <math.h>
#include <string.h>

/* One tree being copied out of libconfig's. */
struct copy {
	struct arena *arena;
	const char *main_file;
	const char *include_dir;
	size_t nodes;
	pa_error *err;
};

static pa_status refuse(const struct copy *copy, const struct conf_node *node, const char *what)
{
	return error_set(copy->err, PA_REJECTED, "%s:%d: %s", node->file, node->line, what);
}

/* libconfig gives included files the name they were included by, and the text it was handed none.
 */
static const char *file_name(const struct copy *copy, const char *file)
{
	if (!file)
		return copy->main_file;
	return arena_format(copy->arena, "%s/%s", copy->include_dir, file).ptr;
}

static pa_status copy_node(struct copy *copy, const config_setting_t *setting, int depth,
			   struct conf_node *node);

static pa_status copy_text(struct copy *copy, const config_setting_t *setting,
			   struct conf_node *node)
{
	node->kind = CONF_TEXT;
	node->text = arena_copy(copy->arena, str_from(config_setting_get_string(setting)));
	/* The file is UTF-8, an escape ("\xff") may not be. */
	return utf8_is_valid(node->text) ? PA_OK : refuse(copy, node, "not UTF-8");
}

static pa_status copy_integer(const config_setting_t *setting, struct conf_node *node)
{
	node->kind = CONF_INTEGER;
	node->integer = config_setting_get_int64(setting);
	node->real = (double)node->integer;
	return PA_OK;
}

static pa_status copy_real(const struct copy *copy, const config_setting_t *setting,
			   struct conf_node *node)
{
	node->kind = CONF_REAL;
	node->real = config_setting_get_float(setting);
	return isfinite(node->real) ? PA_OK : refuse(copy, node, "a number out of range");
}

static pa_status copy_children(struct copy *copy, const config_setting_t *setting, int depth,
			       struct conf_node *node)
{
	size_t count = (size_t)config_setting_length(setting);
	struct conf_node *nodes;
	const struct conf_node **children;

	if (depth == CONF_MAX_DEPTH)
		return refuse(copy, node, "too many groups within each other");
	if (count > CONF_MAX_NODES - copy->nodes)
		return refuse(copy, node, "too many values");
	copy->nodes += count;
	nodes = ARENA_ARRAY(copy->arena, struct conf_node, count);
	children = ARENA_ARRAY(copy->arena, const struct conf_node *, count);
	for (size_t i = 0; i < count; i++) {
		pa_status status = copy_node(copy, config_setting_get_elem(setting, (unsigned)i),
					     depth + 1, &nodes[i]);

		if (status != PA_OK)
			return status;
		children[i] = &nodes[i];
	}
	node->kind = config_setting_is_group(setting) ? CONF_GROUP : CONF_LIST;
	node->children = children;
	node->count = count;
	return PA_OK;
}

static pa_status copy_node(struct copy *copy, const config_setting_t *setting, int depth,
			   struct conf_node *node)
{
	node->name = arena_copy(copy->arena, str_from(config_setting_name(setting))).ptr;
	node->file = file_name(copy, config_setting_source_file(setting));
	node->line = depth ? (int)config_setting_source_line(setting) : 1;
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_STRING:
		return copy_text(copy, setting, node);
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return copy_integer(setting, node);
	case CONFIG_TYPE_FLOAT:
		return copy_real(copy, setting, node);
	case CONFIG_TYPE_BOOL:
		node->kind = CONF_BOOL;
		node->boolean = config_setting_get_bool(setting) == CONFIG_TRUE;
		return PA_OK;
	default:
		return copy_children(copy, setting, depth, node);
	}
}

static pa_status parse(struct copy *copy, config_t *config, const char *text,
		       const struct conf_node **ret)
{
	struct conf_node *root = ARENA_NEW(copy->arena, struct conf_node);
	pa_status status;

	if (config_read_string(config, text) != CONFIG_TRUE)
		return error_set(copy->err, PA_REJECTED, "%s:%d: %s",
				 file_name(copy, config_error_file(config)),
				 config_error_line(config), config_error_text(config));
	status = copy_node(copy, config_root_setting(config), 0, root);
	if (status == PA_OK)
		*ret = root;
	return status;
}

static pa_status read_text(struct arena *arena, pa_str text, const char *name,
			   const char *include_dir, const struct conf_node **ret, pa_error *err)
{
	struct copy copy = {
		.arena = arena, .main_file = name, .include_dir = include_dir, .err = err};
	config_t config PA_CLEANUP(config_destroy);
	const char *terminated = arena_copy(arena, text).ptr;

	config_init(&config);
	if (include_dir)
		config_set_include_dir(&config, include_dir);
	if (conf_scan(arena, text, name, include_dir, CONF_MAX_BYTES, err) != PA_OK)
		return PA_REJECTED;
	return parse(&copy, &config, terminated ? terminated : "", ret);
}

pa_status conf_read_text(struct arena *arena, pa_str text, const char *name,
			 const struct conf_node **ret, pa_error *err)
{
	if (text.len > CONF_MAX_BYTES)
		return error_set(err, PA_REJECTED, "%s: longer than %zu bytes", name,
				 CONF_MAX_BYTES);
	return read_text(arena, text, name, NULL, ret, err);
}

pa_status conf_read_file(struct arena *arena, const char *path, const char *include_dir,
			 const struct conf_node **ret, pa_error *err)
{
	const char *name = arena_copy(arena, str_from(path)).ptr;
	pa_str text;
	pa_status status = file_read(arena, path, CONF_MAX_BYTES, &text, err);

	return status == PA_OK ? read_text(arena, text, name, include_dir, ret, err) : status;
}

const struct conf_node *conf_find(const struct conf_node *group, const char *name)
{
	if (!group || group->kind != CONF_GROUP)
		return NULL;
	for (size_t i = 0; i < group->count; i++)
		if (strcmp(group->children[i]->name, name) == 0)
			return group->children[i];
	return NULL;
}

const char *conf_where(struct arena *arena, const struct conf_node *node)
{
	return arena_format(arena, "%s:%d", node->file, node->line).ptr;
}
