/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/session.h"

#include "base/err.h"
#include "io/clock.h"
#include "io/log.h"
#include "queue/codec.h"
#include "queue/dispatch.h"
#include "queue/intake.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define CALL_ARENA_CAP ((size_t)32 << 20)
#define RUN_MS (INT64_C(365) * 24 * 3600 * 1000) /* run() lives as long as the daemon */
#define RESTART_NS NS_PER_S
#define RESTART_MAX_NS NS_PER_MINUTE
#define STOP_S 5

/* A message that waits for next(), or was taken by it. Lives in its own arena. */
struct errand {
	struct errand *next;
	struct arena *arena;
	struct outbound *outbound; /* NULL: a mark, of which nobody wants to know what became */
	pa_message message;
};

/* A call lent to the plugin's own threads, and its memory. Lies in it. */
struct lent {
	struct lent *next;
	pa_call *call;
	struct arena *arena;
};

struct session {
	struct channel *channel;
	struct intake *intake;
	struct dispatch *dispatch;
	pthread_mutex_t lock; /* guards errands and calls */
	pthread_cond_t filled;
	struct errand *first, **last; /* not yet taken */
	struct errand *taken;
	struct lent *lent;
	pthread_t thread;
	bool is_started; /* the main thread's */
	_Atomic bool is_up;
	_Atomic bool is_stopping;
};

/* ---- what the plugin sees ---- */

static pa_status deliver(pa_session *opaque, pa_call *call, const pa_event *const *events,
			 size_t count, pa_error *err)
{
	struct session *session = (struct session *)(void *)opaque;

	(void)call;
	return intake_deliver(session->intake, session->channel, events, count, err);
}

static struct timespec after_ms(int64_t wait_ms)
{
	int64_t until = clock_monotonic_ns() + wait_ms * NS_PER_MS;

	return (struct timespec){.tv_sec = until / NS_PER_S, .tv_nsec = until % NS_PER_S};
}

static pa_status next_message(pa_session *opaque, int64_t wait_ms, const pa_message **ret_message)
{
	struct session *session = (struct session *)(void *)opaque;
	struct timespec until = after_ms(wait_ms);
	struct errand *errand;
	int waited = 0;

	pthread_mutex_lock(&session->lock);
	while (!session->first && !atomic_load(&session->is_stopping) && waited == 0)
		waited = pthread_cond_timedwait(&session->filled, &session->lock, &until);
	errand = atomic_load(&session->is_stopping) ? NULL : session->first;
	if (errand) {
		session->first = errand->next;
		if (!session->first)
			session->last = &session->first;
		errand->next = session->taken;
		session->taken = errand;
		*ret_message = &errand->message;
	}
	pthread_mutex_unlock(&session->lock);
	if (errand)
		return PA_OK;
	return atomic_load(&session->is_stopping) ? PA_REJECTED : PA_DEADLINE;
}

static struct errand *take_back(struct session *session, const pa_message *message)
{
	struct errand **at = &session->taken;
	struct errand *errand;

	pthread_mutex_lock(&session->lock);
	while (*at && &(*at)->message != message)
		at = &(*at)->next;
	errand = *at;
	if (errand)
		*at = errand->next;
	pthread_mutex_unlock(&session->lock);
	return errand;
}

static void outcome(pa_session *opaque, const pa_message *message, const pa_outcome *result)
{
	struct session *session = (struct session *)(void *)opaque;
	struct errand *errand = take_back(session, message);

	if (!errand) {
		log_error(LOG_IDS(.channel = session->channel->name),
			  "the channel tells the outcome of a message it does not have");
		return;
	}
	if (errand->outbound)
		dispatch_result(session->dispatch, errand->outbound, result);
	arena_free(errand->arena);
}

static uint32_t stopping(pa_session *opaque)
{
	return atomic_load(&((struct session *)(void *)opaque)->is_stopping);
}

static pa_call *begin_call(pa_session *opaque, int64_t deadline_ms)
{
	struct session *session = (struct session *)(void *)opaque;
	struct arena *arena = arena_new(CALL_ARENA_CAP);
	struct lent *lent = ARENA_NEW(arena, struct lent);

	lent->arena = arena;
	lent->call = plugin_call_begin(session->channel->plugin, arena, deadline_ms);
	if (!lent->call) {
		arena_free(arena);
		return NULL;
	}
	pthread_mutex_lock(&session->lock);
	lent->next = session->lent;
	session->lent = lent;
	pthread_mutex_unlock(&session->lock);
	return lent->call;
}

static void end_call(pa_session *opaque, pa_call *call)
{
	struct session *session = (struct session *)(void *)opaque;
	struct lent **at = &session->lent;
	struct lent *lent;

	pthread_mutex_lock(&session->lock);
	while (*at && (*at)->call != call)
		at = &(*at)->next;
	lent = *at;
	if (lent)
		*at = lent->next;
	pthread_mutex_unlock(&session->lock);
	if (!lent)
		return;
	plugin_call_end(call);
	arena_free(lent->arena);
}

static const pa_session_host session_host = {
	.size = sizeof(pa_session_host),
	.deliver = deliver,
	.next = next_message,
	.outcome = outcome,
	.stopping = stopping,
	.begin_call = begin_call,
	.end_call = end_call,
};

/* ---- the thread ---- */

/* What run() took and never answered may have been sent. */
static void settle_taken(struct session *session)
{
	pa_outcome lost = {.size = sizeof(lost),
			   .result = PA_OUTCOME_UNCERTAIN,
			   .scope = PA_SCOPE_MESSAGE,
			   .reason = PA_STR("the channel's session ended")};

	while (session->taken)
		outcome((pa_session *)(void *)session, &session->taken->message, &lost);
}

static void run_once(struct session *session)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(CALL_ARENA_CAP);
	pa_call *call = plugin_call_begin(session->channel->plugin, arena, RUN_MS);
	pa_error err = ERROR_INIT;
	pa_status status = PA_DEADLINE;

	if (call) {
		atomic_store(&session->is_up, true);
		status = session->channel->ops->run(call_self(call), call, &session_host,
						    (pa_session *)(void *)session, &err);
		atomic_store(&session->is_up, false);
		plugin_call_end(call);
		plugin_error_clean(&err);
	}
	settle_taken(session);
	if (!atomic_load(&session->is_stopping))
		log_error(LOG_IDS(.channel = session->channel->name),
			  "the channel's session ended (%s): %s", status_name(status),
			  error_text(&err));
}

static void pause_for(struct session *session, int64_t ns)
{
	struct timespec until = after_ms(ns / NS_PER_MS);
	int waited = 0;

	pthread_mutex_lock(&session->lock);
	while (!atomic_load(&session->is_stopping) && waited == 0)
		waited = pthread_cond_timedwait(&session->filled, &session->lock, &until);
	pthread_mutex_unlock(&session->lock);
}

static void *session_main(void *arg)
{
	struct session *session = arg;
	int64_t pause_ns = RESTART_NS;

	while (!atomic_load(&session->is_stopping)) {
		int64_t started_ns = clock_monotonic_ns();

		run_once(session);
		if (clock_monotonic_ns() - started_ns > RESTART_MAX_NS)
			pause_ns = RESTART_NS;
		pause_for(session, pause_ns);
		pause_ns = pause_ns * 2 < RESTART_MAX_NS ? pause_ns * 2 : RESTART_MAX_NS;
	}
	return NULL;
}

struct session *session_new(struct channel *channel, struct intake *intake,
			    struct dispatch *dispatch)
{
	struct session *session = calloc(1, sizeof(*session));
	pthread_condattr_t attributes;

	if (!session)
		abort();
	session->channel = channel;
	session->intake = intake;
	session->dispatch = dispatch;
	session->last = &session->first;
	pthread_mutex_init(&session->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&session->filled, &attributes);
	pthread_condattr_destroy(&attributes);
	return session;
}

void session_start(struct session *session)
{
	session->is_started = true;
	if (pthread_create(&session->thread, NULL, session_main, session) != 0)
		abort();
	pthread_setname_np(session->thread, "session");
}

static void join(struct session *session)
{
	struct timespec limit;

	clock_gettime(CLOCK_MONOTONIC, &limit);
	limit.tv_sec += STOP_S;
	if (pthread_clockjoin_np(session->thread, NULL, CLOCK_MONOTONIC, &limit) == 0)
		return;
	log_error(LOG_IDS(.channel = session->channel->name),
		  "the channel's session does not end; the process gives up on it");
	abort();
}

/* Nobody takes these any more; they have not left. */
static void give_back(struct session *session)
{
	const pa_outcome unsent = {.size = sizeof(unsent),
				   .result = PA_OUTCOME_RETRY,
				   .scope = PA_SCOPE_MESSAGE,
				   .reason = PA_STR("the channel's session has ended")};

	while (session->first) {
		struct errand *errand = session->first;

		session->first = errand->next;
		if (errand->outbound)
			dispatch_result(session->dispatch, errand->outbound, &unsent);
		arena_free(errand->arena);
	}
	session->last = &session->first;
}

void session_stop(struct session *session)
{
	if (!session)
		return;
	pthread_mutex_lock(&session->lock);
	atomic_store(&session->is_stopping, true);
	pthread_cond_broadcast(&session->filled);
	pthread_mutex_unlock(&session->lock);
	if (session->is_started)
		join(session);
	give_back(session);
}

void session_free(struct session *session)
{
	if (!session)
		return;
	pthread_cond_destroy(&session->filled);
	pthread_mutex_destroy(&session->lock);
	free(session);
}

bool session_is_up(const struct session *session)
{
	return atomic_load(&session->is_up);
}

static bool add_errand(struct session *session, struct errand *errand)
{
	bool is_taken;

	pthread_mutex_lock(&session->lock);
	is_taken = !atomic_load(&session->is_stopping);
	if (is_taken) {
		*session->last = errand;
		session->last = &errand->next;
		pthread_cond_signal(&session->filled);
	}
	pthread_mutex_unlock(&session->lock);
	return is_taken;
}

bool session_push(struct session *session, struct outbound *outbound, const pa_message *message,
		  struct arena *arena)
{
	struct errand *errand = ARENA_NEW(arena, struct errand);

	*errand = (struct errand){.arena = arena, .outbound = outbound, .message = *message};
	return add_errand(session, errand);
}

void session_mark(struct session *session, const pa_message *message)
{
	struct arena *arena = arena_new(CALL_ARENA_CAP);
	struct errand *errand = ARENA_NEW(arena, struct errand);

	*errand = (struct errand){.arena = arena, .message = *message};
	errand->message.account = arena_copy(arena, message->account);
	errand->message.phone = arena_copy(arena, message->phone);
	errand->message.user_id = arena_copy(arena, message->user_id);
	errand->message.reply_to = arena_copy(arena, message->reply_to);
	if (!add_errand(session, errand))
		arena_free(arena);
}
