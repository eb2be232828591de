/* SPDX-License-Identifier: Apache-2.0 */
#include "base/holidays.h"

#define MONDAY 1
#define SATURDAY 6

enum rule_kind { FIXED, NEXT_MONDAY, AFTER_EASTER };

struct rule {
	enum rule_kind kind;
	int month; /* FIXED, NEXT_MONDAY */
	int day;   /* of the month, or days after Easter Sunday */
	int since; /* first year, 0: always */
	const char *name;
};

static const struct rule rules[] = {
	{FIXED, 1, 1, 0, "Año Nuevo"},
	{NEXT_MONDAY, 1, 6, 0, "Reyes Magos"},
	{NEXT_MONDAY, 3, 19, 0, "San José"},
	{AFTER_EASTER, 0, -3, 0, "Jueves Santo"},
	{AFTER_EASTER, 0, -2, 0, "Viernes Santo"},
	{FIXED, 5, 1, 0, "Día del Trabajo"},
	/* The three that Ley 51 moves from Thursday or Friday to Monday. */
	{AFTER_EASTER, 0, 43, 0, "Ascensión del Señor"},
	{AFTER_EASTER, 0, 64, 0, "Corpus Christi"},
	{AFTER_EASTER, 0, 71, 0, "Sagrado Corazón de Jesús"},
	{NEXT_MONDAY, 6, 29, 0, "San Pedro y San Pablo"},
	{NEXT_MONDAY, 7, 9, 2026, "Nuestra Señora del Rosario de Chiquinquirá"},
	{FIXED, 7, 20, 0, "Día de la Independencia"},
	{FIXED, 8, 7, 0, "Batalla de Boyacá"},
	{NEXT_MONDAY, 8, 15, 0, "Asunción de la Virgen"},
	{NEXT_MONDAY, 10, 12, 0, "Día de la Raza"},
	{NEXT_MONDAY, 11, 1, 0, "Todos los Santos"},
	{NEXT_MONDAY, 11, 11, 0, "Independencia de Cartagena"},
	{FIXED, 12, 8, 0, "Inmaculada Concepción"},
	{FIXED, 12, 25, 0, "Navidad"},
};

/* Meeus, Jones and Butcher. */
static int64_t easter(int year)
{
	int a = year % 19, b = year / 100, c = year % 100;
	int d = b / 4, e = b % 4, g = (b - (b + 8) / 25 + 1) / 3;
	int h = (19 * a + b - d - g + 15) % 30;
	int l = (32 + 2 * e + 2 * (c / 4) - h - c % 4) % 7;
	int sum = h + l - 7 * ((a + 11 * h + 22 * l) / 451) + 114;

	return date_to_days((struct date){year, sum / 31, sum % 31 + 1});
}

static int64_t rule_day(const struct rule *rule, int year, int64_t easter_day)
{
	int64_t day;

	if (rule->kind == AFTER_EASTER)
		return easter_day + rule->day;
	day = date_to_days((struct date){year, rule->month, rule->day});
	if (rule->kind == NEXT_MONDAY)
		day += (MONDAY - day_of_week(day) + 7) % 7;
	return day;
}

static bool year_is_known(int year)
{
	return year >= HOLIDAYS_FIRST_YEAR && year <= HOLIDAYS_LAST_YEAR;
}

size_t holidays_of_year(int year, int64_t ret_days[HOLIDAYS_ROOM])
{
	int64_t easter_day;
	size_t count = 0;

	_Static_assert(ARRAY_COUNT(rules) <= HOLIDAYS_ROOM, "more rules than room");
	if (!year_is_known(year))
		return 0;
	easter_day = easter(year);
	for (size_t i = 0; i < ARRAY_COUNT(rules); i++)
		if (rules[i].since <= year)
			ret_days[count++] = rule_day(&rules[i], year, easter_day);
	return count;
}

bool holiday_name(int64_t day, const char **ret)
{
	int year = date_from_days(day).year;
	int64_t easter_day;

	if (!year_is_known(year))
		return false;
	*ret = NULL;
	easter_day = easter(year);
	for (size_t i = 0; i < ARRAY_COUNT(rules) && !*ret; i++)
		if (rules[i].since <= year && rule_day(&rules[i], year, easter_day) == day)
			*ret = rules[i].name;
	return true;
}

bool business_day(int64_t day, bool *ret)
{
	int weekday = day_of_week(day);
	const char *name;

	if (!holiday_name(day, &name))
		return false;
	*ret = weekday >= MONDAY && weekday < SATURDAY && !name;
	return true;
}

bool business_days_after(int64_t day, int terms, int64_t *ret)
{
	int64_t at = day;
	bool counts;

	for (int left = terms; left > 0; left -= counts)
		if (!business_day(++at, &counts))
			return false;
	*ret = at;
	return true;
}
