/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin is opened in a child first: a crash, an exit or a hang in a constructor costs a refusal
 * and not the daemon. What the child found it prints on standard output as its last line.
 */
#include "host/internal.h"

#include "base/err.h"
#include "base/str.h"
#include "io/child.h"
#include "io/clock.h"
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROBE_LIMIT_MS 5000
#define ANSWER_OK "ok"
#define ANSWER_REFUSED "refused: "

/* The parent's view of one child. */
struct probe {
	pid_t pid;
	int pidfd;
	int output;
	char text[1024]; /* the end of what it printed */
	size_t len;
};

/* ---- in the child ---- */

/* A core file of a crashed probe would hold the secrets of the environment and help nobody; a probe
 * whose parent is gone has no reader. */
static void child_confine(void)
{
	const struct rlimit none = {0, 0};

	IGNORE_STATUS(setrlimit(RLIMIT_CORE, &none), "the probe works without it");
	IGNORE_STATUS(prctl(PR_SET_PDEATHSIG, SIGKILL), "the parent's limit holds without it");
}

int host_probe_main(const char *file)
{
	pa_error err = ERROR_INIT;
	const pa_plugin *plugin;
	char name[256];
	pa_str base = name_from_path(file);
	bool is_ok;

	child_confine();
	snprintf(name, sizeof(name), "%.*s", PA_FMT(base));
	is_ok = file_load(file, name, &plugin, &err) == PA_OK;
	if (is_ok)
		printf("%s\n", ANSWER_OK);
	else
		printf("%s%s\n", ANSWER_REFUSED, error_text(&err));
	return fflush(stdout) == 0 && is_ok ? 0 : 1;
}

/* ---- in the parent ---- */

static void probe_done(struct probe *probe)
{
	if (probe->pidfd >= 0)
		close(probe->pidfd);
	if (probe->output >= 0)
		close(probe->output);
}

/* The child gets the output pipe and nothing else of ours: no socket, no lock, no signal mask. */
static int spawn_clean(pid_t *ret, const char *program, const char *path, int output)
{
	const char *const args[] = {"proaltod", "--probe", path, NULL};
	int null PA_CLEANUP(fd_done) = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return null < 0 ? errno
			: child_spawn(ret, program, args, NULL, (const int[]){null, output, -1});
}

static pa_status probe_start(struct probe *probe, const char *program, const char *path,
			     pa_error *err)
{
	int ends[2];
	int failure;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set(err, PA_RETRY, "no pipe for the probe: %s",
				 strerrordesc_np(errno));
	failure = spawn_clean(&probe->pid, program, path, ends[1]);
	close(ends[1]);
	probe->output = ends[0];
	if (failure)
		return error_set(err, PA_RETRY, "the probe %s can't be run: %s", program,
				 strerrordesc_np(failure));
	fcntl(probe->output, F_SETFL, O_NONBLOCK);
	probe->pidfd = pidfd_open(probe->pid, 0);
	return PA_OK;
}

/* Keeps the last bytes: only the last line counts, and a constructor may be talkative. */
static bool probe_read(struct probe *probe)
{
	char piece[512];
	ssize_t n = read(probe->output, piece, sizeof(piece));

	if (n <= 0)
		return false;
	if ((size_t)n > sizeof(probe->text) - probe->len) {
		size_t drop = (size_t)n - (sizeof(probe->text) - probe->len);

		memmove(probe->text, probe->text + drop, probe->len - drop);
		probe->len -= drop;
	}
	memcpy(probe->text + probe->len, piece, (size_t)n);
	probe->len += (size_t)n;
	return true;
}

/* Until the child is gone or its time is up; false for the latter. */
static bool probe_wait(struct probe *probe)
{
	int64_t end = clock_monotonic_ns() + PROBE_LIMIT_MS * NS_PER_MS;
	struct pollfd fds[] = {{probe->pidfd, POLLIN, 0}, {probe->output, POLLIN, 0}};
	int64_t left;

	while ((left = end - clock_monotonic_ns()) > 0) {
		poll(fds, ARRAY_COUNT(fds), (int)(left / NS_PER_MS) + 1);
		if (fds[1].revents && !probe_read(probe))
			fds[1].fd = -1;
		if (fds[0].revents)
			return true;
	}
	return false;
}

static int probe_reap(struct probe *probe)
{
	int status = 0;

	while (waitpid(probe->pid, &status, 0) < 0 && errno == EINTR)
		;
	while (probe_read(probe))
		;
	return status;
}

static pa_str last_line(pa_str text)
{
	pa_str line = str_trim(text);
	const char *before = line.len ? memrchr(line.ptr, '\n', line.len) : NULL;

	return before ? str_slice(line, (size_t)(before - line.ptr) + 1, line.len) : line;
}

/* The child's sentence, which foreign code may have meddled with. */
static pa_status refuse(pa_error *err, pa_str sentence)
{
	char clean[sizeof(err->text)];
	size_t len = str_printable(str_slice(sentence, 0, sizeof(clean)), clean);

	return error_set(err, PA_REJECTED, "%.*s", (int)len, clean);
}

static pa_status probe_judge(const struct probe *probe, int status, const char *path, pa_error *err)
{
	pa_str line = last_line((pa_str){probe->text, probe->len});

	if (WIFSIGNALED(status)) {
		const char *what = sigdescr_np(WTERMSIG(status));

		return error_set(err, PA_REJECTED, "%s: died in the probe by signal %d (%s)", path,
				 WTERMSIG(status), what ? what : "unknown");
	}
	if (WEXITSTATUS(status) == 0 && str_equal(line, PA_STR(ANSWER_OK)))
		return PA_OK;
	if (str_starts(line, PA_STR(ANSWER_REFUSED)))
		return refuse(err, str_slice(line, strlen(ANSWER_REFUSED), line.len));
	return error_set(err, PA_REJECTED, "%s: left the probe without a result, exit status %d",
			 path, WEXITSTATUS(status));
}

pa_status probe_run(const char *program, const char *path, pa_error *err)
{
	struct probe probe PA_CLEANUP(probe_done) = {.pidfd = -1, .output = -1};
	pa_status status = probe_start(&probe, program, path, err);
	bool is_over;
	int exit_status;

	if (status != PA_OK)
		return status;
	is_over = probe.pidfd >= 0 && probe_wait(&probe);
	if (!is_over)
		kill(probe.pid, SIGKILL);
	exit_status = probe_reap(&probe);
	if (probe.pidfd < 0)
		return error_set(err, PA_RETRY, "the probe can't be watched");
	if (!is_over)
		return error_set(err, PA_REJECTED, "%s: silent in the probe for %d seconds", path,
				 PROBE_LIMIT_MS / 1000);
	return probe_judge(&probe, exit_status, path, err);
}
