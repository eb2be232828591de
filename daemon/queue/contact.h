/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/contact.h: a person as channels know him, with the key that seals all of his. Shared
 * between threads by reference count; immutable but for the two flags.
 */
#ifndef QUEUE_CONTACT_H
#define QUEUE_CONTACT_H

#include "base/str.h"
#include "queue/keyring.h"

#include <stdatomic.h>

struct contact {
	_Atomic int references;
	_Atomic bool is_stored; /* the store has it */
	_Atomic bool is_stale;  /* look it up again */
	int64_t id;
	struct key key;
	pa_str phone; /* absent if unknown; both lie behind the struct */
	pa_str user_id;
};

/* A contact with one reference. */
struct contact *contact_new(int64_t id, const struct key *key, pa_str phone, pa_str user_id);
struct contact *contact_ref(struct contact *contact);
/* NULL is fine. */
void contact_unref(struct contact *contact);

/* The contact's "who" column: phone and user id, sealed under its key. */
pa_str contact_seal_who(const struct contact *contact, struct arena *arena);

/* From the store's columns. PA_REJECTED: erased, or sealed under another key. */
pa_status contact_open(int64_t id, const struct keyring *ring, pa_str sealed_key, pa_str who,
		       struct contact **ret) PA_MUST_USE;

/* The contact's key, sealed under a master key. */
pa_str contact_seal_key(const struct contact *contact, const struct master *master,
			struct arena *arena);

#endif
