/* SPDX-License-Identifier: Apache-2.0
 *
 * courier.h: the thread that takes what happened on the phones to the daemon, since that waits for
 * a database and nothing else here may wait.
 *
 *	courier_take_message(sim->courier, person, item);   the item's state tells how it went
 *	courier_take_status(sim->courier, person, item, PA_STATUS_READ, now_ns);
 *
 * A message is tried once: "sent" when the daemon has it durably, "retrying" when it asked to come
 * again (whoever posted it posts it again with the same id), "failed" when it refused. Statuses are
 * tried until they are taken, in batches, while run() lives; the oldest gives way when too many
 * wait.
 *
 * Threads: begins in courier_start, ends in courier_stop. The take functions: lock held.
 */
#ifndef COURIER_H
#define COURIER_H

#include "simulator.h"

/* Starts the thread. PA_RETRY: no thread to be had. */
pa_status courier_start(struct simulator *sim, pa_error *err) SIM_MUST_USE;

/* Ends it: what is being delivered is finished, messages that wait become "retrying". Lock not
 * held. */
void courier_stop(struct simulator *sim);

/* Queues the customer's message, which is in the person's chat. False: too many wait. */
bool courier_take_message(struct courier *courier, const struct person *person,
			  const struct item *item) SIM_MUST_USE;

/* Queues what became of a message of the daemon's. */
void courier_take_status(struct courier *courier, const struct person *person,
			 const struct item *item, uint32_t status, int64_t now_ns);

#endif
