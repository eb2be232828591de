/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/keeper_parts.h"

#include "base/err.h"
#include "io/clock.h"
#include "io/log.h"

#include <string.h>

#define DEATHS_ALLOWED 1 /* it is set aside the second time it dies alone */

static pa_status charge_plugin(struct keeper *k, const char *plugin, pa_error *err)
{
	struct db_params *params = keeper_params(k, SQL_PLUGIN_CHARGE);

	db_bind_text(params, str_from(plugin));
	db_bind_time(params, clock_now_ns());
	log_error(LOG_IDS(.plugin = plugin), "the daemon died in a call to this plugin");
	return keeper_run(k, params, NULL, err);
}

pa_status keeper_put_aside(struct keeper *k, int64_t event, const char *reason, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = keeper_params(k, SQL_EVENT_SET_ASIDE);
	pa_status status;

	db_bind_int64(params, event);
	db_bind_time(params, clock_now_ns());
	db_bind_text(params, str_from(reason));
	status = keeper_run(k, params, &result, err);
	if (status == PA_OK && db_rows(result))
		log_error(LOG_IDS(.event = event, .conversation = db_int64(result, 0, 0)),
			  "an event was set aside: %s", reason);
	return status;
}

/* An event the last process had in hand when it died. */
static pa_status charge_event(struct keeper *k, const struct flight *flight, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = keeper_params(k, SQL_DEATH_CHARGE);
	pa_status status;

	if (!flight->is_culprit && !k->died_alone)
		return PA_OK;
	db_bind_int64(params, flight->event);
	status = keeper_run(k, params, &result, err);
	if (status == PA_OK && db_rows(result) && db_int64(result, 0, 0) > DEATHS_ALLOWED)
		status = keeper_put_aside(k, flight->event, "the daemon died twice with it in hand",
					  err);
	return status;
}

/* Nobody's fatal signal, and just one event in hand: it is the one to blame. */
static bool died_alone(const struct flight *last, size_t count)
{
	size_t events = 0;

	for (size_t i = 0; i < count; i++) {
		if (last[i].is_culprit)
			return false;
		events += last[i].event != 0;
	}
	return events == 1;
}

void keeper_note_last(struct keeper *k, const struct flight *last, size_t count)
{
	k->last_count = count < FLIGHT_SLOTS ? count : FLIGHT_SLOTS;
	memcpy(k->last, last, k->last_count * sizeof(*last));
	k->died_alone = died_alone(k->last, k->last_count);
}

static pa_status judge(struct keeper *k, struct flight *flight, pa_error *err)
{
	pa_status status = PA_OK;

	if (flight->plugin[0] && flight->is_culprit)
		status = charge_plugin(k, flight->plugin, err);
	if (status != PA_OK)
		return status;
	flight->plugin[0] = '\0';
	return flight->event ? charge_event(k, flight, err) : PA_OK;
}

/* Whatever was charged is forgotten at once: if the store goes away in between, the next try goes
 * on with the rest. So each flight becomes a suspect once at most. */
pa_status keeper_judge_last(struct keeper *k, pa_error *err)
{
	while (k->last_count) {
		struct flight *flight = &k->last[k->last_count - 1];
		pa_status status = judge(k, flight, err);

		if (status != PA_OK)
			return status;
		if (flight->event)
			k->suspects[k->suspects_count++] = flight->event;
		k->last_count--;
	}
	return PA_OK;
}

pa_status keeper_disable_plugins(struct keeper *k, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = keeper_params(k, SQL_PLUGIN_CHARGES);
	pa_status status;

	db_bind_time(params, clock_now_ns());
	status = keeper_run(k, params, &result, err);
	for (size_t i = 0; status == PA_OK && i < db_rows(result); i++) {
		const char *plugin;

		if (arena_cstr(k->arena, db_str(result, i, 0), &plugin) == PA_OK)
			k->options.disable_plugin(k->options.arg, plugin);
	}
	return status;
}
