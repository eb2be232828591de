/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/store_parts.h"

static struct event_item *event_at(const struct batch *batch, size_t i)
{
	return (struct event_item *)(void *)batch->items[ITEM_EVENT][i];
}

/* Among the addresses to be stored. The same one of two contacts is the store's to refuse. */
static bool is_listed(const pa_str *tags, const int64_t *owners, size_t count, int64_t owner,
		      pa_str tag)
{
	for (size_t i = 0; i < count; i++)
		if (owners[i] == owner && str_equal(tags[i], tag))
			return true;
	return false;
}

static pa_status send_contacts(struct commit *c, size_t count, pa_error *err)
{
	int64_t *ids = ARENA_ARRAY(c->arena, int64_t, count);
	pa_str *keys = ARENA_ARRAY(c->arena, pa_str, count);
	pa_str *who = ARENA_ARRAY(c->arena, pa_str, count);
	int64_t *owners = ARENA_ARRAY(c->arena, int64_t, count * MAX_ADDRESSES);
	pa_str *tags = ARENA_ARRAY(c->arena, pa_str, count * MAX_ADDRESSES);
	const struct master *master = keyring_in_force(c->store->ring);
	size_t contacts = 0, addresses = 0;
	struct db_params *params;
	pa_status status;

	for (size_t i = 0; i < c->batch->count[ITEM_EVENT]; i++) {
		struct event_item *event = event_at(c->batch, i);
		size_t at = 0;

		if (!event->tags_count)
			continue;
		/* Of one contact the last event knows the most. */
		while (at < contacts && ids[at] != event->contact->id)
			at++;
		contacts += at == contacts;
		ids[at] = event->contact->id;
		keys[at] = contact_seal_key(event->contact, master, c->arena);
		who[at] = contact_seal_who(event->contact, c->arena);
		for (size_t k = 0; k < event->tags_count; k++) {
			if (is_listed(tags, owners, addresses, ids[at], event->tags[k]))
				continue;
			owners[addresses] = event->contact->id;
			tags[addresses++] = event->tags[k];
		}
	}
	params = db_params_new(c->arena, SQL_CONTACT_INSERT);
	db_bind_int64_array(params, ids, contacts);
	db_bind_time(params, c->now_ns);
	db_bind_bytes_array(params, keys, contacts);
	db_bind_bytes_array(params, who, contacts);
	db_bind_bytes(params, master_id(master));
	db_bind_int64(params, (int64_t)contacts);
	status = commit_send(c, params, SQL_CONTACT_INSERT, err);
	if (status != PA_OK)
		return status;
	params = db_params_new(c->arena, SQL_ADDRESS_INSERT);
	db_bind_bytes_array(params, tags, addresses);
	db_bind_int64_array(params, owners, addresses);
	db_bind_int64(params, (int64_t)addresses);
	return commit_send(c, params, SQL_ADDRESS_INSERT, err);
}

static pa_status send_inbox(struct commit *c, size_t count, pa_error *err)
{
	pa_str *keys = ARENA_ARRAY(c->arena, pa_str, count);
	int64_t *ids = ARENA_ARRAY(c->arena, int64_t, count);
	int64_t *conversations = ARENA_ARRAY(c->arena, int64_t, count);
	int16_t *channels = ARENA_ARRAY(c->arena, int16_t, count);
	int16_t *kinds = ARENA_ARRAY(c->arena, int16_t, count);
	int64_t *body_of = ARENA_ARRAY(c->arena, int64_t, count);
	pa_str *payloads = ARENA_ARRAY(c->arena, pa_str, count);
	pa_str *bodies = ARENA_ARRAY(c->arena, pa_str, count);
	bool *is_work = ARENA_ARRAY(c->arena, bool, count);
	int64_t *happened = ARENA_ARRAY(c->arena, int64_t, count);
	struct db_params *params = db_params_new(c->arena, SQL_INBOX_INSERT);

	for (size_t i = 0; i < count; i++) {
		struct event_item *event = event_at(c->batch, i);

		keys[i] = (pa_str){event->key, event->key_len};
		ids[i] = event->id;
		conversations[i] = event->conversation;
		channels[i] = event->post->channel->number;
		kinds[i] = event->kind;
		body_of[i] = event->body_of;
		payloads[i] = event->payload;
		bodies[i] = event->body;
		is_work[i] = event->is_work;
		happened[i] = event->happened_ns;
		commit_note(c, EVIDENCE_RECEIVED, event->id, event->kind, event->payload);
	}
	db_bind_bytes_array(params, keys, count);
	db_bind_int64_array(params, ids, count);
	db_bind_int64_array(params, conversations, count);
	db_bind_int16_array(params, channels, count);
	db_bind_int16_array(params, kinds, count);
	db_bind_int64_array(params, body_of, count);
	db_bind_bytes_array(params, payloads, count);
	db_bind_bytes_array(params, bodies, count);
	db_bind_time(params, c->now_ns);
	db_bind_int64(params, c->store->node);
	db_bind_bool_array(params, is_work, count);
	db_bind_time_array(params, happened, count);
	return commit_send(c, params, SQL_INBOX_INSERT, err);
}

pa_status store_send_events(struct commit *c, pa_error *err)
{
	size_t count = c->batch->count[ITEM_EVENT];
	size_t strangers = 0;
	pa_status status = PA_OK;

	for (size_t i = 0; i < count; i++)
		strangers += event_at(c->batch, i)->tags_count > 0;
	if (strangers)
		status = send_contacts(c, strangers, err);
	return status == PA_OK && count ? send_inbox(c, count, err) : status;
}

static int by_message(const void *a, const void *b)
{
	const struct receipt_item *x = *(const struct receipt_item *const *)a;
	const struct receipt_item *y = *(const struct receipt_item *const *)b;

	return (x->outbox_id > y->outbox_id) - (x->outbox_id < y->outbox_id);
}

pa_status store_send_receipts(struct commit *c, pa_error *err)
{
	static const int16_t bits[] = {[PA_STATUS_SENT] = 1,
				       [PA_STATUS_DELIVERED] = 2,
				       [PA_STATUS_READ] = 4,
				       [PA_STATUS_PLAYED] = 8,
				       [PA_STATUS_FAILED] = 16};
	struct item *const *sorted = commit_sorted(c, ITEM_RECEIPT, by_message);
	size_t room = c->batch->count[ITEM_RECEIPT], count = 0;
	int64_t *outboxes = ARENA_ARRAY(c->arena, int64_t, room);
	int16_t *status_bits = ARENA_ARRAY(c->arena, int16_t, room);
	int64_t *ids = ARENA_ARRAY(c->arena, int64_t, room);
	int16_t *statuses = ARENA_ARRAY(c->arena, int16_t, room);
	int64_t *times = ARENA_ARRAY(c->arena, int64_t, room);
	int64_t *codes = ARENA_ARRAY(c->arena, int64_t, room);
	pa_str *payloads = ARENA_ARRAY(c->arena, pa_str, room);
	pa_str *bodies = ARENA_ARRAY(c->arena, pa_str, room);
	struct db_params *params = db_params_new(c->arena, SQL_RECEIPT_INSERT);
	struct range range = {0};

	for (size_t i = 0; i < room; i++) {
		struct receipt_item *receipt = (struct receipt_item *)(void *)sorted[i];

		if (!receipt->outbox_id) /* store_send_external() */
			continue;
		outboxes[count] = receipt->outbox_id;
		status_bits[count] = bits[receipt->status];
		ids[count] = receipt->id;
		statuses[count] = (int16_t)receipt->status;
		times[count] = receipt->provider_at_ns;
		codes[count] = receipt->code;
		payloads[count] = receipt->payload;
		bodies[count++] = receipt->body;
		range_add(&range, receipt->outbox_at_ns);
		commit_note(c, EVIDENCE_RECEIPT, receipt->id, receipt->status, receipt->payload);
	}
	if (!count)
		return PA_OK;
	db_bind_int64_array(params, outboxes, count);
	db_bind_int16_array(params, status_bits, count);
	db_bind_int64_array(params, ids, count);
	db_bind_int16_array(params, statuses, count);
	db_bind_time_array(params, times, count);
	db_bind_int64_array(params, codes, count);
	db_bind_bytes_array(params, payloads, count);
	db_bind_bytes_array(params, bodies, count);
	db_bind_time(params, c->now_ns);
	db_bind_time(params, range.first);
	db_bind_time(params, range.last);
	return commit_send(c, params, SQL_RECEIPT_INSERT, err);
}
