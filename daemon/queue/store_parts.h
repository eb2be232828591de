/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/store_parts.h: what the files of the store share: a commit being made, and the stages of
 * which it consists. Private to daemon/queue/store*.c.
 */
#ifndef QUEUE_STORE_PARTS_H
#define QUEUE_STORE_PARTS_H

#include "base/err.h"
#include "evidence/evidence.h"
#include "queue/store.h"

#define STORE_STATEMENTS_MAX 64

/* One commit being made: statements sent, so that their results are read back in order. */
struct commit {
	struct store *store;
	const struct batch *batch;
	struct arena *arena;
	int64_t now_ns;
	int64_t evidence_id; /* of the row that holds the entries */
	struct buf evidence;
	int32_t entries;
	enum sql sent[STORE_STATEMENTS_MAX];
	size_t sent_count;
};

/* The outbox times that statements are bounded by, so that only their partitions are looked at. */
struct range {
	int64_t first, last;
};

void range_add(struct range *range, int64_t at_ns);

/* Adds an entry to the commit's evidence. sealed is hashed; absent: nothing to hash. */
void commit_note(struct commit *c, enum evidence_kind kind, int64_t id, int64_t detail,
		 pa_str sealed);

/* The batch's items of a kind, in the order that compare (of struct item *const *) says. */
struct item *const *commit_sorted(struct commit *c, enum item_kind kind,
				  int (*compare)(const void *, const void *));

/* Sends a statement, to be received in its turn. */
pa_status commit_send(struct commit *c, struct db_params *params, enum sql statement, pa_error *err)
	PA_MUST_USE;

/* The stages: each sends the statements that its items need, if there are any. */
pa_status store_send_events(struct commit *c, pa_error *err) PA_MUST_USE;
pa_status store_send_receipts(struct commit *c, pa_error *err) PA_MUST_USE;
pa_status store_send_turns(struct commit *c, pa_error *err) PA_MUST_USE;
pa_status store_send_attempts(struct commit *c, pa_error *err) PA_MUST_USE;
pa_status store_send_outcomes(struct commit *c, pa_error *err) PA_MUST_USE;
/* Receipts that name messages by the provider's id, and the messages that will be named so. */
pa_status store_send_external(struct commit *c, pa_error *err) PA_MUST_USE;
/* What failed by the commit's outcomes and receipts is told to its conversation. */
pa_status store_send_undelivered(struct commit *c, pa_error *err) PA_MUST_USE;

#endif
