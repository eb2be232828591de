/* SPDX-License-Identifier: Apache-2.0
 *
 * flow/check.h: proves a flow set before it is used. Every way through every flow is followed, with
 * what is known on it: a value is shown only where it was fetched and its holder verified; nothing
 * leads nowhere; nothing runs in circles; no turn says more than two things.
 */
#ifndef FLOW_CHECK_H
#define FLOW_CHECK_H

#include "flow/model.h"

#define BUBBLES_A_TURN 2

/* Fills in what the set needs at run time (engine texts, the flows the engine knows by name, facts
 * of each step) and complains about everything that is wrong. */
void check_set(struct flow_set *set, struct flow_problems *problems);

/* Titles, limits and wording of what a step shows (check_steps.c). */
void check_step_shown(const struct flow_set *set, const struct step *step,
		      struct flow_problems *problems);

/* The step's ways on: targets in the same flow, THE_END left out. At most CASES_MAX + 2. */
size_t step_ways(const struct step *step, int ways[CASES_MAX + OPTIONS_MAX + 2]);

/* True if the turn ends at this step, waiting for the person. */
bool step_waits(const struct step *step);

#endif
