/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "base/err.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/log.h"
#include "queue/operator.h"
#include "status.h"

#define RELOAD_ARENA_CAP ((size_t)16 << 20)
#define CONTROL_GROUP "proalto-admin"
#define MAX_ADVANCE_S 34560000 /* 400 days */

pa_status commands_reload(struct commands *commands, struct arena *arena, pa_str *ret_report)
{
	pa_status status;
	pa_str rest;

	notify_reloading();
	status = house_reload(commands->house, commands->config_path, arena, ret_report);
	commands->reloaded_ns = clock_now_ns();
	commands->is_reload_refused = status != PA_OK;
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

static pa_status on_status(void *arg, const struct json *request, struct json *reply, pa_error *err)
{
	(void)request;
	(void)err;
	status_fill(arg, reply);
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
