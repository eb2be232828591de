/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/peers/loop_internal.h: what loop.c lends to serve.c and post.c.
 */
#ifndef TESTS_PEERS_LOOP_INTERNAL_H
#define TESTS_PEERS_LOOP_INTERNAL_H

#include "peers/loop.h"

/* A descriptor in the epoll. It belongs to whoever embeds it. */
struct watch {
	int fd;
	struct loop *loop;
	void *owner;
	void (*fn)(struct watch *watch, uint32_t events);
};

void loop_watch(struct loop *loop, struct watch *watch, uint32_t events);
void loop_rewatch(struct loop *loop, struct watch *watch, uint32_t events);

/* Closes it and frees the owner when no event can mean it any more. */
void loop_bury(struct watch *watch);

/* Says what failed, with errno, and aborts. */
void die(const char *what) __attribute__((noreturn));

/* realloc that does not fail. */
void *grow(void *old, size_t count, size_t size);

/* An HTTP message at the start of a buffer. */
struct framed {
	size_t head; /* bytes up to and with the empty line */
	size_t body;
};

enum framing { FRAMING_MORE, FRAMING_WHOLE, FRAMING_BROKEN };

/* Whether a whole message is there. Bodies by Content-Length only. */
enum framing http_frame(pa_str bytes, struct framed *ret);

/* The value of a header in a head, absent if there is none. */
pa_str http_header(pa_str head, pa_str name);

#endif
