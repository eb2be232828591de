/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/fresh.h"

#include "base/calendar.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/conf.h"

#include <string.h>
#include <sys/stat.h>

static const pa_str by_credential = {"credential:", 11};
static const pa_str by_file = {"file:", 5};

static void add_reference(struct references *references, pa_str reference)
{
	for (size_t i = 0; i < references->count; i++)
		if (str_equal(references->list[i], reference))
			return;
	if (references->count < FRESH_MAX)
		references->list[references->count++] = reference;
}

static void collect(const struct conf_node *node, struct references *references)
{
	if (node->kind == CONF_TEXT &&
	    (str_starts(node->text, by_credential) || str_starts(node->text, by_file)))
		add_reference(references, node->text);
	/* As deep as a file may nest: io/conf.h bounds it. */
	for (size_t i = 0; i < node->count; i++)
		collect(node->children[i], references);
}

pa_status references_read(struct ctl *ctl, struct references *ret, pa_error *err)
{
	const char *path = ctl->config_path, *slash = strrchr(path, '/');
	const char *directory =
		slash ? arena_copy(ctl->arena, (pa_str){path, (size_t)(slash - path)}).ptr : ".";
	const struct conf_node *root;
	pa_status status = conf_read_file(ctl->arena, path, directory, &root, err);

	ret->count = 0;
	if (status == PA_OK)
		collect(root, ret);
	return status;
}

/* The daemon tells times as words that sort like the times. */
static pa_str told(const struct json *status, const char *key)
{
	pa_str at = PA_STR_ABSENT;

	return json_get_text(status, key, &at) ? at : PA_STR_ABSENT;
}

/* Of equal length, or absent, which is before all. */
static bool is_later(pa_str a, pa_str b)
{
	return a.len != b.len ? a.len > b.len : a.len && memcmp(a.ptr, b.ptr, a.len) > 0;
}

static pa_str last_read(const struct json *status)
{
	pa_str started = told(status, "started_at"), reloaded = told(status, "last_reload_at");
	bool is_refused = false;

	IGNORE_STATUS(!json_get_bool(status, "last_reload_refused", &is_refused),
		      "then it was not");
	return is_refused || is_later(started, reloaded) ? started : reloaded;
}

static bool is_newer(struct ctl *ctl, const char *path, pa_str taken)
{
	struct stat st;

	return taken.len && stat(path, &st) == 0 &&
	       is_later(instant_iso(ctl->arena, st.st_mtim.tv_sec * NS_PER_S), taken);
}

const char *fresh_secret(struct ctl *ctl, pa_str reference, const struct json *status)
{
	pa_str name = str_slice(reference, str_find(reference, PA_STR(":")) + 1, SIZE_MAX);
	bool is_file = str_starts(reference, by_file);
	const char *path =
		is_file ? arena_copy(ctl->arena, name).ptr
			: config_encrypted_credential(ctl->config_path, name, ctl->arena);

	if (!is_newer(ctl, path, is_file ? last_read(status) : told(status, "started_at")))
		return NULL;
	return arena_format(ctl->arena, "sudo systemctl %s %s", is_file ? "reload" : "restart",
			    fresh_unit(ctl))
		.ptr;
}

const char *fresh_unit(struct ctl *ctl)
{
	const pa_str prefix = PA_STR("proalto-"), suffix = PA_STR(".conf");
	const char *path = ctl->config_path, *slash = strrchr(path, '/');
	pa_str file = str_from(slash ? slash + 1 : path);

	if (!str_starts(file, prefix) || !str_ends(file, suffix))
		return "proalto.service";
	file.len -= suffix.len;
	return arena_format(ctl->arena, "proalto@%.*s.service",
			    PA_FMT(str_slice(file, prefix.len, SIZE_MAX)))
		.ptr;
}
