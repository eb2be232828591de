/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/ports.h: a worker's answers to what a turn asks (struct turn_ports): the core system,
 * language, locks and quotas in the store, over a connection of the worker's own.
 */
#ifndef QUEUE_PORTS_H
#define QUEUE_PORTS_H

#include "io/db.h"
#include "queue/worker.h"

/* One worker's ports. Belongs to its thread. */
struct ports {
	const struct workers_options *options;
	_Atomic int64_t *moved_ns;      /* the worker's */
	_Atomic int64_t *speechless_ns; /* all workers': until then language is not asked */
	struct db *db;                  /* opened at first use */
	struct arena *arena;            /* the turn's */
	const struct conversation *conversation;
	int64_t until_ns;        /* monotonic: when the turn's time is up */
	pa_str last_provider_id; /* what the customer sent last, to be marked as read; absent:
				    nothing */
	bool is_marked;
	bool found_store_away; /* what the turn was told then is not to be relied on */
};

/* The table whose arg is ports. */
struct turn_ports ports_table(struct ports *ports);

void ports_done(struct ports *ports);

#endif
