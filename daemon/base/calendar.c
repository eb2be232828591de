/* SPDX-License-Identifier: Apache-2.0 */
#include "base/calendar.h"

#define BOGOTA_NS (-5 * NS_PER_HOUR)
#define DAYS_TO_1970 719468 /* from 0000-03-01 */
#define DAYS_PER_ERA 146097 /* 400 years */

/* Years are counted from March, so that the leap day comes last (the "civil" algorithms). */
int64_t date_to_days(struct date date)
{
	int64_t year = date.year - (date.month <= 2);
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t month = (date.month + 9) % 12;
	int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

struct date date_from_days(int64_t days)
{
	int64_t shifted = days + DAYS_TO_1970;
	int64_t era = (shifted >= 0 ? shifted : shifted - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
	int64_t of_era = shifted - era * DAYS_PER_ERA;
	int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * of_year + 2) / 153;
	struct date date = {
		.year = (int)(year_of_era + era * 400),
		.month = (int)(month < 10 ? month + 3 : month - 9),
		.day = (int)(of_year - (153 * month + 2) / 5 + 1),
	};

	date.year += date.month <= 2;
	return date;
}

bool date_is_valid(struct date date)
{
	struct date back;

	if (date.year < 1 || date.year > 9999 || date.month < 1 || date.month > 12 ||
	    date.day < 1 || date.day > 31)
		return false;
	back = date_from_days(date_to_days(date));
	return back.month == date.month && back.day == date.day;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t local_day(int64_t at_ns)
{
	return floor_div(at_ns + BOGOTA_NS, NS_PER_DAY);
}

int local_minute(int64_t at_ns)
{
	int64_t local = at_ns + BOGOTA_NS;

	return (int)((local - floor_div(local, NS_PER_DAY) * NS_PER_DAY) / NS_PER_MINUTE);
}

int day_of_week(int64_t days)
{
	int64_t weekday = (days + 4) % 7; /* 1970-01-01 was a Thursday */

	return (int)(weekday < 0 ? weekday + 7 : weekday);
}

pa_str date_long(struct arena *arena, int64_t days)
{
	static const char *const months[] = {"enero",      "febrero", "marzo",     "abril",
					     "mayo",       "junio",   "julio",     "agosto",
					     "septiembre", "octubre", "noviembre", "diciembre"};
	struct date date = date_from_days(days);

	return arena_format(arena, "%d de %s de %d", date.day, months[date.month - 1], date.year);
}

static const char *part_of_day(int minute)
{
	if (minute >= 12 * 60 && minute < 13 * 60)
		return "del mediodía";
	if (minute < 60)
		return "de la noche";
	if (minute < 12 * 60)
		return "de la mañana";
	return minute < 19 * 60 ? "de la tarde" : "de la noche";
}

pa_str hour_spoken(struct arena *arena, int64_t at_ns)
{
	int minute = local_minute(at_ns);
	int hour = (minute / 60 + 11) % 12 + 1;

	if (minute % 60 == 0)
		return arena_format(arena, "%d %s", hour, part_of_day(minute));
	return arena_format(arena, "%d:%02d %s", hour, minute % 60, part_of_day(minute));
}

pa_str instant_iso(struct arena *arena, int64_t at_ns)
{
	struct date date = date_from_days(local_day(at_ns));
	int minute = local_minute(at_ns);
	int second = (int)((at_ns - floor_div(at_ns, NS_PER_MINUTE) * NS_PER_MINUTE) / NS_PER_S);

	return arena_format(arena, "%04d-%02d-%02dT%02d:%02d:%02d-05:00", date.year, date.month,
			    date.day, minute / 60, minute % 60, second);
}
