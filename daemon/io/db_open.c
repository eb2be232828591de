/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/db_conn.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define OLDEST_SERVER 150000
#define DIAGNOSIS_MS 3000
#define DEFAULT_PORT "5432"

static void drop_notice(void *arg, const PGresult *result)
{
	/* libpq would print it to standard error, data and all. */
	(void)arg;
	(void)result;
}

struct connect_words {
	const char *keys[11];
	const char *values[11];
};

/* The conninfo's own words win over those before it and lose against those behind it. A dead peer
 * is noticed within some 15 seconds. Of several hosts the one that takes writes is meant: a standby
 * is refused, until it is promoted. */
static struct connect_words connect_words(const char *conninfo, const char *application_name)
{
	return (struct connect_words){
		{"connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count",
		 "tcp_user_timeout", "dbname", "application_name", "client_encoding",
		 "target_session_attrs", NULL},
		{"5", "5", "3", "3", "15000", conninfo, application_name, "UTF8", "read-write",
		 NULL},
	};
}

/* The SQLSTATE with which the server refuses a connection; "" if it doesn't answer. libpq tells it
 * only in the text, and only if asked before the answer comes: so it takes a second attempt. */
static void diagnose_refusal(const struct connect_words *words, char state[STATE_BYTES + 1])
{
	PGconn *conn = PQconnectStartParams(words->keys, words->values, 1);
	int64_t deadline = clock_monotonic_ns() + DIAGNOSIS_MS * NS_PER_MS;
	PostgresPollingStatusType step = PGRES_POLLING_WRITING;
	pa_str text, token = PA_STR_ABSENT;

	state[0] = '\0';
	PQsetErrorVerbosity(conn, PQERRORS_SQLSTATE);
	while (conn && PQstatus(conn) != CONNECTION_BAD && step != PGRES_POLLING_OK &&
	       clock_monotonic_ns() < deadline) {
		struct pollfd poller = {.fd = PQsocket(conn),
					.events = step == PGRES_POLLING_READING ? POLLIN : POLLOUT};

		poll(&poller, 1, 100);
		if (poller.revents)
			step = PQconnectPoll(conn);
	}
	text = str_trim(str_from(PQerrorMessage(conn)));
	while (!str_is_absent(text))
		token = str_split(&text, ' ');
	if (token.len == STATE_BYTES)
		memcpy(state, token.ptr, STATE_BYTES);
	state[token.len == STATE_BYTES ? STATE_BYTES : 0] = '\0';
	PQfinish(conn);
}

static pa_status connection_failed(struct db *db, const struct connect_words *words, pa_error *err)
{
	pa_status status = PA_RETRY;

	if (PQconnectionNeedsPassword(db->conn)) {
		memcpy(db->state, "28P01", STATE_BYTES + 1);
		return error_set(err, PA_REJECTED, "PostgreSQL wants a password and none is given");
	}
	diagnose_refusal(words, db->state);
	if (db->state[0])
		status = db_classify_state(db->state);
	return db_connection_error(db, status, err);
}

/* libpq's complaint about a conninfo may quote any part of it, the password too. */
static bool conninfo_is_readable(const char *conninfo)
{
	char *complaint = NULL;
	PQconninfoOption *options = PQconninfoParse(conninfo, &complaint);
	bool readable = options != NULL;

	PQfreemem(complaint);
	PQconninfoFree(options);
	return readable;
}

/* The value of a word of a conninfo; absent if it is not there. */
static pa_str word_of(const PQconninfoOption *options, const char *word)
{
	for (; options->keyword; options++)
		if (strcmp(options->keyword, word) == 0 && options->val && *options->val)
			return str_from(options->val);
	return PA_STR_ABSENT;
}

bool db_peers(const char *conninfo, struct arena *arena, struct db_peer *ret, size_t room,
	      size_t *ret_count)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	pa_str hosts, ports, port;

	*ret_count = 0;
	if (!options)
		return false;
	hosts = word_of(options, "hostaddr");
	hosts = hosts.ptr ? hosts : word_of(options, "host");
	ports = word_of(options, "port");
	port = str_is_absent(ports) ? PA_STR(DEFAULT_PORT) : ports;
	while (!str_is_absent(hosts) && *ret_count < room) {
		pa_str host = str_split(&hosts, ',');
		int64_t number = 0;

		if (!str_is_absent(ports)) /* one for all, or one each */
			port = str_split(&ports, ',');
		if (!host.len || str_starts(host, PA_STR("/")))
			continue;
		if (!str_to_int64(port, &number))
			number = strtol(DEFAULT_PORT, NULL, 10);
		ret[(*ret_count)++] = (struct db_peer){arena_copy(arena, host).ptr, (long)number};
	}
	PQconninfoFree(options);
	return true;
}

static pa_status connect(struct db *db, const char *conninfo, const char *application_name,
			 pa_error *err)
{
	struct connect_words words = connect_words(conninfo, application_name);

	if (!conninfo_is_readable(conninfo))
		return error_set(err, PA_REJECTED, "the connection string can't be understood");
	db->conn = PQconnectdbParams(words.keys, words.values, 1);
	if (!db->conn)
		abort(); /* out of memory */
	if (PQstatus(db->conn) != CONNECTION_OK)
		return connection_failed(db, &words, err);
	if (PQserverVersion(db->conn) < OLDEST_SERVER)
		return error_set(err, PA_REJECTED, "PostgreSQL is of version %d, 15 is needed",
				 PQserverVersion(db->conn) / 10000);
	PQsetNoticeReceiver(db->conn, drop_notice, NULL);
	PQsetnonblocking(db->conn, 1);
	return PA_OK;
}

/* Runs a statement of session.sql, which is not prepared. */
static pa_status run_session(struct db *db, enum sql statement, const char *const *values,
			     struct db_result **ret, pa_error *err)
{
	const struct sql_statement *sql = &sql_statements[statement];

	if (!db_is_alive(db) ||
	    !PQsendQueryParams(db->conn, sql->text, sql->params, NULL, values, NULL, NULL, 1))
		return db_connection_lost(db, err);
	return db_finish_query(db, sql->name, ret, err);
}

static pa_status set_up_session(struct db *db, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	pa_status status = run_session(db, SQL_SESSION_SETTINGS, NULL, NULL, err);

	if (status == PA_OK)
		status = run_session(db, SQL_SESSION_CHECK, NULL, &result, err);
	if (status != PA_OK)
		return status;
	if (!db_bool(result, 0, 0))
		return error_set(err, PA_REJECTED, "synchronous_commit can't be set");
	if (!db_is_null(result, 0, 1)) {
		pa_str table = db_str(result, 0, 1);

		return error_set(err, PA_REJECTED, "table proalto.%.*s is unlogged", PA_FMT(table));
	}
	return PA_OK;
}

static bool is_in_sets(enum sql statement, const char *const *sets)
{
	for (; sets && *sets; sets++)
		if (strcmp(sql_statements[statement].set, *sets) == 0)
			return true;
	return false;
}

static pa_status send_prepares(struct db *db, const char *const *sets, pa_error *err)
{
	for (enum sql i = 0; i < SQL_COUNT; i++) {
		const struct sql_statement *sql = &sql_statements[i];

		if (!is_in_sets(i, sets))
			continue;
		if (!PQsendPrepare(db->conn, sql->name, sql->text, 0, NULL) ||
		    !PQsendDescribePrepared(db->conn, sql->name))
			return db_connection_lost(db, err);
	}
	return db_pipeline_sync(db, err);
}

/* One of the two answers to a statement's preparation: NULL stands behind each. */
static pa_status receive_prepare(struct db *db, const char *name, struct db_result **ret,
				 pa_error *err)
{
	PGresult *result = db_next_result(db);
	pa_status status =
		result ? db_take_result(db, name, result, ret, err) : db_connection_lost(db, err);

	PQclear(db_is_alive(db) ? db_next_result(db) : NULL);
	return status;
}

static pa_status keep_description(struct db *db, enum sql statement,
				  const struct db_result *description, pa_error *err)
{
	const PGresult *raw = (const PGresult *)(const void *)description;
	int count = PQnparams(raw);
	uint32_t *types;

	if (count != sql_statements[statement].params)
		return error_set(err, PA_REJECTED, "%s: has %d parameters, its text reads as %d",
				 sql_statements[statement].name, count,
				 sql_statements[statement].params);
	types = calloc((size_t)count + 1, sizeof(*types));
	if (!types)
		abort();
	for (int i = 0; i < count; i++)
		types[i] = PQparamtype(raw, i);
	db->prepared[statement].types = types;
	return PA_OK;
}

static pa_status receive_prepares(struct db *db, const char *const *sets, pa_error *err)
{
	for (enum sql i = 0; i < SQL_COUNT; i++) {
		struct db_result *description PA_CLEANUP(db_result_done) = NULL;
		const char *name = sql_statements[i].name;
		pa_status status;

		if (!is_in_sets(i, sets))
			continue;
		status = receive_prepare(db, name, NULL, err);
		if (status == PA_OK)
			status = receive_prepare(db, name, &description, err);
		if (status == PA_OK)
			status = keep_description(db, i, description, err);
		if (status != PA_OK)
			return status; /* the connection is closed without more ado */
	}
	return PA_OK;
}

pa_status db_prepare(struct db *db, const char *const *sets, pa_error *err)
{
	pa_status status = db_pipeline_begin(db, err);

	if (status == PA_OK)
		status = send_prepares(db, sets, err);
	if (status == PA_OK)
		status = receive_prepares(db, sets, err);
	return status == PA_OK ? db_pipeline_end(db, err) : status;
}

pa_status db_open(const char *conninfo, const char *application_name, const char *const *sets,
		  struct db **ret, pa_error *err)
{
	struct db *db = calloc(1, sizeof(*db));
	pa_status status;

	if (!db)
		abort();
	status = connect(db, conninfo, application_name, err);
	if (status == PA_OK)
		status = set_up_session(db, err);
	if (status == PA_OK)
		status = db_prepare(db, sets, err);
	if (status == PA_OK)
		*ret = db;
	else
		db_close(db);
	return status;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	PQfinish(db->conn);
	for (size_t i = 0; i < SQL_COUNT; i++)
		free(db->prepared[i].types);
	free(db->sent);
	free(db);
}

void db_done(struct db **db)
{
	db_close(*db);
}

pa_status db_set(struct db *db, const char *name, const char *value, pa_error *err)
{
	const char *const values[] = {name, value};

	if (db->is_pipeline)
		return error_set(err, PA_BUG, "db_set within a pipeline");
	return run_session(db, SQL_SESSION_SET, values, NULL, err);
}

pa_status db_environment(struct arena *arena, const char *conninfo, const char *const **ret,
			 pa_error *err)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	const char **list;
	size_t count = 0;

	if (!options)
		return error_set(err, PA_REJECTED, "the connection string can't be understood");
	while (options[count].keyword)
		count++;
	list = ARENA_ARRAY(arena, const char *, count + 2);
	list[0] = "PGTARGETSESSIONATTRS=read-write"; /* as connect_words() */
	count = 1;
	for (const PQconninfoOption *option = options; option->keyword; option++)
		if (option->val && option->envvar)
			list[count++] =
				arena_format(arena, "%s=%s", option->envvar, option->val).ptr;
	list[count] = NULL;
	PQconninfoFree(options);
	*ret = list;
	return PA_OK;
}
