/* SPDX-License-Identifier: Apache-2.0
 *
 * io/db_admin.h: what only proaltoctl asks of libpq: the words of a connection string, and a
 * password as the server keeps it.
 */
#ifndef IO_DB_ADMIN_H
#define IO_DB_ADMIN_H

#include "io/db.h"

/* What a connection string says of a keyword ("host", "dbname" ...), absent if nothing; in the
 * arena. PA_REJECTED: libpq can't read the string. */
pa_status db_conninfo_get(struct arena *arena, const char *conninfo, const char *keyword,
			  pa_str *ret, pa_error *err) PA_MUST_USE;

/* A value as it stands behind "keyword=" in such a string. */
pa_str db_conninfo_quote(struct arena *arena, pa_str value);

/* The verifier (SCRAM) of a role's password, so that the password itself reaches neither the server
 * nor its log. In the arena. */
pa_status db_password_verifier(struct db *db, const char *role, const char *password,
			       struct arena *arena, pa_str *ret, pa_error *err) PA_MUST_USE;

#endif
