/* SPDX-License-Identifier: Apache-2.0 */
#include "io/migrate.h"

#include "base/err.h"
#include "base/str.h"
#include "io/crypto.h"
#include "io/db.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define APPLICATION "proaltoctl db"
#define FILE_MAX (4 << 20)
#define NUMBER_MAX 9999
#define LOCK_TIMEOUT "2s"
#define TRIES 25
#define PAUSE_NS (500 * NS_PER_MS)

/* A file, a record, or both. */
struct entry {
	struct migration public;
	pa_str text; /* absent: no file */
	uint8_t digest[DIGEST_BYTES];
};

/* A comparison under way; the index is the number. */
struct work {
	struct arena *arena;
	const char *directory;
	struct entry *entries[NUMBER_MAX + 1];
	struct db *db;
};

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

const char *migration_state_name(enum migration_state state)
{
	static const char *const names[] = {
		[MIGRATION_PENDING] = "pending", [MIGRATION_APPLIED] = "applied",
		[MIGRATION_NEW] = "new",         [MIGRATION_CHANGED] = "changed",
		[MIGRATION_UNKNOWN] = "unknown", [MIGRATION_SKIPPED] = "skipped",
	};

	return names[state];
}

/* ---- files ---- */

/* The number of "NNNN_name.sql"; 0 if it is not of that form. */
static int file_number(pa_str file)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	pa_str digits = str_slice(file, 0, 4), rest = str_slice(file, 4, file.len);
	int64_t number = 0;

	if (!str_ends(rest, PA_STR(".sql")) || !str_starts(rest, PA_STR("_")) || rest.len < 6)
		return 0;
	rest.len -= 4;
	for (size_t i = 0; i < rest.len; i++)
		if (!memchr(allowed, rest.ptr[i], sizeof(allowed) - 1))
			return 0;
	return str_is_digits(digits) && str_to_int64(digits, &number) ? (int)number : 0;
}

static pa_status read_text(struct work *work, const char *file, pa_str *ret, pa_error *err)
{
	const char *path = arena_format(work->arena, "%s/%s", work->directory, file).ptr;
	int fd PA_CLEANUP(close_fd) = open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	size_t len, at = 0;
	char *text;

	if (fd < 0 || fstat(fd, &info) != 0)
		return error_set(err, PA_REJECTED, "%s: %s", path, strerror(errno));
	if (!S_ISREG(info.st_mode) || info.st_size > FILE_MAX)
		return error_set(err, PA_REJECTED, "%s: not a file of at most 4 MiB", path);
	len = (size_t)info.st_size;
	text = arena_alloc(work->arena, len + 1);
	while (at < len) {
		ssize_t n = read(fd, text + at, len - at);

		if (n <= 0)
			return error_set(err, PA_REJECTED, "%s: can't be read", path);
		at += (size_t)n;
	}
	if (memchr(text, '\0', len))
		return error_set(err, PA_REJECTED, "%s: holds a NUL", path);
	*ret = (pa_str){text, len};
	return PA_OK;
}

static pa_status add_file(struct work *work, const char *file, pa_error *err)
{
	pa_str name = str_from(file);
	int number = file_number(name);
	struct entry *entry;
	pa_status status;

	if (!str_ends(name, PA_STR(".sql")))
		return PA_OK;
	if (number == 0)
		return error_set(err, PA_REJECTED, "%s/%s: not named NNNN_name.sql",
				 work->directory, file);
	if (work->entries[number])
		return error_set(err, PA_REJECTED, "%s/%s: its number is also that of %s",
				 work->directory, file, work->entries[number]->public.name);
	entry = ARENA_NEW(work->arena, struct entry);
	status = read_text(work, file, &entry->text, err);
	if (status != PA_OK)
		return status;
	sha256(entry->text, entry->digest);
	entry->public.number = number;
	entry->public.name = arena_copy(work->arena, str_slice(name, 0, name.len - 4)).ptr;
	work->entries[number] = entry;
	return PA_OK;
}

static pa_status read_files(struct work *work, pa_error *err)
{
	DIR *dir PA_CLEANUP(close_dir) = opendir(work->directory);
	pa_status status = PA_OK;
	struct dirent *file;

	if (!dir)
		return error_set(err, PA_REJECTED, "%s: %s", work->directory, strerror(errno));
	while (status == PA_OK && (file = readdir(dir)) != NULL)
		status = add_file(work, file->d_name, err);
	return status;
}

/* ---- records ---- */

static pa_status add_record(struct work *work, const struct db_result *result, size_t row,
			    pa_error *err)
{
	int64_t number = db_int64(result, row, 0);
	pa_str digest = db_str(result, row, 2);
	struct entry *entry;

	if (number < 1 || number > NUMBER_MAX)
		return error_set(err, PA_REJECTED, "proalto.schema_migration: number %lld",
				 (long long)number);
	entry = work->entries[number];
	if (!entry) {
		entry = ARENA_NEW(work->arena, struct entry);
		entry->public.number = (int)number;
		entry->public.name = arena_copy(work->arena, db_str(result, row, 1)).ptr;
		entry->public.state = MIGRATION_UNKNOWN;
		work->entries[number] = entry;
	} else {
		pa_str own = {(const char *)entry->digest, DIGEST_BYTES};

		entry->public.state =
			str_equal(own, digest) ? MIGRATION_APPLIED : MIGRATION_CHANGED;
	}
	entry->public.applied_at_ns = db_time_ns(result, row, 3);
	return PA_OK;
}

/* A pending file below one that was applied was added too late: its order is lost. */
static void mark_skipped(struct work *work)
{
	bool is_below = false;

	for (int i = NUMBER_MAX; i > 0; i--) {
		struct entry *entry = work->entries[i];

		if (!entry)
			continue;
		if (entry->public.state != MIGRATION_PENDING)
			is_below = true;
		else if (is_below)
			entry->public.state = MIGRATION_SKIPPED;
	}
}

static pa_status read_records(struct work *work, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	pa_status status =
		db_run(work->db, db_params_new(work->arena, SQL_MIGRATION_LIST), &result, err);

	if (status != PA_OK)
		return status;
	for (size_t i = 0; status == PA_OK && i < db_rows(result); i++)
		status = add_record(work, result, i, err);
	mark_skipped(work);
	return status;
}

static struct migration_list collect(const struct work *work)
{
	struct migration_list list = {0};

	for (int i = 0; i <= NUMBER_MAX; i++)
		list.count += work->entries[i] != NULL;
	list.items = ARENA_ARRAY(work->arena, struct migration, list.count);
	list.count = 0;
	for (int i = 0; i <= NUMBER_MAX; i++)
		if (work->entries[i])
			list.items[list.count++] = work->entries[i]->public;
	return list;
}

/* ---- applying ---- */

static pa_status run(struct db *db, struct arena *arena, enum sql statement, pa_error *err)
{
	return db_run(db, db_params_new(arena, statement), NULL, err);
}

/* Runs a step until it is done, fails for good, or the tries are used up. */
static pa_status retry(struct work *work,
		       pa_status (*step)(struct work *, struct entry *, pa_error *),
		       struct entry *entry, pa_error *err)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	pa_status status = PA_RETRY;

	for (int i = 0; i < TRIES; i++) {
		status = step(work, entry, err);
		if (status != PA_RETRY || !db_is_alive(work->db))
			break;
		nanosleep(&pause, NULL);
	}
	return status;
}

static pa_status take_lock(struct work *work, struct entry *unused, pa_error *err)
{
	(void)unused;
	return run(work->db, work->arena, SQL_MIGRATION_LOCK, err);
}

static pa_status open_locked(struct work *work, const char *conninfo, const char *const *sets,
			     pa_error *err)
{
	pa_status status = db_open(conninfo, APPLICATION, sets, &work->db, err);

	if (status == PA_OK)
		status = db_set(work->db, "lock_timeout", LOCK_TIMEOUT, err);
	if (status == PA_OK)
		status = retry(work, take_lock, NULL, err);
	return status;
}

static pa_status is_ready(struct db *db, struct arena *arena, bool *ret, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	pa_status status = db_run(db, db_params_new(arena, SQL_MIGRATION_IS_READY), &result, err);

	if (status == PA_OK)
		*ret = db_bool(result, 0, 0);
	return status;
}

/* Makes the record if there is none; asked first, since even IF NOT EXISTS needs the right to
 * create. */
static pa_status make_record(const char *conninfo, struct arena *arena, pa_error *err)
{
	static const char *const sets[] = {"migration_setup", NULL};
	struct work *work = ARENA_NEW(arena, struct work);
	struct db *db PA_CLEANUP(db_done) = NULL;
	pa_status status;
	bool ready = false;

	work->arena = arena;
	status = open_locked(work, conninfo, sets, err);
	db = work->db;
	if (status == PA_OK)
		status = is_ready(db, arena, &ready, err);
	if (status == PA_OK && !ready)
		status = run(db, arena, SQL_MIGRATION_MAKE_SCHEMA, err);
	if (status == PA_OK && !ready)
		status = run(db, arena, SQL_MIGRATION_MAKE_RECORD, err);
	return status;
}

static pa_status record(struct work *work, struct entry *entry, pa_error *err)
{
	struct db_params *params = db_params_new(work->arena, SQL_MIGRATION_RECORD);
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	pa_status status;

	db_bind_int32(params, entry->public.number);
	db_bind_text(params, str_from(entry->public.name));
	db_bind_bytes(params, (pa_str){(const char *)entry->digest, DIGEST_BYTES});
	status = db_run(work->db, params, &result, err);
	if (status == PA_OK)
		entry->public.applied_at_ns = db_time_ns(result, 0, 0);
	return status;
}

static pa_status apply_in_transaction(struct work *work, struct entry *entry, pa_error *err)
{
	pa_status status = db_simple(work->db, entry->text.ptr, err);

	if (status == PA_OK && !db_in_transaction(work->db))
		return error_set(err, PA_REJECTED, "it ends the transaction it is applied in");
	if (status == PA_OK)
		status = record(work, entry, err);
	return status == PA_OK ? db_simple(work->db, "COMMIT", err) : status;
}

static pa_status apply_once(struct work *work, struct entry *entry, pa_error *err)
{
	pa_status status = db_simple(work->db, "BEGIN", err);

	if (status == PA_OK)
		status = apply_in_transaction(work, entry, err);
	if (status != PA_OK && db_is_alive(work->db) && db_in_transaction(work->db))
		IGNORE_STATUS(db_simple(work->db, "ROLLBACK", NULL), "the first error counts");
	if (status == PA_OK)
		entry->public.state = MIGRATION_NEW;
	return status;
}

static pa_status refuse_broken(const struct work *work, pa_error *err)
{
	for (int i = 0; i <= NUMBER_MAX; i++) {
		const struct migration *migration =
			work->entries[i] ? &work->entries[i]->public : NULL;

		if (migration && migration->state == MIGRATION_CHANGED)
			return error_set(err, PA_REJECTED,
					 "%s.sql was changed after it had been applied",
					 migration->name);
		if (migration && migration->state == MIGRATION_SKIPPED)
			return error_set(err, PA_REJECTED,
					 "%s.sql comes before one that is applied already",
					 migration->name);
	}
	return PA_OK;
}

static pa_status apply_all(struct work *work, pa_error *err)
{
	pa_status status = refuse_broken(work, err);

	for (int i = 0; status == PA_OK && i <= NUMBER_MAX; i++) {
		struct entry *entry = work->entries[i];

		if (!entry || entry->public.state != MIGRATION_PENDING)
			continue;
		status = retry(work, apply_once, entry, err);
		if (status != PA_OK)
			error_prefix(err, "%s.sql: ", entry->public.name);
	}
	return status;
}

/* ---- the two calls ---- */

static struct work *begin_work(struct arena *arena, const char *directory, pa_error *err)
{
	struct work *work = ARENA_NEW(arena, struct work);

	work->arena = arena;
	work->directory = directory;
	return read_files(work, err) == PA_OK ? work : NULL;
}

pa_status migrate_apply(struct arena *arena, const char *conninfo, const char *directory,
			struct migration_list *ret, pa_error *err)
{
	static const char *const sets[] = {"migration_setup", "migration", NULL};
	struct work *work = begin_work(arena, directory, err);
	struct db *db PA_CLEANUP(db_done) = NULL;
	pa_status status;

	if (!work)
		return PA_REJECTED;
	status = make_record(conninfo, arena, err);
	if (status != PA_OK)
		return status;
	status = open_locked(work, conninfo, sets, err);
	db = work->db;
	if (status == PA_OK)
		status = read_records(work, err);
	if (status == PA_OK)
		status = apply_all(work, err);
	if (status == PA_OK)
		*ret = collect(work);
	return status;
}

pa_status migrate_status(struct arena *arena, const char *conninfo, const char *directory,
			 struct migration_list *ret, pa_error *err)
{
	static const char *const setup[] = {"migration_setup", NULL};
	static const char *const sets[] = {"migration", NULL};
	struct work *work = begin_work(arena, directory, err);
	struct db *first PA_CLEANUP(db_done) = NULL;
	struct db *db PA_CLEANUP(db_done) = NULL;
	pa_status status;
	bool ready = false;

	if (!work)
		return PA_REJECTED;
	status = db_open(conninfo, APPLICATION, setup, &first, err);
	if (status == PA_OK)
		status = is_ready(first, arena, &ready, err);
	if (status == PA_OK && ready)
		status = db_open(conninfo, APPLICATION, sets, &db, err);
	work->db = db;
	if (status == PA_OK && ready)
		status = read_records(work, err);
	if (status == PA_OK)
		*ret = collect(work);
	return status;
}
