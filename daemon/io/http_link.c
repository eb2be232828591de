/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_link.h"

#include "io/clock.h"

#include <sys/socket.h>

void http_links_init(struct http_links *links)
{
	links->ring.next = links->ring.prev = &links->ring;
}

void http_link_rest(struct http_link *link)
{
	if (!link->is_waiting)
		return;
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link->is_waiting = false;
}

void http_link_wait(struct http_links *links, struct http_link *link)
{
	struct http_link *ring = &links->ring;

	http_link_rest(link);
	link->since_ns = clock_monotonic_ns();
	link->has_begun = false;
	link->prev = ring->prev;
	link->next = ring;
	ring->prev->next = link;
	ring->prev = link;
	link->is_waiting = true;
}

static void shut(struct http_link *link)
{
	http_link_rest(link);
	shutdown(link->fd, SHUT_RDWR);
}

void http_links_shut_older(struct http_links *links, int64_t moment_ns)
{
	struct http_link *first;

	while ((first = links->ring.next) != &links->ring && first->since_ns < moment_ns)
		shut(first);
}

void http_links_shut_idle(struct http_links *links)
{
	struct http_link *next;

	for (struct http_link *each = links->ring.next; each != &links->ring; each = next) {
		next = each->next;
		if (!each->has_begun)
			shut(each);
	}
}
