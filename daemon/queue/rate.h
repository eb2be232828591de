/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/rate.h: how often something may happen, as one number: the time at which it would be
 * exactly on schedule (the generic cell rate algorithm). Times are monotonic nanoseconds. Not
 * thread-safe.
 */
#ifndef QUEUE_RATE_H
#define QUEUE_RATE_H

#include "base/base.h"

struct rate {
	int64_t interval_ns; /* between two, on average */
	int64_t burst_ns;    /* how far ahead of schedule one may be */
	int64_t due_ns;
};

/* count may happen at once before the average holds. */
struct rate rate_make(int64_t interval_ns, int64_t count);

/* 0 and one is taken, or how long to wait until one may be. */
int64_t rate_take(struct rate *rate, int64_t now_ns);

/* What happened took more than its share: the next is put off by so much. */
void rate_charge(struct rate *rate, int64_t ns);

/* Gives one back that did not happen. */
void rate_return(struct rate *rate);

#endif
