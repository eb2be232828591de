/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/batch.h: the items of one transaction, and what may be among them. Pure.
 */
#ifndef QUEUE_BATCH_H
#define QUEUE_BATCH_H

#include "queue/item.h"

#define BATCH_MAX 256 /* items of one kind in one transaction */

/* Items of one transaction. Within a batch: dedup keys differ, an outbox row has one receipt, one
 * attempt and one outcome at most, a conversation one turn. */
struct batch {
	struct item *items[ITEM_KINDS][BATCH_MAX];
	size_t count[ITEM_KINDS];
};

/* Whether an item may not share a transaction with one that is in it already. */
bool batch_clashes(const struct batch *batch, const struct item *item);

/* What of an item counts when a transaction gets long: contents that others chose. */
size_t batch_bytes(const struct item *item);

#endif
