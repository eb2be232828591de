/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/conversations.h: the conversations that this node has in memory, and whose turn it is.
 *
 * A conversation is here while something waits for it, and a while longer. It is idle, queued for a
 * worker, running (which lasts until its commit), held (waiting for a second of quiet) or parked
 * (waiting for a slot at the core). One lock guards everything here; a running conversation's state
 * is its worker's.
 */
#ifndef QUEUE_CONVERSATIONS_H
#define QUEUE_CONVERSATIONS_H

#include "queue/item.h"

/* An event that waits for its turn. Owned by its conversation. */
struct waiting {
	struct waiting *next;
	struct post *post; /* holds the memory of plain; NULL: it lies behind the struct */
	enum turn_event_kind kind;
	int64_t id;         /* inbox id; 0: not stored */
	int64_t arrived_ns; /* monotonic */
	bool is_late;       /* a TURN_LATE was made for it */
	pa_str plain;       /* customer: packed event; others: packed name and payload */
};

enum conversation_phase { PHASE_IDLE, PHASE_QUEUED, PHASE_RUNNING, PHASE_HELD, PHASE_PARKED };

struct conversation {
	struct conversation *hash_next;
	struct conversation *next, *previous; /* in the list of its phase */
	int64_t id;
	int64_t epoch;
	struct contact *contact;
	struct contact *newer; /* the same person, of whom more is known now; NULL: nothing new */
	struct channel *channel;
	enum conversation_phase phase;
	struct waiting *first;
	struct waiting **last;
	size_t waiting_count;
	char *state; /* malloced */
	size_t state_len;
	bool is_state_sealed;
	bool is_alone;   /* runs only while no other does: it was in hand when the daemon died */
	bool was_parked; /* since its last commit: the customer has seen "writing" */
	bool quiet_is_over;
	_Atomic bool has_strays; /* its work was found in the store */
	uint8_t failures;        /* of its first event's turn */
	int64_t last_inbound_ns; /* the provider's time of the newest message, 0: unknown */
	uint64_t slots_seen;     /* what the counter was when its turn began */
	int64_t hold_since_ns;   /* monotonic, 0: not held */
	int64_t hold_until_ns;
	int64_t used_ns;
};

struct conversations;

struct conversations *conversations_new(size_t most_idle);
void conversations_free(struct conversations *all);

/* An event of a post was committed and is this node's: state (sealed) is the store's. */
void conversations_deliver(struct conversations *all, const struct event_item *event,
			   struct channel *channel, const struct accepted *accepted);

/* The same for what the daemon tells a conversation that is here (jobs) or was just claimed
 * (recovery). bytes are copied. claimed->epoch, read from the store before the event was found
 * there, is compared (0: not): what was found may be done by now if turns were committed since.
 * Returns false if the event is already waiting, or nothing is known about it for sure. */
struct claimed {
	int64_t conversation;
	int64_t epoch;
	pa_str sealed_state;
	struct contact *contact;
	struct channel *channel;
	int64_t last_inbound_ns;
	bool is_alone;
	bool has_strays;
};
bool conversations_add(struct conversations *all, const struct claimed *claimed,
		       enum turn_event_kind kind, int64_t id, pa_str plain);

/* True if this inbox row waits or runs here. */
bool conversations_has(struct conversations *all, int64_t conversation, int64_t event);

/* The next conversation to run, now PHASE_RUNNING; waits for one. NULL: stop. */
struct conversation *conversations_next(struct conversations *all);

/* What waits in a running conversation, oldest first, at most room; they stay its own and don't
 * move until its turn has ended. Just one if the conversation is under suspicion or its last turn
 * failed: so the one to blame is found. Returns how many. */
size_t conversations_waiting(struct conversations *all, struct conversation *c,
			     const struct waiting **events, size_t room);

/* The turn did not come to effects. */
void conversations_hold(struct conversations *all, struct conversation *c, int64_t for_ns,
			int64_t at_most_ns);
void conversations_park(struct conversations *all, struct conversation *c);
/* Tried again after a pause, however often: the store was away, which is no event's fault. */
void conversations_wait(struct conversations *all, struct conversation *c);
/* Its own turn failed. Tried again after a pause; after three failures false: set its first event
 * aside. */
bool conversations_retry(struct conversations *all, struct conversation *c);

/* The first waiting event is gone (set aside). */
void conversations_drop_first(struct conversations *all, struct conversation *c);

/* A slot at the core is free: the one parked longest may run. */
void conversations_unpark(struct conversations *all);

/* The turn was committed: new epoch and state, consumed events gone. Jobs are added by
 * conversations_add before. */
void conversations_committed(struct conversations *all, struct turn_item *turn);

/* Another node has it: forget it. */
void conversations_lost(struct conversations *all, struct conversation *c);

/* Marks those that have waited longer than limit_ns for an answer, adding a TURN_LATE; returns how
 * many, for the alarm. */
size_t conversations_mark_late(struct conversations *all, int64_t limit_ns);

/* Lets conversations_next return NULL to everyone. */
void conversations_stop(struct conversations *all);

struct conversations_count {
	size_t in_memory, queued, running, held, parked;
	int64_t oldest_ns; /* age of the oldest waiting event */
};
struct conversations_count conversations_counts(struct conversations *all);

/* Events that wait, over all conversations. Cheap. */
size_t conversations_backlog(const struct conversations *all);

#endif
