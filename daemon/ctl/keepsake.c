/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/keepsake.h"

#include "base/err.h"
#include "base/str.h"
#include "ctl/credential.h"
#include "io/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)4 << 20)
#define DEPTH_MAX 8
#define KEPT_MAX ((size_t)64 << 20) /* in memory, of all members together */

static const char config_name[] = "config";
static const pa_str file_prefix = {"file ", 5};
static const pa_str secret_prefix = {"secret ", 7};

/* /etc/proalto beside /etc/proalto.conf. */
static const char *own_folder(struct ctl *ctl)
{
	pa_str path = str_from(ctl->config_path);

	if (str_ends(path, PA_STR(".conf")))
		path.len -= strlen(".conf");
	return arena_copy(ctl->arena, path).ptr;
}

/* ---- in ---- */

static pa_status add(struct archive *archive, pa_str name, pa_str bytes, pa_error *err)
{
	pa_status status = archive_member(archive, name, err);

	return status == PA_OK ? archive_write(archive, bytes, err) : status;
}

static pa_status add_file(struct ctl *ctl, struct archive *archive, const char *path, pa_error *err)
{
	struct stat about;
	pa_str bytes;

	if (stat(path, &about) < 0 || file_read(ctl->arena, path, FILE_MAX, &bytes, err) != PA_OK)
		return error_set(err, PA_REJECTED, "%s: can't be read", path);
	return add(archive,
		   arena_format(ctl->arena, "file %o %s", (unsigned)about.st_mode & 0777, path),
		   bytes, err);
}

static void close_folder(DIR **folder)
{
	if (*folder)
		closedir(*folder);
}

/* Folders and plain files; whatever is written just now (".new") and links are left out. */
static pa_status add_folder(struct ctl *ctl, struct archive *archive, const char *path, int depth,
			    pa_error *err)
{
	DIR *folder PA_CLEANUP(close_folder) = opendir(path);
	pa_status status = PA_OK;
	const struct dirent *entry;

	if (!folder)
		return errno == ENOENT ? PA_OK
				       : error_set(err, PA_REJECTED, "%s: %s", path,
						   strerrordesc_np(errno));
	while (status == PA_OK && (entry = readdir(folder))) {
		const char *inside = arena_format(ctl->arena, "%s/%s", path, entry->d_name).ptr;
		struct stat about;

		if (entry->d_name[0] == '.' || str_ends(str_from(entry->d_name), PA_STR(".new")) ||
		    lstat(inside, &about) < 0)
			continue;
		if (S_ISDIR(about.st_mode) && depth < DEPTH_MAX)
			status = add_folder(ctl, archive, inside, depth + 1, err);
		else if (S_ISREG(about.st_mode))
			status = add_file(ctl, archive, inside, err);
	}
	return status;
}

static pa_status add_secrets(struct ctl *ctl, struct archive *archive, pa_error *err)
{
	struct config_problems problems = {.arena = ctl->arena};
	struct config_secret *secrets;
	size_t count;
	pa_status status =
		config_secrets(ctl->config_path, ctl->arena, &secrets, &count, &problems, err);

	for (size_t i = 0; status == PA_OK && i < problems.count; i++)
		ctl_fail(ctl, CTL_OK, "%s: %s", problems.list[i].where, problems.list[i].what);
	for (size_t i = 0; status == PA_OK && i < count; i++)
		if (secrets[i].bytes.ptr)
			status = add(archive,
				     arena_format(ctl->arena, "secret %s", secrets[i].reference),
				     secrets[i].bytes, err);
	return status;
}

pa_status keepsake_pack(struct ctl *ctl, struct archive *archive, pa_error *err)
{
	pa_str bytes;
	pa_status status = file_read(ctl->arena, ctl->config_path, FILE_MAX, &bytes, err);

	if (status == PA_OK)
		status = add(archive, str_from(config_name), bytes, err);
	if (status == PA_OK)
		status = add_folder(ctl, archive, own_folder(ctl), 0, err);
	return status == PA_OK ? add_secrets(ctl, archive, err) : status;
}

/* ---- out ---- */

static pa_status keep(struct ctl *ctl, struct archive *archive, pa_str name, struct kept **ret,
		      size_t *total, pa_error *err)
{
	struct buf bytes PA_CLEANUP(buf_done) = BUF_INIT(KEPT_MAX);
	struct kept *kept = ARENA_NEW(ctl->arena, struct kept);
	pa_str piece;
	pa_status status;

	kept->name = arena_copy(ctl->arena, name);
	do {
		status = archive_read(archive, &piece, err);
		if (status == PA_OK)
			buf_add(&bytes, piece);
	} while (status == PA_OK && piece.len);
	*total += bytes.len;
	if (status == PA_OK && (bytes.is_over || *total > KEPT_MAX))
		return error_set(err, PA_REJECTED, "the archive holds too much");
	kept->bytes = arena_copy(ctl->arena, buf_str(&bytes));
	kept->next = *ret;
	*ret = kept;
	return status;
}

pa_status keepsake_read(struct ctl *ctl, struct archive *archive, const char *skipped,
			struct kept **ret, pa_error *err)
{
	size_t total = 0;
	pa_str name;
	bool is_end;
	pa_status status;

	*ret = NULL;
	for (;;) {
		status = archive_next(archive, &name, &is_end, err);
		if (status != PA_OK || is_end)
			return status;
		if (!str_equal(name, str_from(skipped)))
			status = keep(ctl, archive, name, ret, &total, err);
		if (status != PA_OK)
			return status;
	}
}

static bool is_same(struct ctl *ctl, const char *path, pa_str bytes)
{
	pa_error err = ERROR_INIT;
	pa_str there;

	return file_read(ctl->arena, path, FILE_MAX, &there, &err) == PA_OK &&
	       str_equal(there, bytes);
}

static pa_status install_file(struct ctl *ctl, const char *path, unsigned mode, pa_str bytes,
			      pa_error *err)
{
	pa_status status;

	if (is_same(ctl, path, bytes))
		return PA_OK;
	if (access(path, F_OK) == 0)
		path = arena_format(ctl->arena, "%s.restored", path).ptr;
	status = credential_write_file(ctl, path, bytes, mode, err);
	if (status == PA_OK)
		printf("%s: %s\n", path, ctl_say("escrito", "written"));
	return status;
}

static pa_status install_named_file(struct ctl *ctl, pa_str name, pa_str bytes, pa_error *err)
{
	pa_str path = str_slice(name, file_prefix.len, SIZE_MAX);
	pa_str digits = str_split(&path, ' ');
	unsigned mode = 0;

	for (size_t i = 0; i < digits.len; i++)
		mode = mode * 8 + (unsigned)(digits.ptr[i] - '0') % 8;
	/* Whoever knows the lock can make an archive: it writes nowhere else. */
	if (!str_starts(path, arena_format(ctl->arena, "%s/", own_folder(ctl))) ||
	    str_find(path, PA_STR("/../")) != SIZE_MAX)
		return error_set(err, PA_REJECTED, "the archive names an odd file");
	return install_file(ctl, arena_copy(ctl->arena, path).ptr, mode & 0777, bytes, err);
}

static pa_status install_secret(struct ctl *ctl, pa_str name, pa_str bytes, pa_error *err)
{
	const char *reference =
		arena_copy(ctl->arena, str_slice(name, secret_prefix.len, SIZE_MAX)).ptr;
	pa_status status;

	if (str_starts(str_from(reference), PA_STR("env:"))) {
		printf("%s: %s\n", reference,
		       ctl_say("no se puede guardar una variable: póngala usted",
			       "a variable can't be stored: set it yourself"));
		return PA_OK;
	}
	status = credential_store(ctl, reference, bytes, err);
	if (status == PA_OK)
		printf("%s: %s\n", reference, ctl_say("guardado", "stored"));
	return status;
}

pa_status keepsake_install(struct ctl *ctl, const struct kept *kept, pa_error *err)
{
	pa_status status = PA_OK;

	for (; kept && status == PA_OK; kept = kept->next) {
		if (str_equal(kept->name, str_from(config_name)))
			status = install_file(ctl, ctl->config_path, 0644, kept->bytes, err);
		else if (str_starts(kept->name, file_prefix))
			status = install_named_file(ctl, kept->name, kept->bytes, err);
		else if (str_starts(kept->name, secret_prefix))
			status = install_secret(ctl, kept->name, kept->bytes, err);
	}
	return status;
}

pa_status keepsake_lock(struct ctl *ctl, const char *recovery_path, struct recovery_lock *ret,
			pa_error *err)
{
	pa_str text;

	if (access(recovery_path, F_OK) < 0)
		return error_set(err, PA_REJECTED, "%s: %s", recovery_path,
				 ctl_say("no está; hágalo con: proaltoctl keys recovery",
					 "is missing; make it: proaltoctl keys recovery"));
	if (file_read(ctl->arena, recovery_path, RECOVERY_FILE_MAX, &text, err) != PA_OK)
		return PA_REJECTED;
	return recovery_lock_of(ctl->arena, text, ret, err);
}
