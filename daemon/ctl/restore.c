/* SPDX-License-Identifier: Apache-2.0
 *
 * proaltoctl restore: a backup, on this machine or on another one. Everything is looked at before
 * anything is touched: the file to its end, the code, the list of erasures, the database.
 */
#include "base/calendar.h"
#include "base/err.h"
#include "base/str.h"
#include "ctl/backup.h"
#include "ctl/code.h"
#include "ctl/keepsake.h"
#include "ctl/once.h"
#include "ctl/options.h"
#include "ctl/peer.h"
#include "io/file.h"
#include "io/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROLES 4

struct restore {
	struct ctl *ctl;
	const char *path;
	const char *code_path;
	const char *erasures_path;
	const char *conninfo;
	const char *confirmed; /* the database's name, typed out */
	bool may_replace;
	bool without_erasures;
	bool is_drill; /* --dsn alone: the database and nothing else */
	struct archive_head head;
	struct key_pair pair;
	struct kept *kept;
	pa_str erasures; /* the newest list */
	bool is_replacing;
};

/* ---- looking ---- */

static pa_status open_file(const char *path, const char *kind, int *ret_fd, struct archive **ret,
			   struct archive_head *ret_head, pa_error *err)
{
	pa_status status;

	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*ret_fd < 0)
		return error_set(err, PA_REJECTED, "%s: %s", path, strerrordesc_np(errno));
	status = archive_open(*ret_fd, ret, ret_head, err);
	if (status == PA_OK && !str_equal(ret_head->kind, str_from(kind)))
		status = error_set(err, PA_REJECTED, "it is of another kind");
	if (status != PA_OK)
		error_prefix(err, "%s: ", path);
	return status;
}

static const struct kept *find(const struct kept *kept, const char *name)
{
	while (kept && !str_equal(kept->name, str_from(name)))
		kept = kept->next;
	return kept;
}

/* Reads it to its end, and keeps what is small. */
static pa_status look_at_backup(struct restore *r, pa_error *err)
{
	struct archive *archive PA_CLEANUP(archive_done) = NULL;
	int fd PA_CLEANUP(fd_done) = -1;
	pa_str code;
	pa_status status = open_file(r->path, BACKUP_KIND, &fd, &archive, &r->head, err);

	if (status != PA_OK)
		return status;
	/* They are told at the end, when the archive is closed. */
	r->head.node = arena_copy(r->ctl->arena, r->head.node);
	r->head.version = arena_copy(r->ctl->arena, r->head.version);
	if (r->head.schema > schema_newest())
		return error_set(err, PA_REJECTED, "%s",
				 "it was made by a later version: install that one");
	if (!code_read(r->ctl, r->code_path, &code))
		return error_set(err, PA_REJECTED, "no code");
	status = recovery_unlock(code, &r->head.lock, &r->pair, err);
	bytes_wipe((char *)(uintptr_t)code.ptr, code.len);
	if (status == PA_OK)
		status = archive_unlock(archive, &r->pair, err);
	if (status == PA_OK)
		status = keepsake_read(r->ctl, archive, BACKUP_DATABASE, &r->kept, err);
	return status;
}

/* The newest list lies beside the backups. */
static pa_status look_at_erasures(struct restore *r, pa_error *err)
{
	struct archive *archive PA_CLEANUP(archive_done) = NULL;
	int fd PA_CLEANUP(fd_done) = -1;
	const char *slash = strrchr(r->path, '/');
	const char *path = r->erasures_path;
	struct archive_head head = {.at_ns = 0};
	const struct kept *list;
	struct kept *kept;
	pa_status status;

	if (r->without_erasures)
		return PA_OK;
	if (!path)
		path = arena_format(r->ctl->arena, "%.*s" BACKUP_ERASURES_FILE,
				    slash ? (int)(slash - r->path) + 1 : 0, r->path)
			       .ptr;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return error_set(
			err, PA_REJECTED, "%s: %s", path,
			ctl_say("no está; sin la lista de supresiones más nueva volverían "
				"datos ya suprimidos (--erasures ARCHIVO). Si de verdad no "
				"existe: --no-erasures",
				"is missing; without the newest list of erasures erased "
				"data would come back (--erasures FILE). If there really "
				"is none: --no-erasures"));
	status = open_file(path, BACKUP_ERASURES, &fd, &archive, &head, err);
	if (status != PA_OK)
		return status;
	status = archive_unlock(archive, &r->pair, err);
	if (status == PA_OK)
		status = keepsake_read(r->ctl, archive, "", &kept, err);
	list = status == PA_OK ? find(kept, BACKUP_ERASURES) : NULL;
	if (status == PA_OK && !list)
		status = error_set(err, PA_REJECTED, "no list");
	if (status == PA_OK && head.at_ns < r->head.at_ns)
		status =
			error_set(err, PA_REJECTED, "%s",
				  ctl_say("es anterior a la copia", "it is older than the backup"));
	if (status == PA_OK && list)
		r->erasures = list->bytes;
	else
		error_prefix(err, "%s: ", path);
	return status;
}

static bool is_confirmed(const struct restore *r, const char *name)
{
	const char *prompt;

	if (r->confirmed)
		return strcmp(r->confirmed, name) == 0;
	prompt = arena_format(
			 r->ctl->arena,
			 ctl_say("Se borrará todo lo que hay en la base %s. Escriba su nombre: ",
				 "All that is in the database %s will be deleted. Type its "
				 "name: "),
			 name)
			 .ptr;
	return code_confirm(prompt, name);
}

static pa_status look_at_database(struct restore *r, struct db *db, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	pa_status status = db_run(db, db_params_new(r->ctl->arena, SQL_RESTORE_LOOK), &rows, err);

	if (status != PA_OK)
		return status;
	if (db_int64(rows, 0, 2) != ROLES)
		return error_set(
			err, PA_REJECTED, "%s",
			ctl_say("faltan los roles (sql/roles.sql; proaltoctl setup los hace)",
				"roles are missing (sql/roles.sql; proaltoctl setup makes "
				"them)"));
	if (db_bool(rows, 0, 3))
		return error_set(err, PA_REJECTED, "%s",
				 ctl_say("el servicio trabaja en esa base: deténgalo antes",
					 "the service works on that database: stop it first"));
	if (db_bool(rows, 0, 4))
		return error_set(
			err, PA_REJECTED, "%s",
			ctl_say("una restauración quedó a medias: el esquema proalto_before "
				"guarda lo que había antes; devuélvalo (DROP SCHEMA proalto "
				"CASCADE; ALTER SCHEMA proalto_before RENAME TO proalto) o bórrelo",
				"a restore was cut short: the schema proalto_before keeps what was "
				"there; bring it back (DROP SCHEMA proalto CASCADE; ALTER SCHEMA "
				"proalto_before RENAME TO proalto) or drop it"));
	r->is_replacing = db_bool(rows, 0, 1);
	if (r->is_replacing &&
	    (!r->may_replace ||
	     !is_confirmed(r, arena_copy(r->ctl->arena, db_str(rows, 0, 0)).ptr)))
		return error_set(
			err, PA_REJECTED, "%s",
			ctl_say("la base no está vacía; para borrarla: --replace, y escribir "
				"su nombre",
				"the database is not empty; to delete what it holds: "
				"--replace, and type its name"));
	return PA_OK;
}

/* ---- doing ---- */

static pa_status feed(struct archive *archive, const struct child *child, pa_error *err)
{
	pa_str piece;
	pa_status status;

	for (;;) {
		status = archive_read(archive, &piece, err);
		if (status != PA_OK || !piece.len)
			return status;
		while (piece.len) {
			ssize_t n = write(child->fd, piece.ptr, piece.len);

			if (n < 0 && errno != EINTR)
				return error_set(err, PA_REJECTED, "pg_restore: %s",
						 strerrordesc_np(errno));
			if (n > 0)
				piece = str_slice(piece, (size_t)n, SIZE_MAX);
		}
	}
}

static pa_status find_database(struct archive *archive, pa_error *err)
{
	pa_str name;
	bool is_end = false;
	pa_status status = PA_OK;

	while (status == PA_OK && !is_end) {
		status = archive_next(archive, &name, &is_end, err);
		if (status == PA_OK && !is_end && str_equal(name, PA_STR(BACKUP_DATABASE)))
			return PA_OK;
	}
	return status == PA_OK ? error_set(err, PA_REJECTED, "no database is in it") : status;
}

/* Gives the dump to pg_restore, which need not read it to its end if it says that all is well. */
static pa_status give_dump(struct restore *r, const char *conninfo, const char *const *argv,
			   bool is_read_whole, pa_error *err)
{
	struct archive *archive PA_CLEANUP(archive_done) = NULL;
	int fd PA_CLEANUP(fd_done) = -1;
	struct archive_head head;
	struct child child;
	pa_error later = ERROR_INIT;
	pa_status ended, status = open_file(r->path, BACKUP_KIND, &fd, &archive, &head, err);

	if (status == PA_OK)
		status = archive_unlock(archive, &r->pair, err);
	if (status == PA_OK)
		status = find_database(archive, err);
	if (status == PA_OK)
		status = peer_start(r->ctl, conninfo, argv, true, &child, err);
	if (status != PA_OK)
		return status;
	status = feed(archive, &child, err);
	ended = child_end(&child, &later);
	if (ended != PA_OK)
		return error_set(err, ended, "%s", error_text(&later));
	return is_read_whole ? status : PA_OK;
}

/* It is there, and of a version that understands the dump. */
static pa_status look_at_dump(struct restore *r, pa_error *err)
{
	static const char *const argv[] = {"pg_restore", "--list", NULL};

	return give_dump(r, r->conninfo, argv, false, err);
}

/* With --schema it leaves out the schema itself and who may use it: that comes last. */
static pa_status pour(struct restore *r, pa_error *err)
{
	const char *const *environment;
	const char *argv[] = {"pg_restore",
			      "--no-owner",
			      "--exit-on-error",
			      "--no-password",
			      "--single-transaction",
			      "--schema=proalto",
			      "--dbname",
			      NULL,
			      NULL};
	const char **name = &argv[ARRAY_COUNT(argv) - 2];
	const char *conninfo;
	pa_status status = once_login(r->ctl, r->conninfo, &conninfo, err);

	if (status == PA_OK)
		status = db_environment(r->ctl->arena, conninfo, &environment, err);
	for (; status == PA_OK && *environment; environment++)
		if (strncmp(*environment, "PGDATABASE=", strlen("PGDATABASE=")) == 0)
			*name = *environment + strlen("PGDATABASE=");
	if (status == PA_OK && !*name)
		status = error_set(err, PA_REJECTED, "the connection string names no database");
	return status == PA_OK ? give_dump(r, conninfo, argv, true, err) : status;
}

static pa_status run_plain(struct restore *r, struct db *db, enum sql statement, pa_error *err)
{
	return db_run(db, db_params_new(r->ctl->arena, statement), NULL, err);
}

static pa_status make_room(struct restore *r, struct db *db, pa_error *err)
{
	pa_status status = db_simple(db, "BEGIN", err);

	if (status == PA_OK && r->is_replacing)
		status = run_plain(r, db, SQL_RESTORE_PUT_ASIDE, err);
	if (status == PA_OK)
		status = run_plain(r, db, SQL_RESTORE_MAKE, err);
	return status == PA_OK ? db_simple(db, "COMMIT", err) : status;
}

/* On a connection of its own: the first one may be what failed. */
static pa_status put_back(struct restore *r, pa_error *err)
{
	static const char *const sets[] = {"restore", NULL};
	struct db *db PA_CLEANUP(db_done) = NULL;
	pa_status status = peer_open(r->ctl, r->conninfo, sets, &db, err);

	if (status == PA_OK)
		status = db_simple(db, "BEGIN", err);
	if (status == PA_OK)
		status = run_plain(r, db, SQL_RESTORE_DROP, err);
	if (status == PA_OK && r->is_replacing)
		status = run_plain(r, db, SQL_RESTORE_PUT_BACK, err);
	return status == PA_OK ? db_simple(db, "COMMIT", err) : status;
}

static void undo(struct restore *r)
{
	pa_error err = ERROR_INIT;

	if (put_back(r, &err) == PA_OK)
		ctl_fail(r->ctl, CTL_FAILED, "%s",
			 ctl_say("la base quedó como estaba", "the database is as it was"));
	else
		ctl_fail(r->ctl, CTL_FAILED, "%s (%s)",
			 ctl_say("la base quedó a medias: NO ARRANQUE EL SERVICIO. Lo que había "
				 "está en el esquema proalto_before",
				 "the database is half done: DO NOT START THE SERVICE. What was "
				 "there is in the schema proalto_before"),
			 error_text(&err));
}

static pa_status erase_one(struct restore *r, struct db *db, pa_str line, int64_t *count,
			   pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct json *json PA_CLEANUP(json_done) = NULL;
	struct db_params *params = db_params_new(r->ctl->arena, SQL_RESTORED_ERASE);
	int64_t contact, at_ns;
	pa_str reason;
	pa_status status;

	if (json_parse(line, &json, err) != PA_OK || !json_get_integer(json, "contact", &contact) ||
	    !json_get_integer(json, "at_ns", &at_ns) || !json_get_text(json, "reason", &reason))
		return error_set(err, PA_REJECTED, "the list of erasures is damaged");
	db_bind_int64(params, contact);
	db_bind_time(params, at_ns);
	db_bind_text(params, reason);
	status = db_run(db, params, &result, err);
	if (status == PA_OK)
		*count += db_int64(result, 0, 0);
	return status;
}

static pa_status erase_again(struct restore *r, struct db *db, int64_t *ret_count, pa_error *err)
{
	pa_str rest = r->erasures;
	pa_status status = PA_OK;

	*ret_count = 0;
	while (rest.len && status == PA_OK)
		status = erase_one(r, db, str_split(&rest, '\n'), ret_count, err);
	return status;
}

/* One transaction, at whose end the daemon's role may use the store. */
static pa_status settle_with(struct restore *r, struct db *db, int64_t *ret_erased,
			     struct db_result **ret_waiting, pa_error *err)
{
	pa_status status = db_simple(db, "BEGIN", err);

	if (status == PA_OK)
		status = erase_again(r, db, ret_erased, err);
	if (status == PA_OK)
		status = run_plain(r, db, SQL_RESTORED_SETTLE, err);
	if (status == PA_OK)
		status = db_run(db, db_params_new(r->ctl->arena, SQL_RESTORED_WAITING), ret_waiting,
				err);
	if (status == PA_OK)
		status = run_plain(r, db, SQL_RESTORED_OPEN, err);
	return status == PA_OK ? db_simple(db, "COMMIT", err) : status;
}

/* The store is in force by then, whether the old one goes or not. */
static void forget(struct restore *r, struct db *db)
{
	pa_error err = ERROR_INIT;

	if (r->is_replacing && run_plain(r, db, SQL_RESTORED_FORGET, &err) != PA_OK)
		ctl_fail(r->ctl, CTL_OK, "%s (%s)",
			 ctl_say("no se pudo borrar lo que había antes: DROP SCHEMA proalto_before "
				 "CASCADE",
				 "what was there before can't be deleted: DROP SCHEMA "
				 "proalto_before CASCADE"),
			 error_text(&err));
}

static pa_status settle(struct restore *r, pa_error *err)
{
	static const char *const sets[] = {"restored", NULL};
	struct db *db PA_CLEANUP(db_done) = NULL;
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	int64_t erased = 0;
	const char *conninfo;
	pa_status status = once_login(r->ctl, r->conninfo, &conninfo, err);

	if (status == PA_OK)
		status = peer_open(r->ctl, conninfo, sets, &db, err);
	if (status == PA_OK)
		status = settle_with(r, db, &erased, &rows, err);
	if (status != PA_OK)
		return status;
	forget(r, db);
	printf(ctl_say("Suprimidos otra vez: %lld.\n", "Erased again: %lld.\n"), (long long)erased);
	printf(ctl_say("Al arrancar se atienden %lld eventos y salen %lld mensajes que esperaban "
		       "entonces; los que ya salieron después de la copia saldrán otra vez.\n",
		       "At the start %lld events are served and %lld messages leave that waited "
		       "then; those that left after the backup leave again.\n"),
	       (long long)db_int64(rows, 0, 0), (long long)db_int64(rows, 0, 1));
	return PA_OK;
}

/* It opens nothing any more, whether it goes or not. */
static void forget_login(struct restore *r)
{
	pa_error err = ERROR_INIT;

	if (once_forget(r->ctl, r->conninfo, &err) != PA_OK)
		ctl_fail(r->ctl, CTL_OK, "%s (%s)",
			 ctl_say("no se pudo borrar el rol proalto_restore",
				 "the role proalto_restore can't be dropped"),
			 error_text(&err));
}

static pa_status restore_database(struct restore *r, struct db *db, pa_error *err)
{
	pa_status status = make_room(r, db, err);

	if (status != PA_OK)
		return status;
	status = pour(r, err);
	if (status == PA_OK)
		status = settle(r, err);
	if (status != PA_OK)
		undo(r);
	forget_login(r);
	return status;
}

static void tell_rest(const struct restore *r)
{
	pa_str at = instant_iso(r->ctl->arena, r->head.at_ns);

	if (r->is_drill) {
		printf(ctl_say("La base está como el %.*s. Con --dsn no se instala ni "
			       "configuración "
			       "ni secretos (--install).\n",
			       "The database is as of %.*s. With --dsn neither configuration nor "
			       "secrets are installed (--install).\n"),
		       PA_FMT(at));
		return;
	}
	printf(ctl_say("Todo está como el %.*s (nodo %.*s, versión %.*s). Lo que llegó después no "
		       "está; Meta repite hasta siete días lo que nadie confirmó, no lo "
		       "confirmado.\n"
		       "Falta:\n"
		       "  1. revisar store.database y lo que nombre equipos en %s\n"
		       "  2. proaltoctl db migrate; proaltod --check\n"
		       "  3. systemctl enable --now proalto.socket proalto proalto-backup.timer\n"
		       "  4. en los demás nodos: proaltoctl node add\n",
		       "Everything is as of %.*s (node %.*s, version %.*s). What came later is not "
		       "there; Meta repeats for seven days what nobody acknowledged, and nothing "
		       "else.\n"
		       "What is left:\n"
		       "  1. look at store.database and whatever names machines in %s\n"
		       "  2. proaltoctl db migrate; proaltod --check\n"
		       "  3. systemctl enable --now proalto.socket proalto proalto-backup.timer\n"
		       "  4. on the other nodes: proaltoctl node add\n"),
	       PA_FMT(at), PA_FMT(r->head.node), PA_FMT(r->head.version), r->ctl->config_path);
}

/* Without --dsn: the database that the configuration names, be it here already or in the backup. */
static pa_status find_conninfo(struct restore *r, pa_error *err)
{
	struct config *config PA_CLEANUP(config_done) = NULL;
	struct config_problems problems = {.arena = r->ctl->arena};

	if (r->conninfo)
		return PA_OK;
	if (config_load(r->ctl->config_path, NULL, &config, &problems, err) != PA_OK)
		return error_set(err, PA_REJECTED, "%s",
				 ctl_say("no hay configuración que diga cuál base: use --dsn",
					 "no configuration says which database: use --dsn"));
	r->conninfo = peer_owner_conninfo(r->ctl, config);
	return r->conninfo ? PA_OK : error_set(err, PA_REJECTED, "--dsn");
}

/* Whether what is in the dump can be run as nobody but the owner. */
static pa_status try_login(struct restore *r, pa_error *err)
{
	struct db *db PA_CLEANUP(db_done) = NULL;
	const char *conninfo;
	pa_status status = once_login(r->ctl, r->conninfo, &conninfo, err);

	if (status == PA_OK)
		status = peer_open(r->ctl, conninfo, NULL, &db, err);
	if (status == PA_OK)
		return PA_OK;
	forget_login(r);
	error_prefix(err, "%s: ",
		     ctl_say("la copia no se restaura con los derechos de un superusuario, y no se "
			     "puede entrar de otra manera; use --dsn con un login del rol "
			     "proalto_owner",
			     "a backup is not restored with a superuser's rights, and there is no "
			     "other way in; use --dsn with a login of proalto_owner"));
	return status;
}

static pa_status run(struct restore *r, pa_error *err)
{
	static const char *const sets[] = {"restore", NULL};
	struct db *db PA_CLEANUP(db_done) = NULL;
	pa_status status = find_conninfo(r, err);

	if (status == PA_OK)
		status = look_at_backup(r, err);
	if (status == PA_OK)
		status = look_at_erasures(r, err);
	if (status == PA_OK)
		status = peer_open(r->ctl, r->conninfo, sets, &db, err);
	if (status == PA_OK)
		status = look_at_database(r, db, err);
	if (status == PA_OK)
		status = look_at_dump(r, err);
	if (status == PA_OK)
		status = try_login(r, err);
	if (status == PA_OK)
		status = restore_database(r, db, err);
	if (status != PA_OK || r->is_drill)
		return status;
	status = keepsake_install(r->ctl, r->kept, err);
	if (status != PA_OK)
		ctl_fail(r->ctl, CTL_FAILED, "%s",
			 ctl_say("la base ya está restaurada, lo demás no: corrija lo que sigue y "
				 "repita la orden con --replace",
				 "the database is restored, the rest is not: mend what follows and "
				 "say the same again with --replace"));
	return status;
}

int ctl_restore(struct ctl *ctl, int argc, char *const *argv)
{
	struct restore r = {.ctl = ctl};
	bool is_installing = false;
	const struct option_word table[] = {{"--code-file", &r.code_path, NULL},
					    {"--erasures", &r.erasures_path, NULL},
					    {"--no-erasures", NULL, &r.without_erasures},
					    {"--dsn", &r.conninfo, NULL},
					    {"--install", NULL, &is_installing},
					    {"--replace", NULL, &r.may_replace},
					    {"--confirm", &r.confirmed, NULL}};
	pa_error err = ERROR_INIT;
	pa_status status;

	if (!options_parse(argc, argv, table, ARRAY_COUNT(table), &r.path) || !r.path)
		return ctl_usage(ctl);
	if (crypto_init() != PA_OK)
		return ctl_fail(ctl, CTL_FAILED, "libsodium");
	signal(SIGPIPE, SIG_IGN);
	r.is_drill = r.conninfo && !is_installing;
	status = run(&r, &err);
	key_wipe(&r.pair.secret);
	if (status != PA_OK)
		return ctl_fail(ctl, CTL_FAILED, "%s", error_text(&err));
	tell_rest(&r);
	return CTL_OK;
}
