/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "support/check.h"

#include <stdalign.h>
#include <string.h>

static void test_memory_is_zeroed_aligned_and_apart(void **state)
{
	static const size_t sizes[] = {0, 1, 2, 15, 16, 17, 4095, 4096, 4097, 100000};
	struct arena *arena = arena_new(8 << 20);

	(void)state;
	for (int round = 0; round < 3; round++) {
		char *last = NULL;

		for (size_t i = 0; i < ARRAY_COUNT(sizes) * 20; i++) {
			size_t n = sizes[i % ARRAY_COUNT(sizes)];
			char *bytes = arena_alloc(arena, n);

			assert_non_null(bytes);
			assert_int_equal((uintptr_t)bytes % alignof(max_align_t), 0);
			for (size_t k = 0; k < n; k++)
				assert_int_equal(bytes[k], 0);
			if (last)
				assert_int_equal(*last, 0x5a);
			memset(bytes, 0x5a, n);
			last = n ? bytes : last;
		}
		arena_reset(arena); /* what comes after is zeroed again */
		assert_int_equal(arena_used(arena), 0);
	}
	assert_null(arena_free(arena));
	assert_null(arena_free(NULL));
}

static void test_copies(void **state)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 16);
	const char *text = NULL;
	pa_str copy;

	(void)state;
	copy = arena_copy(arena, (pa_str){"a\0b", 3});
	expect_str(copy, (pa_str){"a\0b", 3});
	assert_int_equal(copy.ptr[3], 0);
	expect_str(arena_copy(arena, PA_STR("")), PA_STR(""));
	expect_str(arena_copy(arena, PA_STR_ABSENT), PA_STR_ABSENT);
	assert_int_equal(arena_cstr(arena, PA_STR("word"), &text), PA_OK);
	assert_string_equal(text, "word");
	assert_int_equal(arena_cstr(arena, (pa_str){"wo\0rd", 5}, &text), PA_REJECTED);
	assert_string_equal(text, "word"); /* untouched */
	assert_int_equal(arena_cstr(arena, PA_STR_ABSENT, &text), PA_OK);
	assert_string_equal(text, "");
	expect_str(arena_format(arena, "%s-%03d", "x", 7), PA_STR("x-007"));
	expect_str(arena_format(arena, "%s", ""), PA_STR(""));
}

static void take_exactly_the_cap(struct arena *arena, size_t cap)
{
	for (size_t taken = 0; taken < cap; taken += 1024)
		arena_alloc(arena, 1024);
	assert_int_equal(arena_used(arena), cap);
}

static void go_past_the_cap(void *arg)
{
	arena_alloc(arg, 1);
}

static void ask_for_too_much(void *arg)
{
	arena_alloc(arg, SIZE_MAX - 3);
}

static void overflow_an_array(void *arg)
{
	arena_array(arg, SIZE_MAX / 2, 3);
}

static void test_past_the_cap_it_aborts(void **state)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(64 << 10);

	(void)state;
	take_exactly_the_cap(arena, 64 << 10);
	expect_abort(go_past_the_cap, arena);
	arena_reset(arena);
	expect_abort(ask_for_too_much, arena);
	expect_abort(overflow_an_array, arena);
	take_exactly_the_cap(arena, 64 << 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_is_zeroed_aligned_and_apart),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_past_the_cap_it_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
