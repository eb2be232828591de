/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/keeper_parts.h"

#include "base/err.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/log.h"
#include "queue/connect.h"
#include "queue/ids.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TICK_NS NS_PER_S
#define FEED_TICK_NS (100 * NS_PER_MS) /* while ids run low */
#define ALIVE_MS 10000
#define LATE_NS (20 * NS_PER_S)
#define ARENA_CAP ((size_t)64 << 20)
#define LEASE_NS ((ALIVE_MS - 1000) * NS_PER_MS) /* nobody else thinks that it ended sooner */
#define STALE_NS NS_PER_S                        /* work this old should be in somebody's hands */
#define LOOK_MS 20                               /* how often others' words are looked for */
#define TELL_NS (50 * NS_PER_MS)                 /* between two words to other nodes */

/* An event to be set aside, by mail from another thread. */
struct set_aside {
	struct mail mail;
	int64_t event;
	char reason[200];
};

static pa_status feed_ids(struct keeper *k, pa_error *err)
{
	while (ids_left() < ID_BLOCK_LOW + ID_BLOCK_SIZE / 2) {
		struct db_result *result PA_CLEANUP(db_result_done) = NULL;
		pa_status status = keeper_run(k, keeper_params(k, SQL_ID_BLOCK_NEXT), &result, err);

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
		struct db_params *params = keeper_params(k, SQL_CHANNEL_NUMBER);
		pa_status status;

		db_bind_text(params, str_from(channel->name));
		status = keeper_run(k, params, &result, err);
		if (status != PA_OK)
			return status;
		/* It never changes: after the first time others read it. */
		if (!channel->number)
			channel->number = (int16_t)db_int64(result, 0, 0);
	}
	return PA_OK;
}

static pa_status register_node(struct keeper *k, pa_error *err)
{
	struct db_params *params = keeper_params(k, SQL_NODE_INSERT);
	int64_t node = ids_next();
	pa_status status;

	db_bind_int64(params, node);
	db_bind_text(params, str_from(k->options.node_name));
	db_bind_int64(params, ALIVE_MS);
	status = keeper_run(k, params, NULL, err);
	if (status == PA_OK)
		k->node = node;
	return status;
}

pa_status keeper_learn_keys(struct keeper *k, pa_error *err)
{
	k->rotation.ring = k->options.ring;
	k->rotation.arena = k->arena;
	k->rotation.db = k->db;
	return rotation_begin(&k->rotation, clock_now_ns(), err);
}

static pa_status tell_keys(struct keeper *k, pa_error *err)
{
	k->rotation.node = k->node;
	return rotation_register(&k->rotation, err);
}

/* Whoever may not seal any more must not write any more. */
static pa_status rotate(struct keeper *k, pa_error *err)
{
	pa_status status = rotation_step(&k->rotation, clock_now_ns(), err);

	if (k->rotation.is_shut_out) {
		log_error(LOG_NO_IDS, "%s: ending", error_text(err));
		abort();
	}
	atomic_store(&k->rotation_state, (int)k->rotation.state);
	return status;
}

/* ---- sign of life, leases, timers ---- */

/* A channel is this node's as long as it lives: a sign of life that came in time keeps it. */
static void renew_leases(struct keeper *k)
{
	for (size_t i = 0; i < k->options.channels->count; i++) {
		struct channel *channel = &k->options.channels->list[i];

		if (channel_is_leased(channel))
			atomic_store(&channel->leased_until_ns, k->beat_ns + LEASE_NS);
	}
}

/* Whoever was declared dead must not write any more: the fence would stop it, and so do we. */
static pa_status beat(struct keeper *k, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = keeper_params(k, SQL_NODE_BEAT);
	int64_t now_ns = clock_monotonic_ns();
	pa_status status;

	db_bind_int64(params, k->node);
	db_bind_int64(params, ALIVE_MS);
	status = keeper_run(k, params, &result, err);
	if (status == PA_OK && !db_rows(result)) {
		log_error(LOG_NO_IDS,
			  "another daemon has this node's name, or took it for dead: ending");
		abort();
	}
	if (status == PA_OK) {
		k->beat_ns = now_ns;
		renew_leases(k);
	}
	return status;
}

pa_status keeper_stay_alive(struct keeper *k, pa_error *err)
{
	return clock_monotonic_ns() < k->beat_ns + TICK_NS ? PA_OK : beat(k, err);
}

static bool is_granted(const struct db_result *result, int16_t number)
{
	for (size_t row = 0; row < db_rows(result); row++)
		if (db_int64(result, row, 0) == number)
			return true;
	return false;
}

/* Returns true if this node has just begun to send on it: nothing leaves before all that waits in
 * the store is in line. What is in line from an earlier lease may have gone from another node.
 */
static bool note_lease(struct keeper *k, struct channel *channel, bool has_it)
{
	bool is_new = has_it && !channel_is_leased(channel);
	bool is_over = !has_it && atomic_load(&channel->leased_until_ns);

	if (is_new)
		atomic_store(&channel->is_catching_up, true);
	atomic_store(&channel->leased_until_ns, has_it ? k->beat_ns + LEASE_NS : 0);
	if (is_new || is_over)
		dispatch_forget(k->options.dispatch, channel);
	return has_it && atomic_load(&channel->is_catching_up);
}

/* All that waits in the store for the channels of this node gets in line; then it may go. */
static pa_status catch_up(struct keeper *k, pa_error *err)
{
	pa_status status = keeper_sweep_outbox(k, OUTBOX_ALL, err);

	if (status != PA_OK)
		return status;
	for (size_t i = 0; i < k->options.channels->count; i++)
		atomic_store(&k->options.channels->list[i].is_catching_up, false);
	dispatch_resume(k->options.dispatch);
	return PA_OK;
}

static pa_status keep_channels(struct keeper *k, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct channels *channels = k->options.channels;
	int16_t *numbers = ARENA_ARRAY(k->arena, int16_t, channels->count);
	struct db_params *params = keeper_params(k, SQL_CHANNEL_LEASE);
	bool is_behind = false;
	pa_status status;

	for (size_t i = 0; i < channels->count; i++)
		numbers[i] = channels->list[i].number;
	db_bind_int16_array(params, numbers, channels->count);
	db_bind_int64(params, k->node);
	status = keeper_run(k, params, &result, err);
	if (status != PA_OK)
		return status;
	for (size_t i = 0; i < channels->count; i++)
		is_behind |= note_lease(k, &channels->list[i], is_granted(result, numbers[i]));
	return is_behind ? catch_up(k, err) : PA_OK;
}

/* ---- start ---- */

/* What the last process left is in hand before the writer may commit anything new: nobody's older
 * message is overtaken by his newer one. */
static pa_status recover(struct keeper *k, pa_error *err)
{
	pa_status status = beat(k, err);

	if (status == PA_OK)
		status = keep_channels(k, err);
	if (status == PA_OK)
		status = keeper_sweep_work(k, 0, err);
	k->has_recovered = status == PA_OK;
	return status;
}

pa_status keeper_join(struct keeper *k, pa_error *err)
{
	pa_status status = k->node ? PA_OK : register_node(k, err);

	if (status == PA_OK)
		status = tell_keys(k, err);
	if (status == PA_OK && !k->has_recovered)
		status = recover(k, err);
	if (status == PA_OK)
		writer_set_node(k->options.writer, k->node);
	return status;
}

static pa_status start(struct keeper *k, pa_error *err)
{
	static const char *const sets[] = {"keeper", "keys", "overview", NULL};
	pa_status status = queue_connect(k->options.database, "proaltod keeper", sets, &k->db, err);

	if (status == PA_OK)
		status = keeper_run(k, keeper_params(k, SQL_OTHERS_HEAR), NULL, err);
	if (status == PA_OK)
		status = keeper_learn_keys(k, err);
	if (status == PA_OK)
		status = feed_ids(k, err);
	if (status == PA_OK)
		status = number_channels(k, err);
	if (status == PA_OK)
		status = keeper_judge_last(k, err);
	if (status == PA_OK)
		status = keeper_disable_plugins(k, err);
	if (status == PA_OK)
		status = keeper_join(k, err);
	if (status != PA_OK)
		return status;
	if (!k->was_ready)
		log_notice(LOG_NO_IDS, "this node is registered");
	k->was_ready = true;
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

static pa_status set_asides(struct keeper *k, pa_error *err)
{
	struct mail *mail = mailbox_take(&k->box, 0);
	pa_status status = PA_OK;

	while (mail) {
		struct set_aside *aside = (struct set_aside *)(void *)mail;

		mail = mail->next;
		if (status == PA_OK)
			status = keeper_put_aside(k, aside->event, aside->reason, err);
		free(aside);
	}
	return status;
}

static pa_status sweep(struct keeper *k, pa_error *err)
{
	pa_status status = keeper_sweep_work(k, STALE_NS, err);

	return status == PA_OK ? keeper_sweep_outbox(k, OUTBOX_TICK, err) : status;
}

static pa_status tick(struct keeper *k, pa_error *err)
{
	static pa_status (*const each[])(struct keeper *, pa_error *) = {
		beat,
		feed_ids,
		keep_channels,
		set_asides,
		keeper_tell_core_back,
		keeper_fire_timers,
		sweep,
		rotate,
		keeper_look_over,
		keeper_upkeep,
	};
	/* What a node on its way out, or outside, still does. */
	static pa_status (*const last[])(struct keeper *, pa_error *) = {
		feed_ids,
		set_asides,
		keeper_drain_tick,
		keeper_look_over,
	};
	bool is_draining = keeper_is_draining(k);
	size_t count = is_draining ? ARRAY_COUNT(last) : ARRAY_COUNT(each);
	pa_status status = PA_OK;

	for (size_t i = 0; i < count && status == PA_OK; i++)
		status = is_draining ? last[i](k, err) : each[i](k, err);
	k->ticks += status == PA_OK;
	return status;
}

/* ---- between ticks: several nodes ---- */

/* What lies in the store for this node, however new: other nodes put it there, or an event came for
 * a conversation of which that may be so. */
static pa_status take_strays(struct keeper *k, pa_error *err)
{
	pa_status status;

	atomic_store(&k->has_strays, false);
	status = keeper_sweep_work(k, 0, err);
	return status == PA_OK ? keeper_sweep_outbox(k, OUTBOX_RECENT, err) : status;
}

static pa_status tell_others(struct keeper *k, pa_error *err)
{
	struct db_params *params;

	if (clock_monotonic_ns() < k->told_ns + TELL_NS ||
	    !atomic_exchange(&k->has_for_others, false))
		return PA_OK;
	k->told_ns = clock_monotonic_ns();
	params = keeper_params(k, SQL_OTHERS_TELL);
	db_bind_int64(params, k->node);
	return keeper_run(k, params, NULL, err);
}

/* Waits a moment; other nodes' words make it shorter. However many there are, one look into the
 * store is the answer to all. */
static pa_status hear_others(struct keeper *k, pa_error *err)
{
	int wait_ms = LOOK_MS;
	pa_status status;

	do {
		pa_str channel, who;
		int64_t node;

		status = db_wait_notify(k->db, wait_ms, k->arena, &channel, &who, err);
		if (status == PA_OK && (!str_to_int64(who, &node) || node != k->node))
			atomic_store(&k->has_strays, true);
		wait_ms = 0;
	} while (status == PA_OK);
	return status == PA_DEADLINE ? PA_OK : status;
}

static pa_status between_ticks(struct keeper *k, pa_error *err)
{
	pa_status status = hear_others(k, err);

	if (status == PA_OK)
		status = tell_others(k, err);
	if (status == PA_OK && atomic_load(&k->has_strays) && !keeper_is_draining(k))
		status = take_strays(k, err);
	return status;
}

/* ---- the thread ---- */

static void lose_store(struct keeper *k, const pa_error *err)
{
	pthread_mutex_lock(&k->view_lock);
	snprintf(k->view.trouble, sizeof(k->view.trouble), "%s", error_text(err));
	pthread_mutex_unlock(&k->view_lock);
	if (complaint_note(&k->complaint, error_text(err)))
		log_warning(LOG_NO_IDS, "the keeper can't work on the store: %s", error_text(err));
	db_close(k->db);
	k->db = NULL;
}

static void work_once(struct keeper *k)
{
	pa_error err = ERROR_INIT;
	pa_status status = PA_OK;

	arena_reset(k->arena);
	if (!k->db)
		status = start(k, &err);
	if (status == PA_OK)
		status = tick(k, &err);
	if (status != PA_OK)
		lose_store(k, &err);
}

static void pause_once(struct keeper *k)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * NS_PER_MS};
	pa_error err = ERROR_INIT;

	arena_reset(k->arena);
	if (!k->db)
		nanosleep(&pause, NULL);
	else if (between_ticks(k, &err) != PA_OK)
		lose_store(k, &err);
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
			pause_once(k);
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
	keeper_note_last(k, options->last, options->last_count);
	k->arena = arena_new(ARENA_CAP);
	k->started_ns = clock_now_ns();
	complaint_init(&k->complaint);
	mailbox_init(&k->box);
	pthread_mutex_init(&k->view_lock, NULL);
	atomic_store(&k->is_core_back, true);
	if (pthread_create(&k->thread, NULL, keeper_main, k) != 0)
		abort();
	pthread_setname_np(k->thread, "keeper");
	return k;
}

void keeper_stop(struct keeper *k)
{
	atomic_store(&k->is_stopping, true);
	pthread_join(k->thread, NULL);
}

/* Nobody renews the leases since the thread has ended: at worst they run out. */
static void end_node(struct keeper *k)
{
	struct db_params *params;
	pa_error err = ERROR_INIT;

	if (!k->db || !k->node)
		return;
	arena_reset(k->arena);
	params = keeper_params(k, SQL_NODE_END);
	db_bind_int64(params, k->node);
	if (keeper_run(k, params, NULL, &err) != PA_OK)
		log_warning(LOG_NO_IDS, "other nodes wait for this one's leases to run out: %s",
			    error_text(&err));
}

void keeper_free(struct keeper *k)
{
	if (!k)
		return;
	end_node(k);
	for (struct mail *mail = mailbox_take(&k->box, 0), *next; mail; mail = next) {
		next = mail->next;
		free(mail);
	}
	db_close(k->db);
	mailbox_done(&k->box);
	pthread_mutex_destroy(&k->view_lock);
	complaint_done(&k->complaint);
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

void keeper_take_strays(struct keeper *k)
{
	atomic_store(&k->has_strays, true);
}

void keeper_tell_others(struct keeper *k)
{
	atomic_store(&k->has_for_others, true);
}

void keeper_core_back(struct keeper *k)
{
	atomic_store(&k->is_core_back, true);
}

enum rotation_state keeper_rotation(const struct keeper *k)
{
	return (enum rotation_state)atomic_load(&k->rotation_state);
}

struct keeper_view keeper_view(struct keeper *k)
{
	struct keeper_view view;

	pthread_mutex_lock(&k->view_lock);
	view = k->view;
	pthread_mutex_unlock(&k->view_lock);
	return view;
}

uint64_t keeper_late_count(const struct keeper *k)
{
	return atomic_load(&k->late);
}
