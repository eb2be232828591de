/* SPDX-License-Identifier: Apache-2.0 */
#include "io/clock.h"

#include <stdatomic.h>
#include <time.h>

/* What the business clock was turned by. */
static _Atomic int64_t turned_ns;

static int64_t read_ns(clockid_t id)
{
	struct timespec now;

	/* Fails only for a clock that does not exist. */
	if (clock_gettime(id, &now) != 0)
		return 0;
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t clock_now_ns(void)
{
	return read_ns(CLOCK_REALTIME) + atomic_load_explicit(&turned_ns, memory_order_relaxed);
}

void clock_advance(int64_t by_ns)
{
	if (by_ns > 0)
		atomic_fetch_add(&turned_ns, by_ns);
}

int64_t clock_monotonic_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}
