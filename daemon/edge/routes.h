/* SPDX-License-Identifier: Apache-2.0
 *
 * edge/routes.h: what a request to the public port is for. Thin: it finds the channel and hands
 * over.
 *
 *	GET  /webhook/CHANNEL   the provider asks whether we are we
 *	POST /webhook/CHANNEL   a delivery
 *	any  /receipt/CHANNEL   what became of a message, for providers with an address of their own
 *	GET  /healthz           200 while the process works
 *	GET  /readyz            200 while deliveries are accepted, else 503
 */
#ifndef EDGE_ROUTES_H
#define EDGE_ROUTES_H

#include "io/http_server.h"
#include "queue/intake.h"

struct routes {
	struct channels *channels;
	struct intake *intake;
	struct writer *writer;
	_Atomic bool is_closing;  /* refuse everything: the daemon stops */
	_Atomic unsigned handled; /* requests that routes_handle has in hand just now */
};

/* Where providers deliver, and who isn't one is refused: for http_server_options. */
extern const char *const routes_delivery_paths[];

/* An http_handler_fn; arg is a struct routes that outlives the server. On the server's thread. */
void routes_handle(void *arg, struct http_exchange *exchange);

/* From now on every request is refused. When it returns, intake and writer are not touched any more
 * and may be freed before the server. */
void routes_close(struct routes *routes);

#endif
