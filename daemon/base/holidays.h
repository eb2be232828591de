/* SPDX-License-Identifier: Apache-2.0
 *
 * base/holidays.h: the public holidays of Colombia and the business days between them, for legal
 * terms. Computed from dated rules (Ley 51 de 1983; Ley 2578 de 2026 art. 6 adds one from 2026 on),
 * so a new law is one more row and old terms keep their old count.
 *
 *	int64_t due;
 *	if (!business_days_after(local_day(now_ns), 15, &due)) ... // outside 1984 to 2099
 *
 * Days are days since 1970-01-01, in Bogota. Pure, thread-safe. Saturdays are not business days.
 * Outside 1984 to 2099 the functions say so instead of guessing: the movable feasts were checked
 * for those years only.
 */
#ifndef BASE_HOLIDAYS_H
#define BASE_HOLIDAYS_H

#include "base/calendar.h"

#define HOLIDAYS_FIRST_YEAR 1984
#define HOLIDAYS_LAST_YEAR 2099
#define HOLIDAYS_ROOM 20 /* entries a year at most */

/* The holidays of a year in the order of the rules; two may fall on one day. How many there are,
 * 0 for a year outside the range. */
size_t holidays_of_year(int year, int64_t ret_days[HOLIDAYS_ROOM]);

/* The name of the holiday on that day, NULL if there is none. False outside the range. */
bool holiday_name(int64_t day, const char **ret) PA_MUST_USE;

/* Monday to Friday and no holiday. False outside the range. */
bool business_day(int64_t day, bool *ret) PA_MUST_USE;

/* The day on which a term of so many business days ends, the first being the one after `day`. */
bool business_days_after(int64_t day, int terms, int64_t *ret) PA_MUST_USE;

#endif
