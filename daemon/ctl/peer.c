/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/peer.h"

#include "base/err.h"
#include "base/str.h"

#include <pwd.h>
#include <string.h>
#include <sys/fsuid.h>
#include <unistd.h>

#define ARGUMENTS_MAX 32

static const char *value_of(const char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (; *environment; environment++)
		if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
			return *environment + len + 1;
	return NULL;
}

/* Whom root becomes; NULL: nobody else. */
static const struct passwd *peer_of(const char *const *environment)
{
	const char *host = value_of(environment, "PGHOST");
	const char *role = value_of(environment, "PGUSER");

	if (geteuid() != 0 || !role || (host && host[0] != '/') ||
	    value_of(environment, "PGHOSTADDR") || value_of(environment, "PGPASSWORD"))
		return NULL;
	return getpwnam(role);
}

/* libpq takes the last of two equal keywords. A URI can't be continued like that. */
const char *peer_owner_conninfo(struct ctl *ctl, const struct config *config)
{
	const char *own = arena_format(ctl->arena, "%s user=proalto_owner", config->database).ptr;
	const char *root = arena_format(ctl->arena, "%s user=postgres options=-crole=proalto_owner",
					config->database)
				   .ptr;
	const char *const *environment;
	pa_error err = ERROR_INIT;

	if (strstr(config->database, "://")) {
		ctl_fail(ctl, CTL_FAILED, "%s",
			 ctl_say("store.database es una URI: use --dsn con el rol proalto_owner",
				 "store.database is a URI: use --dsn with the role proalto_owner"));
		return NULL;
	}
	return db_environment(ctl->arena, root, &environment, &err) == PA_OK && peer_of(environment)
		       ? root
		       : own;
}

pa_status peer_become(struct ctl *ctl, const char *conninfo, pa_error *err)
{
	const char *const *environment;
	const struct passwd *peer;
	pa_status status = db_environment(ctl->arena, conninfo, &environment, err);

	if (status != PA_OK)
		return status;
	peer = peer_of(environment);
	if (!peer)
		return PA_OK;
	if (seteuid(peer->pw_uid) < 0)
		return error_set(err, PA_REJECTED, "seteuid");
	setfsuid(0); /* PostgreSQL sees him, files see root still */
	return PA_OK;
}

pa_status peer_open(struct ctl *ctl, const char *conninfo, const char *const *sets, struct db **ret,
		    pa_error *err)
{
	uid_t before = geteuid();
	pa_status status = peer_become(ctl, conninfo, err);

	if (status == PA_OK)
		status = db_open(conninfo, "proaltoctl", sets, ret, err);
	return seteuid(before) < 0 ? error_set(err, PA_BUG, "seteuid") : status;
}

pa_status peer_start(struct ctl *ctl, const char *conninfo, const char *const *argv, bool is_input,
		     struct child *ret, pa_error *err)
{
	const char **all = ARENA_ARRAY(ctl->arena, const char *, ARGUMENTS_MAX);
	const char *const *environment;
	const struct passwd *peer;
	size_t count = 0;
	pa_status status = db_environment(ctl->arena, conninfo, &environment, err);

	if (status != PA_OK)
		return status;
	peer = peer_of(environment);
	if (peer) {
		all[count++] = "runuser";
		all[count++] = "-u";
		all[count++] = arena_copy(ctl->arena, str_from(peer->pw_name)).ptr;
		all[count++] = "--";
	}
	while (*argv && count + 1 < ARGUMENTS_MAX)
		all[count++] = *argv++;
	all[count] = NULL;
	return child_start(all, environment, is_input, ret, err);
}
