/* SPDX-License-Identifier: Apache-2.0
 *
 * support/fake_host.h: the daemon's side of the plugin contract without the daemon: memory with
 * fences, a scripted HTTP, a log that is read. What a plugin does wrong becomes a problem, counted
 * and printed.
 *
 *	pa_call *call = fake_call_new(1000);
 *	status = ops->parse(self, call, fake_guard(body), &events, &count, &err);
 *	fake_call_free(call);       // its memory is checked, overwritten, gone
 *	fake_guard_free();          // so are the arguments
 *	return fake_problems();
 *
 * Threads: every function but fake_plan and fake_forbid may be called from any; a call and the
 * guarded arguments belong to one thread. Good at: what a plugin touches. Bad at: what it leaks
 * (run it under AddressSanitizer for that).
 */
#ifndef SUPPORT_FAKE_HOST_H
#define SUPPORT_FAKE_HOST_H

#include "base/base.h"

#include <proalto/plugin.h>

/* What host->http does with the next calls. */
struct fake_plan {
	unsigned fail_at;  /* the n-th call from now fails, 0: none */
	pa_status failure; /* how: PA_RETRY, PA_REJECTED, PA_DEADLINE, or PA_OK for a bad answer */
	uint32_t reason;   /* PA_HTTP_FAILED_*, with PA_RETRY */
	uint32_t status;   /* of the answers that are given */
	pa_str body;       /* the same */
	bool is_pure;      /* http is not allowed at all */
};

/* The table to hand to open. */
const pa_host *fake_host(void);

/* A call with its own memory and deadline. */
pa_call *fake_call_new(int64_t deadline_ms);

/* Ends it: what was written past an allocation is a problem, and all its memory is overwritten. */
void fake_call_free(pa_call *call);

/* A copy that ends where the readable memory ends: reading past it is fatal. Absent stays absent.
 */
pa_str fake_guard(pa_str bytes);

/* The same with a NUL behind it that is readable and not counted, as option values have. */
pa_str fake_guard_text(pa_str text);

/* Takes away every copy that this thread got. */
void fake_guard_free(void);

/* The script for host->http, and the number of its calls since. */
void fake_plan(const struct fake_plan *plan);
unsigned fake_http_calls(void);

/* A text that must never appear in a log line or an error: a secret, a phone. At most 8. */
void fake_forbid(const char *text);

/* Is one of them in it? */
bool fake_is_forbidden(pa_str text);

/* Says what is wrong, on standard output, and counts it. */
void fake_problem(const char *format, ...) PA_PRINTF(1, 2);
unsigned fake_problems(void);

#endif
