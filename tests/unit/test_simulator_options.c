/* SPDX-License-Identifier: Apache-2.0
 *
 * What channel-simulator refuses to be opened with.
 */
#include "browser/session_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void refuses(const struct session_fake_options *options, const char *word)
{
	const struct session_fake_callbacks callbacks = {0};
	pa_error err = {.size = sizeof(err)};

	assert_null(session_fake_open(&SIMULATOR_PLUGIN, options, &callbacks, &err));
	assert_non_null(strstr(err.text, word));
}

static void test_refuses_any_other_address(void **state)
{
	static const char *const addresses[] = {"0.0.0.0",   "127.0.0.2", "::1",
						"localhost", "",          "127.0.0.11"};

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		refuses(&(struct session_fake_options){.address = addresses[i], .port = 0},
			"127.0.0.1 only");
}

static void test_refuses_bad_options(void **state)
{
	char path[] = "/tmp/customersXXXXXX";
	int fd = mkstemp(path);
	static const char rows[] = "[{\"label\":\"x\",\"document\":\"1\",\"mobile\":\"no\"}]";

	(void)state;
	refuses(&(struct session_fake_options){.port = 65536}, "port");
	refuses(&(struct session_fake_options){.customers_file = "/nowhere/at/all"},
		"customers_file");
	assert_true(fd >= 0);
	assert_int_equal(write(fd, rows, strlen(rows)), (ssize_t)strlen(rows));
	refuses(&(struct session_fake_options){.customers_file = path}, "entry 1");
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refuses_any_other_address),
		cmocka_unit_test(test_refuses_bad_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
