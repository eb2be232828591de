/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/read.h"

#include "base/str.h"

#include <string.h>

#define MINUTES_A_DAY (INT64_C(24) * 60)

/* "8:00"; -1 and a problem if it is none. */
static int read_minute(struct reader *reader, const struct conf_node *node, const char *key)
{
	pa_str text = read_text_of(reader, node, key, true), rest = text, hour;
	int64_t hours, minutes;

	if (!text.ptr)
		return -1;
	hour = str_split(&rest, ':');
	if (rest.len == 2 && str_to_int64(hour, &hours) && str_to_int64(rest, &minutes) &&
	    hours >= 0 && hours <= 24 && minutes >= 0 && minutes < 60 &&
	    hours * 60 + minutes <= MINUTES_A_DAY)
		return (int)(hours * 60 + minutes);
	problem_add(reader->problems, read_where(reader, node),
		    "\"%s\" es una hora de 0:00 a 24:00", key);
	return -1;
}

static int weekday_named(pa_str name)
{
	static const char *const names[WEEKDAYS] = {"domingo", "lunes",   "martes", "miercoles",
						    "jueves",  "viernes", "sabado"};

	for (int i = 0; i < WEEKDAYS; i++)
		if (str_equal(name, str_from(names[i])))
			return i;
	return NOWHERE;
}

static void read_day(struct reader *reader, const struct conf_node *node, int from, int until)
{
	struct hours *hours = &reader->set->hours;
	int day = node->kind == CONF_TEXT ? weekday_named(node->text) : NOWHERE;

	if (day == NOWHERE || hours->until[day]) {
		problem_add(reader->problems, read_where(reader, node),
			    "\"dias\" son de \"lunes\" a \"domingo\", sin tilde y cada uno una "
			    "vez");
		return;
	}
	hours->from[day] = from;
	hours->until[day] = until;
}

static void read_row(struct reader *reader, const struct conf_node *node)
{
	static const char *const known[] = {"dias", "desde", "hasta", NULL};
	const struct conf_node *days = read_list_of(reader, node, "dias", true);
	int from = read_minute(reader, node, "desde"), until = read_minute(reader, node, "hasta");

	read_known(reader, node, known);
	if (!days || from < 0 || until < 0)
		return;
	if (from >= until)
		problem_add(reader->problems, read_where(reader, node),
			    "\"desde\" va antes de \"hasta\"");
	for (size_t i = 0; i < days->count; i++)
		read_day(reader, days->children[i], from, until);
}

void read_hours(struct reader *reader, const struct conf_node *root)
{
	const struct conf_node *list = read_list_of(reader, root, "atencion", false);

	for (size_t i = 0; list && i < list->count; i++)
		read_row(reader, list->children[i]);
}
