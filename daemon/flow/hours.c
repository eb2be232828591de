/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/hours.h"

#include "base/holidays.h"
#include "base/str.h"

#define DAYS_AHEAD 31 /* no house is closed for longer */
#define BOGOTA_NS (5 * NS_PER_HOUR)

static int64_t instant(int64_t day, int minute)
{
	return day * NS_PER_DAY + BOGOTA_NS + minute * NS_PER_MINUTE;
}

static bool is_open_day(const struct hours *hours, int64_t day)
{
	int weekday = day_of_week(day);
	const char *holiday;

	return hours->from[weekday] < hours->until[weekday] && holiday_name(day, &holiday) &&
	       !holiday;
}

int64_t hours_next(const struct hours *hours, int64_t now_ns)
{
	int64_t today = local_day(now_ns);

	for (int64_t day = today; day < today + DAYS_AHEAD; day++) {
		int weekday = day_of_week(day);
		int64_t opens = instant(day, hours->from[weekday]);

		if (is_open_day(hours, day) && now_ns < instant(day, hours->until[weekday]))
			return now_ns > opens ? now_ns : opens;
	}
	return 0;
}

static const char *const day_names[WEEKDAYS] = {"domingo", "lunes",   "martes", "miércoles",
						"jueves",  "viernes", "sábado"};

static pa_str at_hour(struct arena *arena, int64_t at_ns)
{
	bool is_one = (local_minute(at_ns) / 60 + 11) % 12 == 0; /* "a la 1" */

	return arena_format(arena, "a la%s %.*s", is_one ? "" : "s",
			    PA_FMT(hour_spoken(arena, at_ns)));
}

pa_str opening_spoken(struct arena *arena, int64_t now_ns, int64_t opens_ns)
{
	int64_t day = local_day(opens_ns), ahead = day - local_day(now_ns);
	pa_str hour = at_hour(arena, opens_ns);

	if (ahead < 2)
		return arena_format(arena, "%s %.*s", ahead ? "mañana" : "hoy", PA_FMT(hour));
	return arena_format(arena, "el %s %.*s %.*s", day_names[day_of_week(day)],
			    PA_FMT(date_long(arena, day)), PA_FMT(hour));
}

static bool is_alike(const struct hours *hours, int a, int b)
{
	return hours->from[a] == hours->from[b] && hours->until[a] == hours->until[b];
}

/* The week begins on Monday. */
static int weekday_at(int i)
{
	return (i + 1) % WEEKDAYS;
}

static pa_str days_spoken(struct arena *arena, const struct hours *hours, int first, int last)
{
	int day = weekday_at(first);
	pa_str from = hour_spoken(arena, instant(0, hours->from[day]));
	pa_str until = hour_spoken(arena, instant(0, hours->until[day]));

	return arena_format(
		arena, "%s%s%s, de %.*s a %.*s", day_names[day], first < last ? " a " : "",
		first < last ? day_names[weekday_at(last)] : "", PA_FMT(from), PA_FMT(until));
}

pa_str hours_spoken(struct arena *arena, const struct hours *hours)
{
	pa_str all = PA_STR("");

	for (int i = 0, last; i < WEEKDAYS; i = last + 1) {
		int day = weekday_at(i);

		for (last = i; last + 1 < WEEKDAYS; last++)
			if (!is_alike(hours, day, weekday_at(last + 1)))
				break;
		if (hours->from[day] < hours->until[day])
			all = arena_format(arena, "%.*s%s%.*s", PA_FMT(all), all.len ? "; " : "",
					   PA_FMT(days_spoken(arena, hours, i, last)));
	}
	return all;
}
