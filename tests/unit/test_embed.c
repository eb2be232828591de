/* SPDX-License-Identifier: Apache-2.0
 *
 * sql/embed.awk as the build runs it: what it makes of good files, and which it refuses, with file
 * and line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
	char directory[32];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->directory, sizeof(f->directory), "/tmp/test_embed.XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[64];

	snprintf(command, sizeof(command), "rm -rf '%s'", f->directory);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void write_file(const struct fixture *f, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->directory, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static pa_str read_all(FILE *file)
{
	static char text[1 << 14];
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, sizeof(text), file);
	return (pa_str){text, len};
}

static pa_str read_file(const struct fixture *f, const char *name)
{
	char path[128];
	FILE *file;
	pa_str text;

	snprintf(path, sizeof(path), "%s/%s", f->directory, name);
	file = fopen(path, "re");
	text = read_all(file);
	fclose(file);
	return text;
}

/* Runs the generator over files of the directory; its complaints are returned. */
static pa_str embed(const struct fixture *f, const char *files, int *ret_status)
{
	char command[256];
	FILE *pipe;
	pa_str text;

	snprintf(command, sizeof(command),
		 "awk=$PWD/sql/embed.awk; cd %s && awk -v out=gen/out -f $awk %s 2>&1 </dev/null",
		 f->directory, files);
	pipe = popen(command, "re");
	text = read_all(pipe);
	*ret_status = pclose(pipe);
	return text;
}

static void expect_part(pa_str text, const char *part)
{
	if (str_find(text, str_from(part)) == SIZE_MAX)
		fail_msg("\"%.*s\" does not hold \"%s\"", PA_FMT(text), part);
}

static void make_directory(const struct fixture *f)
{
	char path[64];

	snprintf(path, sizeof(path), "mkdir %s/gen", f->directory);
	assert_int_equal(system(path), 0);
}

static void test_statements_become_data(void **state)
{
	const struct fixture *f = *state;
	int status;

	make_directory(f);
	write_file(f, "a.sql",
		   "-- About the file.\n\n-- name: row_put\n-- Puts a row.\n-- $1 id, $10 body\n"
		   "INSERT INTO \"t\" VALUES ($1,\n\t-- why\n\t'\\', $10);\n\n"
		   "-- name: row_get\n-- Gets it.\nSELECT 1;\n");
	write_file(f, "b.sql", "-- name: other\r\n-- Has CRLF.\r\nSELECT $2, $1;\r\n");
	expect_str(embed(f, "a.sql b.sql", &status), PA_STR(""));
	assert_int_equal(status, 0);
	expect_part(read_file(f, "gen/out.h"),
		    "enum sql {\n\tSQL_ROW_PUT,\n\tSQL_ROW_GET,\n\tSQL_OTHER,\n\tSQL_COUNT\n};");
	expect_part(read_file(f, "gen/out.c"), "{\"row_put\", \"a\",\n"
					       "\t  \"INSERT INTO \\\"t\\\" VALUES ($1,\\n\"\n"
					       "\t  \" '\\\\', $10);\\n\",\n\t 10}");
	expect_part(read_file(f, "gen/out.c"),
		    "{\"other\", \"b\",\n\t  \"SELECT $2, $1;\\n\",\n\t 2}");
}

static void test_no_files_make_an_empty_table(void **state)
{
	const struct fixture *f = *state;
	int status;

	make_directory(f);
	expect_str(embed(f, "", &status), PA_STR(""));
	assert_int_equal(status, 0);
	expect_part(read_file(f, "gen/out.h"), "enum sql {\n\tSQL_COUNT\n};");
}

static void test_mistakes_are_refused_with_their_line(void **state)
{
	static const struct {
		const char *text, *complaint;
	} cases[] = {
		{"\n-- name: a\nSELECT 1;\n", "x.sql:2: statement a has no purpose"},
		{"-- name: a\n-- $1 id\nSELECT $1;\n", "x.sql:1: statement a has no purpose"},
		{"-- name: a\n--\nSELECT 1;\n", "x.sql:1: statement a has no purpose"},
		{"-- name: a\n-- Empty.\n-- name: b\n-- B.\nSELECT 1;\n",
		 "x.sql:1: statement a is empty"},
		{"-- name: a\n-- Empty at the end.\n", "x.sql:1: statement a is empty"},
		{"-- name: a\n-- A.\nSELECT 1;\n-- name: a\n-- B.\nSELECT 1;\n",
		 "x.sql:4: statement a stands already in x.sql:1"},
		{"-- A comment.\nSELECT 1;\n", "x.sql:2: SQL before the first head"},
		{"-- name: Big\n-- B.\nSELECT 1;\n", "x.sql:1: a name is"},
		{"-- name: two words\n-- B.\nSELECT 1;\n", "x.sql:1: a name is"},
		{"-- name:\n-- B.\nSELECT 1;\n", "x.sql:1: a name is"},
	};
	const struct fixture *f = *state;
	char path[64];

	make_directory(f);
	snprintf(path, sizeof(path), "%s/gen/out.h", f->directory);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		int status;

		write_file(f, "x.sql", cases[i].text);
		expect_part(embed(f, "x.sql", &status), cases[i].complaint);
		assert_int_not_equal(status, 0);
		assert_int_not_equal(access(path, F_OK), 0);
	}
}

static void test_twins_in_two_files_are_refused(void **state)
{
	const struct fixture *f = *state;
	int status;

	make_directory(f);
	write_file(f, "a.sql", "-- name: twin\n-- One.\nSELECT 1;\n");
	write_file(f, "b.sql", "\n-- name: twin\n-- Two.\nSELECT 2;\n");
	expect_part(embed(f, "a.sql b.sql", &status),
		    "b.sql:2: statement twin stands already in a.sql:1");
	assert_int_not_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_statements_become_data, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_files_make_an_empty_table, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_mistakes_are_refused_with_their_line, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_twins_in_two_files_are_refused, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
