/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics/metrics.h: what an operator's monitoring reads: GET /metrics on a port of its own, in
 * Prometheus' text format (metrics/exposition.h).
 *
 * A server and a thread of its own, so that whoever reads delays nobody: of the hot path it only
 * reads counters. No name of a person, and no label whose values somebody outside chooses. What
 * each metric means stands in its HELP line, collect.c has them all.
 */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include "io/http_server.h"
#include "io/tls.h"
#include "queue/queue.h"

struct metrics;

/* All of it outlives the metrics. */
struct metrics_options {
	const struct config *config; /* metrics_address, metrics_port, ... */
	struct queue *queue;
	struct channels *channels;
	struct host *host;
	struct http_client *http;
	struct http_server *server; /* the public port's */
	struct tls *tls;            /* its certificate; NULL: plain HTTP */
	struct core *core;          /* NULL: none */
	struct plugin *backend;     /* the core's */
	struct plugin *language;    /* NULL: none */
};

/* Listens and starts the threads. PA_RETRY: the port is taken, PA_REJECTED: no such address. */
pa_status metrics_new(const struct metrics_options *options, struct metrics **ret, pa_error *err)
	PA_MUST_USE;

/* Answers nobody from now on: then all but config and channels may go. NULL is fine. */
void metrics_close(struct metrics *metrics);

/* Waits for a look into the store that is under way. NULL is fine. */
void metrics_free(struct metrics *metrics);

#endif
