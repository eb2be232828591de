/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/findings.h: what doctor and `db check` found: each finding has a check's name (for programs),
 * a state, a sentence on what it means, and what to type. A list of them is JSON, so that it can
 * come from a child; it is printed for people, or as it is.
 *
 *	struct findings found = {.list = json_array_new()};
 *	findings_add(&found, "disk", HEALTH_WARNING, "df -h", ctl_say("...%d", "...%d"), percent);
 *	status = findings_print(found.list, is_json);
 */
#ifndef CTL_FINDINGS_H
#define CTL_FINDINGS_H

#include "io/json.h"

/* The numbers are Nagios' exit statuses. */
enum health { HEALTH_OK, HEALTH_WARNING, HEALTH_CRITICAL, HEALTH_UNKNOWN };

struct findings {
	struct json *list;
};

/* todo NULL: nothing. */
void findings_add(struct findings *findings, const char *check, enum health health,
		  const char *todo, const char *format, ...) PA_PRINTF(5, 6);

/* Moves the findings of a child's answer over; false if it is none. */
bool findings_take(struct findings *findings, pa_str text);

/* Prints all, the worst first, below a line in Nagios' form; returns the worst: critical, then
 * warning, then unknown. */
enum health findings_print(const struct json *list, bool is_json);

#endif
