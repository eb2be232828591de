/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/db_check.h: proaltoctl db check: may this database be migrated now? Looks, and changes
 * nothing.
 */
#ifndef CTL_DB_CHECK_H
#define CTL_DB_CHECK_H

#include "ctl/ctl.h"

/* conninfo as db migrate's. CTL_OK: yes. CTL_FAILED: no, and the findings say why. */
int db_check(struct ctl *ctl, const char *conninfo, const char *directory, bool is_json);

#endif
