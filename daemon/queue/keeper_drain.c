/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/keeper_parts.h"

#include "io/clock.h"
#include "io/log.h"

#define QUIET_TICKS 2 /* a delivery may be between two hands when it is looked */
#define TURNS_NS (30 * NS_PER_S)
#define ANSWERS_NS (5 * NS_PER_S) /* for outcomes, beyond the longest attempt */

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
	k->phase_ns = clock_monotonic_ns();
	atomic_store(&k->phase, phase);
}

/* Whether nothing is left to end, for a while now. */
static bool is_quiet(struct keeper *k)
{
	bool is_now = !writer_backlog(k->options.writer);

	if (is_now && !k->was_cut_short)
		is_now = k->options.is_idle(k->options.arg);
	if (is_now && keeper_phase(k) == KEEPER_SENDING_OFF)
		is_now = !dispatch_under_way(k->options.dispatch);
	k->quiet_ticks = is_now ? k->quiet_ticks + 1 : 0;
	return k->quiet_ticks >= QUIET_TICKS;
}

/* How long a phase may last: whoever waits longer keeps everyone else from the channels. */
static int64_t patience_ns(const struct keeper *k)
{
	const struct channels *channels = k->options.channels;
	int64_t longest_ms = 0;

	if (keeper_phase(k) == KEEPER_DRAINING)
		return TURNS_NS;
	for (size_t i = 0; i < channels->count; i++)
		if (channels->list[i].config->attempt_timeout_ms > longest_ms)
			longest_ms = channels->list[i].config->attempt_timeout_ms;
	return longest_ms * NS_PER_MS + ANSWERS_NS;
}

/* Whether the next phase may begin. What is left behind is treated as after a death. */
static bool has_ended(struct keeper *k)
{
	if (is_quiet(k))
		return true;
	if (clock_monotonic_ns() < k->phase_ns + patience_ns(k))
		return false;
	if (!k->was_cut_short)
		log_warning(LOG_NO_IDS, "not everything ends in time: this node leaves it behind");
	k->was_cut_short = true;
	return true;
}

/* Leases end with the node's row, all at once, as after its death; messages that wait here are in
 * the store. Asked again if the answer was lost; no sign of life in between. */
static pa_status leave(struct keeper *k, pa_error *err)
{
	struct channels *channels = k->options.channels;
	struct db_params *params = keeper_params(k, SQL_NODE_END);
	pa_status status;

	enter(k, KEEPER_LEAVING);
	db_bind_int64(params, k->node);
	status = keeper_run(k, params, NULL, err);
	if (status != PA_OK)
		return status;
	for (size_t i = 0; i < channels->count; i++) {
		atomic_store(&channels->list[i].leased_until_ns, 0);
		dispatch_forget(k->options.dispatch, &channels->list[i]);
	}
	enter(k, KEEPER_DRAINED);
	log_notice(LOG_NO_IDS, "this node is drained: others do its work");
	keeper_tell_others(k);
	return PA_OK;
}

static pa_status come_back(struct keeper *k, pa_error *err)
{
	pa_status status = PA_OK;

	if (keeper_phase(k) == KEEPER_LEAVING)
		status = leave(k, err);
	if (status == PA_OK && keeper_phase(k) == KEEPER_DRAINED) {
		k->node = 0;
		k->has_recovered = false;
		status = keeper_learn_keys(k, err); /* nobody waited for it to have a new one */
		if (status == PA_OK)
			status = keeper_join(k, err);
	}
	if (status != PA_OK)
		return status;
	k->was_cut_short = false;
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

/* One step further, when the time for it has come. */
static pa_status go_on(struct keeper *k, pa_error *err)
{
	switch (keeper_phase(k)) {
	case KEEPER_SERVING:
		k->options.set_door(k->options.arg, false);
		enter(k, KEEPER_DRAINING);
		log_notice(LOG_NO_IDS, "this node takes no new work");
		return PA_OK;
	case KEEPER_DRAINING:
		if (has_ended(k)) {
			dispatch_hold(k->options.dispatch, true);
			enter(k, KEEPER_SENDING_OFF);
		}
		return PA_OK;
	case KEEPER_SENDING_OFF:
		return has_ended(k) ? leave(k, err) : PA_OK;
	case KEEPER_LEAVING:
	case KEEPER_DRAINED:
		break;
	}
	return PA_OK;
}

pa_status keeper_drain_tick(struct keeper *k, pa_error *err)
{
	pa_status status;

	if (!atomic_load(&k->wants_drain))
		return come_back(k, err);
	if (keeper_phase(k) == KEEPER_DRAINED)
		return PA_OK;
	if (keeper_phase(k) == KEEPER_LEAVING)
		return leave(k, err);
	status = live_on(k, err);
	return status == PA_OK ? go_on(k, err) : status;
}
