/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/clock.h"
#include "support/check.h"

#include <pthread.h>
#include <time.h>

static void test_runs_with_the_host(void **state)
{
	int64_t before = clock_now_ns(), now = (int64_t)time(NULL) * NS_PER_S;
	int64_t monotonic = clock_monotonic_ns();
	const struct timespec pause = {.tv_nsec = 5 * NS_PER_MS};

	(void)state;
	assert_true(before > now - 2 * NS_PER_S && before < now + 2 * NS_PER_S);
	nanosleep(&pause, NULL);
	assert_true(clock_monotonic_ns() - monotonic >= 5 * NS_PER_MS);
	assert_true(clock_now_ns() > before);
}

static void test_turns_forward_only(void **state)
{
	int64_t before = clock_now_ns(), monotonic = clock_monotonic_ns();
	int64_t turned;

	(void)state;
	clock_advance(7 * NS_PER_DAY);
	turned = clock_now_ns() - before;
	assert_true(turned >= 7 * NS_PER_DAY && turned < 7 * NS_PER_DAY + NS_PER_MINUTE);
	clock_advance(-NS_PER_DAY);
	clock_advance(0);
	assert_true(clock_now_ns() - before >= 7 * NS_PER_DAY);
	assert_true(clock_monotonic_ns() - monotonic < NS_PER_MINUTE);
}

static void *turn_a_lot(void *arg)
{
	for (int i = 0; i < 10000; i++)
		clock_advance(NS_PER_S);
	return arg;
}

static void test_threads_lose_no_turn(void **state)
{
	int64_t before = clock_now_ns();
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, turn_a_lot, NULL), 0);
	for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_true(clock_now_ns() - before >= 40000 * NS_PER_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs_with_the_host),
		cmocka_unit_test(test_turns_forward_only),
		cmocka_unit_test(test_threads_lose_no_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
