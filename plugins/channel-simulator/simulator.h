/* SPDX-License-Identifier: Apache-2.0
 *
 * simulator.h: the parts of channel-simulator and what they share.
 *
 *	simulator.c   descriptor, options, life: open, run, close
 *	web.c         the listener on 127.0.0.1: who may ask, static files, waiting requests
 *	api.c         what the page (and tests) can ask for, as JSON
 *	store.c       the phones, their chats and files, in memory and bounded
 *	courier.c     takes what happened on the phones to the daemon
 *	outgoing.c    takes what the daemon sends to the phones
 *	limits.c      WhatsApp's limits
 *	customers.c   the list of demonstration customers
 *	page_files.c  page.html, page.css, *.js and two drawings, inside the shared object
 *
 * Threads: the daemon's (run: outgoing messages), one of libmicrohttpd (requests) and the courier
 * (waits for the daemon's database). All shared state lies in struct simulator and is guarded by
 * its one lock; functions that say "lock held" expect it taken. No thread blocks while it holds it.
 *
 * Bad at: many users. It is a demonstration on one machine, and refuses to be more.
 */
#ifndef SIMULATOR_H
#define SIMULATOR_H

#include <proalto/channel.h>

#include "store.h"

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>

#define SIM_CLEANUP(fn) __attribute__((cleanup(fn)))
#define SIM_MUST_USE __attribute__((warn_unused_result))

#define SIM_CALL_MS 10000 /* deadline of one call into the daemon */

struct courier;
struct web;

/* One opened instance. */
struct simulator {
	const pa_host *host;
	uint16_t port; /* as configured; 0: any that is free */
	char *account;
	char *business;    /* the name at the top of the chat */
	json_t *customers; /* array for the page */

	pthread_mutex_t lock;
	struct store *store;

	/* Set while run() lives, and constant during it. */
	const pa_session_host *session_host;
	pa_session *session;
	struct web *web;
	struct courier *courier;
};

/* Writes one sentence (printf's format) into err. */
void sim_error(pa_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Business time, by a call of its own; any thread while run() lives. */
int64_t sim_now_ns(const struct simulator *sim);

/* Milliseconds on a clock that nobody turns: for waits and the typing mark. */
int64_t sim_monotonic_ms(void);

/* Borrowed view of a C string; NULL becomes absent. */
pa_str sim_str(const char *text);

/* For the cleanup attribute. */
void sim_unref_json(json_t **json);

/* Takes one message from the daemon, if one comes within wait_ms, and puts it on its phone.
 * PA_REJECTED: the daemon is closing. Runs on run()'s thread. */
pa_status outgoing_step(struct simulator *sim, int64_t wait_ms) SIM_MUST_USE;

#endif
