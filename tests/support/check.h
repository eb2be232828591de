/* SPDX-License-Identifier: Apache-2.0
 *
 * support/check.h: what several unit tests compare with. To be included after cmocka.h.
 */
#ifndef SUPPORT_CHECK_H
#define SUPPORT_CHECK_H

#include "base/str.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Same bytes, and absent only if the other is. */
static inline void expect_str(pa_str got, pa_str wanted)
{
	if (!str_equal(got, wanted) || str_is_absent(got) != str_is_absent(wanted))
		fail_msg("got \"%.*s\" (%zu bytes), wanted \"%.*s\" (%zu)", PA_FMT(got), got.len,
			 PA_FMT(wanted), wanted.len);
}

/* Runs fn(arg) in a child, which must die of abort(). */
static inline void expect_abort(void (*fn)(void *), void *arg)
{
	const struct rlimit no_core = {0, 0};
	pid_t child = fork();
	int status;

	if (child == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGABRT, SIG_DFL); /* not cmocka's */
		close(STDERR_FILENO);
		fn(arg);
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

#endif
