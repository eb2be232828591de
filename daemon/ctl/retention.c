/* SPDX-License-Identifier: Apache-2.0
 *
 * proaltoctl retention run: takes away what is past its time. Not by the daemon, which may not: by
 * a role that may do nothing else, from a timer.
 */
#include "ctl/request.h"

#include "base/calendar.h"
#include "base/err.h"
#include "base/str.h"
#include "io/crypto.h"
#include "io/db.h"
#include "io/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCAL_DATABASE "dbname=proalto user=proalto_retention"
#define CREDENTIAL "proalto.retention-database"
#define MOST_STEPS 20000 /* the next run goes on */
#define MAX_CONNINFO 4096

static void print_retention(const struct json *answer)
{
	static const struct ctl_column periods[] = {{"class", "clase", "class"},
						    {"months", "meses", "months"},
						    {"before", "sale lo anterior a", "goes before"},
						    {"basis", "fundamento", "basis"}};
	static const struct ctl_column due[] = {{"class", "clase", "class"},
						{"table", "tabla", "table"},
						{"before", "anterior a", "before"}};
	static const struct ctl_column taken[] = {{"at", "cuándo", "when"},
						  {"class", "clase", "class"},
						  {"table", "tabla", "table"},
						  {"before", "anterior a", "before"},
						  {"rows", "filas", "rows"}};

	ctl_print_table(json_get(answer, "periods"), periods, ARRAY_COUNT(periods));
	puts(ctl_say("\nSaldrá con la próxima corrida:", "\nGoes with the next run:"));
	ctl_print_table(json_get(answer, "due"), due, ARRAY_COUNT(due));
	puts(ctl_say("\nSalió:", "\nHas gone:"));
	ctl_print_table(json_get(answer, "taken"), taken, ARRAY_COUNT(taken));
}

/* The local database, unless a credential names another one. */
static int find_database(struct ctl *ctl, const char **ret)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	const char *path =
		directory ? arena_format(ctl->arena, "%s/" CREDENTIAL, directory).ptr : NULL;
	pa_error err = ERROR_INIT;
	pa_str text;

	*ret = LOCAL_DATABASE;
	if (!path || access(path, F_OK) != 0)
		return CTL_OK;
	if (file_read(ctl->arena, path, MAX_CONNINFO, &text, &err) != PA_OK ||
	    arena_cstr(ctl->arena, str_trim(text), ret) != PA_OK)
		return ctl_fail(ctl, CTL_FAILED, "%s: %s", CREDENTIAL, error_text(&err));
	return CTL_OK;
}

static pa_status step(struct ctl *ctl, struct db *db, bool *ret_more, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	pa_status status = db_run(db, db_params_new(ctl->arena, SQL_RETENTION_STEP), &rows, err);

	*ret_more = status == PA_OK && db_rows(rows) > 0;
	if (*ret_more)
		printf("%.*s: %.*s < %.*s: %lld\n", PA_FMT(db_str(rows, 0, 0)),
		       PA_FMT(db_str(rows, 0, 1)),
		       PA_FMT(instant_iso(ctl->arena, db_time_ns(rows, 0, 2))),
		       (long long)db_int64(rows, 0, 3));
	return status;
}

static int run(struct ctl *ctl, const char *database)
{
	static const char *const sets[] = {"retention", NULL};
	pa_error err = ERROR_INIT;
	struct db *db = NULL;
	bool more = true;
	pa_status status = db_open(database, "proaltoctl retention", sets, &db, &err);

	if (status == PA_OK)
		status =
			db_run(db, db_params_new(ctl->arena, SQL_RETENTION_PARTITIONS), NULL, &err);
	for (int i = 0; i < MOST_STEPS && more && status == PA_OK; i++)
		status = step(ctl, db, &more, &err);
	db_close(db);
	if (status != PA_OK)
		return ctl_fail(ctl, CTL_FAILED, "%s", error_text(&err));
	return fflush(stdout) == 0 ? CTL_OK : CTL_FAILED;
}

int ctl_retention(struct ctl *ctl, int argc, char *const *argv)
{
	static const struct ctl_argument show[] = {{"--limit", "limit", CTL_COUNT, false}};
	static const struct ctl_verb verbs[] = {
		{"show", "retention", show, ARRAY_COUNT(show), print_retention}};
	const char *database = argc == 3 ? argv[2] : NULL;
	int status = CTL_OK;

	if (argc < 1 || strcmp(argv[0], "run") != 0)
		return ctl_verbs(ctl, verbs, ARRAY_COUNT(verbs), argc, argv);
	if (argc != 1 && (argc != 3 || strcmp(argv[1], "--dsn") != 0))
		return ctl_usage(ctl);
	if (crypto_init() != PA_OK)
		return ctl_fail(ctl, CTL_FAILED, "libsodium");
	if (!database)
		status = find_database(ctl, &database);
	return status == CTL_OK ? run(ctl, database) : status;
}
