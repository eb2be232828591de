/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/keyring.h"

#include "base/str.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Purposes that each message needs, and most of them several times: a sub-key takes as long as the
 * tag that is made with it. */
static const char *const frequent[] = {"contact address", "event unique"};

struct keyring {
	struct master masters[MASTERS_MAX];
	size_t count;
	_Atomic size_t in_force;
	struct key store;                           /* constant once is_ready */
	struct key frequent[ARRAY_COUNT(frequent)]; /* derived from it */
	_Atomic bool is_ready;
};

struct keyring *keyring_new(pa_str keys)
{
	struct keyring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		abort();
	for (size_t at = 0; at + KEY_BYTES <= keys.len && ring->count < MASTERS_MAX;
	     at += KEY_BYTES) {
		struct master *master = &ring->masters[ring->count++];
		struct key named;

		memcpy(master->key.bytes, keys.ptr + at, KEY_BYTES);
		key_derive(&master->key, "name", &named);
		keyed_tag(&named, PA_STR(""), master->id);
		key_wipe(&named);
	}
	return ring;
}

void keyring_free(struct keyring *ring)
{
	if (!ring)
		return;
	bytes_wipe(ring, sizeof(*ring));
	free(ring);
}

const struct master *keyring_masters(const struct keyring *ring, size_t *ret_count)
{
	*ret_count = ring->count;
	return ring->masters;
}

pa_str master_id(const struct master *master)
{
	return (pa_str){(const char *)master->id, TAG_BYTES};
}

const struct master *keyring_find(const struct keyring *ring, pa_str id)
{
	for (size_t i = 0; i < ring->count; i++)
		if (str_equal(master_id(&ring->masters[i]), id))
			return &ring->masters[i];
	return NULL;
}

const struct master *keyring_in_force(const struct keyring *ring)
{
	return &ring->masters[atomic_load(&ring->in_force)];
}

void keyring_put_in_force(struct keyring *ring, const struct master *master)
{
	atomic_store(&ring->in_force, (size_t)(master - ring->masters));
}

pa_status keyring_unseal(const struct keyring *ring, struct arena *arena, pa_str context,
			 pa_str sealed, pa_str *ret)
{
	for (size_t i = 0; i < ring->count; i++)
		if (unseal(arena, &ring->masters[i].key, context, sealed, ret) == PA_OK)
			return PA_OK;
	return PA_REJECTED;
}

bool keyring_is_ready(const struct keyring *ring)
{
	return atomic_load(&ring->is_ready);
}

void keyring_set_store(struct keyring *ring, const struct key *key)
{
	if (atomic_load(&ring->is_ready))
		return;
	ring->store = *key;
	for (size_t i = 0; i < ARRAY_COUNT(frequent); i++)
		key_derive(key, frequent[i], &ring->frequent[i]);
	atomic_store(&ring->is_ready, true);
}

const struct key *keyring_store(const struct keyring *ring)
{
	return &ring->store;
}

void keyring_tag(const struct keyring *ring, const char *purpose, pa_str data,
		 uint8_t out[TAG_BYTES])
{
	struct key key;

	for (size_t i = 0; i < ARRAY_COUNT(frequent); i++) {
		if (strcmp(frequent[i], purpose) == 0) {
			keyed_tag(&ring->frequent[i], data, out);
			return;
		}
	}
	key_derive(&ring->store, purpose, &key);
	keyed_tag(&key, data, out);
	key_wipe(&key);
}
