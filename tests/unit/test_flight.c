/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue/flight.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEATHS 200

static char path[] = "/tmp/test_flight.XXXXXX";
static pthread_barrier_t start;

static size_t open_record(struct flight *ret_last)
{
	pa_error err = {.size = sizeof(err)};
	size_t count = 0;

	assert_int_equal(flight_open(path, ret_last, FLIGHT_SLOTS, &count, &err), PA_OK);
	return count;
}

static void *die_in_plugin(void *event)
{
	flight_note(1, *(const int64_t *)event);
	flight_enter("fixture");
	pthread_barrier_wait(&start);
	abort();
}

/* A process with as many threads as events, all of which die at once. */
static void die(const int64_t *events, unsigned count)
{
	struct flight last[FLIGHT_SLOTS];
	const struct rlimit no_core = {0, 0};
	pthread_t thread;
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		open_record(last);
		pthread_barrier_init(&start, NULL, count);
		for (unsigned i = 0; i + 1 < count; i++)
			pthread_create(&thread, NULL, die_in_plugin, (void *)(uintptr_t)&events[i]);
		die_in_plugin((void *)(uintptr_t)&events[count - 1]);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void test_the_culprit_is_known(void **state)
{
	static const int64_t event = 7;
	struct flight last[FLIGHT_SLOTS];

	(void)state;
	die(&event, 1);
	assert_int_equal(open_record(last), 1);
	assert_true(last[0].is_culprit);
	assert_int_equal(last[0].event, 7);
	assert_string_equal(last[0].plugin, "fixture");
}

/* The second signal must not end the process before the first one's handler has run. */
static void test_two_deaths_at_once_have_a_culprit(void **state)
{
	static const int64_t events[] = {7, 8, 9, 10};
	struct flight last[FLIGHT_SLOTS];

	(void)state;
	for (int i = 0; i < DEATHS; i++) {
		die(events, 4);
		assert_true(open_record(last) > 0);
		assert_true(last[0].is_culprit);
	}
}

static void test_a_clean_end_leaves_nothing(void **state)
{
	struct flight last[FLIGHT_SLOTS];

	(void)state;
	open_record(last);
	flight_note(1, 7);
	flight_enter("fixture");
	flight_close();
	assert_int_equal(open_record(last), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_culprit_is_known),
		cmocka_unit_test(test_two_deaths_at_once_have_a_culprit),
		cmocka_unit_test(test_a_clean_end_leaves_nothing),
	};

	int failed;

	close(mkstemp(path));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
