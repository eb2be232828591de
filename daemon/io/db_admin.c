/* SPDX-License-Identifier: Apache-2.0 */
#include "io/db_admin.h"

#include "base/err.h"
#include "base/str.h"
#include "io/db_conn.h"

#include <string.h>

static void options_done(PQconninfoOption **options)
{
	PQconninfoFree(*options);
}

pa_status db_conninfo_get(struct arena *arena, const char *conninfo, const char *keyword,
			  pa_str *ret, pa_error *err)
{
	char *complaint = NULL;
	PQconninfoOption *options PA_CLEANUP(options_done) = PQconninfoParse(conninfo, &complaint);

	PQfreemem(complaint); /* it may quote a password */
	if (!options)
		return error_set(err, PA_REJECTED, "the connection string can't be understood");
	*ret = PA_STR_ABSENT;
	for (const PQconninfoOption *option = options; option->keyword; option++)
		if (strcmp(option->keyword, keyword) == 0)
			*ret = arena_copy(arena, str_from(option->val));
	return PA_OK;
}

pa_str db_conninfo_quote(struct arena *arena, pa_str value)
{
	char *out = arena_alloc(arena, value.len * 2 + 3), *to = out;

	*to++ = '\'';
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == '\'' || value.ptr[i] == '\\')
			*to++ = '\\';
		*to++ = value.ptr[i];
	}
	*to++ = '\'';
	return (pa_str){out, (size_t)(to - out)};
}

pa_status db_password_verifier(struct db *db, const char *role, const char *password,
			       struct arena *arena, pa_str *ret, pa_error *err)
{
	char *verifier = PQencryptPasswordConn(db->conn, password, role, "scram-sha-256");

	if (!verifier)
		return error_set(err, PA_REJECTED, "no password could be made");
	*ret = arena_copy(arena, str_from(verifier));
	PQfreemem(verifier);
	return PA_OK;
}
