/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/once.h"

#include "base/err.h"
#include "base/str.h"
#include "ctl/peer.h"
#include "io/crypto.h"
#include "io/db_admin.h"

#include <string.h>

#define PASSWORD_BYTES 24
#define ROLE "proalto_restore"

/* *ret stays NULL where nobody is a superuser. */
static pa_status open_as_superuser(struct ctl *ctl, const char *conninfo, struct db **ret,
				   struct db_result **ret_about, pa_error *err)
{
	static const char *const sets[] = {"restore", NULL};
	struct db *db PA_CLEANUP(db_done) = NULL;
	pa_status status = peer_open(ctl, conninfo, sets, &db, err);

	if (status == PA_OK)
		status = db_run(db, db_params_new(ctl->arena, SQL_RESTORE_WHO), ret_about, err);
	if (status != PA_OK || !db_bool(*ret_about, 0, 0))
		return status;
	status = db_simple(db, "SET ROLE NONE", err);
	if (status != PA_OK)
		return status;
	*ret = db;
	db = NULL;
	return PA_OK;
}

static pa_status make_role(struct ctl *ctl, struct db *db, const char *password, pa_error *err)
{
	struct db_params *params = db_params_new(ctl->arena, SQL_RESTORE_ROLE_MAKE);
	struct db_result *written PA_CLEANUP(db_result_done) = NULL;
	pa_str verifier;
	pa_status status = db_run(db, db_params_new(ctl->arena, SQL_RESTORE_ROLE_DROP), NULL, err);

	if (status == PA_OK)
		status = db_password_verifier(db, ROLE, password, ctl->arena, &verifier, err);
	if (status != PA_OK)
		return status;
	db_bind_text(params, verifier);
	status = db_run(db, params, &written, err);
	return status == PA_OK
		       ? db_simple(db, arena_copy(ctl->arena, db_str(written, 0, 0)).ptr, err)
		       : status;
}

/* Where the server listens for those who don't come over its socket: mostly "localhost". */
static pa_str loopback_of(pa_str addresses)
{
	pa_str first = str_trim(str_split(&addresses, ','));

	return str_equal(first, PA_STR("*")) || str_equal(first, PA_STR("0.0.0.0"))
		       ? PA_STR("localhost")
		       : first;
}

static pa_status way_in(struct ctl *ctl, const char *conninfo, const struct db_result *about,
			const char *password, const char **ret, pa_error *err)
{
	bool is_local = db_bool(about, 0, 1);
	pa_str host = loopback_of(db_str(about, 0, 3));
	pa_str database = db_conninfo_quote(ctl->arena, db_str(about, 0, 4));
	const char *to = conninfo;

	if ((is_local && !host.len) || (!is_local && strstr(conninfo, "://")))
		return error_set(err, PA_REJECTED, "%s",
				 is_local ? "listen_addresses = ''" : "a URI");
	if (is_local)
		to = arena_format(ctl->arena, "host=%.*s port=%.*s dbname=%.*s", PA_FMT(host),
				  PA_FMT(db_str(about, 0, 2)), PA_FMT(database))
			     .ptr;
	*ret = arena_format(ctl->arena, "%s user=" ROLE " password=%s options=-crole=proalto_owner",
			    to, password)
		       .ptr;
	return PA_OK;
}

pa_status once_login(struct ctl *ctl, const char *conninfo, const char **ret, pa_error *err)
{
	struct db *db PA_CLEANUP(db_done) = NULL;
	struct db_result *about PA_CLEANUP(db_result_done) = NULL;
	char random[PASSWORD_BYTES];
	const char *password;
	pa_status status = open_as_superuser(ctl, conninfo, &db, &about, err);

	*ret = conninfo;
	if (status != PA_OK || !db)
		return status;
	random_fill(random, sizeof(random));
	password = hex_encode(ctl->arena, (pa_str){random, sizeof(random)}).ptr;
	status = way_in(ctl, conninfo, about, password, ret, err);
	return status == PA_OK ? make_role(ctl, db, password, err) : status;
}

pa_status once_forget(struct ctl *ctl, const char *conninfo, pa_error *err)
{
	struct db *db PA_CLEANUP(db_done) = NULL;
	struct db_result *about PA_CLEANUP(db_result_done) = NULL;
	pa_status status = open_as_superuser(ctl, conninfo, &db, &about, err);

	return status == PA_OK && db
		       ? db_run(db, db_params_new(ctl->arena, SQL_RESTORE_ROLE_DROP), NULL, err)
		       : status;
}
