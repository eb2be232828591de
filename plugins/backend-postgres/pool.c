/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct pool {
	pthread_mutex_t lock; /* guards the four below */
	pthread_cond_t freed;
	struct link *idle[POOL_MAX]; /* the last one given is the first one taken */
	size_t idle_count;
	size_t in_use;
	size_t max;
	char *connection;
	char *password;
};

static char *copy_or_null(const char *text)
{
	char *copy = text ? strdup(text) : NULL;
	if (text != NULL && copy == NULL)
		abort();
	return copy;
}

struct pool *pg_pool_new(const struct link_target *target, size_t max)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	if (pool == NULL)
		abort();
	pool->max = max;
	pool->connection = copy_or_null(target->connection);
	pool->password = copy_or_null(target->password);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->freed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return pool;
}

void pg_pool_free(struct pool *pool)
{
	if (pool == NULL)
		return;
	assert(pool->in_use == 0);
	while (pool->idle_count > 0)
		pg_link_close(pool->idle[--pool->idle_count]);
	pthread_cond_destroy(&pool->freed);
	pthread_mutex_destroy(&pool->lock);
	if (pool->password != NULL)
		explicit_bzero(pool->password, strlen(pool->password));
	free(pool->password);
	free(pool->connection);
	free(pool);
}

static struct timespec time_in(int64_t ms)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += (time_t)(ms / 1000);
	at.tv_nsec += (long)(ms % 1000) * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

/* Waits for the right to use one connection; *ret is an idle one, or NULL where a new one may be
 * opened. The lock is held. */
static pa_status reserve(struct pool *pool, const struct when *when, struct link **ret,
			 pa_error *err)
{
	while (pool->in_use == pool->max) {
		int64_t left_ms = when->host->remaining_ms(when->call);
		if (left_ms <= 0)
			return pg_fail(err, PA_DEADLINE, "all %zu connections to the core are busy",
				       pool->max);
		struct timespec until = time_in(left_ms);
		(void)pthread_cond_timedwait(&pool->freed, &pool->lock, &until);
	}
	pool->in_use++;
	*ret = pool->idle_count > 0 ? pool->idle[--pool->idle_count] : NULL;
	return PA_OK;
}

pa_status pg_pool_take(struct pool *pool, const struct when *when, struct link **ret, pa_error *err)
{
	struct link *link = NULL;
	pthread_mutex_lock(&pool->lock);
	pa_status status = reserve(pool, when, &link, err);
	pthread_mutex_unlock(&pool->lock);
	if (status != PA_OK)
		return status;
	if (link != NULL && !pg_link_is_alive(link)) {
		pg_link_close(link);
		link = NULL;
	}
	if (link == NULL)
		status = pg_link_open(&(struct link_target){pool->connection, pool->password}, when,
				      &link, err);
	if (status != PA_OK)
		pg_pool_give(pool, NULL, false);
	else
		*ret = link;
	return status;
}

void pg_pool_give(struct pool *pool, struct link *link, bool is_sound)
{
	if (!is_sound)
		pg_link_close(link);
	pthread_mutex_lock(&pool->lock);
	assert(pool->in_use > 0);
	pool->in_use--;
	if (is_sound)
		pool->idle[pool->idle_count++] = link;
	pthread_cond_signal(&pool->freed);
	pthread_mutex_unlock(&pool->lock);
}
