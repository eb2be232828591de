/* SPDX-License-Identifier: Apache-2.0
 *
 * The shipped schema and statements against a real PostgreSQL: all migrations are applied to an
 * empty database, every statement is prepared, so that a typo fails here, and what each role may do
 * is compared and tried. And io/migrate.h with directories of its own: changed, misnamed, failing
 * and late files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"
#include "io/crypto.h"
#include "io/db.h"
#include "io/migrate.h"
#include "io/schema.h"
#include "support/pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWNER "dbname=test_sql user=proalto_owner"
#define SUPERUSER "dbname=test_sql"
#define DAEMON "dbname=test_sql user=proalto"
#define MIGRATIONS "sql/migrations"

struct fixture {
	struct arena *arena;
	char directory[64]; /* for migrations of the test's own */
};

static void fail_with(const char *what, const pa_error *err)
{
	fail_msg("%s: %s", what, error_text(err));
}

/* Runs plain SQL as the superuser. */
static void execute(const char *conninfo, const char *text)
{
	pa_error err = ERROR_INIT;
	struct db *db = NULL;

	if (db_open(conninfo, "test_sql", NULL, &db, &err) != PA_OK ||
	    db_simple(db, text, &err) != PA_OK)
		fail_with(text, &err);
	db_close(db);
}

static void execute_file(const char *conninfo, const char *path)
{
	static char text[1 << 16];
	FILE *file = fopen(path, "re");
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	execute(conninfo, text);
}

static void write_file(const struct fixture *f, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->directory, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* An empty database that belongs to the owner role, and an empty directory. */
static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->arena = arena_new(64 << 20);
	snprintf(f->directory, sizeof(f->directory), "/tmp/test_sql.XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	execute("dbname=test", "DROP DATABASE IF EXISTS test_sql");
	execute_file("dbname=test", "sql/roles.sql");
	execute("dbname=test", "CREATE DATABASE test_sql OWNER proalto_owner");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", f->directory);
	assert_int_equal(system(command), 0);
	arena_free(f->arena);
	free(f);
	return 0;
}

static pa_status apply(const struct fixture *f, struct migration_list *list, pa_error *err)
{
	return migrate_apply(f->arena, OWNER, f->directory, list, err);
}

static void expect_state(const struct migration_list *list, size_t i, int number,
			 enum migration_state state)
{
	assert_true(i < list->count);
	assert_int_equal(list->items[i].number, number);
	assert_string_equal(migration_state_name(list->items[i].state),
			    migration_state_name(state));
}

/* Every set on its own, so that one typo does not hide the others. */
static void test_every_statement_prepares(void **state)
{
	struct fixture *f = *state;
	struct migration_list list = {0};
	pa_error err = ERROR_INIT;
	int failures = 0;

	if (migrate_apply(f->arena, OWNER, MIGRATIONS, &list, &err) != PA_OK)
		fail_with("migrations", &err);
	assert_true(list.count > 0);
	for (enum sql i = 0; i < SQL_COUNT; i++) {
		const char *const sets[] = {sql_statements[i].set, NULL};
		struct db *db = NULL;

		if (i > 0 && strcmp(sets[0], sql_statements[i - 1].set) == 0)
			continue;
		if (db_open(SUPERUSER, "test_sql", sets, &db, &err) != PA_OK) {
			print_error("sql/queries/%s.sql: %s\n", sets[0], error_text(&err));
			failures++;
		}
		db_close(db);
	}
	assert_int_equal(failures, 0);
}

/* The daemon's own role sees the tables that its statements name. */
static void test_daemon_role_connects(void **state)
{
	static const char *const sets[] = {"intake", "turn", "dispatch", NULL};
	struct fixture *f = *state;
	struct migration_list list = {0};
	pa_error err = ERROR_INIT;
	struct db *db = NULL;

	assert_int_equal(migrate_apply(f->arena, OWNER, MIGRATIONS, &list, &err), PA_OK);
	if (db_open("dbname=test_sql user=proalto", "test_sql", sets, &db, &err) != PA_OK)
		fail_with("role proalto", &err);
	/* it may not change the schema */
	assert_int_equal(db_simple(db, "CREATE TABLE proalto.mine (a int)", &err), PA_REJECTED);
	assert_string_equal(db_error_state(db), "42501");
	db_close(db);
}

/* ---- the four roles ---- */

/* Everything that anybody but the owner may do with a relation of the schema, partitions too;
 * "update(...)" is a single column. */
static const char granted[] = "proalto address select insert update delete\n"
			      "proalto attempt select insert update\n"
			      "proalto channel select insert update delete\n"
			      "proalto code_sent select insert update delete\n"
			      "proalto consent select insert\n"
			      "proalto contact select insert update delete\n"
			      "proalto conversation select insert update delete\n"
			      "proalto dedup select insert update delete\n"
			      "proalto early_receipt select insert update delete\n"
			      "proalto erasure select\n"
			      "proalto evidence_batch select insert\n"
			      "proalto evidence_batch_default select\n"
			      "proalto evidence_batch_month select\n"
			      "proalto external_id select insert update delete\n"
			      "proalto file select insert update\n"
			      "proalto file_piece select insert\n"
			      "proalto inbox select insert update(payload) update(body)\n"
			      "proalto inbox_default select\n"
			      "proalto inbox_month select\n"
			      "proalto master_key select insert update delete\n"
			      "proalto node select insert update delete\n"
			      "proalto operator_act select insert\n"
			      "proalto outbox select insert update\n"
			      "proalto outbox_default select\n"
			      "proalto outbox_month select\n"
			      "proalto person_lock select insert update delete\n"
			      "proalto plugin_charge select insert update delete\n"
			      "proalto receipt select insert\n"
			      "proalto receipt_default select\n"
			      "proalto receipt_month select\n"
			      "proalto report_day select\n"
			      "proalto retention_act select\n"
			      "proalto retention_period select\n"
			      "proalto schema_migration select\n"
			      "proalto schema_serves select\n"
			      "proalto service_case select insert update\n"
			      "proalto set_aside select insert update delete\n"
			      "proalto timer select insert update delete\n"
			      "proalto work select insert update delete\n"
			      "proalto_report report_day select\n";

#define PRIVILEGES_QUERY                                                                           \
	"SELECT DISTINCT concat_ws(' ', role, regexp_replace(relname, '_20[0-9]{2}_[0-9]{2}$',"    \
	" '_month'), verbs, columns) COLLATE \"C\" AS line FROM pg_class AS c,"                    \
	" unnest('{proalto,proalto_retention,proalto_report}'::text[]) AS role,"                   \
	" LATERAL (SELECT string_agg(verb, ' ' ORDER BY n) AS verbs FROM unnest('{select,insert,"  \
	"update,delete,truncate,references,trigger}'::text[]) WITH ORDINALITY AS v (verb, n)"      \
	" WHERE has_table_privilege(role, c.oid, verb)) AS whole,"                                 \
	" LATERAL (SELECT string_agg(verb || '(' || attname || ')', ' ' ORDER BY attnum)"          \
	" AS columns FROM pg_attribute, unnest('{select,insert,update}'::text[]) AS verb"          \
	" WHERE attrelid = c.oid AND has_column_privilege(role, c.oid, attnum, verb)"              \
	" AND NOT has_table_privilege(role, c.oid, verb)) AS parts"                                \
	" WHERE relnamespace = 'proalto'::regnamespace AND relkind IN ('r', 'p', 'v')"             \
	" AND coalesce(verbs, columns) IS NOT NULL"                                                \
	" ORDER BY line"

static void migrate_shipped(const struct fixture *f)
{
	struct migration_list list = {0};
	pa_error err = ERROR_INIT;

	if (migrate_apply(f->arena, OWNER, MIGRATIONS, &list, &err) != PA_OK)
		fail_with("migrations", &err);
}

static void test_roles_may_do_what_is_listed(void **state)
{
	char got[sizeof(granted) * 2];
	size_t len;
	FILE *psql;

	migrate_shipped(*state);
	assert_int_equal(setenv("QUERY", PRIVILEGES_QUERY, 1), 0);
	psql = popen("psql -XAtq -v ON_ERROR_STOP=1 -d test_sql -c \"$QUERY\"", "r");
	assert_non_null(psql);
	len = fread(got, 1, sizeof(got) - 1, psql);
	got[len] = '\0';
	assert_int_equal(pclose(psql), 0);
	assert_string_equal(got, granted);
}

static void test_roles_are_refused_the_rest(void **state)
{
	static const struct {
		const char *role, *text, *sqlstate; /* NULL: it is allowed */
	} tries[] = {
		{"proalto", "UPDATE consent SET words = NULL", "42501"},
		{"proalto", "DELETE FROM consent", "42501"},
		{"proalto", "TRUNCATE consent", "42501"},
		{"proalto", "UPDATE receipt SET body = NULL", "42501"},
		{"proalto", "DELETE FROM receipt", "42501"},
		{"proalto", "UPDATE evidence_batch SET entries = ''", "42501"},
		{"proalto", "DELETE FROM evidence_batch", "42501"},
		{"proalto", "TRUNCATE evidence_batch", "42501"},
		{"proalto", "UPDATE inbox SET payload = NULL, body = NULL", NULL},
		{"proalto", "UPDATE inbox SET at = now()", "42501"},
		{"proalto", "DELETE FROM inbox", "42501"},
		{"proalto", "UPDATE operator_act SET reason = ''", "42501"},
		{"proalto", "DELETE FROM operator_act", "42501"},
		{"proalto", "TRUNCATE operator_act", "42501"},
		{"proalto", "DELETE FROM file", "42501"},
		{"proalto", "UPDATE file_piece SET bytes = ''", "42501"},
		{"proalto_retention", "SELECT FROM file", "42501"},
		{"proalto", "DELETE FROM inbox_default", "42501"},
		{"proalto", "DROP TABLE inbox_default", "42501"},
		{"proalto", "ALTER TABLE consent DISABLE TRIGGER ALL", "42501"},
		{"proalto", "SET ROLE proalto_owner", "42501"},
		{"proalto", "SELECT make_partitions(now(), now())", NULL},
		{"proalto", "INSERT INTO erasure VALUES (1, now(), '')", "42501"},
		{"proalto", "DELETE FROM erasure", "42501"},
		{"proalto", "SELECT erase_contact(1, now(), '')", "42501"},
		{"proalto_retention", "SELECT proalto.erase_contact(1, now(), '')", NULL},
		{"proalto_retention", "DELETE FROM erasure", "42501"},
		{"proalto_retention", "SELECT FROM inbox", "42501"},
		{"proalto_retention", "SELECT FROM contact", "42501"},
		{"proalto_retention", "DELETE FROM inbox", "42501"},
		{"proalto_retention", "SELECT retention_step()", NULL},
		{"proalto_retention", "SELECT retention_due()", "42501"},
		{"proalto_retention", "SELECT keep_partitions()", NULL},
		{"proalto_retention", "DELETE FROM consent", "42501"},
		{"proalto_retention", "DELETE FROM evidence_batch", "42501"},
		{"proalto_retention", "INSERT INTO evidence_batch VALUES (1, now(), 0, 0, '')",
		 "42501"},
		{"proalto_retention", "UPDATE retention_period SET months = 1", "42501"},
		{"proalto_retention", "INSERT INTO retention_act SELECT", "42501"},
		{"proalto", "SELECT retention_step()", "42501"},
		{"proalto", "UPDATE retention_period SET months = 1", "42501"},
		{"proalto", "DELETE FROM retention_act", "42501"},
		{"proalto_retention", "SELECT make_partitions(now(), now())", "42501"},
		{"proalto_report", "SELECT FROM report_day", NULL},
		{"proalto_report", "SELECT FROM outbox", "42501"},
		{"proalto_report", "SELECT FROM contact", "42501"},
		{"proalto_report", "SELECT make_partitions(now(), now())", "42501"},
	};

	migrate_shipped(*state);
	for (size_t i = 0; i < ARRAY_COUNT(tries); i++) {
		const char *wanted = tries[i].sqlstate ? tries[i].sqlstate : "";
		pa_error err = ERROR_INIT;
		struct db *db = NULL;
		pa_status status;
		char conninfo[64];

		snprintf(conninfo, sizeof(conninfo), "dbname=test_sql user=%s", tries[i].role);
		if (db_open(conninfo, "test_sql", NULL, &db, &err) != PA_OK)
			fail_with(conninfo, &err);
		status = db_simple(db, tries[i].text, &err);
		if ((status == PA_OK) != !tries[i].sqlstate ||
		    strcmp(db_error_state(db), wanted) != 0)
			fail_msg("%s: %s: '%s'", tries[i].role, tries[i].text, db_error_state(db));
		db_close(db);
	}
}

/* ---- what functions and statements do ---- */

/* The shipped migrations up to a number, and nothing else. */
static void migrate_up_to(const struct fixture *f, int last)
{
	struct migration_list list = {0};
	pa_error err = ERROR_INIT;
	char command[256];

	snprintf(command, sizeof(command),
		 "for file in " MIGRATIONS "/*; do name=${file##*/}; "
		 "[ \"${name%%%%_*}\" -gt %d ] || cp \"$file\" '%s'; done",
		 last, f->directory);
	assert_int_equal(system(command), 0);
	if (apply(f, &list, &err) != PA_OK)
		fail_with("migrations", &err);
	assert_int_equal(list.items[list.count - 1].number, last);
}

/* Fails unless the condition holds. */
static void expect(const char *condition)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "SET search_path = proalto; DO $$ BEGIN ASSERT (SELECT %s); END $$", condition);
	execute(SUPERUSER, text);
}

#define THREE_CONTACTS                                                                             \
	"INSERT INTO proalto.contact (id, created_at, sealed_key, who)"                            \
	" SELECT i, now(), 'k', 'w' FROM generate_series(1, 4) i;"                                 \
	"INSERT INTO proalto.address (tag, contact_id)"                                            \
	" SELECT decode(md5(i::text), 'hex'), i FROM generate_series(1, 4) i;"

/* Two was one all along, and one was three; four is somebody else. */
#define CHAIN "UPDATE proalto.contact SET merged_into = CASE id WHEN 2 THEN 1 WHEN 1 THEN 3 END;"

static void test_whoever_is_erased_is_erased_whole(void **state)
{
	migrate_shipped(*state);
	execute(SUPERUSER, THREE_CONTACTS);
	for (int person = 1; person <= 3; person++) {
		char text[128];

		execute(SUPERUSER, CHAIN
			"UPDATE proalto.contact SET sealed_key = 'k'; DELETE FROM proalto.erasure");
		snprintf(text, sizeof(text), "proalto.erase_contact(%d, now(), '') = 3", person);
		expect(text);
		expect("array_agg(id) = '{4}' FROM contact WHERE sealed_key IS NOT NULL");
		expect("array_agg(contact_id) = '{4}' FROM address");
		expect("count(*) = 3 FROM erasure");
	}
}

static void merge(struct fixture *f, int64_t kept, int64_t merged)
{
	static const char *const sets[] = {"intake", NULL};
	struct db_params *params = db_params_new(f->arena, SQL_CONTACT_MERGE);
	pa_error err = ERROR_INIT;
	struct db *db = NULL;

	db_bind_int64_array(params, &kept, 1);
	db_bind_int64_array(params, &merged, 1);
	if (db_open(DAEMON, "test_sql", sets, &db, &err) != PA_OK ||
	    db_run(db, params, NULL, &err) != PA_OK)
		fail_with("contact_merge", &err);
	db_close(db);
}

/* Whoever looks follows one step. */
static void test_merged_contacts_are_one_step_away(void **state)
{
	migrate_shipped(*state);
	execute(SUPERUSER, THREE_CONTACTS);
	merge(*state, 1, 2);
	merge(*state, 3, 1);
	expect("array_agg(merged_into ORDER BY id) = '{3,3,NULL,NULL}' FROM contact");
	merge(*state, 2, 3);
	expect("array_agg(merged_into ORDER BY id) = '{2,NULL,2,NULL}' FROM contact");
}

#define INDEXED                                                                                    \
	" FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid"                         \
	" WHERE i.inhparent = 'inbox_conversation'::regclass"                                      \
	" AND x.indrelid = to_regclass('inbox_' || to_char(now() AT TIME ZONE 'UTC'"

/* Nobody may write while an index is made. */
static void test_large_months_are_indexed_beside_the_writers(void **state)
{
	static const char run[] = "\"${B:-build}/proaltoctl\" db index --dsn"
				  " 'dbname=test_sql options=-crole=proalto_owner' >/dev/null";
	struct fixture *f = *state;

	migrate_up_to(f, 4);
	execute(SUPERUSER, "INSERT INTO proalto.inbox (id, at, channel, kind, payload) SELECT i,"
			   " now(), 1, 1, convert_to(repeat('x', 1900), 'UTF8')"
			   " FROM generate_series(1, 40000) i");
	migrate_shipped(f);
	expect("count(*) = 0" INDEXED ", 'YYYY_MM'))");
	expect("count(*) = 1" INDEXED " + interval '1 month', 'YYYY_MM'))");
	expect("make_partitions(now(), now() + interval '15 months') > 0");
	expect("count(*) = 1" INDEXED " + interval '15 months', 'YYYY_MM'))");
	expect("count(*) = 1 FROM pg_index WHERE NOT indisvalid");
	/* left by a run that was stopped */
	execute(OWNER, "DO $$ BEGIN EXECUTE format('CREATE INDEX %I ON proalto.%I (id)',"
		       " m || '_conversation', m) FROM (SELECT 'inbox_' || to_char(now()"
		       " AT TIME ZONE 'UTC', 'YYYY_MM') AS m) v; END $$");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(system(run), 0);
		expect("count(*) = 1" INDEXED ", 'YYYY_MM'))");
		expect("count(*) = 0 FROM pg_index WHERE NOT indisvalid");
	}
}

/* ---- which schema serves which daemon ---- */

/* What the daemon says of the schema; NULL: it runs on it. */
static const char *complaint(struct fixture *f)
{
	pa_error err = ERROR_INIT;
	struct db *db = NULL;
	pa_status status;

	if (db_open(DAEMON, "test_sql", NULL, &db, &err) != PA_OK)
		fail_with("role proalto", &err);
	status = schema_check(db, &err);
	db_close(db);
	if (status == PA_OK)
		return NULL;
	assert_int_equal(status, PA_REJECTED);
	return arena_format(f->arena, "%s", error_text(&err)).ptr;
}

static void test_daemon_refuses_an_older_schema(void **state)
{
	struct fixture *f = *state;

	assert_non_null(strstr(complaint(f), "no schema"));
	migrate_up_to(f, 1);
	assert_non_null(strstr(complaint(f), "proaltoctl db migrate"));
	migrate_shipped(f);
	assert_null(complaint(f));
}

static void test_daemon_asks_what_a_newer_schema_serves(void **state)
{
	struct fixture *f = *state;
	char text[256];

	migrate_shipped(f);
	execute(SUPERUSER, "INSERT INTO proalto.schema_migration (number, name, sha256)"
			   " VALUES (9000, '9000_more', sha256(''))");
	assert_null(complaint(f));
	snprintf(text, sizeof(text), "UPDATE proalto.schema_serves SET since = %d",
		 schema_newest());
	execute(SUPERUSER, text);
	assert_null(complaint(f));
	execute(SUPERUSER, "UPDATE proalto.schema_serves SET since = since + 1");
	assert_non_null(strstr(complaint(f), "schema 9000, which serves"));
	assert_non_null(strstr(complaint(f), "install the newer version"));
}

/* sql/schema.mk: raise SCHEMA_OLDEST to the migration that a new statement needs. */
static void test_daemon_runs_on_its_oldest_schema(void **state)
{
	static const char *const of_the_tool[] = {"migration", "migration_setup", "check"};
	struct fixture *f = *state;

	migrate_up_to(f, schema_oldest());
	assert_null(complaint(f));
	for (enum sql i = 0; i < SQL_COUNT; i++) {
		const char *const sets[] = {sql_statements[i].set, NULL};
		pa_error err = ERROR_INIT;
		struct db *db = NULL;
		bool is_daemons = true;

		for (size_t j = 0; j < ARRAY_COUNT(of_the_tool); j++)
			is_daemons &= strcmp(sets[0], of_the_tool[j]) != 0;
		if (!is_daemons || (i > 0 && strcmp(sets[0], sql_statements[i - 1].set) == 0))
			continue;
		if (db_open(DAEMON, "test_sql", sets, &db, &err) != PA_OK)
			fail_with(sets[0], &err);
		db_close(db);
	}
}

/* ---- migrations ---- */

static void test_second_run_applies_nothing(void **state)
{
	struct fixture *f = *state;
	struct migration_list list = {0};
	pa_error err = ERROR_INIT;

	assert_int_equal(migrate_status(f->arena, OWNER, MIGRATIONS, &list, &err), PA_OK);
	expect_state(&list, 0, 1, MIGRATION_PENDING);
	assert_int_equal(migrate_apply(f->arena, OWNER, MIGRATIONS, &list, &err), PA_OK);
	expect_state(&list, 0, 1, MIGRATION_NEW);
	assert_true(list.items[0].applied_at_ns > 0);
	assert_int_equal(migrate_apply(f->arena, OWNER, MIGRATIONS, &list, &err), PA_OK);
	expect_state(&list, 0, 1, MIGRATION_APPLIED);
	assert_int_equal(migrate_status(f->arena, OWNER, MIGRATIONS, &list, &err), PA_OK);
	expect_state(&list, 0, 1, MIGRATION_APPLIED);
}

static void test_changed_file_is_refused_by_name(void **state)
{
	struct fixture *f = *state;
	struct migration_list list = {0};
	pa_error err = ERROR_INIT;

	write_file(f, "0001_first.sql", "CREATE TABLE a (i int);");
	write_file(f, "README", "not a migration");
	assert_int_equal(apply(f, &list, &err), PA_OK);
	assert_int_equal(list.count, 1);
	write_file(f, "0001_first.sql", "CREATE TABLE a (i bigint);");
	write_file(f, "0002_next.sql", "CREATE TABLE b (i int);");
	assert_int_equal(apply(f, &list, &err), PA_REJECTED);
	assert_non_null(strstr(error_text(&err), "0001_first.sql was changed"));
	assert_int_equal(migrate_status(f->arena, OWNER, f->directory, &list, &err), PA_OK);
	expect_state(&list, 0, 1, MIGRATION_CHANGED);
	expect_state(&list, 1, 2, MIGRATION_PENDING);
}

static void test_failing_file_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct migration_list list = {0};
	pa_error err = ERROR_INIT;

	write_file(f, "0001_first.sql", "CREATE TABLE a (i int);");
	write_file(f, "0002_second.sql", "CREATE TABLE b (i int); CREATE TABEL c (i int);");
	assert_int_equal(apply(f, &list, &err), PA_REJECTED);
	assert_non_null(strstr(error_text(&err), "0002_second.sql"));
	assert_non_null(strstr(error_text(&err), "42601"));
	/* would fail if b had stayed */
	write_file(f, "0002_second.sql", "CREATE TABLE b (i int);");
	assert_int_equal(apply(f, &list, &err), PA_OK);
	expect_state(&list, 0, 1, MIGRATION_APPLIED);
	expect_state(&list, 1, 2, MIGRATION_NEW);
}

static void test_late_file_is_refused(void **state)
{
	struct fixture *f = *state;
	struct migration_list list = {0};
	pa_error err = ERROR_INIT;

	write_file(f, "0005_five.sql", "CREATE TABLE five (i int);");
	assert_int_equal(apply(f, &list, &err), PA_OK);
	write_file(f, "0003_three.sql", "CREATE TABLE three (i int);");
	assert_int_equal(apply(f, &list, &err), PA_REJECTED);
	assert_non_null(strstr(error_text(&err), "0003_three.sql"));
	assert_int_equal(migrate_status(f->arena, OWNER, f->directory, &list, &err), PA_OK);
	expect_state(&list, 0, 3, MIGRATION_SKIPPED);
}

/* An older release beside a newer schema: nothing to do, nothing wrong. */
static void test_unknown_migration_is_reported(void **state)
{
	struct fixture *f = *state;
	struct migration_list list = {0};
	pa_error err = ERROR_INIT;
	char path[256];

	write_file(f, "0001_first.sql", "CREATE TABLE a (i int);");
	write_file(f, "0002_second.sql", "CREATE TABLE b (i int);");
	assert_int_equal(apply(f, &list, &err), PA_OK);
	snprintf(path, sizeof(path), "%s/0002_second.sql", f->directory);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(apply(f, &list, &err), PA_OK);
	expect_state(&list, 1, 2, MIGRATION_UNKNOWN);
	assert_string_equal(list.items[1].name, "0002_second");
}

static void test_odd_files_are_refused(void **state)
{
	static const struct {
		const char *name, *text, *complaint;
	} cases[] = {
		{"1_short.sql", "SELECT 1", "not named"},
		{"0000_zero.sql", "SELECT 1", "not named"},
		{"0001-dash.sql", "SELECT 1", "not named"},
		{"0001_Upper.sql", "SELECT 1", "not named"},
		{"0001_.sql", "SELECT 1", "not named"},
		{"-001_minus.sql", "SELECT 1", "not named"},
		{"0001_commits.sql", "CREATE TABLE a (i int); COMMIT;", "ends the transaction"},
		{"0001_copies.sql", "COPY pg_class TO STDOUT", "COPY"},
		{"0001_latin.sql", "SELECT '\xE9'", "22021"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct migration_list list = {0};
		pa_error err = ERROR_INIT;
		char path[256];

		write_file(f, cases[i].name, cases[i].text);
		assert_int_equal(apply(f, &list, &err), PA_REJECTED);
		if (!strstr(error_text(&err), cases[i].complaint))
			fail_with(cases[i].name, &err);
		snprintf(path, sizeof(path), "%s/%s", f->directory, cases[i].name);
		assert_int_equal(unlink(path), 0);
	}
}

static void test_twins_and_no_directory_are_refused(void **state)
{
	struct fixture *f = *state;
	struct migration_list list = {0};
	pa_error err = ERROR_INIT;

	assert_int_equal(migrate_apply(f->arena, OWNER, "/nowhere", &list, &err), PA_REJECTED);
	assert_non_null(strstr(error_text(&err), "/nowhere"));
	write_file(f, "0001_one.sql", "SELECT 1");
	write_file(f, "0001_other.sql", "SELECT 1");
	assert_int_equal(apply(f, &list, &err), PA_REJECTED);
	assert_non_null(strstr(error_text(&err), "its number is also that of"));
}

/* A lock held by a running statement is waited for, not for ever at a time. */
static void test_lock_is_tried_again(void **state)
{
	struct fixture *f = *state;
	struct migration_list list = {0};
	pa_error err = ERROR_INIT;
	struct db *holder = NULL;
	pid_t releaser;

	write_file(f, "0001_first.sql", "CREATE TABLE a (i int);");
	assert_int_equal(apply(f, &list, &err), PA_OK);
	write_file(f, "0002_second.sql", "ALTER TABLE a ADD COLUMN j int;");
	assert_int_equal(db_open(SUPERUSER, "test_sql", NULL, &holder, &err), PA_OK);
	assert_int_equal(db_simple(holder, "BEGIN", &err), PA_OK);
	assert_int_equal(db_simple(holder, "LOCK TABLE a", &err), PA_OK);
	releaser = fork();
	if (releaser == 0) { /* the server drops the lock with the connection */
		sleep(3);
		execlp("psql", "psql", "-qAtX", "-o", "/dev/null", "-d", "test_sql", "-c",
		       "SELECT pg_terminate_backend(pid) FROM pg_locks "
		       "WHERE mode = 'AccessExclusiveLock' AND granted AND relation = "
		       "'proalto.a'::regclass",
		       (char *)NULL);
		_exit(127);
	}
	if (apply(f, &list, &err) != PA_OK)
		fail_with("apply", &err);
	expect_state(&list, 1, 2, MIGRATION_NEW);
	db_close(holder);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_statement_prepares, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_daemon_role_connects, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_roles_may_do_what_is_listed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_roles_are_refused_the_rest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_whoever_is_erased_is_erased_whole, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_merged_contacts_are_one_step_away, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_large_months_are_indexed_beside_the_writers,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_daemon_refuses_an_older_schema, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_daemon_asks_what_a_newer_schema_serves, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_daemon_runs_on_its_oldest_schema, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_second_run_applies_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changed_file_is_refused_by_name, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_failing_file_leaves_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_late_file_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unknown_migration_is_reported, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_odd_files_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_twins_and_no_directory_are_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_lock_is_tried_again, set_up, tear_down),
	};

	(void)argc;
	pg_require(argv);
	if (crypto_init() != PA_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
