/* SPDX-License-Identifier: Apache-2.0
 *
 * Channels that hold a session: run() against a daemon that hands out messages and then stops.
 */
#include "contract/check.h"

#include "base/err.h"
#include "base/str.h"
#include "io/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define MESSAGES 8
#define LIFE_MS 1500 /* from run() to stopping */
#define END_MS 5000  /* from stopping to the return of run() */

struct pa_session {
	const struct subject *subject;
	pthread_mutex_t lock; /* guards taken and outcomes */
	pa_message messages[MESSAGES];
	bool is_taken[MESSAGES];
	unsigned outcomes[MESSAGES];
	atomic_bool is_stopping;
	atomic_bool is_over;
};

static pa_status session_deliver(pa_session *session, pa_call *call, const pa_event *const *events,
				 size_t count, pa_error *err)
{
	(void)session;
	(void)call;
	judge_events("deliver", events, count);
	return error_set(err, PA_RETRY, "the check's store is away");
}

static const pa_message *take(pa_session *session)
{
	const pa_message *message = NULL;

	pthread_mutex_lock(&session->lock);
	for (size_t i = 0; i < MESSAGES && !message; i++) {
		if (session->is_taken[i])
			continue;
		session->is_taken[i] = true;
		message = &session->messages[i];
	}
	pthread_mutex_unlock(&session->lock);
	return message;
}

static pa_status session_next(pa_session *session, int64_t wait_ms, const pa_message **ret_message)
{
	const pa_message *message;

	if (wait_ms < 0)
		fake_problem("next was asked to wait %lld ms", (long long)wait_ms);
	if (atomic_load(&session->is_stopping))
		return PA_REJECTED;
	message = take(session);
	if (message) {
		*ret_message = message;
		return PA_OK;
	}
	usleep(wait_ms < 50 ? (useconds_t)wait_ms * 1000 : 50000);
	return atomic_load(&session->is_stopping) ? PA_REJECTED : PA_DEADLINE;
}

static void session_outcome(pa_session *session, const pa_message *message,
			    const pa_outcome *outcome)
{
	ptrdiff_t at = message - session->messages;

	judge_outcome(outcome);
	if (at < 0 || at >= MESSAGES) {
		fake_problem("an outcome for a message that was never taken");
		return;
	}
	pthread_mutex_lock(&session->lock);
	session->outcomes[at]++;
	pthread_mutex_unlock(&session->lock);
}

static uint32_t session_stopping(pa_session *session)
{
	return atomic_load(&session->is_stopping);
}

static pa_call *session_begin_call(pa_session *session, int64_t deadline_ms)
{
	if (atomic_load(&session->is_over))
		fake_problem("a call after run had returned");
	return fake_call_new(deadline_ms);
}

static void session_end_call(pa_session *session, pa_call *call)
{
	(void)session;
	fake_call_free(call);
}

static const pa_session_host session_host = {
	.size = sizeof(pa_session_host),
	.deliver = session_deliver,
	.next = session_next,
	.outcome = session_outcome,
	.stopping = session_stopping,
	.begin_call = session_begin_call,
	.end_call = session_end_call,
};

static void *session_run(void *arg)
{
	pa_session *session = arg;
	const pa_channel_ops *ops = session->subject->plugin->ops;
	pa_call *call = fake_call_new(INT64_C(3600) * 1000);
	pa_error err = ERROR_INIT;

	judge_status("run", ops->run(session->subject->self, call, &session_host, session, &err),
		     &err);
	atomic_store(&session->is_over, true);
	fake_call_free(call);
	return NULL;
}

static void messages_make(pa_session *session, struct arena *arena)
{
	for (size_t i = 0; i < MESSAGES; i++) {
		session->messages[i] = (pa_message){.size = sizeof(pa_message),
						    .kind = (uint32_t)(i % PA_OUT_READ_MARK) + 1,
						    .medium = PA_MEDIUM_CHAT,
						    .account = PA_STR("1"),
						    .phone = PA_STR(PLANTED_PHONE),
						    .ref = arena_format(arena, "ref%zu", i),
						    .body = hostile_text(arena, i)};
	}
}

static void live(const struct subject *subject, int64_t life_ms)
{
	pa_session session = {.subject = subject, .lock = PTHREAD_MUTEX_INITIALIZER};
	int64_t stopped;
	pthread_t thread;

	messages_make(&session, subject->arena);
	pthread_create(&thread, NULL, session_run, &session);
	usleep((useconds_t)life_ms * 1000);
	atomic_store(&session.is_stopping, true);
	stopped = clock_monotonic_ns();
	pthread_join(thread, NULL);
	if (clock_monotonic_ns() - stopped > END_MS * NS_PER_MS)
		fake_problem("run returned late after stopping");
	for (size_t i = 0; i < MESSAGES; i++) {
		if (session.outcomes[i] != (session.is_taken[i] ? 1 : 0))
			fake_problem("message %zu has %u outcomes", i, session.outcomes[i]);
	}
}

static void case_lives(const struct subject *subject)
{
	live(subject, LIFE_MS);
}

static void case_stops_at_once(const struct subject *subject)
{
	live(subject, 0);
}

static void case_runs_again(const struct subject *subject)
{
	for (int i = 0; i < 3; i++)
		live(subject, 200);
}

const struct check_case session_cases[] = {
	{"answers every message once and ends when told", case_lives},
	{"ends when told at once", case_stops_at_once},
	{"runs again after it returned", case_runs_again},
	{NULL, NULL},
};
