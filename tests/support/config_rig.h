/* SPDX-License-Identifier: Apache-2.0
 *
 * support/config_rig.h: configurations as texts, loaded from a folder of their own, and what is
 * said of them. For the tests of daemon/config; they run in English (LC_ALL=C) unless they say
 * otherwise.
 */
#ifndef SUPPORT_CONFIG_RIG_H
#define SUPPORT_CONFIG_RIG_H

#include "base/err.h"
#include "base/str.h"
#include "config/key.h"
#include "io/crypto.h"

#include <proalto/channel.h>

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define KEY_TEXT_62 "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_TEXT_64 "00" KEY_TEXT_62

/* What every good file of these tests has. */
#define STORE "store = { master_key = \"credential:key\"; };\n"
#define HOUSE                                                                                      \
	"house = { name = \"ProAlto\"; nit = \"900\"; address = \"Calle 1\"; phone = \"601\";\n"   \
	" email = \"a@b.example\"; policy_url = \"https://b.example/p\"; };\n"
#define IDENTITY "identity = { code_channel = \"sms\"; };\n"
#define CHANNELS "channels = { sms = { plugin = \"channel-plain\"; }; };\n"
#define BACKENDS "backends = { core = { plugin = \"backend-any\"; }; };\n"
#define GOOD STORE HOUSE IDENTITY CHANNELS BACKENDS

/* ---- fixture ----------------------------------------------------------------------------------
 */

struct fixture {
	struct arena *arena;
	struct host *host;
	struct config *config;
	struct config_problems problems;
	char dir[PATH_MAX];
};

static inline const char *put_mode(struct fixture *fx, const char *name, const char *text,
				   mode_t mode)
{
	const char *path = arena_format(fx->arena, "%s/%s", fx->dir, name).ptr;
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fputs(text, file) < 0, 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static inline int setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));
	struct host_options options = {.directory = "/nonexistent"};

	assert_int_equal(crypto_init(), PA_OK);
	fx->arena = arena_new((size_t)64 << 20);
	fx->problems.arena = fx->arena;
	fx->host = host_new(&options);
	snprintf(fx->dir, sizeof(fx->dir), "/tmp/config.XXXXXX");
	assert_non_null(mkdtemp(fx->dir));
	put_mode(fx, "key", KEY_TEXT_64 "\n", 0400);
	setenv("CREDENTIALS_DIRECTORY", fx->dir, 1);
	setenv("LC_ALL", "C", 1);
	*state = fx;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *fx = *state;

	config_free(fx->config);
	host_free(fx->host);
	assert_int_equal(system(arena_format(fx->arena, "rm -rf '%s'", fx->dir).ptr), 0);
	arena_free(fx->arena);
	free(fx);
	return 0;
}

static inline pa_status load_with(struct fixture *fx, struct host *host, const char *text)
{
	const char *path = put_mode(fx, "t.conf", text, 0600);
	pa_error err = ERROR_INIT;
	pa_status status;

	config_free(fx->config);
	fx->config = NULL;
	fx->problems.count = 0;
	status = config_load(path, host, &fx->config, &fx->problems, &err);
	assert_int_equal(status == PA_OK, fx->config != NULL);
	assert_int_equal(status == PA_OK, error_text(&err)[0] == '\0');
	return status;
}

static inline const struct config *load_ok(struct fixture *fx, struct host *host, const char *text)
{
	if (load_with(fx, host, text) != PA_OK)
		fail_msg("%s: %s", fx->problems.list[0].where, fx->problems.list[0].what);
	return fx->config;
}

/* Every problem as "line: what", a line each. */
static inline void expect_problems(struct fixture *fx, const char *expected)
{
	struct buf all PA_CLEANUP(buf_done) = BUF_INIT(1 << 20);
	size_t skip = strlen(fx->dir) + strlen("/t.conf:");

	for (size_t i = 0; i < fx->problems.count; i++) {
		const struct config_problem *problem = &fx->problems.list[i];

		assert_memory_equal(problem->where, fx->dir, strlen(fx->dir));
		buf_format(&all, "%s%s: %s\n", problem->is_warning ? "(warning) " : "",
			   problem->where + skip, problem->what);
	}
	buf_add_byte(&all, 0);
	assert_string_equal(all.data, expected);
}

static inline void load_wrong(struct fixture *fx, struct host *host, const char *text,
			      const char *expected)
{
	assert_int_equal(load_with(fx, host, text), PA_REJECTED);
	expect_problems(fx, expected);
}

#endif
