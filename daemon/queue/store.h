/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/store.h: a batch of items as one transaction: statements over arrays, pipelined. Used by
 * the writer only, on its connection.
 */
#ifndef QUEUE_STORE_H
#define QUEUE_STORE_H

#include "io/db.h"
#include "queue/batch.h"

/* A receipt that was new. */
struct receipted {
	int64_t outbox_id;
	int64_t conversation;
};

struct stored {
	const struct accepted *accepted;
	size_t accepted_count;
	const struct receipted *receipted;
	size_t receipted_count;
	const int64_t *attempted; /* outbox ids whose attempt may go */
	size_t attempted_count;
	const int16_t *foreign; /* channels on which none may */
	size_t foreign_count;
};

struct store {
	struct db *db;
	int64_t node;
	const struct keyring *ring;
};

/* Commits the batch. Results lie in the arena. If the connection is gone afterwards (db_is_alive),
 * it is unknown whether the transaction took effect; otherwise it was rolled back: PA_RETRY for a
 * reason that passes, PA_REJECTED for one that does not (db_error_state() says which). */
pa_status store_commit(struct store *store, const struct batch *batch, int64_t now_ns,
		       struct arena *arena, struct stored *ret, pa_error *err) PA_MUST_USE;

/* Sets is_committed for each of the turns whose commit in doubt took effect. */
pa_status store_resolve(struct store *store, struct item *const *turns, size_t count,
			struct arena *arena, bool *is_committed, pa_error *err) PA_MUST_USE;

/* What became of an event, of a message's receipts (NULL: nothing to tell), and whether the attempt
 * of a message may go. */
const struct accepted *stored_accepted(const struct stored *stored, int64_t id);
const struct receipted *stored_receipted(const struct stored *stored, int64_t outbox_id);
bool stored_may_go(const struct stored *stored, int64_t outbox_id);

#endif
