/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/keeper_parts.h"

#include "io/log.h"

#define QUIET_TICKS 2 /* a delivery may be between two hands when it is looked */

void keeper_drain(struct keeper *k, bool is_wanted)
{
	atomic_store(&k->wants_drain, is_wanted);
}

enum keeper_phase keeper_phase(const struct keeper *k)
{
	return (enum keeper_phase)atomic_load(&k->phase);
}

bool keeper_is_draining(struct keeper *k)
{
	return atomic_load(&k->wants_drain) || keeper_phase(k) != KEEPER_SERVING;
}

static void enter(struct keeper *k, enum keeper_phase phase)
{
	k->quiet_ticks = 0;
	atomic_store(&k->phase, phase);
}

/* Whether nothing is left to end, for a while now. */
static bool is_quiet(struct keeper *k)
{
	bool is_now = k->options.is_idle(k->options.arg) && !writer_backlog(k->options.writer);

	if (is_now && keeper_phase(k) == KEEPER_SENDING_OFF)
		is_now = !dispatch_under_way(k->options.dispatch);
	k->quiet_ticks = is_now ? k->quiet_ticks + 1 : 0;
	return k->quiet_ticks >= QUIET_TICKS;
}

/* Leases end with the node's row, all at once, as after its death; messages that wait here are in
 * the store. */
static pa_status leave(struct keeper *k, pa_error *err)
{
	struct db_params *params = keeper_params(k, SQL_NODE_END);
	pa_status status;

	db_bind_int64(params, k->node);
	status = keeper_run(k, params, NULL, err);
	if (status != PA_OK)
		return status;
	for (size_t i = 0; i < k->options.channels->count; i++)
		atomic_store(&k->options.channels->list[i].leased_until_ns, 0);
	dispatch_resume(k->options.dispatch);
	enter(k, KEEPER_DRAINED);
	log_notice(LOG_NO_IDS, "this node is drained: others do its work");
	keeper_tell_others(k);
	return PA_OK;
}

static pa_status come_back(struct keeper *k, pa_error *err)
{
	pa_status status = PA_OK;

	if (keeper_phase(k) == KEEPER_DRAINED) {
		k->node = 0;
		k->has_recovered = false;
		status = keeper_join(k, err);
	}
	if (status != PA_OK)
		return status;
	enter(k, KEEPER_SERVING);
	dispatch_hold(k->options.dispatch, false);
	k->options.set_door(k->options.arg, true);
	log_notice(LOG_NO_IDS, "this node serves again");
	return PA_OK;
}

/* The last things of a node that others still believe in. */
static pa_status live_on(struct keeper *k, pa_error *err)
{
	pa_status status = keeper_stay_alive(k, err);

	if (status == PA_OK && writer_awaits_sweep(k->options.writer))
		status = keeper_sweep_work(k, 0, err);
	return status;
}

pa_status keeper_drain_tick(struct keeper *k, pa_error *err)
{
	pa_status status;

	if (!atomic_load(&k->wants_drain))
		return come_back(k, err);
	if (keeper_phase(k) == KEEPER_DRAINED)
		return PA_OK;
	status = live_on(k, err);
	if (status != PA_OK)
		return status;
	if (keeper_phase(k) == KEEPER_SERVING) {
		k->options.set_door(k->options.arg, false);
		enter(k, KEEPER_DRAINING);
		log_notice(LOG_NO_IDS, "this node takes no new work");
	} else if (is_quiet(k) && keeper_phase(k) == KEEPER_DRAINING) {
		dispatch_hold(k->options.dispatch, true);
		enter(k, KEEPER_SENDING_OFF);
	} else if (k->quiet_ticks >= QUIET_TICKS) {
		return leave(k, err);
	}
	return PA_OK;
}
