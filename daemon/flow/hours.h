/* SPDX-License-Identifier: Apache-2.0
 *
 * flow/hours.h: when people attend: weekly hours, closed on public holidays. From the files of the
 * flows ("atencion"). Pure.
 */
#ifndef FLOW_HOURS_H
#define FLOW_HOURS_H

#include "base/arena.h"

#define WEEKDAYS 7

/* Minutes since local midnight; a day with from == until is closed. */
struct hours {
	int from[WEEKDAYS]; /* 0 is Sunday */
	int until[WEEKDAYS];
};

/* When somebody is there again: now_ns itself while somebody is; 0 if nobody ever is, as far as the
 * calendar goes. */
int64_t hours_next(const struct hours *hours, int64_t now_ns);

/* "mañana a las 8 de la mañana", "el lunes 23 de noviembre de 2026 a las 8 de la mañana". */
pa_str opening_spoken(struct arena *arena, int64_t now_ns, int64_t opens_ns);

/* "Lunes a viernes, de 8 de la mañana a 5 de la tarde": a sentence for days that are alike. */
pa_str hours_spoken(struct arena *arena, const struct hours *hours);

#endif
