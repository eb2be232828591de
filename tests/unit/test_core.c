/* SPDX-License-Identifier: Apache-2.0
 *
 * The room core/: bulkhead, breaker and deadline over a backend that does as it is told, and what
 * counts as an answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"
#include "core/answer.h"
#include "core/core.h"
#include "host/host.h"
#include "io/clock.h"
#include "io/crypto.h"

/* ---- a backend that does as it is told ---- */

struct orders {
	pa_status status;
	const char *error;
	int64_t sleep_ms;
	atomic_bool is_gated; /* calls wait until the gate opens */
	bool obeys_deadline;  /* calls take all their time and come to nothing */
	_Atomic int64_t remaining_ms;
	pa_customer customer;
	bool has_customer;
	const pa_credit *credits[300];
	size_t credits_count;
	atomic_int inside;
	atomic_int most;
	atomic_int calls;
};

static struct orders orders;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static const pa_host *services;

static pa_status obey(pa_call *call, pa_error *err)
{
	int now = atomic_fetch_add(&orders.inside, 1) + 1;
	int most = atomic_load(&orders.most);

	atomic_fetch_add(&orders.calls, 1);
	while (now > most && !atomic_compare_exchange_weak(&orders.most, &most, now))
		;
	if (orders.is_gated) {
		pthread_mutex_lock(&gate);
		pthread_mutex_unlock(&gate);
	}
	orders.remaining_ms = services->remaining_ms(call);
	if (orders.obeys_deadline) {
		usleep((useconds_t)orders.remaining_ms * 1000);
		orders.status = PA_DEADLINE;
	}
	if (orders.sleep_ms)
		usleep((useconds_t)orders.sleep_ms * 1000);
	atomic_fetch_sub(&orders.inside, 1);
	if (orders.status != PA_OK && orders.error)
		return error_set(err, orders.status, "%s", orders.error);
	return orders.status;
}

static pa_status fake_find_customer(void *self, pa_call *call, pa_str document_type,
				    pa_str document, const pa_customer **ret_customer,
				    pa_error *err)
{
	pa_status status = obey(call, err);

	(void)self;
	(void)document_type;
	(void)document;
	if (status == PA_OK)
		*ret_customer = orders.has_customer ? &orders.customer : NULL;
	return status;
}

static pa_status fake_find_by_mobile(void *self, pa_call *call, pa_str mobile, pa_str last4,
				     const pa_customer *const **ret_customers, size_t *ret_count,
				     pa_error *err)
{
	static const pa_customer *const one[] = {&orders.customer};
	pa_status status = obey(call, err);

	(void)self;
	(void)mobile;
	(void)last4;
	*ret_customers = one;
	*ret_count = orders.has_customer;
	return status;
}

static pa_status fake_credits(void *self, pa_call *call, pa_str customer_id,
			      const pa_credit *const **ret_credits, size_t *ret_count,
			      pa_error *err)
{
	pa_status status = obey(call, err);

	(void)self;
	(void)customer_id;
	*ret_credits = orders.credits;
	*ret_count = orders.credits_count;
	return status;
}

static pa_status fake_open(const pa_host *host, pa_call *call, const pa_value *const *values,
			   void **ret_self, pa_error *err)
{
	(void)call;
	(void)values;
	(void)err;
	services = host;
	*ret_self = &orders;
	return PA_OK;
}

static void fake_close(void *self)
{
	(void)self;
}

static const pa_backend_ops fake_ops = {.size = sizeof(fake_ops),
					.find_customer = fake_find_customer,
					.find_by_mobile = fake_find_by_mobile,
					.credits = fake_credits};

#define BACKEND(plugin_name, plugin_flags)                                                         \
	{                                                                                          \
		.size = sizeof(pa_plugin), .abi_major = PA_ABI_MAJOR, .abi_minor = PA_ABI_MINOR,   \
		.kind = PA_KIND_BACKEND, .flags = (plugin_flags), .name = (plugin_name),           \
		.version = "1", .summary = "Obeys.", .open = fake_open, .close = fake_close,       \
		.ops = &fake_ops                                                                   \
	}
static const pa_plugin parallel = BACKEND("parallel", 0);
static const pa_plugin serial = BACKEND("serial", PA_FLAG_SERIAL);

extern const pa_plugin *const host_static_plugins[];
const pa_plugin *const host_static_plugins[] = {&parallel, &serial, NULL};

/* ---- rig ---- */

struct rig {
	struct host *host;
	struct plugin *plugin;
	struct core *core;
	struct arena *arena;
	atomic_int slots; /* times on_slot was called */
	atomic_int backs;
};

static void on_slot(void *arg)
{
	struct rig *rig = arg;

	/* Would hang if a lock were held. */
	assert_int_not_equal(core_health(rig->core), 99);
	atomic_fetch_add(&rig->slots, 1);
}

static void on_back(void *arg)
{
	struct rig *rig = arg;

	assert_int_equal(core_health(rig->core), CORE_UP);
	atomic_fetch_add(&rig->backs, 1);
}

static void rig_make(struct rig *rig, const char *plugin, unsigned max_calls)
{
	pa_error err = ERROR_INIT;

	memset(&orders, 0, sizeof(orders));
	memset(rig, 0, sizeof(*rig));
	rig->host = host_new(&(struct host_options){
		.directory = "/nonexistent", .probe_path = "/nonexistent", .most_left = 2});
	rig->arena = arena_new(64 << 20);
	assert_int_equal(host_open(rig->host, plugin, "main", NULL, 0, &rig->plugin, &err), PA_OK);
	rig->core = core_new(rig->plugin, &(struct core_options){.name = "main",
								 .max_calls = max_calls,
								 .deadline_ms = 200,
								 .breaker_after = 3,
								 .breaker_pause_ms = 100,
								 .on_slot = on_slot,
								 .on_back = on_back,
								 .arg = rig});
}

static void rig_done(struct rig *rig)
{
	core_free(rig->core);
	plugin_close(rig->plugin);
	host_free(rig->host);
	arena_free(rig->arena);
}

static const struct core_question by_document = {.operation = CORE_FIND_CUSTOMER,
						 .document_type = {"CC", 2},
						 .document = {"1020304050", 10}};
static const struct core_question by_mobile = {
	.operation = CORE_FIND_BY_MOBILE, .mobile = {"573001112233", 12}, .last4 = {"4050", 4}};
static const struct core_question for_credits = {.operation = CORE_CREDITS,
						 .customer_id = {"7", 1}};

static pa_status ask(struct rig *rig, const struct core_question *question,
		     struct core_answer *answer, pa_error *err)
{
	*err = ERROR_INIT;
	return core_ask(rig->core, rig->arena, question, answer, err);
}

static void assert_says(const pa_error *err, const char *phrase)
{
	if (!strstr(error_text(err), phrase))
		fail_msg("\"%s\" does not say \"%s\"", error_text(err), phrase);
}

static void order_customer(void)
{
	orders.has_customer = true;
	orders.customer = (pa_customer){.size = sizeof(pa_customer),
					.id = PA_STR("7"),
					.document_type = PA_STR("CC"),
					.document = PA_STR("1020304050"),
					.name = PA_STR("Ana María"),
					.mobile = PA_STR("573001112233")};
}

static const pa_credit sound_credit = {.size = sizeof(pa_credit),
				       .state = PA_CREDIT_ACTIVE,
				       .id = {"c1", 2},
				       .balance = {.value = 3210500, .is_known = 1}};

static void order_credits(const pa_credit *credit, size_t count)
{
	orders.credits_count = count;
	for (size_t i = 0; i < count && i < ARRAY_COUNT(orders.credits); i++)
		orders.credits[i] = credit;
}

/* ---- answers ---- */

static void test_answers_arrive(void **state)
{
	struct rig rig PA_CLEANUP(rig_done);
	struct core_answer answer = {0};
	pa_error err;

	(void)state;
	rig_make(&rig, "parallel", 4);
	assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_OK);
	assert_int_equal(answer.count, 0);
	order_customer();
	assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_OK);
	assert_int_equal(answer.count, 1);
	assert_true(str_equal(answer.customers[0]->id, PA_STR("7")));
	assert_int_equal(ask(&rig, &by_mobile, &answer, &err), PA_OK);
	assert_int_equal(answer.count, 1);
	order_credits(&sound_credit, 200);
	assert_int_equal(ask(&rig, &for_credits, &answer, &err), PA_OK);
	assert_int_equal(answer.count, 200);
	assert_null(answer.customers);
	assert_int_equal(answer.credits[199]->balance.value, 3210500);
	assert_ptr_not_equal(answer.credits[0], &sound_credit);
}

static void test_what_is_not_offered(void **state)
{
	struct rig rig PA_CLEANUP(rig_done);
	struct core_question question = {.operation = CORE_OBLIGATIONS};
	struct core_answer answer = {.count = 77};
	pa_error err;

	(void)state;
	rig_make(&rig, "parallel", 4);
	assert_int_equal(ask(&rig, &question, &answer, &err), PA_REJECTED);
	assert_says(&err, "core main: obligations: does not offer it");
	assert_int_equal(answer.count, 77);
}

static void test_the_wrong_person_is_refused(void **state)
{
	static const struct {
		const struct core_question *question;
		const char *type;
		const char *document; /* NULL: absent */
		const char *phrase;   /* NULL: accepted */
	} cases[] = {
		{&by_document, "CC", "1020304051", "document is not the one asked for"},
		{&by_document, "CE", "1020304050", "document_type is not the one asked for"},
		{&by_document, "cc", "0001020304050", NULL},
		{&by_document, NULL, NULL, NULL},
		{&by_mobile, "CC", "1020304051", "document is not one that was asked for"},
		{&by_mobile, "CC", "99994050", NULL},
	};
	struct rig rig PA_CLEANUP(rig_done);
	struct core_answer answer;
	pa_error err;

	(void)state;
	rig_make(&rig, "parallel", 4);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		order_customer();
		orders.customer.document_type = str_from(cases[i].type);
		orders.customer.document = str_from(cases[i].document);
		assert_int_equal(ask(&rig, cases[i].question, &answer, &err),
				 cases[i].phrase ? PA_REJECTED : PA_OK);
		if (cases[i].phrase)
			assert_says(&err, cases[i].phrase);
		assert_null(strstr(error_text(&err), "102030"));
	}
	assert_int_equal(core_health(rig.core), CORE_UP);
}

static const char long_text[600];

static void test_nonsense_is_named(void **state)
{
	static const pa_number half = {.is_known = 2}, huge = {INT64_MAX, 1, 0},
			       far = {999999, 1, 0}, minus = {-1, 1, 0};
	pa_credit cases[10];
	static const char *const phrases[] = {
		"element 1: size is impossible",
		"element 1: state is out of range",
		"element 1: state is out of range",
		"element 1: id is missing",
		"element 1: id is too long",
		"element 1: number has a length and no bytes",
		"element 1: balance is neither known nor unknown",
		"element 1: instalment is out of range",
		"element 1: cut_off is out of range",
		"element 1: instalments_paid is out of range",
	};
	struct rig rig PA_CLEANUP(rig_done);
	struct core_answer answer = {.count = 77};
	pa_error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		cases[i] = sound_credit;
	cases[0].size = 8;
	cases[1].state = 0;
	cases[2].state = 5;
	cases[3].id = PA_STR("");
	cases[4].id = (pa_str){long_text, 201};
	cases[5].number = (pa_str){NULL, 3};
	cases[6].balance = half;
	cases[7].instalment = huge;
	cases[8].cut_off = far;
	cases[9].instalments_paid = minus;
	rig_make(&rig, "parallel", 4);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		order_credits(&cases[i], 1);
		assert_int_equal(ask(&rig, &for_credits, &answer, &err), PA_REJECTED);
		assert_says(&err, phrases[i]);
		assert_says(&err, "core main: credits: ");
	}
	order_credits(&sound_credit, 201);
	assert_int_equal(ask(&rig, &for_credits, &answer, &err), PA_REJECTED);
	assert_says(&err, "more than 200 elements");
	order_credits(&sound_credit, 3);
	orders.credits[2] = NULL;
	assert_int_equal(ask(&rig, &for_credits, &answer, &err), PA_REJECTED);
	assert_says(&err, "element 3: is absent");
	assert_int_equal(answer.count, 77);
	assert_int_equal(core_health(rig.core), CORE_UP);
}

/* What nobody's balance depends on costs nobody his balance. */
static void test_nonsense_in_spare_fields_is_dropped(void **state)
{
	static char long_name[5000];
	static const pa_number far = {999999, 1, 0}, half = {.is_known = 2};
	struct rig rig PA_CLEANUP(rig_done);
	struct core_answer answer = {0};
	const pa_customer *customer;
	pa_credit credit = sound_credit;
	pa_error err;

	(void)state;
	rig_make(&rig, "parallel", 4);
	memset(long_name, 'x', sizeof(long_name));
	order_customer();
	orders.customer.name = (pa_str){long_name, sizeof(long_name)};
	orders.customer.first_name = PA_STR("Mar\xed"
					    "a");
	orders.customer.email = PA_STR("a\0b");
	orders.customer.birth_date = far;
	for (int i = 0; i < 2; i++)
		assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_OK);
	customer = answer.customers[0];
	assert_true(str_is_absent(customer->name));
	assert_true(str_is_absent(customer->first_name));
	assert_true(str_is_absent(customer->email));
	assert_false(customer->birth_date.is_known);
	assert_true(str_equal(customer->document, PA_STR("1020304050")));
	assert_true(str_equal(customer->mobile, PA_STR("573001112233")));
	/* A code may depend on this one. */
	orders.customer.mobile_since = far;
	assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_REJECTED);
	assert_says(&err, "mobile_since is out of range");
	credit.payroll = PA_STR("Tesorer\xed"
				"a");
	credit.disbursed_on = half;
	order_credits(&credit, 1);
	assert_int_equal(ask(&rig, &for_credits, &answer, &err), PA_OK);
	assert_true(str_is_absent(answer.credits[0]->payroll));
	assert_false(answer.credits[0]->disbursed_on.is_known);
	assert_int_equal(answer.credits[0]->balance.value, 3210500);
}

static void test_dropped_fields_are_named(void **state)
{
	static const pa_number far = {999999, 1, 0};
	const pa_customer strange = {.size = sizeof(strange),
				     .id = PA_STR("7"),
				     .name = PA_STR("a\0b"),
				     .birth_date = far};
	const void *list[] = {&strange};
	const void *ret = NULL;
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);
	uint32_t dropped = 0;
	pa_error err = ERROR_INIT;

	(void)state;
	assert_int_equal(answer_adopt(arena, CORE_FIND_CUSTOMER, list, 1, &ret, &dropped, &err),
			 PA_OK);
	for (unsigned i = 0; i < 9; i++) {
		const char *name = answer_field(CORE_FIND_CUSTOMER, i);

		assert_int_equal(dropped >> i & 1,
				 strcmp(name, "name") == 0 || strcmp(name, "birth_date") == 0);
	}
}

/* The answer's texts may die with the call. */
static void test_answers_are_the_askers(void **state)
{
	static char document[] = "1020304050";
	struct rig rig PA_CLEANUP(rig_done);
	struct core_answer answer = {0};
	pa_error err;

	(void)state;
	rig_make(&rig, "parallel", 4);
	order_customer();
	orders.customer.document = (pa_str){document, 10};
	assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_OK);
	memset(document, 'x', sizeof(document) - 1);
	assert_true(str_equal(answer.customers[0]->document, PA_STR("1020304050")));
	memcpy(document, "1020304050", sizeof(document));
}

static void test_a_document_with_letters(void **state)
{
	struct rig rig PA_CLEANUP(rig_done);
	struct core_answer answer;
	pa_error err;

	(void)state;
	rig_make(&rig, "parallel", 4);
	order_customer();
	orders.customer.mobile = PA_STR("+57 300");
	assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_REJECTED);
	assert_says(&err, "mobile is not made of digits");
}

/* A struct made with a later minor is longer; what this daemon does not know is cut off. */
static void test_longer_elements_are_cut(void **state)
{
	static struct {
		pa_credit known;
		char later[64];
	} longer;
	const void *list[] = {&longer};
	const void *ret = NULL;
	uint32_t dropped = 0;
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);
	pa_error err = ERROR_INIT;
	const pa_credit *copy;

	(void)state;
	longer.known = sound_credit;
	longer.known.size = sizeof(longer);
	memset(longer.later, 0xff, sizeof(longer.later));
	assert_int_equal(answer_adopt(arena, CORE_CREDITS, list, 1, &ret, &dropped, &err), PA_OK);
	assert_int_equal(dropped, 0);
	copy = *(const pa_credit *const *)ret;
	assert_int_equal(copy->size, sizeof(pa_credit));
	assert_int_equal(copy->balance.value, 3210500);
}

/* ---- breaker ---- */

static void test_statuses_of_plugins(void **state)
{
	static const struct {
		pa_status said;
		pa_status got;
	} cases[] = {
		{PA_RETRY, PA_RETRY},      {PA_DEADLINE, PA_RETRY},    {PA_BUG, PA_RETRY},
		{(pa_status)99, PA_RETRY}, {PA_REJECTED, PA_REJECTED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct rig rig PA_CLEANUP(rig_done);
		struct core_answer answer;
		pa_error err;

		rig_make(&rig, "parallel", 4);
		orders.status = cases[i].said;
		assert_int_equal(ask(&rig, &by_document, &answer, &err), cases[i].got);
		assert_says(&err, "core main: find_customer: no reason given");
		orders.error = "no route to host";
		assert_int_equal(ask(&rig, &by_document, &answer, &err), cases[i].got);
		assert_says(&err, "core main: find_customer: no route to host");
	}
}

static void test_breaker(void **state)
{
	struct rig rig PA_CLEANUP(rig_done);
	struct core_answer answer;
	pa_error err;

	(void)state;
	rig_make(&rig, "parallel", 4);
	orders.status = PA_RETRY;
	assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_RETRY);
	assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_RETRY);
	orders.status = PA_OK; /* in a row: a success begins anew */
	assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_OK);
	orders.status = PA_RETRY;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(core_health(rig.core), CORE_UP);
		assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_RETRY);
	}
	assert_int_equal(core_health(rig.core), CORE_DOWN);
	assert_int_equal(orders.calls, 6);
	assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_RETRY);
	assert_says(&err, "away: it failed 3 times in a row");
	assert_int_equal(orders.calls, 6);
	usleep(120000);
	assert_int_equal(core_health(rig.core), CORE_TRYING);
	assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_RETRY); /* the trial fails */
	assert_int_equal(orders.calls, 7);
	assert_int_equal(core_health(rig.core), CORE_DOWN);
	assert_int_equal(rig.backs, 0);
	usleep(120000);
	orders.status = PA_OK;
	assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_OK);
	assert_int_equal(core_health(rig.core), CORE_UP);
	assert_int_equal(rig.backs, 1);
}

static void test_late_answers_open_the_breaker(void **state)
{
	struct rig rig PA_CLEANUP(rig_done);
	struct core_answer answer;
	pa_error err;

	(void)state;
	rig_make(&rig, "parallel", 4);
	orders.sleep_ms = 220;
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_OK);
	assert_int_equal(core_health(rig.core), CORE_DOWN);
}

static void test_a_call_that_does_not_come_back(void **state)
{
	struct rig rig PA_CLEANUP(rig_done);
	struct core_answer answer = {.count = 77};
	struct host_stuck stuck;
	int64_t begin_ns;
	pa_error err;

	(void)state;
	rig_make(&rig, "parallel", 1);
	order_customer();
	orders.is_gated = true;
	pthread_mutex_lock(&gate);
	begin_ns = clock_monotonic_ns();
	assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_RETRY);
	assert_says(&err, "core main: find_customer: it did not come back in time");
	assert_in_range(clock_monotonic_ns() - begin_ns, 1200 * NS_PER_MS, 2500 * NS_PER_MS);
	assert_int_equal(answer.count, 77);
	assert_int_equal(host_stuck(rig.host, 500, &stuck, 1), 1);
	assert_string_equal(stuck.plugin, "parallel");
	assert_string_equal(stuck.what, "find_customer");
	/* One is enough, and its slot is free: the trial is let in, and hangs too. */
	assert_int_equal(core_health(rig.core), CORE_DOWN);
	usleep(120000);
	assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_RETRY);
	assert_says(&err, "it did not come back in time");
	/* No more than two threads are risked. */
	usleep(120000);
	assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_RETRY);
	assert_says(&err, "2 calls to its plugin have not come back");
	assert_int_equal(orders.calls, 2);
	orders.is_gated = false;
	pthread_mutex_unlock(&gate);
	while (host_stuck(rig.host, 0, &stuck, 1))
		usleep(1000);
	usleep(120000);
	assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_OK);
	assert_int_equal(answer.count, 1);
	assert_int_equal(core_health(rig.core), CORE_UP);
	assert_int_equal(rig.backs, 1);
}

static void test_the_askers_own_time(void **state)
{
	struct rig rig PA_CLEANUP(rig_done);
	struct core_question question = by_document;
	struct core_answer answer;
	pa_error err;

	(void)state;
	rig_make(&rig, "parallel", 1);
	question.until_ns = clock_monotonic_ns();
	assert_int_equal(ask(&rig, &question, &answer, &err), PA_RETRY);
	assert_says(&err, "the turn's time is used up");
	assert_int_equal(orders.calls, 0);
	/* The plugin is told of it; that it had too little is not held against the core. */
	orders.obeys_deadline = true;
	for (int i = 0; i < 5; i++) {
		question.until_ns = clock_monotonic_ns() + 30 * NS_PER_MS;
		assert_int_equal(ask(&rig, &question, &answer, &err), PA_RETRY);
	}
	assert_int_equal(orders.calls, 5);
	assert_in_range(orders.remaining_ms, 1, 30);
	assert_int_equal(core_health(rig.core), CORE_UP);
	question.until_ns = clock_monotonic_ns() + NS_PER_HOUR; /* the core's own deadline holds */
	assert_int_equal(ask(&rig, &question, &answer, &err), PA_RETRY);
	assert_in_range(orders.remaining_ms, 100, 200);
}

static void test_a_disabled_plugin(void **state)
{
	struct rig rig PA_CLEANUP(rig_done);
	struct core_answer answer;
	pa_error err;

	(void)state;
	rig_make(&rig, "parallel", 4);
	plugin_disable(rig.plugin);
	assert_int_equal(core_health(rig.core), CORE_DOWN);
	assert_int_equal(ask(&rig, &by_document, &answer, &err), PA_RETRY);
	assert_says(&err, "its plugin is disabled");
	assert_int_equal(orders.calls, 0);
}

/* ---- many at once ---- */

struct asker {
	struct rig *rig;
	pthread_t thread;
	int rounds;
	int counts[5]; /* by status */
};

static void *asker_run(void *arg)
{
	struct asker *asker = arg;

	for (int i = 0; i < asker->rounds; i++) {
		struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);
		struct core_answer answer;
		pa_error err = ERROR_INIT;

		asker->counts[core_ask(asker->rig->core, arena, &for_credits, &answer, &err)]++;
	}
	return NULL;
}

static void askers_start(struct asker *askers, size_t count, struct rig *rig, int rounds)
{
	for (size_t i = 0; i < count; i++) {
		askers[i] = (struct asker){.rig = rig, .rounds = rounds};
		pthread_create(&askers[i].thread, NULL, asker_run, &askers[i]);
	}
}

static int askers_join(struct asker *askers, size_t count, pa_status status)
{
	int sum = 0;

	for (size_t i = 0; i < count; i++) {
		pthread_join(askers[i].thread, NULL);
		sum += askers[i].counts[status];
	}
	return sum;
}

static void wait_inside(int count)
{
	while (atomic_load(&orders.inside) < count)
		usleep(1000);
}

static void test_bulkhead_never_waits(void **state)
{
	struct rig rig PA_CLEANUP(rig_done);
	struct asker askers[2];
	struct core_answer answer;
	pa_error err;
	int64_t begin;

	(void)state;
	rig_make(&rig, "parallel", 2);
	orders.is_gated = true;
	pthread_mutex_lock(&gate);
	askers_start(askers, 2, &rig, 1);
	wait_inside(2);
	begin = clock_monotonic_ns();
	assert_int_equal(ask(&rig, &for_credits, &answer, &err), PA_DEADLINE);
	assert_says(&err, "all of its 2 calls are under way");
	assert_true(clock_monotonic_ns() - begin < 50 * NS_PER_MS);
	assert_int_equal(rig.slots, 0);
	pthread_mutex_unlock(&gate);
	assert_int_equal(askers_join(askers, 2, PA_OK), 2);
	/* One was refused: one is told. */
	assert_int_equal(rig.slots, 1);
	assert_int_equal(orders.most, 2);
}

static void test_one_trial_at_a_time(void **state)
{
	struct rig rig PA_CLEANUP(rig_done);
	struct asker trial;
	struct core_answer answer;
	pa_error err;

	(void)state;
	rig_make(&rig, "parallel", 4);
	orders.status = PA_RETRY;
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(&rig, &for_credits, &answer, &err), PA_RETRY);
	usleep(120000);
	orders.status = PA_OK;
	orders.is_gated = true;
	pthread_mutex_lock(&gate);
	askers_start(&trial, 1, &rig, 1);
	wait_inside(1);
	assert_int_equal(core_health(rig.core), CORE_TRYING);
	assert_int_equal(ask(&rig, &for_credits, &answer, &err), PA_RETRY);
	assert_int_equal(orders.calls, 4);
	pthread_mutex_unlock(&gate);
	assert_int_equal(askers_join(&trial, 1, PA_OK), 1);
	assert_int_equal(rig.backs, 1);
}

static void test_many_threads(void **state)
{
	struct rig rig PA_CLEANUP(rig_done);
	struct asker askers[6];
	int answered, refused = 0;

	(void)state;
	rig_make(&rig, "parallel", 3);
	order_credits(&sound_credit, 5);
	askers_start(askers, 6, &rig, 500);
	answered = askers_join(askers, 6, PA_OK);
	for (size_t i = 0; i < 6; i++)
		refused += askers[i].counts[PA_DEADLINE];
	assert_int_equal(answered + refused, 3000);
	assert_true(orders.most <= 3);
	assert_true(rig.slots <= refused);
	assert_int_equal(core_health(rig.core), CORE_UP);
}

static void test_serial_plugins_have_one_slot(void **state)
{
	struct rig rig PA_CLEANUP(rig_done);
	struct asker asker;
	struct core_answer answer;
	pa_error err;

	(void)state;
	rig_make(&rig, "serial", 8);
	orders.is_gated = true;
	pthread_mutex_lock(&gate);
	askers_start(&asker, 1, &rig, 1);
	wait_inside(1);
	assert_int_equal(ask(&rig, &for_credits, &answer, &err), PA_DEADLINE);
	pthread_mutex_unlock(&gate);
	assert_int_equal(askers_join(&asker, 1, PA_OK), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_arrive),
		cmocka_unit_test(test_what_is_not_offered),
		cmocka_unit_test(test_the_wrong_person_is_refused),
		cmocka_unit_test(test_nonsense_is_named),
		cmocka_unit_test(test_nonsense_in_spare_fields_is_dropped),
		cmocka_unit_test(test_dropped_fields_are_named),
		cmocka_unit_test(test_answers_are_the_askers),
		cmocka_unit_test(test_a_document_with_letters),
		cmocka_unit_test(test_longer_elements_are_cut),
		cmocka_unit_test(test_statuses_of_plugins),
		cmocka_unit_test(test_breaker),
		cmocka_unit_test(test_late_answers_open_the_breaker),
		cmocka_unit_test(test_a_call_that_does_not_come_back),
		cmocka_unit_test(test_the_askers_own_time),
		cmocka_unit_test(test_a_disabled_plugin),
		cmocka_unit_test(test_bulkhead_never_waits),
		cmocka_unit_test(test_one_trial_at_a_time),
		cmocka_unit_test(test_many_threads),
		cmocka_unit_test(test_serial_plugins_have_one_slot),
	};

	if (crypto_init() != PA_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
