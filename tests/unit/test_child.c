/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"
#include "io/child.h"
#include "support/check.h"

#include <string.h>

#define ROOM (1 << 20)

static pa_status run_sh(struct arena *arena, const char *script, pa_str input, size_t max,
			pa_str *ret, pa_error *err)
{
	const char *const argv[] = {"sh", "-c", script, "sh", "a b", NULL};

	return child_run(arena, argv, input, max, ret, err);
}

static void test_what_goes_in_comes_out(void **state)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ROOM);
	pa_str said = PA_STR_ABSENT, input = {"x\0y\n", 4};

	(void)state;
	assert_int_equal(run_sh(arena, "cat", input, 4, &said, NULL), PA_OK);
	expect_str(said, input);
	assert_int_equal(said.ptr[said.len], 0);
	assert_int_equal(run_sh(arena, "printf %s \"$1\"", PA_STR_ABSENT, 10, &said, NULL), PA_OK);
	expect_str(said, PA_STR("a b"));
}

/* Input that nobody reads kills nobody. */
static void test_input_may_be_ignored(void **state)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ROOM);
	pa_str said, input = {arena_alloc(arena, 200000), 200000};

	(void)state;
	assert_int_equal(run_sh(arena, "exit 0", input, 10, &said, NULL), PA_OK);
	assert_int_equal(said.len, 0);
}

static void expect_failure(const char *script, size_t max, const char *words)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ROOM);
	pa_error err = ERROR_INIT;
	pa_str said = PA_STR("untouched");

	assert_int_equal(run_sh(arena, script, PA_STR("s3cret"), max, &said, &err), PA_REJECTED);
	assert_string_equal(error_text(&err), words);
	expect_str(said, PA_STR("untouched"));
}

static void test_failures_are_told(void **state)
{
	const char *const argv[] = {"proalto-no-such-program", NULL};
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ROOM);
	pa_error err = ERROR_INIT;

	(void)state;
	expect_failure("cat; exit 7", 10, "sh: exit status 7");
	expect_failure("kill -9 $$", 10, "sh: signal 9");
	expect_failure("cat", 5, "sh: says too much");
	assert_int_equal(child_run(arena, argv, PA_STR_ABSENT, 0, NULL, &err), PA_REJECTED);
	assert_string_equal(error_text(&err), "proalto-no-such-program: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_goes_in_comes_out),
		cmocka_unit_test(test_input_may_be_ignored),
		cmocka_unit_test(test_failures_are_told),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
