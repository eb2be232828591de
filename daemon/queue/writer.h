/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/writer.h: the one thread that writes the queue's tables. It commits what every stage has
 * gathered in one transaction a cycle. Cycles are paced like messages of a channel, at a gap with a
 * few in a row: what comes after a pause goes at once, and so do the answers to it; what comes in a
 * rush shares a commit (a commit costs more than its rows), and the more there is, the wider the
 * gap.
 *
 * When a transaction fails, its items are tried again kind by kind, then one by one, so that one
 * bad item costs only itself; what it refuses for a reason that passes (no disk, a deadlock), and
 * whatever concerns a message under way, is tried again each second. When the store is away, what
 * providers can send again (events, receipts) is refused at once; turns, attempts and outcomes
 * wait. A commit whose answer was lost is decided before anything else: turns by their epoch,
 * events by their dedup key, the rest can be written twice.
 */
#ifndef QUEUE_WRITER_H
#define QUEUE_WRITER_H

#include "queue/complaint.h"
#include "queue/store.h"

enum turn_end {
	TURN_COMMITTED,
	TURN_LOST,   /* another node has the conversation */
	TURN_FAILED, /* the store refuses this turn by itself: a defect */
	TURN_ENDED,  /* the daemon ends before the store came back: nothing was committed */
};

/* Called on the writer's thread, after the commit: be quick. Each passes its item back. */
struct writer_hooks {
	void *arg;
	/* accepted NULL: a duplicate. The post is settled afterwards, by the writer. */
	void (*event_stored)(void *arg, struct event_item *event, const struct accepted *accepted);
	/* An event could not be stored: its contact is another one by now. */
	void (*event_refused)(void *arg, struct event_item *event);
	void (*receipt_stored)(void *arg, struct receipt_item *receipt,
			       const struct receipted *receipted);
	void (*turn_ended)(void *arg, struct turn_item *turn, enum turn_end end);
	/* may_go false: its message is done by now, or another node sends it. */
	void (*attempt_stored)(void *arg, struct outbound *outbound, bool may_go);
	void (*outcome_stored)(void *arg, struct outbound *outbound);
};

struct writer_options {
	const char *database;
	const struct keyring *ring;
	int64_t gap_ns; /* the least between the starts of two cycles, in the long run */
	int burst;      /* how many may follow one another after a pause */
	struct writer_hooks hooks;
};

struct writer;

/* Starts the thread; the store need not be there. */
struct writer *writer_new(const struct writer_options *options);

/* Commits what it has (if the store is there) and ends the thread. Nobody may put any more. */
void writer_free(struct writer *writer);

/* This start's id, without which nothing is committed. Set by the keeper when it has registered. */
void writer_set_node(struct writer *writer, int64_t node);

/* The id set, 0 before. */
int64_t writer_node(const struct writer *writer);

/* Cycles so far. */
uint64_t writer_cycles(const struct writer *writer);

/* How long its transactions took, and what they held. */
struct writer_counts {
	struct histogram took;
	meter failed;
	meter items[ITEM_KINDS];
};
const struct writer_counts *writer_counts(const struct writer *writer);

void writer_put(struct writer *writer, struct item *item);

/* False while the store is away: refuse work at the door. */
bool writer_is_ready(const struct writer *writer);

/* It waits for PostgreSQL to answer: if nothing moves, that is not its fault. */
bool writer_waits_for_store(const struct writer *writer);

/* The connection was lost over items that wait here. Events that were refused may be in the store
 * all the same, and nobody has them in hand; and the leases may have run out, without which what
 * is committed to leave would be dropped. Until the keeper has its leases again and has found those
 * events nothing is written. */
bool writer_awaits_sweep(const struct writer *writer);
void writer_swept(struct writer *writer);

/* What the store refused something for in the last ten seconds. Any thread. */
struct complaint_text writer_complaint(struct writer *writer);

/* Items waiting. */
size_t writer_backlog(struct writer *writer);

#endif
