/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/rate.h"

struct rate rate_make(int64_t interval_ns, int64_t count)
{
	return (struct rate){.interval_ns = interval_ns,
			     .burst_ns = interval_ns * (count > 0 ? count - 1 : 0)};
}

int64_t rate_take(struct rate *rate, int64_t now_ns)
{
	int64_t due = rate->due_ns > now_ns ? rate->due_ns : now_ns;

	if (due - now_ns > rate->burst_ns)
		return due - now_ns - rate->burst_ns;
	rate->due_ns = due + rate->interval_ns;
	return 0;
}

void rate_charge(struct rate *rate, int64_t ns)
{
	rate->due_ns += ns;
}

void rate_return(struct rate *rate)
{
	rate->due_ns -= rate->interval_ns;
}
