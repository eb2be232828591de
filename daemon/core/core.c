/* SPDX-License-Identifier: Apache-2.0 */
#include "core/core.h"

#include "base/err.h"
#include "base/str.h"
#include "core/answer.h"
#include "host/host.h"
#include "io/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum breaker {
	BREAKER_CLOSED,
	BREAKER_OPEN,  /* until retry_ns; then the next call becomes the trial */
	BREAKER_TRIAL, /* one call is under way, all others are refused */
};

struct core {
	struct plugin *plugin;
	const pa_backend_ops *ops;
	struct core_options options;
	char *name;
	pthread_mutex_t lock; /* guards all below */
	unsigned calls;
	unsigned refused;  /* for want of a slot, and not yet told that one is free */
	unsigned failures; /* in a row */
	enum breaker breaker;
	int64_t retry_ns;
};

/* One question under way. */
struct asking {
	struct core *core;
	const struct core_question *question;
	struct arena *arena;
	pa_call *call;
	bool is_trial;
};

/* ---- operations ---- */

typedef pa_status run_fn(const struct asking *asking, const void **ret_list, size_t *ret_count,
			 pa_error *err);

static pa_status run_find_customer(const struct asking *asking, const void **ret_list,
				   size_t *ret_count, pa_error *err)
{
	const struct core_question *question = asking->question;
	const pa_customer **one = ARENA_NEW(asking->arena, const pa_customer *);
	pa_status status = asking->core->ops->find_customer(plugin_self(asking->core->plugin),
							    asking->call, question->document_type,
							    question->document, one, err);

	*ret_list = one;
	*ret_count = *one ? 1 : 0;
	return status;
}

static pa_status run_find_by_mobile(const struct asking *asking, const void **ret_list,
				    size_t *ret_count, pa_error *err)
{
	const struct core_question *question = asking->question;
	const pa_customer *const *list = NULL;
	pa_status status = asking->core->ops->find_by_mobile(
		plugin_self(asking->core->plugin), asking->call, question->mobile, question->last4,
		&list, ret_count, err);

	*ret_list = list;
	return status;
}

/* The operations that take a customer and return a list differ in the list's type only. */
#define RUN_LIST(operation, type)                                                                  \
	static pa_status run_##operation(const struct asking *asking, const void **ret_list,       \
					 size_t *ret_count, pa_error *err)                         \
	{                                                                                          \
		const type *const *list = NULL;                                                    \
		pa_status status = asking->core->ops->operation(                                   \
			plugin_self(asking->core->plugin), asking->call,                           \
			asking->question->customer_id, &list, ret_count, err);                     \
                                                                                                   \
		*ret_list = list;                                                                  \
		return status;                                                                     \
	}
RUN_LIST(credits, pa_credit)
RUN_LIST(next_discounts, pa_discount)
RUN_LIST(applications, pa_application)
RUN_LIST(renewal_offers, pa_offer)
RUN_LIST(obligations, pa_obligation)

#define OPERATION(name, field)                                                                     \
	{                                                                                          \
#name, offsetof(pa_backend_ops, name), offsetof(struct core_answer, field),        \
			run_##name                                                                 \
	}
static const struct operation {
	const char *name;
	size_t function; /* place in pa_backend_ops */
	size_t array;    /* place in core_answer */
	run_fn *run;
} operations[] = {
	[CORE_FIND_CUSTOMER] = OPERATION(find_customer, customers),
	[CORE_FIND_BY_MOBILE] = OPERATION(find_by_mobile, customers),
	[CORE_CREDITS] = OPERATION(credits, credits),
	[CORE_NEXT_DISCOUNTS] = OPERATION(next_discounts, discounts),
	[CORE_APPLICATIONS] = OPERATION(applications, applications),
	[CORE_RENEWAL_OFFERS] = OPERATION(renewal_offers, offers),
	[CORE_OBLIGATIONS] = OPERATION(obligations, obligations),
};

static bool is_offered(const pa_backend_ops *ops, const struct operation *operation)
{
	void (*function)(void);

	memcpy(&function, (const char *)ops + operation->function, sizeof(function));
	return function != NULL;
}

/* ---- life ---- */

struct core *core_new(struct plugin *plugin, const struct core_options *options)
{
	struct core *core = calloc(1, sizeof(*core));
	const pa_plugin *descriptor = plugin_descriptor(plugin);

	assert(descriptor->kind == PA_KIND_BACKEND);
	if (!core)
		abort();
	core->plugin = plugin;
	core->ops = descriptor->ops;
	core->options = *options;
	core->name = strdup(options->name);
	if (!core->name)
		abort();
	if (descriptor->flags & PA_FLAG_SERIAL) /* more would only wait in line for it */
		core->options.max_calls = 1;
	pthread_mutex_init(&core->lock, NULL);
	return core;
}

void core_free(struct core *core)
{
	bool is_busy;

	if (!core)
		return;
	pthread_mutex_lock(&core->lock);
	is_busy = core->calls > 0;
	pthread_mutex_unlock(&core->lock);
	if (is_busy) /* a written-off thread may still come back to it */
		return;
	pthread_mutex_destroy(&core->lock);
	free(core->name);
	free(core);
}

/* ---- bulkhead and breaker ---- */

/* Lets the call in, or says why not. The caller holds the lock. */
static pa_status admit_locked(struct core *core, bool *ret_is_trial, pa_error *err)
{
	bool is_due = core->breaker == BREAKER_OPEN && clock_monotonic_ns() >= core->retry_ns;

	if (core->breaker != BREAKER_CLOSED && !is_due)
		return error_set(err, PA_RETRY, "away: it failed %u times in a row",
				 core->failures);
	if (core->calls >= core->options.max_calls) {
		core->refused++;
		return error_set(err, PA_DEADLINE, "all of its %u calls are under way",
				 core->options.max_calls);
	}
	core->calls++;
	if (is_due)
		core->breaker = BREAKER_TRIAL;
	*ret_is_trial = is_due;
	return PA_OK;
}

static pa_status admit(struct core *core, bool *ret_is_trial, pa_error *err)
{
	pa_status status;

	pthread_mutex_lock(&core->lock);
	status = admit_locked(core, ret_is_trial, err);
	pthread_mutex_unlock(&core->lock);
	return status;
}

/* A success of a call older than the opening proves nothing: only the trial closes the breaker. */
static bool breaker_note(struct core *core, bool is_trial, bool is_failure)
{
	if (is_failure) {
		core->failures += core->failures < UINT32_MAX;
		if (is_trial || (core->breaker == BREAKER_CLOSED &&
				 core->failures >= core->options.breaker_after)) {
			core->breaker = BREAKER_OPEN;
			core->retry_ns =
				clock_monotonic_ns() + core->options.breaker_pause_ms * NS_PER_MS;
		}
		return false;
	}
	if (!is_trial && core->breaker != BREAKER_CLOSED)
		return false;
	core->failures = 0;
	core->breaker = BREAKER_CLOSED;
	return is_trial;
}

static void settle(struct core *core, bool is_trial, bool is_failure)
{
	bool is_back, is_slot;

	pthread_mutex_lock(&core->lock);
	core->calls--;
	is_slot = core->refused > 0;
	core->refused -= is_slot;
	is_back = breaker_note(core, is_trial, is_failure);
	pthread_mutex_unlock(&core->lock);
	if (is_slot && core->options.on_slot)
		core->options.on_slot(core->options.arg);
	if (is_back && core->options.on_back)
		core->options.on_back(core->options.arg);
}

enum core_health core_health(struct core *core)
{
	enum core_health health = CORE_UP;

	pthread_mutex_lock(&core->lock);
	if (core->breaker == BREAKER_TRIAL ||
	    (core->breaker == BREAKER_OPEN && clock_monotonic_ns() >= core->retry_ns))
		health = CORE_TRYING;
	else if (core->breaker == BREAKER_OPEN)
		health = CORE_DOWN;
	pthread_mutex_unlock(&core->lock);
	return health;
}

/* ---- asking ---- */

static pa_status judge(const struct asking *asking, const void *list, size_t count,
		       struct core_answer *ret, pa_error *err)
{
	const struct core_question *question = asking->question;
	struct core_answer answer = {.count = count};
	const void *copies;
	pa_status status =
		answer_adopt(asking->arena, question->operation, list, count, &copies, err);

	if (status != PA_OK)
		return status;
	memcpy((char *)&answer + operations[question->operation].array, &copies, sizeof(copies));
	for (size_t i = 0; answer.customers && i < count; i++) {
		status = answer_check_person(question, answer.customers[i], err);
		if (status != PA_OK)
			return status;
	}
	*ret = answer;
	return PA_OK;
}

/* What the plugin says, in this room's words: every failure to answer is PA_RETRY. */
static pa_status translate(pa_status status, pa_error *err)
{
	plugin_error_clean(err);
	if (status != PA_OK && err->len == 0)
		error_set(err, status, "no reason given (%s)", status_name(status));
	return status == PA_OK || status == PA_REJECTED ? status : PA_RETRY;
}

/* Makes the call. is_failure: the core did not answer, or too late to be of use next time. */
static pa_status call_plugin(struct asking *asking, struct core_answer *ret, bool *ret_is_failure,
			     pa_error *err)
{
	struct core *core = asking->core;
	int64_t end = clock_monotonic_ns() + core->options.deadline_ms * NS_PER_MS;
	const void *list = NULL;
	size_t count = 0;
	pa_status status;

	asking->call = plugin_call_begin(core->plugin, asking->arena, core->options.deadline_ms);
	*ret_is_failure = true;
	if (!asking->call)
		return error_set(err, PA_RETRY, "its plugin takes one call and was busy");
	status = operations[asking->question->operation].run(asking, &list, &count, err);
	plugin_call_end(asking->call);
	status = translate(status, err);
	*ret_is_failure = status == PA_RETRY || clock_monotonic_ns() > end;
	return status == PA_OK ? judge(asking, list, count, ret, err) : status;
}

pa_status core_ask(struct core *core, struct arena *arena, const struct core_question *question,
		   struct core_answer *ret, pa_error *err)
{
	const struct operation *operation = &operations[question->operation];
	struct asking asking = {.core = core, .question = question, .arena = arena};
	pa_error local = ERROR_INIT;
	bool is_failure;
	pa_status status;

	if (!is_offered(core->ops, operation))
		return error_set(err, PA_REJECTED, "core %s: does not offer %s", core->name,
				 operation->name);
	status = admit(core, &asking.is_trial, &local);
	if (status == PA_OK) {
		status = call_plugin(&asking, ret, &is_failure, &local);
		settle(core, asking.is_trial, is_failure);
	}
	if (status != PA_OK && err) {
		error_prefix(&local, "core %s: %s: ", core->name, operation->name);
		*err = local;
	}
	return status;
}
