/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/rotation.h"

#include "base/err.h"
#include "base/str.h"
#include "io/log.h"

#include <string.h>

#define BATCH 500
#define BATCHES_A_STEP 8

static const pa_str store_context = {"store key", 9};
static const pa_str contact_context = {"contact key", 11};

enum column { ID, STORE_KEY, SINCE, DONE_TO, RESEALED, FINISHED };

static pa_status run(struct rotation *r, struct db_params *params, struct db_result **ret,
		     pa_error *err)
{
	return db_run(r->db, params, ret, err);
}

static struct db_params *params_of(struct rotation *r, enum sql statement)
{
	return db_params_new(r->arena, statement);
}

/* ---- the store's key ---- */

static pa_str seal_store_key(struct rotation *r, const struct master *master, const struct key *key)
{
	return seal_arena(r->arena, &master->key, store_context,
			  (pa_str){(const char *)key->bytes, KEY_BYTES});
}

static pa_status make_first(struct rotation *r, int64_t now_ns, pa_error *err)
{
	struct db_params *params = params_of(r, SQL_MASTER_KEY_FIRST);
	const struct master *master = keyring_in_force(r->ring);
	struct key fresh;

	key_random(&fresh);
	db_bind_bytes(params, master_id(master));
	db_bind_bytes(params, seal_store_key(r, master, &fresh));
	db_bind_bytes(params, seal_store_key(r, master, &master->key));
	db_bind_time(params, now_ns);
	key_wipe(&fresh);
	return run(r, params, NULL, err);
}

/* The row whose master key this node has, by that key. */
static bool open_row(struct rotation *r, const struct db_result *rows, size_t row, struct key *ret)
{
	const struct master *master = keyring_find(r->ring, db_str(rows, row, ID));
	pa_str plain;

	if (!master ||
	    unseal(r->arena, &master->key, store_context, db_str(rows, row, STORE_KEY), &plain) !=
		    PA_OK ||
	    plain.len != KEY_BYTES)
		return false;
	memcpy(ret->bytes, plain.ptr, KEY_BYTES);
	bytes_wipe((char *)(uintptr_t)plain.ptr, plain.len);
	return true;
}

static pa_status learn_store_key(struct rotation *r, const struct db_result *rows, pa_error *err)
{
	struct key key;

	for (size_t i = 0; i < db_rows(rows); i++) {
		if (!open_row(r, rows, i, &key))
			continue;
		keyring_set_store(r->ring, &key);
		key_wipe(&key);
		return PA_OK;
	}
	return error_set(err, PA_REJECTED,
			 "store.master_key is not a key of this store, or not any more");
}

/* ---- which is in force ---- */

static pa_status list(struct rotation *r, struct db_result **ret, pa_error *err)
{
	return run(r, params_of(r, SQL_MASTER_KEY_LIST), ret, err);
}

/* The newest key of the configuration is the one in force, and seals everything. */
static bool is_over(struct rotation *r, const struct db_result *rows)
{
	size_t count;
	const struct master *newest = keyring_masters(r->ring, &count);

	return keyring_find(r->ring, db_str(rows, 0, ID)) == newest &&
	       !db_is_null(rows, 0, FINISHED);
}

static pa_status put_in_force(struct rotation *r, const struct db_result *rows, pa_error *err)
{
	const struct master *master = keyring_find(r->ring, db_str(rows, 0, ID));
	size_t count;

	keyring_masters(r->ring, &count);
	if (!master)
		return error_set(err, PA_REJECTED,
				 "the store is sealed under a master key that this node does not "
				 "have: bring it here (proaltoctl node add)");
	if (count == 1 && db_is_null(rows, 0, FINISHED))
		return error_set(err, PA_REJECTED,
				 "the master key is being changed: until that is over, this node "
				 "needs the old one too");
	keyring_put_in_force(r->ring, master);
	return PA_OK;
}

static bool has_row(const struct db_result *rows, pa_str id)
{
	for (size_t i = 0; i < db_rows(rows); i++)
		if (str_equal(db_str(rows, i, ID), id))
			return true;
	return false;
}

static pa_status add_newest(struct rotation *r, const struct db_result *rows, pa_error *err)
{
	struct db_params *params = params_of(r, SQL_MASTER_KEY_ADD);
	size_t count;
	const struct master *newest = keyring_masters(r->ring, &count);

	if (has_row(rows, master_id(newest)))
		return PA_OK;
	db_bind_bytes(params, master_id(newest));
	db_bind_bytes(params, seal_store_key(r, newest, keyring_store(r->ring)));
	return run(r, params, NULL, err);
}

pa_status rotation_begin(struct rotation *r, int64_t now_ns, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	pa_status status = list(r, &rows, err);

	if (status == PA_OK && !db_rows(rows)) {
		status = make_first(r, now_ns, err);
		db_result_free(rows);
		rows = NULL;
		if (status == PA_OK)
			status = list(r, &rows, err);
	}
	if (status == PA_OK)
		status = learn_store_key(r, rows, err);
	if (status == PA_OK)
		status = put_in_force(r, rows, err);
	if (status == PA_OK)
		status = add_newest(r, rows, err);
	if (status == PA_OK)
		r->state = is_over(r, rows) ? ROTATION_NONE : ROTATION_WAITING;
	r->fence = 0;
	r->is_struck = r->is_fenced = false;
	return status;
}

pa_status rotation_look(struct rotation *r, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	pa_status status = list(r, &rows, err);

	if (status == PA_OK && db_rows(rows))
		return learn_store_key(r, rows, err);
	if (status == PA_OK) /* no daemon that makes one was here yet */
		keyring_set_store(r->ring, &keyring_in_force(r->ring)->key);
	return status;
}

pa_status rotation_register(struct rotation *r, pa_error *err)
{
	struct db_params *params = params_of(r, SQL_NODE_KEYS);
	pa_str ids[MASTERS_MAX];
	size_t count;
	const struct master *masters = keyring_masters(r->ring, &count);

	for (size_t i = 0; i < count; i++)
		ids[i] = master_id(&masters[i]);
	db_bind_int64(params, r->node);
	db_bind_bytes_array(params, ids, count);
	db_bind_bytes(params, master_id(keyring_in_force(r->ring)));
	return run(r, params, NULL, err);
}

/* ---- taking over ---- */

static pa_status follow(struct rotation *r, const struct db_result *rows, pa_error *err)
{
	const struct master *before = keyring_in_force(r->ring);
	pa_status status = put_in_force(r, rows, err);

	r->is_shut_out = status == PA_REJECTED;
	if (status != PA_OK || keyring_in_force(r->ring) == before)
		return status;
	log_notice(LOG_NO_IDS, "the new master key is in force");
	return rotation_register(r, err);
}

/* If every living node has it; it is followed at the next step. */
static pa_status offer_newest(struct rotation *r, int64_t now_ns, pa_error *err)
{
	struct db_params *params = params_of(r, SQL_MASTER_KEY_SWITCH);
	size_t count;

	db_bind_bytes(params, master_id(keyring_masters(r->ring, &count)));
	db_bind_time(params, now_ns);
	return run(r, params, NULL, err);
}

/* Strikes the old key out and waits for whoever wrote before that. A statement that began before it
 * may get its transaction's number after it: those that count are the numbers of a step later. */
static pa_status fence_off(struct rotation *r, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params =
		params_of(r, r->fence ? SQL_TRANSACTIONS_PASSED : SQL_MASTER_KEY_RETIRE);
	pa_status status;

	if (r->fence)
		db_bind_int64(params, r->fence);
	else
		db_bind_bytes(params, master_id(keyring_in_force(r->ring)));
	status = run(r, params, &result, err);
	if (status != PA_OK || !db_rows(result))
		return status;
	if (r->fence)
		r->is_fenced = db_bool(result, 0, 0);
	else if (r->is_struck)
		r->fence = db_int64(result, 0, 0);
	r->is_struck = true;
	return PA_OK;
}

/* ---- sealing anew ---- */

struct page {
	int64_t ids[BATCH];
	pa_str old[BATCH];
	pa_str new[BATCH];
	size_t count;
	int64_t last;
	bool is_last;
};

static void add_contact(struct rotation *r, struct page *page, int64_t id, pa_str sealed)
{
	const struct master *master = keyring_in_force(r->ring);
	pa_str plain;

	if (unseal(r->arena, &master->key, contact_context, sealed, &plain) == PA_OK) {
		bytes_wipe((char *)(uintptr_t)plain.ptr, plain.len);
		return;
	}
	if (keyring_unseal(r->ring, r->arena, contact_context, sealed, &plain) != PA_OK) {
		log_error(LOG_NO_IDS, "the key of contact %lld can't be opened", (long long)id);
		return;
	}
	page->ids[page->count] = id;
	page->old[page->count] = sealed;
	page->new[page->count++] = seal_arena(r->arena, &master->key, contact_context, plain);
	bytes_wipe((char *)(uintptr_t)plain.ptr, plain.len);
}

static pa_status reseal(struct rotation *r, const struct page *page, int64_t *ret_count,
			pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = params_of(r, SQL_CONTACT_RESEAL);
	pa_status status;

	*ret_count = 0;
	if (!page->count)
		return PA_OK;
	db_bind_int64_array(params, page->ids, page->count);
	db_bind_bytes_array(params, page->old, page->count);
	db_bind_bytes_array(params, page->new, page->count);
	status = run(r, params, &result, err);
	if (status == PA_OK)
		*ret_count = (int64_t)db_rows(result);
	return status;
}

static pa_status note_progress(struct rotation *r, const struct page *page, int64_t resealed,
			       int64_t now_ns, pa_error *err)
{
	struct db_params *params = params_of(r, SQL_MASTER_KEY_PROGRESS);

	db_bind_bytes(params, master_id(keyring_in_force(r->ring)));
	db_bind_int64(params, page->last);
	db_bind_int64(params, resealed);
	db_bind_time(params, page->is_last ? now_ns : INT64_MAX);
	return run(r, params, NULL, err);
}

static pa_status seal_page(struct rotation *r, int64_t now_ns, struct page *page, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = params_of(r, SQL_CONTACT_KEYS);
	int64_t resealed;
	pa_status status;

	db_bind_int64(params, page->last);
	db_bind_int64(params, BATCH);
	status = run(r, params, &rows, err);
	if (status != PA_OK)
		return status;
	page->count = 0;
	for (size_t i = 0; i < db_rows(rows); i++) {
		page->last = db_int64(rows, i, 0);
		add_contact(r, page, page->last, db_str(rows, i, 1));
	}
	page->is_last = db_rows(rows) < BATCH;
	status = reseal(r, page, &resealed, err);
	return status == PA_OK ? note_progress(r, page, resealed, now_ns, err) : status;
}

static pa_status seal_some(struct rotation *r, int64_t done_to, int64_t now_ns, pa_error *err)
{
	struct page *page = ARENA_NEW(r->arena, struct page);
	pa_status status = PA_OK;

	page->last = done_to;
	for (int i = 0; i < BATCHES_A_STEP && status == PA_OK && !page->is_last; i++)
		status = seal_page(r, now_ns, page, err);
	return status;
}

static pa_status seal_if_mine(struct rotation *r, int64_t done_to, int64_t now_ns, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = params_of(r, SQL_ROTATION_IS_MINE);
	pa_status status;

	db_bind_int64(params, r->node);
	status = run(r, params, &result, err);
	if (status != PA_OK || !db_bool(result, 0, 0))
		return status;
	if (!r->is_fenced)
		return fence_off(r, err);
	return seal_some(r, done_to, now_ns, err);
}

/* ---- each second ---- */

static void tell_over(struct rotation *r)
{
	r->state = ROTATION_NONE;
	if (!r->is_told)
		log_notice(LOG_NO_IDS, "everything is sealed under the new master key: the old one "
				       "can go (proaltoctl keys rotate --finish)");
	r->is_told = true;
}

pa_status rotation_step(struct rotation *r, int64_t now_ns, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	size_t count;
	const struct master *newest = keyring_masters(r->ring, &count);
	pa_status status;

	status = list(r, &rows, err);
	if (status == PA_OK && !db_rows(rows))
		return error_set(err, PA_REJECTED, "the store has lost its master keys");
	if (status == PA_OK)
		status = follow(r, rows, err);
	if (status != PA_OK || count == 1 || r->is_told)
		return status;
	if (is_over(r, rows)) {
		tell_over(r);
		return PA_OK;
	}
	r->state = r->is_fenced ? ROTATION_SEALING : ROTATION_WAITING;
	return keyring_in_force(r->ring) == newest
		       ? seal_if_mine(r, db_int64(rows, 0, DONE_TO), now_ns, err)
		       : offer_newest(r, now_ns, err);
}
