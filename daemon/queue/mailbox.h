/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/mailbox.h: how work is handed from thread to thread: many put, one takes all that is there.
 * Items are intrusive (struct mail first), so putting never allocates and never fails; whoever
 * takes an item owns it. Bounds are the putter's business (mailbox_count).
 */
#ifndef QUEUE_MAILBOX_H
#define QUEUE_MAILBOX_H

#include "base/base.h"

#include <pthread.h>

struct mail {
	struct mail *next;
};

struct mailbox {
	pthread_mutex_t lock; /* guards all of it */
	pthread_cond_t filled;
	struct mail *first;
	struct mail **last;
	size_t count;
	bool is_poked;
};

void mailbox_init(struct mailbox *box);
void mailbox_done(struct mailbox *box);

void mailbox_put(struct mailbox *box, struct mail *mail);

/* Makes one mailbox_take return although there is nothing. */
void mailbox_poke(struct mailbox *box);

/* All that is there, oldest first, linked by next; waits until there is something, the box is
 * poked, or the monotonic clock reaches until_ns (INT64_MAX: no limit; 0: does not wait). NULL if
 * there is nothing. */
struct mail *mailbox_take(struct mailbox *box, int64_t until_ns);

size_t mailbox_count(struct mailbox *box);

#endif
