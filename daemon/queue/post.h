/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/post.h: one delivery of a provider (an HTTP request, or events that a session-holding
 * channel hands in) until everything in it is durable. It owns the memory of its events and is
 * shared by reference count: by the writer until the commit, by conversations until the turn.
 */
#ifndef QUEUE_POST_H
#define QUEUE_POST_H

#include "base/arena.h"
#include "io/http_server.h"
#include "queue/channel.h"
#include "queue/mailbox.h"

struct contact_tags;

struct post {
	struct mail mail;
	struct arena *arena;
	struct channel *channel;
	struct http_exchange *exchange; /* NULL: from a session */
	int64_t arrived_ns;             /* monotonic */
	bool is_receipt;                /* came in at the receipt address */
	pa_str body;                    /* session: absent */
	const pa_event *const *events;  /* session: what was handed in, copied */
	size_t events_count;
	struct contact_tags *tags; /* of the events' persons, one each */
	_Atomic int references;
	_Atomic int undone;      /* items not yet durable, plus one while intake works on it */
	_Atomic bool is_refused; /* the store is away: answer 503 */
	/* Called once when nothing is undone; answers the provider. */
	void (*on_done)(struct post *post, bool is_durable);
	void *arg;
};

/* A post with one reference and one undone. */
struct post *post_new(struct channel *channel, size_t memory_cap);
struct post *post_ref(struct post *post);
/* NULL is fine. */
void post_unref(struct post *post);

/* One more item to become durable. */
void post_add(struct post *post);

/* One item is durable, or refused for now. The last one calls on_done. */
void post_settle(struct post *post, bool is_durable);

#endif
