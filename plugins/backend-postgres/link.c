/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct link {
	PGconn *pg;
	bool is_prepared[LINK_STATEMENTS];
	int params_used[LINK_STATEMENTS];
};

/* The session's own settings: no writing, dates as YYYY-MM-DD of Colombia, no chatter. */
#define SESSION_SQL                                                                                \
	"SELECT set_config('default_transaction_read_only', 'on', false),"                         \
	" set_config('DateStyle', 'ISO', false), set_config('TimeZone', 'America/Bogota', false)," \
	" set_config('client_min_messages', 'error', false),"                                      \
	" set_config('statement_timeout', $1, false)"
#define TIMEOUT_SQL "SELECT set_config('statement_timeout', $1, true)"
#define BEGIN_SQL "BEGIN READ ONLY"
#define BEGIN_SNAPSHOT_SQL "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

/* ---- errors ---- */

struct verdict {
	const char *state; /* an SQLSTATE, or the class it begins with */
	pa_status status;
	const char *why;
};

/* PostgreSQL's appendix A. What is not listed is an answer that makes no sense. */
static const struct verdict verdicts[] = {
	{"0A000", PA_RETRY, "the core's tables changed under a prepared statement"},
	{"57014", PA_DEADLINE, "the core took too long"},
	{"08", PA_RETRY, "the connection failed"},
	{"40", PA_RETRY, "the core rolled back for its own reasons"},
	{"53", PA_RETRY, "the core is short of resources"},
	{"55P03", PA_RETRY, "the core holds a lock"},
	{"57", PA_RETRY, "the core is stopping or starting"},
	{"58", PA_RETRY, "the core has trouble with its own files"},
};

static pa_status fail_away(const struct link *link, pa_error *err)
{
	/* libpq's own sentence; it knows hosts and roles, not passwords or parameters. */
	const char *text = PQerrorMessage(link->pg);
	return pg_fail(err, PA_RETRY, "the core is away: %.*s", (int)strcspn(text, "\n"), text);
}

/* An error the server stated. Its message may quote values, so only the SQLSTATE is passed on,
 * unless is_preparing: then it can only speak of the configured statement. */
static pa_status fail_result(const struct link *link, const PGresult *result, bool is_preparing,
			     pa_error *err)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	if (state == NULL)
		return fail_away(link, err);
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		if (strncmp(state, verdicts[i].state, strlen(verdicts[i].state)) == 0)
			return pg_fail(err, verdicts[i].status, "%s (SQLSTATE %s)", verdicts[i].why,
				       state);
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	if (is_preparing && text != NULL)
		return pg_fail(err, PA_REJECTED, "%.300s (SQLSTATE %s)", text, state);
	return pg_fail(err, PA_REJECTED, "the core refused the statement (SQLSTATE %s)", state);
}

/* ---- waiting ---- */

static pa_status link_wait(const struct link *link, const struct when *when, short events,
			   pa_error *err)
{
	for (;;) {
		int64_t left_ms = when->host->remaining_ms(when->call);
		if (left_ms <= 0)
			return pg_fail(err, PA_DEADLINE, "the core did not answer in time");
		struct pollfd ready = {.fd = PQsocket(link->pg), .events = events};
		int count = poll(&ready, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
		if (count > 0)
			return PA_OK;
		if (count < 0 && errno != EINTR)
			return pg_fail(err, PA_RETRY, "poll failed: errno %d", errno);
	}
}

/* Sends what libpq still holds, reading meanwhile so that neither side blocks the other. */
static pa_status link_flush(struct link *link, const struct when *when, pa_error *err)
{
	int left = 0;
	while ((left = PQflush(link->pg)) > 0) {
		pa_status status = link_wait(link, when, POLLIN | POLLOUT, err);
		if (status != PA_OK)
			return status;
		if (!PQconsumeInput(link->pg))
			return fail_away(link, err);
	}
	return left == 0 ? PA_OK : fail_away(link, err);
}

/* The next result, or NULL where PQgetResult() has none. To be freed by the caller. */
static pa_status link_next(struct link *link, const struct when *when, PGresult **ret,
			   pa_error *err)
{
	pa_status status = link_flush(link, when, err);
	while (status == PA_OK && PQisBusy(link->pg)) {
		status = link_wait(link, when, POLLIN, err);
		if (status == PA_OK && !PQconsumeInput(link->pg))
			status = fail_away(link, err);
	}
	if (status == PA_OK)
		*ret = PQgetResult(link->pg);
	return status;
}

/* All results of one statement: rows go to reading (NULL: not wanted). */
static pa_status link_collect(struct link *link, const struct when *when, bool is_preparing,
			      struct reading *reading, pa_error *err)
{
	for (;;) {
		PGresult *result = NULL;
		pa_status status = link_next(link, when, &result, err);
		if (status != PA_OK)
			return status;
		if (result == NULL)
			return PA_OK;
		ExecStatusType kind = PQresultStatus(result);
		bool has_rows = kind == PGRES_TUPLES_OK || kind == PGRES_SINGLE_TUPLE;
		if (!has_rows && kind != PGRES_COMMAND_OK)
			status = fail_result(link, result, is_preparing, err);
		else if (reading != NULL && !has_rows)
			status = pg_fail(err, PA_REJECTED, "the statement gives no rows");
		else if (reading != NULL)
			status = pg_reading_take(reading, result, err);
		PQclear(result);
		if (status != PA_OK)
			return status;
	}
}

/* ---- opening ---- */

/* Notices may quote data, and libpq's default writes them to stderr. */
static void swallow_notice(void *arg, const PGresult *notice)
{
	(void)arg;
	(void)notice;
}

static PGconn *connect_start(const struct link_target *target)
{
	/* What stands before "dbname" are defaults, which the connection string overrides; what
	 * stands behind it overrides the string. The time-outs find out about a peer that vanished
	 * while the connection was idle. */
	static const char *const keys[] = {"fallback_application_name",
					   "gssencmode",
					   "keepalives_idle",
					   "keepalives_interval",
					   "keepalives_count",
					   "tcp_user_timeout",
					   "dbname",
					   "client_encoding",
					   "password",
					   NULL};
	const char *const values[] = {
		"proaltod", "disable",        "30", "5", "3", "10000", target->connection,
		"UTF8",     target->password, NULL};
	return PQconnectStartParams(keys, values, 1);
}

static pa_status connect_finish(const struct link *link, const struct when *when, pa_error *err)
{
	if (link->pg == NULL || PQstatus(link->pg) == CONNECTION_BAD)
		return link->pg ? fail_away(link, err) : pg_fail(err, PA_RETRY, "out of memory");
	PostgresPollingStatusType step = PGRES_POLLING_WRITING;
	while (step != PGRES_POLLING_OK) {
		short events = step == PGRES_POLLING_READING ? POLLIN : POLLOUT;
		pa_status status = link_wait(link, when, events, err);
		if (status != PA_OK)
			return status;
		step = PQconnectPoll(link->pg);
		if (step == PGRES_POLLING_FAILED)
			return fail_away(link, err);
	}
	return PA_OK;
}

static const char *timeout_text(const struct when *when, char *text, size_t room)
{
	int64_t left_ms = when->host->remaining_ms(when->call);
	int64_t bounded = left_ms < 1 ? 1 : left_ms > INT_MAX ? INT_MAX : left_ms;
	(void)snprintf(text, room, "%d", (int)bounded);
	return text;
}

static pa_status session_begin(struct link *link, const struct when *when, pa_error *err)
{
	const char *is_superuser = PQparameterStatus(link->pg, "is_superuser");
	if (is_superuser != NULL && strcmp(is_superuser, "on") == 0)
		return pg_fail(err, PA_REJECTED,
			       "the role is a superuser: give the assistant one that only reads");
	if (PQsetnonblocking(link->pg, 1) != 0)
		return fail_away(link, err);
	char text[16];
	const char *params[] = {timeout_text(when, text, sizeof(text))};
	if (!PQsendQueryParams(link->pg, SESSION_SQL, 1, NULL, params, NULL, NULL, 0))
		return fail_away(link, err);
	return link_collect(link, when, false, NULL, err);
}

pa_status pg_link_open(const struct link_target *target, const struct when *when, struct link **ret,
		       pa_error *err)
{
	struct link *link = calloc(1, sizeof(*link));
	if (link == NULL)
		abort();
	link->pg = connect_start(target);
	if (link->pg != NULL)
		(void)PQsetNoticeReceiver(link->pg, swallow_notice, NULL);
	pa_status status = connect_finish(link, when, err);
	if (status == PA_OK)
		status = session_begin(link, when, err);
	if (status != PA_OK) {
		pg_link_close(link);
		return status;
	}
	*ret = link;
	return PA_OK;
}

void pg_link_close(struct link *link)
{
	if (link == NULL)
		return;
	PQfinish(link->pg);
	free(link);
}

bool pg_link_is_alive(const struct link *link)
{
	/* Nothing is owed to us while idle: what comes is the server's farewell. */
	struct pollfd ready = {.fd = PQsocket(link->pg), .events = POLLIN};
	return PQstatus(link->pg) == CONNECTION_OK && poll(&ready, 1, 0) == 0;
}

/* ---- statements ---- */

static pa_status link_prepare(struct link *link, const struct when *when,
			      const struct statement *statement, pa_error *err)
{
	if (link->is_prepared[statement->slot])
		return PA_OK;
	if (!PQsendPrepare(link->pg, statement->name, statement->sql, 0, NULL))
		return fail_away(link, err);
	pa_status status = link_collect(link, when, true, NULL, err);
	if (status != PA_OK)
		return status;
	if (!PQsendDescribePrepared(link->pg, statement->name))
		return fail_away(link, err);
	PGresult *description = NULL;
	status = link_next(link, when, &description, err);
	if (status != PA_OK)
		return status;
	int used = PQnparams(description);
	if (PQresultStatus(description) != PGRES_COMMAND_OK)
		status = fail_result(link, description, true, err);
	else if (used > statement->params)
		status =
			pg_fail(err, PA_REJECTED, "the statement uses $%d, there are %d parameters",
				used, statement->params);
	PQclear(description);
	if (status == PA_OK)
		status = link_collect(link, when, true, NULL, err);
	link->params_used[statement->slot] = used;
	link->is_prepared[statement->slot] = status == PA_OK;
	return status;
}

/* Begin, time-out, statement, commit: sent together, answered in one round trip. */
static bool send_transaction(struct link *link, const struct when *when,
			     const struct statement *statement, const char *const *params)
{
	char text[16];
	const char *timeout[] = {timeout_text(when, text, sizeof(text))};
	const char *begin = statement->is_snapshot ? BEGIN_SNAPSHOT_SQL : BEGIN_SQL;
	return PQenterPipelineMode(link->pg) &&
	       PQsendQueryParams(link->pg, begin, 0, NULL, NULL, NULL, NULL, 0) &&
	       PQsendQueryParams(link->pg, TIMEOUT_SQL, 1, NULL, timeout, NULL, NULL, 0) &&
	       PQsendQueryPrepared(link->pg, statement->name, link->params_used[statement->slot],
				   params, NULL, NULL, 0) &&
	       PQsendQueryParams(link->pg, "COMMIT", 0, NULL, NULL, NULL, NULL, 0) &&
	       PQpipelineSync(link->pg);
}

static pa_status end_pipeline(struct link *link, const struct when *when, pa_error *err)
{
	PGresult *sync = NULL;
	pa_status status = link_next(link, when, &sync, err);
	if (status != PA_OK)
		return status;
	bool is_sync = PQresultStatus(sync) == PGRES_PIPELINE_SYNC;
	PQclear(sync);
	return is_sync && PQexitPipelineMode(link->pg) ? PA_OK : fail_away(link, err);
}

pa_status pg_link_query(struct link *link, const struct when *when,
			const struct statement *statement, const char *const *params,
			struct reading *reading, pa_error *err)
{
	pa_status status = link_prepare(link, when, statement, err);
	if (status != PA_OK)
		return status;
	if (!send_transaction(link, when, statement, params))
		return fail_away(link, err);
	for (int step = 0; step < 4 && status == PA_OK; step++) {
		bool is_statement = step == 2;
		/* Row by row: a statement without a sensible WHERE must not fill the memory. */
		if (is_statement && !PQsetSingleRowMode(link->pg))
			return pg_fail(err, PA_BUG, "libpq refused the single-row mode");
		status = link_collect(link, when, false, is_statement ? reading : NULL, err);
	}
	return status == PA_OK ? end_pipeline(link, when, err) : status;
}
