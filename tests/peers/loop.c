/* SPDX-License-Identifier: Apache-2.0 */
#include "peers/loop.h"

#include "io/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "peers/loop_internal.h"

#define EVENTS_MAX 256

struct timer {
	int64_t at_ns;
	uint64_t order; /* among equals, the first set comes first */
	loop_fn *fn;
	void *arg;
};

struct loop {
	int epoll_fd;
	struct watch signals;
	bool is_stopping;
	struct timer *heap; /* the earliest on top */
	size_t count, room;
	uint64_t order;
	void **dead; /* freed when the events at hand are done with */
	size_t dead_count, dead_room;
};

void die(const char *what)
{
	fprintf(stderr, "peer: %s: %s\n", what, strerror(errno));
	abort();
}

void *grow(void *old, size_t count, size_t size)
{
	void *memory = reallocarray(old, count, size);

	if (!memory)
		die("memory");
	return memory;
}

void loop_watch(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) < 0)
		die("epoll_ctl");
}

void loop_rewatch(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) < 0)
		die("epoll_ctl");
}

static void ignore(struct watch *watch, uint32_t events)
{
	(void)watch;
	(void)events;
}

void loop_bury(struct watch *watch)
{
	struct loop *loop = watch->loop;

	if (watch->fd >= 0)
		close(watch->fd);
	watch->fd = -1;
	watch->fn = ignore;
	if (loop->dead_count == loop->dead_room) {
		loop->dead_room = loop->dead_room ? loop->dead_room * 2 : 64;
		loop->dead = grow(loop->dead, loop->dead_room, sizeof(*loop->dead));
	}
	loop->dead[loop->dead_count++] = watch->owner;
}

static void on_signal(struct watch *watch, uint32_t events)
{
	(void)events;
	loop_stop(watch->loop);
}

struct loop *loop_new(void)
{
	struct loop *loop = grow(NULL, 1, sizeof(*loop));
	sigset_t ends;

	memset(loop, 0, sizeof(*loop));
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	loop->signals = (struct watch){.loop = loop, .fn = on_signal};
	loop->signals.fd = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	if (loop->epoll_fd < 0 || loop->signals.fd < 0)
		die("epoll");
	loop_watch(loop, &loop->signals, EPOLLIN);
	return loop;
}

void loop_stop(struct loop *loop)
{
	loop->is_stopping = true;
}

void loop_free(struct loop *loop)
{
	close(loop->epoll_fd);
	close(loop->signals.fd);
	free(loop->heap);
	free(loop->dead);
	free(loop);
}

static bool is_before(const struct timer *a, const struct timer *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void swap(struct timer *a, struct timer *b)
{
	struct timer kept = *a;

	*a = *b;
	*b = kept;
}

void loop_after(struct loop *loop, int64_t wait_ns, loop_fn *fn, void *arg)
{
	size_t at = loop->count++;

	if (loop->count > loop->room) {
		loop->room = loop->room ? loop->room * 2 : 64;
		loop->heap = grow(loop->heap, loop->room, sizeof(*loop->heap));
	}
	loop->heap[at] = (struct timer){clock_monotonic_ns() + wait_ns, loop->order++, fn, arg};
	while (at && is_before(&loop->heap[at], &loop->heap[(at - 1) / 2])) {
		swap(&loop->heap[at], &loop->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
}

static struct timer pop(struct loop *loop)
{
	struct timer first = loop->heap[0];
	size_t at = 0;

	loop->heap[0] = loop->heap[--loop->count];
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= loop->count)
			return first;
		if (child + 1 < loop->count &&
		    is_before(&loop->heap[child + 1], &loop->heap[child]))
			child++;
		if (!is_before(&loop->heap[child], &loop->heap[at]))
			return first;
		swap(&loop->heap[child], &loop->heap[at]);
		at = child;
	}
}

static void run_timers(struct loop *loop)
{
	int64_t now = clock_monotonic_ns();

	while (loop->count && loop->heap[0].at_ns <= now && !loop->is_stopping) {
		struct timer due = pop(loop);

		due.fn(due.arg);
	}
}

static int wait_ms(const struct loop *loop)
{
	int64_t left;

	if (!loop->count)
		return -1;
	left = loop->heap[0].at_ns - clock_monotonic_ns();
	if (left <= 0)
		return 0;
	return left > NS_PER_MINUTE ? 60000 : (int)((left + NS_PER_MS - 1) / NS_PER_MS);
}

void loop_run(struct loop *loop)
{
	struct epoll_event events[EVENTS_MAX];

	while (!loop->is_stopping) {
		int count = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, wait_ms(loop));

		for (int i = 0; i < count; i++) {
			struct watch *watch = events[i].data.ptr;

			watch->fn(watch, events[i].events);
		}
		run_timers(loop);
		while (loop->dead_count)
			free(loop->dead[--loop->dead_count]);
	}
}
