/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/batch.h"

#include <string.h>

static bool same_event(const struct item *a, const struct item *b)
{
	const struct event_item *x = (const struct event_item *)(const void *)a;
	const struct event_item *y = (const struct event_item *)(const void *)b;

	assert(x && y);
	return x->key_len == y->key_len && memcmp(x->key, y->key, x->key_len) == 0;
}

static bool same_message(const struct item *a, const struct item *b)
{
	const struct receipt_item *x = (const struct receipt_item *)(const void *)a;
	const struct receipt_item *y = (const struct receipt_item *)(const void *)b;

	assert(x && y);
	return x->outbox_id == y->outbox_id &&
	       memcmp(x->external_tag, y->external_tag, TAG_BYTES) == 0;
}

bool batch_clashes(const struct batch *batch, const struct item *item)
{
	bool (*same)(const struct item *, const struct item *) =
		item->kind == ITEM_EVENT     ? same_event
		: item->kind == ITEM_RECEIPT ? same_message
					     : NULL;

	for (size_t i = 0; same && i < batch->count[item->kind]; i++)
		if (same(batch->items[item->kind][i], item))
			return true;
	return false;
}

static size_t bytes_of(const pa_str *list, size_t count)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += list[i].len;
	return bytes;
}

size_t batch_bytes(const struct item *item)
{
	const struct event_item *event = (const struct event_item *)(const void *)item;
	const struct receipt_item *receipt = (const struct receipt_item *)(const void *)item;
	const struct turn_item *turn = (const struct turn_item *)(const void *)item;

	if (item->kind == ITEM_EVENT)
		return event->payload.len + event->body.len;
	if (item->kind == ITEM_RECEIPT)
		return receipt->payload.len + receipt->body.len;
	if (item->kind != ITEM_TURN)
		return 0;
	return turn->sealed_state.len + bytes_of(turn->payloads, turn->outbounds_count) +
	       bytes_of(turn->job_payloads, turn->out.jobs_count);
}
