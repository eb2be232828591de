/* SPDX-License-Identifier: Apache-2.0
 *
 * Beside the way of most messages: receipts that name theirs by the provider's id, and failures
 * that a conversation wants to hear of. A commit that has none of either sends nothing here.
 */
#include "queue/store_parts.h"

#include "base/err.h"
#include "queue/ids.h"

static const struct receipt_item *receipt_at(const struct batch *batch, size_t i)
{
	return (const struct receipt_item *)(const void *)batch->items[ITEM_RECEIPT][i];
}

static const struct outcome_item *outcome_at(const struct batch *batch, size_t i)
{
	return (const struct outcome_item *)(const void *)batch->items[ITEM_OUTCOME][i];
}

static pa_str tag_of(const uint8_t *tag)
{
	return (pa_str){(const char *)tag, TAG_BYTES};
}

/* Tags by which receipts and messages of a commit are looked for. */
struct tags {
	pa_str *list;
	size_t count;
};

static struct tags tags_new(struct commit *c)
{
	size_t room = c->batch->count[ITEM_RECEIPT] + c->batch->count[ITEM_OUTCOME];

	return (struct tags){.list = ARENA_ARRAY(c->arena, pa_str, room)};
}

static void tags_add(struct tags *tags, const uint8_t *tag)
{
	tags->list[tags->count++] = tag_of(tag);
}

static pa_status send_early_receipts(struct commit *c, struct tags *tags, pa_error *err)
{
	size_t room = c->batch->count[ITEM_RECEIPT], count = 0;
	pa_str *names = ARENA_ARRAY(c->arena, pa_str, room);
	int64_t *ids = ARENA_ARRAY(c->arena, int64_t, room);
	int16_t *statuses = ARENA_ARRAY(c->arena, int16_t, room);
	int64_t *times = ARENA_ARRAY(c->arena, int64_t, room);
	int64_t *codes = ARENA_ARRAY(c->arena, int64_t, room);
	pa_str *payloads = ARENA_ARRAY(c->arena, pa_str, room);
	pa_str *bodies = ARENA_ARRAY(c->arena, pa_str, room);
	struct db_params *params;

	for (size_t i = 0; i < room; i++) {
		const struct receipt_item *receipt = receipt_at(c->batch, i);

		if (receipt->outbox_id)
			continue;
		tags_add(tags, receipt->external_tag);
		names[count] = tag_of(receipt->external_tag);
		ids[count] = receipt->id;
		statuses[count] = (int16_t)receipt->status;
		times[count] = receipt->provider_at_ns;
		codes[count] = receipt->code;
		payloads[count] = receipt->payload;
		bodies[count++] = receipt->body;
		commit_note(c, EVIDENCE_RECEIPT, receipt->id, receipt->status, receipt->payload);
	}
	if (!count)
		return PA_OK;
	params = db_params_new(c->arena, SQL_EARLY_RECEIPT_INSERT);
	db_bind_bytes_array(params, names, count);
	db_bind_int64_array(params, ids, count);
	db_bind_int16_array(params, statuses, count);
	db_bind_time_array(params, times, count);
	db_bind_int64_array(params, codes, count);
	db_bind_bytes_array(params, payloads, count);
	db_bind_bytes_array(params, bodies, count);
	db_bind_time(params, c->now_ns);
	return commit_send(c, params, SQL_EARLY_RECEIPT_INSERT, err);
}

static pa_status send_external_ids(struct commit *c, struct tags *tags, pa_error *err)
{
	size_t room = c->batch->count[ITEM_OUTCOME], count = 0;
	pa_str *names = ARENA_ARRAY(c->arena, pa_str, room);
	int64_t *ids = ARENA_ARRAY(c->arena, int64_t, room);
	int64_t *times = ARENA_ARRAY(c->arena, int64_t, room);
	struct db_params *params;

	for (size_t i = 0; i < room; i++) {
		const struct outbound *o = outcome_at(c->batch, i)->outbound;

		if (!o->has_external_tag)
			continue;
		tags_add(tags, o->external_tag);
		names[count] = tag_of(o->external_tag);
		ids[count] = o->id;
		times[count++] = o->at_ns;
	}
	if (!count)
		return PA_OK;
	params = db_params_new(c->arena, SQL_EXTERNAL_ID_INSERT);
	db_bind_bytes_array(params, names, count);
	db_bind_int64_array(params, ids, count);
	db_bind_time_array(params, times, count);
	db_bind_time(params, c->now_ns);
	return commit_send(c, params, SQL_EXTERNAL_ID_INSERT, err);
}

pa_status store_send_external(struct commit *c, pa_error *err)
{
	struct tags tags = tags_new(c);
	struct db_params *params;
	pa_status status = send_early_receipts(c, &tags, err);

	if (status == PA_OK)
		status = send_external_ids(c, &tags, err);
	if (status != PA_OK || !tags.count)
		return status;
	params = db_params_new(c->arena, SQL_EARLY_RECEIPT_MATCH);
	db_bind_bytes_array(params, tags.list, tags.count);
	db_bind_time(params, c->now_ns);
	return commit_send(c, params, SQL_EARLY_RECEIPT_MATCH, err);
}

/* ---- failures ---- */

/* Messages of which a commit says that they failed, or may bring to light that they had. */
struct failed {
	int64_t *ids;
	int64_t *times;
	size_t count;
	struct tags tags;
};

static void add_failed(struct failed *failed, int64_t id, int64_t at_ns)
{
	failed->ids[failed->count] = id;
	failed->times[failed->count++] = at_ns;
}

static struct failed find_failed(struct commit *c)
{
	size_t room = c->batch->count[ITEM_RECEIPT] + c->batch->count[ITEM_OUTCOME];
	struct failed failed = {.ids = ARENA_ARRAY(c->arena, int64_t, room),
				.times = ARENA_ARRAY(c->arena, int64_t, room),
				.tags = tags_new(c)};

	for (size_t i = 0; i < c->batch->count[ITEM_RECEIPT]; i++) {
		const struct receipt_item *receipt = receipt_at(c->batch, i);

		if (receipt->status != PA_STATUS_FAILED)
			continue;
		if (receipt->outbox_id)
			add_failed(&failed, receipt->outbox_id, receipt->outbox_at_ns);
		else
			tags_add(&failed.tags, receipt->external_tag);
	}
	for (size_t i = 0; i < c->batch->count[ITEM_OUTCOME]; i++) {
		const struct outcome_item *outcome = outcome_at(c->batch, i);

		if (outcome->outbound->has_external_tag) /* a receipt may have been there before */
			tags_add(&failed.tags, outcome->outbound->external_tag);
		else if (outcome->state == OUTBOX_FAILED || outcome->state == OUTBOX_REFUSED)
			add_failed(&failed, outcome->outbound->id, outcome->outbound->at_ns);
	}
	return failed;
}

pa_status store_send_undelivered(struct commit *c, pa_error *err)
{
	struct failed failed = find_failed(c);
	struct db_params *params;
	int64_t first;

	if (!failed.count && !failed.tags.count)
		return PA_OK;
	first = ids_next_run((int64_t)(failed.count + failed.tags.count));
	if (!first)
		return error_set(err, PA_RETRY, "no ids left");
	params = db_params_new(c->arena, SQL_UNDELIVERED_TELL);
	db_bind_int64_array(params, failed.ids, failed.count);
	db_bind_time_array(params, failed.times, failed.count);
	db_bind_bytes_array(params, failed.tags.list, failed.tags.count);
	db_bind_int64(params, first);
	db_bind_time(params, c->now_ns);
	return commit_send(c, params, SQL_UNDELIVERED_TELL, err);
}
