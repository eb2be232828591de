/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/intake.h: the thread between the door and the writer. It checks where a delivery comes from
 * (signature first, over the raw bytes), lets the channel's adapter parse it, finds out who sent
 * each event, seals everything and hands it to the writer. The provider gets its 200 after the
 * commit.
 */
#ifndef QUEUE_INTAKE_H
#define QUEUE_INTAKE_H

#include "queue/channel.h"
#include "queue/conversations.h"
#include "queue/writer.h"

struct intake;

struct intake_options {
	const char *database;
	const struct keyring *ring;
	struct channels *channels;
	struct writer *writer;
	struct conversations *conversations; /* how far turns are behind */
	size_t most_waiting;                 /* deliveries; more are refused with 503 */
};

struct intake *intake_new(const struct intake_options *options);

/* Works off what it has and ends the thread. Deliveries that the writer has may still be answered.
 */
void intake_stop(struct intake *intake);

/* When the writer has ended. */
void intake_free(struct intake *intake);

/* A request to a channel's webhook, or to its receipt address. Takes the exchange over. Any thread.
 */
void intake_http(struct intake *intake, struct channel *channel, struct http_exchange *exchange,
		 bool is_receipt);

/* While shut, everything is refused for now (503, PA_RETRY). Any thread. */
void intake_shut(struct intake *intake, bool is_shut);
bool intake_is_shut(const struct intake *intake);

/* Requests taken and not yet answered. */
size_t intake_unanswered(const struct intake *intake);

/* Events of a session-holding channel, copied; returns when they are durable (PA_OK) or refused
 * (PA_RETRY). Blocking; any thread. */
pa_status intake_deliver(struct intake *intake, struct channel *channel,
			 const pa_event *const *events, size_t count, pa_error *err);

struct intake_counts {
	uint64_t posts, refused, forged;
};
struct intake_counts intake_counts(const struct intake *intake);

#endif
