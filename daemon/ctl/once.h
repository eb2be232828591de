/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/once.h: a login of its own for SQL that somebody else wrote: what a dump holds runs in a
 * session that was never a superuser's, so that no SET ROLE leads back to one. The role
 * proalto_restore may become proalto_owner and nothing else; its password is random, and it takes
 * one for a minute only: whoever is killed in between leaves nobody a way in.
 *
 * Bad at: servers that take no password over TCP; that is said, and nothing runs.
 */
#ifndef CTL_ONCE_H
#define CTL_ONCE_H

#include "ctl/ctl.h"

/* *ret: how to connect in the owner's role from now on, within a minute. Made anew at each call;
 * the connection string as it is if its login is no superuser's. */
pa_status once_login(struct ctl *ctl, const char *conninfo, const char **ret, pa_error *err)
	PA_MUST_USE;

/* Takes the role away if there is one. */
pa_status once_forget(struct ctl *ctl, const char *conninfo, pa_error *err) PA_MUST_USE;

#endif
