/* SPDX-License-Identifier: Apache-2.0
 *
 * io/db.h: PostgreSQL. The only user of libpq. Statements stand in sql/queries/NAME.sql and are
 * known by the enum that the build makes of their heads (SQL_INBOX_INSERT ...): no SQL text inside
 * C. Each connection prepares the statements of the sets it asks for.
 *
 * A connection belongs to one thread. On each: synchronous_commit=on, jit=off,
 * plan_cache_mode=force_generic_plan, enable_seqscan as libpq gives it except on the writer's,
 * search_path=proalto, idle_in_transaction_session_timeout, application_name.
 *
 * Parameters and results are binary. Arrays are one-dimensional and without NULLs, except of bytea
 * and text, where an absent slice is NULL. A value bound as another type than the statement's
 * parameter has is PA_BUG (only text for varchar, char and json, and 16 bytes for uuid fit too);
 * an absent text or bytes is NULL for a parameter of any type. INT64_MAX and INT64_MIN are the
 * times infinity and -infinity.
 *
 *	struct db_params *p = db_params_new(arena, SQL_CASE_INSERT);
 *	db_bind_int64(p, id); db_bind_time(p, now); db_bind_bytes(p, sealed);
 *	status = db_run(db, p, &result, &err);
 *
 * Pipelines: db_pipeline_begin; db_send for each statement; db_pipeline_sync; then db_receive once
 * a db_send, in order; db_pipeline_end. What stands before a sync is one transaction (unless one is
 * open already). After a failure the rest of the pipeline's receives return PA_RETRY with
 * "skipped" until the sync. Results may come before the commit: only PA_OK from db_pipeline_end
 * says that it is done; it repeats the pipeline's first failure otherwise. If the connection is
 * gone then (db_is_alive), the commit is in doubt; if not, all is rolled back, the failed one's
 * BEGIN too.
 */
#ifndef IO_DB_H
#define IO_DB_H

#include "base/arena.h"
#include "sql_statements.h" /* enum sql: one SQL_... a statement, and struct sql_statement */

struct db;
struct db_params;
struct db_result;

/* Opens a connection and prepares the statements whose file is in sets (names of sql/queries files
 * without ".sql", NULL-terminated). conninfo is libpq's; a password in it never reaches an error's
 * text. PA_RETRY: the server is away, or takes no writes (a standby; of several hosts the one that
 * does is taken). PA_REJECTED: it refuses (role, password, version before 15,
 * a statement that can't be prepared, unlogged tables in the schema). */
pa_status db_open(const char *conninfo, const char *application_name, const char *const *sets,
		  struct db **ret, pa_error *err) PA_MUST_USE;
void db_close(struct db *db);
void db_done(struct db **db); /* for PA_CLEANUP */

/* What a connection string says, as libpq's programs take it from their environment ("PGHOST=..."):
 * theirs is read by nobody else, their arguments by everybody. They, too, look for the server that
 * takes writes; of a name that comes twice the first counts. In the arena, NULL-terminated. */
pa_status db_environment(struct arena *arena, const char *conninfo, const char *const **ret,
			 pa_error *err) PA_MUST_USE;

/* Prepares more sets, outside of a pipeline. After a failure the connection can only be closed. */
pa_status db_prepare(struct db *db, const char *const *sets, pa_error *err) PA_MUST_USE;

/* A server that a connection string names. */
struct db_peer {
	const char *host;
	long port;
};

/* Those reached over the network, at most room, in the arena; ones reached by a local socket are
 * left out. False: the string can't be understood. Pure. */
bool db_peers(const char *conninfo, struct arena *arena, struct db_peer *ret, size_t room,
	      size_t *ret_count);

/* How what goes over the wire is kept from others. */
struct db_tls {
	bool is_local;    /* a unix socket: there is no wire */
	bool is_on;       /* TLS */
	bool is_verified; /* ... with sslmode=verify-full: it is the server that we mean */
	int64_t certificate_end_ns; /* of the server's; 0: not known */
};
struct db_tls db_tls(const struct db *db);

/* False after a connection was lost; then close it and open another. */
bool db_is_alive(const struct db *db);

/* The same after a look at what the server has said meanwhile (two system calls): for a connection
 * that nothing was asked on for a while. */
bool db_look(struct db *db);

/* Sets run-time parameters of the session ("enable_seqscan", "off"). */
pa_status db_set(struct db *db, const char *name, const char *value, pa_error *err) PA_MUST_USE;

struct db_params *db_params_new(struct arena *arena, enum sql statement);
void db_bind_int64(struct db_params *params, int64_t value);
void db_bind_int32(struct db_params *params, int32_t value);
void db_bind_bool(struct db_params *params, bool value);
void db_bind_time(struct db_params *params, int64_t at_ns); /* timestamptz */
void db_bind_text(struct db_params *params, pa_str value);  /* absent: NULL */
void db_bind_bytes(struct db_params *params, pa_str value); /* absent: NULL */
void db_bind_int64_array(struct db_params *params, const int64_t *values, size_t count);
void db_bind_int16_array(struct db_params *params, const int16_t *values, size_t count);
void db_bind_bool_array(struct db_params *params, const bool *values, size_t count);
void db_bind_time_array(struct db_params *params, const int64_t *at_ns, size_t count);
void db_bind_bytes_array(struct db_params *params, const pa_str *values, size_t count);
void db_bind_text_array(struct db_params *params, const pa_str *values, size_t count);

/* One statement, one round trip. ret may be NULL. PA_RETRY: connection lost, serialization failure,
 * deadlock, lock time-out, server shutting down. PA_REJECTED: the statement failed;
 * db_error_state() tells the SQLSTATE. */
pa_status db_run(struct db *db, struct db_params *params, struct db_result **ret, pa_error *err)
	PA_MUST_USE;

/* Plain statements without parameters: BEGIN, COMMIT, and the migrations' files. Results are
 * dropped. */
pa_status db_simple(struct db *db, const char *text, pa_error *err) PA_MUST_USE;

/* Whether a transaction is open, failed or not. */
bool db_in_transaction(const struct db *db);

pa_status db_pipeline_begin(struct db *db, pa_error *err) PA_MUST_USE;
pa_status db_send(struct db *db, struct db_params *params, pa_error *err) PA_MUST_USE;
pa_status db_pipeline_sync(struct db *db, pa_error *err) PA_MUST_USE;
pa_status db_receive(struct db *db, struct db_result **ret, pa_error *err) PA_MUST_USE;
pa_status db_pipeline_end(struct db *db, pa_error *err) PA_MUST_USE;

/* SQLSTATE of the last failed statement, "" if none ("23505" ...). */
const char *db_error_state(const struct db *db);

/* Results: rows and columns count from 0. Values point into the result. */
size_t db_rows(const struct db_result *result);
bool db_is_null(const struct db_result *result, size_t row, size_t column);
int64_t db_int64(const struct db_result *result, size_t row, size_t column); /* also int4, int2 */
bool db_bool(const struct db_result *result, size_t row, size_t column);
int64_t db_time_ns(const struct db_result *result, size_t row, size_t column); /* 0: NULL */
pa_str db_str(const struct db_result *result, size_t row,
	      size_t column); /* text or bytea; absent: NULL */
void db_result_free(struct db_result *result);
void db_result_done(struct db_result **result); /* for PA_CLEANUP */

/* Waits for a NOTIFY on the channels listened to (LISTEN is a statement like others), at most
 * timeout_ms; then PA_DEADLINE. Channel and payload lie in the arena. */
pa_status db_wait_notify(struct db *db, int timeout_ms, struct arena *arena, pa_str *ret_channel,
			 pa_str *ret_payload, pa_error *err) PA_MUST_USE;

#endif
