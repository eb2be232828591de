/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/keeper_parts.h"

#include "base/err.h"
#include "io/clock.h"
#include "io/log.h"
#include "queue/codec.h"
#include "queue/ids.h"
#include "queue/worker.h"

#define SWEEP_MAX 500
#define LOAD_MAX 200 /* events in full at a time */
#define PAGE_CAP ((size_t)1 << 20)
#define EVENT_CAP ((size_t)64 << 20)

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
	if (contact_open(conversation_contact(ret->conversation), k->options.ring,
			 db_str(result, row, 3), db_str(result, row, 4), &ret->contact) == PA_OK)
		return true;
	log_error(LOG_IDS(.conversation = ret->conversation), "a contact's key can't be opened");
	return false;
}

static void add_event(struct keeper *k, struct arena *arena, struct claimed *claimed,
		      const struct db_result *events, size_t row)
{
	int64_t id = db_int64(events, row, 0);
	int64_t kind = db_int64(events, row, 3);
	pa_str payload = db_str(events, row, 4), plain;

	claimed->is_alone = is_suspect(k, id);
	if (kind == INBOX_TIMER || kind == INBOX_UNDELIVERED) { /* a word of ours */
		struct buf packed PA_CLEANUP(buf_done) = BUF_INIT(1024);

		job_pack(&packed, payload, PA_STR_ABSENT);
		conversations_add(k->options.conversations, claimed,
				  kind == INBOX_TIMER ? TURN_TIMER : TURN_UNDELIVERED, id,
				  buf_str(&packed));
		return;
	}
	if (unseal(arena, &claimed->contact->key, PA_STR("inbox"), payload, &plain) != PA_OK) {
		keeper_set_aside(k, id, "it can't be opened");
		return;
	}
	conversations_add(k->options.conversations, claimed,
			  kind == INBOX_JOB ? TURN_JOB : TURN_CUSTOMER, id, plain);
}

/* ---- events in full ---- */

/* How far they were loaded. */
struct event_place {
	int64_t conversation, at_ns, id;
};

/* Where the events of the conversation at this row end. */
static size_t end_of_conversation(const struct db_result *events, size_t row)
{
	int64_t conversation = db_int64(events, row, 1);

	while (row < db_rows(events) && db_int64(events, row, 1) == conversation)
		row++;
	return row;
}

/* Nobody can read them any more; a receipt may bring one long after. */
static void put_aside(struct keeper *k, const struct db_result *events, size_t row, size_t end)
{
	for (; row < end; row++)
		keeper_set_aside(k, db_int64(events, row, 0), "its contact was erased");
}

/* Adds those of one conversation, if it was claimed. */
static void add_events(struct keeper *k, const struct db_result *claims,
		       const struct db_result *events, size_t row, size_t end)
{
	int64_t conversation = db_int64(events, row, 1);
	struct claimed claimed = {0};
	size_t claim = 0;

	while (claim < db_rows(claims) && db_int64(claims, claim, 0) != conversation)
		claim++;
	if (claim == db_rows(claims))
		return;
	if (db_is_null(claims, claim, 3)) {
		put_aside(k, events, row, end);
		return;
	}
	if (!fill_claimed(k, claims, claim, &claimed))
		return;
	for (; row < end; row++) {
		struct arena *arena PA_CLEANUP(arena_done) = arena_new(EVENT_CAP);

		add_event(k, arena, &claimed, events, row);
	}
	contact_unref(claimed.contact);
}

/* A conversation whose rest is on the next page waits for it: between the two a turn of it might be
 * committed, and what is loaded behind one is left to the next sweep. */
static pa_status load_page(struct keeper *k, const struct db_result *claims,
			   const int64_t *conversations, size_t count, struct event_place *place,
			   bool *ret_is_last, pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(PAGE_CAP);
	struct db_result *events PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = db_params_new(arena, SQL_EVENT_LOAD);
	size_t row = 0;
	pa_status status;

	db_bind_int64_array(params, conversations, count);
	db_bind_int64(params, place->conversation);
	db_bind_time(params, place->at_ns);
	db_bind_int64(params, place->id);
	db_bind_int64(params, LOAD_MAX);
	status = keeper_run(k, params, &events, err);
	if (status != PA_OK)
		return status;
	*ret_is_last = db_rows(events) < LOAD_MAX;
	while (row < db_rows(events)) {
		size_t end = end_of_conversation(events, row);

		if (row && end == LOAD_MAX)
			break;
		add_events(k, claims, events, row, end);
		row = end;
		*place = (struct event_place){db_int64(events, row - 1, 1),
					      db_time_ns(events, row - 1, 2),
					      db_int64(events, row - 1, 0)};
	}
	return PA_OK;
}

/* All the work of these conversations, in the order in which it came. */
static pa_status load(struct keeper *k, const struct db_result *claims,
		      const int64_t *conversations, size_t count, pa_error *err)
{
	struct event_place place = {0}; /* before all of them */
	bool is_last = false;
	pa_status status = PA_OK;

	while (status == PA_OK && !is_last) {
		status = keeper_stay_alive(k, err);
		if (status == PA_OK)
			status = load_page(k, claims, conversations, count, &place, &is_last, err);
	}
	return status;
}

/* ---- work that nobody has in hand ---- */

struct work_sweep {
	enum { SWEEP_CLAIM, SWEEP_LOAD } step;
	int64_t before_ns; /* stamped at or before */
	int64_t after;     /* this id; 0 at the end as at the beginning */
	bool has_found;    /* some of it is in nobody's hands */
};

/* What a dead node left to be sent must be in line before a turn of ours sends more. */
static pa_status keep_outbox_order(struct keeper *k, pa_error *err)
{
	pa_status status;

	if (!k->is_outbox_behind)
		return PA_OK;
	status = keeper_sweep_outbox(k, OUTBOX_ALL, err);
	k->is_outbox_behind = status != PA_OK;
	return status;
}

/* Leases them to this node. Whose they were is told just once: it is remembered until their
 * messages are in line, and assumed if the answer is lost. */
static pa_status claim(struct keeper *k, const int64_t *conversations, size_t count,
		       struct db_result **ret, pa_error *err)
{
	struct db_params *params = keeper_params(k, SQL_CONVERSATION_CLAIM);
	pa_status status;

	db_bind_int64_array(params, conversations, count);
	db_bind_int64(params, k->node);
	status = keeper_run(k, params, ret, err);
	if (status != PA_OK)
		k->is_outbox_behind = true;
	for (size_t i = 0; status == PA_OK && i < db_rows(*ret); i++)
		k->is_outbox_behind |= db_bool(*ret, i, 7);
	return status;
}

static pa_status take_up(struct keeper *k, const struct work_sweep *sweep,
			 const int64_t *conversations, size_t count, pa_error *err)
{
	struct db_result *claims PA_CLEANUP(db_result_done) = NULL;
	pa_status status = claim(k, conversations, count, &claims, err);

	if (status != PA_OK || sweep->step == SWEEP_CLAIM)
		return status;
	status = keep_outbox_order(k, err);
	return status == PA_OK ? load(k, claims, conversations, count, err) : status;
}

static pa_status sweep_page(struct keeper *k, struct work_sweep *sweep, pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(PAGE_CAP);
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	int64_t conversations[SWEEP_MAX];
	struct db_params *params = db_params_new(arena, SQL_WORK_FIND);
	size_t count = 0;
	pa_status status;

	db_bind_int64(params, k->node);
	db_bind_int64(params, SWEEP_MAX);
	db_bind_time(params, sweep->before_ns);
	db_bind_int64(params, sweep->after);
	status = keeper_run(k, params, &result, err);
	sweep->after = 0;
	for (size_t i = 0; status == PA_OK && i < db_rows(result); i++) {
		int64_t event = db_int64(result, i, 0);
		int64_t conversation = db_int64(result, i, 1);

		sweep->after = event;
		if (!conversations_has(k->options.conversations, conversation, event))
			conversations[count++] = conversation;
	}
	if (status != PA_OK || !count)
		return status;
	sweep->has_found = true;
	return take_up(k, sweep, conversations, count, err);
}

static pa_status sweep_pages(struct keeper *k, struct work_sweep *sweep, pa_error *err)
{
	pa_status status;

	do {
		arena_reset(k->arena);
		status = keeper_stay_alive(k, err);
		if (status == PA_OK)
			status = sweep_page(k, sweep, err);
	} while (status == PA_OK && sweep->after);
	return status;
}

/* All of it is claimed before any is loaded, so that the messages get in line once for all. No age
 * is no bound at all: another node's clock, or this one's before it was put back, may be ahead. */
pa_status keeper_sweep_work(struct keeper *k, int64_t stale_ns, pa_error *err)
{
	bool is_awaited = writer_awaits_sweep(k->options.writer);
	struct work_sweep sweep = {.before_ns = INT64_MAX};
	pa_status status;

	if (stale_ns && !is_awaited)
		sweep.before_ns = clock_now_ns() - stale_ns;
	status = sweep_pages(k, &sweep, err);
	if (status == PA_OK && sweep.has_found) {
		sweep.step = SWEEP_LOAD;
		status = sweep_pages(k, &sweep, err);
	}
	if (status == PA_OK && is_awaited)
		writer_swept(k->options.writer);
	return status;
}
