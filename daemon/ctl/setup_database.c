/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/setup.h"

#include "base/err.h"
#include "base/str.h"
#include "ctl/beside.h"
#include "io/db_admin.h"
#include "io/file.h"
#include "io/migrate.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define APPLICATION "proaltoctl setup"
#define ROLE "proalto"
#define SUPERUSER "postgres"
#define SQL_FILE_MAX ((size_t)1 << 20)

/* Connection strings of the server's superuser. */
struct plan {
	const char *server;   /* beside the store's database */
	const char *inside;   /* in it */
	const char *owner;    /* in it, as its owner */
	pa_str database;      /* its name */
	const char *password; /* for the daemon's role; NULL: none */
	bool is_kept;         /* ... and an earlier run has stored it */
};

static int fail(struct setup *setup, const pa_error *err)
{
	return ctl_fail(setup->ctl, CTL_FAILED, "%s", error_text(err));
}

static pa_str word_of(struct setup *setup, const char *conninfo, const char *keyword)
{
	pa_str value = PA_STR_ABSENT;

	IGNORE_STATUS(db_conninfo_get(setup->arena, conninfo, keyword, &value, NULL),
		      "the answer was looked at before");
	return value;
}

/* ---- what is there already ---- */

static int look_into_store(struct setup *setup, const char *conninfo)
{
	static const char *const sets[] = {"setup_store", NULL};
	struct db_result *used PA_CLEANUP(db_result_done) = NULL;
	struct db_result *keys PA_CLEANUP(db_result_done) = NULL;
	struct db *db PA_CLEANUP(db_done) = NULL;
	pa_error err = ERROR_INIT;
	bool is_other;

	if (db_open(conninfo, APPLICATION, sets, &db, &err) != PA_OK ||
	    db_run(db, db_params_new(setup->arena, SQL_SETUP_STORE_IS_USED), &used, &err) !=
		    PA_OK ||
	    db_run(db, db_params_new(setup->arena, SQL_SETUP_STORE_KEYS), &keys, &err) != PA_OK)
		return fail(setup, &err);
	is_other = setup->ring && db_rows(keys) > 0;
	for (size_t i = 0; is_other && i < db_rows(keys); i++)
		is_other = !keyring_find(setup->ring, db_str(keys, i, 0));
	return setup_accept_store(setup, db_bool(used, 0, 0), is_other);
}

static int look_into_database(struct setup *setup, const struct plan *plan)
{
	static const char *const sets[] = {"setup_look", NULL};
	struct db_result *tables PA_CLEANUP(db_result_done) = NULL;
	struct db *db PA_CLEANUP(db_done) = NULL;
	pa_error err = ERROR_INIT;

	if (db_open(plan->inside, APPLICATION, sets, &db, &err) != PA_OK ||
	    db_run(db, db_params_new(setup->arena, SQL_SETUP_TABLES), &tables, &err) != PA_OK)
		return fail(setup, &err);
	if (db_bool(tables, 0, 1))
		return look_into_store(setup, plan->owner);
	return setup_accept_store(setup, db_bool(tables, 0, 0), false);
}

/* The role has the password that an earlier run has stored, whatever else that run did not do. */
static bool is_ours(struct setup *setup, const struct plan *plan)
{
	struct db *db PA_CLEANUP(db_done) = NULL;
	const char *beside =
		arena_format(setup->arena, "%.*s dbname=postgres", PA_FMT(setup->database_secret))
			.ptr;
	pa_error err = ERROR_INIT;

	return plan->is_kept && db_open(beside, APPLICATION, NULL, &db, &err) == PA_OK;
}

/* Others may be using it: theirs would be lost at the next connection. */
static int check_password(struct setup *setup, const struct plan *plan, struct db *db)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	pa_error err = ERROR_INIT;

	if (setup->new_password || is_ours(setup, plan) ||
	    (db_run(db, db_params_new(setup->arena, SQL_SETUP_PASSWORD_IS_SET), &result, &err) ==
		     PA_OK &&
	     db_rows(result) && !db_bool(result, 0, 0)))
		return CTL_OK;
	return ctl_fail(setup->ctl, CTL_FAILED, "%s",
			ctl_say("el rol proalto ya existe y su contraseña no se cambia, porque "
				"otros servicios pueden estar usándola: dé la cadena de conexión "
				"con ella (--secret database=file:/...), o pida otra con "
				"--new-password",
				"the role proalto exists and its password is not changed, for "
				"other services may be using it: give the connection string with "
				"it (--secret database=file:/...), or ask for another one with "
				"--new-password"));
}

/* Before anything is changed. */
static int look(struct setup *setup, const struct plan *plan)
{
	static const char *const sets[] = {"setup", NULL};
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db *db PA_CLEANUP(db_done) = NULL;
	struct db_params *params = db_params_new(setup->arena, SQL_SETUP_SERVER);
	pa_error err = ERROR_INIT;
	int status = CTL_OK;

	db_bind_text(params, plan->database);
	if (db_open(plan->server, APPLICATION, sets, &db, &err) != PA_OK ||
	    db_run(db, params, &result, &err) != PA_OK)
		return fail(setup, &err);
	if (db_bool(result, 0, 0))
		status = look_into_database(setup, plan);
	if (status == CTL_OK && plan->password && db_bool(result, 0, 1))
		status = check_password(setup, plan, db);
	return status;
}

/* ---- within the server ---- */

/* Runs a statement that another one wrote; *ret tells whether there was any. */
static pa_status run_written(struct setup *setup, struct db *db, enum sql writer, pa_str argument,
			     bool *ret, pa_error *err)
{
	struct db_params *params = db_params_new(setup->arena, writer);
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	pa_status status;

	db_bind_text(params, argument);
	status = db_run(db, params, &result, err);
	*ret = status == PA_OK && db_rows(result) > 0;
	if (!*ret)
		return status;
	return db_simple(db, arena_copy(setup->arena, db_str(result, 0, 0)).ptr, err);
}

static pa_status make_roles(struct setup *setup, struct db *db, pa_error *err)
{
	static const char *const places[] = {"../share/proalto/sql/roles.sql", "../sql/roles.sql"};
	const char *path = beside_find(setup->arena, places, ARRAY_COUNT(places));
	pa_str text;
	pa_status status;

	if (!path)
		return error_set(err, PA_REJECTED, "roles.sql");
	status = file_read(setup->arena, path, SQL_FILE_MAX, &text, err);
	return status == PA_OK ? db_simple(db, text.ptr, err) : status;
}

static pa_status set_password(struct setup *setup, struct db *db, const char *password,
			      pa_error *err)
{
	pa_str verifier;
	bool is_done;
	pa_status status = db_password_verifier(db, ROLE, password, setup->arena, &verifier, err);

	return status == PA_OK
		       ? run_written(setup, db, SQL_SETUP_PASSWORD_MAKE, verifier, &is_done, err)
		       : status;
}

static pa_status prepare_server(struct setup *setup, const struct plan *plan, pa_error *err)
{
	static const char *const sets[] = {"setup", NULL};
	struct db *db PA_CLEANUP(db_done) = NULL;
	bool is_made = false;
	pa_status status = db_open(plan->server, APPLICATION, sets, &db, err);

	if (status == PA_OK)
		status = make_roles(setup, db, err);
	if (status == PA_OK && plan->password)
		status = set_password(setup, db, plan->password, err);
	if (status == PA_OK)
		status = run_written(setup, db, SQL_SETUP_DATABASE_MAKE, plan->database, &is_made,
				     err);
	if (status == PA_OK)
		(is_made ? setup_did : setup_kept)("base de datos", "database", plan->database.ptr);
	return status;
}

static pa_status make_tables(struct setup *setup, const struct plan *plan, pa_error *err)
{
	static const char *const places[] = {"../share/proalto/sql/migrations",
					     "../sql/migrations"};
	const char *directory = beside_find(setup->arena, places, ARRAY_COUNT(places));
	struct migration_list list = {0};
	size_t made = 0;
	pa_status status;

	if (!directory)
		return error_set(err, PA_REJECTED, "sql/migrations");
	status = migrate_apply(setup->arena, plan->owner, directory, &list, err);
	if (status != PA_OK)
		return status;
	for (size_t i = 0; i < list.count; i++)
		made += list.items[i].state == MIGRATION_NEW;
	(made ? setup_did : setup_kept)("tablas", "tables", NULL);
	return PA_OK;
}

/* Returns an exit status, as all that follow do. */
static int prepare(struct setup *setup, const struct plan *plan)
{
	pa_error err = ERROR_INIT;
	pa_status status;

	if (look(setup, plan) != CTL_OK)
		return CTL_FAILED;
	/* Before the role has it: a run that ends in between can be repeated. */
	if (plan->password && setup_database_credential(setup) != CTL_OK)
		return CTL_FAILED;
	status = prepare_server(setup, plan, &err);
	if (status == PA_OK)
		status = make_tables(setup, plan, &err);
	return status == PA_OK ? CTL_OK : fail(setup, &err);
}

/* ---- as whom ---- */

static bool become(const char *user)
{
	const struct passwd *entry = getpwnam(user);

	return entry && initgroups(user, entry->pw_gid) == 0 && setgid(entry->pw_gid) == 0 &&
	       setuid(entry->pw_uid) == 0;
}

typedef int as_user_fn(struct setup *setup, const struct plan *plan);

/* PostgreSQL takes the system's word for who is at its socket. Returns what fn does; fn says what
 * is wrong, from a child that becomes the user. NULL: as we are, here. */
static int as_user(struct setup *setup, const char *user, as_user_fn *fn, const struct plan *plan)
{
	int status;
	pid_t child;

	if (!user)
		return fn(setup, plan);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		status = become(user) ? fn(setup, plan)
				      : ctl_fail(setup->ctl, CTL_FAILED,
						 ctl_say("no se puede actuar como el usuario %s",
							 "can't act as the user %s"),
						 user);
		fflush(stdout);
		_exit(status);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return CTL_FAILED;
	return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : CTL_FAILED;
}

/* ---- the plan ---- */

bool setup_database_is_local(struct setup *setup)
{
	struct db_peer peer;
	size_t count;

	return !setup->database_secret.len &&
	       db_peers(setup->answers[ASK_DATABASE].ptr, setup->arena, &peer, 1, &count) &&
	       count == 0;
}

/* The server's own socket, if the store's string names one. */
static const char *local_server(struct setup *setup)
{
	const char *conninfo = setup->answers[ASK_DATABASE].ptr;
	pa_str host = word_of(setup, conninfo, "host"), port = word_of(setup, conninfo, "port");

	return arena_format(setup->arena, "%s%.*s %s%.*s user=" SUPERUSER, host.len ? "host=" : "",
			    PA_FMT(host), port.len ? "port=" : "", PA_FMT(port))
		.ptr;
}

static struct plan make_plan(struct setup *setup)
{
	struct arena *arena = setup->arena;
	const char *server = setup->superuser ? setup->superuser : local_server(setup);
	struct plan plan = {.database = word_of(setup, setup->answers[ASK_DATABASE].ptr, "dbname")};
	pa_str name;

	if (!plan.database.len)
		plan.database = PA_STR(ROLE);
	if (setup->superuser_password.len) {
		pa_str password = db_conninfo_quote(arena, setup->superuser_password);

		server = arena_format(arena, "%s password=%.*s", server, PA_FMT(password)).ptr;
	}
	name = db_conninfo_quote(arena, plan.database);
	plan.server = arena_format(arena, "dbname=postgres %s", server).ptr;
	plan.inside = arena_format(arena, "%s dbname=%.*s", server, PA_FMT(name)).ptr;
	plan.owner = arena_format(arena, "%s options=-crole=proalto_owner", plan.inside).ptr;
	return plan;
}

/* The daemon's role takes a password wherever the system can't vouch for it. It is made here, once;
 * another one only if somebody asks for it, or an earlier run did not come to its end with this
 * one. */
static void plan_password(struct setup *setup, struct plan *plan)
{
	pa_str begin, kept, password;

	if (setup_database_is_local(setup) || setup->database_secret.len)
		return;
	begin = arena_format(setup->arena, "%s password=", setup->answers[ASK_DATABASE].ptr);
	kept = setup_credential_read(setup, "database");
	plan->is_kept = !setup->new_password && str_starts(kept, begin);
	setup->writes_database = !plan->is_kept;
	password = plan->is_kept ? str_slice(kept, begin.len, SIZE_MAX) : setup_random_word(setup);
	plan->password = arena_copy(setup->arena, password).ptr;
	setup->database_secret =
		arena_format(setup->arena, "%.*s%s", PA_FMT(begin), plan->password);
}

/* ---- what the daemon will do ---- */

static int open_as_daemon(struct setup *setup, const struct plan *plan)
{
	int status = look_into_store(setup, setup->database_secret.len
						    ? setup->database_secret.ptr
						    : setup->answers[ASK_DATABASE].ptr);

	(void)plan;
	if (status == CTL_OK)
		setup_did("el servicio entra a su base de datos",
			  "the service can open its database", NULL);
	return status;
}

/* Where the system's word counts, as the service's user. */
static int try_as_daemon(struct setup *setup)
{
	bool is_local = setup_database_is_local(setup);

	return as_user(setup, is_local && !setup->superuser ? ROLE : NULL, open_as_daemon, NULL);
}

static int make_database(struct setup *setup)
{
	struct plan plan = make_plan(setup);

	plan_password(setup, &plan);
	return as_user(setup, setup->superuser ? NULL : SUPERUSER, prepare, &plan);
}

/* Somebody else's, or an earlier run's: whoever may make another did not come along. */
static bool is_made_elsewhere(struct setup *setup)
{
	return setup->has_database ||
	       (!setup->superuser && !setup_database_is_local(setup) && setup->database_secret.len);
}

int setup_database(struct setup *setup)
{
	int status = CTL_OK;

	if (!is_made_elsewhere(setup)) {
		if (!setup->superuser && !setup_database_is_local(setup))
			return ctl_fail(setup->ctl, CTL_FAILED, "%s",
					ctl_say("en otro servidor la base se hace con "
						"--superuser-dsn, o la hace otro y se dice "
						"--database-ready",
						"on another server the database is made with "
						"--superuser-dsn, or somebody else makes it: "
						"--database-ready"));
		status = make_database(setup);
	}
	return status == CTL_OK ? try_as_daemon(setup) : status;
}
