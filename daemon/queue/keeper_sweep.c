/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/keeper_parts.h"

#include "base/err.h"
#include "io/clock.h"
#include "io/log.h"
#include "queue/codec.h"
#include "queue/ids.h"
#include "queue/worker.h"

#define SWEEP_MAX 500
#define STALE_NS NS_PER_S /* work this old should be in somebody's hands */

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
	int64_t kind = db_int64(events, row, 4);
	pa_str payload = db_str(events, row, 5), plain;

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

static pa_status take_up(struct keeper *k, int64_t *conversations, int64_t *events, size_t count,
			 pa_error *err)
{
	struct db_result *claims PA_CLEANUP(db_result_done) = NULL;
	struct db_result *loaded PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = keeper_params(k, SQL_CONVERSATION_CLAIM);
	pa_status status;

	db_bind_int64_array(params, conversations, count);
	db_bind_int64(params, k->node);
	status = keeper_run(k, params, &claims, err);
	if (status != PA_OK)
		return status;
	params = keeper_params(k, SQL_EVENT_LOAD);
	db_bind_int64_array(params, events, count);
	status = keeper_run(k, params, &loaded, err);
	for (size_t i = 0; status == PA_OK && i < db_rows(claims); i++) {
		struct claimed claimed = {0};

		if (!fill_claimed(k, claims, i, &claimed))
			continue;
		for (size_t row = 0; row < db_rows(loaded); row++)
			if (db_int64(loaded, row, 2) == claimed.conversation)
				add_event(k, &claimed, loaded, row);
		contact_unref(claimed.contact);
	}
	return status;
}

/* The work after an id that nobody has in hand; sets it to the last one looked at, or 0. */
static pa_status sweep_work_page(struct keeper *k, int64_t stale_ns, int64_t *after, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	int64_t *conversations = ARENA_ARRAY(k->arena, int64_t, SWEEP_MAX);
	int64_t *events = ARENA_ARRAY(k->arena, int64_t, SWEEP_MAX);
	struct db_params *params = keeper_params(k, SQL_WORK_FIND);
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
		if (conversations_has(k->options.conversations, conversation, event))
			continue;
		conversations[count] = conversation;
		events[count++] = event;
	}
	return status == PA_OK && count ? take_up(k, conversations, events, count, err) : status;
}

pa_status keeper_sweep_work(struct keeper *k, pa_error *err)
{
	bool is_awaited = writer_awaits_sweep(k->options.writer);
	int64_t stale_ns = k->has_recovered && !is_awaited ? STALE_NS : 0;
	int64_t after = 0;
	pa_status status;

	do {
		arena_reset(k->arena);
		status = sweep_work_page(k, stale_ns, &after, err);
	} while (status == PA_OK && after);
	if (status == PA_OK && is_awaited)
		writer_swept(k->options.writer);
	return status;
}

static struct outbound *revive(struct keeper *k, const struct db_result *rows, size_t row)
{
	struct channel *channel =
		channel_by_number(k->options.channels, (int16_t)db_int64(rows, row, 3));
	struct contact *contact;
	struct outbound *o;
	pa_message message;
	pa_str packed;

	if (!channel ||
	    contact_open(conversation_contact(db_int64(rows, row, 2)), k->options.house,
			 db_str(rows, row, 11), db_str(rows, row, 12), &contact) != PA_OK)
		return NULL;
	if (unseal(k->arena, &contact->key, PA_STR("outbox"), db_str(rows, row, 10), &packed) !=
		    PA_OK ||
	    message_unpack(k->arena, packed, &message) != PA_OK) {
		contact_unref(contact);
		return NULL;
	}
	o = outbound_new(packed, PA_STR_ABSENT);
	o->id = db_int64(rows, row, 0);
	o->at_ns = db_time_ns(rows, row, 1);
	o->conversation = db_int64(rows, row, 2);
	o->channel = channel;
	o->contact = contact;
	o->class = (enum turn_class)db_int64(rows, row, 4);
	o->kind = message.kind;
	o->is_secret = db_bool(rows, row, 5);
	o->tries = (int16_t)db_int64(rows, row, 7);
	o->not_after_ns = db_is_null(rows, row, 8) ? 0 : db_time_ns(rows, row, 8);
	if (channel->ops->features & PA_FEATURE_WINDOW)
		o->window_ns = db_time_ns(rows, row, 13) + 24 * NS_PER_HOUR;
	/* It was under way when its process died, or nobody knew: a receipt may settle it. */
	if (db_int64(rows, row, 6) != OUTBOX_WAITING) {
		o->state = OUTBOX_UNCERTAIN;
		o->uncertain_ns = clock_monotonic_ns();
		o->seen_statuses = (uint32_t)db_int64(rows, row, 14) << 1; /* bits to statuses */
	}
	return o;
}

/* Messages that nobody has in hand: of before the start, of a commit in doubt, of a dead node. */
pa_status keeper_sweep_outbox(struct keeper *k, pa_error *err)
{
	struct channels *channels = k->options.channels;
	int16_t *numbers = ARENA_ARRAY(k->arena, int16_t, channels->count);
	size_t count = 0;
	int64_t after = 0;

	for (size_t i = 0; i < channels->count; i++)
		if (atomic_load(&channels->list[i].is_leased))
			numbers[count++] = channels->list[i].number;
	for (;;) {
		struct db_result *result PA_CLEANUP(db_result_done) = NULL;
		struct db_params *params = keeper_params(k, SQL_OUTBOX_FIND);
		pa_status status;

		db_bind_int16_array(params, numbers, count);
		db_bind_time(params, clock_now_ns() - (k->has_recovered ? 2 * STALE_NS : 0));
		db_bind_int64(params, after);
		db_bind_int64(params, SWEEP_MAX);
		status = keeper_run(k, params, &result, err);
		if (status != PA_OK || !db_rows(result))
			return status;
		for (size_t i = 0; i < db_rows(result); i++) {
			struct outbound *o;
			const struct channel *channel =
				channel_by_number(channels, (int16_t)db_int64(result, i, 3));

			after = db_int64(result, i, 0);
			if (dispatch_has(k->options.dispatch, db_int64(result, i, 2), channel,
					 after))
				continue;
			o = revive(k, result, i);
			if (o)
				dispatch_push(k->options.dispatch, o);
		}
	}
}
