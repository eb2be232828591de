/* SPDX-License-Identifier: Apache-2.0 */
#include "io/child.h"

#include "base/err.h"
#include "base/str.h"
#include "io/crypto.h"
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void ends_done(int (*ends)[2])
{
	fd_done(&(*ends)[0]);
	fd_done(&(*ends)[1]);
}

static void actions_done(posix_spawn_file_actions_t *actions)
{
	posix_spawn_file_actions_destroy(actions);
}

static void attributes_done(posix_spawnattr_t *attributes)
{
	posix_spawnattr_destroy(attributes);
}

/* A file without a name: unlike a pipe it never blocks, and nobody is killed if it isn't read. */
static int open_input(pa_str input)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd >= 0 && input.len && pwrite(fd, input.ptr, input.len, 0) != (ssize_t)input.len) {
		close(fd);
		return -1;
	}
	return fd;
}

int child_spawn(pid_t *ret, const char *program, const char *const *argv,
		const char *const *environment, const int streams[3])
{
	posix_spawn_file_actions_t actions PA_CLEANUP(actions_done);
	posix_spawnattr_t attributes PA_CLEANUP(attributes_done);
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
		if (streams[i] >= 0)
			posix_spawn_file_actions_adddup2(&actions, streams[i], i);
	posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	/* posix_spawn changes none of them, though its type doesn't say so. */
	return posix_spawnp(ret, program, &actions, &attributes, (char *const *)(uintptr_t)argv,
			    environment ? (char *const *)(uintptr_t)environment : environ);
}

/* One byte more than max shows that there is more. */
static ssize_t read_output(int fd, char *out, size_t room)
{
	size_t len = 0;

	while (len < room) {
		ssize_t n = read(fd, out + len, room - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static pa_status end_of(pid_t pid, const char *program, pa_error *err)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_set(err, PA_REJECTED, "%s: %s", program,
					 strerrordesc_np(errno));
	if (WIFSIGNALED(status))
		return error_set(err, PA_REJECTED, "%s: signal %d", program, WTERMSIG(status));
	if (WEXITSTATUS(status))
		return error_set(err, PA_REJECTED, "%s: exit status %d", program,
				 WEXITSTATUS(status));
	return PA_OK;
}

pa_status child_run(struct arena *arena, const char *const *argv, pa_str input, size_t max,
		    pa_str *ret, pa_error *err)
{
	int in PA_CLEANUP(fd_done) = open_input(input);
	int ends[2] = {-1, -1};
	char *out = ret ? arena_alloc(arena, max + 2) : NULL;
	ssize_t len = 0;
	pid_t pid;
	int failure;

	if (in < 0 || (ret && pipe2(ends, O_CLOEXEC) < 0))
		return error_set(err, PA_REJECTED, "%s: %s", argv[0], strerrordesc_np(errno));
	failure = child_spawn(&pid, argv[0], argv, NULL, (const int[]){in, ends[1], -1});
	fd_done(&ends[1]);
	if (!failure && ret)
		len = read_output(ends[0], out, max + 1);
	fd_done(&ends[0]);
	if (failure)
		return error_set(err, PA_REJECTED, "%s: %s", argv[0], strerrordesc_np(failure));
	if (end_of(pid, argv[0], err) != PA_OK)
		return PA_REJECTED;
	if ((size_t)len > max)
		return error_set(err, PA_REJECTED, "%s: says too much", argv[0]);
	if (ret)
		*ret = (pa_str){out, (size_t)len};
	return PA_OK;
}

/* Of two variables of one name the first counts. */
static const char **environment_with(const char *const *more)
{
	size_t count = 0, own = 0;
	const char **all;

	while (environ[count])
		count++;
	while (more[own])
		own++;
	all = calloc(own + count + 1, sizeof(*all));
	if (!all)
		abort();
	memcpy(all, more, own * sizeof(*all));
	memcpy(all + own, environ, count * sizeof(*all));
	return all;
}

pa_status child_start(const char *const *argv, const char *const *more, bool is_input,
		      struct child *ret, pa_error *err)
{
	int ends[2] PA_CLEANUP(ends_done) = {-1, -1};
	int null PA_CLEANUP(fd_done) = open("/dev/null", O_RDWR | O_CLOEXEC);
	const char **environment;
	pid_t pid;
	int failure;

	if (null < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return error_set(err, PA_REJECTED, "%s: %s", argv[0], strerrordesc_np(errno));
	environment = environment_with(more);
	failure = child_spawn(
		&pid, argv[0], argv, environment,
		(const int[]){is_input ? ends[0] : null, is_input ? null : ends[1], -1});
	free(environment);
	if (failure)
		return error_set(err, PA_REJECTED, "%s: %s", argv[0], strerrordesc_np(failure));
	*ret = (struct child){.program = argv[0], .pid = pid, .fd = ends[is_input ? 1 : 0]};
	ends[is_input ? 1 : 0] = -1;
	return PA_OK;
}

pa_status child_end(struct child *child, pa_error *err)
{
	fd_done(&child->fd);
	return end_of((pid_t)child->pid, child->program, err);
}
