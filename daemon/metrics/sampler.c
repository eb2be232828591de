/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/sampler.h"

#include "base/err.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/log.h"
#include "queue/connect.h"

#include <pthread.h>
#include <stdlib.h>

#define PATIENCE_NS NS_PER_S   /* of who asks ... */
#define FRESH_NS NS_PER_MINUTE /* ... who then takes an earlier look, if it is not older */
#define ARENA_CAP ((size_t)1 << 20)

struct sampler {
	const char *database;
	const struct channels *channels;
	struct db *db; /* the thread's own, as the next */
	bool is_away;  /* and it was told */
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	bool is_wanted;
	bool is_stopping;
	uint64_t looks;
	struct sample last;
};

/* queue_connect() has looked at it already. */
static pa_status look_at_schema(struct db *db, struct arena *arena, struct sample *sample,
				pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	pa_status status = db_run(db, db_params_new(arena, SQL_SCHEMA_RANGE), &result, err);

	if (status == PA_OK)
		sample->schema = db_int64(result, 0, 0);
	return status;
}

static pa_status look_at_store(struct db *db, struct arena *arena, struct sample *sample,
			       pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	pa_status status = db_run(db, db_params_new(arena, SQL_METRICS_STORE), &result, err);

	if (status != PA_OK)
		return status;
	sample->work = db_int64(result, 0, 0);
	sample->work_oldest_ns = db_time_ns(result, 0, 1);
	sample->timers = db_int64(result, 0, 2);
	sample->timer_first_ns = db_time_ns(result, 0, 3);
	sample->set_aside = db_int64(result, 0, 4);
	sample->nodes = db_int64(result, 0, 5);
	return PA_OK;
}

static pa_status look_at_outbox(struct db *db, struct arena *arena, const struct channels *channels,
				struct sample *sample, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	pa_status status = db_run(db, db_params_new(arena, SQL_METRICS_OUTBOX), &result, err);

	if (status != PA_OK)
		return status;
	for (size_t row = 0; row < db_rows(result); row++) {
		const struct channel *channel = channel_by_name(channels, db_str(result, row, 0));
		size_t at = channel ? (size_t)(channel - channels->list) : CONFIG_CHANNELS_MAX;

		if (at == CONFIG_CHANNELS_MAX) /* other nodes may have others */
			continue;
		sample->outbox[at].open = db_int64(result, row, 1);
		sample->outbox[at].oldest_ns = db_time_ns(result, row, 2);
	}
	return PA_OK;
}

static pa_status look(struct sampler *sampler, struct sample *sample, pa_error *err)
{
	static const char *const sets[] = {"metrics", NULL};
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ARENA_CAP);
	pa_status status = PA_OK;

	if (!sampler->db) {
		status = queue_connect(sampler->database, "proaltod metrics", sets, &sampler->db,
				       err);
		if (status == PA_OK)
			status = db_set(sampler->db, "statement_timeout", "5s", err);
	}
	if (status == PA_OK)
		status = look_at_schema(sampler->db, arena, sample, err);
	if (status == PA_OK)
		status = look_at_store(sampler->db, arena, sample, err);
	if (status == PA_OK)
		status = look_at_outbox(sampler->db, arena, sampler->channels, sample, err);
	return status;
}

/* Nobody is told of a store that is away more than once. */
static void tell_away(struct sampler *sampler, const pa_error *err)
{
	if (!sampler->is_away)
		log_warning(LOG_NO_IDS, "metrics can't look into the store: %s", error_text(err));
	sampler->is_away = true;
	db_close(sampler->db);
	sampler->db = NULL;
}

static void look_once(struct sampler *sampler)
{
	struct sample sample = {0};
	pa_error err = ERROR_INIT;
	bool is_seen = look(sampler, &sample, &err) == PA_OK;

	if (is_seen)
		sampler->is_away = false;
	else
		tell_away(sampler, &err);
	sample.taken_ns = clock_monotonic_ns();
	pthread_mutex_lock(&sampler->lock);
	if (is_seen) /* else the one before is told, while it is fresh */
		sampler->last = sample;
	sampler->looks++;
	pthread_cond_broadcast(&sampler->changed);
	pthread_mutex_unlock(&sampler->lock);
}

static bool await_question(struct sampler *sampler)
{
	bool is_stopping;

	pthread_mutex_lock(&sampler->lock);
	while (!sampler->is_wanted && !sampler->is_stopping)
		pthread_cond_wait(&sampler->changed, &sampler->lock);
	sampler->is_wanted = false;
	is_stopping = sampler->is_stopping;
	pthread_mutex_unlock(&sampler->lock);
	return !is_stopping;
}

static void *sampler_main(void *arg)
{
	struct sampler *sampler = arg;

	while (await_question(sampler))
		look_once(sampler);
	return NULL;
}

struct sampler *sampler_new(const char *database, const struct channels *channels)
{
	struct sampler *sampler = calloc(1, sizeof(*sampler));
	pthread_condattr_t attributes;

	if (!sampler)
		abort();
	sampler->database = database;
	sampler->channels = channels;
	pthread_mutex_init(&sampler->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&sampler->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&sampler->thread, NULL, sampler_main, sampler) != 0)
		abort();
	pthread_setname_np(sampler->thread, "sampler");
	return sampler;
}

void sampler_free(struct sampler *sampler)
{
	if (!sampler)
		return;
	pthread_mutex_lock(&sampler->lock);
	sampler->is_stopping = true;
	pthread_cond_broadcast(&sampler->changed);
	pthread_mutex_unlock(&sampler->lock);
	pthread_join(sampler->thread, NULL);
	db_close(sampler->db);
	pthread_cond_destroy(&sampler->changed);
	pthread_mutex_destroy(&sampler->lock);
	free(sampler);
}

bool sampler_look(struct sampler *sampler, struct sample *ret)
{
	int64_t now_ns = clock_monotonic_ns(), until_ns = now_ns + PATIENCE_NS;
	struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};
	uint64_t looks;
	int waited = 0;

	pthread_mutex_lock(&sampler->lock);
	looks = sampler->looks;
	sampler->is_wanted = true;
	pthread_cond_broadcast(&sampler->changed);
	while (sampler->looks == looks && waited == 0)
		waited = pthread_cond_timedwait(&sampler->changed, &sampler->lock, &until);
	*ret = sampler->last;
	pthread_mutex_unlock(&sampler->lock);
	return ret->taken_ns && now_ns - ret->taken_ns < FRESH_NS;
}
