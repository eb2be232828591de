/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/contact.h"

#include "base/pack.h"

#include <stdlib.h>
#include <string.h>

#define WHO_PHONE 1
#define WHO_USER_ID 2
#define MAX_WHO ((size_t)1024)

struct contact *contact_new(int64_t id, const struct key *key, pa_str phone, pa_str user_id)
{
	struct contact *contact = malloc(sizeof(*contact) + phone.len + user_id.len);
	char *text;

	if (!contact)
		abort();
	text = (char *)(contact + 1);
	*contact = (struct contact){.references = 1, .id = id, .key = *key};
	if (phone.ptr) {
		memcpy(text, phone.ptr, phone.len);
		contact->phone = (pa_str){text, phone.len};
	}
	if (user_id.ptr) {
		memcpy(text + phone.len, user_id.ptr, user_id.len);
		contact->user_id = (pa_str){text + phone.len, user_id.len};
	}
	return contact;
}

struct contact *contact_ref(struct contact *contact)
{
	atomic_fetch_add(&contact->references, 1);
	return contact;
}

void contact_unref(struct contact *contact)
{
	if (!contact || atomic_fetch_sub(&contact->references, 1) > 1)
		return;
	key_wipe(&contact->key);
	free(contact);
}

pa_str contact_seal_who(const struct contact *contact, struct arena *arena)
{
	struct buf who PA_CLEANUP(buf_done) = BUF_INIT(MAX_WHO);

	pack_str(&who, WHO_PHONE, contact->phone);
	pack_str(&who, WHO_USER_ID, contact->user_id);
	return seal_arena(arena, &contact->key, PA_STR("who"), buf_str(&who));
}

pa_str contact_seal_key(const struct contact *contact, const struct master *master,
			struct arena *arena)
{
	pa_str key = {(const char *)contact->key.bytes, KEY_BYTES};

	return seal_arena(arena, &master->key, PA_STR("contact key"), key);
}

static pa_status open_who(struct arena *arena, const struct key *key, pa_str who, pa_str *phone,
			  pa_str *user_id)
{
	pa_str plain;
	struct unpack in;

	if (unseal(arena, key, PA_STR("who"), who, &plain) != PA_OK)
		return PA_REJECTED;
	in = unpack_from(plain);
	while (unpack_next(&in)) {
		if (in.field == WHO_PHONE)
			*phone = in.str;
		else if (in.field == WHO_USER_ID)
			*user_id = in.str;
	}
	return in.is_broken ? PA_REJECTED : PA_OK;
}

pa_status contact_open(int64_t id, const struct keyring *ring, pa_str sealed_key, pa_str who,
		       struct contact **ret)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(16 * MAX_WHO);
	pa_str plain, phone = PA_STR_ABSENT, user_id = PA_STR_ABSENT;
	struct key key;

	if (keyring_unseal(ring, arena, PA_STR("contact key"), sealed_key, &plain) != PA_OK ||
	    plain.len != KEY_BYTES)
		return PA_REJECTED;
	memcpy(key.bytes, plain.ptr, KEY_BYTES);
	if (who.ptr && open_who(arena, &key, who, &phone, &user_id) != PA_OK)
		return PA_REJECTED;
	*ret = contact_new(id, &key, phone, user_id);
	atomic_store(&(*ret)->is_stored, true);
	key_wipe(&key);
	return PA_OK;
}
