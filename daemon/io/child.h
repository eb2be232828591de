/* SPDX-License-Identifier: Apache-2.0
 *
 * io/child.h: another program, run to its end: systemd-creds, systemctl.
 *
 *	const char *const argv[] = {"systemd-creds", "decrypt", "--name=x", path, "-", NULL};
 *	status = child_run(arena, argv, PA_STR_ABSENT, 8192, &said, &err);
 *
 * No shell: argv goes to execve as it is, the program is looked for in PATH. It inherits standard
 * error and the environment, and nothing else: signals are as at login, descriptors closed. Secrets
 * go in and out through memory and a pipe, never by argv. Thread-safe. Bad at: programs that talk
 * back, or never end.
 */
#ifndef IO_CHILD_H
#define IO_CHILD_H

#include "base/arena.h"

#include <sys/types.h>

/* Gives it input (absent: nothing) on standard input and takes at most max bytes of its standard
 * output into the arena, a NUL behind; with ret NULL it inherits standard output. PA_REJECTED: it
 * can't be run, says more than max, or fails; the text names the program. */
pa_status child_run(struct arena *arena, const char *const *argv, pa_str input, size_t max,
		    pa_str *ret, pa_error *err) PA_MUST_USE;

/* Starts a program, looked for in PATH if its name has no slash, with three descriptors (below 0:
 * it inherits ours) and nothing else: see above. environment NULL: ours. 0, or an errno; the caller
 * waits for its end. */
int child_spawn(pid_t *ret, const char *program, const char *const *argv,
		const char *const *environment, const int streams[3]);

/* A program that runs beside us, with one pipe. */
struct child {
	const char *program;
	int64_t pid;
	int fd; /* our end: to be read, or written */
};

/* Starts it: reads what it writes, or the other way round (is_input); the other end is nothing.
 * more: what its environment has before ours, "NAME=value", NULL-terminated. argv[0] must outlive
 * it. */
pa_status child_start(const char *const *argv, const char *const *more, bool is_input,
		      struct child *ret, pa_error *err) PA_MUST_USE;

/* Closes the pipe and waits for its end. PA_REJECTED: it failed. */
pa_status child_end(struct child *child, pa_error *err) PA_MUST_USE;

#endif
