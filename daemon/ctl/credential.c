/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/credential.h"

#include "base/err.h"
#include "base/str.h"
#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const pa_str by_credential = {"credential:", 11};
static const pa_str by_file = {"file:", 5};

#define ENCRYPTED_MAX ((size_t)64 << 10)

static void fd_done(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

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
	if (fd < 0 || !fill(fd, path, text, mode) || rename(fresh, path) < 0) {
		status = failed(path, err);
		unlink(fresh);
	}
	return status;
}

static pa_status encrypt(struct ctl *ctl, pa_str name, pa_str secret, pa_error *err)
{
	const char *path = config_encrypted_credential(ctl->config_path, name, ctl->arena);
	const char *as = arena_format(ctl->arena, "--name=%.*s", PA_FMT(name)).ptr;
	const char *const argv[] = {"systemd-creds", "encrypt", as, "-", "-", NULL};
	const char *plain = arena_format(ctl->arena, "/etc/credstore/%.*s", PA_FMT(name)).ptr;
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

	if (str_starts(text, by_credential))
		return encrypt(ctl, str_slice(text, by_credential.len, SIZE_MAX), secret, err);
	if (str_starts(text, by_file))
		return credential_write_file(ctl, reference + by_file.len, secret, 0600, err);
	return error_set(err, PA_REJECTED, "%s: only credentials and files can be written",
			 reference);
}
