/* SPDX-License-Identifier: Apache-2.0 */
#include "media/inspector.h"

#include "base/err.h"
#include "io/child.h"
#include "io/clock.h"
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 15000

static const char *const words[INSPECT_VERDICTS] = {
	[INSPECT_SOUND] = "sound",
	[INSPECT_OTHER_TYPE] = "other-type",
	[INSPECT_BROKEN] = "broken",
	[INSPECT_TOO_BIG] = "too-big",
	[INSPECT_TOO_MANY_PAGES] = "too-many-pages",
	[INSPECT_TOO_MANY_PIXELS] = "too-many-pixels",
	[INSPECT_ENCRYPTED] = "encrypted",
	[INSPECT_ACTIVE] = "active",
	[INSPECT_POLYGLOT] = "polyglot",
	[INSPECT_BOMB] = "bomb",
	[INSPECT_DIED] = "died",
	[INSPECT_TOO_MANY] = "too-many",
};

const char *inspect_verdict_word(uint32_t verdict)
{
	return verdict < INSPECT_VERDICTS ? words[verdict] : "unknown";
}

/* It gets the file, a place for its answer, and nothing else of ours: no environment, either. */
static int spawn(const struct inspector *inspector, int file, int answer, pid_t *ret)
{
	static const char *const nothing[] = {NULL};
	int null PA_CLEANUP(fd_done) = open("/dev/null", O_WRONLY | O_CLOEXEC);
	char pixels[24], pages[16];
	const char *const args[] = {"proalto-inspect", pixels, pages, NULL};

	snprintf(pixels, sizeof(pixels), "%" PRIu64, inspector->limits.pixels);
	snprintf(pages, sizeof(pages), "%" PRIu32, inspector->limits.pages);
	return null < 0 ? errno
			: child_spawn(ret, inspector->program, args, nothing,
				      (const int[]){file, answer, null});
}

/* Its exit status; -1: it did not come to its end by itself and in time. */
static int wait_for(pid_t pid, int64_t patience_ms)
{
	int pidfd PA_CLEANUP(fd_done) = pidfd_open(pid, 0);
	int64_t end = clock_monotonic_ns() + patience_ms * NS_PER_MS, left;
	struct pollfd one = {pidfd, POLLIN, 0};
	int status = 0;

	while (pidfd >= 0 && !one.revents && (left = end - clock_monotonic_ns()) > 0)
		IGNORE_STATUS(poll(&one, 1, (int)(left / NS_PER_MS) + 1), "asked again");
	if (!one.revents)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Everything that the record says must make sense together, and with the size of the file. */
static bool read_record(int answer, struct inspect_record *ret)
{
	struct stat about;

	if (pread(answer, ret, sizeof(*ret), 0) != (ssize_t)sizeof(*ret) ||
	    fstat(answer, &about) != 0 || ret->magic != INSPECT_MAGIC ||
	    ret->verdict >= INSPECT_VERDICTS || ret->kind >= INSPECT_KINDS ||
	    (uint64_t)about.st_size - sizeof(*ret) != ret->clean)
		return false;
	if (ret->verdict != INSPECT_SOUND)
		return ret->clean == 0;
	return ret->kind != INSPECT_NOTHING && (ret->clean != 0) == (ret->kind != INSPECT_PDF);
}

pa_status inspector_judge(const struct inspector *inspector, int file, struct inspect_record *ret,
			  int *ret_clean, pa_error *err)
{
	int answer PA_CLEANUP(fd_done) = memfd_create("answer", MFD_CLOEXEC);
	int failure, status;
	pid_t pid = 0;

	if (answer < 0)
		return error_set(err, PA_RETRY, "no place for the verdict: %s",
				 strerrordesc_np(errno));
	failure = spawn(inspector, file, answer, &pid);
	if (failure)
		return error_set(err, PA_RETRY, "%s can't be run: %s", inspector->program,
				 strerrordesc_np(failure));
	*ret_clean = -1;
	status = wait_for(pid, inspector->patience_ms ? inspector->patience_ms : PATIENCE_MS);
	if (status == INSPECT_EXIT_UNREADY)
		return error_set(err, PA_RETRY, "%s can't shut itself in", inspector->program);
	if (status != 0 || !read_record(answer, ret))
		*ret = (struct inspect_record){.magic = INSPECT_MAGIC, .verdict = INSPECT_DIED};
	if (ret->clean && lseek(answer, sizeof(*ret), SEEK_SET) == (off_t)sizeof(*ret)) {
		*ret_clean = answer;
		answer = -1;
	}
	return PA_OK;
}
