/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/str.h"
#include "io/conf.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define CAP ((size_t)64 << 20)

struct fixture {
	struct arena *arena;
	char dir[PATH_MAX];
	pa_error err;
};

static int setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));

	fx->arena = arena_new(CAP);
	snprintf(fx->dir, sizeof(fx->dir), "/tmp/conf.XXXXXX");
	assert_non_null(mkdtemp(fx->dir));
	*state = fx;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fx = *state;
	const char *rm = arena_format(fx->arena, "rm -rf '%s'", fx->dir).ptr;

	assert_int_equal(system(rm), 0);
	arena_free(fx->arena);
	free(fx);
	return 0;
}

static const char *put(struct fixture *fx, const char *name, const char *text)
{
	const char *path = arena_format(fx->arena, "%s/%s", fx->dir, name).ptr;
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
	return path;
}

static const struct conf_node *read_ok(struct fixture *fx, const char *text)
{
	const struct conf_node *root = NULL;

	fx->err = ERROR_INIT;
	if (conf_read_text(fx->arena, str_from(text), "t", &root, &fx->err) != PA_OK)
		fail_msg("%s", error_text(&fx->err));
	return root;
}

static void read_wrong(struct fixture *fx, const char *text, const char *expected)
{
	const struct conf_node *root = NULL;

	fx->err = ERROR_INIT;
	assert_int_equal(conf_read_text(fx->arena, str_from(text), "t", &root, &fx->err),
			 PA_REJECTED);
	assert_null(root);
	assert_string_equal(error_text(&fx->err), expected);
}

static void test_tree(void **state)
{
	struct fixture *fx = *state;
	const struct conf_node *root = read_ok(fx, "# first\n"
						   "a = {\n  port = 8080;\n  rate: 2.5;\n"
						   "  big = 3000000000L; low = -2147483648;\n"
						   "  on = true;\n};\n"
						   "names = (\"uno\", [1, 2], { x = 0x10; });\n"
						   "t = \"dos\" \" tres\";\n");
	const struct conf_node *a = conf_find(root, "a");
	const struct conf_node *names = conf_find(root, "names");

	assert_int_equal(root->kind, CONF_GROUP);
	assert_int_equal(root->count, 3);
	assert_int_equal(a->line, 2);
	assert_int_equal(conf_find(a, "port")->integer, 8080);
	assert_true(conf_find(a, "port")->real == 8080.0);
	assert_int_equal(conf_find(a, "port")->line, 3);
	assert_true(conf_find(a, "rate")->real == 2.5);
	assert_int_equal(conf_find(a, "big")->integer, 3000000000);
	assert_int_equal(conf_find(a, "low")->integer, INT32_MIN);
	assert_true(conf_find(a, "on")->boolean);
	assert_int_equal(names->kind, CONF_LIST);
	assert_int_equal(names->count, 3);
	assert_null(names->children[0]->name);
	assert_true(str_equal(names->children[0]->text, PA_STR("uno")));
	assert_int_equal(names->children[1]->children[1]->integer, 2);
	assert_int_equal(conf_find(names->children[2], "x")->integer, 16);
	assert_string_equal(conf_find(root, "t")->text.ptr, "dos tres");
	assert_null(conf_find(root, "nothing"));
	assert_null(conf_find(conf_find(root, "t"), "x"));
	assert_null(conf_find(NULL, "x"));
	assert_string_equal(conf_where(fx->arena, names), "t:8");
}

static void test_empty(void **state)
{
	assert_int_equal(read_ok(*state, "")->count, 0);
	assert_int_equal(read_ok(*state, "/* nothing */ // at all\n")->count, 0);
}

/* Each of these libconfig alone would take, and take wrongly, but for the syntax errors. */
static void test_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{"a = 1;\nb = ;\n", "t:2: syntax error"},
		{"a = 1;\na = 2;\n", "t:2: duplicate setting name"},
		{"a = 3000000000;", "t:1: a large number: write it with an L behind it"},
		{"\na = -2147483649;", "t:2: a large number: write it with an L behind it"},
		{"a = 0x80000000;", "t:1: a large number: write it with an L behind it"},
		{"a = 9223372036854775808L;", "t:1: a number out of range"},
		{"a = 1e999;", "t:1: a number out of range"},
		{"a = 99999999999999999999999999;", "t:1: a number with too many digits"},
		{"a = 1;\n/* b = 2;\n", "t:2: a comment that begins here is not closed"},
		{"a = \"x\\\"\n\n", "t:1: a text that begins here is not closed"},
		{"a = 1;\nb = \"\xff\";", "t:2: not UTF-8"},
		{"a = \"\\xff\";", "t:1: not UTF-8"},
		{"@include \"x\"\n", "t:1: nothing may be included here"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		read_wrong(*state, cases[i].text, cases[i].error);
}

static void test_numbers_in_text_and_comments_are_free(void **state)
{
	const struct conf_node *root =
		read_ok(*state, "# 3000000000\n/* 4000000000 */ // 5000000000\n"
				"nit9000000000 = \"6000000000 /* # \\\" @include\";\n");

	assert_int_equal(root->count, 1);
}

static void test_nul(void **state)
{
	struct fixture *fx = *state;
	const struct conf_node *root = NULL;

	fx->err = ERROR_INIT;
	assert_int_equal(conf_read_text(fx->arena, PA_STR("a = 1;\n\0b"), "t", &root, &fx->err),
			 PA_REJECTED);
	assert_string_equal(error_text(&fx->err), "t:2: a NUL byte");
}

static char *repeat(struct fixture *fx, const char *head, const char *part, size_t times,
		    const char *tail)
{
	size_t len = strlen(part);
	char *text = arena_alloc(fx->arena, strlen(head) + len * times + strlen(tail) + 1);
	char *at = stpcpy(text, head);

	for (size_t i = 0; i < times; i++)
		at = stpcpy(at, part);
	stpcpy(at, tail);
	return text;
}

static void test_bounds(void **state)
{
	struct fixture *fx = *state;

	read_wrong(fx,
		   repeat(fx, "a=", "(", CONF_MAX_DEPTH, repeat(fx, "", ")", CONF_MAX_DEPTH, ";")),
		   "t:1: too many groups within each other");
	read_wrong(fx, repeat(fx, "a=(1", ",1", CONF_MAX_NODES, ");"), "t:1: too many values");
	read_wrong(fx, repeat(fx, "", " ", CONF_MAX_BYTES + 1, ""), "t: longer than 1048576 bytes");
	read_wrong(fx, repeat(fx, "a=", "(", 100000, ""), "t:1: memory exhausted");
}

static void test_include(void **state)
{
	struct fixture *fx = *state;
	const char *path = put(fx, "main.conf", "a = 1;\n@include \"more.conf\"\nc = 3;\n");
	const struct conf_node *root = NULL;

	put(fx, "more.conf", "\nb = 2;\n");
	fx->err = ERROR_INIT;
	assert_int_equal(conf_read_file(fx->arena, path, fx->dir, &root, &fx->err), PA_OK);
	assert_int_equal(root->count, 3);
	assert_string_equal(conf_find(root, "a")->file, path);
	assert_string_equal(conf_where(fx->arena, conf_find(root, "b")),
			    arena_format(fx->arena, "%s/more.conf:2", fx->dir).ptr);
	assert_int_equal(conf_find(root, "c")->line, 3);
}

/* expected holds one %s for the directory; all errors here begin with it. */
static void include_wrong(struct fixture *fx, const char *text, const char *expected)
{
	const char *path = put(fx, "main.conf", text);
	const struct conf_node *root = NULL;
	const char *said;

	fx->err = ERROR_INIT;
	assert_int_equal(conf_read_file(fx->arena, path, fx->dir, &root, &fx->err), PA_REJECTED);
	said = error_text(&fx->err);
	assert_memory_equal(said, fx->dir, strlen(fx->dir));
	assert_string_equal(said + strlen(fx->dir), expected);
}

static void test_include_refused(void **state)
{
	struct fixture *fx = *state;
	static const char plain[] =
		"/main.conf:1: @include wants a plain name below the include directory";

	put(fx, "self.conf", "@include \"self.conf\"\n");
	put(fx, "bad.conf", "\n\nx = ;\n");
	include_wrong(fx, "@include \"../x\"\n", plain);
	include_wrong(fx, "@include \"/etc/passwd\"\n", plain);
	include_wrong(fx, "@include \"\"\n", plain);
	include_wrong(fx, "@include x\n", "/main.conf:1: @include wants one file name in quotes");
	include_wrong(fx, "@include \"bad.conf\"\n", "/bad.conf:3: syntax error");
	include_wrong(fx, "@include \"self.conf\"\n",
		      "/self.conf:1: files include each other too deeply");
}

static void test_include_of_no_file(void **state)
{
	struct fixture *fx = *state;
	const char *names[] = {".", "pipe", "none"};
	const char *why[] = {"not a regular file", "not a regular file",
			     "No such file or directory"};

	assert_int_equal(mkfifo(arena_format(fx->arena, "%s/pipe", fx->dir).ptr, 0600), 0);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		include_wrong(fx, arena_format(fx->arena, "@include \"%s\"\n", names[i]).ptr,
			      arena_format(fx->arena, "/main.conf:1: %s/%s: %s", fx->dir, names[i],
					   why[i])
				      .ptr);
}

static void test_included_size_counts(void **state)
{
	struct fixture *fx = *state;

	static const char twice[] = "@include \"half.conf\"\n@include \"half.conf\"\n";

	put(fx, "half.conf", repeat(fx, "", " ", CONF_MAX_BYTES / 2, ""));
	include_wrong(fx, twice,
		      arena_format(fx->arena, "/main.conf:2: %s/half.conf: longer than %zu bytes",
				   fx->dir, CONF_MAX_BYTES / 2 - strlen(twice))
			      .ptr);
}

static void test_no_file(void **state)
{
	struct fixture *fx = *state;
	const struct conf_node *root = NULL;

	fx->err = ERROR_INIT;
	assert_int_equal(conf_read_file(fx->arena, "/nonexistent/x", NULL, &root, &fx->err),
			 PA_REJECTED);
	assert_string_equal(error_text(&fx->err), "/nonexistent/x: No such file or directory");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers_in_text_and_comments_are_free, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_nul, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_include, setup, teardown),
		cmocka_unit_test_setup_teardown(test_include_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_include_of_no_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_included_size_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_file, setup, teardown),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
