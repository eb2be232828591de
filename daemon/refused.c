/* SPDX-License-Identifier: Apache-2.0 */
#include "refused.h"

#include "io/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_S 30
#define MARK_BYTES 128 /* pause, version */

static bool mark_path(char *out, size_t room)
{
	const char *directory = getenv("RUNTIME_DIRECTORY");
	int len = directory ? snprintf(out, room, "%s/refused", directory) : -1;

	return len > 0 && (size_t)len < room;
}

struct config_version config_version_of(const char *path)
{
	struct config_version version = {0};
	struct stat st;

	if (stat(path, &st) == 0)
		version = (struct config_version){(unsigned long long)st.st_ino,
						  (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
						  (long long)st.st_size};
	return version;
}

static bool is_same(const struct config_version *a, const struct config_version *b)
{
	return a->inode == b->inode && a->modified_s == b->modified_s &&
	       a->modified_ns == b->modified_ns && a->size == b->size;
}

static void format_mark(char out[MARK_BYTES], int seconds, const struct config_version *refused)
{
	snprintf(out, MARK_BYTES, "%d %llu %lld.%ld %lld\n", seconds, refused->inode,
		 refused->modified_s, refused->modified_ns, refused->size);
}

/* The seconds that the last refusal cost; 0 if there was none of this version. */
static int last_pause(const char *mark, const struct config_version *refused)
{
	char line[MARK_BYTES] = "", wanted[MARK_BYTES];
	FILE *file = fopen(mark, "re");
	long seconds;

	if (!file)
		return 0;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	seconds = strtol(line, NULL, 10);
	if (seconds <= 0 || seconds > MOST_S)
		return 0;
	format_mark(wanted, (int)seconds, refused);
	return strcmp(line, wanted) == 0 ? (int)seconds : 0;
}

static void write_mark(const char *mark, int seconds, const struct config_version *refused)
{
	FILE *file = fopen(mark, "we");
	char line[MARK_BYTES];

	if (!file)
		return; /* then it is tried again at once, as ever */
	format_mark(line, seconds, refused);
	fputs(line, file);
	fclose(file);
}

static bool has_changed(const char *path, const struct config_version *refused)
{
	struct config_version now = config_version_of(path);

	return !is_same(&now, refused);
}

/* False on a signal to end. */
static bool sleep_a_second(void)
{
	const struct timespec second = {.tv_sec = 1};
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	return sigtimedwait(&ends, NULL, &second) < 0;
}

bool refused_wait(const char *config_path, const struct config_version *refused)
{
	char mark[4096];
	int last, seconds;

	if (!mark_path(mark, sizeof(mark)))
		return true;
	last = last_pause(mark, refused);
	seconds = last * 2 < MOST_S ? last * 2 : MOST_S;
	write_mark(mark, seconds ? seconds : 1, refused);
	if (seconds)
		notify_status("La configuración no sirve (journalctl dice por qué); se intenta de "
			      "nuevo en %d s o cuando cambie %s",
			      seconds, config_path);
	while (seconds-- > 0 && !has_changed(config_path, refused))
		if (!sleep_a_second())
			return false;
	return true;
}

void refused_forget(void)
{
	char mark[4096];

	if (mark_path(mark, sizeof(mark)))
		IGNORE_STATUS(unlink(mark), "most often there is none");
}
