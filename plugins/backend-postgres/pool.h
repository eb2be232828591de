/* SPDX-License-Identifier: Apache-2.0
 *
 * pool.h: the few connections of one instance. A thread takes one for the length of a call and
 * gives it back; there are never more than the maximum, and none before the first call.
 *
 *	if (pg_pool_take(pool, when, &link, err) != PA_OK) ...
 *	status = pg_link_query(link, ...);
 *	pg_pool_give(pool, link, status == PA_OK);
 *
 * One mutex guards the list of idle links and the count; nothing slow happens under it.
 */
#ifndef BACKEND_POSTGRES_POOL_H
#define BACKEND_POSTGRES_POOL_H

#include "link.h"

#define POOL_MAX 64

struct pool;

/* target's strings are copied; 1 <= max <= POOL_MAX. */
struct pool *pg_pool_new(const struct link_target *target, size_t max);

/* Closes all links; none may be taken. NULL is fine. */
void pg_pool_free(struct pool *pool);

/* An idle link that is still alive, or a new one, or the next that is given back. PA_DEADLINE: all
 * were busy to the end; otherwise as pg_link_open(). */
pa_status pg_pool_take(struct pool *pool, const struct when *when, struct link **ret,
		       pa_error *err) MUST_USE;

/* Back with it; closed unless it is sound. */
void pg_pool_give(struct pool *pool, struct link *link, bool is_sound);

#endif
