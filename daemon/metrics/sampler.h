/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics/sampler.h: what lies in the store, looked at whenever somebody asks, by a thread and over
 * a connection of its own: whoever asks has an answer within a second, however the store is.
 */
#ifndef METRICS_SAMPLER_H
#define METRICS_SAMPLER_H

#include "queue/channel.h"

struct sampler;

struct sample {
	int64_t taken_ns; /* monotonic */
	int64_t schema;   /* number of its last migration */
	int64_t work;
	int64_t work_oldest_ns; /* business time, as all that follow; 0: there is none */
	int64_t timers;
	int64_t timer_first_ns;
	int64_t set_aside;
	int64_t nodes;
	struct {
		int64_t open;
		int64_t oldest_ns;
	} outbox[CONFIG_CHANNELS_MAX]; /* as the channels are listed */
};

/* database: libpq's connection string; it and the channels outlive the sampler. */
struct sampler *sampler_new(const char *database, const struct channels *channels);
/* NULL is fine. */
void sampler_free(struct sampler *sampler);

/* The newest sample, if need be one of the last minute. False: there is none. Any thread. */
bool sampler_look(struct sampler *sampler, struct sample *ret) PA_MUST_USE;

#endif
