/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/contacts.h"

#include "base/err.h"
#include "io/clock.h"
#include "io/log.h"
#include "queue/connect.h"
#include "queue/ids.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS 65536 /* a power of two; a collision evicts */
#define MAX_ADDRESS 256

/* Another node may have moved an address meanwhile: what is older is looked up again. */
#define FRESH_NS NS_PER_MINUTE

struct slot {
	uint8_t tag[TAG_BYTES];
	int64_t since_ns;        /* monotonic: when it was looked up */
	struct contact *contact; /* NULL: free */
};

struct contacts {
	const char *database;
	struct db *db;
	const struct keyring *ring;
	struct slot *slots;
};

enum address_kind { ADDRESS_PHONE = 'p', ADDRESS_USER_ID = 'u' };

static pa_str keyed(const struct keyring *ring, struct arena *arena, enum address_kind kind,
		    pa_str text)
{
	char bytes[MAX_ADDRESS + 1];
	uint8_t *tag;

	if (!text.len || text.len > MAX_ADDRESS)
		return PA_STR_ABSENT;
	bytes[0] = (char)kind;
	memcpy(bytes + 1, text.ptr, text.len);
	tag = arena_alloc(arena, TAG_BYTES);
	keyring_tag(ring, "contact address", (pa_str){bytes, text.len + 1}, tag);
	return (pa_str){(const char *)tag, TAG_BYTES};
}

static pa_str tag_of(const struct contacts *contacts, struct arena *arena, enum address_kind kind,
		     pa_str text)
{
	return keyed(contacts->ring, arena, kind, text);
}

pa_str contacts_phone_tag(const struct keyring *ring, struct arena *arena, pa_str phone)
{
	return keyed(ring, arena, ADDRESS_PHONE, phone);
}

static struct slot *slot_of(struct contacts *contacts, pa_str tag)
{
	uint64_t hash;

	memcpy(&hash, tag.ptr, sizeof(hash)); /* the tag is a keyed hash already */
	return &contacts->slots[hash & (SLOTS - 1)];
}

static struct contact *cached(struct contacts *contacts, pa_str tag)
{
	struct slot *slot;

	if (!tag.ptr)
		return NULL;
	slot = slot_of(contacts, tag);
	if (!slot->contact || memcmp(slot->tag, tag.ptr, TAG_BYTES) != 0 ||
	    atomic_load(&slot->contact->is_stale))
		return NULL;
	return slot->contact;
}

static void cache(struct contacts *contacts, pa_str tag, struct contact *contact)
{
	struct slot *slot;

	if (!tag.ptr)
		return;
	slot = slot_of(contacts, tag);
	contact_ref(contact);
	contact_unref(slot->contact);
	memcpy(slot->tag, tag.ptr, TAG_BYTES);
	slot->contact = contact;
	slot->since_ns = clock_monotonic_ns();
}

static void uncache(struct contacts *contacts, pa_str tag)
{
	struct slot *slot;

	if (!cached(contacts, tag))
		return;
	slot = slot_of(contacts, tag);
	contact_unref(slot->contact);
	slot->contact = NULL;
}

static void drop_aged(struct contacts *contacts, pa_str tag)
{
	if (cached(contacts, tag) &&
	    clock_monotonic_ns() - slot_of(contacts, tag)->since_ns > FRESH_NS)
		uncache(contacts, tag);
}

void contacts_tags(const struct contacts *contacts, const pa_event *event, struct arena *arena,
		   struct contact_tags *ret)
{
	pa_str user_id = event->previous_user_id.len ? event->previous_user_id : event->user_id;

	*ret = (struct contact_tags){{{NULL, 0}}};
	ret->tag[0] = tag_of(contacts, arena, ADDRESS_PHONE, event->phone);
	ret->tag[1] = tag_of(contacts, arena, ADDRESS_USER_ID, user_id);
	if (event->kind != PA_EVENT_SYSTEM)
		return;
	ret->tag[2] = tag_of(contacts, arena, ADDRESS_PHONE, event->new_phone);
	ret->tag[3] = tag_of(contacts, arena, ADDRESS_USER_ID, event->new_user_id);
}

/* ---- the store ---- */

static pa_status be_connected(struct contacts *contacts, pa_error *err)
{
	static const char *const sets[] = {"intake", NULL};

	if (contacts->db && db_look(contacts->db))
		return PA_OK;
	db_close(contacts->db);
	contacts->db = NULL;
	return queue_connect(contacts->database, "proaltod intake", sets, &contacts->db, err);
}

static pa_status fetch(struct contacts *contacts, struct arena *arena, const pa_str *tags,
		       size_t count, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params;
	pa_status status = be_connected(contacts, err);

	if (status != PA_OK)
		return status;
	params = db_params_new(arena, SQL_CONTACT_FIND);
	db_bind_bytes_array(params, tags, count);
	status = db_run(contacts->db, params, &result, err);
	for (size_t i = 0; status == PA_OK && i < db_rows(result); i++) {
		pa_str tag = db_str(result, i, 0);
		int64_t id = db_int64(result, i, 1);
		struct contact *contact = NULL;

		if (tag.len != TAG_BYTES)
			continue;
		/* Nothing can be sealed for him; the others of this call go on. Who was erased is
		 * not found here: his addresses went with his key. */
		if (contact_open(id, contacts->ring, db_str(result, i, 2), db_str(result, i, 3),
				 &contact) != PA_OK) {
			log_error(LOG_NO_IDS, "the key of contact %lld can't be opened",
				  (long long)id);
			continue;
		}
		cache(contacts, tag, contact);
		contact_unref(contact);
	}
	return status;
}

pa_status contacts_prefetch(struct contacts *contacts, const pa_str *tags, size_t count,
			    pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new((size_t)8 << 20);
	pa_str *missing = ARENA_ARRAY(arena, pa_str, count);
	size_t missing_count = 0;

	for (size_t i = 0; i < count; i++) {
		drop_aged(contacts, tags[i]);
		if (tags[i].ptr && !cached(contacts, tags[i]))
			missing[missing_count++] = tags[i];
	}
	return missing_count ? fetch(contacts, arena, missing, missing_count, err) : PA_OK;
}

/* Points addresses at a contact that is stored, and says what is known of it now. */
static pa_status move_addresses(struct contacts *contacts, struct arena *arena, const pa_str *tags,
				size_t count, const struct contact *to, pa_error *err)
{
	int64_t *ids = ARENA_ARRAY(arena, int64_t, count);
	pa_str who = contact_seal_who(to, arena);
	struct db_params *params = db_params_new(arena, SQL_ADDRESS_MOVE);
	pa_status status = be_connected(contacts, err);

	for (size_t i = 0; i < count; i++)
		ids[i] = to->id;
	db_bind_bytes_array(params, tags, count);
	db_bind_int64_array(params, ids, count);
	if (status == PA_OK)
		status = db_run(contacts->db, params, NULL, err);
	params = db_params_new(arena, SQL_CONTACT_UPDATE_WHO);
	db_bind_int64_array(params, &to->id, 1);
	db_bind_bytes_array(params, &who, 1);
	return status == PA_OK ? db_run(contacts->db, params, NULL, err) : status;
}

/* Whoever has the old phone or user id next is another person. */
static pa_status drop_addresses(struct contacts *contacts, struct arena *arena, const pa_str *tags,
				size_t count, int64_t contact, pa_error *err)
{
	int64_t *ids = ARENA_ARRAY(arena, int64_t, count);
	struct db_params *params = db_params_new(arena, SQL_ADDRESS_DROP);

	for (size_t i = 0; i < count; i++) {
		ids[i] = contact;
		uncache(contacts, tags[i]);
	}
	db_bind_bytes_array(params, tags, count);
	db_bind_int64_array(params, ids, count);
	return count ? db_run(contacts->db, params, NULL, err) : PA_OK;
}

static pa_status merge(struct contacts *contacts, struct arena *arena, const struct contact *kept,
		       const struct contact *merged, pa_error *err)
{
	struct db_params *params = db_params_new(arena, SQL_CONTACT_MERGE);

	db_bind_int64_array(params, &kept->id, 1);
	db_bind_int64_array(params, &merged->id, 1);
	return db_run(contacts->db, params, NULL, err);
}

/* ---- resolving ---- */

static struct contact *grown(const struct contact *old, pa_str phone, pa_str user_id)
{
	struct contact *contact = contact_new(old->id, &old->key, phone, user_id);

	atomic_store(&contact->is_stored,
		     atomic_load(&((struct contact *)(uintptr_t)old)->is_stored));
	return contact;
}

static struct contact *make_contact(pa_str phone, pa_str user_id)
{
	struct key key;
	int64_t id = ids_next();
	struct contact *contact = NULL;

	key_random(&key);
	if (id)
		contact = contact_new(id, &key, phone, user_id);
	key_wipe(&key);
	return contact;
}

/* Which of two that are one person stays: with it the state of its conversation and its consent. */
static pa_status choose(struct contacts *contacts, struct arena *arena, struct contact *a,
			struct contact *b, struct contact **ret, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	const int64_t ids[] = {a->id, b->id};
	struct db_params *params = db_params_new(arena, SQL_CONTACT_CHOOSE);
	pa_status status = be_connected(contacts, err);

	db_bind_int64_array(params, ids, ARRAY_COUNT(ids));
	if (status == PA_OK)
		status = db_run(contacts->db, params, &result, err);
	if (status == PA_OK)
		*ret = db_rows(result) && db_int64(result, 0, 0) == b->id ? b : a;
	return status;
}

/* Two contacts turn out to be one person. */
static pa_status unite(struct contacts *contacts, struct arena *arena, struct contact *a,
		       struct contact *b, const pa_str tags[2], struct contact **ret, pa_error *err)
{
	struct contact *kept, *one;
	pa_status status = choose(contacts, arena, a, b, &kept, err);

	if (status != PA_OK)
		return status;
	one = grown(kept, a->phone, b->user_id);
	status = move_addresses(contacts, arena, tags, 2, one, err);
	if (status == PA_OK)
		status = merge(contacts, arena, kept, kept == a ? b : a, err);
	if (status != PA_OK) {
		contact_unref(one);
		return status;
	}
	cache(contacts, tags[0], one);
	cache(contacts, tags[1], one);
	*ret = one;
	contact_unref(one); /* the cache holds it */
	return PA_OK;
}

/* A new phone or user id of a known person. */
static pa_status apply_change(struct contacts *contacts, struct arena *arena, const pa_event *event,
			      const pa_str tags[CONTACT_TAGS], struct contact **contact,
			      pa_error *err)
{
	pa_str phone = event->new_phone.len ? event->new_phone : (*contact)->phone;
	pa_str user_id = event->new_user_id.len ? event->new_user_id : (*contact)->user_id;
	struct contact *changed;
	pa_str new[2], old[2];
	size_t new_count = 0, old_count = 0;
	pa_status status;

	for (size_t i = 0; i < 2; i++) {
		if (tags[i + 2].ptr)
			new[new_count++] = tags[i + 2];
		if (tags[i + 2].ptr && tags[i].ptr && !str_equal(tags[i], tags[i + 2]))
			old[old_count++] = tags[i];
	}
	if (!new_count || !atomic_load(&(*contact)->is_stored))
		return PA_OK; /* nothing, or nobody we know, changed */
	changed = grown(*contact, phone, user_id);
	status = move_addresses(contacts, arena, new, new_count, changed, err);
	if (status == PA_OK)
		status = drop_addresses(contacts, arena, old, old_count, changed->id, err);
	if (status == PA_OK) {
		for (size_t i = 0; i < new_count; i++)
			cache(contacts, new[i], changed);
		*contact = changed;
	}
	contact_unref(changed);
	return status;
}

/* A change that is told again after it was made: the person has his new address already. */
static struct contact *changed_before(struct contacts *contacts, const pa_event *event,
				      const pa_str tags[CONTACT_TAGS])
{
	struct contact *contact;

	if (event->kind != PA_EVENT_SYSTEM)
		return NULL;
	contact = cached(contacts, tags[2]);
	return contact ? contact : cached(contacts, tags[3]);
}

static pa_status resolve_known(struct contacts *contacts, struct arena *arena,
			       const pa_event *event, struct contact *found[2],
			       const pa_str tags[2], struct contact **ret, pa_error *err)
{
	struct contact *known = found[0] ? found[0] : found[1];
	struct contact *more;

	if (found[0] && found[1] && found[0]->id != found[1]->id)
		return unite(contacts, arena, found[0], found[1], tags, ret, err);
	*ret = known;
	if (!tags[0].ptr || !tags[1].ptr || (found[0] && found[1]))
		return PA_OK;
	more = grown(known, event->phone, event->user_id);
	cache(contacts, tags[0], more);
	cache(contacts, tags[1], more);
	atomic_store(&more->is_stored, false); /* its second address is not */
	*ret = more;
	contact_unref(more);
	return PA_OK;
}

pa_status contacts_resolve(struct contacts *contacts, const pa_event *event,
			   const struct contact_tags *all, struct arena *arena,
			   struct contact **ret, pa_str *ret_tags, size_t *ret_tags_count,
			   pa_error *err)
{
	struct contact *found[2], *contact = NULL;
	const pa_str *tags = all->tag;
	pa_status status = PA_OK;

	*ret = NULL;
	*ret_tags_count = 0;
	if (!tags[0].ptr && !tags[1].ptr)
		return PA_OK;
	found[0] = cached(contacts, tags[0]);
	found[1] = cached(contacts, tags[1]);
	if (!found[0] && !found[1] && changed_before(contacts, event, tags)) {
		*ret = changed_before(contacts, event, tags);
		return PA_OK;
	}
	if (found[0] || found[1]) {
		status = resolve_known(contacts, arena, event, found, tags, &contact, err);
	} else {
		contact = make_contact(event->phone, event->user_id);
		if (!contact)
			return error_set(err, PA_RETRY, "no ids left");
		cache(contacts, tags[0], contact);
		cache(contacts, tags[1], contact);
		contact_unref(contact);
	}
	if (status == PA_OK && event->kind == PA_EVENT_SYSTEM)
		status = apply_change(contacts, arena, event, tags, &contact, err);
	if (status != PA_OK)
		return status;
	for (size_t i = 0; i < 2 && !atomic_load(&contact->is_stored); i++)
		if (tags[i].ptr)
			ret_tags[(*ret_tags_count)++] = tags[i];
	*ret = contact;
	return PA_OK;
}

struct contacts *contacts_new(const char *database, const struct keyring *ring)
{
	struct contacts *contacts = calloc(1, sizeof(*contacts));

	if (!contacts)
		abort();
	contacts->database = database;
	contacts->ring = ring;
	contacts->slots = calloc(SLOTS, sizeof(*contacts->slots));
	if (!contacts->slots)
		abort();
	return contacts;
}

void contacts_free(struct contacts *contacts)
{
	if (!contacts)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		contact_unref(contacts->slots[i].contact);
	db_close(contacts->db);
	free(contacts->slots);
	free(contacts);
}
