/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/mailbox.h"

#include <time.h>

void mailbox_init(struct mailbox *box)
{
	pthread_condattr_t attributes;

	*box = (struct mailbox){.last = &box->first};
	pthread_mutex_init(&box->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&box->filled, &attributes);
	pthread_condattr_destroy(&attributes);
}

void mailbox_done(struct mailbox *box)
{
	pthread_cond_destroy(&box->filled);
	pthread_mutex_destroy(&box->lock);
}

void mailbox_put(struct mailbox *box, struct mail *mail)
{
	bool was_empty;

	mail->next = NULL;
	pthread_mutex_lock(&box->lock);
	was_empty = !box->first;
	*box->last = mail;
	box->last = &mail->next;
	box->count++;
	pthread_mutex_unlock(&box->lock);
	if (was_empty)
		pthread_cond_signal(&box->filled);
}

void mailbox_poke(struct mailbox *box)
{
	pthread_mutex_lock(&box->lock);
	box->is_poked = true;
	pthread_mutex_unlock(&box->lock);
	pthread_cond_signal(&box->filled);
}

static bool wait_until(struct mailbox *box, int64_t until_ns)
{
	struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};

	if (until_ns == INT64_MAX)
		return pthread_cond_wait(&box->filled, &box->lock) == 0;
	return until_ns > 0 && pthread_cond_timedwait(&box->filled, &box->lock, &until) == 0;
}

struct mail *mailbox_take(struct mailbox *box, int64_t until_ns)
{
	struct mail *taken;

	pthread_mutex_lock(&box->lock);
	while (!box->first && !box->is_poked && wait_until(box, until_ns))
		;
	taken = box->first;
	box->first = NULL;
	box->last = &box->first;
	box->count = 0;
	box->is_poked = false;
	pthread_mutex_unlock(&box->lock);
	return taken;
}

size_t mailbox_count(struct mailbox *box)
{
	size_t count;

	pthread_mutex_lock(&box->lock);
	count = box->count;
	pthread_mutex_unlock(&box->lock);
	return count;
}
