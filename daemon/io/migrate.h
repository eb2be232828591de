/* SPDX-License-Identifier: Apache-2.0
 *
 * io/migrate.h: brings the schema of a database up to date with the files of a directory, and says
 * how the two compare. For proaltoctl and tests; the daemon itself never migrates.
 *
 *	struct migration_list list = {0};
 *	status = migrate_apply(arena, conninfo, "/usr/share/proalto/sql/migrations", &list, &err);
 *	for (size_t i = 0; i < list.count; i++)
 *		printf("%04d %s %s\n", ..., migration_state_name(list.items[i].state));
 *
 * Files are named NNNN_name.sql (lower case letters, digits, _), numbered from 0001; gaps are fine,
 * a number below one that was applied is not. Each is applied in a transaction of its own, in which
 * it is also recorded in proalto.schema_migration with its SHA-256: so a file may not begin or end
 * transactions, and one that was applied may never change. An advisory lock keeps two at a time
 * apart. No statement waits for a lock longer than two seconds, so that a running daemon is not
 * held up; the transaction is tried again, for about a minute.
 *
 * The conninfo is that of the role that owns the schema (proalto_owner), which must be allowed to
 * create it the first time. crypto_init() must have been called. Everything returned lies in the
 * arena: give it room for all the files (some MiB).
 *
 * Bad at: migrations that can't run in a transaction (CREATE INDEX CONCURRENTLY), going back.
 */
#ifndef IO_MIGRATE_H
#define IO_MIGRATE_H

#include "base/arena.h"

enum migration_state {
	MIGRATION_PENDING, /* there is a file, and it was not applied */
	MIGRATION_APPLIED, /* before this call */
	MIGRATION_NEW,     /* applied by this call */
	MIGRATION_CHANGED, /* applied, but the file is another now */
	MIGRATION_UNKNOWN, /* applied, and there is no such file: by a newer release */
	MIGRATION_SKIPPED, /* not applied, though one with a higher number was */
};

struct migration {
	int number;
	enum migration_state state;
	const char *name;      /* "0001_store" */
	int64_t applied_at_ns; /* 0: not applied */
};

/* By number. */
struct migration_list {
	struct migration *items;
	size_t count;
};

/* Applies what is pending. On success ret tells the state of each. PA_REJECTED: a file is misnamed,
 * unreadable, changed, skipped or fails (nothing of it stays; those before it do); the text names
 * it. PA_RETRY: the server is away or a lock could not be had. */
pa_status migrate_apply(struct arena *arena, const char *conninfo, const char *directory,
			struct migration_list *ret, pa_error *err) PA_MUST_USE;

/* Compares without changing anything. A changed or skipped file is reported, not refused. */
pa_status migrate_status(struct arena *arena, const char *conninfo, const char *directory,
			 struct migration_list *ret, pa_error *err) PA_MUST_USE;

/* "pending", "applied", "new", "changed", "unknown" or "skipped". Static. */
const char *migration_state_name(enum migration_state state);

#endif
