/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/flight.h: what each thread has in hand, in a file that outlives the process: conversation,
 * event and plugin. It is a mapped page in the runtime directory, so noting costs two stores and a
 * kill -9 loses nothing. A handler for fatal signals marks whose fault it was, then lets the signal
 * do its work. At the next start the record tells which event to suspect and which plugin to
 * charge.
 *
 * The signals are not caught to go on: the process dies as it should.
 */
#ifndef QUEUE_FLIGHT_H
#define QUEUE_FLIGHT_H

#include "base/base.h"

#define FLIGHT_SLOTS 64
#define FLIGHT_PLUGIN 48

/* What a thread had in hand when the process died. */
struct flight {
	int64_t conversation;
	int64_t event;
	char plugin[FLIGHT_PLUGIN]; /* "" if none was running */
	bool is_culprit;            /* its thread got the fatal signal */
};

/* Reads the record of the last process (at most room entries; none after a clean end), then starts
 * a new one at path and installs the signal handler. */
pa_status flight_open(const char *path, struct flight *ret_last, size_t room, size_t *ret_count,
		      pa_error *err) PA_MUST_USE;

/* A clean end: the next start finds nothing. */
void flight_close(void);

/* This thread works on an event, or on none (0, 0). */
void flight_note(int64_t conversation, int64_t event);

/* What this thread works on: for another that works on it too. */
void flight_noted(int64_t *ret_conversation, int64_t *ret_event);

/* This thread is in a plugin's call, or out of it (NULL). */
void flight_enter(const char *plugin);
void flight_leave(void);

#endif
