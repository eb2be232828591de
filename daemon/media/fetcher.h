/* SPDX-License-Identifier: Apache-2.0
 *
 * media/fetcher.h: customers' files, one at a time, on a thread and a connection of their own. A
 * turn leaves a row in `file`; the fetcher takes it, asks the channel's plugin where the file lies,
 * lets it run into a memfd, has it judged (media/inspector.h), and stores what may stay, sealed
 * under the person's key in pieces. What can't be had now is tried again until the provider keeps
 * it no longer. A refusal becomes a job of the conversation, which says so.
 *
 * The row's state and the pieces change in one transaction: killed anywhere, the file is taken up
 * again from its row, and is stored once.
 */
#ifndef MEDIA_FETCHER_H
#define MEDIA_FETCHER_H

#include "base/buf.h"
#include "io/http_client.h"
#include "media/inspector.h"
#include "queue/channel.h"
#include "queue/keyring.h"

struct writer;
struct fetcher;

/* Meta keeps what customers send for seven days; a day is left to ask for it again. */
#define FILE_LIFE_NS (6 * NS_PER_DAY)

struct fetcher_options {
	const char *database;
	struct keyring *ring;
	struct channels *channels;
	struct http_client *http;
	struct writer *writer; /* knows this node's id */
	struct inspector inspector;
	uint64_t max_bytes;
	void (*told)(void *arg); /* a job waits in the store */
	void *arg;
};

struct fetcher *fetcher_new(const struct fetcher_options *options);

/* There is something new to fetch. Any thread. */
void fetcher_poke(struct fetcher *fetcher);

/* Ends the thread: a download under way is broken off, a file being judged waited for. */
void fetcher_stop(struct fetcher *fetcher);
/* When nobody pokes it any more. */
void fetcher_free(struct fetcher *fetcher);

/* What the provider says of a file, as it is stored (sealed by the caller, context "file"). */
void file_claim_pack(struct buf *out, const pa_event *event);

/* Whether a SHA-256 is the one that was claimed, in hexadecimal or in base64; no claim fits all. */
bool file_digest_fits(pa_str claimed, const uint8_t digest[DIGEST_BYTES]);

#endif
