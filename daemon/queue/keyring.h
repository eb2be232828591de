/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/keyring.h: the keys of the house, shared by all threads.
 *
 * Two kinds. *Master keys* come from the configuration: one, or two while one takes over from the
 * other. They seal each contact's key and the store's, nothing else, so that they can be changed by
 *sealing those anew (queue/rotation.h). *The store's key* lies in the store, sealed under the
 *master key, and never changes: from it comes every keyed hash (addresses, dedup, codes, taps), and
 *it seals what is about nobody. Rows that may only be added to, and bubbles that lie in a
 *customer's chat, hold its hashes for years.
 *
 *	ring = keyring_new(config->master_key);
 *	... rotation_begin(ring, db, ...)              // now it is ready
 *	keyring_tag(ring, "contact address", text, tag);
 *	status = keyring_unseal(ring, arena, context, sealed, &plain);   // under either master key
 *
 * A sealed key does not say under which master key it is: the format has no room for it, and both
 * are tried, which costs a microsecond.
 *
 * Threads: any. The store's key may be used once keyring_is_ready(), which stays so; the daemon
 * takes no message before that.
 */
#ifndef QUEUE_KEYRING_H
#define QUEUE_KEYRING_H

#include "io/crypto.h"

#define MASTERS_MAX 2

struct master {
	struct key key;
	uint8_t id[TAG_BYTES]; /* its name; tells nothing of it */
};

struct keyring;

/* keys: 32 bytes each, the newest first. */
struct keyring *keyring_new(pa_str keys);
/* Wipes. NULL is fine. */
void keyring_free(struct keyring *ring);

/* The master keys of the configuration, the newest first. */
const struct master *keyring_masters(const struct keyring *ring, size_t *ret_count);
/* The one with this id, or NULL. */
const struct master *keyring_find(const struct keyring *ring, pa_str id);
pa_str master_id(const struct master *master);

/* The one under which to seal now. */
const struct master *keyring_in_force(const struct keyring *ring);
void keyring_put_in_force(struct keyring *ring, const struct master *master);

/* PA_REJECTED: altered, or sealed under neither. The plain text lies in the arena. */
pa_status keyring_unseal(const struct keyring *ring, struct arena *arena, pa_str context,
			 pa_str sealed, pa_str *ret) PA_MUST_USE;

bool keyring_is_ready(const struct keyring *ring);
/* Once; afterwards it is ready. */
void keyring_set_store(struct keyring *ring, const struct key *key);
const struct key *keyring_store(const struct keyring *ring);
/* A keyed hash for a purpose: io/crypto.h's key_derive and keyed_tag. */
void keyring_tag(const struct keyring *ring, const char *purpose, pa_str data,
		 uint8_t out[TAG_BYTES]);

#endif
