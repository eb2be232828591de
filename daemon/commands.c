/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "base/err.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/log.h"
#include "queue/operator.h"

#define RELOAD_ARENA_CAP ((size_t)16 << 20)
#define CONTROL_GROUP "proalto-admin"
#define MAX_STUCK 8            /* told of */
#define MAX_ADVANCE_S 34560000 /* 400 days */

pa_status commands_reload(struct commands *commands, struct arena *arena, pa_str *ret_report)
{
	pa_status status;
	pa_str rest;

	notify_reloading();
	status = house_reload(commands->house, commands->config_path, arena, ret_report);
	rest = *ret_report;
	while (rest.len) {
		pa_str line = str_split(&rest, '\n');

		log_line(status == PA_OK ? 4 : 3, LOG_NO_IDS, "reload: %.*s", PA_FMT(line));
	}
	log_notice(LOG_NO_IDS, status == PA_OK ? "the configuration was read again"
					       : "the old configuration stays in force");
	notify_ready();
	return status;
}

static pa_status on_reload(void *arg, const struct json *request, struct json *reply, pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(RELOAD_ARENA_CAP);
	struct json *report = json_array_new();
	pa_str rest;
	pa_status status;

	(void)request;
	(void)err;
	status = commands_reload(arg, arena, &rest);
	while (rest.len)
		json_append_text(report, str_split(&rest, '\n'));
	json_set_bool(reply, "reloaded", status == PA_OK);
	json_set(reply, "report", report);
	return PA_OK;
}

static struct json *channels_json(const struct channels *channels)
{
	struct json *list = json_array_new();

	for (size_t i = 0; i < channels->count; i++) {
		struct json *channel = json_object_new();

		json_set_text(channel, "name", str_from(channels->list[i].name));
		json_set_text(channel, "plugin", str_from(channels->list[i].config->plugin));
		json_set_bool(channel, "healthy", channel_is_healthy(&channels->list[i]));
		json_set_bool(channel, "leased", channel_is_leased(&channels->list[i]));
		json_set_bool(channel, "disabled", atomic_load(&channels->list[i].is_disabled));
		json_append(list, channel);
	}
	return list;
}

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

static const char *core_word(const struct commands *commands)
{
	static const char *const words[] = {
		[CORE_UP] = "up", [CORE_TRYING] = "trying", [CORE_DOWN] = "down"};

	return commands->house->core ? words[core_health(commands->house->core)] : "none";
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

static void set_count(struct json *reply, const char *key, uint64_t value)
{
	json_set_integer(reply, key, (int64_t)value);
}

static pa_status on_status(void *arg, const struct json *request, struct json *reply, pa_error *err)
{
	struct commands *commands = arg;
	struct queue_status status = queue_status(commands->queue);

	(void)request;
	(void)err;
	json_set_text(reply, "version", PA_STR(PROALTO_VERSION));
	json_set_bool(reply, "store", status.is_store_there);
	json_set_text(reply, "master_key", str_from(rotation_word(status.rotation)));
	json_set_text(reply, "core", str_from(core_word(commands)));
	json_set_bool(reply, "core_disabled", is_disabled(commands->house->backend));
	json_set_bool(reply, "language_disabled", is_disabled(commands->house->language));
	json_set(reply, "stuck_calls", stuck_json(commands->house));
	json_set(reply, "channels", channels_json(&commands->house->channels));
	set_count(reply, "conversations_in_memory", status.conversations.in_memory);
	set_count(reply, "conversations_waiting",
		  status.conversations.queued + status.conversations.held);
	set_count(reply, "conversations_parked", status.conversations.parked);
	json_set_integer(reply, "oldest_waiting_ms", status.conversations.oldest_ns / NS_PER_MS);
	set_count(reply, "messages_waiting", status.dispatch.waiting);
	set_count(reply, "sent", status.dispatch.sent);
	set_count(reply, "retried", status.dispatch.retried);
	set_count(reply, "failed", status.dispatch.failed);
	set_count(reply, "refused", status.dispatch.refused);
	set_count(reply, "uncertain", status.dispatch.uncertain);
	set_count(reply, "possible_duplicates", status.dispatch.possible_duplicates);
	set_count(reply, "deliveries", status.intake.posts);
	set_count(reply, "deliveries_refused", status.intake.refused);
	set_count(reply, "deliveries_forged", status.intake.forged);
	set_count(reply, "turns", status.turns.turns);
	set_count(reply, "turns_failed", status.turns.failures);
	set_count(reply, "late_answers", status.late);
	return PA_OK;
}

static pa_status on_log_level(void *arg, const struct json *request, struct json *reply,
			      pa_error *err)
{
	int64_t level;

	(void)arg;
	if (!json_get_integer(request, "level", &level) || level < 3 || level > 7)
		return error_set(err, PA_REJECTED,
				 "level is a number from 3 (errors) to 7 (debug)");
	log_set_level((int)level);
	json_set_integer(reply, "level", level);
	return PA_OK;
}

/* Business time is turned only where nothing real can be hurt. */
static pa_status on_clock(void *arg, const struct json *request, struct json *reply, pa_error *err)
{
	struct commands *commands = arg;
	int64_t seconds;

	if (!commands->house->is_demo_core)
		return error_set(err, PA_REJECTED,
				 "the clock can be turned only beside a core marked as a "
				 "demonstration");
	if (!json_get_integer(request, "seconds", &seconds) || seconds < 0 ||
	    seconds > MAX_ADVANCE_S)
		return error_set(err, PA_REJECTED, "seconds is a number from 0 to %d",
				 MAX_ADVANCE_S);
	clock_advance(seconds * NS_PER_S);
	json_set_integer(reply, "now", clock_now_ns() / NS_PER_S);
	return PA_OK;
}

/* Who asks is what the kernel says of the other end. */
static pa_status on_conversation_resume(void *arg, const struct json *request, struct json *reply,
					pa_error *err)
{
	struct commands *commands = arg;
	struct operator_word word;

	(void)reply;
	if (!json_get_text(request, "conversation", &word.conversation) ||
	    !json_get_text(request, "reason", &word.reason) || !str_trim(word.reason).len ||
	    !json_get_integer(request, "uid", &word.uid))
		return error_set(err, PA_REJECTED, "wants \"conversation\" and \"reason\"");
	return operator_resume(commands->house->config->database, commands->house->keys, &word,
			       err);
}

static const struct control_command table[] = {
	{"status", on_status},
	{"reload", on_reload},
	{"log-level", on_log_level},
	{"clock", on_clock},
	{"conversation-resume", on_conversation_resume},
};

pa_status commands_listen(struct commands *commands, struct loop *loop, struct control **ret,
			  pa_error *err)
{
	return control_new(
		&(struct control_options){.loop = loop,
					  .path = commands->house->config->control_socket,
					  .group = CONTROL_GROUP,
					  .commands = table,
					  .commands_count = ARRAY_COUNT(table),
					  .arg = commands},
		ret, err);
}
