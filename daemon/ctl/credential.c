/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/credential.h"

#include "base/err.h"
#include "base/str.h"
#include "io/child.h"
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const pa_str by_credential = {"credential:", 11};
static const pa_str by_file = {"file:", 5};

#define BEFORE_MAX 1000
#define ENCRYPTED_MAX ((size_t)64 << 10)

static pa_status failed(const char *path, pa_error *err)
{
	return error_set(err, PA_REJECTED, "%s: %s", path, strerrordesc_np(errno));
}

pa_status credential_make_folders(struct ctl *ctl, const char *path, pa_error *err)
{
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		const char *folder =
			arena_copy(ctl->arena, (pa_str){path, (size_t)(slash - path)}).ptr;

		if (mkdir(folder, 0755) < 0 && errno != EEXIST)
			return failed(folder, err);
	}
	return PA_OK;
}

/* Whoever owned the old one owns the new one: the daemon must go on reading it. */
static bool fill(int fd, const char *path, pa_str text, unsigned mode)
{
	struct stat old;

	if (fchmod(fd, (mode_t)mode) < 0)
		return false;
	if (stat(path, &old) == 0 && fchown(fd, old.st_uid, old.st_gid) < 0)
		return false;
	return write(fd, text.ptr, text.len) == (ssize_t)text.len && fsync(fd) == 0;
}

pa_status credential_write_file(struct ctl *ctl, const char *path, pa_str text, unsigned mode,
				pa_error *err)
{
	const char *fresh = arena_format(ctl->arena, "%s.new", path).ptr;
	int fd PA_CLEANUP(fd_done) = -1;
	pa_status status = credential_make_folders(ctl, path, err);

	if (status != PA_OK)
		return status;
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || !fill(fd, path, text, mode))
		status = failed(path, err);
	if (status == PA_OK)
		status = file_rename(fresh, path, err);
	if (status != PA_OK)
		unlink(fresh);
	return status;
}

/* NULL: nowhere. A credential's name that a forged archive gives must not lead elsewhere. */
static const char *find_place(struct ctl *ctl, const char *reference, pa_error *err)
{
	pa_str text = str_from(reference), name;

	if (str_starts(text, by_file))
		return reference + by_file.len;
	name = str_slice(text, by_credential.len, SIZE_MAX);
	if (str_starts(text, by_credential) && name.len && name.ptr[0] != '.' &&
	    str_find(name, PA_STR("/")) == SIZE_MAX)
		return config_encrypted_credential(ctl->config_path, name, ctl->arena);
	(void)error_set(err, PA_REJECTED, "%s: only credentials and files can be written",
			reference);
	return NULL;
}

pa_status credential_encrypt(struct ctl *ctl, const char *name, const char *path, pa_str secret,
			     pa_error *err)
{
	const char *as = arena_format(ctl->arena, "--name=%s", name).ptr;
	const char *const argv[] = {"systemd-creds", "encrypt", as, "-", "-", NULL};
	const char *plain = arena_format(ctl->arena, "/etc/credstore/%s", name).ptr;
	pa_str encrypted;
	pa_status status;

	if (access(plain, F_OK) == 0) /* it would go on being the one that is read */
		return error_set(err, PA_REJECTED, "%s: lies there unencrypted: replace it by hand",
				 plain);
	status = child_run(ctl->arena, argv, secret, ENCRYPTED_MAX, &encrypted, err);
	return status == PA_OK ? credential_write_file(ctl, path, encrypted, 0600, err) : status;
}

pa_status credential_store(struct ctl *ctl, const char *reference, pa_str secret, pa_error *err)
{
	pa_str text = str_from(reference);
	const char *path = find_place(ctl, reference, err);

	if (!path)
		return PA_REJECTED;
	if (str_starts(text, by_file))
		return credential_write_file(ctl, path, secret, 0600, err);
	return credential_encrypt(ctl, reference + by_credential.len, path, secret, err);
}

pa_status credential_put_aside(struct ctl *ctl, const char *reference, pa_error *err)
{
	const char *path = find_place(ctl, reference, err);
	const char *before;

	if (!path)
		return PA_REJECTED;
	before = arena_format(ctl->arena, "%s.before", path).ptr;
	for (int i = 2; link(path, before) < 0; i++) {
		if (errno == ENOENT)
			return PA_OK;
		if (errno != EEXIST || i > BEFORE_MAX)
			return failed(before, err);
		before = arena_format(ctl->arena, "%s.before%d", path, i).ptr;
	}
	printf("%s: %s\n", before, ctl_say("lo que había antes", "what was there before"));
	return PA_OK;
}
