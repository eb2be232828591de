/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/db_check.h"

#include "base/err.h"
#include "base/str.h"
#include "ctl/findings.h"
#include "io/db.h"
#include "io/migrate.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#define POSTGRESQL_HOME "/var/lib/postgresql"
#define MIB ((uint64_t)1 << 20)
#define LEAST_FREE (512 * MIB)
#define HOLD_S 2 /* as long as a migration waits for a lock */

struct look {
	struct ctl *ctl;
	struct db *db;
	struct findings findings;
};

/* ---- migrations ---- */

static void add_migrations(struct look *look, const char *conninfo, const char *directory)
{
	static const struct {
		enum migration_state state;
		enum health health;
		const char *es, *en;
	} kinds[] = {
		{MIGRATION_APPLIED, HEALTH_OK, "aplicadas", "applied"},
		{MIGRATION_PENDING, HEALTH_OK, "pendientes", "pending"},
		{MIGRATION_UNKNOWN, HEALTH_WARNING, "de una versión más nueva que esta",
		 "of a newer version than this"},
		{MIGRATION_CHANGED, HEALTH_CRITICAL, "cambiadas después de aplicarse",
		 "changed after they were applied"},
		{MIGRATION_SKIPPED, HEALTH_CRITICAL, "anteriores a una ya aplicada",
		 "before one that is applied already"},
	};
	struct migration_list list = {0};
	pa_error err = ERROR_INIT;

	if (migrate_status(look->ctl->arena, conninfo, directory, &list, &err) != PA_OK) {
		findings_add(&look->findings, "migrations", HEALTH_CRITICAL, NULL, "%s",
			     error_text(&err));
		return;
	}
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		struct buf names PA_CLEANUP(buf_done) = BUF_INIT(4096);

		for (size_t j = 0; j < list.count; j++)
			if (list.items[j].state == kinds[i].state)
				buf_format(&names, " %s", list.items[j].name);
		if (names.len)
			findings_add(&look->findings, "migrations", kinds[i].health,
				     kinds[i].health == HEALTH_CRITICAL
					     ? ctl_say("reinstale el paquete: sus archivos no son "
						       "los que se aplicaron",
						       "install the package again: its files are "
						       "not those that were applied")
					     : NULL,
				     "%s:%.*s", ctl_say(kinds[i].es, kinds[i].en),
				     PA_FMT(buf_str(&names)));
	}
}

/* ---- roles ---- */

static pa_status add_roles(struct look *look, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	pa_status status =
		db_run(look->db, db_params_new(look->ctl->arena, SQL_CHECK_ROLES), &rows, err);

	if (status != PA_OK)
		return status;
	if (!db_bool(rows, 0, 0))
		findings_add(&look->findings, "roles", HEALTH_CRITICAL,
			     ctl_say("entre como proalto_owner (--dsn)",
				     "log in as proalto_owner (--dsn)"),
			     "%s",
			     ctl_say("este rol no es dueño del esquema ni puede crearlo",
				     "this role does not own the schema and can't make it"));
	if (!db_is_null(rows, 0, 1))
		findings_add(&look->findings, "roles", HEALTH_CRITICAL,
			     "sudo -u postgres psql -f /usr/share/proalto/sql/roles.sql",
			     "%s: %.*s", ctl_say("faltan roles", "roles are missing"),
			     PA_FMT(db_str(rows, 0, 1)));
	if (db_bool(rows, 0, 0) && db_is_null(rows, 0, 1))
		findings_add(
			&look->findings, "roles", HEALTH_OK, NULL, "%s",
			ctl_say("están, y este puede migrar", "there, and this one may migrate"));
	return PA_OK;
}

/* ---- locks ---- */

static pa_status read_locks(struct look *look, struct db_result **ret, pa_error *err)
{
	return db_run(look->db, db_params_new(look->ctl->arena, SQL_CHECK_LOCKS), ret, err);
}

static bool was_there(const struct db_result *rows, pa_str transaction)
{
	for (size_t i = 0; i < db_rows(rows); i++)
		if (str_equal(db_str(rows, i, 0), transaction))
			return true;
	return false;
}

static void add_lock(struct look *look, const struct db_result *rows, size_t i)
{
	char todo[128];

	if (db_is_null(rows, i, 1)) {
		findings_add(&look->findings, "locks", HEALTH_CRITICAL,
			     "psql: TABLE pg_prepared_xacts; ROLLBACK PREPARED '...'", "%s",
			     ctl_say("una transacción preparada retiene las tablas",
				     "a prepared transaction holds the tables"));
		return;
	}
	snprintf(todo, sizeof(todo), "psql: SELECT pg_terminate_backend(%lld)",
		 (long long)db_int64(rows, i, 1));
	findings_add(&look->findings, "locks", HEALTH_CRITICAL, todo,
		     ctl_say("el proceso %lld (%.*s) retiene las tablas desde hace más de %d s",
			     "process %lld (%.*s) has held the tables for more than %d s"),
		     (long long)db_int64(rows, i, 1), PA_FMT(db_str(rows, i, 2)), HOLD_S);
}

/* Who may see how old another's transaction is depends on roles; that it is still there, everybody.
 */
static pa_status add_locks(struct look *look, pa_error *err)
{
	const struct timespec pause = {.tv_sec = HOLD_S};
	struct db_result *before PA_CLEANUP(db_result_done) = NULL;
	struct db_result *after PA_CLEANUP(db_result_done) = NULL;
	pa_status status = read_locks(look, &before, err);
	size_t count = 0;

	if (status == PA_OK && db_rows(before)) {
		nanosleep(&pause, NULL);
		status = read_locks(look, &after, err);
	}
	if (status != PA_OK)
		return status;
	for (size_t i = 0; after && i < db_rows(after); i++) {
		if (!was_there(before, db_str(after, i, 0)))
			continue;
		add_lock(look, after, i);
		count++;
	}
	if (!count)
		findings_add(&look->findings, "locks", HEALTH_OK, NULL, "%s",
			     ctl_say("nadie retiene las tablas", "nobody holds the tables"));
	return PA_OK;
}

/* ---- space ---- */

static pa_status add_space(struct look *look, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	pa_status status =
		db_run(look->db, db_params_new(look->ctl->arena, SQL_CHECK_SIZE), &rows, err);
	struct statvfs info;
	uint64_t size, free_bytes;
	bool is_little;

	if (status != PA_OK)
		return status;
	size = (uint64_t)db_int64(rows, 0, 0);
	if (!db_tls(look->db).is_local || statvfs(POSTGRESQL_HOME, &info) != 0) {
		findings_add(
			&look->findings, "space", HEALTH_UNKNOWN, NULL,
			ctl_say("la base ocupa %llu MiB; lo que queda libre en su servidor no "
				"se ve desde aquí",
				"the database takes %llu MiB; what is left on its server can't "
				"be seen from here"),
			(unsigned long long)(size / MIB));
		return PA_OK;
	}
	free_bytes = (uint64_t)info.f_bavail * info.f_frsize;
	is_little = free_bytes < LEAST_FREE;
	findings_add(&look->findings, "space",
		     is_little               ? HEALTH_CRITICAL
		     : free_bytes < size / 4 ? HEALTH_WARNING
					     : HEALTH_OK,
		     is_little ? "df -h " POSTGRESQL_HOME : NULL,
		     ctl_say("la base ocupa %llu MiB y quedan libres %llu MiB",
			     "the database takes %llu MiB and %llu MiB are free"),
		     (unsigned long long)(size / MIB), (unsigned long long)(free_bytes / MIB));
	return PA_OK;
}

/* ---- the whole ---- */

static pa_status look_at_all(struct look *look, pa_error *err)
{
	static const char *const sets[] = {"check", NULL};
	static pa_status (*const looks[])(struct look *, pa_error *) = {add_roles, add_locks,
									add_space};
	pa_status status = db_prepare(look->db, sets, err);

	for (size_t i = 0; i < ARRAY_COUNT(looks) && status == PA_OK; i++)
		status = looks[i](look, err);
	return status;
}

int db_check(struct ctl *ctl, const char *conninfo, const char *directory, bool is_json)
{
	struct look look = {.ctl = ctl, .findings = {.list = json_array_new()}};
	pa_error err = ERROR_INIT;
	enum health worst;

	if (db_open(conninfo, "proaltoctl db", NULL, &look.db, &err) == PA_OK) {
		add_migrations(&look, conninfo, directory);
		if (look_at_all(&look, &err) != PA_OK)
			findings_add(&look.findings, "database", HEALTH_CRITICAL, NULL, "%s",
				     error_text(&err));
	} else {
		findings_add(&look.findings, "database", HEALTH_CRITICAL, NULL, "%s",
			     error_text(&err));
	}
	worst = findings_print(look.findings.list, is_json);
	db_close(look.db);
	json_done(&look.findings.list);
	return worst == HEALTH_CRITICAL ? CTL_FAILED : CTL_OK;
}
