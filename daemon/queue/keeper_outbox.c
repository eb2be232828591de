/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/keeper_parts.h"

#include "base/err.h"
#include "io/clock.h"
#include "io/log.h"
#include "queue/codec.h"

#define PAGE 500
#define LOAD_MAX 50 /* messages in full at a time */
#define PAGE_CAP ((size_t)1 << 20)
#define MESSAGE_CAP ((size_t)64 << 20)
#define PAGES_A_TICK 8            /* the next tick goes on behind them */
#define STALE_NS (2 * NS_PER_S)   /* a message this old should be in somebody's hands */
#define RECENT_NS (10 * NS_PER_S) /* what another node may just have written */
#define RECEIPTS_FIRST_NS (3 * NS_PER_S)

/* ---- one message ---- */

/* It was under way when its process died, or nobody knew: a receipt may settle it. How long it has
 * had time for that the store knows, however often the daemon was started since. A younger one may
 * be of a commit that is in doubt here: it gets all its time, for the writer knows better in a
 * moment. Half the wait, three seconds at most, is left in any case: receipts that came while
 * nobody was here are brought again first. */
static void note_uncertainty(const struct keeper *k, struct outbound *o,
			     const struct db_result *rows, size_t row)
{
	int64_t begun_ns, now_ns = clock_now_ns();
	int64_t wait_ns = o->channel->config->uncertain_wait_ms * NS_PER_MS;
	int64_t left_ns = wait_ns / 2 < RECEIPTS_FIRST_NS ? wait_ns / 2 : RECEIPTS_FIRST_NS;

	if (db_int64(rows, row, 6) == OUTBOX_WAITING)
		return;
	begun_ns = db_time_ns(rows, row, 14);
	o->state = OUTBOX_UNCERTAIN;
	o->uncertain_ns = clock_monotonic_ns();
	if (begun_ns < k->started_ns && begun_ns < now_ns)
		o->uncertain_ns -= now_ns - begun_ns < wait_ns - left_ns ? now_ns - begun_ns
									 : wait_ns - left_ns;
	o->seen_statuses = (uint32_t)db_int64(rows, row, 13) << 1; /* bits to statuses */
}

static struct outbound *revive(const struct keeper *k, struct channel *channel,
			       struct contact *contact, const pa_message *message, pa_str packed,
			       const struct db_result *rows, size_t row)
{
	struct outbound *o = outbound_new(packed, PA_STR_ABSENT);

	o->id = db_int64(rows, row, 0);
	o->at_ns = db_time_ns(rows, row, 1);
	o->conversation = db_int64(rows, row, 2);
	o->channel = channel;
	o->contact = contact_ref(contact);
	o->class = (enum turn_class)db_int64(rows, row, 4);
	o->kind = message->kind;
	o->is_secret = db_bool(rows, row, 5);
	o->tries = (int16_t)db_int64(rows, row, 7);
	o->not_after_ns = db_is_null(rows, row, 8) ? 0 : db_time_ns(rows, row, 8);
	if (channel->ops->features & PA_FEATURE_WINDOW)
		o->window_ns = db_time_ns(rows, row, 12) + 24 * NS_PER_HOUR;
	note_uncertainty(k, o, rows, row);
	return o;
}

/* Nothing can be done for it any more, now or later: a person should know. */
static pa_status drop(struct keeper *k, struct arena *arena, const struct db_result *rows,
		      size_t row, const char *why, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = db_params_new(arena, SQL_OUTBOX_DROP);
	int64_t id = db_int64(rows, row, 0);
	pa_status status;

	db_bind_int64(params, id);
	db_bind_time(params, db_time_ns(rows, row, 1));
	db_bind_time(params, clock_now_ns());
	db_bind_text(params, str_from(why));
	status = keeper_run(k, params, &result, err);
	if (status == PA_OK && db_rows(result))
		log_error(LOG_IDS(.outbox = id, .conversation = db_int64(rows, row, 2)),
			  "a message was dropped: %s", why);
	return status;
}

static pa_status take_message(struct keeper *k, struct arena *arena, const struct db_result *rows,
			      size_t row, pa_error *err)
{
	struct channel *channel =
		channel_by_number(k->options.channels, (int16_t)db_int64(rows, row, 3));
	struct contact *contact;
	pa_message message;
	pa_str packed;
	bool is_whole;

	if (db_is_null(rows, row, 10))
		return drop(k, arena, rows, row, "its contact was erased", err);
	if (contact_open(conversation_contact(db_int64(rows, row, 2)), k->options.ring,
			 db_str(rows, row, 10), db_str(rows, row, 11), &contact) != PA_OK) {
		/* All are like that under a wrong master key: what waits is for the right one. */
		if (!k->has_told_key)
			log_error(LOG_IDS(.conversation = db_int64(rows, row, 2)),
				  "a contact's key can't be opened: its messages wait");
		k->has_told_key = true;
		return PA_OK;
	}
	is_whole = unseal(arena, &contact->key, PA_STR("outbox"), db_str(rows, row, 9), &packed) ==
			   PA_OK &&
		   message_unpack(arena, packed, &message) == PA_OK;
	if (is_whole)
		dispatch_push(k->options.dispatch,
			      revive(k, channel, contact, &message, packed, rows, row));
	contact_unref(contact);
	return is_whole ? PA_OK : drop(k, arena, rows, row, "it can't be opened", err);
}

static pa_status load(struct keeper *k, const int64_t *ids, size_t count, int64_t first_ns,
		      int64_t last_ns, pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(MESSAGE_CAP);
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = db_params_new(arena, SQL_OUTBOX_LOAD);
	pa_status status;

	db_bind_int64_array(params, ids, count);
	db_bind_time(params, first_ns);
	db_bind_time(params, last_ns);
	status = keeper_run(k, params, &rows, err);
	for (size_t i = 0; status == PA_OK && i < db_rows(rows); i++) {
		arena_reset(arena);
		status = take_message(k, arena, rows, i, err);
	}
	return status;
}

/* ---- pages ---- */

static pa_status find(struct keeper *k, struct arena *arena, const struct outbox_place *after,
		      int64_t before_ns, struct db_result **ret, pa_error *err)
{
	const struct channels *channels = k->options.channels;
	int16_t *numbers = ARENA_ARRAY(arena, int16_t, channels->count);
	struct db_params *params = db_params_new(arena, SQL_OUTBOX_FIND);
	size_t count = 0;

	for (size_t i = 0; i < channels->count; i++)
		if (channel_is_leased(&channels->list[i]))
			numbers[count++] = channels->list[i].number;
	db_bind_int16_array(params, numbers, count);
	db_bind_time(params, before_ns);
	db_bind_time(params, after->at_ns);
	db_bind_int64(params, after->id);
	db_bind_int64(params, PAGE);
	return keeper_run(k, params, ret, err);
}

/* Takes up what of a page nobody has in hand, and moves on behind it. */
static pa_status take_page(struct keeper *k, struct outbox_place *place, int64_t before_ns,
			   bool *ret_is_last, pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(PAGE_CAP);
	struct db_result *found PA_CLEANUP(db_result_done) = NULL;
	int64_t ids[PAGE], first_ns = place->at_ns;
	size_t count = 0;
	pa_status status = find(k, arena, place, before_ns, &found, err);

	if (status != PA_OK)
		return status;
	for (size_t i = 0; i < db_rows(found); i++) {
		const struct channel *channel =
			channel_by_number(k->options.channels, (int16_t)db_int64(found, i, 3));

		*place = (struct outbox_place){db_time_ns(found, i, 1), db_int64(found, i, 0)};
		if (!dispatch_has(k->options.dispatch, db_int64(found, i, 2), channel, place->id))
			ids[count++] = place->id;
	}
	*ret_is_last = db_rows(found) < PAGE;
	for (size_t i = 0; i < count && status == PA_OK; i += LOAD_MAX)
		status = load(k, ids + i, count - i < LOAD_MAX ? count - i : LOAD_MAX, first_ns,
			      place->at_ns, err);
	return status;
}

pa_status keeper_sweep_outbox(struct keeper *k, enum outbox_sweep sweep, pa_error *err)
{
	int64_t now_ns = clock_now_ns();
	int64_t before_ns = sweep == OUTBOX_TICK ? now_ns - STALE_NS : INT64_MAX;
	struct outbox_place place = {0}; /* before all of them */
	bool is_last = false;
	pa_status status = PA_OK;

	if (sweep == OUTBOX_TICK)
		place = k->outbox_place;
	else if (sweep == OUTBOX_RECENT)
		place.at_ns = now_ns - RECENT_NS;
	for (int page = 0; status == PA_OK && !is_last; page++) {
		if (sweep == OUTBOX_TICK && page == PAGES_A_TICK)
			break;
		status = keeper_stay_alive(k, err);
		if (status == PA_OK)
			status = take_page(k, &place, before_ns, &is_last, err);
	}
	if (is_last)
		place = (struct outbox_place){0};
	if (sweep == OUTBOX_TICK && status == PA_OK)
		k->outbox_place = place;
	return status;
}
