/* SPDX-License-Identifier: Apache-2.0
 *
 * io/clock.h: the one clock. Business time is a parameter of everything that depends on time, and
 * comes from here; beside a core marked demo it can be turned, so that tests live through a week in
 * a second. Deadlines and timeouts use the monotonic clock, which cannot be turned. Thread-safe.
 */
#ifndef IO_CLOCK_H
#define IO_CLOCK_H

#include "base/base.h"

/* Business time: nanoseconds since 1970-01-01 UTC, plus what it was turned by. */
int64_t clock_now_ns(void);

/* Turns business time by so much more; never backwards. */
void clock_advance(int64_t by_ns);

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t clock_monotonic_ns(void);

#endif
