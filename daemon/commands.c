/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "base/err.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/tls.h"
#include "queue/operator.h"
#include "status.h"

#define RELOAD_ARENA_CAP ((size_t)16 << 20)
#define ADMIN_GROUP "proalto-admin"
#define VIEW_GROUP "proalto-view"
#define MAX_ADVANCE_S 34560000 /* 400 days */

/* First: a reload that finds a certificate that is no good changes nothing. */
static pa_status renew_certificate(struct commands *commands, struct arena *arena,
				   pa_str *ret_report)
{
	pa_error err = ERROR_INIT;
	pa_status status = commands->tls ? tls_renew(commands->tls, &err) : PA_OK;

	if (status != PA_OK)
		*ret_report = arena_format(arena, "%s", error_text(&err));
	return status;
}

pa_status commands_reload(struct commands *commands, struct arena *arena, pa_str *ret_report)
{
	pa_status status;
	pa_str rest;

	notify_reloading();
	status = renew_certificate(commands, arena, ret_report);
	if (status == PA_OK)
		status = house_reload(commands->house, commands->config_path, commands->queue,
				      arena, ret_report);
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
	int64_t level, uid;

	(void)arg;
	if (!json_get_integer(request, "level", &level) || level < 3 || level > 7 ||
	    !json_get_integer(request, "uid", &uid))
		return error_set(err, PA_REJECTED,
				 "level is a number from 3 (errors) to 7 (debug)");
	log_notice(LOG_NO_IDS, "user %lld sets the log's level to %lld", (long long)uid,
		   (long long)level);
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

static struct operator_options operator_of(const struct commands *commands)
{
	return (struct operator_options){.database = commands->house->config->database,
					 .ring = commands->house->keys,
					 .node = writer_node(queue_writer(commands->queue))};
}

/* What people ask of the store and do to it. On a thread of its own. */
static pa_status on_operator(void *arg, const struct json *request, struct json *reply,
			     pa_error *err)
{
	struct operator_options options = operator_of(arg);

	return operator_run(&options, request, reply, err);
}

static pa_status drain(const struct commands *commands, const struct json *request, bool is_wanted,
		       pa_error *err)
{
	struct operator_options options = operator_of(commands);
	pa_status status =
		operator_write_down(&options, request, is_wanted ? "node.drain" : "node.undrain",
				    commands->house->config->node, err);

	if (status == PA_OK)
		queue_drain(commands->queue, is_wanted);
	return status;
}

static pa_status on_drain(void *arg, const struct json *request, struct json *reply, pa_error *err)
{
	(void)reply;
	return drain(arg, request, true, err);
}

static pa_status on_undrain(void *arg, const struct json *request, struct json *reply,
			    pa_error *err)
{
	(void)reply;
	return drain(arg, request, false, err);
}

static pa_status on_drain_status(void *arg, const struct json *request, struct json *reply,
				 pa_error *err)
{
	const struct commands *commands = arg;
	struct queue_drain_status status = queue_drain_status(commands->queue);

	(void)request;
	(void)err;
	json_set_text(reply, "state", str_from(status_phase_word(status.phase)));
	json_set_integer(reply, "deliveries", (int64_t)status.deliveries);
	json_set_integer(reply, "conversations", (int64_t)status.conversations);
	json_set_integer(reply, "messages", (int64_t)status.messages);
	return PA_OK;
}

static const struct control_command table[] = {
	{"status", on_status, CONTROL_VIEW, false},
	{"reload", on_reload, CONTROL_ADMIN, false},
	{"log-level", on_log_level, CONTROL_ADMIN, false},
	{"clock", on_clock, CONTROL_ADMIN, false},
	{"queues", on_operator, CONTROL_VIEW, true},
	{"outbox-list", on_operator, CONTROL_VIEW, true},
	{"outbox-retry", on_operator, CONTROL_ADMIN, true},
	{"outbox-give-up", on_operator, CONTROL_ADMIN, true},
	{"outbox-settle", on_operator, CONTROL_ADMIN, true},
	{"set-aside-list", on_operator, CONTROL_VIEW, true},
	{"set-aside-retry", on_operator, CONTROL_ADMIN, true},
	{"set-aside-drop", on_operator, CONTROL_ADMIN, true},
	{"channel-pause", on_operator, CONTROL_ADMIN, true},
	{"channel-resume", on_operator, CONTROL_ADMIN, true},
	{"retention", on_operator, CONTROL_VIEW, true},
	{"inbox", on_operator, CONTROL_ADMIN, true},
	{"conversation-show", on_operator, CONTROL_ADMIN, true},
	{"conversation-resume", on_operator, CONTROL_ADMIN, true},
	{"looks", on_operator, CONTROL_ADMIN, true},
	{"drain", on_drain, CONTROL_ADMIN, true},
	{"undrain", on_undrain, CONTROL_ADMIN, true},
	{"drain-status", on_drain_status, CONTROL_VIEW, false},
};

const struct control_command *commands_table(size_t *ret_count)
{
	*ret_count = ARRAY_COUNT(table);
	return table;
}

pa_status commands_listen(struct commands *commands, struct loop *loop, struct control **ret,
			  pa_error *err)
{
	return control_new(
		&(struct control_options){.loop = loop,
					  .path = commands->house->config->control_socket,
					  .view_group = VIEW_GROUP,
					  .admin_group = ADMIN_GROUP,
					  .commands = table,
					  .commands_count = ARRAY_COUNT(table),
					  .arg = commands},
		ret, err);
}
