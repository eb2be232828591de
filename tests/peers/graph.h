/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/peers/graph.h: the stand-in for Meta's Graph API, and how its files share the work:
 * graph.c requests, graph_media.c uploads and downloads, graph_status.c webhooks to the daemon,
 * graph_control.c what tests ask of it.
 */
#ifndef TESTS_PEERS_GRAPH_H
#define TESTS_PEERS_GRAPH_H

#include "peers/faults.h"
#include "peers/graph_rules.h"
#include "peers/loop.h"

/* Media: uploaded, or put there by a test as if a customer had sent it. */
struct medium {
	struct medium *next;
	char id[32];
	char mime[64];
	struct buf bytes;
	uint64_t address;        /* of the last description; 0: nobody asked */
	int64_t address_ends_ns; /* monotonic */
};

/* When which status webhook goes out after a message was accepted; below 0: never. */
struct status_plan {
	int64_t sent_ms, delivered_ms, read_ms;
	bool is_double;
	int failed_code; /* not 0: one "failed" with this code in place of the three */
};

struct graph {
	struct loop *loop;
	struct serve *serve;
	struct poster *webhook; /* NULL: no webhooks */
	const char *token;
	const char *phone_id;
	const char *secret;
	int64_t token_ends_s;  /* what is told of the token: 0 never */
	int64_t date_offset_s; /* how far the clock is off that the answers are dated by */
	int log_fd;            /* -1: none */
	bool is_silent;        /* bench mode: counters only */
	struct faults faults;
	struct status_plan statuses;
	struct graph_world world;
	struct medium *media;
	json_t *accepted;     /* array of what was accepted */
	json_t *callbacks;    /* callback data -> how often */
	json_t *acknowledged; /* array of the statuses that were answered 200 */
	json_t *in_flight;    /* recipient -> posts not yet answered */
	json_t *inbound;      /* message ids that tests handed in */
	uint64_t serial;
	uint64_t count_accepted, count_refused, count_read, count_typing, count_media;
	uint64_t count_duplicates, count_overlaps, count_faults;
	uint64_t count_status_posted, count_status_failed;
};

/* A bearer token that is not ours, a path that is not known: Meta's error shape. */
void graph_error(struct talk *talk, unsigned http, int code, const char *details);
void graph_answer_json(struct talk *talk, unsigned http, json_t *json); /* takes json */

/* graph_media.c: true if the path was one of theirs (then it was answered). */
bool graph_media_route(struct graph *graph, struct talk *talk, pa_str path);
void graph_media_upload(struct graph *graph, struct talk *talk);
struct medium *graph_media_find(struct graph *graph, pa_str id);
struct medium *graph_media_add(struct graph *graph, pa_str mime, pa_str bytes);

/* graph_status.c */
void graph_status_schedule(struct graph *graph, json_t *message, const char *wamid);
/* Signs and posts a body to the webhook as Meta would. */
void graph_webhook_post(struct graph *graph, pa_str body, post_fn *fn, void *arg);
size_t graph_status_pending(const struct graph *graph);

/* graph_control.c: /_control/... */
void graph_control(struct graph *graph, struct talk *talk, pa_str path);

#endif
