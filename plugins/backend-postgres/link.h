/* SPDX-License-Identifier: Apache-2.0
 *
 * link.h: one connection to the core's PostgreSQL, where every step respects the call's deadline,
 * even when the server does not answer at all.
 *
 *	if (pg_link_open(target, when, &link, err) != PA_OK) ...
 *	status = pg_link_query(link, when, statement, params, &reading, err);
 *	if (status != PA_OK) pg_link_close(link);   // what it is in the middle of is not known
 *
 * Read-only three times over: by the session's default, by the transaction, and by the role, which
 * may not be a superuser. A link serves one thread at a time. After a failed query it is of no use
 * but to be closed. The server ends a statement that is too slow by statement_timeout; a server
 * that hangs is left alone: the socket is closed and nothing waits for it.
 *
 * Bad at: names that the resolver is slow to find (libpq asks it without a deadline: give
 * hostaddr), and pools of connections in transaction mode between us and the server, for the
 * statements are prepared.
 */
#ifndef BACKEND_POSTGRES_LINK_H
#define BACKEND_POSTGRES_LINK_H

#include "record.h"

#define LINK_STATEMENTS 16
#define LINK_PARAMS 4

/* Where to connect. Strings belong to whoever made it. */
struct link_target {
	const char *connection; /* a libpq connection string without password */
	const char *password;   /* or NULL */
};

/* Whose time is running. */
struct when {
	const pa_host *host;
	pa_call *call;
};

/* A configured statement. */
struct statement {
	const char *name; /* the operation's */
	unsigned slot;    /* below LINK_STATEMENTS, its own among all statements of a link */
	const char *sql;
	int params;       /* how many values the operation has for it */
	bool is_snapshot; /* run under REPEATABLE READ */
};

struct link;

/* PA_RETRY: the server can't be reached or refuses us. PA_DEADLINE. PA_REJECTED: a superuser. */
pa_status pg_link_open(const struct link_target *target, const struct when *when, struct link **ret,
		       pa_error *err) MUST_USE;

/* Closes at once, whatever is under way; NULL is fine. */
void pg_link_close(struct link *link);

/* False if the server has closed the connection meanwhile. Never waits. */
bool pg_link_is_alive(const struct link *link);

/* Runs the statement (prepared at its first use) in a read-only transaction of its own, in one
 * round trip, and hands the rows to reading. params holds LINK_PARAMS texts; the statement uses as
 * many of them as it names. */
pa_status pg_link_query(struct link *link, const struct when *when,
			const struct statement *statement, const char *const *params,
			struct reading *reading, pa_error *err) MUST_USE;

#endif
