/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/dispatch.h: messages on their way out. One thread; each conversation has a lane on each
 * channel, in which the next post starts after the answer to the previous one, or its final failure
 * (after a file: after its status, four seconds at most). Every message passes the gate
 * (gate/gate.h) at the moment of sending, and every attempt is committed before its first byte
 * leaves: the first one with the message itself, if dispatch_reserve() found the way free, the
 * others by the writer. The attempt of the message behind one that was sent shares the
 * commit of its outcome.
 *
 * An attempt without an answer leaves its message uncertain: the provider's receipts settle it, and
 * after a configured wait its class does (a dialogue reply goes again, and is counted as a possible
 * duplicate; the others don't).
 */
#ifndef QUEUE_DISPATCH_H
#define QUEUE_DISPATCH_H

#include "io/http_client.h"
#include "queue/item.h"
#include "queue/writer.h"

struct dispatch;

struct dispatch_options {
	struct http_client *http;
	struct writer *writer;
	struct channels *channels;
	const struct keyring *ring;
};

struct dispatch *dispatch_new(const struct dispatch_options *options);

/* Begins no attempt any more, waits, at most until the monotonic clock reaches until_ns, for what
 * is under way, and ends the thread: what the writer or the HTTP client still brings is only kept.
 */
void dispatch_stop(struct dispatch *dispatch, int64_t until_ns);

/* While held, no attempt begins; what is committed to leave still does. Any thread. */
void dispatch_hold(struct dispatch *dispatch, bool is_held);

/* Messages whose attempt is with the writer or the provider. Any thread. */
size_t dispatch_under_way(struct dispatch *dispatch);

/* After dispatch_stop() and the ends of the HTTP client and the writer. What was on its way stays
 * in the store. */
void dispatch_free(struct dispatch *dispatch);

/* True: a first message of this conversation may leave right after its commit, and the way is kept
 * free for it until dispatch_push() or dispatch_release(). Any thread. */
bool dispatch_reserve(struct dispatch *dispatch, int64_t conversation, struct channel *channel);
void dispatch_release(struct dispatch *dispatch, int64_t conversation, struct channel *channel);

/* A committed message. Takes it over. Any thread. */
void dispatch_push(struct dispatch *dispatch, struct outbound *outbound);

/* A channel has caught up: what got in line meanwhile may go. Any thread. */
void dispatch_resume(struct dispatch *dispatch);

/* A person has given the channel other options: whatever pause its provider's refusals brought is
 * over. Any thread. */
void dispatch_renewed(struct dispatch *dispatch, struct channel *channel);

/* The channel is another node's now, or was meanwhile: what waits here may have gone from there. It
 * is found in the store. Any thread. */
void dispatch_forget(struct dispatch *dispatch, const struct channel *channel);

/* The writer's words. Any thread. */
void dispatch_attempt_stored(struct dispatch *dispatch, struct outbound *outbound, bool may_go);
void dispatch_outcome_stored(struct dispatch *dispatch, struct outbound *outbound);

/* A provider's receipt for a message of this conversation. Any thread. */
void dispatch_receipt(struct dispatch *dispatch, int64_t conversation, int64_t outbox_id,
		      uint32_t status);

/* What became of a message that a session-holding channel took. Any thread. */
void dispatch_result(struct dispatch *dispatch, struct outbound *outbound,
		     const pa_outcome *outcome);

/* True if the message is in hand here. Any thread. */
bool dispatch_has(struct dispatch *dispatch, int64_t conversation, const struct channel *channel,
		  int64_t outbox_id);

/* Marks a message as read and shows "writing": best effort, not a message, stored nowhere. */
void dispatch_mark(struct dispatch *dispatch, struct channel *channel,
		   const struct contact *contact, pa_str provider_id);

/* A message with its packed form behind it. */
struct outbound *outbound_new(pa_str packed, pa_str what_for);
void outbound_free(struct outbound *outbound);

/* "OUTBOX.TIME.TRY" in hexadecimal: what a provider echoes in its receipts. */
pa_str outbound_ref(const struct outbound *outbound, struct arena *arena);
bool outbound_ref_parse(pa_str ref, int64_t *ret_id, int64_t *ret_at_ns);

#define MAX_EXTERNAL 1024 /* bytes of a provider's id of a message */

/* What stands in the store for the provider's id of a message on this channel. */
void outbound_external_tag(const struct keyring *ring, const struct channel *channel, pa_str id,
			   uint8_t out[TAG_BYTES]);

struct dispatch_counts {
	uint64_t sent, retried, failed, refused, uncertain, possible_duplicates;
	size_t waiting; /* lanes */
};
struct dispatch_counts dispatch_counts(struct dispatch *dispatch);

/* How sending on one channel goes. Times are business time, 0: never since the start. */
struct outlet_report {
	int64_t sent_ns;   /* the last message that the provider took */
	int64_t failed_ns; /* the last attempt that it did not, and why */
	int64_t code;
	char reason[160];
	int64_t paused_ms; /* for so long nothing is tried; 0: it is not paused */
};
struct outlet_report dispatch_outlet(struct dispatch *dispatch, const struct channel *channel);

#endif
