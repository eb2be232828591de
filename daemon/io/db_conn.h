/* SPDX-License-Identifier: Apache-2.0
 *
 * io/db_conn.h: the inside of a connection, for db.c, db_open.c and db_error.c; everybody else uses
 * io/db.h. The only place where libpq's header appears.
 */
#ifndef IO_DB_CONN_H
#define IO_DB_CONN_H

#include "io/db.h"

#include <libpq-fe.h>

#define STATE_BYTES 5 /* of an SQLSTATE */

/* A statement as the server described it when it was prepared. */
struct prepared {
	uint32_t *types; /* of its parameters; NULL: not prepared on this connection */
};

struct db {
	PGconn *conn;
	struct prepared prepared[SQL_COUNT + 1];
	char state[STATE_BYTES + 1]; /* SQLSTATE of the last failure */
	bool is_unusable;            /* its protocol state is lost: close it */
	bool is_pipeline;
	bool had_transaction; /* when the pipeline began */
	size_t unsynced;      /* sent since the last sync */
	enum sql *sent;       /* the pipeline's statements; SQL_COUNT stands for a sync */
	size_t sent_room;
	size_t sent_count;
	size_t received;      /* of those sent */
	pa_status failed;     /* first failure of the pipeline */
	pa_error first_error; /* and its text */
};

/* ---- db_error.c ---- */

/* What to do after a failure with this SQLSTATE. */
pa_status db_classify_state(const char *state);

/* Notes that the connection is of no more use. PA_RETRY. */
pa_status db_connection_lost(struct db *db, pa_error *err);

/* A statement failed: notes its SQLSTATE and says what is known without data. */
pa_status db_statement_failed(struct db *db, const char *name, const PGresult *result,
			      pa_error *err);

/* libpq's own words about the connection, in one line and without the password. */
pa_status db_connection_error(const struct db *db, pa_status status, pa_error *err);

/* ---- db.c ---- */

/* The next result, waiting for it; NULL as PQgetResult() does. */
PGresult *db_next_result(struct db *db);

/* Takes a result over: hands it out or frees it, and turns its status into ours. */
pa_status db_take_result(struct db *db, const char *name, PGresult *result, struct db_result **ret,
			 pa_error *err);

/* Takes all results of a statement or of several: the first failure counts, the last result is
 * handed out. */
pa_status db_finish_query(struct db *db, const char *name, struct db_result **ret, pa_error *err);

#endif
