/* SPDX-License-Identifier: Apache-2.0
 *
 * base/meter.h: what is counted while the daemon works, and read when somebody asks: counters, and
 * histograms of how long something took. Any thread may add; nobody waits. They start at zero and
 * never go back.
 *
 *	struct channel_counts { meter receipts; struct histogram calls; };
 *	meter_add(&counts->receipts, 1);
 *	histogram_note(&counts->calls, clock_monotonic_ns() - began_ns);
 *
 * An addition is a relaxed atomic one: some nanoseconds. Bad at: telling several meters of one
 * instant; each is right by itself.
 */
#ifndef BASE_METER_H
#define BASE_METER_H

#include "base/base.h"

#include <stdatomic.h>

typedef _Atomic uint64_t meter;

static inline void meter_add(meter *m, uint64_t by)
{
	atomic_fetch_add_explicit(m, by, memory_order_relaxed);
}

static inline uint64_t meter_read(const meter *m)
{
	return atomic_load_explicit(m, memory_order_relaxed);
}

/* A millisecond to half a minute. */
#define HISTOGRAM_BOUNDS 14

/* Each bucket holds what took at most its bound and more than the one before; the last, the rest.
 */
struct histogram {
	meter buckets[HISTOGRAM_BOUNDS + 1];
	meter sum_ns;
};

/* The bounds, ascending. */
extern const int64_t histogram_bounds_ns[HISTOGRAM_BOUNDS];

/* Less than nothing counts as nothing. */
void histogram_note(struct histogram *h, int64_t took_ns);

#endif
