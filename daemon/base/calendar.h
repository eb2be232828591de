/* SPDX-License-Identifier: Apache-2.0
 *
 * base/calendar.h: dates and hours of Colombia, and how they are written for people. Legal time is
 * UTC-5 all year (America/Bogota has no daylight saving): never the host's zone or locale.
 * Instants are int64_t nanoseconds since 1970-01-01 UTC, days are days since 1970-01-01.
 */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H

#include "base/arena.h"

struct date {
	int year;
	int month; /* 1 to 12 */
	int day;   /* 1 to 31 */
};

/* Proleptic Gregorian, valid from year 1 to 9999. */
int64_t date_to_days(struct date date);
struct date date_from_days(int64_t days);
bool date_is_valid(struct date date);

/* The day in Bogota at an instant. */
int64_t local_day(int64_t at_ns);

/* Minutes since local midnight, 0 to 1439. */
int local_minute(int64_t at_ns);

/* 0 Sunday to 6 Saturday. */
int day_of_week(int64_t days);

/* "15 de marzo de 2027". */
pa_str date_long(struct arena *arena, int64_t days);

/* "2 de la tarde", "2:05 de la tarde", "12 del mediodía". */
pa_str hour_spoken(struct arena *arena, int64_t at_ns);

/* "2026-11-20T15:05:00-05:00", for machines and operators. */
pa_str instant_iso(struct arena *arena, int64_t at_ns);

#endif
