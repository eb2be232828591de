/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/peer.h: the store as an administrator reaches it. Over the local socket Debian's PostgreSQL
 * takes a role from the unix user of its name only (peer authentication): root becomes that user
 * for the connection, and runs PostgreSQL's programs as it.
 */
#ifndef CTL_PEER_H
#define CTL_PEER_H

#include "ctl/ctl.h"
#include "io/child.h"
#include "io/db.h"

/* Where the owner's rights are: the configuration's database as postgres in the owner's role for
 * root over the local socket, else as the owner. NULL after saying why. */
const char *peer_owner_conninfo(struct ctl *ctl, const struct config *config);

/* db_open as whoever may. */
pa_status peer_open(struct ctl *ctl, const char *conninfo, const char *const *sets, struct db **ret,
		    pa_error *err) PA_MUST_USE;

/* Becomes whoever may, until the end: for what opens the database by itself. */
pa_status peer_become(struct ctl *ctl, const char *conninfo, pa_error *err) PA_MUST_USE;

/* Starts a program of PostgreSQL's on that database: argv without the words that name it. */
pa_status peer_start(struct ctl *ctl, const char *conninfo, const char *const *argv, bool is_input,
		     struct child *ret, pa_error *err) PA_MUST_USE;

#endif
