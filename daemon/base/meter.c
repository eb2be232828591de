/* SPDX-License-Identifier: Apache-2.0 */
#include "base/meter.h"

#define MS(n) ((int64_t)((n)*NS_PER_MS))

const int64_t histogram_bounds_ns[HISTOGRAM_BOUNDS] = {
	MS(1),   MS(2.5), MS(5),    MS(10),   MS(25),   MS(50),    MS(100),
	MS(250), MS(500), MS(1000), MS(2500), MS(5000), MS(10000), MS(30000),
};

void histogram_note(struct histogram *h, int64_t took_ns)
{
	size_t bucket = 0;

	if (took_ns < 0)
		took_ns = 0;
	while (bucket < HISTOGRAM_BOUNDS && took_ns > histogram_bounds_ns[bucket])
		bucket++;
	meter_add(&h->buckets[bucket], 1);
	meter_add(&h->sum_ns, (uint64_t)took_ns);
}
