/* SPDX-License-Identifier: Apache-2.0
 *
 * io/db.h against a real PostgreSQL, with the statements of tests/unit/sql: values of every type
 * there and back, failures and what is said about them, pipelines short, huge and broken, a server
 * that dies, notifications.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/db.h"
#include "support/pg.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define DATABASE "dbname=test_db"
#define EPOCH_2000_NS (INT64_C(946684800) * NS_PER_S)

static const char *const probe_set[] = {"probe", NULL};

struct fixture {
	struct arena *arena;
	struct db *db;
};

static void fail_with(const char *what, const pa_error *err)
{
	fail_msg("%s: %s", what, error_text(err));
}

static struct db *open_or_fail(const char *conninfo, const char *const *sets)
{
	pa_error err = ERROR_INIT;
	struct db *db = NULL;

	if (db_open(conninfo, "test_db", sets, &db, &err) != PA_OK)
		fail_with(conninfo, &err);
	return db;
}

static void simple(struct db *db, const char *text)
{
	pa_error err = ERROR_INIT;

	if (db_simple(db, text, &err) != PA_OK)
		fail_with(text, &err);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct db *db = open_or_fail("dbname=test", NULL);

	assert_non_null(f);
	simple(db, "DROP DATABASE IF EXISTS test_db WITH (FORCE)");
	simple(db, "CREATE DATABASE test_db");
	db_close(db);
	db = open_or_fail(DATABASE, NULL);
	simple(db, "CREATE SCHEMA proalto");
	simple(db, "CREATE TABLE probe (id bigint PRIMARY KEY, parent bigint "
		   "REFERENCES probe DEFERRABLE INITIALLY DEFERRED)");
	db_close(db);
	f->arena = arena_new(256 << 20);
	f->db = open_or_fail(DATABASE, probe_set);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	db_close(f->db);
	arena_free(f->arena);
	free(f);
	return 0;
}

static struct db_result *run(struct fixture *f, struct db_params *params)
{
	struct db_result *result = NULL;
	pa_error err = ERROR_INIT;

	if (db_run(f->db, params, &result, &err) != PA_OK)
		fail_with("db_run", &err);
	return result;
}

static int64_t count_rows(struct fixture *f)
{
	struct db_result *result = run(f, db_params_new(f->arena, SQL_PROBE_COUNT));
	int64_t count = db_int64(result, 0, 0);

	db_result_free(result);
	return count;
}

static struct db_params *bind_divide(struct fixture *f, int64_t by)
{
	struct db_params *params = db_params_new(f->arena, SQL_PROBE_DIVIDE);

	db_bind_int64(params, by);
	db_bind_text(params, PA_STR(""));
	db_bind_int32(params, 0);
	return params;
}

static struct db_params *bind_insert(struct fixture *f, int64_t id, int64_t parent)
{
	struct db_params *params = db_params_new(f->arena, SQL_PROBE_INSERT);

	db_bind_int64(params, id);
	db_bind_int64(params, parent);
	return params;
}

static void expect_text(pa_str got, pa_str wanted)
{
	assert_int_equal(str_is_absent(got), str_is_absent(wanted));
	if (!str_equal(got, wanted))
		fail_msg("got %.*s, wanted %.*s", PA_FMT(got), PA_FMT(wanted));
}

/* ---- values ---- */

static void test_scalars_there_and_back(void **state)
{
	static const struct {
		int64_t a, at_ns;
		int32_t b;
		bool d;
		pa_str text, bytes;
	} rows[] = {
		{0, 0, 0, false, {"", 0}, {"", 0}},
		{INT64_MAX, INT64_MAX, INT32_MAX, true, {"ñ 😀", 7}, {"\0\xff", 2}},
		{INT64_MIN, INT64_MIN, INT32_MIN, false, {NULL, 0}, {NULL, 0}},
		{-1, -1000, -1, true, {"'; DROP TABLE x --", 18}, {"\\x00", 4}},
		{1, INT64_C(1795000000123456000), 256, true, {"a", 1}, {"\x80", 1}},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct db_params *params = db_params_new(f->arena, SQL_PROBE_SCALARS);
		struct db_result *result;

		db_bind_int64(params, rows[i].a);
		db_bind_int32(params, rows[i].b);
		db_bind_bool(params, rows[i].d);
		db_bind_time(params, rows[i].at_ns);
		db_bind_text(params, rows[i].text);
		db_bind_bytes(params, rows[i].bytes);
		result = run(f, params);
		assert_int_equal(db_rows(result), 1);
		assert_true(db_int64(result, 0, 0) == rows[i].a);
		assert_int_equal(db_int64(result, 0, 1), rows[i].b);
		assert_int_equal(db_int64(result, 0, 2), rows[i].b >> 16);
		assert_int_equal(db_bool(result, 0, 3), rows[i].d);
		assert_true(db_time_ns(result, 0, 4) == rows[i].at_ns);
		expect_text(db_str(result, 0, 5), rows[i].text);
		expect_text(db_str(result, 0, 6), rows[i].bytes);
		assert_int_equal(db_is_null(result, 0, 5), rows[i].text.ptr == NULL);
		db_result_free(result);
	}
}

/* PostgreSQL's own idea of the instant; what is finer than a microsecond is cut downwards. */
static void test_times_mean_the_same(void **state)
{
	static const struct {
		int64_t at_ns;
		const char *text;
	} rows[] = {
		{0, "1970-01-01 00:00:00+00"},
		{-1, "1969-12-31 23:59:59.999999+00"},
		{999, "1970-01-01 00:00:00+00"},
		{EPOCH_2000_NS, "2000-01-01 00:00:00+00"},
		{EPOCH_2000_NS - 1, "1999-12-31 23:59:59.999999+00"},
		{INT64_C(1795219200) * NS_PER_S, "2026-11-21 00:00:00+00"},
		{INT64_MAX, "infinity"},
		{INT64_MIN, "-infinity"},
	};
	struct fixture *f = *state;

	simple(f->db, "SET timezone = 'UTC'");
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct db_params *params = db_params_new(f->arena, SQL_PROBE_TIME_TEXT);
		struct db_result *result;

		db_bind_time(params, rows[i].at_ns);
		result = run(f, params);
		expect_text(db_str(result, 0, 0), str_from(rows[i].text));
		db_result_free(result);
	}
}

static void test_number_arrays(void **state)
{
	enum { COUNT = 1000 };
	static int64_t a[COUNT], c[COUNT];
	static int16_t b[COUNT];
	static bool d[COUNT];
	struct fixture *f = *state;

	for (int i = 0; i < COUNT; i++) {
		a[i] = i % 2 ? INT64_MIN + i : INT64_MAX - i;
		b[i] = (int16_t)(i % 2 ? INT16_MIN + i : INT16_MAX - i);
		c[i] = i * NS_PER_DAY;
		d[i] = i % 3 == 0;
	}
	for (size_t count = 0; count <= COUNT; count += count < 2 ? 1 : 499) {
		struct db_params *params = db_params_new(f->arena, SQL_PROBE_NUMBERS);
		struct db_result *result;

		db_bind_int64_array(params, a, count);
		db_bind_int16_array(params, b, count);
		db_bind_time_array(params, c, count);
		db_bind_bool_array(params, d, count);
		result = run(f, params);
		assert_int_equal(db_rows(result), count);
		for (size_t i = 0; i < count; i++) {
			assert_true(db_int64(result, i, 0) == a[i]);
			assert_int_equal(db_int64(result, i, 1), b[i]);
			assert_true(db_time_ns(result, i, 2) == c[i]);
			assert_int_equal(db_bool(result, i, 3), d[i]);
		}
		db_result_free(result);
	}
}

static void test_slice_arrays_hold_nulls(void **state)
{
	static const pa_str bytes[] = {{"\0x", 2}, {NULL, 0}, {"", 0}, {"{,\"}", 4}};
	static const pa_str texts[] = {{"NULL", 4}, {"", 0}, {NULL, 0}, {"{\"a\",b}", 7}};
	struct fixture *f = *state;

	for (size_t count = 0; count <= ARRAY_COUNT(bytes); count++) {
		struct db_params *params = db_params_new(f->arena, SQL_PROBE_SLICES);
		struct db_result *result;

		db_bind_bytes_array(params, bytes, count);
		db_bind_text_array(params, texts, count);
		result = run(f, params);
		assert_int_equal(db_rows(result), count);
		for (size_t i = 0; i < count; i++) {
			expect_text(db_str(result, i, 0), bytes[i]);
			expect_text(db_str(result, i, 1), texts[i]);
		}
		db_result_free(result);
	}
}

static void test_related_types_fit(void **state)
{
	struct fixture *f = *state;
	struct db_params *params = db_params_new(f->arena, SQL_PROBE_OTHER_TYPES);
	struct db_result *result;

	db_bind_text(params, PA_STR("v"));
	db_bind_text(params, PA_STR("{\"a\":1}"));
	db_bind_bytes(params, PA_STR("0123456789abcdef"));
	result = run(f, params);
	expect_text(db_str(result, 0, 0), PA_STR("v"));
	expect_text(db_str(result, 0, 1), PA_STR("{\"a\":1}"));
	expect_text(db_str(result, 0, 2), PA_STR("30313233-3435-3637-3839-616263646566"));
	db_result_free(result);
}

static void test_absent_text_is_null_of_any_type(void **state)
{
	struct fixture *f = *state;
	struct db_params *params = db_params_new(f->arena, SQL_PROBE_SCALARS);
	struct db_result *result;

	for (int i = 0; i < 6; i++)
		db_bind_text(params, PA_STR_ABSENT);
	result = run(f, params);
	for (size_t i = 0; i < 7; i++)
		assert_true(db_is_null(result, 0, i));
	assert_int_equal(db_int64(result, 0, 0), 0);
	assert_false(db_bool(result, 0, 3));
	assert_int_equal(db_time_ns(result, 0, 4), 0);
	db_result_free(result);
}

static void test_wrong_binding_is_a_bug(void **state)
{
	struct fixture *f = *state;
	struct db_params *params = db_params_new(f->arena, SQL_PROBE_INSERT);
	pa_error err = ERROR_INIT;

	assert_int_equal(db_run(f->db, params, NULL, &err), PA_BUG);
	assert_non_null(strstr(error_text(&err), "0 of 2"));
	db_bind_int32(params, 1);
	db_bind_int64(params, 1);
	assert_int_equal(db_run(f->db, params, NULL, &err), PA_BUG);
	assert_non_null(strstr(error_text(&err), "probe_insert: $1"));
	params = db_params_new(f->arena, SQL_PROBE_UNPREPARED);
	assert_int_equal(db_run(f->db, params, NULL, &err), PA_BUG);
	assert_non_null(strstr(error_text(&err), "not prepared"));
	assert_int_equal(count_rows(f), 0);
}

/* ---- failures ---- */

static void test_failure_tells_state_but_no_data(void **state)
{
	struct fixture *f = *state;
	struct db_params *params = db_params_new(f->arena, SQL_PROBE_CAST);
	pa_error err = ERROR_INIT;

	assert_string_equal(db_error_state(f->db), "");
	db_bind_text(params, PA_STR("1032456789x"));
	assert_int_equal(db_run(f->db, params, NULL, &err), PA_REJECTED);
	assert_string_equal(db_error_state(f->db), "22P02");
	assert_non_null(strstr(error_text(&err), "probe_cast"));
	assert_null(strstr(error_text(&err), "1032456789"));

	db_result_free(run(f, bind_insert(f, 1032456789, 1032456789)));
	assert_int_equal(db_run(f->db, bind_insert(f, 1032456789, 1), NULL, &err), PA_REJECTED);
	assert_string_equal(db_error_state(f->db), "23505");
	assert_non_null(strstr(error_text(&err), "probe_pkey"));
	assert_null(strstr(error_text(&err), "1032456789"));
	assert_true(db_is_alive(f->db));
}

static void test_lock_timeout_is_retry(void **state)
{
	struct fixture *f = *state;
	struct db *holder = open_or_fail(DATABASE, NULL);
	pa_error err = ERROR_INIT;

	simple(holder, "BEGIN");
	simple(holder, "LOCK TABLE probe");
	assert_int_equal(db_set(f->db, "lock_timeout", "20ms", &err), PA_OK);
	assert_int_equal(db_run(f->db, bind_insert(f, 1, 1), NULL, &err), PA_RETRY);
	assert_string_equal(db_error_state(f->db), "55P03");
	assert_true(db_is_alive(f->db));
	db_close(holder);
}

static void test_commit_of_failed_transaction_is_rejected(void **state)
{
	struct fixture *f = *state;
	pa_error err = ERROR_INIT;

	assert_false(db_in_transaction(f->db));
	simple(f->db, "BEGIN");
	assert_true(db_in_transaction(f->db));
	assert_int_equal(db_run(f->db, bind_divide(f, 0), NULL, &err), PA_REJECTED);
	assert_true(db_in_transaction(f->db));
	assert_int_equal(db_simple(f->db, "COMMIT", &err), PA_REJECTED);
	assert_false(db_in_transaction(f->db));
}

static void test_session_settings(void **state)
{
	static const char *const wanted[] = {
		"on", "off", "force_generic_plan", "proalto", "test_db", "off", "1min"};
	struct fixture *f = *state;
	pa_error err = ERROR_INIT;
	struct db_result *result;

	assert_int_equal(db_set(f->db, "enable_seqscan", "off", &err), PA_OK);
	result = run(f, db_params_new(f->arena, SQL_PROBE_SETTINGS));
	for (size_t i = 0; i < ARRAY_COUNT(wanted); i++)
		expect_text(db_str(result, 0, i), str_from(wanted[i]));
	db_result_free(result);
	assert_int_equal(db_set(f->db, "no_such_setting", "1", &err), PA_REJECTED);
}

static void test_bad_order_of_calls_is_a_bug(void **state)
{
	struct fixture *f = *state;
	pa_error err = ERROR_INIT;
	struct db_params *params = bind_insert(f, 1, 1);

	assert_int_equal(db_send(f->db, params, &err), PA_BUG);
	assert_int_equal(db_receive(f->db, NULL, &err), PA_BUG);
	assert_int_equal(db_pipeline_sync(f->db, &err), PA_BUG);
	assert_int_equal(db_pipeline_end(f->db, &err), PA_BUG);
	assert_int_equal(db_pipeline_begin(f->db, &err), PA_OK);
	assert_int_equal(db_pipeline_begin(f->db, &err), PA_BUG);
	assert_int_equal(db_run(f->db, params, NULL, &err), PA_BUG);
	assert_int_equal(db_simple(f->db, "SELECT 1", &err), PA_BUG);
	assert_int_equal(db_receive(f->db, NULL, &err), PA_BUG);
	assert_int_equal(db_pipeline_end(f->db, &err), PA_OK);
	assert_true(db_is_alive(f->db));
	assert_int_equal(count_rows(f), 0);
}

/* ---- opening ---- */

static void test_open_refuses(void **state)
{
	static const char *const broken_set[] = {"broken", NULL};
	static const struct {
		const char *conninfo;
		const char *const *sets;
		pa_status status;
		const char *says;
	} cases[] = {
		{"dbname=test_db user=nobody_knows", NULL, PA_REJECTED, "nobody_knows"},
		{"dbname=no_such_database", NULL, PA_REJECTED, "no_such_database"},
		{"host=/nowhere dbname=test_db", NULL, PA_RETRY, "/nowhere"},
		{"host=127.0.0.1 port=1 dbname=test_db", NULL, PA_RETRY, "refused"},
		{"postgresql://u:s3cret-word@[::1/", NULL, PA_REJECTED, "can't be understood"},
		{"user=u password='s3cret-word", NULL, PA_REJECTED, "can't be understood"},
		{"s3cret-word", NULL, PA_REJECTED, "can't be understood"},
		{DATABASE, broken_set, PA_REJECTED, "probe_broken"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		pa_error err = ERROR_INIT;
		struct db *db = NULL;
		pa_status status = db_open(cases[i].conninfo, "test_db", cases[i].sets, &db, &err);

		if (status != cases[i].status || !strstr(error_text(&err), cases[i].says))
			fail_with(status_name(status), &err);
		assert_null(strstr(error_text(&err), "s3cret"));
		assert_null(strchr(error_text(&err), '\n'));
		assert_null(db);
	}
}

static void test_peers(void **state)
{
	static const struct {
		const char *conninfo;
		const char *peers;
	} cases[] = {
		{"dbname=proalto", ""},
		{"host=/run/postgresql port=5433", ""},
		{"host=db.example", "db.example:5432 "},
		{"host=a,/tmp,b port=1,2,3", "a:1 b:3 "},
		{"host=a,b port=6000", "a:6000 b:6000 "},
		{"host=a hostaddr=10.0.0.1", "10.0.0.1:5432 "},
		{"postgresql://u@a:1,b/proalto?target_session_attrs=read-write", "a:1 b:5432 "},
		{"no conninfo", NULL},
	};
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct buf told PA_CLEANUP(buf_done) = BUF_INIT(1 << 10);
		struct db_peer peers[4];
		size_t count;

		assert_int_equal(db_peers(cases[i].conninfo, arena, peers, 4, &count),
				 cases[i].peers != NULL);
		for (size_t k = 0; k < count; k++)
			buf_format(&told, "%s:%ld ", peers[k].host, peers[k].port);
		buf_add_byte(&told, '\0');
		assert_string_equal(told.data, cases[i].peers ? cases[i].peers : "");
	}
}

/* PostgreSQL's programs, too, must not take a standby for the store. */
static void test_environment(void **state)
{
	static const char *const wanted[] = {"PGTARGETSESSIONATTRS=read-write", "PGHOST=a,/tmp",
					     "PGUSER=u", "PGPASSWORD=s3cret"};
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);
	const char *const *environment;
	pa_error err = ERROR_INIT;

	(void)state;
	assert_int_equal(db_environment(arena,
					"host=a,/tmp user=u password=s3cret "
					"target_session_attrs=any",
					&environment, &err),
			 PA_OK);
	assert_string_equal(environment[0], wanted[0]); /* the first of a name counts */
	for (size_t i = 1; i < ARRAY_COUNT(wanted); i++) {
		size_t at = 0;

		while (environment[at] && strcmp(environment[at], wanted[i]) != 0)
			at++;
		assert_non_null(environment[at]);
	}
	assert_int_equal(db_environment(arena, "no conninfo", &environment, &err), PA_REJECTED);
}

/* Even where the server's own message repeats it. */
static void test_password_is_hidden(void **state)
{
	pa_error err = ERROR_INIT;
	struct db *db = NULL;

	(void)state;
	assert_int_equal(db_open("dbname=s3cret-word user=test password=s3cret-word", "test_db",
				 NULL, &db, &err),
			 PA_REJECTED);
	assert_null(strstr(error_text(&err), "s3cret-word"));
	assert_non_null(strstr(error_text(&err), "[hidden]"));
	db = open_or_fail(DATABASE " password=s3cret-word", NULL);
	assert_int_equal(db_simple(db, "SELECT \"s3cret-word\", \"s3cret-word\"", &err),
			 PA_REJECTED);
	assert_null(strstr(error_text(&err), "s3cret-word"));
	assert_non_null(strstr(error_text(&err), "[hidden]"));
	db_close(db);
}

static void test_unlogged_tables_are_refused(void **state)
{
	struct fixture *f = *state;
	pa_error err = ERROR_INIT;
	struct db *db = NULL;

	simple(f->db, "CREATE UNLOGGED TABLE proalto.hasty (i int)");
	assert_int_equal(db_open(DATABASE, "test_db", NULL, &db, &err), PA_REJECTED);
	assert_non_null(strstr(error_text(&err), "proalto.hasty is unlogged"));
	simple(f->db, "ALTER TABLE proalto.hasty SET LOGGED");
	db = open_or_fail(DATABASE, NULL);
	db_close(db);
}

/* A role's own settings do not win over the house's. */
static void test_commits_are_synchronous_whatever_the_role_says(void **state)
{
	struct fixture *f = *state;
	struct db *db;

	simple(f->db, "ALTER ROLE test SET synchronous_commit = off");
	db = open_or_fail(DATABASE, probe_set);
	db_close(f->db);
	f->db = db;
	simple(db, "ALTER ROLE test RESET synchronous_commit");
	{
		struct db_result *result = run(f, db_params_new(f->arena, SQL_PROBE_SETTINGS));

		expect_text(db_str(result, 0, 0), PA_STR("on"));
		db_result_free(result);
	}
}

/* ---- pipelines ---- */

static void begin_pipeline(struct fixture *f)
{
	pa_error err = ERROR_INIT;

	if (db_pipeline_begin(f->db, &err) != PA_OK)
		fail_with("begin", &err);
}

static void send_one(struct fixture *f, struct db_params *params)
{
	pa_error err = ERROR_INIT;

	if (db_send(f->db, params, &err) != PA_OK)
		fail_with("send", &err);
}

static void sync_pipeline(struct fixture *f)
{
	pa_error err = ERROR_INIT;

	if (db_pipeline_sync(f->db, &err) != PA_OK)
		fail_with("sync", &err);
}

static void end_pipeline(struct fixture *f)
{
	pa_error err = ERROR_INIT;

	if (db_pipeline_end(f->db, &err) != PA_OK)
		fail_with("end", &err);
}

static void test_pipeline_answers_in_order(void **state)
{
	struct fixture *f = *state;

	for (int round = 0; round < 3; round++) {
		begin_pipeline(f);
		for (int i = 1; i <= 100; i++)
			send_one(f, bind_divide(f, i));
		sync_pipeline(f);
		for (int i = 1; i <= 100; i++) {
			struct db_result *result = NULL;
			pa_error err = ERROR_INIT;

			assert_int_equal(db_receive(f->db, &result, &err), PA_OK);
			assert_int_equal(db_int64(result, 0, 0), 100 / i);
			db_result_free(result);
		}
		end_pipeline(f);
	}
	assert_int_equal(count_rows(f), 0);
}

/* The end alone takes what nobody received, and several syncs make several transactions. */
static void test_pipeline_of_two_transactions(void **state)
{
	struct fixture *f = *state;
	pa_error err = ERROR_INIT;

	begin_pipeline(f);
	send_one(f, bind_insert(f, 1, 1));
	sync_pipeline(f);
	send_one(f, bind_insert(f, 2, 2));
	send_one(f, bind_insert(f, 1, 1)); /* there already */
	sync_pipeline(f);
	send_one(f, bind_insert(f, 3, 3));
	sync_pipeline(f);
	assert_int_equal(db_receive(f->db, NULL, &err), PA_OK);
	assert_int_equal(db_receive(f->db, NULL, &err), PA_OK);
	assert_int_equal(db_receive(f->db, NULL, &err), PA_REJECTED);
	assert_int_equal(db_receive(f->db, NULL, &err), PA_OK);
	assert_int_equal(db_pipeline_end(f->db, &err), PA_REJECTED);
	assert_int_equal(count_rows(f), 2);
}

static void test_pipeline_failure_skips_the_rest(void **state)
{
	struct fixture *f = *state;
	pa_error err = ERROR_INIT;

	begin_pipeline(f);
	send_one(f, bind_insert(f, 1, 1));
	send_one(f, bind_divide(f, 0));
	send_one(f, bind_insert(f, 2, 2));
	sync_pipeline(f);
	assert_int_equal(db_receive(f->db, NULL, &err), PA_OK);
	assert_int_equal(db_receive(f->db, NULL, &err), PA_REJECTED);
	assert_non_null(strstr(error_text(&err), "probe_divide"));
	assert_string_equal(db_error_state(f->db), "22012");
	assert_int_equal(db_receive(f->db, NULL, &err), PA_RETRY);
	assert_non_null(strstr(error_text(&err), "skipped"));
	assert_int_equal(db_pipeline_end(f->db, &err), PA_REJECTED);
	assert_non_null(strstr(error_text(&err), "probe_divide"));
	assert_int_equal(count_rows(f), 0);
}

/* BEGIN and COMMIT as statements: after a failure no transaction stays open. */
static void test_pipeline_rolls_its_transaction_back(void **state)
{
	struct fixture *f = *state;
	pa_error err = ERROR_INIT;

	for (int fails = 0; fails < 2; fails++) {
		begin_pipeline(f);
		send_one(f, db_params_new(f->arena, SQL_PROBE_BEGIN));
		send_one(f, bind_insert(f, 1 + fails, 1));
		send_one(f, bind_divide(f, fails ? 0 : 1));
		send_one(f, db_params_new(f->arena, SQL_PROBE_COMMIT));
		sync_pipeline(f);
		assert_int_equal(db_pipeline_end(f->db, &err), fails ? PA_REJECTED : PA_OK);
		assert_false(db_in_transaction(f->db));
	}
	assert_int_equal(count_rows(f), 1);
}

/* Each statement succeeds, the commit does not: only the end of the pipeline can tell. */
static void test_pipeline_whose_commit_fails(void **state)
{
	struct fixture *f = *state;
	pa_error err = ERROR_INIT;

	begin_pipeline(f);
	send_one(f, bind_insert(f, 1, 99));
	sync_pipeline(f);
	assert_int_equal(db_receive(f->db, NULL, &err), PA_OK);
	if (db_pipeline_end(f->db, &err) != PA_REJECTED)
		fail_with("end", &err);
	assert_string_equal(db_error_state(f->db), "23503");
	assert_int_equal(count_rows(f), 0);
	assert_true(db_is_alive(f->db));
}

static void test_pipeline_without_sync_commits_nothing(void **state)
{
	struct fixture *f = *state;
	pa_error err = ERROR_INIT;

	begin_pipeline(f);
	send_one(f, bind_insert(f, 1, 1));
	assert_int_equal(db_pipeline_end(f->db, &err), PA_BUG);
	assert_false(db_is_alive(f->db));
	db_close(f->db);
	f->db = open_or_fail(DATABASE, probe_set);
	assert_int_equal(count_rows(f), 0);
}

/* Far more both ways than the sockets hold, all sent before the first answer is read: a client that
 * only writes would wait for a server that only writes. */
static void test_huge_pipeline_does_not_hang(void **state)
{
	enum { COUNT = 400, BALLAST = 64 << 10 };
	struct fixture *f = *state;
	char *ballast = arena_alloc(f->arena, BALLAST);

	memset(ballast, 'x', BALLAST);
	alarm(60);
	begin_pipeline(f);
	for (int i = 0; i < COUNT; i++) {
		struct db_params *params = db_params_new(f->arena, SQL_PROBE_DIVIDE);

		db_bind_int64(params, 1);
		db_bind_text(params, (pa_str){ballast, BALLAST});
		db_bind_int32(params, BALLAST);
		send_one(f, params);
	}
	sync_pipeline(f);
	for (int i = 0; i < COUNT; i++) {
		struct db_result *result = NULL;
		pa_error err = ERROR_INIT;

		if (db_receive(f->db, &result, &err) != PA_OK)
			fail_with("receive", &err);
		assert_int_equal(db_str(result, 0, 1).len, BALLAST);
		db_result_free(result);
	}
	end_pipeline(f);
	alarm(0);
}

/* ---- a server that goes ---- */

static void test_killed_backend_is_retry(void **state)
{
	struct fixture *f = *state;
	struct db *other = open_or_fail(DATABASE, NULL);
	pa_error err = ERROR_INIT;

	begin_pipeline(f);
	send_one(f, bind_insert(f, 1, 1));
	sync_pipeline(f);
	end_pipeline(f);
	simple(other, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
		      "WHERE application_name = 'test_db' AND pid <> pg_backend_pid()");
	db_close(other);
	begin_pipeline(f);
	IGNORE_STATUS(db_send(f->db, bind_insert(f, 2, 2), &err), "may notice already");
	IGNORE_STATUS(db_pipeline_sync(f->db, &err), "may notice already");
	assert_int_equal(db_receive(f->db, NULL, &err), PA_RETRY);
	assert_int_equal(db_pipeline_end(f->db, &err), PA_RETRY);
	assert_false(db_is_alive(f->db));
	assert_int_equal(db_run(f->db, bind_insert(f, 2, 2), NULL, &err), PA_RETRY);
	assert_int_equal(db_simple(f->db, "SELECT 1", &err), PA_RETRY);
	db_close(f->db);
	f->db = open_or_fail(DATABASE, probe_set);
	assert_int_equal(count_rows(f), 1);
}

static void test_crash_is_retry_and_then_works(void **state)
{
	struct fixture *f = *state;
	pa_error err = ERROR_INIT;
	struct db *db = NULL;

	db_result_free(run(f, bind_insert(f, 1, 1)));
	assert_int_equal(pg_command("halt"), 0);
	assert_int_equal(db_run(f->db, bind_insert(f, 2, 2), NULL, &err), PA_RETRY);
	assert_false(db_is_alive(f->db));
	assert_int_equal(db_open(DATABASE, "test_db", NULL, &db, &err), PA_RETRY);
	assert_null(db);
	assert_int_equal(pg_command("resume"), 0);
	db_close(f->db);
	f->db = open_or_fail(DATABASE, probe_set);
	assert_int_equal(count_rows(f), 1);
}

/* Something listens and never speaks PostgreSQL: opening gives up by itself. */
static void test_silent_server_is_retry(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char directory[] = "/tmp/test_db.XXXXXX", conninfo[128];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pa_error err = ERROR_INIT;
	struct db *db = NULL;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432", directory);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	snprintf(conninfo, sizeof(conninfo), "host=%s port=5432 connect_timeout=2", directory);
	alarm(30);
	assert_int_equal(db_open(conninfo, "test_db", NULL, &db, &err), PA_RETRY);
	alarm(0);
	close(fd);
	unlink(address.sun_path);
	rmdir(directory);
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* ---- notifications ---- */

static void test_notify(void **state)
{
	struct fixture *f = *state;
	struct db *sender = open_or_fail(DATABASE, NULL);
	pa_str channel = PA_STR_ABSENT, payload = PA_STR_ABSENT;
	pa_error err = ERROR_INIT;
	int64_t before;

	simple(f->db, "LISTEN wake");
	before = clock_monotonic_ns();
	assert_int_equal(db_wait_notify(f->db, 100, f->arena, &channel, &payload, &err),
			 PA_DEADLINE);
	assert_true(clock_monotonic_ns() - before >= 100 * NS_PER_MS);
	simple(sender, "NOTIFY wake, 'node 7'");
	simple(sender, "NOTIFY wake, ''");
	assert_int_equal(db_wait_notify(f->db, 5000, f->arena, &channel, &payload, &err), PA_OK);
	expect_text(channel, PA_STR("wake"));
	expect_text(payload, PA_STR("node 7"));
	assert_int_equal(db_wait_notify(f->db, 5000, f->arena, &channel, &payload, &err), PA_OK);
	expect_text(payload, PA_STR(""));
	assert_int_equal(db_wait_notify(f->db, 0, f->arena, &channel, &payload, &err), PA_DEADLINE);
	simple(sender, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
		       "WHERE application_name = 'test_db' AND pid <> pg_backend_pid()");
	assert_int_equal(db_wait_notify(f->db, 5000, f->arena, &channel, &payload, &err), PA_RETRY);
	db_close(sender);
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		WITH_DB(test_scalars_there_and_back),
		WITH_DB(test_times_mean_the_same),
		WITH_DB(test_number_arrays),
		WITH_DB(test_slice_arrays_hold_nulls),
		WITH_DB(test_related_types_fit),
		WITH_DB(test_absent_text_is_null_of_any_type),
		WITH_DB(test_wrong_binding_is_a_bug),
		WITH_DB(test_failure_tells_state_but_no_data),
		WITH_DB(test_lock_timeout_is_retry),
		WITH_DB(test_commit_of_failed_transaction_is_rejected),
		WITH_DB(test_session_settings),
		WITH_DB(test_bad_order_of_calls_is_a_bug),
		WITH_DB(test_open_refuses),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_environment),
		WITH_DB(test_password_is_hidden),
		WITH_DB(test_unlogged_tables_are_refused),
		WITH_DB(test_commits_are_synchronous_whatever_the_role_says),
		WITH_DB(test_pipeline_answers_in_order),
		WITH_DB(test_pipeline_of_two_transactions),
		WITH_DB(test_pipeline_failure_skips_the_rest),
		WITH_DB(test_pipeline_rolls_its_transaction_back),
		WITH_DB(test_pipeline_whose_commit_fails),
		WITH_DB(test_pipeline_without_sync_commits_nothing),
		WITH_DB(test_huge_pipeline_does_not_hang),
		WITH_DB(test_killed_backend_is_retry),
		WITH_DB(test_crash_is_retry_and_then_works),
		WITH_DB(test_silent_server_is_retry),
		WITH_DB(test_notify),
	};

	(void)argc;
	pg_require(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
