/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/keeper.h"

#include "base/err.h"
#include "io/clock.h"
#include "io/log.h"
#include "queue/codec.h"
#include "queue/connect.h"
#include "queue/ids.h"
#include "queue/worker.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TICK_NS NS_PER_S
#define FEED_TICK_NS (100 * NS_PER_MS) /* while ids run low */
#define ALIVE_MS 10000
#define SWEEP_MAX 500
#define STALE_NS NS_PER_S /* work this old should be in somebody's hands */
#define LATE_NS (20 * NS_PER_S)
#define ARENA_CAP ((size_t)64 << 20)
#define DEDUP_NS (9 * NS_PER_DAY) /* Meta repeats for 7 days */
#define UPKEEP_TICKS 3600
#define DEATHS_ALLOWED 1 /* it is set aside the second time it dies alone */

/* An event to be set aside, by mail from another thread. */
struct set_aside {
	struct mail mail;
	int64_t event;
	char reason[200];
};

struct keeper {
	struct keeper_options options;
	struct db *db;
	struct arena *arena; /* of one tick */
	int64_t node;
	struct flight last[FLIGHT_SLOTS];
	size_t last_count;
	int64_t suspects[FLIGHT_SLOTS]; /* events that run alone first */
	size_t suspects_count;
	bool has_recovered; /* the open messages of before were taken up */
	uint64_t ticks;
	pthread_t thread;
	struct mailbox box;
	_Atomic bool is_ready;
	_Atomic bool is_stopping;
	_Atomic uint64_t late;
};

/* ---- one statement ---- */

static struct db_params *params_of(struct keeper *k, enum sql statement)
{
	return db_params_new(k->arena, statement);
}

static pa_status run(struct keeper *k, struct db_params *params, struct db_result **ret,
		     pa_error *err)
{
	return db_run(k->db, params, ret, err);
}

static pa_status feed_ids(struct keeper *k, pa_error *err)
{
	while (ids_left() < ID_BLOCK_LOW + ID_BLOCK_SIZE / 2) {
		struct db_result *result PA_CLEANUP(db_result_done) = NULL;
		pa_status status = run(k, params_of(k, SQL_ID_BLOCK_NEXT), &result, err);

		if (status != PA_OK)
			return status;
		ids_feed(db_int64(result, 0, 0));
	}
	return PA_OK;
}

/* ---- what start needs ---- */

static pa_status number_channels(struct keeper *k, pa_error *err)
{
	for (size_t i = 0; i < k->options.channels->count; i++) {
		struct db_result *result PA_CLEANUP(db_result_done) = NULL;
		struct channel *channel = &k->options.channels->list[i];
		struct db_params *params = params_of(k, SQL_CHANNEL_NUMBER);
		pa_status status;

		db_bind_text(params, str_from(channel->name));
		status = run(k, params, &result, err);
		if (status != PA_OK)
			return status;
		channel->number = (int16_t)db_int64(result, 0, 0);
	}
	return PA_OK;
}

static pa_status register_node(struct keeper *k, pa_error *err)
{
	struct db_params *params = params_of(k, SQL_NODE_INSERT);
	int64_t node = ids_next();
	pa_status status;

	db_bind_int64(params, node);
	db_bind_text(params, str_from(k->options.node_name));
	db_bind_int64(params, ALIVE_MS);
	status = run(k, params, NULL, err);
	if (status == PA_OK)
		k->node = node;
	return status;
}

static pa_status charge_plugin(struct keeper *k, const char *plugin, pa_error *err)
{
	struct db_params *params = params_of(k, SQL_PLUGIN_CHARGE);

	db_bind_text(params, str_from(plugin));
	db_bind_time(params, clock_now_ns());
	log_error(LOG_IDS(.plugin = plugin), "the daemon died in a call to this plugin");
	return run(k, params, NULL, err);
}

static pa_status put_aside(struct keeper *k, int64_t event, const char *reason, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = params_of(k, SQL_EVENT_SET_ASIDE);
	pa_status status;

	db_bind_int64(params, event);
	db_bind_time(params, clock_now_ns());
	db_bind_text(params, str_from(reason));
	status = run(k, params, &result, err);
	if (status == PA_OK && db_rows(result))
		log_error(LOG_IDS(.event = event, .conversation = db_int64(result, 0, 0)),
			  "an event was set aside: %s", reason);
	return status;
}

/* An event the last process had in hand when it died. */
static pa_status charge_event(struct keeper *k, const struct flight *flight, bool was_alone,
			      pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = params_of(k, SQL_DEATH_CHARGE);
	pa_status status;

	k->suspects[k->suspects_count++] = flight->event;
	if (!flight->is_culprit && !was_alone)
		return PA_OK;
	db_bind_int64(params, flight->event);
	status = run(k, params, &result, err);
	if (status == PA_OK && db_rows(result) && db_int64(result, 0, 0) > DEATHS_ALLOWED)
		status = put_aside(k, flight->event, "the daemon died twice with it in hand", err);
	return status;
}

/* Nobody's fatal signal, and just one event in hand: it is the one to blame. */
static bool died_alone(const struct keeper *k)
{
	size_t events = 0;

	for (size_t i = 0; i < k->last_count; i++) {
		if (k->last[i].is_culprit)
			return false;
		events += k->last[i].event != 0;
	}
	return events == 1;
}

static pa_status judge_last(struct keeper *k, pa_error *err)
{
	bool was_alone = died_alone(k);
	pa_status status = PA_OK;

	for (size_t i = 0; i < k->last_count && status == PA_OK; i++) {
		const struct flight *flight = &k->last[i];

		if (flight->plugin[0] && flight->is_culprit)
			status = charge_plugin(k, flight->plugin, err);
		if (status == PA_OK && flight->event)
			status = charge_event(k, flight, was_alone, err);
	}
	if (status == PA_OK)
		k->last_count = 0;
	return status;
}

static pa_status disable_plugins(struct keeper *k, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = params_of(k, SQL_PLUGIN_CHARGES);
	pa_status status;

	db_bind_time(params, clock_now_ns());
	status = run(k, params, &result, err);
	for (size_t i = 0; status == PA_OK && i < db_rows(result); i++) {
		const char *plugin;

		if (arena_cstr(k->arena, db_str(result, i, 0), &plugin) == PA_OK)
			k->options.disable_plugin(k->options.arg, plugin);
	}
	return status;
}

/* ---- sign of life, leases, timers ---- */

/* Whoever was declared dead must not write any more: the fence would stop it, and so do we. */
static pa_status beat(struct keeper *k, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = params_of(k, SQL_NODE_BEAT);
	pa_status status;

	db_bind_int64(params, k->node);
	db_bind_int64(params, ALIVE_MS);
	status = run(k, params, &result, err);
	if (status == PA_OK && !db_rows(result)) {
		log_error(LOG_NO_IDS,
			  "another daemon has this node's name, or took it for dead: ending");
		abort();
	}
	return status;
}

static pa_status keep_channels(struct keeper *k, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct channels *channels = k->options.channels;
	int16_t *numbers = ARENA_ARRAY(k->arena, int16_t, channels->count);
	struct db_params *params = params_of(k, SQL_CHANNEL_LEASE);
	pa_status status;

	for (size_t i = 0; i < channels->count; i++)
		numbers[i] = channels->list[i].number;
	db_bind_int16_array(params, numbers, channels->count);
	db_bind_int64(params, k->node);
	status = run(k, params, &result, err);
	if (status != PA_OK)
		return status;
	for (size_t i = 0; i < channels->count; i++) {
		bool is_leased = false;

		for (size_t row = 0; row < db_rows(result); row++)
			is_leased |= db_int64(result, row, 0) == numbers[i];
		atomic_store(&channels->list[i].is_leased, is_leased);
	}
	return PA_OK;
}

static pa_status fire_timers(struct keeper *k, pa_error *err)
{
	struct db_params *params = params_of(k, SQL_TIMER_FIRE);
	int64_t first = ids_next_run(SWEEP_MAX);

	if (!first)
		return PA_OK;
	db_bind_time(params, clock_now_ns());
	db_bind_int64(params, SWEEP_MAX);
	db_bind_int64(params, first);
	return run(k, params, NULL, err);
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
	struct db_params *params = params_of(k, SQL_CONVERSATION_CLAIM);
	pa_status status;

	db_bind_int64_array(params, conversations, count);
	db_bind_int64(params, k->node);
	status = run(k, params, &claims, err);
	if (status != PA_OK)
		return status;
	params = params_of(k, SQL_EVENT_LOAD);
	db_bind_int64_array(params, events, count);
	status = run(k, params, &loaded, err);
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
	struct db_params *params = params_of(k, SQL_WORK_FIND);
	size_t count = 0;
	pa_status status;

	db_bind_int64(params, k->node);
	db_bind_int64(params, SWEEP_MAX);
	db_bind_time(params, clock_now_ns() - stale_ns);
	db_bind_int64(params, *after);
	status = run(k, params, &result, err);
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

static pa_status sweep_work(struct keeper *k, pa_error *err)
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
static pa_status sweep_outbox(struct keeper *k, pa_error *err)
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
		struct db_params *params = params_of(k, SQL_OUTBOX_FIND);
		pa_status status;

		db_bind_int16_array(params, numbers, count);
		db_bind_time(params, clock_now_ns() - (k->has_recovered ? 2 * STALE_NS : 0));
		db_bind_int64(params, after);
		db_bind_int64(params, SWEEP_MAX);
		status = run(k, params, &result, err);
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

/* ---- start ---- */

/* What the last process left is in hand before the writer may commit anything new: nobody's older
 * message is overtaken by his newer one. */
static pa_status recover(struct keeper *k, pa_error *err)
{
	pa_status status = keep_channels(k, err);

	if (status == PA_OK)
		status = sweep_outbox(k, err);
	if (status == PA_OK)
		status = sweep_work(k, err);
	k->has_recovered = status == PA_OK;
	return status;
}

static pa_status start(struct keeper *k, pa_error *err)
{
	static const char *const sets[] = {"keeper", NULL};
	pa_status status = queue_connect(k->options.database, "proaltod keeper", sets, &k->db, err);

	if (status == PA_OK)
		status = feed_ids(k, err);
	if (status == PA_OK)
		status = number_channels(k, err);
	if (status == PA_OK)
		status = judge_last(k, err);
	if (status == PA_OK)
		status = disable_plugins(k, err);
	if (status == PA_OK && !k->node)
		status = register_node(k, err);
	if (status == PA_OK && !k->has_recovered)
		status = recover(k, err);
	if (status != PA_OK)
		return status;
	writer_set_node(k->options.writer, k->node);
	if (!atomic_exchange(&k->is_ready, true))
		log_notice(LOG_NO_IDS, "this node is registered");
	return PA_OK;
}

/* ---- every second ---- */

static void watch_late(struct keeper *k)
{
	size_t late = conversations_mark_late(k->options.conversations, LATE_NS);

	if (!late)
		return;
	atomic_fetch_add(&k->late, late);
	log_error(LOG_NO_IDS, "%zu customers have waited 20 seconds for an answer", late);
}

static pa_status upkeep(struct keeper *k, pa_error *err)
{
	struct db_result *stray PA_CLEANUP(db_result_done) = NULL;
	int64_t now_ns = clock_now_ns();
	struct db_params *params = params_of(k, SQL_PARTITIONS_MAKE);
	pa_status status;

	db_bind_time(params, now_ns);
	status = run(k, params, NULL, err);
	if (status == PA_OK)
		status = run(k, params_of(k, SQL_PARTITIONS_STRAY), &stray, err);
	if (status == PA_OK && db_int64(stray, 0, 0))
		log_error(LOG_NO_IDS, "rows lie in a default partition: a month's was missing");
	params = params_of(k, SQL_DEDUP_EXPIRE);
	db_bind_time(params, now_ns - DEDUP_NS);
	db_bind_int64(params, 100000);
	return status == PA_OK ? run(k, params, NULL, err) : status;
}

static pa_status wipe_secrets(struct keeper *k, pa_error *err)
{
	struct db_params *params = params_of(k, SQL_SECRET_WIPE);

	db_bind_time(params, clock_now_ns());
	return run(k, params, NULL, err);
}

static pa_status set_asides(struct keeper *k, pa_error *err)
{
	struct mail *mail = mailbox_take(&k->box, 0);
	pa_status status = PA_OK;

	while (mail) {
		struct set_aside *aside = (struct set_aside *)(void *)mail;

		mail = mail->next;
		if (status == PA_OK)
			status = put_aside(k, aside->event, aside->reason, err);
		free(aside);
	}
	return status;
}

static pa_status tick(struct keeper *k, pa_error *err)
{
	static pa_status (*const each[])(struct keeper *, pa_error *) = {
		beat, feed_ids, keep_channels, set_asides, fire_timers, sweep_work, sweep_outbox,
	};
	pa_status status = PA_OK;

	for (size_t i = 0; i < ARRAY_COUNT(each) && status == PA_OK; i++)
		status = each[i](k, err);
	if (status == PA_OK && k->ticks % 10 == 0)
		status = wipe_secrets(k, err);
	if (status == PA_OK && k->ticks++ % UPKEEP_TICKS == 0)
		status = upkeep(k, err);
	return status;
}

/* ---- the thread ---- */

static void work_once(struct keeper *k)
{
	pa_error err = ERROR_INIT;
	pa_status status = PA_OK;

	arena_reset(k->arena);
	if (!k->db)
		status = start(k, &err);
	if (status == PA_OK)
		status = tick(k, &err);
	if (status == PA_OK)
		return;
	log_warning(LOG_NO_IDS, "the keeper can't work on the store: %s", error_text(&err));
	db_close(k->db);
	k->db = NULL;
}

/* Others stand still until it has worked again. */
static bool is_urgent(const struct keeper *k)
{
	return ids_left() < ID_BLOCK_LOW || writer_awaits_sweep(k->options.writer);
}

static void *keeper_main(void *arg)
{
	struct keeper *k = arg;

	while (!atomic_load(&k->is_stopping)) {
		int64_t next_ns;

		work_once(k);
		watch_late(k);
		next_ns = clock_monotonic_ns() + (is_urgent(k) ? FEED_TICK_NS : TICK_NS);
		while (!atomic_load(&k->is_stopping) && clock_monotonic_ns() < next_ns) {
			struct timespec pause = {.tv_nsec = FEED_TICK_NS / 2};

			nanosleep(&pause, NULL);
			if (k->db && is_urgent(k))
				break;
		}
	}
	return NULL;
}

struct keeper *keeper_new(const struct keeper_options *options)
{
	struct keeper *k = calloc(1, sizeof(*k));

	if (!k)
		abort();
	k->options = *options;
	k->last_count = options->last_count < FLIGHT_SLOTS ? options->last_count : FLIGHT_SLOTS;
	memcpy(k->last, options->last, k->last_count * sizeof(*k->last));
	k->arena = arena_new(ARENA_CAP);
	mailbox_init(&k->box);
	if (pthread_create(&k->thread, NULL, keeper_main, k) != 0)
		abort();
	pthread_setname_np(k->thread, "keeper");
	return k;
}

void keeper_free(struct keeper *k)
{
	if (!k)
		return;
	atomic_store(&k->is_stopping, true);
	pthread_join(k->thread, NULL);
	for (struct mail *mail = mailbox_take(&k->box, 0), *next; mail; mail = next) {
		next = mail->next;
		free(mail);
	}
	db_close(k->db);
	mailbox_done(&k->box);
	arena_free(k->arena);
	free(k);
}

void keeper_set_aside(struct keeper *k, int64_t event, const char *reason)
{
	struct set_aside *aside = calloc(1, sizeof(*aside));
	size_t len = strnlen(reason, sizeof(aside->reason) - 1);

	if (!aside)
		abort();
	aside->event = event;
	memcpy(aside->reason, reason, len);
	mailbox_put(&k->box, &aside->mail);
}

bool keeper_is_ready(const struct keeper *k)
{
	return atomic_load(&k->is_ready);
}

uint64_t keeper_late_count(const struct keeper *k)
{
	return atomic_load(&k->late);
}
