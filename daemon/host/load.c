/* SPDX-License-Identifier: Apache-2.0
 *
 * From a file to a descriptor. The only user of dlopen.
 */
#include "host/internal.h"

#include "base/err.h"
#include "base/str.h"
#include "io/file.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Descriptors linked into the program, ended by NULL. Programs built with STATIC=1 define it (and
 * the unit tests, for plugins of their own); in all others it is absent, hence weak. */
extern const pa_plugin *const host_static_plugins[] __attribute__((weak));

const pa_plugin *static_find(const char *name)
{
	if (!host_static_plugins)
		return NULL;
	for (const pa_plugin *const *at = host_static_plugins; *at; at++) {
		if ((*at)->name && strcmp((*at)->name, name) == 0)
			return *at;
	}
	return NULL;
}

pa_str name_from_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	pa_str name = str_from(slash ? slash + 1 : path);

	return str_ends(name, PA_STR(".so")) ? str_slice(name, 0, name.len - 3) : name;
}

/* Who may have written this? Whoever can write a plugin or replace its file is root to us. */
static pa_status check_rights(const struct stat *st, bool check_owner, const char *path,
			      pa_error *err)
{
	mode_t writable = check_owner ? S_IWGRP | S_IWOTH : S_IWOTH;

	if (check_owner && st->st_uid != 0)
		return error_set(err, PA_REJECTED, "%s: owned by user %u, must be root's", path,
				 st->st_uid);
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return error_set(err, PA_REJECTED,
				 "%s: owned by user %u, neither root nor the daemon's own", path,
				 st->st_uid);
	if (st->st_mode & writable)
		return error_set(err, PA_REJECTED, "%s: writable by others than its owner (%03o)",
				 path, st->st_mode & 07777u);
	return PA_OK;
}

/* Symbolic links are not followed: the check would hold for one directory and the load for another.
 */
static pa_status check_one(const char *path, int flags, bool check_owner, struct stat *ret,
			   pa_error *err)
{
	int fd PA_CLEANUP(fd_done) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);

	if (fd < 0 && errno == ELOOP)
		return error_set(err, PA_REJECTED, "%s: a symbolic link", path);
	if (fd < 0)
		return error_set(err, PA_REJECTED, "%s: %s", path, strerrordesc_np(errno));
	if (fstat(fd, ret) < 0)
		return error_set(err, PA_REJECTED, "%s: %s", path, strerrordesc_np(errno));
	return check_rights(ret, check_owner, path, err);
}

pa_status file_check(const char *directory, const char *path, bool check_owner,
		     struct file_stamp *ret, pa_error *err)
{
	struct stat st = {0};
	pa_status status = check_one(directory, O_DIRECTORY, check_owner, &st, err);

	if (status == PA_OK)
		status = check_one(path, O_NOFOLLOW, check_owner, &st, err);
	if (status != PA_OK)
		return status;
	if (!S_ISREG(st.st_mode))
		return error_set(err, PA_REJECTED, "%s: not a file", path);
	*ret = (struct file_stamp){st.st_dev, st.st_ino, st.st_size, st.st_ctim};
	return PA_OK;
}

/* The loader's own words begin with the path, as ours do. */
static const char *loader_reason(const char *path)
{
	const char *reason = dlerror();
	size_t len = strlen(path);

	if (!reason)
		return "the loader gives no reason";
	if (strncmp(reason, path, len) == 0 && reason[len] == ':')
		reason += len + 1;
	return reason + strspn(reason, " ");
}

pa_status file_load(const char *path, const char *name, const pa_plugin **ret, pa_error *err)
{
	const pa_plugin *plugin;
	/* Never closed: threads, handlers and pointers into it may live on. */
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return error_set(err, PA_REJECTED, "%s: not loadable: %s", path,
				 loader_reason(path));
	plugin = dlsym(library, PROALTO_PLUGIN_SYMBOL);
	if (!plugin)
		return error_set(err, PA_REJECTED, "%s: no plugin: the symbol %s is missing", path,
				 PROALTO_PLUGIN_SYMBOL);
	if (host_check_descriptor(plugin, name, err) != PA_OK) {
		error_prefix(err, "%s: ", path);
		return PA_REJECTED;
	}
	*ret = plugin;
	return PA_OK;
}
