/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/overview.h: the store at a glance, for people: what waits, what is in doubt, who runs. Read
 * by the keeper every few seconds, so that whoever asks the daemon never waits for PostgreSQL; and
 * by proaltoctl itself where there is no daemon. Bounded: a count of 10,000 may be more.
 *
 *	status = overview_read(db, arena, &overview, &err); // a connection with the set "overview"
 */
#ifndef QUEUE_OVERVIEW_H
#define QUEUE_OVERVIEW_H

#include "io/db.h"

#define OVERVIEW_NODES 16
#define OVERVIEW_NAME 64

struct overview_node {
	char name[OVERVIEW_NAME]; /* as much of it as fits */
	int64_t started_ns;
	bool is_alive;
};

/* Times are business time in nanoseconds; 0: there is none. */
struct overview {
	int64_t read_ns; /* 0: never */
	int64_t events;  /* that wait for a turn */
	int64_t events_oldest_ns;
	int64_t messages; /* that are not yet sent, given up or settled */
	int64_t messages_oldest_ns;
	int64_t uncertain; /* of those: nobody knows whether they arrived */
	int64_t set_aside;
	struct overview_node nodes[OVERVIEW_NODES]; /* by name */
	size_t nodes_count;
};

/* ret is untouched on failure. */
pa_status overview_read(struct db *db, struct arena *arena, struct overview *ret, pa_error *err)
	PA_MUST_USE;

#endif
