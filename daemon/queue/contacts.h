/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/contacts.h: who sent this? Phones and user ids to contacts: a cache in front of the store.
 * The intake thread's own.
 */
#ifndef QUEUE_CONTACTS_H
#define QUEUE_CONTACTS_H

#include "queue/contact.h"
#include "queue/item.h"

struct contacts;

/* The addresses of an event as the store knows them, keyed hashes: the phone and user id by which
 * the person was known before the event, and those that it gives him. Absent where there is none.
 */
#define CONTACT_TAGS 4
struct contact_tags {
	pa_str tag[CONTACT_TAGS];
};

struct contacts *contacts_new(const char *database, const struct keyring *ring);
void contacts_free(struct contacts *contacts);

/* The tags lie in the arena. */
void contacts_tags(const struct contacts *contacts, const pa_event *event, struct arena *arena,
		   struct contact_tags *ret);

/* The keyed hash under which a phone (digits with country code) stands in the store; in the arena.
 */
pa_str contacts_phone_tag(const struct keyring *ring, struct arena *arena, pa_str phone);

/* Looks up the persons of these addresses in the store, as far as the cache does not have them: one
 * round trip for all, none if all are known. PA_RETRY: the store is away. */
pa_status contacts_prefetch(struct contacts *contacts, const pa_str *tags, size_t count,
			    pa_error *err) PA_MUST_USE;

/* The contact of an event whose persons were prefetched, made if there is none; NULL if the event
 * is about nobody. Borrowed: take a reference to keep it. ret_tags (room for MAX_ADDRESSES, in the
 * arena) are the addresses that the store does not have yet. A person known by phone and by user id
 * as two contacts becomes one, and a change of number or user id moves its addresses, in the store
 * at once. */
pa_status contacts_resolve(struct contacts *contacts, const pa_event *event,
			   const struct contact_tags *all, struct arena *arena,
			   struct contact **ret, pa_str *ret_tags, size_t *ret_tags_count,
			   pa_error *err) PA_MUST_USE;

#endif
