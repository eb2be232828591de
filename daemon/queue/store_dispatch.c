/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/store_parts.h"

static struct outbound *attempt_at(const struct batch *batch, size_t i)
{
	return ((struct attempt_item *)(void *)batch->items[ITEM_ATTEMPT][i])->outbound;
}

static struct outcome_item *outcome_at(const struct batch *batch, size_t i)
{
	return (struct outcome_item *)(void *)batch->items[ITEM_OUTCOME][i];
}

pa_status store_send_attempts(struct commit *c, pa_error *err)
{
	size_t count = c->batch->count[ITEM_ATTEMPT];
	int64_t *ids = ARENA_ARRAY(c->arena, int64_t, count);
	int16_t *numbers = ARENA_ARRAY(c->arena, int16_t, count);
	pa_str *gates = ARENA_ARRAY(c->arena, pa_str, count);
	struct db_params *params = db_params_new(c->arena, SQL_ATTEMPT_BEGIN);
	struct range range = {0};

	if (!count)
		return PA_OK;
	for (size_t i = 0; i < count; i++) {
		struct outbound *outbound = attempt_at(c->batch, i);

		ids[i] = outbound->id;
		numbers[i] = outbound->tries;
		gates[i] = str_from("send");
		range_add(&range, outbound->at_ns);
		commit_note(c, EVIDENCE_ATTEMPT, outbound->id, outbound->tries, PA_STR_ABSENT);
	}
	db_bind_int64_array(params, ids, count);
	db_bind_int16_array(params, numbers, count);
	db_bind_time(params, c->now_ns);
	db_bind_text_array(params, gates, count);
	db_bind_time(params, range.first);
	db_bind_time(params, range.last);
	db_bind_int64(params, c->store->node);
	return commit_send(c, params, SQL_ATTEMPT_BEGIN, err);
}

static pa_status send_attempt_ends(struct commit *c, size_t count, pa_error *err)
{
	int64_t *ids = ARENA_ARRAY(c->arena, int64_t, count);
	int16_t *numbers = ARENA_ARRAY(c->arena, int16_t, count);
	int16_t *results = ARENA_ARRAY(c->arena, int16_t, count);
	int64_t *codes = ARENA_ARRAY(c->arena, int64_t, count);
	pa_str *reasons = ARENA_ARRAY(c->arena, pa_str, count);
	struct db_params *params = db_params_new(c->arena, SQL_ATTEMPT_FINISH);
	size_t at = 0;

	for (size_t i = 0; i < c->batch->count[ITEM_OUTCOME]; i++) {
		struct outcome_item *outcome = outcome_at(c->batch, i);

		if (outcome->outbound->tries < 2)
			continue;
		ids[at] = outcome->outbound->id;
		numbers[at] = outcome->outbound->tries;
		results[at] = (int16_t)outcome->result;
		codes[at] = outcome->code;
		reasons[at++] = outcome->reason;
	}
	db_bind_int64_array(params, ids, at);
	db_bind_int16_array(params, numbers, at);
	db_bind_time(params, c->now_ns);
	db_bind_int16_array(params, results, at);
	db_bind_int64_array(params, codes, at);
	db_bind_text_array(params, reasons, at);
	return commit_send(c, params, SQL_ATTEMPT_FINISH, err);
}

static int by_message(const void *a, const void *b)
{
	int64_t x = (*(const struct outcome_item *const *)a)->outbound->id;
	int64_t y = (*(const struct outcome_item *const *)b)->outbound->id;

	return (x > y) - (x < y);
}

pa_status store_send_outcomes(struct commit *c, pa_error *err)
{
	struct item *const *sorted = commit_sorted(c, ITEM_OUTCOME, by_message);
	size_t count = c->batch->count[ITEM_OUTCOME];
	int64_t *ids = ARENA_ARRAY(c->arena, int64_t, count);
	int16_t *states = ARENA_ARRAY(c->arena, int16_t, count);
	bool *open = ARENA_ARRAY(c->arena, bool, count);
	pa_str *externals = ARENA_ARRAY(c->arena, pa_str, count);
	int64_t *codes = ARENA_ARRAY(c->arena, int64_t, count);
	pa_str *reasons = ARENA_ARRAY(c->arena, pa_str, count);
	pa_str *gates = ARENA_ARRAY(c->arena, pa_str, count);
	struct db_params *params = db_params_new(c->arena, SQL_OUTCOME_UPDATE);
	struct range range = {0};
	size_t later = 0;
	pa_status status;

	if (!count)
		return PA_OK;
	for (size_t i = 0; i < count; i++) {
		struct outcome_item *outcome = (struct outcome_item *)(void *)sorted[i];

		ids[i] = outcome->outbound->id;
		states[i] = (int16_t)outcome->state;
		open[i] = outcome->is_open;
		externals[i] = outcome->external;
		codes[i] = outcome->code;
		reasons[i] = outcome->reason;
		gates[i] = outcome->gate;
		range_add(&range, outcome->outbound->at_ns);
		later += outcome->outbound->tries > 1;
		commit_note(c, EVIDENCE_OUTCOME, ids[i], states[i], outcome->external);
	}
	db_bind_int64_array(params, ids, count);
	db_bind_int16_array(params, states, count);
	db_bind_bool_array(params, open, count);
	db_bind_bytes_array(params, externals, count);
	db_bind_int64_array(params, codes, count);
	db_bind_text_array(params, reasons, count);
	db_bind_time(params, c->now_ns);
	db_bind_text_array(params, gates, count);
	db_bind_time(params, range.first);
	db_bind_time(params, range.last);
	status = commit_send(c, params, SQL_OUTCOME_UPDATE, err);
	return status == PA_OK && later ? send_attempt_ends(c, later, err) : status;
}
