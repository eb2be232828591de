/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/worker.h: the threads that run turns (flow/turn.h). A worker takes a conversation, opens
 * what is sealed, runs the turn with ports to whatever is slow, seals the effects and hands them to
 * the writer. Blocking calls to core systems are fine here; waiting for a slot at the core is not
 * (the turn is parked).
 */
#ifndef QUEUE_WORKER_H
#define QUEUE_WORKER_H

#include "core/core.h"
#include "queue/conversations.h"
#include "queue/dispatch.h"
#include "queue/writer.h"

struct workers;

/* The flow set in force, counted for the caller; given back by turn code's flow_set_unref. */
typedef struct flow_set *flow_set_source_fn(void *arg);

struct workers_options {
	size_t count;
	const char *database;
	const struct keyring *ring;
	struct conversations *conversations;
	struct writer *writer;
	struct dispatch *dispatch;
	struct channels *channels;
	struct core *core;       /* NULL: the house has none configured */
	struct plugin *language; /* NULL: none */
	double language_threshold;
	int64_t turn_deadline_ms;
	int64_t quiet_ns;
	int64_t quiet_max_ns;
	int64_t owner_codes_per_hour;
	int64_t stranger_codes_per_hour;
	flow_set_source_fn *flow_set;
	void *flow_set_arg;
	/* A turn fails again and again by itself: take its event out of the way. */
	void (*set_aside)(void *arg, int64_t conversation, int64_t event, const char *reason);
	void *arg;
};

struct workers *workers_new(const struct workers_options *options);

/* Waits for the turns under way. conversations_stop() must have been called. */
void workers_free(struct workers *workers);

/* Packs a job as it is stored: its name and payload. What a worker reads again. */
void job_pack(struct buf *out, pa_str name, pa_str payload);

/* How far the turn that has run longest is past all that it may take; waiting for PostgreSQL does
 * not count. 0: none is. */
int64_t workers_still_ns(const struct workers *workers);

/* How long turns took, up to the commit that they hand in: those that come to nothing too. */
const struct histogram *workers_took(const struct workers *workers);

/* Turns run so far. */
struct worker_counts {
	uint64_t turns, failures;
};
struct worker_counts workers_counts(const struct workers *workers);

#endif
