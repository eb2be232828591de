/* SPDX-License-Identifier: Apache-2.0 */
#include "io/db.h"

#include "base/err.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/db_conn.h"
#include "io/db_params.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- waiting ---- */

/* Waits for the socket, for ever: a peer that is dead is noticed by the connection. */
static void wait_socket(const struct db *db, bool wants_write)
{
	short events = wants_write ? POLLIN | POLLOUT : POLLIN;
	struct pollfd poller = {.fd = PQsocket(db->conn), .events = events};

	while (poll(&poller, 1, -1) < 0 && errno == EINTR)
		;
}

/* Moves bytes both ways until PQgetResult can answer without waiting. It must read while it still
 * writes: PQgetResult alone would wait for room to write while the server waits for the same. When
 * the connection breaks it returns, and PQgetResult says so. */
static void pump(struct db *db)
{
	while (PQsocket(db->conn) >= 0) {
		int unsent = PQflush(db->conn);

		if (unsent < 0 || !PQisBusy(db->conn))
			return;
		wait_socket(db, unsent > 0);
		if (!PQconsumeInput(db->conn))
			return;
	}
}

PGresult *db_next_result(struct db *db)
{
	pump(db);
	return PQgetResult(db->conn);
}

/* ---- results ---- */

/* A db_result is libpq's own, behind a name that needs no libpq header. */
static struct db_result *wrap(PGresult *result)
{
	return (struct db_result *)(void *)result;
}

static const PGresult *unwrap(const struct db_result *result)
{
	return (const PGresult *)(const void *)result;
}

pa_status db_take_result(struct db *db, const char *name, PGresult *result, struct db_result **ret,
			 pa_error *err)
{
	pa_status status = PA_OK;

	switch ((int)PQresultStatus(result)) {
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
	case PGRES_EMPTY_QUERY:
		break;
	case PGRES_PIPELINE_ABORTED:
		status = error_set(err, PA_RETRY, "%s: skipped", name);
		break;
	case PGRES_COPY_IN:
	case PGRES_COPY_OUT:
	case PGRES_COPY_BOTH:
		db->is_unusable = true;
		status = error_set(err, PA_REJECTED, "%s: COPY is not supported", name);
		break;
	default:
		status = db_statement_failed(db, name, result, err);
		break;
	}
	if (status == PA_OK && ret)
		*ret = wrap(result);
	else
		PQclear(result);
	return status;
}

size_t db_rows(const struct db_result *result)
{
	return (size_t)PQntuples(unwrap(result));
}

/* The bytes of a value; absent for NULL. Asking for what is not there is a bug of ours. */
static pa_str value_at(const struct db_result *result, size_t row, size_t column)
{
	const PGresult *raw = unwrap(result);
	int at = (int)row, field = (int)column;

	assert(row < (size_t)PQntuples(raw) && column < (size_t)PQnfields(raw));
	if (PQgetisnull(raw, at, field))
		return PA_STR_ABSENT;
	return (pa_str){PQgetvalue(raw, at, field), (size_t)PQgetlength(raw, at, field)};
}

bool db_is_null(const struct db_result *result, size_t row, size_t column)
{
	return str_is_absent(value_at(result, row, column));
}

int64_t db_int64(const struct db_result *result, size_t row, size_t column)
{
	pa_str value = value_at(result, row, column);
	uint64_t whole = 0;

	if (!value.ptr)
		return 0;
	assert(value.len == 8 || value.len == 4 || value.len == 2);
	if (value.ptr[0] & 0x80)
		whole = UINT64_MAX;
	for (size_t i = 0; i < value.len; i++)
		whole = whole << 8 | (uint8_t)value.ptr[i];
	return (int64_t)whole;
}

bool db_bool(const struct db_result *result, size_t row, size_t column)
{
	pa_str value = value_at(result, row, column);

	assert(!value.ptr || value.len == 1);
	return value.ptr && value.ptr[0];
}

int64_t db_time_ns(const struct db_result *result, size_t row, size_t column)
{
	return db_is_null(result, row, column) ? 0
					       : db_time_from_wire(db_int64(result, row, column));
}

pa_str db_str(const struct db_result *result, size_t row, size_t column)
{
	return value_at(result, row, column);
}

void db_result_free(struct db_result *result)
{
	PQclear((PGresult *)(void *)result);
}

void db_result_done(struct db_result **result)
{
	db_result_free(*result);
	*result = NULL;
}

/* ---- one statement ---- */

static const char *statement_name(enum sql statement)
{
	return sql_statements[statement].name;
}

/* A value of another type would be misread or refused by the server, far from who bound it. */
static pa_status check_params(const struct db *db, const struct db_params *params, pa_error *err)
{
	const char *name = statement_name(params->statement);
	const uint32_t *types = db->prepared[params->statement].types;

	if (!types)
		return error_set(err, PA_BUG, "%s: not prepared on this connection", name);
	if (params->count != params->room)
		return error_set(err, PA_BUG, "%s: %d of %d parameters are bound", name,
				 params->count, params->room);
	for (int i = 0; i < params->count; i++)
		if (!db_params_type_fits(params, i, types[i]))
			return error_set(err, PA_BUG, "%s: $%d is of type %u and bound as %u", name,
					 i + 1, types[i], params->types[i]);
	return PA_OK;
}

static pa_status send_prepared(struct db *db, struct db_params *params, pa_error *err)
{
	pa_status status = check_params(db, params, err);

	if (status != PA_OK)
		return status;
	if (!db_is_alive(db) ||
	    !PQsendQueryPrepared(db->conn, statement_name(params->statement), params->count,
				 params->values, params->lengths, params->formats, 1))
		return db_connection_lost(db, err);
	return PA_OK;
}

pa_status db_finish_query(struct db *db, const char *name, struct db_result **ret, pa_error *err)
{
	struct db_result *last = NULL;
	pa_status status = PA_OK;
	PGresult *result;
	bool has_result = false;

	while (!db->is_unusable && (result = db_next_result(db)) != NULL) {
		bool first_failure = status == PA_OK;
		pa_status now;

		db_result_done(&last);
		now = db_take_result(db, name, result, &last, first_failure ? err : NULL);
		status = first_failure ? now : status;
		has_result = true;
	}
	if (!has_result && status == PA_OK)
		return db_connection_lost(db, err);
	if (status == PA_OK && ret)
		*ret = last;
	else
		db_result_free(last);
	return status;
}

pa_status db_run(struct db *db, struct db_params *params, struct db_result **ret, pa_error *err)
{
	pa_status status = PA_BUG;

	if (db->is_pipeline)
		return error_set(err, PA_BUG, "db_run within a pipeline");
	status = send_prepared(db, params, err);
	if (status != PA_OK)
		return status;
	return db_finish_query(db, statement_name(params->statement), ret, err);
}

/* COMMIT of a transaction that has failed rolls it back and says so only in its tag. */
static bool is_commit(const char *text)
{
	return strncasecmp(text, "COMMIT", 6) == 0 || strncasecmp(text, "END", 3) == 0;
}

pa_status db_simple(struct db *db, const char *text, pa_error *err)
{
	bool had_failed = PQtransactionStatus(db->conn) == PQTRANS_INERROR;
	pa_status status;

	if (db->is_pipeline)
		return error_set(err, PA_BUG, "db_simple within a pipeline");
	if (!db_is_alive(db) || !PQsendQuery(db->conn, text))
		return db_connection_lost(db, err);
	status = db_finish_query(db, "statement", NULL, err);
	if (status == PA_OK && had_failed && is_commit(text))
		return error_set(err, PA_REJECTED, "the transaction had failed and is rolled back");
	return status;
}

bool db_in_transaction(const struct db *db)
{
	PGTransactionStatusType status = PQtransactionStatus(db->conn);

	return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

/* ---- pipelines ---- */

pa_status db_pipeline_begin(struct db *db, pa_error *err)
{
	if (db->is_pipeline)
		return error_set(err, PA_BUG, "a pipeline is open already");
	if (!db_is_alive(db) || !PQenterPipelineMode(db->conn))
		return db_connection_lost(db, err);
	db->is_pipeline = true;
	db->had_transaction = db_in_transaction(db);
	db->unsynced = 0;
	db->sent_count = 0;
	db->received = 0;
	db->failed = PA_OK;
	return PA_OK;
}

/* Grows to the longest pipeline and stays. */
static void note_sent(struct db *db, enum sql statement)
{
	if (db->sent_count == db->sent_room) {
		db->sent_room = db->sent_room ? db->sent_room * 2 : 64;
		db->sent = reallocarray(db->sent, db->sent_room, sizeof(*db->sent));
		if (!db->sent)
			abort();
	}
	db->sent[db->sent_count++] = statement;
}

pa_status db_send(struct db *db, struct db_params *params, pa_error *err)
{
	pa_status status;

	if (!db->is_pipeline)
		return error_set(err, PA_BUG, "db_send outside a pipeline");
	status = send_prepared(db, params, err);
	if (status != PA_OK)
		return status;
	note_sent(db, params->statement);
	db->unsynced++;
	return PA_OK;
}

pa_status db_pipeline_sync(struct db *db, pa_error *err)
{
	if (!db->is_pipeline)
		return error_set(err, PA_BUG, "db_pipeline_sync outside a pipeline");
	if (!db_is_alive(db) || !PQpipelineSync(db->conn))
		return db_connection_lost(db, err);
	note_sent(db, SQL_COUNT);
	db->unsynced = 0;
	return PA_OK;
}

static void note_failure(struct db *db, pa_status status, const pa_error *error)
{
	if (status == PA_OK || db->failed != PA_OK)
		return;
	db->failed = status;
	db->first_error = *error;
}

/* Waits for the answer to a sync. A result before it is the failure of the commit (a deferred
 * constraint); NULLs end what came before. */
static void receive_sync(struct db *db)
{
	int nulls = 0;

	while (db_is_alive(db)) {
		PGresult *result = db_next_result(db);
		pa_error error = ERROR_INIT;
		ExecStatusType kind = result ? PQresultStatus(result) : PGRES_EMPTY_QUERY;

		if (!result && ++nulls > 2)
			note_failure(db, db_connection_lost(db, &error), &error);
		else if (result && kind != PGRES_PIPELINE_SYNC)
			note_failure(db, db_statement_failed(db, "commit", result, &error), &error);
		PQclear(result);
		if (kind == PGRES_PIPELINE_SYNC)
			return;
	}
}

/* Goes on to the next statement; false if there is none. */
static bool skip_syncs(struct db *db)
{
	while (db->received < db->sent_count && db->sent[db->received] == SQL_COUNT) {
		db->received++;
		receive_sync(db);
	}
	return db->received < db->sent_count;
}

pa_status db_receive(struct db *db, struct db_result **ret, pa_error *err)
{
	pa_error error = ERROR_INIT;
	pa_status status;
	PGresult *result;
	const char *name;

	if (!db->is_pipeline || db->unsynced || !skip_syncs(db))
		return error_set(err, PA_BUG, "db_receive without a statement sent and synced");
	name = statement_name(db->sent[db->received++]);
	result = db_is_alive(db) ? db_next_result(db) : NULL;
	if (result) {
		status = db_take_result(db, name, result, ret, &error);
		PQclear(db_is_alive(db) ? db_next_result(db) : NULL); /* the NULL behind each */
	} else {
		status = db_connection_lost(db, &error);
	}
	note_failure(db, status, &error);
	if (err && status != PA_OK)
		*err = error;
	return status;
}

/* Takes what nobody received, up to the last sync: only that one tells that the commit is done. */
static void drain_pipeline(struct db *db)
{
	while (skip_syncs(db))
		IGNORE_STATUS(db_receive(db, NULL, NULL), "the first failure is noted");
}

pa_status db_pipeline_end(struct db *db, pa_error *err)
{
	if (!db->is_pipeline)
		return error_set(err, PA_BUG, "no pipeline is open");
	if (db->unsynced && db_is_alive(db)) {
		/* A sync now would commit half of it; a closed connection commits nothing. */
		db->is_unusable = true;
		db->is_pipeline = false;
		return error_set(err, PA_BUG, "a pipeline ends without a sync");
	}
	if (!db->unsynced)
		drain_pipeline(db);
	db->is_pipeline = false;
	if (!db_is_alive(db) || !PQexitPipelineMode(db->conn))
		return db_connection_lost(db, err);
	if (db->failed != PA_OK && !db->had_transaction && db_in_transaction(db) &&
	    db_simple(db, "ROLLBACK", err) != PA_OK)
		return PA_RETRY;
	if (db->failed != PA_OK && err)
		*err = db->first_error;
	return db->failed;
}

/* ---- the connection ---- */

bool db_is_alive(const struct db *db)
{
	return !db->is_unusable && PQstatus(db->conn) == CONNECTION_OK;
}

bool db_look(struct db *db)
{
	/* A server that ends says so and then closes: the first read may get no further than that.
	 */
	for (int i = 0; i < 2 && db_is_alive(db); i++)
		if (!PQconsumeInput(db->conn))
			db->is_unusable = true;
	return db_is_alive(db);
}

const char *db_error_state(const struct db *db)
{
	return db->state;
}

/* True if the server said something in time. */
static bool hears(const struct db *db, int64_t timeout_ms)
{
	struct pollfd poller = {.fd = PQsocket(db->conn), .events = POLLIN};

	return poll(&poller, 1, timeout_ms > 0 ? (int)timeout_ms : 0) > 0;
}

pa_status db_wait_notify(struct db *db, int timeout_ms, struct arena *arena, pa_str *ret_channel,
			 pa_str *ret_payload, pa_error *err)
{
	int64_t deadline = clock_monotonic_ns() + timeout_ms * NS_PER_MS;
	PGnotify *notify;

	while ((notify = PQnotifies(db->conn)) == NULL) {
		int64_t left_ms = (deadline - clock_monotonic_ns() + NS_PER_MS - 1) / NS_PER_MS;

		if (!db_is_alive(db))
			return db_connection_lost(db, err);
		if (!hears(db, left_ms) && left_ms <= 0)
			return error_set(err, PA_DEADLINE, "no notification in time");
		if (!PQconsumeInput(db->conn))
			return db_connection_lost(db, err);
	}
	*ret_channel = arena_copy(arena, str_from(notify->relname));
	*ret_payload = arena_copy(arena, str_from(notify->extra));
	PQfreemem(notify);
	return PA_OK;
}
