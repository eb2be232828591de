/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/store_parts.h"

#include "queue/ids.h"

#include <stdlib.h>
#include <string.h>

#define MAX_EVIDENCE ((size_t)1 << 20)

void range_add(struct range *range, int64_t at_ns)
{
	if (!range->first || at_ns < range->first)
		range->first = at_ns;
	if (at_ns > range->last)
		range->last = at_ns;
}

void commit_note(struct commit *c, enum evidence_kind kind, int64_t id, int64_t detail,
		 pa_str sealed)
{
	evidence_add(&c->evidence, &(struct evidence){.kind = kind,
						      .id = id,
						      .at_ns = c->now_ns,
						      .detail = detail,
						      .sealed = sealed});
	c->entries++;
}

struct item *const *commit_sorted(struct commit *c, enum item_kind kind,
				  int (*compare)(const void *, const void *))
{
	size_t count = c->batch->count[kind];
	struct item **sorted = ARENA_ARRAY(c->arena, struct item *, count);

	if (count) {
		memcpy(sorted, c->batch->items[kind], count * sizeof(*sorted));
		qsort(sorted, count, sizeof(*sorted), compare);
	}
	return sorted;
}

pa_status commit_send(struct commit *c, struct db_params *params, enum sql statement, pa_error *err)
{
	assert(c->sent_count < STORE_STATEMENTS_MAX);
	c->sent[c->sent_count++] = statement;
	return db_send(c->store->db, params, err);
}

static pa_status send_evidence(struct commit *c, pa_error *err)
{
	struct db_params *params = db_params_new(c->arena, SQL_EVIDENCE_INSERT);

	if (!c->entries)
		return PA_OK;
	if (c->evidence.is_over)
		return error_set(err, PA_BUG, "the evidence of one commit is too large");
	db_bind_int64(params, c->evidence_id);
	db_bind_time(params, c->now_ns);
	db_bind_int64(params, c->store->node);
	db_bind_int32(params, c->entries);
	db_bind_bytes(params, buf_str(&c->evidence));
	return commit_send(c, params, SQL_EVIDENCE_INSERT, err);
}

static pa_status send_all(struct commit *c, pa_error *err)
{
	static pa_status (*const stages[])(struct commit *, pa_error *) = {
		store_send_events,      store_send_receipts, store_send_turns,
		store_send_attempts,    store_send_outcomes, store_send_external,
		store_send_undelivered, send_evidence,
	};
	pa_status status = db_send(c->store->db, db_params_new(c->arena, SQL_BEGIN), err);

	for (size_t i = 0; i < ARRAY_COUNT(stages) && status == PA_OK; i++)
		status = stages[i](c, err);
	if (status == PA_OK)
		status = db_send(c->store->db, db_params_new(c->arena, SQL_COMMIT), err);
	if (status == PA_OK)
		status = db_pipeline_sync(c->store->db, err);
	return status;
}

/* ---- results ---- */

static void keep_accepted(struct commit *c, const struct db_result *result, struct stored *ret)
{
	size_t count = db_rows(result);
	struct accepted *accepted = ARENA_ARRAY(c->arena, struct accepted, count);

	for (size_t i = 0; i < count; i++) {
		accepted[i].id = db_int64(result, i, 0);
		accepted[i].owner = db_is_null(result, i, 1) ? 0 : db_int64(result, i, 1);
		accepted[i].epoch = db_is_null(result, i, 2) ? 0 : db_int64(result, i, 2);
		accepted[i].state = arena_copy(c->arena, db_str(result, i, 3));
		accepted[i].strays = db_is_null(result, i, 4) ? 0 : db_int64(result, i, 4);
	}
	ret->accepted = accepted;
	ret->accepted_count = count;
}

static void keep_receipted(struct commit *c, const struct db_result *result, struct stored *ret)
{
	size_t count = db_rows(result);
	struct receipted *receipted = ARENA_ARRAY(c->arena, struct receipted, count);

	for (size_t i = 0; i < count; i++) {
		receipted[i].outbox_id = db_int64(result, i, 0);
		receipted[i].conversation = db_int64(result, i, 1);
	}
	ret->receipted = receipted;
	ret->receipted_count = count;
}

static void keep_attempted(struct commit *c, const struct db_result *result, struct stored *ret)
{
	size_t count = db_rows(result);
	int64_t *attempted = ARENA_ARRAY(c->arena, int64_t, count);
	int16_t *foreign = ARENA_ARRAY(c->arena, int16_t, count);

	for (size_t i = 0; i < count; i++)
		if (db_is_null(result, i, 0))
			foreign[ret->foreign_count++] = (int16_t)db_int64(result, i, 1);
		else
			attempted[ret->attempted_count++] = db_int64(result, i, 0);
	ret->attempted = attempted;
	ret->foreign = foreign;
}

static pa_status receive_one(struct commit *c, enum sql statement, struct stored *ret,
			     pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	pa_status status = db_receive(c->store->db, &result, err);

	if (status != PA_OK)
		return status;
	if (statement == SQL_INBOX_INSERT)
		keep_accepted(c, result, ret);
	else if (statement == SQL_RECEIPT_INSERT)
		keep_receipted(c, result, ret);
	else if (statement == SQL_ATTEMPT_BEGIN)
		keep_attempted(c, result, ret);
	return PA_OK;
}

/* Reads every answer, whatever failed, and keeps the first failure. */
static pa_status receive_all(struct commit *c, struct stored *ret, pa_error *err)
{
	pa_status first = receive_one(c, SQL_BEGIN, ret, err);
	pa_error later = ERROR_INIT;

	for (size_t i = 0; i < c->sent_count + 1; i++) {
		enum sql statement = i < c->sent_count ? c->sent[i] : SQL_COMMIT;
		pa_status status = receive_one(c, statement, ret, first == PA_OK ? err : &later);

		if (first == PA_OK)
			first = status;
	}
	return first;
}

pa_status store_commit(struct store *store, const struct batch *batch, int64_t now_ns,
		       struct arena *arena, struct stored *ret, pa_error *err)
{
	struct commit commit = {.store = store,
				.batch = batch,
				.arena = arena,
				.now_ns = now_ns,
				.evidence_id = ids_next(),
				.evidence = BUF_INIT(MAX_EVIDENCE)};
	pa_error end = ERROR_INIT;
	pa_status status;

	*ret = (struct stored){0};
	if (!commit.evidence_id)
		return error_set(err, PA_RETRY, "no ids left");
	status = db_pipeline_begin(store->db, err);
	if (status == PA_OK)
		status = send_all(&commit, err);
	if (status == PA_OK)
		status = receive_all(&commit, ret, err);
	buf_done(&commit.evidence);
	if (db_pipeline_end(store->db, &end) != PA_OK && status == PA_OK) {
		*err = end;
		status = PA_RETRY;
	}
	return status;
}

pa_status store_resolve(struct store *store, struct item *const *turns, size_t count,
			struct arena *arena, bool *is_committed, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	int64_t *ids = ARENA_ARRAY(arena, int64_t, count);
	struct db_params *params = db_params_new(arena, SQL_TURN_EPOCHS);
	pa_status status;

	for (size_t i = 0; i < count; i++)
		ids[i] = ((struct turn_item *)(void *)turns[i])->conversation_id;
	db_bind_int64_array(params, ids, count);
	status = db_run(store->db, params, &result, err);
	for (size_t row = 0; status == PA_OK && row < db_rows(result); row++)
		for (size_t i = 0; i < count; i++)
			if (ids[i] == db_int64(result, row, 0))
				is_committed[i] =
					!db_is_null(result, row, 1) &&
					db_int64(result, row, 1) == store->node &&
					db_int64(result, row, 2) ==
						((struct turn_item *)(void *)turns[i])->epoch + 1;
	return status;
}

const struct accepted *stored_accepted(const struct stored *stored, int64_t id)
{
	for (size_t i = 0; i < stored->accepted_count; i++)
		if (stored->accepted[i].id == id)
			return &stored->accepted[i];
	return NULL;
}

const struct receipted *stored_receipted(const struct stored *stored, int64_t outbox_id)
{
	for (size_t i = 0; i < stored->receipted_count; i++)
		if (stored->receipted[i].outbox_id == outbox_id)
			return &stored->receipted[i];
	return NULL;
}

bool stored_may_go(const struct stored *stored, int64_t outbox_id)
{
	for (size_t i = 0; i < stored->attempted_count; i++)
		if (stored->attempted[i] == outbox_id)
			return true;
	return false;
}
