/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/config_diff.c: what the house has changed: settings that differ from the defaults, and files
 * of its own instead of, or beside, the shipped ones.
 */
#include "ctl/ctl.h"

#include "base/err.h"
#include "base/str.h"
#include "ctl/beside.h"
#include "host/host.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct folders {
	const char *shipped;
	const char *own;
};

/* A file of the house. */
struct own_file {
	const char *path;
	const char *shipped; /* the one it replaces; NULL: none, it is one more */
	bool is_same;
	bool is_older; /* than the shipped one: an upgrade brought another since it was made */
};

typedef int visit_fn(struct ctl *ctl, const struct own_file *file, void *arg);

/* ---- files ---- */

/* diff(1) writes to our standard output. False if there is none. */
static bool run_diff(const struct own_file *file)
{
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		execlp("diff", "diff", "-u", "--", file->shipped, file->path, (char *)NULL);
		_exit(2);
	}
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) <= 1;
}

static bool same_bytes(const char *a, const char *b)
{
	FILE *one = fopen(a, "re"), *other = fopen(b, "re");
	int x = 0, y = 0;

	while (one && other && x == y && x != EOF) {
		x = getc(one);
		y = getc(other);
	}
	if (one)
		fclose(one);
	if (other)
		fclose(other);
	return one && other && x == y;
}

static struct own_file look_at(struct ctl *ctl, const struct folders *folders, const char *name)
{
	struct own_file file = {
		.path = arena_format(ctl->arena, "%s/%s", folders->own, name).ptr,
		.shipped = arena_format(ctl->arena, "%s/%s", folders->shipped, name).ptr};
	struct stat ours, theirs;

	if (stat(file.shipped, &theirs) != 0) {
		file.shipped = NULL;
		return file;
	}
	file.is_same = same_bytes(file.path, file.shipped);
	file.is_older = stat(file.path, &ours) == 0 && ours.st_mtime < theirs.st_mtime;
	return file;
}

static int is_conf(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot && strcmp(dot, ".conf") == 0;
}

/* A folder that does not exist holds nothing. */
static int each_own_file(struct ctl *ctl, const struct folders *folders, visit_fn *visit, void *arg)
{
	struct dirent **list = NULL;
	int count = scandir(folders->own, &list, is_conf, alphasort), status = CTL_OK;

	if (count < 0 && errno != ENOENT)
		return ctl_fail(ctl, CTL_FAILED, "%s: %s", folders->own, strerrordesc_np(errno));
	for (int i = 0; i < count; i++) {
		struct own_file file = look_at(ctl, folders, list[i]->d_name);

		free(list[i]);
		if (status == CTL_OK)
			status = visit(ctl, &file, arg);
	}
	free(list);
	return status;
}

/* ---- for people ---- */

static int print_file(struct ctl *ctl, const struct own_file *file, void *arg)
{
	(void)arg;
	if (!file->shipped) {
		printf("%s: %s\n", file->path, ctl_say("archivo propio", "a file of the house"));
		return CTL_OK;
	}
	printf("%s: %s %s%s\n", file->path,
	       file->is_same ? ctl_say("igual a", "the same as")
			     : ctl_say("reemplaza a", "replaces"),
	       file->shipped,
	       file->is_older ? ctl_say(", que es más nuevo: revise qué cambió",
					", which is newer: see what changed")
			      : "");
	if (!file->is_same && !run_diff(file))
		return ctl_fail(ctl, CTL_FAILED, "diff: %s",
				ctl_say("no se pudo comparar", "could not compare"));
	return CTL_OK;
}

static void print_change(const struct config_change *change)
{
	printf("%s = %s", change->path,
	       change->value ? change->value
			     : ctl_say("(puede ser un secreto: no se muestra)",
				       "(may be a secret: not shown)"));
	if (change->fallback)
		printf("    # %s %s", ctl_say("de fábrica:", "default:"), change->fallback);
	putchar('\n');
}

/* ---- for programs ---- */

static int collect_file(struct ctl *ctl, const struct own_file *file, void *arg)
{
	struct json *item = json_object_new();

	(void)ctl;
	json_set_text(item, "path", str_from(file->path));
	json_set_text(item, "replaces", str_from(file->shipped));
	json_set_bool(item, "same", file->is_same);
	json_set_bool(item, "older", file->is_older);
	json_append(arg, item);
	return CTL_OK;
}

static struct json *changes_json(const struct config_change *changes, size_t count)
{
	struct json *list = json_array_new();

	for (size_t i = 0; i < count; i++) {
		struct json *item = json_object_new();

		json_set_text(item, "key", str_from(changes[i].path));
		json_set_text(item, "value", str_from(changes[i].value));
		json_set_text(item, "default", str_from(changes[i].fallback));
		json_set_text(item, "where", str_from(changes[i].where));
		json_append(list, item);
	}
	return list;
}

/* ---- the subcommand ---- */

static int each_folder(struct ctl *ctl, visit_fn *visit, void *arg)
{
	static const char *const keys[][2] = {{"flows.directory", "flows.own_directory"},
					      {"flows.texts", "flows.own_texts"}};
	int status = CTL_OK;

	for (size_t i = 0; i < ARRAY_COUNT(keys) && status == CTL_OK; i++) {
		const struct folders folders = {
			config_path_of(ctl->config_path, keys[i][0], ctl->arena),
			config_path_of(ctl->config_path, keys[i][1], ctl->arena)};

		if (!folders.shipped || !folders.own) /* the file was there a moment ago */
			return ctl_fail(ctl, CTL_FAILED, "%s: %s", ctl->config_path,
					strerrordesc_np(ENOENT));
		status = each_own_file(ctl, &folders, visit, arg);
	}
	return status;
}

static int print_json(struct ctl *ctl, const struct config_change *changes, size_t count)
{
	struct json *reply PA_CLEANUP(json_done) = json_object_new(), *files = json_array_new();
	int status = each_folder(ctl, collect_file, files);

	json_set(reply, "settings", changes_json(changes, count));
	json_set(reply, "files", files);
	if (status == CTL_OK)
		ctl_print_json(reply);
	return status;
}

static int print_people(struct ctl *ctl, const struct config_change *changes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		print_change(&changes[i]);
	return each_folder(ctl, print_file, NULL);
}

static struct host *make_host(struct ctl *ctl)
{

	return host_new(&(struct host_options){
		.directory = config_plugin_directory(ctl->config_path, ctl->arena),
		.probe_path = beside_daemon(ctl->arena)});
}

int ctl_config_diff(struct ctl *ctl, int argc, char *const *argv)
{
	bool is_json = argc == 2 && strcmp(argv[1], "--json") == 0;
	const struct config_change *changes;
	struct host *host;
	pa_error err = ERROR_INIT;
	size_t count;
	int status;

	if (argc < 1 || argc > 2 || strcmp(argv[0], "diff") != 0 || (argc == 2 && !is_json))
		return ctl_usage(ctl);
	host = make_host(ctl);
	if (config_changes(ctl->config_path, host, ctl->arena, &changes, &count, &err) != PA_OK)
		status = ctl_fail(ctl, CTL_FAILED, "%s", error_text(&err));
	else if (is_json)
		status = print_json(ctl, changes, count);
	else
		status = print_people(ctl, changes, count);
	host_free(host);
	return status;
}
