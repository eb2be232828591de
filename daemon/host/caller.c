/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls made on threads that may be lost. Foreign code can't be stopped: the asker leaves it
 * behind, thread, memory and all, and what comes back too late meets nobody.
 */
#include "host/internal.h"

#include "base/err.h"
#include "io/clock.h"
#include "io/log.h"

#include <stdlib.h>

/* Whoever obeys his deadline is back by then: he may have to break off something first. */
#define PATIENCE_NS NS_PER_S

enum fate { UNDER_WAY, ENDED, LEFT };

/* A call on its way. Lies in its own arena, which belongs to whoever is last to hear of it: the
 * asker, or the caller he left behind. */
struct lent_call {
	pa_call call;
	plugin_run_fn *run;
	void *arg;
	int64_t conversation, event; /* what the asker has in hand */
	pa_status status;
	pa_error err;
	enum fate fate; /* guarded by host->lending */
};

/* A thread that makes one call after the other. */
struct caller {
	struct host *host;
	struct caller *next; /* in the list of the idle ones */
	struct lent_call *lent;
	pthread_cond_t given; /* lent was set, or the host is closing */
	pthread_cond_t ended;
	pthread_t thread;
};

static void make_call(struct lent_call *lent)
{
	struct plugin *plugin = lent->call.plugin;
	const struct host_options *options = &plugin->host->options;

	if (options->on_take)
		options->on_take(lent->conversation, lent->event);
	call_enter(&lent->call);
	lent->status = lent->run(call_self(&lent->call), &lent->call, lent->arg, &lent->err);
	call_leave(&lent->call);
	if (options->on_take)
		options->on_take(0, 0);
}

/* Nobody waits for it any more. */
static void note_return(const pa_call *call)
{
	const char *name = call->plugin->descriptor->name;
	int64_t late_ns = clock_monotonic_ns() - call->deadline_ns;

	log_notice(LOG_IDS(.plugin = name), "a call to %s (%s) came back %lld ms late: dropped",
		   name, call->what, (long long)(late_ns / NS_PER_MS));
}

/* The call is made: tells the asker, or cleans up after it if he has left. */
static void end_call(struct caller *caller, struct lent_call *lent)
{
	struct host *host = caller->host;
	struct plugin *plugin = lent->call.plugin;
	bool was_left;

	plugin_free_slot(plugin);
	pthread_mutex_lock(&host->lending);
	was_left = lent->fate == LEFT;
	plugin->left -= was_left;
	lent->fate = ENDED;
	caller->lent = NULL;
	caller->next = host->idle;
	host->idle = caller;
	pthread_cond_signal(&caller->ended);
	pthread_mutex_unlock(&host->lending);
	if (!was_left)
		return; /* the arena, and lent in it, is the asker's */
	note_return(&lent->call);
	instance_release(lent->call.instance);
	arena_free(lent->call.arena);
}

static void *caller_main(void *arg)
{
	struct caller *caller = arg;
	struct host *host = caller->host;

	for (;;) {
		struct lent_call *lent;

		pthread_mutex_lock(&host->lending);
		while (!caller->lent && !host->is_closing)
			pthread_cond_wait(&caller->given, &host->lending);
		lent = caller->lent;
		pthread_mutex_unlock(&host->lending);
		if (!lent)
			return NULL;
		make_call(lent);
		end_call(caller, lent);
	}
}

static struct caller *caller_new(struct host *host)
{
	struct caller *caller = calloc(1, sizeof(*caller));

	if (!caller)
		abort();
	caller->host = host;
	pthread_cond_init(&caller->given, NULL);
	cond_init_monotonic(&caller->ended);
	if (pthread_create(&caller->thread, NULL, caller_main, caller) != 0)
		abort();
	pthread_setname_np(caller->thread, "caller");
	return caller;
}

static void caller_free(struct caller *caller)
{
	pthread_join(caller->thread, NULL);
	pthread_cond_destroy(&caller->given);
	pthread_cond_destroy(&caller->ended);
	free(caller);
}

void callers_free(struct host *host)
{
	pthread_mutex_lock(&host->lending);
	host->is_closing = true;
	for (struct caller *caller = host->idle; caller; caller = caller->next)
		pthread_cond_signal(&caller->given);
	pthread_mutex_unlock(&host->lending);
	while (host->idle) {
		struct caller *next = host->idle->next;

		caller_free(host->idle);
		host->idle = next;
	}
}

/* Gives the call to a caller and waits for its end; false if it did not come in time. */
static bool lend(struct host *host, struct lent_call *lent)
{
	int64_t until_ns = lent->call.deadline_ns + PATIENCE_NS;
	const struct timespec until = {until_ns / NS_PER_S, until_ns % NS_PER_S};
	struct caller *caller;
	int failure = 0;
	bool is_ended;

	pthread_mutex_lock(&host->lending);
	caller = host->idle;
	if (caller)
		host->idle = caller->next;
	else
		caller = caller_new(host);
	caller->lent = lent;
	pthread_cond_signal(&caller->given);
	while (lent->fate == UNDER_WAY && failure == 0)
		failure = pthread_cond_timedwait(&caller->ended, &host->lending, &until);
	is_ended = lent->fate == ENDED;
	if (!is_ended) {
		lent->fate = LEFT;
		lent->call.plugin->left++;
	}
	pthread_mutex_unlock(&host->lending);
	return is_ended;
}

static pa_status refusal(struct plugin *plugin, pa_error *err)
{
	struct host *host = plugin->host;
	size_t left;

	if (plugin_is_disabled(plugin))
		return error_set(err, PA_RETRY, "its plugin is disabled");
	pthread_mutex_lock(&host->lending);
	left = plugin->left;
	pthread_mutex_unlock(&host->lending);
	if (host->options.most_left && left >= host->options.most_left)
		return error_set(err, PA_RETRY, "%zu calls to its plugin have not come back", left);
	return PA_OK;
}

static pa_status leave(struct plugin *plugin, const char *what, pa_error *err)
{
	const char *name = plugin->descriptor->name;

	log_warning(LOG_IDS(.plugin = name),
		    "a call to %s (%s) does not come back in time: nobody waits for it any more",
		    name, what);
	return error_set(err, PA_DEADLINE, "it did not come back in time");
}

pa_status plugin_lend_call(struct plugin *plugin, struct arena **arena,
			   const struct lending *lending, pa_error *err)
{
	struct host *host = plugin->host;
	struct lent_call *lent = ARENA_NEW(*arena, struct lent_call);
	pa_status status = refusal(plugin, err);

	if (status != PA_OK)
		return status;
	call_prepare(&lent->call, plugin, *arena, 0);
	lent->call.deadline_ns = lending->deadline_ns;
	lent->call.what = lending->what;
	lent->run = lending->run;
	lent->arg = lending->arg;
	lent->err = ERROR_INIT;
	if (host->options.on_hand)
		host->options.on_hand(&lent->conversation, &lent->event);
	if (!call_take(&lent->call))
		return error_set(err, PA_RETRY, "its plugin takes one call and was busy");
	if (!lend(host, lent)) {
		*arena = NULL;
		return leave(plugin, lending->what, err);
	}
	instance_release(lent->call.instance);
	if (err)
		*err = lent->err;
	return lent->status;
}
