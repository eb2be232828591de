/* SPDX-License-Identifier: Apache-2.0 */
#include "io/file.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void fd_done(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static pa_status refuse(const char *path, const char *why, pa_error *err)
{
	return error_set(err, PA_REJECTED, "%s: %s", path, why);
}

static bool is_trusted(uid_t owner)
{
	const struct passwd *service;

	if (owner == 0 || owner == geteuid())
		return true;
	service = geteuid() == 0 ? getpwnam(SERVICE_USER) : NULL;
	return service && service->pw_uid == owner;
}

static pa_status check_private(const struct stat *st, const char *path, pa_error *err)
{
	if (!is_trusted(st->st_uid))
		return refuse(path, "a secret must belong to root or to the daemon's user", err);
	if (st->st_mode & (S_IRWXG | S_IRWXO))
		return refuse(path, "a secret that others than its owner may read; chmod 0600",
			      err);
	return PA_OK;
}

/* Reads up to room bytes, as many as there are. */
static ssize_t read_all(int fd, char *out, size_t room)
{
	size_t len = 0;

	while (len < room) {
		ssize_t n = read(fd, out + len, room - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static pa_status read_file(struct arena *arena, const char *path, size_t max, bool is_private,
			   pa_str *ret, pa_error *err)
{
	/* Without O_NONBLOCK opening a pipe would wait for its writer. */
	int fd PA_CLEANUP(fd_done) = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	ssize_t len;
	char *text;

	if (fd < 0 || fstat(fd, &st) < 0)
		return refuse(path, strerrordesc_np(errno), err);
	if (!S_ISREG(st.st_mode))
		return refuse(path, "not a regular file", err);
	if (is_private && check_private(&st, path, err) != PA_OK)
		return PA_REJECTED;
	if ((uintmax_t)st.st_size > max)
		return error_set(err, PA_REJECTED, "%s: longer than %zu bytes", path, max);
	text = arena_alloc(arena, (size_t)st.st_size + 1);
	len = read_all(fd, text, (size_t)st.st_size);
	if (len < 0)
		return refuse(path, strerrordesc_np(errno), err);
	*ret = (pa_str){text, (size_t)len};
	return PA_OK;
}

pa_status file_read(struct arena *arena, const char *path, size_t max, pa_str *ret, pa_error *err)
{
	return read_file(arena, path, max, false, ret, err);
}

pa_status file_read_private(struct arena *arena, const char *path, size_t max, pa_str *ret,
			    pa_error *err)
{
	return read_file(arena, path, max, true, ret, err);
}

static int open_folder_of(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int len = slash ? (int)(slash - path) + 1 : 1;

	snprintf(folder, sizeof(folder), "%.*s", len, slash ? path : ".");
	return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

pa_status file_rename(const char *from, const char *to, pa_error *err)
{
	int folder PA_CLEANUP(fd_done) = open_folder_of(to);

	if (rename(from, to) < 0)
		return error_set(err, PA_RETRY, "%s: %s", to, strerrordesc_np(errno));
	/* One that nobody may read, or of a file system that has no such thing. */
	if (folder >= 0 && fsync(folder) < 0 && errno != EINVAL)
		return error_set(err, PA_RETRY, "%s: %s", to, strerrordesc_np(errno));
	return PA_OK;
}
