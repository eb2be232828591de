/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/keeper_parts.h"

#include "base/err.h"
#include "io/clock.h"
#include "io/log.h"
#include "queue/connect.h"
#include "queue/ids.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TICK_NS NS_PER_S
#define FEED_TICK_NS (100 * NS_PER_MS) /* while ids run low */
#define ALIVE_MS 10000
#define LATE_NS (20 * NS_PER_S)
#define ARENA_CAP ((size_t)64 << 20)
#define DEDUP_NS (9 * NS_PER_DAY) /* Meta repeats for 7 days */
#define UPKEEP_TICKS 3600

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

/* ---- sign of life, leases, timers ---- */

/* Whoever was declared dead must not write any more: the fence would stop it, and so do we. */
static pa_status beat(struct keeper *k, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = keeper_params(k, SQL_NODE_BEAT);
	pa_status status;

	db_bind_int64(params, k->node);
	db_bind_int64(params, ALIVE_MS);
	status = keeper_run(k, params, &result, err);
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
	struct db_params *params = keeper_params(k, SQL_CHANNEL_LEASE);
	pa_status status;

	for (size_t i = 0; i < channels->count; i++)
		numbers[i] = channels->list[i].number;
	db_bind_int16_array(params, numbers, channels->count);
	db_bind_int64(params, k->node);
	status = keeper_run(k, params, &result, err);
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

/* ---- start ---- */

/* What the last process left is in hand before the writer may commit anything new: nobody's older
 * message is overtaken by his newer one. */
static pa_status recover(struct keeper *k, pa_error *err)
{
	pa_status status = keep_channels(k, err);

	if (status == PA_OK)
		status = keeper_sweep_outbox(k, err);
	if (status == PA_OK)
		status = keeper_sweep_work(k, err);
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
		status = keeper_judge_last(k, err);
	if (status == PA_OK)
		status = keeper_disable_plugins(k, err);
	if (status == PA_OK && !k->node)
		status = register_node(k, err);
	if (status == PA_OK && !k->has_recovered)
		status = recover(k, err);
	if (status != PA_OK)
		return status;
	writer_set_node(k->options.writer, k->node);
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

static pa_status upkeep(struct keeper *k, pa_error *err)
{
	struct db_result *stray PA_CLEANUP(db_result_done) = NULL;
	int64_t now_ns = clock_now_ns();
	struct db_params *params = keeper_params(k, SQL_PARTITIONS_MAKE);
	pa_status status;

	db_bind_time(params, now_ns);
	status = keeper_run(k, params, NULL, err);
	if (status == PA_OK)
		status = keeper_run(k, keeper_params(k, SQL_PARTITIONS_STRAY), &stray, err);
	if (status == PA_OK && db_int64(stray, 0, 0))
		log_error(LOG_NO_IDS, "rows lie in a default partition: a month's was missing");
	params = keeper_params(k, SQL_DEDUP_EXPIRE);
	db_bind_time(params, now_ns - DEDUP_NS);
	db_bind_int64(params, 100000);
	return status == PA_OK ? keeper_run(k, params, NULL, err) : status;
}

static pa_status wipe_secrets(struct keeper *k, pa_error *err)
{
	struct db_params *params = keeper_params(k, SQL_SECRET_WIPE);

	db_bind_time(params, clock_now_ns());
	return keeper_run(k, params, NULL, err);
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

static pa_status tick(struct keeper *k, pa_error *err)
{
	static pa_status (*const each[])(struct keeper *, pa_error *) = {
		beat,
		feed_ids,
		keep_channels,
		set_asides,
		keeper_tell_core_back,
		keeper_fire_timers,
		keeper_sweep_work,
		keeper_sweep_outbox,
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
	atomic_store(&k->is_core_back, true);
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

void keeper_core_back(struct keeper *k)
{
	atomic_store(&k->is_core_back, true);
}

uint64_t keeper_late_count(const struct keeper *k)
{
	return atomic_load(&k->late);
}
