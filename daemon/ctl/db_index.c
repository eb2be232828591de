/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/db_index.h"

#include "base/err.h"
#include "base/str.h"
#include "ctl/peer.h"

#include <stdio.h>

#define MIB (1 << 20)

enum column { NAME, MONTH, BYTES, FIRST_STATEMENT, AFTER_LAST_STATEMENT = 6 };

/* Told before, since it may take long: large ones are read whole. */
static pa_status make_one(struct ctl *ctl, struct db *db, const struct db_result *missing,
			  size_t row, pa_error *err)
{
	pa_status status = PA_OK;

	printf("[%zu/%zu] %.*s (%.*s, %lld MiB)\n", row + 1, db_rows(missing),
	       PA_FMT(db_str(missing, row, NAME)), PA_FMT(db_str(missing, row, MONTH)),
	       (long long)(db_int64(missing, row, BYTES) / MIB));
	fflush(stdout);
	for (size_t i = FIRST_STATEMENT; i < AFTER_LAST_STATEMENT && status == PA_OK; i++)
		status = db_simple(db, arena_copy(ctl->arena, db_str(missing, row, i)).ptr, err);
	return status;
}

static pa_status make_all(struct ctl *ctl, const char *conninfo, pa_error *err)
{
	static const char *const sets[] = {"index", NULL};
	struct db *db PA_CLEANUP(db_done) = NULL;
	struct db_result *lock PA_CLEANUP(db_result_done) = NULL;
	struct db_result *missing PA_CLEANUP(db_result_done) = NULL;
	pa_status status = peer_open(ctl, conninfo, sets, &db, err);

	if (status == PA_OK)
		status = db_run(db, db_params_new(ctl->arena, SQL_INDEX_LOCK), &lock, err);
	if (status == PA_OK && !db_bool(lock, 0, 0))
		status = error_set(err, PA_REJECTED, "%s",
				   ctl_say("otro ya los está creando", "somebody else makes them"));
	if (status == PA_OK)
		status = db_run(db, db_params_new(ctl->arena, SQL_INDEX_MISSING), &missing, err);
	for (size_t i = 0; status == PA_OK && i < db_rows(missing); i++)
		status = make_one(ctl, db, missing, i, err);
	if (status == PA_OK)
		puts(ctl_say("no falta ningún índice", "no index is missing"));
	return status;
}

int db_index(struct ctl *ctl, const char *conninfo)
{
	struct config *config PA_CLEANUP(config_done) = NULL;
	pa_error err = ERROR_INIT;

	if (!conninfo) {
		if (ctl_config(ctl, &config) != CTL_OK)
			return CTL_FAILED;
		conninfo = peer_owner_conninfo(ctl, config);
		if (!conninfo)
			return CTL_FAILED;
	}
	if (make_all(ctl, conninfo, &err) != PA_OK)
		return ctl_fail(ctl, CTL_FAILED, "%s", error_text(&err));
	return CTL_OK;
}
