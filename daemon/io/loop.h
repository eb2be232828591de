/* SPDX-License-Identifier: Apache-2.0
 *
 * io/loop.h: the main thread's event loop, and the talk with systemd. The only user of sd-event and
 * sd-daemon.
 *
 *	status = loop_new(&loop, &err);
 *	status = loop_on_signal(loop, SIGTERM, on_stop, app, &err);     // before any thread starts
 *	status = loop_add_timer(loop, 0, 1000, on_second, app, &timer, &err);
 *	notify_ready();
 *	status = loop_run(loop, &err);                                  // until loop_stop()
 *
 * Callbacks run one at a time on the thread that runs the loop, and must not block. Everything here
 * belongs to that thread, but the notify_ functions, which any thread may call. A source is freed
 * with source_free, also within its own callback; what is left is freed with the loop.
 * Bad at: work (hand it to a thread), precise time (a timer may be a millisecond late).
 */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include "base/base.h"

struct loop;
struct source; /* something that the loop waits for */

#define LOOP_READ 1u
#define LOOP_WRITE 2u
#define LOOP_CLOSED 4u /* told, never asked for: the other side is gone */

typedef void loop_signal_fn(void *arg);
typedef void loop_timer_fn(void *arg);
typedef void loop_fd_fn(void *arg, unsigned events);

pa_status loop_new(struct loop **ret, pa_error *err) PA_MUST_USE;

/* NULL is fine. */
void loop_free(struct loop *loop);

/* Blocks the signal in this thread (threads started later inherit that) and calls fn for it. */
pa_status loop_on_signal(struct loop *loop, int signal, loop_signal_fn *fn, void *arg,
			 pa_error *err) PA_MUST_USE;

/* Calls fn first_ms from now, then each repeat_ms (0: once). ret may be NULL. */
pa_status loop_add_timer(struct loop *loop, int64_t first_ms, int64_t repeat_ms, loop_timer_fn *fn,
			 void *arg, struct source **ret, pa_error *err) PA_MUST_USE;

/* Calls fn when fd is ready for what is asked (LOOP_READ, LOOP_WRITE). fd stays the caller's, who
 * frees the source before he closes it. */
pa_status loop_add_fd(struct loop *loop, int fd, unsigned events, loop_fd_fn *fn, void *arg,
		      struct source **ret, pa_error *err) PA_MUST_USE;

/* Changes what is waited for. */
void source_set_events(struct source *source, unsigned events);

/* Ends it. NULL is fine. */
void source_free(struct source *source);

/* Runs until loop_stop. */
pa_status loop_run(struct loop *loop, pa_error *err) PA_MUST_USE;

/* Makes loop_run return after the callback in progress. */
void loop_stop(struct loop *loop);

/* ---- systemd: all of it does nothing when nobody supervises us ---------------------------------
 */

void notify_ready(void);
void notify_reloading(void); /* notify_ready when it is over */
void notify_stopping(void);
void notify_watchdog(void);
/* One line for `systemctl status`, in Spanish; as printf. */
void notify_status(const char *format, ...) PA_PRINTF(1, 2);

/* The listening stream socket that systemd passed, or -1. */
int notify_listen_fd(void);

#endif
