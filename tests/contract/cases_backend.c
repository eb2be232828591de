/* SPDX-License-Identifier: Apache-2.0
 *
 * Backends: blocking questions, here asked of a core that fails in every way.
 */
#include "contract/check.h"

#include "base/err.h"
#include "base/str.h"
#include "core/answer.h"
#include "io/clock.h"

#include <proalto/backend.h>

#define OPERATIONS 9
#define QUICK_MS 1500 /* a call without time must be back by then */

struct question {
	const struct subject *subject;
	pa_call *call;
	pa_str text; /* the argument that is tried */
	pa_error *err;
};

static const pa_backend_ops *ops_of(const struct question *question)
{
	return question->subject->plugin->ops;
}

static void judge_list(const struct question *question, enum core_operation operation,
		       const void *list, size_t count)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new((size_t)8 << 20);
	pa_error err = ERROR_INIT;
	uint32_t dropped = 0;
	const void *copies;

	(void)question;
	if (answer_adopt(arena, operation, list, count, &copies, &dropped, &err) != PA_OK)
		fake_problem("the answer makes no sense: %s", error_text(&err));
	for (unsigned i = 0; dropped; i++, dropped >>= 1)
		if (dropped & 1)
			fake_problem("the answer makes no sense: %s", answer_field(operation, i));
}

static pa_status ask_is_demo(const struct question *question)
{
	uint32_t is_demo = 0;
	pa_status status = ops_of(question)->is_demo(question->subject->self, question->call,
						     &is_demo, question->err);

	if (status == PA_OK && is_demo > 1)
		fake_problem("is_demo is %u", is_demo);
	return status;
}

static pa_status ask_find_customer(const struct question *question)
{
	const pa_customer *one[1] = {NULL};
	pa_status status =
		ops_of(question)->find_customer(question->subject->self, question->call,
						PA_STR("CC"), question->text, one, question->err);

	if (status == PA_OK)
		judge_list(question, CORE_FIND_CUSTOMER, one, one[0] != NULL);
	return status;
}

static pa_status ask_find_by_mobile(const struct question *question)
{
	const pa_customer *const *list = NULL;
	size_t count = 0;
	pa_status status = ops_of(question)->find_by_mobile(question->subject->self, question->call,
							    question->text, question->text, &list,
							    &count, question->err);

	if (status == PA_OK)
		judge_list(question, CORE_FIND_BY_MOBILE, list, count);
	return status;
}

#define ASK_LIST(operation, type, number)                                                          \
	static pa_status ask_##operation(const struct question *question)                          \
	{                                                                                          \
		const type *const *list = NULL;                                                    \
		size_t count = 0;                                                                  \
		pa_status status =                                                                 \
			ops_of(question)->operation(question->subject->self, question->call,       \
						    question->text, &list, &count, question->err); \
                                                                                                   \
		if (status == PA_OK)                                                               \
			judge_list(question, number, list, count);                                 \
		return status;                                                                     \
	}
ASK_LIST(credits, pa_credit, CORE_CREDITS)
ASK_LIST(next_discounts, pa_discount, CORE_NEXT_DISCOUNTS)
ASK_LIST(applications, pa_application, CORE_APPLICATIONS)
ASK_LIST(renewal_offers, pa_offer, CORE_RENEWAL_OFFERS)
ASK_LIST(obligations, pa_obligation, CORE_OBLIGATIONS)

static pa_status ask_changes_since(const struct question *question)
{
	const pa_change *const *list = NULL;
	size_t count = 0;
	pa_status status =
		ops_of(question)->changes_since(question->subject->self, question->call,
						question->text, 10, &list, &count, question->err);

	if (status == PA_OK && count > 10)
		fake_problem("changes_since returned %zu changes of 10 asked for", count);
	for (size_t i = 0; status == PA_OK && i < count && i < 10; i++) {
		if (list[i]->what < PA_CHANGE_APPLICATION || list[i]->what > PA_CHANGE_DISCOUNT)
			fake_problem("changes_since: what is out of range");
		judge_str("changes_since", list[i]->customer_id);
		judge_str("changes_since", list[i]->cursor);
	}
	return status;
}

/* Asks one operation, if the core offers it. */
static void ask(const struct subject *subject, size_t which, pa_str text, int64_t deadline_ms)
{
	const pa_backend_ops *ops = subject->plugin->ops;
	const struct {
		const char *name;
		bool is_offered;
		pa_status (*run)(const struct question *question);
	} table[OPERATIONS] = {
		{"is_demo", ops->is_demo, ask_is_demo},
		{"find_customer", ops->find_customer, ask_find_customer},
		{"find_by_mobile", ops->find_by_mobile, ask_find_by_mobile},
		{"credits", ops->credits, ask_credits},
		{"next_discounts", ops->next_discounts, ask_next_discounts},
		{"applications", ops->applications, ask_applications},
		{"renewal_offers", ops->renewal_offers, ask_renewal_offers},
		{"obligations", ops->obligations, ask_obligations},
		{"changes_since", ops->changes_since, ask_changes_since},
	};
	pa_error err = ERROR_INIT;
	struct question question = {subject, NULL, fake_guard(text), &err};

	if (table[which].is_offered) {
		question.call = fake_call_new(deadline_ms);
		judge_status(table[which].name, table[which].run(&question), &err);
		fake_call_free(question.call);
	}
	fake_guard_free();
}

static void case_hostile_arguments(const struct subject *subject)
{
	for (size_t which = 0; which < OPERATIONS; which++) {
		for (size_t i = 0; i < hostile_count; i++)
			ask(subject, which, hostile_text(subject->arena, i), 2000);
	}
}

/* Every call to host->http fails in turn, and in every way. */
static void case_http_fails(const struct subject *subject)
{
	static const struct fake_plan plans[] = {
		{.failure = PA_RETRY, .reason = PA_HTTP_FAILED_BEFORE_SEND},
		{.failure = PA_RETRY, .reason = PA_HTTP_FAILED_AFTER_SEND},
		{.failure = PA_REJECTED},
		{.failure = PA_DEADLINE},
		{.failure = PA_OK, .status = 500, .body = {"<html>", 6}},
		{.failure = PA_OK, .status = 200, .body = {"{\"a\":", 5}},
		{.failure = PA_OK, .status = 204},
	};

	for (size_t i = 0; i < ARRAY_COUNT(plans) * 4; i++) {
		struct fake_plan plan = plans[i / 4];

		plan.fail_at = (unsigned)(i % 4) + 1;
		for (size_t which = 0; which < OPERATIONS; which++) {
			fake_plan(&plan);
			ask(subject, which, PA_STR("1020304050"), 2000);
			if (fake_http_calls() == 0)
				continue;
		}
	}
}

static void case_without_time(const struct subject *subject)
{
	for (size_t which = 0; which < OPERATIONS; which++) {
		int64_t begin = clock_monotonic_ns();

		ask(subject, which, PA_STR("1020304050"), 0);
		if (clock_monotonic_ns() - begin > QUICK_MS * NS_PER_MS)
			fake_problem("operation %zu took %lld ms without having any time", which,
				     (long long)((clock_monotonic_ns() - begin) / NS_PER_MS));
	}
}

static void parallel_work(const struct subject *subject, unsigned thread)
{
	for (size_t i = 0; i < 10u * OPERATIONS; i++)
		ask(subject, (i + thread) % OPERATIONS, PA_STR("1020304050"), 2000);
}

static void case_parallel(const struct subject *subject)
{
	in_parallel(parallel_work, subject);
}

const struct check_case backend_cases[] = {
	{"bears hostile arguments", case_hostile_arguments},
	{"bears each HTTP call failing in turn", case_http_fails},
	{"is back at once when there is no time", case_without_time},
	{"works on four threads", case_parallel},
	{NULL, NULL},
};
