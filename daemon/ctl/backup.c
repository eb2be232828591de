/* SPDX-License-Identifier: Apache-2.0
 *
 * proaltoctl backup: the database as of one instant, configuration and secrets in one file, sealed
 * for the recovery code while it is written: nothing plain reaches a disk. Beside it the list of
 * erasures is kept, newer than any backup, so that a restore can apply it again.
 */
#include "ctl/backup.h"

#include "base/calendar.h"
#include "base/err.h"
#include "base/str.h"
#include "ctl/credential.h"
#include "ctl/keepsake.h"
#include "ctl/options.h"
#include "ctl/peer.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/schema.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 1000
#define ERASURES_MAX ((size_t)64 << 20)
#define NAME_PREFIX "proalto-"
#define NAME_SUFFIX ".backup"
#define PART_SUFFIX ".part"
#define NAMES_MAX 4096
#define DAY_S 86400

struct backup {
	struct ctl *ctl;
	struct config *config;
	const char *output;
	const char *conninfo;
	bool is_list_only;
	struct db *db;
	struct archive_head head;
	struct buf erasures;
	size_t left_out; /* files that can't be read */
};

/* ---- the list of erasures ---- */

static void add_erasure(struct backup *b, const struct db_result *rows, size_t row)
{
	struct json *line PA_CLEANUP(json_done) = json_object_new();

	json_set_integer(line, "contact", db_int64(rows, row, 0));
	json_set_integer(line, "at_ns", db_time_ns(rows, row, 1));
	json_set_text(line, "reason", db_str(rows, row, 2));
	json_write(line, &b->erasures);
	buf_add_byte(&b->erasures, '\n');
}

static pa_status list_erasures(struct backup *b, pa_error *err)
{
	int64_t after = INT64_MIN;
	size_t count = PAGE;

	while (count == PAGE) {
		struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
		struct db_params *params = db_params_new(b->ctl->arena, SQL_ERASURE_LIST);
		pa_status status;

		db_bind_int64(params, after);
		db_bind_int64(params, PAGE);
		status = db_run(b->db, params, &rows, err);
		if (status != PA_OK)
			return status;
		count = db_rows(rows);
		for (size_t i = 0; i < count; i++) {
			add_erasure(b, rows, i);
			after = db_int64(rows, i, 0);
		}
	}
	return b->erasures.is_over ? error_set(err, PA_REJECTED, "the list of erasures is too long")
				   : PA_OK;
}

/* ---- one file ---- */

typedef pa_status fill_fn(struct backup *b, struct archive *archive, pa_error *err);

static pa_status add_erasures(struct backup *b, struct archive *archive, pa_error *err)
{
	pa_status status = archive_member(archive, PA_STR(BACKUP_ERASURES), err);

	return status == PA_OK ? archive_write(archive, buf_str(&b->erasures), err) : status;
}

/* pg_dump takes its own snapshot; it waits at most a minute for whoever changes the schema. */
static pa_status dump(struct backup *b, struct archive *archive, pa_error *err)
{
	static const char *const argv[] = {"pg_dump",
					   "--format=custom",
					   "--compress=1",
					   "--schema=proalto",
					   "--lock-wait-timeout=60s",
					   "--no-password",
					   NULL};
	char *piece = arena_alloc(b->ctl->arena, ARCHIVE_PIECE);
	struct child child;
	pa_error later = ERROR_INIT;
	ssize_t n = 0;
	pa_status ended, status = peer_start(b->ctl, b->conninfo, argv, false, &child, err);

	if (status != PA_OK)
		return status;
	while (status == PA_OK && (n = read(child.fd, piece, ARCHIVE_PIECE)) != 0) {
		if (n > 0)
			status = archive_write(archive, (pa_str){piece, (size_t)n}, err);
		else if (errno != EINTR)
			status = error_set(err, PA_RETRY, "pg_dump: %s", strerrordesc_np(errno));
	}
	ended = child_end(&child, &later);
	if (status == PA_OK && ended != PA_OK)
		return error_set(err, ended, "%s", error_text(&later));
	return status;
}

static pa_status add_everything(struct backup *b, struct archive *archive, pa_error *err)
{
	pa_status status = keepsake_pack(b->ctl, archive, &b->left_out, err);

	if (status == PA_OK)
		status = add_erasures(b, archive, err);
	if (status == PA_OK)
		status = archive_member(archive, PA_STR(BACKUP_DATABASE), err);
	return status == PA_OK ? dump(b, archive, err) : status;
}

static pa_status write_archive(struct backup *b, int fd, const char *kind, fill_fn *fill,
			       pa_error *err)
{
	struct archive *archive PA_CLEANUP(archive_done) = NULL;
	pa_status status;

	b->head.kind = str_from(kind);
	status = archive_create(fd, &b->head, &archive, err);
	if (status == PA_OK)
		status = fill(b, archive, err);
	return status == PA_OK ? archive_finish(archive, err) : status;
}

/* Under another name until it is whole. */
static pa_status write_file(struct backup *b, const char *path, const char *kind, fill_fn *fill,
			    pa_error *err)
{
	const char *part = arena_format(b->ctl->arena, "%s" PART_SUFFIX, path).ptr;
	int fd PA_CLEANUP(fd_done) = -1;
	pa_status status;

	unlink(part);
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(err, PA_RETRY, "%s: %s", part, strerrordesc_np(errno));
	status = write_archive(b, fd, kind, fill, err);
	if (status == PA_OK)
		status = file_rename(part, path, err);
	if (status != PA_OK)
		unlink(part);
	return status;
}

/* ---- where ---- */

static const char *folder_of(struct ctl *ctl, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return "./";
	return arena_copy(ctl->arena, (pa_str){path, (size_t)(slash - path) + 1}).ptr;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names begin with their time: the first ones are the oldest. */
static void drop_oldest(struct backup *b)
{
	const char *directory = b->config->backup_directory;
	const char **names = ARENA_ARRAY(b->ctl->arena, const char *, NAMES_MAX);
	DIR *folder = opendir(directory);
	size_t count = 0, keep = (size_t)b->config->backup_keep;
	const struct dirent *entry;

	while (folder && count < NAMES_MAX && (entry = readdir(folder))) {
		pa_str name = str_from(entry->d_name);

		if (str_starts(name, PA_STR(NAME_PREFIX)) && str_ends(name, PA_STR(NAME_SUFFIX)))
			names[count++] = arena_copy(b->ctl->arena, name).ptr;
	}
	if (folder)
		closedir(folder);
	qsort(names, count, sizeof(*names), by_name);
	for (size_t i = 0; i + keep < count; i++)
		unlink(arena_format(b->ctl->arena, "%s/%s", directory, names[i]).ptr);
}

/* What a killed one left behind. None takes a day. */
static void drop_unfinished(struct backup *b)
{
	const char *directory = b->config->backup_directory;
	DIR *folder = opendir(directory);
	const struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		const char *path =
			arena_format(b->ctl->arena, "%s/%s", directory, entry->d_name).ptr;
		pa_str name = str_from(entry->d_name);
		struct stat about;

		if (str_starts(name, PA_STR(NAME_PREFIX)) &&
		    str_ends(name, PA_STR(NAME_SUFFIX PART_SUFFIX)) && lstat(path, &about) == 0 &&
		    about.st_mtim.tv_sec < b->head.at_ns / NS_PER_S - DAY_S)
			unlink(path);
	}
	if (folder)
		closedir(folder);
}

static const char *usual_name(struct backup *b)
{
	pa_str iso = instant_iso(b->ctl->arena, b->head.at_ns);
	char *stamp = arena_alloc(b->ctl->arena, iso.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < iso.len && i < strlen("2026-01-01T00:00:00"); i++)
		if (iso.ptr[i] != '-' && iso.ptr[i] != ':')
			stamp[len++] = iso.ptr[i];
	return arena_format(b->ctl->arena, "%s/" NAME_PREFIX "%.*s" NAME_SUFFIX,
			    b->config->backup_directory, (int)len, stamp)
		.ptr;
}

/* ---- all of it ---- */

static pa_status prepare(struct backup *b, pa_error *err)
{
	static const char *const sets[] = {"backup", NULL};
	struct schema schema;
	pa_status status = keepsake_lock(b->ctl, b->config->backup_recovery, &b->head.lock, err);

	if (status == PA_OK)
		status = peer_open(b->ctl, b->conninfo, NULL, &b->db, err);
	if (status == PA_OK)
		status = schema_read(b->db, &schema, err);
	db_close(b->db);
	b->db = NULL;
	if (status == PA_OK)
		status = peer_open(b->ctl, b->conninfo, sets, &b->db, err);
	if (status != PA_OK)
		return status;
	b->head.schema = schema.number;
	b->head.version = PA_STR(PROALTO_VERSION);
	b->head.node = str_from(b->config->node);
	return PA_OK;
}

/* One run after the other, on whatever node: a list that is read later is written later. */
static pa_status write_list(struct backup *b, const char *path, pa_error *err)
{
	pa_status status = db_simple(b->db, "BEGIN", err);

	if (status == PA_OK)
		status = db_run(b->db, db_params_new(b->ctl->arena, SQL_BACKUP_LOCK), NULL, err);
	b->head.at_ns = clock_now_ns();
	if (status == PA_OK)
		status = list_erasures(b, err);
	if (status == PA_OK)
		status = write_file(b, path, BACKUP_ERASURES, add_erasures, err);
	return status == PA_OK ? db_simple(b->db, "COMMIT", err) : status;
}

static pa_status make(struct backup *b, const char **ret_path, pa_error *err)
{
	struct ctl *ctl = b->ctl;
	const char *folder =
		b->output ? folder_of(ctl, b->output)
			  : arena_format(ctl->arena, "%s/", b->config->backup_directory).ptr;
	const char *list = arena_format(ctl->arena, "%s" BACKUP_ERASURES_FILE, folder).ptr;
	const char *path;
	pa_status status = b->output ? PA_OK : credential_make_folders(ctl, list, err);

	if (status == PA_OK)
		status = write_list(b, list, err);
	drop_unfinished(b);
	*ret_path = list;
	if (status != PA_OK || b->is_list_only)
		return status;
	path = b->output ? b->output : usual_name(b);
	*ret_path = path;
	status = write_file(b, path, BACKUP_KIND, add_everything, err);
	if (status == PA_OK && !b->output)
		drop_oldest(b);
	return status;
}

int ctl_backup(struct ctl *ctl, int argc, char *const *argv)
{
	struct config *config PA_CLEANUP(config_done) = NULL;
	struct backup b = {.ctl = ctl, .erasures = BUF_INIT(ERASURES_MAX)};
	const struct option_word table[] = {{"--output", &b.output, NULL},
					    {"--dsn", &b.conninfo, NULL},
					    {"--erasures-only", NULL, &b.is_list_only}};
	const char *path = NULL;
	pa_error err = ERROR_INIT;
	pa_status status;

	if (!options_parse(argc, argv, table, ARRAY_COUNT(table), NULL))
		return ctl_usage(ctl);
	if (crypto_init() != PA_OK)
		return ctl_fail(ctl, CTL_FAILED, "libsodium");
	if (ctl_config(ctl, &config) != CTL_OK)
		return CTL_FAILED;
	signal(SIGPIPE, SIG_IGN);
	b.config = config;
	if (!b.conninfo)
		b.conninfo = config->database;
	status = prepare(&b, &err);
	if (status == PA_OK)
		status = make(&b, &path, &err);
	db_close(b.db);
	buf_done(&b.erasures);
	if (status != PA_OK)
		return ctl_fail(ctl, CTL_FAILED, "%s", error_text(&err));
	printf("%s\n", path);
	return b.left_out ? CTL_FAILED : CTL_OK;
}
