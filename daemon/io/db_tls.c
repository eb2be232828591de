/* SPDX-License-Identifier: Apache-2.0 */
#include "io/certificate.h"
#include "io/db_conn.h"

#include <string.h>

static bool mode_is(PGconn *conn, const char *mode)
{
	PQconninfoOption *options = PQconninfo(conn);
	bool is_it = false;

	for (const PQconninfoOption *at = options; at && at->keyword; at++)
		if (strcmp(at->keyword, "sslmode") == 0)
			is_it = at->val && strcmp(at->val, mode) == 0;
	PQconninfoFree(options);
	return is_it;
}

struct db_tls db_tls(const struct db *db)
{
	const char *host = PQhost(db->conn);
	struct db_tls tls = {.is_local = !host || host[0] == '/' || host[0] == '\0',
			     .is_on = PQsslInUse(db->conn),
			     .is_verified = mode_is(db->conn, "verify-full")};

	if (tls.is_on &&
	    !certificate_session_end(PQsslStruct(db->conn, "OpenSSL"), &tls.certificate_end_ns))
		tls.certificate_end_ns = 0;
	return tls;
}
