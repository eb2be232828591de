/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

pa_str rig_str(const char *text)
{
	return (pa_str){text, strlen(text)};
}

void rig_keep(char *place, pa_str text)
{
	snprintf(place, TEXT_MAX, "%.*s", (int)text.len, text.ptr ? text.ptr : "");
}

void rig_nap(void)
{
	const struct timespec pause = {.tv_nsec = 2000000};

	nanosleep(&pause, NULL);
}

/* The daemon may have answered before the plugin hears that its delivery was good. */
static void answer_inside(struct world *world, struct session_fake *fake, const pa_event *event)
{
	const pa_message message = {.size = sizeof(message),
				    .kind = world->answer_inside,
				    .medium = PA_MEDIUM_CHAT,
				    .phone = event->phone,
				    .body = rig_str("Hola"),
				    .reply_to = event->id};

	session_fake_send(fake, &message);
	for (int i = 0; i < 50; i++)
		rig_nap();
}

static void on_event(void *arg, struct session_fake *fake, const pa_event *event)
{
	struct world *world = arg;
	struct seen *seen;

	if (event->kind == PA_EVENT_MESSAGE && world->answer_inside)
		answer_inside(world, fake, event);
	pthread_mutex_lock(&world->lock);
	assert_true(world->events_count < SEEN_MAX);
	seen = &world->events[world->events_count++];
	seen->kind = event->kind;
	seen->message_kind = event->message_kind;
	seen->status = event->status;
	rig_keep(seen->unique, event->unique);
	rig_keep(seen->phone, event->phone);
	rig_keep(seen->user_id, event->user_id);
	rig_keep(seen->text, event->text);
	rig_keep(seen->reply_id, event->reply_id);
	rig_keep(seen->context_id, event->context_id);
	rig_keep(seen->ref, event->ref);
	pthread_mutex_unlock(&world->lock);
}

static void on_outcome(void *arg, const pa_message *message, const pa_outcome *outcome)
{
	struct world *world = arg;

	(void)message;
	pthread_mutex_lock(&world->lock);
	world->result = outcome->result;
	world->code = outcome->code;
	rig_keep(world->reason, outcome->reason);
	rig_keep(world->external_id, outcome->external_id);
	world->outcomes++;
	pthread_mutex_unlock(&world->lock);
}

void rig_forget_events(struct world *world)
{
	pthread_mutex_lock(&world->lock);
	world->events_count = 0;
	pthread_mutex_unlock(&world->lock);
}

int rig_start(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	const struct session_fake_options options = {.port = 0};
	const struct session_fake_callbacks callbacks = {
		.arg = world, .event = on_event, .outcome = on_outcome};
	pa_error err = {.size = sizeof(err)};

	if (!world)
		return -1;
	pthread_mutex_init(&world->lock, NULL);
	world->fake = session_fake_open(&SIMULATOR_PLUGIN, &options, &callbacks, &err);
	assert_non_null(world->fake);
	session_fake_run(world->fake);
	world->port = session_fake_port(world->fake);
	assert_int_not_equal(world->port, 0);
	*state = world;
	return 0;
}

int rig_stop(void **state)
{
	struct world *world = *state;

	session_fake_stop(world->fake);
	pthread_mutex_destroy(&world->lock);
	free(world);
	return 0;
}

/* ---- HTTP ---- */

int rig_ask_later(const struct world *world, const char *method, const char *path, const char *body)
{
	char host[64];

	snprintf(host, sizeof(host), "Host: 127.0.0.1:%d\r\n", world->port);
	return raw_http_ask(world->port, method, path, host, body);
}

struct answer rig_ask(const struct world *world, const char *method, const char *path,
		      const char *body)
{
	return raw_http_receive(rig_ask_later(world, method, path, body));
}

int rig_status(const struct world *world, const char *method, const char *path, const char *headers)
{
	struct answer answer =
		raw_http_receive(raw_http_ask(world->port, method, path, headers, ""));
	int status = answer.status;

	raw_http_done(&answer);
	return status;
}

int rig_post(const struct world *world, const char *path, const char *body)
{
	struct answer answer = rig_ask(world, "POST", path, body);
	int status = answer.status;

	raw_http_done(&answer);
	return status;
}

/* ---- waiting for what comes by other threads ---- */

const struct seen *rig_wait_event(struct world *world, uint32_t kind, uint32_t status)
{
	for (int i = 0; i < 2500; i++, rig_nap()) {
		const struct seen *found = NULL;

		pthread_mutex_lock(&world->lock);
		for (size_t n = 0; n < world->events_count; n++) {
			if (world->events[n].kind == kind && world->events[n].status == status)
				found = &world->events[n];
		}
		pthread_mutex_unlock(&world->lock);
		if (found)
			return found;
	}
	fail_msg("no event of kind %u, status %u", kind, status);
	return NULL;
}

uint32_t rig_send(struct world *world, const pa_message *message)
{
	size_t before = world->outcomes;

	session_fake_send(world->fake, message);
	for (int i = 0; i < 2500; i++, rig_nap()) {
		bool is_there;

		pthread_mutex_lock(&world->lock);
		is_there = world->outcomes > before;
		pthread_mutex_unlock(&world->lock);
		if (is_there)
			return world->result;
	}
	fail_msg("no outcome");
	return 0;
}

pa_message rig_text(const char *body)
{
	return (pa_message){.size = sizeof(pa_message),
			    .kind = PA_OUT_TEXT,
			    .medium = PA_MEDIUM_CHAT,
			    .phone = rig_str(RIG_PHONE),
			    .ref = rig_str("attempt-7"),
			    .body = rig_str(body)};
}

const char *rig_member(const struct answer *answer, const char *list, size_t i, const char *name)
{
	const char *text = json_string_value(
		json_object_get(json_array_get(json_object_get(answer->json, list), i), name));

	return text ? text : "";
}
