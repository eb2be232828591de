/* SPDX-License-Identifier: Apache-2.0 */
#include "refused.h"

#include "io/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_S 30

static bool mark_path(char *out, size_t room)
{
	const char *directory = getenv("RUNTIME_DIRECTORY");
	int len = directory ? snprintf(out, room, "%s/refused", directory) : -1;

	return len > 0 && (size_t)len < room;
}

static bool is_newer(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec > b->st_mtim.tv_sec ||
	       (a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec > b->st_mtim.tv_nsec);
}

/* The seconds that the last refusal cost; 0 if there was none of this file. */
static int last_pause(const char *mark, const char *config_path)
{
	struct stat config, marked;
	char text[8];
	FILE *file;
	long seconds = 0;

	if (stat(config_path, &config) != 0 || stat(mark, &marked) != 0 ||
	    is_newer(&config, &marked))
		return 0;
	file = fopen(mark, "re");
	if (!file)
		return 0;
	if (fgets(text, sizeof(text), file))
		seconds = strtol(text, NULL, 10);
	fclose(file);
	return seconds > 0 && seconds <= MOST_S ? (int)seconds : 0;
}

static void write_mark(const char *mark, int seconds)
{
	FILE *file = fopen(mark, "we");

	if (!file)
		return; /* then it is tried again at once, as ever */
	fprintf(file, "%d\n", seconds);
	fclose(file);
}

static bool has_changed(const char *path, const struct stat *before)
{
	struct stat now;

	return stat(path, &now) != 0 || is_newer(&now, before);
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

bool refused_wait(const char *config_path)
{
	struct stat before;
	char mark[4096];
	int last, seconds;

	if (!mark_path(mark, sizeof(mark)) || stat(config_path, &before) != 0)
		return true;
	last = last_pause(mark, config_path);
	seconds = last * 2 < MOST_S ? last * 2 : MOST_S;
	write_mark(mark, seconds ? seconds : 1);
	if (seconds)
		notify_status("La configuración no sirve (journalctl dice por qué); se intenta de "
			      "nuevo en %d s o cuando cambie %s",
			      seconds, config_path);
	while (seconds-- > 0 && !has_changed(config_path, &before))
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
