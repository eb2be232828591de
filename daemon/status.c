/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include "base/calendar.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/schema.h"
#include "io/tls.h"

#define MAX_STUCK 8 /* told of */
#define ARENA_CAP ((size_t)1 << 20)

static void set_count(struct json *reply, const char *key, uint64_t value)
{
	json_set_integer(reply, key, (int64_t)value);
}

static void set_time(struct json *object, const char *key, int64_t at_ns)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ARENA_CAP);

	json_set_text(object, key, at_ns ? instant_iso(arena, at_ns) : PA_STR_ABSENT);
}

/* Of what has waited since then. */
static void set_age(struct json *object, const char *key, int64_t since_ns)
{
	int64_t age_ns = since_ns ? clock_now_ns() - since_ns : 0;

	json_set_integer(object, key, age_ns > 0 ? age_ns / NS_PER_MS : 0);
}

/* ---- channels ---- */

static struct json *last_error_json(const struct outlet_report *report)
{
	struct json *error = json_object_new();

	set_time(error, "at", report->failed_ns);
	json_set_integer(error, "code", report->code);
	json_set_text(error, "reason", str_from(report->reason));
	return error;
}

static struct json *channel_json(struct commands *commands, const struct channel *channel)
{
	struct outlet_report report = queue_outlet(commands->queue, channel);
	struct json *json = json_object_new();

	json_set_text(json, "name", str_from(channel->name));
	json_set_text(json, "plugin", str_from(channel->config->plugin));
	json_set_bool(json, "healthy", channel_is_healthy(channel));
	json_set_bool(json, "leased", channel_is_leased(channel));
	json_set_bool(json, "disabled", atomic_load(&channel->is_disabled));
	json_set_integer(json, "paused_ms", report.paused_ms);
	set_time(json, "last_sent_at", report.sent_ns);
	if (report.failed_ns)
		json_set(json, "last_error", last_error_json(&report));
	return json;
}

static struct json *channels_json(struct commands *commands)
{
	const struct channels *channels = &commands->house->channels;
	struct json *list = json_array_new();

	for (size_t i = 0; i < channels->count; i++)
		json_append(list, channel_json(commands, &channels->list[i]));
	return list;
}

/* ---- plugins and the core ---- */

/* Calls that were written off. */
static struct json *stuck_json(const struct house *house)
{
	struct host_stuck calls[MAX_STUCK];
	size_t count =
		host_stuck(house->host, house->config->stuck_after_ms, calls, ARRAY_COUNT(calls));
	struct json *list = json_array_new();

	for (size_t i = 0; i < count && i < ARRAY_COUNT(calls); i++) {
		struct json *call = json_object_new();

		json_set_text(call, "plugin", str_from(calls[i].plugin));
		json_set_text(call, "call", str_from(calls[i].what));
		json_set_integer(call, "late_ms", calls[i].late_ms);
		json_append(list, call);
	}
	return list;
}

static const char *core_word(const struct house *house)
{
	static const char *const words[] = {
		[CORE_UP] = "up", [CORE_TRYING] = "trying", [CORE_DOWN] = "down"};

	return house->core ? words[core_health(house->core)] : "none";
}

static const char *rotation_word(enum rotation_state state)
{
	static const char *const words[] = {[ROTATION_NONE] = "settled",
					    [ROTATION_WAITING] = "waiting for other nodes",
					    [ROTATION_SEALING] = "sealing anew"};

	return words[state];
}

static bool is_disabled(const struct plugin *plugin)
{
	return plugin && plugin_is_disabled(plugin);
}

/* ---- the store ---- */

static struct json *nodes_json(const struct overview *overview)
{
	struct json *list = json_array_new();

	for (size_t i = 0; i < overview->nodes_count; i++) {
		const struct overview_node *node = &overview->nodes[i];
		struct json *json = json_object_new();

		json_set_text(json, "name", str_from(node->name));
		json_set_bool(json, "alive", node->is_alive);
		set_time(json, "started_at", node->started_ns);
		json_append(list, json);
	}
	return list;
}

static void set_store(struct json *reply, const struct queue_status *status)
{
	const struct overview *overview = &status->store.overview;
	const char *trouble =
		status->store.trouble[0] ? status->store.trouble : status->complaint.text;

	json_set_bool(reply, "store", status->is_store_there);
	if (trouble[0])
		json_set_text(reply, "store_error", str_from(trouble));
	json_set_integer(reply, "schema_oldest", schema_oldest());
	json_set_integer(reply, "schema_newest", schema_newest());
	set_time(reply, "store_seen_at", overview->read_ns);
	json_set_integer(reply, "stored_events", overview->events);
	set_age(reply, "stored_events_oldest_ms", overview->events_oldest_ns);
	json_set_integer(reply, "stored_messages", overview->messages);
	set_age(reply, "stored_messages_oldest_ms", overview->messages_oldest_ns);
	json_set_integer(reply, "uncertain_now", overview->uncertain);
	json_set_integer(reply, "set_aside", overview->set_aside);
	json_set(reply, "nodes", nodes_json(overview));
}

static void set_counts(struct json *reply, const struct queue_status *status)
{
	set_count(reply, "conversations_in_memory", status->conversations.in_memory);
	set_count(reply, "conversations_waiting",
		  status->conversations.queued + status->conversations.held);
	set_count(reply, "conversations_parked", status->conversations.parked);
	json_set_integer(reply, "oldest_waiting_ms", status->conversations.oldest_ns / NS_PER_MS);
	set_count(reply, "messages_waiting", status->dispatch.waiting);
	set_count(reply, "sent", status->dispatch.sent);
	set_count(reply, "retried", status->dispatch.retried);
	set_count(reply, "failed", status->dispatch.failed);
	set_count(reply, "refused", status->dispatch.refused);
	set_count(reply, "uncertain", status->dispatch.uncertain);
	set_count(reply, "possible_duplicates", status->dispatch.possible_duplicates);
	set_count(reply, "deliveries", status->intake.posts);
	set_count(reply, "deliveries_refused", status->intake.refused);
	set_count(reply, "deliveries_forged", status->intake.forged);
	set_count(reply, "turns", status->turns.turns);
	set_count(reply, "turns_failed", status->turns.failures);
	set_count(reply, "late_answers", status->late);
}

const char *status_phase_word(enum keeper_phase phase)
{
	static const char *const words[] = {[KEEPER_SERVING] = "serving",
					    [KEEPER_DRAINING] = "draining",
					    [KEEPER_SENDING_OFF] = "draining",
					    [KEEPER_LEAVING] = "draining",
					    [KEEPER_DRAINED] = "drained"};

	return words[phase];
}

void status_fill(struct commands *commands, struct json *reply)
{
	struct queue_status status = queue_status(commands->queue);
	struct queue_drain_status drain = queue_drain_status(commands->queue);

	json_set_text(reply, "state", str_from(status_phase_word(drain.phase)));
	json_set_text(reply, "version", PA_STR(PROALTO_VERSION));
	json_set_text(reply, "node", str_from(commands->house->config->node));
	set_time(reply, "now", clock_now_ns());
	set_time(reply, "started_at", commands->started_ns);
	set_time(reply, "last_reload_at", commands->reloaded_ns);
	json_set_bool(reply, "last_reload_refused", commands->is_reload_refused);
	set_time(reply, "certificate_ends_at", commands->tls ? tls_ends_ns(commands->tls) : 0);
	set_store(reply, &status);
	json_set_text(reply, "master_key", str_from(rotation_word(status.rotation)));
	json_set_text(reply, "core", str_from(core_word(commands->house)));
	json_set_bool(reply, "core_disabled", is_disabled(commands->house->backend));
	json_set_bool(reply, "language_disabled", is_disabled(commands->house->language));
	json_set(reply, "stuck_calls", stuck_json(commands->house));
	json_set(reply, "channels", channels_json(commands));
	set_counts(reply, &status);
}
