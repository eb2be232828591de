/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/keeper_parts.h"

#include "base/err.h"
#include "io/clock.h"
#include "io/log.h"
#include "queue/codec.h"
#include "queue/ids.h"
#include "queue/worker.h"

#define SWEEP_MAX 500
#define PAGE_CAP ((size_t)1 << 20)

/* A start is as good as a return: nobody saw what the core did meanwhile. */
pa_status keeper_tell_core_back(struct keeper *k, pa_error *err)
{
	struct db_params *params = keeper_params(k, SQL_TIMER_HASTEN);
	pa_status status;

	if (!atomic_exchange(&k->is_core_back, false))
		return PA_OK;
	db_bind_time(params, clock_now_ns());
	status = keeper_run(k, params, NULL, err);
	if (status != PA_OK)
		atomic_store(&k->is_core_back, true);
	return status;
}

pa_status keeper_fire_timers(struct keeper *k, pa_error *err)
{
	struct db_params *params = keeper_params(k, SQL_TIMER_FIRE);
	int64_t first = ids_next_run(SWEEP_MAX);

	if (!first)
		return PA_OK;
	db_bind_time(params, clock_now_ns());
	db_bind_int64(params, SWEEP_MAX);
	db_bind_int64(params, first);
	return keeper_run(k, params, NULL, err);
}

static bool is_suspect(const struct keeper *k, int64_t event)
{
	for (size_t i = 0; i < k->suspects_count; i++)
		if (k->suspects[i] == event)
			return true;
	return false;
}

/* A conversation just claimed, to which loaded events are added. */
static bool fill_claimed(struct keeper *k, const struct db_result *result, size_t row,
			 struct claimed *ret)
{
	ret->conversation = db_int64(result, row, 0);
	ret->epoch = db_int64(result, row, 1);
	ret->sealed_state = db_str(result, row, 2);
	ret->last_inbound_ns = db_time_ns(result, row, 5);
	ret->has_strays = db_int64(result, row, 6) > 0;
	ret->channel =
		channel_by_number(k->options.channels, conversation_channel(ret->conversation));
	if (!ret->channel)
		return false;
	if (contact_open(conversation_contact(ret->conversation), k->options.house,
			 db_str(result, row, 3), db_str(result, row, 4), &ret->contact) == PA_OK)
		return true;
	log_error(LOG_IDS(.conversation = ret->conversation), "a contact's key can't be opened");
	return false;
}

static void add_event(struct keeper *k, struct claimed *claimed, const struct db_result *events,
		      size_t row)
{
	int64_t id = db_int64(events, row, 0);
	int64_t kind = db_int64(events, row, 2);
	pa_str payload = db_str(events, row, 3), plain;

	claimed->is_alone = is_suspect(k, id);
	if (kind == INBOX_TIMER || kind == INBOX_UNDELIVERED) { /* a word of ours */
		struct buf packed PA_CLEANUP(buf_done) = BUF_INIT(1024);

		job_pack(&packed, payload, PA_STR_ABSENT);
		conversations_add(k->options.conversations, claimed,
				  kind == INBOX_TIMER ? TURN_TIMER : TURN_UNDELIVERED, id,
				  buf_str(&packed));
		return;
	}
	if (unseal(k->arena, &claimed->contact->key, PA_STR("inbox"), payload, &plain) != PA_OK) {
		keeper_set_aside(k, id, "it can't be opened");
		return;
	}
	conversations_add(k->options.conversations, claimed,
			  kind == INBOX_JOB ? TURN_JOB : TURN_CUSTOMER, id, plain);
}

/* What a dead node left to be sent must be in line before a turn of ours sends more. */
static pa_status keep_outbox_order(struct keeper *k, const struct db_result *claims, pa_error *err)
{
	for (size_t i = 0; i < db_rows(claims); i++)
		if (db_bool(claims, i, 7))
			return keeper_sweep_outbox(k, OUTBOX_ALL, err);
	return PA_OK;
}

/* All the work of these conversations, in the order in which it came. */
static pa_status take_up(struct keeper *k, const int64_t *conversations, size_t count,
			 pa_error *err)
{
	struct db_result *claims PA_CLEANUP(db_result_done) = NULL;
	struct db_result *events PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = keeper_params(k, SQL_CONVERSATION_CLAIM);
	pa_status status;

	db_bind_int64_array(params, conversations, count);
	db_bind_int64(params, k->node);
	status = keeper_run(k, params, &claims, err);
	if (status == PA_OK)
		status = keep_outbox_order(k, claims, err);
	if (status != PA_OK)
		return status;
	params = keeper_params(k, SQL_EVENT_LOAD);
	db_bind_int64_array(params, conversations, count);
	status = keeper_run(k, params, &events, err);
	for (size_t i = 0; status == PA_OK && i < db_rows(claims); i++) {
		struct claimed claimed = {0};

		if (!fill_claimed(k, claims, i, &claimed))
			continue;
		for (size_t row = 0; row < db_rows(events); row++)
			if (db_int64(events, row, 1) == claimed.conversation)
				add_event(k, &claimed, events, row);
		contact_unref(claimed.contact);
	}
	return status;
}

/* The work after an id that nobody has in hand; sets it to the last one looked at, or 0. */
static pa_status sweep_work_page(struct keeper *k, int64_t stale_ns, int64_t *after, pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(PAGE_CAP);
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	int64_t conversations[SWEEP_MAX];
	struct db_params *params = db_params_new(arena, SQL_WORK_FIND);
	size_t count = 0;
	pa_status status;

	db_bind_int64(params, k->node);
	db_bind_int64(params, SWEEP_MAX);
	db_bind_time(params, clock_now_ns() - stale_ns);
	db_bind_int64(params, *after);
	status = keeper_run(k, params, &result, err);
	*after = 0;
	for (size_t i = 0; status == PA_OK && i < db_rows(result); i++) {
		int64_t event = db_int64(result, i, 0);
		int64_t conversation = db_int64(result, i, 1);

		*after = event;
		if (!conversations_has(k->options.conversations, conversation, event))
			conversations[count++] = conversation;
	}
	return status == PA_OK && count ? take_up(k, conversations, count, err) : status;
}

pa_status keeper_sweep_work(struct keeper *k, int64_t stale_ns, pa_error *err)
{
	bool is_awaited = writer_awaits_sweep(k->options.writer);
	int64_t after = 0;
	pa_status status;

	if (is_awaited)
		stale_ns = 0;
	do {
		arena_reset(k->arena);
		status = keeper_stay_alive(k, err);
		if (status == PA_OK)
			status = sweep_work_page(k, stale_ns, &after, err);
	} while (status == PA_OK && after);
	if (status == PA_OK && is_awaited)
		writer_swept(k->options.writer);
	return status;
}
