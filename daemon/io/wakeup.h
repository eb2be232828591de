/* SPDX-License-Identifier: Apache-2.0
 *
 * io/wakeup.h: wakes a thread that polls. However often it is sent before the thread looks, it
 * costs one write and one read. Not thread-safe: under the lock of whatever the thread is woken
 * for.
 */
#ifndef IO_WAKEUP_H
#define IO_WAKEUP_H

#include "base/base.h"

struct wakeup {
	int fd; /* readable once sent */
	bool is_sent;
};

void wakeup_open(struct wakeup *wakeup);
void wakeup_close(struct wakeup *wakeup);

void wakeup_send(struct wakeup *wakeup);

/* By the thread, before it looks for what it was woken for, so that it misses nothing. */
void wakeup_take(struct wakeup *wakeup);

#endif
