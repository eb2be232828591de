/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/lanes.h: the lines in which messages wait, one for each conversation on each channel, and a
 * heap of those that wait for a time. Not thread-safe: the dispatcher's lock guards them.
 */
#ifndef QUEUE_LANES_H
#define QUEUE_LANES_H

#include "queue/item.h"

struct lane {
	struct lane *hash_next;
	int64_t conversation;
	struct channel *channel;
	struct outbound *first;
	struct outbound **last;
	size_t coming;    /* messages pushed that did not reach the dispatcher yet */
	bool is_reserved; /* kept free for a message that is being committed */
	int64_t due_ns;   /* monotonic: not before; 0: not in the heap */
	size_t heap_at;
	int64_t file_id; /* the next one waits for this file's status; 0: none */
};

#define LANE_BUCKETS 4096 /* a power of two */

struct lanes {
	struct lane *buckets[LANE_BUCKETS];
	struct lane **heap; /* earliest first */
	size_t heap_count, heap_room;
	size_t count;
};

struct lane *lanes_find(struct lanes *lanes, int64_t conversation, const struct channel *channel);
struct lane *lanes_get(struct lanes *lanes, int64_t conversation, struct channel *channel);
/* Behind those that are older, and those that are leaving: what another node left may come late. */
void lanes_insert(struct lane *lane, struct outbound *outbound);
struct outbound *lanes_pop(struct lane *lane);
void lanes_remove(struct lane *lane, const struct outbound *outbound);

/* The message of that id, NULL if it is not in the lane. */
struct outbound *lanes_message(const struct lane *lane, int64_t outbox_id);

/* How many have a message that is committed to leave, with the writer, or with the provider. */
size_t lanes_under_way(const struct lanes *lanes);

/* Frees the lane if nothing is in it nor promised to it. */
void lanes_tidy(struct lanes *lanes, struct lane *lane);

/* The lane waits until due_ns (0: it no longer waits). */
void lanes_delay(struct lanes *lanes, struct lane *lane, int64_t due_ns);

/* All that wait for nothing are due. */
void lanes_wake(struct lanes *lanes);

/* What the channel's lanes wait for, but for the status of a file, is looked at again now. */
void lanes_hurry(struct lanes *lanes, const struct channel *channel);

/* The channel's messages that wait, for whatever, are no longer this node's; those that are out
 * stay. */
void lanes_forget(struct lanes *lanes, const struct channel *channel);

/* A lane whose time has come, no longer waiting; NULL if none. */
struct lane *lanes_due(struct lanes *lanes, int64_t now_ns);

/* When the next one is due, INT64_MAX if none. */
int64_t lanes_next_due(const struct lanes *lanes);

/* Frees all, and all messages in them. */
void lanes_done(struct lanes *lanes);

#endif
