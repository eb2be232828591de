/* SPDX-License-Identifier: Apache-2.0
 *
 * host/host.c and host/call.c: what a plugin is opened with, the services it gets, and how calls
 * end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/host.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "support/recorder.h"

static const pa_plugin recorder = RECORDER("recorder", 0);
static const pa_plugin serial = RECORDER("serial", PA_FLAG_SERIAL);
static const pa_channel_ops pure_ops = PURE_OPS;
static const pa_plugin pure = PURE(&pure_ops);

extern const pa_plugin *const host_static_plugins[];
const pa_plugin *const host_static_plugins[] = {&recorder, &serial, &pure, NULL};

static struct host *host_make(void)
{
	return host_new(
		&(struct host_options){.directory = "/nonexistent", .probe_path = "/nonexistent"});
}

static void host_done(struct host **host)
{
	host_free(*host);
}

static struct host_setting setting(const char *name, pa_str text, int64_t number)
{
	return (struct host_setting){
		.name = name,
		.value = {.size = sizeof(pa_value), .is_set = 1, .text = text, .number = number},
		.where = "proalto.conf:12"};
}

static pa_status open_with(struct host *host, const char *name, pa_str text, struct plugin **ret,
			   pa_error *err)
{
	struct host_setting settings[] = {setting("text", text, 0)};

	return host_open(host, name, "mine", settings, 1, ret, err);
}

/* Of the instance in use; it stays as long as nobody closes or swaps it. */
static const struct recorder *self_of(struct plugin *plugin)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);
	pa_call *call = plugin_call_begin(plugin, arena, 1000);
	const struct recorder *self = call_self(call);

	plugin_call_end(call);
	return self;
}

static void test_options_have_their_order_and_defaults(void **state)
{
	struct host *host PA_CLEANUP(host_done) = host_make();
	struct host_setting settings[] = {setting("pause", PA_STR_ABSENT, 42),
					  setting("text", PA_STR("hola"), 0)};
	struct plugin *plugin = NULL;
	pa_error err = ERROR_INIT;
	const struct recorder *self;

	(void)state;
	assert_int_equal(host_open(host, "recorder", "mine", settings, 2, &plugin, &err), PA_OK);
	self = self_of(plugin);
	assert_string_equal(self->text, "hola");
	assert_int_equal(self->numbers[1], -7);
	assert_int_equal(self->numbers[2], 1);
	assert_int_equal(self->numbers[3], 42);
	assert_int_equal(self->is_set[3], 1);
	assert_int_equal(self->is_set[4], 0);
	plugin_close(plugin);
}

static void test_open_refusals_name_the_instance(void **state)
{
	struct host *host PA_CLEANUP(host_done) = host_make();
	struct host_setting unknown[] = {setting("colour", PA_STR("red"), 0)};
	struct plugin *plugin = NULL;
	pa_error err = ERROR_INIT;

	(void)state;
	assert_int_equal(host_open(host, "recorder", "mine", unknown, 1, &plugin, &err),
			 PA_REJECTED);
	assert_string_equal(error_text(&err),
			    "mine (recorder): proalto.conf:12: colour is not an option of it");
	assert_int_equal(host_open(host, "recorder", "mine", NULL, 0, &plugin, &err), PA_REJECTED);
	assert_string_equal(error_text(&err), "mine (recorder): text is missing");
	assert_int_equal(open_with(host, "recorder", PA_STR("refuse"), &plugin, &err), PA_REJECTED);
	assert_string_equal(error_text(&err), "mine (recorder): the text is not to my taste");
	assert_int_equal(open_with(host, "recorder", PA_STR("sulk"), &plugin, &err), PA_REJECTED);
	assert_string_equal(error_text(&err),
			    "mine (recorder): refused without a reason (rejected)");
	assert_null(plugin);
}

/* ---- calls ---- */

struct rig {
	struct host *host;
	struct plugin *plugin;
	struct arena *arena;
	const pa_host *services;
};

static struct rig rig_make(const char *name)
{
	struct rig rig = {.host = host_make(), .arena = arena_new(64 << 20)};
	pa_error err = ERROR_INIT;

	if (open_with(rig.host, name, PA_STR("x"), &rig.plugin, &err) != PA_OK)
		fail_msg("%s", error_text(&err));
	rig.services = self_of(rig.plugin)->host;
	return rig;
}

static void rig_done(struct rig *rig)
{
	plugin_close(rig->plugin);
	host_free(rig->host);
	arena_free(rig->arena);
}

static void test_services(void **state)
{
	/* RFC 4231, test case 2. */
	static const char mac[] =
		"\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7"
		"\x5a\x00\x3f\x08\x9d\x27\x39\x83\x9d\xec\x58\xb9\x64\xec\x38\x43";
	struct rig rig PA_CLEANUP(rig_done) = rig_make("recorder");
	pa_call *call = plugin_call_begin(rig.plugin, rig.arena, 1000);
	unsigned char *memory = rig.services->alloc(call, 1000);
	uint8_t out[32], more[32];

	(void)state;
	assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(memory[i], 0);
	assert_non_null(rig.services->alloc(call, 0));
	assert_in_range(rig.services->remaining_ms(call), 900, 1000);
	assert_true(llabs((long long)(rig.services->now_ns(call) - clock_now_ns())) < NS_PER_S);
	rig.services->hmac_sha256(call, PA_STR("Jefe"), PA_STR("what do ya want for nothing?"),
				  out);
	assert_memory_equal(out, mac, 32);
	assert_int_equal(rig.services->equal_constant_time(call, PA_STR("a"), PA_STR("a")), 1);
	assert_int_equal(rig.services->equal_constant_time(call, PA_STR("a"), PA_STR("b")), 0);
	rig.services->random_bytes(call, out, 32);
	rig.services->random_bytes(call, more, 32);
	assert_memory_not_equal(out, more, 32);
	plugin_call_end(call);
	call = plugin_call_begin(rig.plugin, rig.arena, 0);
	assert_int_equal(rig.services->remaining_ms(call), 0);
	plugin_call_end(call);
	call = plugin_call_begin(rig.plugin, rig.arena, INT64_MAX);
	assert_true(rig.services->remaining_ms(call) > INT64_C(1) << 40);
	plugin_call_end(call);
}

/* What the log prints goes to standard error, as there is no journal in a test. */
static size_t logged(struct rig *rig, pa_str text, char *out, size_t room)
{
	pa_call *call = plugin_call_begin(rig->plugin, rig->arena, 1000);
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t len;

	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	rig->services->log(call, PA_LOG_WARNING, text);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	len = fread(out, 1, room - 1, file);
	out[len] = '\0';
	fclose(file);
	plugin_call_end(call);
	return len;
}

static void test_log_is_one_clean_line(void **state)
{
	struct rig rig PA_CLEANUP(rig_done) = rig_make("recorder");
	static char line[8192], huge[5000];

	(void)state;
	logged(&rig, PA_STR("one\ntwo\x1b[31m\x7f\xc2\x85\xffthree"), line, sizeof(line));
	assert_non_null(strstr(line, "mine: one two [31m  \xef\xbf\xbdthree"));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	memset(huge, 0xff, sizeof(huge));
	assert_true(logged(&rig, (pa_str){huge, sizeof(huge)}, line, sizeof(line)) < 1600);
}

static void test_errors_of_plugins_are_cleaned(void **state)
{
	pa_error err = ERROR_INIT;

	(void)state;
	memset(err.text, 'x', sizeof(err.text));
	err.len = UINT32_MAX;
	plugin_error_clean(&err);
	assert_int_equal(err.len, sizeof(err.text) - 1);
	assert_int_equal(strlen(error_text(&err)), sizeof(err.text) - 1);
	error_set(&err, PA_RETRY, "one\ntwo");
	err.len = 400;
	plugin_error_clean(&err);
	assert_string_equal(error_text(&err), "one two");
	assert_int_equal(err.len, 7);
}

static void test_a_pure_channel_may_not_block(void **state)
{
	struct rig rig PA_CLEANUP(rig_done) = rig_make("pure");
	const pa_channel_ops *ops = plugin_descriptor(rig.plugin)->ops;
	pa_call *call = plugin_call_begin(rig.plugin, rig.arena, 1000);
	pa_http_request request = {.size = sizeof(request)};
	pa_error err = ERROR_INIT;

	(void)state;
	assert_int_equal(ops->verify(call_self(call), call, &request, &err), PA_BUG);
	assert_non_null(strstr(error_text(&err), "may not block"));
	plugin_call_end(call);
}

static void test_a_greedy_call_ends_the_daemon(void **state)
{
	struct rig rig PA_CLEANUP(rig_done) = rig_make("recorder");
	pa_call *call = plugin_call_begin(rig.plugin, rig.arena, 1000);
	int status = 0;
	pid_t child;

	(void)state;
	assert_non_null(rig.services->alloc(call, 16 << 20));
	fflush(NULL);
	child = fork();
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		signal(SIGABRT, SIG_DFL);
		rig.services->alloc(call, 1);
		_exit(0);
	}
	plugin_call_end(call);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void test_serial_plugins_have_one_call(void **state)
{
	struct rig rig PA_CLEANUP(rig_done) = rig_make("serial");
	pa_call *first = plugin_call_begin(rig.plugin, rig.arena, 1000);
	int64_t begin = clock_monotonic_ns();

	(void)state;
	assert_non_null(first);
	assert_null(plugin_call_begin(rig.plugin, rig.arena, 50));
	assert_in_range(clock_monotonic_ns() - begin, 50 * NS_PER_MS, 900 * NS_PER_MS);
	plugin_call_end(first);
	first = plugin_call_begin(rig.plugin, rig.arena, 50);
	assert_non_null(first);
	plugin_call_end(first);
}

struct crowd {
	struct plugin *plugin;
	int *inside;
	int most;
};

static void *crowd_member(void *arg)
{
	struct crowd *crowd = arg;

	for (int i = 0; i < 200; i++) {
		struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);
		pa_call *call = plugin_call_begin(crowd->plugin, arena, 10000);

		assert_non_null(call);
		/* Not atomic on purpose: only the one call at a time makes it right, as TSan sees.
		 */
		crowd->most = ++*crowd->inside > crowd->most ? *crowd->inside : crowd->most;
		--*crowd->inside;
		plugin_call_end(call);
	}
	return NULL;
}

static void test_serial_plugins_from_many_threads(void **state)
{
	struct rig rig PA_CLEANUP(rig_done) = rig_make("serial");
	struct crowd crowd[4];
	pthread_t threads[4];
	int inside = 0;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		crowd[i] = (struct crowd){rig.plugin, &inside, 0};
		pthread_create(&threads[i], NULL, crowd_member, &crowd[i]);
	}
	for (size_t i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(crowd[i].most, 1);
	}
}

static void test_close_waits_for_the_last_call(void **state)
{
	struct rig rig = rig_make("recorder");
	pa_call *one = plugin_call_begin(rig.plugin, rig.arena, 1000);
	pa_call *two = plugin_call_begin(rig.plugin, rig.arena, 1000);
	int before = closed;

	(void)state;
	plugin_close(rig.plugin);
	assert_int_equal(closed, before);
	plugin_call_end(one);
	assert_int_equal(closed, before);
	plugin_call_end(two);
	assert_int_equal(closed, before + 1);
	plugin_close(NULL);
	host_free(rig.host);
	arena_free(rig.arena);
}

/* A call goes on with the instance with which it began, and so does what it keeps for later; what
 * begins after the swap has the new one. */
static void test_swap_closes_after_the_last_call(void **state)
{
	struct rig rig PA_CLEANUP(rig_done) = rig_make("recorder");
	struct host_setting settings[] = {setting("text", PA_STR("nuevo"), 0)};
	pa_call *old = plugin_call_begin(rig.plugin, rig.arena, 1000), *call;
	struct instance *kept = plugin_call_keep(old), *beside = NULL;
	int before = closed;

	(void)state;
	plugin_call_end(old);
	assert_int_equal(plugin_open_beside(rig.plugin, settings, 1, &beside, NULL), PA_OK);
	assert_string_equal(self_of(rig.plugin)->text, "x");
	plugin_swap(rig.plugin, beside);
	assert_string_equal(self_of(rig.plugin)->text, "nuevo");
	assert_false(instance_is_current(kept));
	assert_true(instance_is_current(beside));
	call = instance_call_begin(kept, rig.arena, 1000);
	assert_string_equal(((const struct recorder *)call_self(call))->text, "x");
	assert_int_equal(closed, before);
	plugin_call_end(call);
	assert_int_equal(closed, before + 1);
}

static void test_refused_beside_changes_nothing(void **state)
{
	struct rig rig PA_CLEANUP(rig_done) = rig_make("recorder");
	struct host_setting settings[] = {setting("text", PA_STR("refuse"), 0)};
	struct instance *beside = NULL;
	pa_error err = ERROR_INIT;
	int before = closed;

	(void)state;
	assert_int_equal(plugin_open_beside(rig.plugin, settings, 1, &beside, &err), PA_REJECTED);
	assert_string_equal(error_text(&err), "mine (recorder): the text is not to my taste");
	assert_string_equal(self_of(rig.plugin)->text, "x");
	settings[0].value.text = PA_STR("nunca");
	assert_int_equal(plugin_open_beside(rig.plugin, settings, 1, &beside, &err), PA_OK);
	instance_release(beside);
	assert_int_equal(closed, before + 1);
	assert_string_equal(self_of(rig.plugin)->text, "x");
}

static void test_watch_names_the_latest(void **state)
{
	struct rig rig PA_CLEANUP(rig_done) = rig_make("recorder");
	pa_call *fine = plugin_call_begin(rig.plugin, rig.arena, 60000);
	pa_call *late = plugin_call_begin(rig.plugin, rig.arena, 0);
	struct host_stuck stuck;

	(void)state;
	assert_int_equal(host_stuck(rig.host, 10000, &stuck, 1), 0);
	usleep(30000);
	assert_int_equal(host_stuck(rig.host, 10, &stuck, 1), 1);
	assert_string_equal(stuck.plugin, "recorder");
	assert_null(stuck.what);
	assert_in_range(stuck.late_ms, 30, 5000);
	assert_int_equal(host_stuck(rig.host, 10, NULL, 0), 1);
	plugin_call_end(late);
	assert_int_equal(host_stuck(rig.host, 10, &stuck, 1), 0);
	plugin_call_end(fine);
}

/* ---- lent calls ---- */

struct errand {
	struct arena *arena;
	pthread_mutex_t *gate; /* NULL: open */
	pthread_t thread;
	int64_t conversation, event;
	int answer;
};

static _Thread_local int64_t hand[2];

static void note_hand(int64_t *ret_conversation, int64_t *ret_event)
{
	*ret_conversation = 5;
	*ret_event = 6;
}

static void take_hand(int64_t conversation, int64_t event)
{
	hand[0] = conversation;
	hand[1] = event;
}

static pa_status run_errand(void *self, pa_call *call, void *arg, pa_error *err)
{
	struct errand *errand = arg;
	const struct recorder *mine = self;

	if (errand->gate) {
		pthread_mutex_lock(errand->gate);
		pthread_mutex_unlock(errand->gate);
	}
	errand->thread = pthread_self();
	errand->conversation = hand[0];
	errand->event = hand[1];
	errand->answer = 42;
	memset(mine->host->alloc(call, 100), 'x', 100); /* its memory is still there */
	return error_set(err, PA_REJECTED, "as asked");
}

static struct errand *errand_new(struct arena **ret_arena, pthread_mutex_t *gate)
{
	struct errand *errand;

	*ret_arena = arena_new(1 << 20);
	errand = ARENA_NEW(*ret_arena, struct errand);
	errand->gate = gate;
	return errand;
}

static pa_status send(struct plugin *plugin, struct arena **arena, struct errand *errand,
		      int64_t ms, pa_error *err)
{
	*err = ERROR_INIT;
	return plugin_lend_call(
		plugin, arena,
		&(struct lending){.what = "errand",
				  .run = run_errand,
				  .arg = errand,
				  .deadline_ns = clock_monotonic_ns() + ms * NS_PER_MS},
		err);
}

static struct rig lending_rig(const char *name)
{
	struct rig rig = {.host = host_new(&(struct host_options){.directory = "/nonexistent",
								  .probe_path = "/nonexistent",
								  .on_hand = note_hand,
								  .on_take = take_hand,
								  .most_left = 2}),
			  .arena = arena_new(1 << 20)};
	pa_error err = ERROR_INIT;

	assert_int_equal(open_with(rig.host, name, PA_STR("x"), &rig.plugin, &err), PA_OK);
	return rig;
}

static void test_lent_calls_run_on_kept_threads(void **state)
{
	struct rig rig PA_CLEANUP(rig_done) = lending_rig("recorder");
	pthread_t first = pthread_self();
	pa_error err;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct arena *arena PA_CLEANUP(arena_done) = NULL;
		struct errand *errand = errand_new(&arena, NULL);

		assert_int_equal(send(rig.plugin, &arena, errand, 1000, &err), PA_REJECTED);
		assert_string_equal(error_text(&err), "as asked");
		assert_non_null(arena);
		assert_int_equal(errand->answer, 42);
		assert_int_equal(errand->conversation, 5);
		assert_int_equal(errand->event, 6);
		assert_false(pthread_equal(errand->thread, pthread_self()));
		if (i)
			assert_true(pthread_equal(errand->thread, first));
		first = errand->thread;
	}
}

static void leave_one(struct rig *rig, pthread_mutex_t *gate)
{
	struct arena *arena = NULL;
	struct errand *errand = errand_new(&arena, gate);
	pa_error err;

	assert_int_equal(send(rig->plugin, &arena, errand, 10, &err), PA_DEADLINE);
	assert_null(arena);
	assert_string_equal(error_text(&err), "it did not come back in time");
}

static void test_a_lent_call_is_left_behind(void **state)
{
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	struct rig rig = lending_rig("recorder");
	struct arena *arena PA_CLEANUP(arena_done) = NULL;
	struct errand *errand;
	struct host_stuck stuck;
	int before = closed;
	pa_error err;

	(void)state;
	pthread_mutex_lock(&gate);
	leave_one(&rig, &gate);
	assert_int_equal(host_stuck(rig.host, 100, &stuck, 1), 1);
	assert_string_equal(stuck.what, "errand");
	errand = errand_new(&arena, NULL); /* others are served meanwhile */
	assert_int_equal(send(rig.plugin, &arena, errand, 1000, &err), PA_REJECTED);
	leave_one(&rig, &gate);
	assert_int_equal(send(rig.plugin, &arena, errand, 1000, &err), PA_RETRY);
	assert_string_equal(error_text(&err), "2 calls to its plugin have not come back");
	plugin_close(rig.plugin);
	assert_int_equal(closed, before);
	pthread_mutex_unlock(&gate);
	while (closed == before) /* the last one back closes it */
		usleep(1000);
	assert_int_equal(host_stuck(rig.host, 0, &stuck, 1), 0);
	host_free(rig.host);
	arena_free(rig.arena);
}

static void test_a_serial_plugin_that_hangs_is_busy(void **state)
{
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	struct rig rig PA_CLEANUP(rig_done) = lending_rig("serial");
	struct arena *arena PA_CLEANUP(arena_done) = NULL;
	struct errand *errand = errand_new(&arena, NULL);
	struct host_stuck stuck;
	pa_error err;

	(void)state;
	pthread_mutex_lock(&gate);
	leave_one(&rig, &gate);
	assert_int_equal(send(rig.plugin, &arena, errand, 20, &err), PA_RETRY);
	assert_string_equal(error_text(&err), "its plugin takes one call and was busy");
	pthread_mutex_unlock(&gate);
	while (host_stuck(rig.host, 0, &stuck, 1))
		usleep(1000);
	assert_int_equal(send(rig.plugin, &arena, errand, 1000, &err), PA_REJECTED);
	plugin_disable(rig.plugin);
	assert_int_equal(send(rig.plugin, &arena, errand, 1000, &err), PA_RETRY);
	assert_string_equal(error_text(&err), "its plugin is disabled");
}

static char trace[256];

static void trace_enter(const char *plugin)
{
	snprintf(trace + strlen(trace), sizeof(trace) - strlen(trace), "+%s", plugin);
}

static void trace_leave(void)
{
	snprintf(trace + strlen(trace), sizeof(trace) - strlen(trace), "-");
}

static void test_hooks_frame_every_call(void **state)
{
	struct host *host PA_CLEANUP(host_done) =
		host_new(&(struct host_options){.directory = "/nonexistent",
						.probe_path = "/nonexistent",
						.on_enter = trace_enter,
						.on_leave = trace_leave});
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);
	struct plugin *plugin = NULL;
	pa_error err = ERROR_INIT;

	(void)state;
	trace[0] = '\0';
	assert_int_equal(open_with(host, "recorder", PA_STR("x"), &plugin, &err), PA_OK);
	plugin_call_end(plugin_call_begin(plugin, arena, 1000));
	plugin_close(plugin);
	assert_string_equal(trace, "+recorder-+recorder-+recorder-");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_have_their_order_and_defaults),
		cmocka_unit_test(test_open_refusals_name_the_instance),
		cmocka_unit_test(test_services),
		cmocka_unit_test(test_log_is_one_clean_line),
		cmocka_unit_test(test_errors_of_plugins_are_cleaned),
		cmocka_unit_test(test_a_pure_channel_may_not_block),
		cmocka_unit_test(test_a_greedy_call_ends_the_daemon),
		cmocka_unit_test(test_serial_plugins_have_one_call),
		cmocka_unit_test(test_serial_plugins_from_many_threads),
		cmocka_unit_test(test_close_waits_for_the_last_call),
		cmocka_unit_test(test_swap_closes_after_the_last_call),
		cmocka_unit_test(test_refused_beside_changes_nothing),
		cmocka_unit_test(test_watch_names_the_latest),
		cmocka_unit_test(test_hooks_frame_every_call),
		cmocka_unit_test(test_lent_calls_run_on_kept_threads),
		cmocka_unit_test(test_a_lent_call_is_left_behind),
		cmocka_unit_test(test_a_serial_plugin_that_hangs_is_busy),
	};

	if (crypto_init() != PA_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
