/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/dispatch_parts.h: what the dispatcher's two files share. dispatch.c: lanes, order, rates,
 * the thread; dispatch_send.c: how a message leaves, and what becomes of an attempt.
 */
#ifndef QUEUE_DISPATCH_PARTS_H
#define QUEUE_DISPATCH_PARTS_H

#include "queue/dispatch.h"
#include "queue/lanes.h"
#include "queue/rate.h"

#include <pthread.h>

#define SEEN(status) (1u << (status))
#define SEEN_ARRIVED (SEEN(PA_STATUS_DELIVERED) | SEEN(PA_STATUS_READ) | SEEN(PA_STATUS_PLAYED))

struct recipient;

enum step {
	STEP_PUSH = 1,
	STEP_ATTEMPT_STORED,
	STEP_ATTEMPT_DENIED,
	STEP_OUTCOME_STORED,
	STEP_SEND_AGAIN
};

/* A channel as the dispatcher sees it. Guarded by lock. */
struct outlet {
	struct rate rate;
	int64_t paused_until_ns;
	int pause_level;
	int failures; /* in a row */
	struct outlet_report report;
};

struct dispatch {
	struct dispatch_options options;
	pthread_mutex_t lock; /* guards lanes, outlets, recipients, counts */
	struct lanes lanes;
	struct outlet *outlets; /* one a channel, same order */
	struct recipient *recipients;
	struct dispatch_counts counts;
	struct mailbox box;      /* outbounds */
	struct mailbox receipts; /* receipt_notes; the box is poked */
	pthread_t thread;
	_Atomic bool is_closing; /* no attempt begins any more */
	_Atomic bool is_stopping;
};

static inline struct outlet *outlet_of(struct dispatch *d, const struct channel *channel)
{
	return &d->outlets[channel - d->options.channels->list];
}

/* Notes what became of a message, in what the writer will commit. */
void dispatch_decide(struct outbound *o, enum outbox_state state, bool is_open, const char *reason);

/* A receipt says what became of an attempt of which no answer came. */
void dispatch_settle(struct outbound *o);

/* A message was sent, and its outcome went to the writer: the attempt of the one behind it goes
 * along, so that both share a commit. With the lock held. */
void dispatch_follow(struct dispatch *d, const struct outbound *o);

/* Sends a message whose attempt is committed. Without the lock. */
void dispatch_send(struct dispatch *d, struct outbound *o);

#endif
