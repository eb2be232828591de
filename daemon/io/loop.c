/* SPDX-License-Identifier: Apache-2.0 */
#include "io/loop.h"

#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <time.h>

#define US_PER_MS UINT64_C(1000)
#define ACCURACY_US US_PER_MS
#define STATUS_MAX 256

struct source {
	struct loop *loop;
	struct source *next;
	struct source **link; /* what points at us */
	sd_event_source *event;
	uint64_t repeat_us;
	union {
		loop_signal_fn *on_signal;
		loop_timer_fn *on_timer;
		loop_fd_fn *on_fd;
	} fn;
	void *arg;
};

struct loop {
	sd_event *event;
	struct source *sources;
};

static pa_status failed(const char *what, int negative_errno, pa_error *err)
{
	return error_set(err, PA_BUG, "%s: %s", what, strerrordesc_np(-negative_errno));
}

pa_status loop_new(struct loop **ret, pa_error *err)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (!loop)
		abort();
	r = sd_event_new(&loop->event);
	if (r < 0) {
		free(loop);
		return failed("no event loop", r, err);
	}
	*ret = loop;
	return PA_OK;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	/* The analyzer loses the list: each source_free takes its source out of it. */
	while (loop->sources)
		source_free(loop->sources); /* NOLINT(clang-analyzer-unix.Malloc) */
	sd_event_unref(loop->event);
	free(loop);
}

static struct source *source_new(struct loop *loop, void *arg)
{
	struct source *source = calloc(1, sizeof(*source));

	if (!source)
		abort();
	source->loop = loop;
	source->arg = arg;
	source->next = loop->sources;
	source->link = &loop->sources;
	if (source->next)
		source->next->link = &source->next;
	loop->sources = source;
	return source;
}

void source_free(struct source *source)
{
	if (!source)
		return;
	*source->link = source->next;
	if (source->next)
		source->next->link = source->link;
	sd_event_source_disable_unref(source->event);
	free(source);
}

/* Hands the new source out, or frees it. */
static pa_status finish(struct source *source, int r, const char *what, struct source **ret,
			pa_error *err)
{
	if (r < 0) {
		source_free(source);
		return failed(what, r, err);
	}
	if (ret)
		*ret = source;
	return PA_OK;
}

static int on_signal(sd_event_source *event, const struct signalfd_siginfo *info, void *arg)
{
	const struct source *source = arg;

	(void)event;
	(void)info;
	source->fn.on_signal(source->arg);
	return 0;
}

pa_status loop_on_signal(struct loop *loop, int signal, loop_signal_fn *fn, void *arg,
			 pa_error *err)
{
	struct source *source = source_new(loop, arg);

	source->fn.on_signal = fn;
	return finish(source,
		      sd_event_add_signal(loop->event, &source->event,
					  signal | SD_EVENT_SIGNAL_PROCMASK, on_signal, source),
		      "signal", NULL, err);
}

/* The next time is set before the callback, which may free the source. */
static int on_time(sd_event_source *event, uint64_t due_us, void *arg)
{
	const struct source *source = arg;

	(void)due_us;
	if (source->repeat_us) {
		sd_event_source_set_time_relative(event, source->repeat_us);
		sd_event_source_set_enabled(event, SD_EVENT_ONESHOT);
	}
	source->fn.on_timer(source->arg);
	return 0;
}

pa_status loop_add_timer(struct loop *loop, int64_t first_ms, int64_t repeat_ms, loop_timer_fn *fn,
			 void *arg, struct source **ret, pa_error *err)
{
	struct source *source = source_new(loop, arg);

	source->fn.on_timer = fn;
	source->repeat_us = (uint64_t)repeat_ms * US_PER_MS;
	return finish(source,
		      sd_event_add_time_relative(loop->event, &source->event, CLOCK_MONOTONIC,
						 (uint64_t)first_ms * US_PER_MS, ACCURACY_US,
						 on_time, source),
		      "timer", ret, err);
}

static uint32_t to_epoll(unsigned events)
{
	return (events & LOOP_READ ? (uint32_t)EPOLLIN : 0) |
	       (events & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0);
}

static int on_ready(sd_event_source *event, int fd, uint32_t revents, void *arg)
{
	const struct source *source = arg;
	unsigned events = 0;

	(void)event;
	(void)fd;
	if (revents & EPOLLIN)
		events |= LOOP_READ;
	if (revents & EPOLLOUT)
		events |= LOOP_WRITE;
	if (revents & (EPOLLHUP | EPOLLERR))
		events |= LOOP_CLOSED;
	source->fn.on_fd(source->arg, events);
	return 0;
}

pa_status loop_add_fd(struct loop *loop, int fd, unsigned events, loop_fd_fn *fn, void *arg,
		      struct source **ret, pa_error *err)
{
	struct source *source = source_new(loop, arg);

	source->fn.on_fd = fn;
	return finish(source,
		      sd_event_add_io(loop->event, &source->event, fd, to_epoll(events), on_ready,
				      source),
		      "descriptor", ret, err);
}

void source_set_events(struct source *source, unsigned events)
{
	sd_event_source_set_io_events(source->event, to_epoll(events));
}

pa_status loop_run(struct loop *loop, pa_error *err)
{
	int r = sd_event_loop(loop->event);

	return r < 0 ? failed("event loop", r, err) : PA_OK;
}

void loop_stop(struct loop *loop)
{
	sd_event_exit(loop->event, 0);
}

/* ---- systemd ----------------------------------------------------------------------------------
 */

void notify_ready(void)
{
	sd_notify(0, "READY=1");
}

/* systemd 253 and later tell one reload from another by its time (sd_notify(3)). */
void notify_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%jd",
		   (intmax_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void notify_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

void notify_watchdog(void)
{
	sd_notify(0, "WATCHDOG=1");
}

void notify_status(const char *format, ...)
{
	char text[STATUS_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	sd_notifyf(0, "STATUS=%s", text);
}

int notify_listen_fd(void)
{
	int count = sd_listen_fds(0);

	for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; fd++)
		if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) > 0)
			return fd;
	return -1;
}
