/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/lanes.h"

#include "queue/dispatch.h"

#include <stdlib.h>

static struct lane **bucket_of(struct lanes *lanes, int64_t conversation)
{
	uint64_t hash = (uint64_t)conversation * UINT64_C(0x9e3779b97f4a7c15);

	return &lanes->buckets[hash >> 32 & (LANE_BUCKETS - 1)];
}

struct lane *lanes_find(struct lanes *lanes, int64_t conversation, const struct channel *channel)
{
	struct lane *lane = *bucket_of(lanes, conversation);

	while (lane && (lane->conversation != conversation || lane->channel != channel))
		lane = lane->hash_next;
	return lane;
}

struct lane *lanes_get(struct lanes *lanes, int64_t conversation, struct channel *channel)
{
	struct lane *lane = lanes_find(lanes, conversation, channel);
	struct lane **bucket = bucket_of(lanes, conversation);

	if (lane)
		return lane;
	lane = calloc(1, sizeof(*lane));
	if (!lane)
		abort();
	lane->conversation = conversation;
	lane->channel = channel;
	lane->last = &lane->first;
	lane->hash_next = *bucket;
	*bucket = lane;
	lanes->count++;
	return lane;
}

static bool is_older(const struct outbound *a, const struct outbound *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->id < b->id;
}

void lanes_insert(struct lane *lane, struct outbound *outbound)
{
	struct outbound **at = &lane->first;

	while (*at && ((*at)->is_out || (*at)->is_next || !is_older(outbound, *at)))
		at = &(*at)->next;
	outbound->next = *at;
	*at = outbound;
	if (!outbound->next)
		lane->last = &outbound->next;
}

struct outbound *lanes_message(const struct lane *lane, int64_t outbox_id)
{
	struct outbound *o = lane->first;

	while (o && o->id != outbox_id)
		o = o->next;
	return o;
}

static bool is_under_way(const struct lane *lane)
{
	const struct outbound *o = lane->first;

	return lane->is_reserved || (o && (o->is_out || o->is_next));
}

size_t lanes_under_way(const struct lanes *lanes)
{
	size_t count = 0;

	for (size_t i = 0; i < LANE_BUCKETS; i++)
		for (const struct lane *lane = lanes->buckets[i]; lane; lane = lane->hash_next)
			count += is_under_way(lane);
	return count;
}

struct outbound *lanes_pop(struct lane *lane)
{
	struct outbound *outbound = lane->first;

	if (!outbound)
		return NULL;
	lane->first = outbound->next;
	if (!lane->first)
		lane->last = &lane->first;
	outbound->next = NULL;
	return outbound;
}

void lanes_remove(struct lane *lane, const struct outbound *outbound)
{
	struct outbound **at = &lane->first;

	while (*at != outbound)
		at = &(*at)->next;
	*at = outbound->next;
	if (!*at)
		lane->last = at;
}

void lanes_tidy(struct lanes *lanes, struct lane *lane)
{
	struct lane **at = bucket_of(lanes, lane->conversation);

	if (lane->first || lane->coming || lane->is_reserved || lane->due_ns)
		return;
	while (*at != lane)
		at = &(*at)->hash_next;
	*at = lane->hash_next;
	lanes->count--;
	free(lane);
}

/* ---- the heap ---- */

static void place(struct lanes *lanes, struct lane *lane, size_t at)
{
	lanes->heap[at] = lane;
	lane->heap_at = at;
}

static void sift_up(struct lanes *lanes, size_t at)
{
	struct lane *lane = lanes->heap[at];

	while (at > 0 && lanes->heap[(at - 1) / 2]->due_ns > lane->due_ns) {
		place(lanes, lanes->heap[(at - 1) / 2], at);
		at = (at - 1) / 2;
	}
	place(lanes, lane, at);
}

static void sift_down(struct lanes *lanes, size_t at)
{
	struct lane *lane = lanes->heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= lanes->heap_count)
			break;
		if (child + 1 < lanes->heap_count &&
		    lanes->heap[child + 1]->due_ns < lanes->heap[child]->due_ns)
			child++;
		if (lanes->heap[child]->due_ns >= lane->due_ns)
			break;
		place(lanes, lanes->heap[child], at);
		at = child;
	}
	place(lanes, lane, at);
}

static void heap_remove(struct lanes *lanes, struct lane *lane)
{
	size_t at = lane->heap_at;
	struct lane *last = lanes->heap[--lanes->heap_count];

	lane->due_ns = 0;
	if (last == lane)
		return;
	place(lanes, last, at);
	sift_up(lanes, at);
	sift_down(lanes, last->heap_at);
}

static void heap_add(struct lanes *lanes, struct lane *lane)
{
	if (lanes->heap_count == lanes->heap_room) {
		lanes->heap_room = lanes->heap_room ? lanes->heap_room * 2 : 64;
		lanes->heap = realloc(lanes->heap, lanes->heap_room * sizeof(struct lane *));
		if (!lanes->heap)
			abort();
	}
	place(lanes, lane, lanes->heap_count++);
	sift_up(lanes, lane->heap_at);
}

void lanes_delay(struct lanes *lanes, struct lane *lane, int64_t due_ns)
{
	if (lane->due_ns)
		heap_remove(lanes, lane);
	lane->due_ns = due_ns;
	if (due_ns)
		heap_add(lanes, lane);
}

void lanes_wake(struct lanes *lanes)
{
	for (size_t i = 0; i < LANE_BUCKETS; i++)
		for (struct lane *lane = lanes->buckets[i]; lane; lane = lane->hash_next)
			if (lane->first && !lane->due_ns)
				lanes_delay(lanes, lane, 1);
}

void lanes_hurry(struct lanes *lanes, const struct channel *channel)
{
	for (size_t i = 0; i < LANE_BUCKETS; i++)
		for (struct lane *lane = lanes->buckets[i]; lane; lane = lane->hash_next)
			if (lane->channel == channel && lane->due_ns && !lane->file_id)
				lanes_delay(lanes, lane, 1);
}

static void forget_waiting(struct lanes *lanes, struct lane *lane)
{
	struct outbound **at = &lane->first;

	while (*at) {
		struct outbound *outbound = *at;

		if (outbound->is_out) {
			at = &outbound->next;
			continue;
		}
		*at = outbound->next;
		outbound_free(outbound);
	}
	lane->last = at;
	lane->file_id = 0;
	lanes_delay(lanes, lane, 0);
	lanes_tidy(lanes, lane);
}

void lanes_forget(struct lanes *lanes, const struct channel *channel)
{
	for (size_t i = 0; i < LANE_BUCKETS; i++) {
		for (struct lane *lane = lanes->buckets[i], *next; lane; lane = next) {
			next = lane->hash_next;
			if (lane->channel == channel)
				forget_waiting(lanes, lane);
		}
	}
}

struct lane *lanes_due(struct lanes *lanes, int64_t now_ns)
{
	struct lane *lane = lanes->heap_count ? lanes->heap[0] : NULL;

	if (!lane || lane->due_ns > now_ns)
		return NULL;
	heap_remove(lanes, lane);
	return lane;
}

int64_t lanes_next_due(const struct lanes *lanes)
{
	return lanes->heap_count ? lanes->heap[0]->due_ns : INT64_MAX;
}

void lanes_done(struct lanes *lanes)
{
	for (size_t i = 0; i < LANE_BUCKETS; i++) {
		while (lanes->buckets[i]) {
			struct lane *lane = lanes->buckets[i];
			struct outbound *outbound;

			lanes->buckets[i] = lane->hash_next;
			while ((outbound = lanes_pop(lane)))
				outbound_free(outbound);
			free(lane);
		}
	}
	free(lanes->heap);
}
