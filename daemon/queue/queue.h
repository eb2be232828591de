/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/queue.h: intake, writer, conversations, workers, dispatcher and keeper, put together: what
 * one tells the others is wired here and nowhere else.
 */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "config/config.h"
#include "queue/dispatch.h"
#include "queue/flight.h"
#include "queue/intake.h"
#include "queue/keeper.h"
#include "queue/worker.h"

struct queue;

struct queue_options {
	const struct config *config;
	struct keyring *ring;
	struct channels *channels;
	struct http_client *http;
	struct core *core;       /* NULL: none */
	struct plugin *backend;  /* the core's */
	struct plugin *language; /* NULL: none */
	flow_set_source_fn *flow_set;
	void *flow_set_arg;
	const struct flight *last; /* what the last process had in hand */
	size_t last_count;
};

/* Starts everything but the sessions of session-holding channels. */
struct queue *queue_new(const struct queue_options *options);

/* This node takes no new work, ends what it has, and gives its leases away; or serves again. Any
 * thread. */
void queue_drain(struct queue *queue, bool is_wanted);

/* How far that is: what is still to end. */
struct queue_drain_status {
	enum keeper_phase phase;
	size_t deliveries;    /* unanswered */
	size_t conversations; /* with something that waits for a turn, or in one */
	size_t messages;      /* under way */
};
struct queue_drain_status queue_drain_status(struct queue *queue);

/* Starts the sessions: when the rest of the daemon is ready to serve. */
void queue_open_sessions(struct queue *queue);

/* In order: intake works off what it has, turns under way end, their commits too; what waits stays
 * in the store. The HTTP server must hand in nothing any more, and outlive this: deliveries are
 * answered until the writer has ended. The HTTP client is ended by end_http(arg) in between, when
 * nothing is sent any more and before those who hear its answers are gone. */
void queue_free(struct queue *queue, void (*end_http)(void *arg), void *arg);

/* A slot at the core is free; the core is back. Any thread. */
void queue_core_slot(struct queue *queue);
void queue_core_back(struct queue *queue);

/* A channel was opened anew with other options. Any thread. */
void queue_renewed(struct queue *queue, struct channel *channel);

struct intake *queue_intake(struct queue *queue);
struct writer *queue_writer(struct queue *queue);

/* For how long something that has work has not moved, and its name (static); 0: all moves. Waiting
 * for PostgreSQL counts as moving, and so does a call within its deadline. The main thread's. */
int64_t queue_still_ns(struct queue *queue, const char **ret_what);

struct queue_status {
	bool is_store_there;
	struct conversations_count conversations;
	struct dispatch_counts dispatch;
	struct intake_counts intake;
	struct worker_counts turns;
	enum rotation_state rotation;
	uint64_t late;
	size_t unanswered; /* deliveries */
	size_t writer_backlog;
	const struct writer_counts *writer; /* both live as long as the queue */
	const struct histogram *turns_took;
	struct keeper_view store; /* as the keeper saw it last */
	struct complaint_text complaint;
};
struct queue_status queue_status(struct queue *queue);

/* How sending on a channel goes. */
struct outlet_report queue_outlet(struct queue *queue, const struct channel *channel);

#endif
