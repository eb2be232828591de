/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"
#include "io/recovery.h"
#include "support/check.h"

#include <string.h>

#define ROOM (1 << 20)

struct fixture {
	struct arena *arena;
	struct key key;
	char code[RECOVERY_CODE_ROOM];
	pa_str file;
};

static int set_up(void **state)
{
	static struct fixture fx;

	fx.arena = arena_new(ROOM);
	assert_int_equal(crypto_init(), PA_OK);
	key_random(&fx.key);
	recovery_code(fx.code);
	assert_int_equal(recovery_seal(fx.arena, str_from(fx.code), &fx.key, &fx.file, NULL),
			 PA_OK);
	*state = &fx;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fx = *state;

	arena_free(fx->arena);
	return 0;
}

static pa_status open_with(struct fixture *fx, const char *code, pa_str file, struct key *ret,
			   pa_error *err)
{
	return recovery_open(fx->arena, str_from(code), file, ret, err);
}

static void test_the_key_comes_back(void **state)
{
	struct fixture *fx = *state;
	struct key back = {{0}};

	assert_int_equal(strlen(fx->code), RECOVERY_CODE_ROOM - 1);
	assert_int_equal(open_with(fx, fx->code, fx->file, &back, NULL), PA_OK);
	assert_memory_equal(back.bytes, fx->key.bytes, KEY_BYTES);
}

/* The file alone tells nothing, and says what it is. */
static void test_the_key_is_not_in_the_file(void **state)
{
	struct fixture *fx = *state;
	pa_str hex = hex_encode(fx->arena, (pa_str){(const char *)fx->key.bytes, KEY_BYTES});

	assert_true(str_find(fx->file, hex) == SIZE_MAX);
	assert_true(str_find(fx->file, str_from(fx->code)) == SIZE_MAX);
	assert_true(str_find(fx->file, PA_STR("\"proalto_recovery\":")) != SIZE_MAX);
}

/* As somebody copies it from paper. */
static void test_a_code_is_read_as_people_write(void **state)
{
	static const char made[] = "01AB1-0DEFG-HJKMN-PQRST-VWXYZ";
	static const char *const typed[] = {
		"01ab1-0defg-hjkmn-pqrst-vwxyz",
		" OIABL ODEFG HJKMN PQRST VWXYZ\n",
		"o1abiodefghjkmnpqrstvwxyz",
	};
	struct fixture *fx = *state;
	pa_str file;

	assert_int_equal(recovery_seal(fx->arena, str_from(made), &fx->key, &file, NULL), PA_OK);
	for (size_t i = 0; i < ARRAY_COUNT(typed); i++) {
		struct key back = {{0}};

		assert_int_equal(open_with(fx, typed[i], file, &back, NULL), PA_OK);
		assert_memory_equal(back.bytes, fx->key.bytes, KEY_BYTES);
	}
}

static void test_another_code_opens_nothing(void **state)
{
	static const char *const wrong[] = {"", "hola", "00000-00000-00000-00000-00000",
					    "00000-00000-00000-00000-000000",
					    "0000U-00000-00000-00000-00000"};
	struct fixture *fx = *state;

	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		struct key back = {{7}};
		pa_error err = ERROR_INIT;

		assert_int_equal(open_with(fx, wrong[i], fx->file, &back, &err), PA_REJECTED);
		assert_true(strlen(error_text(&err)) > 0);
		assert_int_equal(back.bytes[0], 7);
	}
}

/* Nonce, ciphertext and tag all count. */
static void test_a_changed_file_is_refused(void **state)
{
	struct fixture *fx = *state;
	struct key back;
	const char *sealed = strstr(fx->file.ptr, "\"sealed\"") + strlen("\"sealed\":\"");
	size_t first = (size_t)(sealed - fx->file.ptr);
	size_t end = first + (KEY_BYTES + BOX_OVERHEAD) * 2;

	assert_int_equal(fx->file.ptr[end], '"');
	for (size_t at = first; at < end; at += 29) {
		pa_str copy = arena_copy(fx->arena, fx->file);
		char *sign = (char *)(uintptr_t)copy.ptr + at;

		*sign = *sign == '0' ? '1' : '0';
		assert_int_equal(open_with(fx, fx->code, copy, &back, NULL), PA_REJECTED);
	}
}

static void test_other_files_are_refused(void **state)
{
	static const char *const files[] = {
		"",
		"{}",
		"[1]",
		"{\"proalto_recovery\":2,\"salt\":\"\",\"sealed\":\"\"}",
		"{\"proalto_recovery\":1,\"salt\":\"00\",\"sealed\":\"00\"}",
		"{\"proalto_recovery\":1,\"salt\":\"00000000000000000000000000000000\","
		"\"sealed\":\"00\"}",
	};
	struct fixture *fx = *state;
	struct key back;

	for (size_t i = 0; i < ARRAY_COUNT(files); i++)
		assert_int_equal(open_with(fx, fx->code, str_from(files[i]), &back, NULL),
				 PA_REJECTED);
}

/* Another key for the same code, by somebody who does not know it. */
static void test_a_file_is_renewed_without_the_code(void **state)
{
	struct fixture *fx = *state;
	struct key fresh, back = {{0}};
	pa_str file;

	key_random(&fresh);
	assert_int_equal(recovery_renew(fx->arena, fx->file, &fresh, &file, NULL), PA_OK);
	assert_int_equal(open_with(fx, fx->code, file, &back, NULL), PA_OK);
	assert_memory_equal(back.bytes, fresh.bytes, KEY_BYTES);
	assert_int_equal(recovery_renew(fx->arena, PA_STR("{}"), &fresh, &file, NULL), PA_REJECTED);
}

static void test_codes_differ(void **state)
{
	char other[RECOVERY_CODE_ROOM];
	struct fixture *fx = *state;

	recovery_code(other);
	assert_string_not_equal(other, fx->code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_key_comes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_key_is_not_in_the_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_code_is_read_as_people_write, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_another_code_opens_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_changed_file_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_files_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_file_is_renewed_without_the_code, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_codes_differ, set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
