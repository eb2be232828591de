/* SPDX-License-Identifier: Apache-2.0 */
#include "core/core.h"

#include "base/err.h"
#include "base/str.h"
#include "core/answer.h"
#include "host/host.h"
#include "io/clock.h"
#include "io/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define ERRAND_CAP ((size_t)17 << 20) /* of which a plugin may take 16 MiB */

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
	struct core_counts counts[CORE_OPERATIONS];
	_Atomic uint32_t dropped[CORE_OPERATIONS]; /* fields told of, a bit each, by operation */
	pthread_mutex_t lock;                      /* guards all below */
	unsigned calls;
	unsigned refused;  /* for want of a slot, and not yet told that one is free */
	unsigned failures; /* in a row */
	enum breaker breaker;
	int64_t retry_ns;
};

struct operation;

/* One question on its way, in memory of its own: its thread may never come back with an answer. */
struct errand {
	const pa_backend_ops *ops;
	const struct operation *operation;
	struct core_question question;
	struct arena *arena;
	const void *list;
	size_t count;
};

/* ---- operations ---- */

typedef pa_status run_fn(struct errand *errand, void *self, pa_call *call, pa_error *err);

static pa_status run_find_customer(struct errand *errand, void *self, pa_call *call, pa_error *err)
{
	const pa_customer **one = ARENA_NEW(errand->arena, const pa_customer *);
	pa_status status = errand->ops->find_customer(self, call, errand->question.document_type,
						      errand->question.document, one, err);

	errand->list = one;
	errand->count = *one ? 1 : 0;
	return status;
}

static pa_status run_find_by_mobile(struct errand *errand, void *self, pa_call *call, pa_error *err)
{
	const pa_customer *const *list = NULL;
	pa_status status =
		errand->ops->find_by_mobile(self, call, errand->question.mobile,
					    errand->question.last4, &list, &errand->count, err);

	errand->list = list;
	return status;
}

/* The operations that take a customer and return a list differ in the list's type only. */
#define RUN_LIST(operation, type)                                                                  \
	static pa_status run_##operation(struct errand *errand, void *self, pa_call *call,         \
					 pa_error *err)                                            \
	{                                                                                          \
		const type *const *list = NULL;                                                    \
		pa_status status = errand->ops->operation(                                         \
			self, call, errand->question.customer_id, &list, &errand->count, err);     \
                                                                                                   \
		errand->list = list;                                                               \
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
	if (!core)
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

/* What a call says of the core. */
enum verdict {
	IT_ANSWERS,
	IT_FAILS,   /* no answer, or too late to be of use next time */
	IT_HANGS,   /* the call did not come back at all */
	NO_VERDICT, /* the turn's time was up before the call's */
};

static void open_breaker(struct core *core)
{
	core->breaker = BREAKER_OPEN;
	core->retry_ns = clock_monotonic_ns() + core->options.breaker_pause_ms * NS_PER_MS;
}

/* A success of a call older than the opening proves nothing: only the trial closes the breaker.
 * Each call that hangs costs a thread: the first one opens it. Returns whether the core is back. */
static bool breaker_note(struct core *core, bool is_trial, enum verdict verdict)
{
	if (verdict == NO_VERDICT && !is_trial)
		return false;
	if (verdict != IT_ANSWERS) {
		core->failures += core->failures < UINT32_MAX;
		if (is_trial ||
		    (core->breaker == BREAKER_CLOSED &&
		     (verdict == IT_HANGS || core->failures >= core->options.breaker_after)))
			open_breaker(core);
		return false;
	}
	if (!is_trial && core->breaker != BREAKER_CLOSED)
		return false;
	core->failures = 0;
	core->breaker = BREAKER_CLOSED;
	return is_trial;
}

static void settle(struct core *core, bool is_trial, enum verdict verdict)
{
	bool is_back, is_slot;

	pthread_mutex_lock(&core->lock);
	core->calls--;
	is_slot = core->refused > 0;
	core->refused -= is_slot;
	is_back = breaker_note(core, is_trial, verdict);
	pthread_mutex_unlock(&core->lock);
	if (is_slot && core->options.on_slot)
		core->options.on_slot(core->options.arg);
	if (is_back && core->options.on_back)
		core->options.on_back(core->options.arg);
}

const struct core_counts *core_counts(const struct core *core, enum core_operation operation)
{
	return &core->counts[operation];
}

const char *core_operation_name(enum core_operation operation)
{
	return operations[operation].name;
}

void core_calls(struct core *core, unsigned *ret_calls, unsigned *ret_most)
{
	pthread_mutex_lock(&core->lock);
	*ret_calls = core->calls;
	pthread_mutex_unlock(&core->lock);
	*ret_most = core->options.max_calls;
}

const char *core_name(const struct core *core)
{
	return core->name;
}

enum core_health core_health(struct core *core)
{
	enum core_health health = CORE_UP;

	if (plugin_is_disabled(core->plugin))
		return CORE_DOWN;
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

static struct core_question question_copy(struct arena *arena, const struct core_question *question)
{
	return (struct core_question){
		.operation = question->operation,
		.document_type = arena_copy(arena, question->document_type),
		.document = arena_copy(arena, question->document),
		.mobile = arena_copy(arena, question->mobile),
		.last4 = arena_copy(arena, question->last4),
		.customer_id = arena_copy(arena, question->customer_id),
	};
}

static pa_status run_errand(void *self, pa_call *call, void *arg, pa_error *err)
{
	struct errand *errand = arg;

	return errand->operation->run(errand, self, call, err);
}

/* Each field once, however many people it is wrong of. */
static void tell_dropped(struct core *core, enum core_operation operation, uint32_t fields)
{
	uint32_t known = atomic_fetch_or(&core->dropped[operation], fields);

	for (unsigned i = 0; fields & ~known; i++, fields >>= 1, known >>= 1)
		if (fields & ~known & 1)
			log_warning(LOG_IDS(.plugin = plugin_descriptor(core->plugin)->name),
				    "core %s: %s: %s makes no sense and is taken for unknown, here "
				    "and whenever it does",
				    core->name, operations[operation].name,
				    answer_field(operation, i));
}

/* Checks the answer and copies it to where the asker wants it. */
static pa_status judge(struct core *core, const struct errand *errand, struct arena *arena,
		       struct core_answer *ret, pa_error *err)
{
	const struct core_question *question = &errand->question;
	struct core_answer answer = {.count = errand->count};
	uint32_t dropped = 0;
	const void *copies;
	pa_status status = answer_adopt(arena, question->operation, errand->list, errand->count,
					&copies, &dropped, err);

	if (status != PA_OK)
		return status;
	tell_dropped(core, question->operation, dropped);
	memcpy((char *)&answer + errand->operation->array, &copies, sizeof(copies));
	for (size_t i = 0; answer.customers && i < answer.count; i++) {
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

static enum verdict verdict_of(pa_status status, int64_t until_ns, int64_t end_ns)
{
	int64_t now_ns = clock_monotonic_ns();

	if (status != PA_RETRY && now_ns <= end_ns)
		return IT_ANSWERS;
	return now_ns >= until_ns && now_ns <= end_ns ? NO_VERDICT : IT_FAILS;
}

static pa_status call_plugin(struct core *core, struct arena *arena,
			     const struct core_question *question, struct core_answer *ret,
			     enum verdict *ret_verdict, pa_error *err)
{
	struct arena *own PA_CLEANUP(arena_done) = arena_new(ERRAND_CAP);
	struct errand *errand = ARENA_NEW(own, struct errand);
	int64_t began_ns = clock_monotonic_ns();
	int64_t end_ns = began_ns + core->options.deadline_ms * NS_PER_MS;
	int64_t until_ns =
		question->until_ns && question->until_ns < end_ns ? question->until_ns : end_ns;
	pa_status status;

	*errand = (struct errand){.ops = core->ops,
				  .operation = &operations[question->operation],
				  .question = question_copy(own, question),
				  .arena = own};
	status = plugin_lend_call(core->plugin, &own,
				  &(struct lending){.what = errand->operation->name,
						    .run = run_errand,
						    .arg = errand,
						    .deadline_ns = until_ns},
				  err);
	histogram_note(&core->counts[question->operation].took, clock_monotonic_ns() - began_ns);
	status = translate(status, err);
	*ret_verdict = own ? verdict_of(status, until_ns, end_ns) : IT_HANGS;
	return status == PA_OK ? judge(core, errand, arena, ret, err) : status;
}

static pa_status ask(struct core *core, struct arena *arena, const struct core_question *question,
		     struct core_answer *ret, pa_error *err)
{
	enum verdict verdict;
	bool is_trial = false;
	pa_status status;

	if (!is_offered(core->ops, &operations[question->operation]))
		return error_set(err, PA_REJECTED, "does not offer it");
	if (plugin_is_disabled(core->plugin))
		return error_set(err, PA_RETRY, "its plugin is disabled");
	if (question->until_ns && clock_monotonic_ns() >= question->until_ns)
		return error_set(err, PA_RETRY, "the turn's time is used up");
	status = admit(core, &is_trial, err);
	if (status != PA_OK)
		return status;
	status = call_plugin(core, arena, question, ret, &verdict, err);
	settle(core, is_trial, verdict);
	return status;
}

pa_status core_ask(struct core *core, struct arena *arena, const struct core_question *question,
		   struct core_answer *ret, pa_error *err)
{
	pa_error local = ERROR_INIT;
	pa_status status = ask(core, arena, question, ret, &local);

	meter_add(&core->counts[question->operation].results[status], 1);
	if (status != PA_OK && err) {
		error_prefix(&local, "core %s: %s: ", core->name,
			     operations[question->operation].name);
		*err = local;
	}
	return status;
}
