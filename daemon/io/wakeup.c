/* SPDX-License-Identifier: Apache-2.0 */
#include "io/wakeup.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

void wakeup_open(struct wakeup *wakeup)
{
	*wakeup = (struct wakeup){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	if (wakeup->fd < 0)
		abort();
}

void wakeup_close(struct wakeup *wakeup)
{
	close(wakeup->fd);
}

void wakeup_send(struct wakeup *wakeup)
{
	uint64_t one = 1;

	if (wakeup->is_sent)
		return;
	wakeup->is_sent = true;
	if (write(wakeup->fd, &one, sizeof(one)) < 0)
		abort();
}

void wakeup_take(struct wakeup *wakeup)
{
	uint64_t count;

	if (!wakeup->is_sent)
		return;
	wakeup->is_sent = false;
	if (read(wakeup->fd, &count, sizeof(count)) < 0)
		abort();
}
