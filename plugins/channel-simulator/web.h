/* SPDX-License-Identifier: Apache-2.0
 *
 * web.h: the listener on 127.0.0.1, and who may ask it.
 *
 * A web page of somebody else, open in the same browser, must neither read the chats nor write in
 * them: the Host header must be ours (else a name of theirs could be pointed at 127.0.0.1), and a
 * POST must come from our own page (Origin). Programs send no Origin and are let in: whoever can
 * open a connection to the loopback is on this machine already.
 *
 * A request that has nothing to answer yet is suspended and tried again after web_wake(), so one
 * thread serves every page. All are woken before the listener closes: libmicrohttpd 0.9.75 aborts
 * when stopped over a suspended connection.
 *
 * Threads: one of libmicrohttpd's own. Bad at: TLS, more than the loopback, on purpose.
 */
#ifndef WEB_H
#define WEB_H

#include "simulator.h"

/* Listens. PA_RETRY: the port is taken. Sets sim->web. */
pa_status web_start(struct simulator *sim, pa_error *err) SIM_MUST_USE;

/* Answers all that wait, closes. Lock not held. */
void web_stop(struct simulator *sim);

/* The port that is listened on. */
uint16_t web_port(const struct web *web);

/* Has every waiting request look again. Lock held; NULL (nobody listens) is fine. */
void web_wake(struct web *web);

/* The same for those whose time is up. Lock not held. */
void web_wake_expired(struct simulator *sim);

#endif
