/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/ctl.h"

#include "base/calendar.h"
#include "base/err.h"
#include "base/str.h"
#include "ctl/beside.h"
#include "ctl/db_check.h"
#include "ctl/db_index.h"
#include "ctl/peer.h"
#include "io/crypto.h"
#include "io/migrate.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct db_arguments {
	const char *conninfo;
	const char *directory;
	bool is_json;
};

static bool parse(int argc, char *const *argv, struct db_arguments *ret)
{
	for (int i = 0; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(argv[i], "--json") == 0) {
			ret->is_json = true;
			continue;
		}
		if (!value)
			return false;
		if (strcmp(argv[i], "--dsn") == 0)
			ret->conninfo = value;
		else if (strcmp(argv[i], "--directory") == 0)
			ret->directory = value;
		else
			return false;
		i++;
	}
	return true;
}

static int fill_in(struct ctl *ctl, struct db_arguments *arguments)
{
	static const char *const places[] = {"../share/proalto/sql/migrations",
					     "../sql/migrations"};
	struct config *config PA_CLEANUP(config_done) = NULL;

	if (!arguments->directory)
		arguments->directory = beside_find(ctl->arena, places, ARRAY_COUNT(places));
	if (!arguments->directory)
		return ctl_fail(ctl, CTL_FAILED, "%s",
				ctl_say("no se encuentran las migraciones: use --directory",
					"the migrations are not found: use --directory"));
	if (arguments->conninfo)
		return CTL_OK;
	if (ctl_config(ctl, &config) != CTL_OK)
		return CTL_FAILED;
	arguments->conninfo = peer_owner_conninfo(ctl, config);
	return arguments->conninfo ? CTL_OK : CTL_FAILED;
}

/* Returns how many of them are not as they should be. */
static int print_list(struct ctl *ctl, const struct migration_list *list)
{
	int wrong = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct migration *item = &list->items[i];
		pa_str at = item->applied_at_ns ? instant_iso(ctl->arena, item->applied_at_ns)
						: PA_STR("-");

		printf("%-24s %-8s %.*s\n", item->name, migration_state_name(item->state),
		       PA_FMT(at));
		wrong += item->state != MIGRATION_APPLIED && item->state != MIGRATION_NEW;
	}
	return wrong;
}

/* migrate and status */
static int run_migrations(struct ctl *ctl, const struct db_arguments *arguments, bool is_migrate)
{
	struct migration_list list = {0};
	pa_error err = ERROR_INIT;

	if ((is_migrate ? migrate_apply : migrate_status)(
		    ctl->arena, arguments->conninfo, arguments->directory, &list, &err) != PA_OK)
		return ctl_fail(ctl, CTL_FAILED, "%s", error_text(&err));
	return print_list(ctl, &list) ? CTL_FAILED : CTL_OK;
}

int ctl_db(struct ctl *ctl, int argc, char *const *argv)
{
	struct db_arguments arguments = {.conninfo = NULL};
	bool is_migrate = argc > 0 && strcmp(argv[0], "migrate") == 0;
	bool is_status = argc > 0 && strcmp(argv[0], "status") == 0;
	bool is_check = argc > 0 && strcmp(argv[0], "check") == 0;
	bool is_index = argc > 0 && strcmp(argv[0], "index") == 0;
	uid_t before = geteuid();
	pa_error err = ERROR_INIT;
	int status;

	if ((!is_migrate && !is_status && !is_check && !is_index) ||
	    !parse(argc - 1, argv + 1, &arguments) || (arguments.is_json && !is_check) ||
	    (arguments.directory && is_index))
		return ctl_usage(ctl);
	if (is_index)
		return db_index(ctl, arguments.conninfo);
	status = fill_in(ctl, &arguments);
	if (status != CTL_OK)
		return status;
	if (crypto_init() != PA_OK)
		return ctl_fail(ctl, CTL_FAILED, "libsodium");
	if (peer_become(ctl, arguments.conninfo, &err) != PA_OK)
		return ctl_fail(ctl, CTL_FAILED, "%s", error_text(&err));
	status = is_check
			 ? db_check(ctl, arguments.conninfo, arguments.directory, arguments.is_json)
			 : run_migrations(ctl, &arguments, is_migrate);
	return seteuid(before) < 0 ? ctl_fail(ctl, CTL_FAILED, "seteuid") : status;
}
