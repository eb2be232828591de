/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect/sandbox.h"

#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

static const struct bound {
	int what;
	rlim_t most;
	bool bears_sanitizer;
} bounds[] = {
	{RLIMIT_AS, (rlim_t)640 << 20, false},
	{RLIMIT_CPU, 10, true},
	{RLIMIT_FSIZE, (rlim_t)256 << 20, true},
	{RLIMIT_NOFILE, 0, false},
	{RLIMIT_NPROC, 0, false},
	{RLIMIT_STACK, (rlim_t)8 << 20, true},
	{RLIMIT_MEMLOCK, 0, true},
	{RLIMIT_MSGQUEUE, 0, true},
};

bool sandbox_begin(void)
{
	const struct rlimit none = {0, 0};

	return setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       (IS_SANITIZED || prctl(PR_SET_DUMPABLE, 0) == 0) &&
	       close_range(STDERR_FILENO + 1, ~0U, 0) == 0;
}

/* Calls that are allowed whatever their arguments. */
static const int allowed[] = {
	SCMP_SYS(brk),        SCMP_SYS(munmap),    SCMP_SYS(mremap),        SCMP_SYS(madvise),
	SCMP_SYS(futex),      SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(exit_group), SCMP_SYS(exit),
};

static bool allow_memory(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
				SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS)) == 0 &&
	       seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0;
}

static bool allow_answer(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
				SCMP_A0(SCMP_CMP_EQ, STDOUT_FILENO, 0)) == 0;
}

static bool filter_load(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	bool is_done = filter != NULL;

	for (size_t i = 0; i < ARRAY_COUNT(allowed); i++)
		is_done = is_done && seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
	is_done = is_done && allow_memory(filter) && allow_answer(filter) &&
		  seccomp_load(filter) == 0;
	if (filter)
		seccomp_release(filter);
	return is_done;
}

bool sandbox_enter(void)
{
	for (size_t i = 0; i < ARRAY_COUNT(bounds); i++) {
		const struct rlimit limit = {bounds[i].most, bounds[i].most};

		if (IS_SANITIZED && !bounds[i].bears_sanitizer)
			continue;
		if (setrlimit((__rlimit_resource_t)bounds[i].what, &limit) != 0)
			return false;
	}
	return IS_SANITIZED || filter_load();
}

bool sandbox_is_partial(void)
{
	return IS_SANITIZED;
}
