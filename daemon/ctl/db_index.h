/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/db_index.h: proaltoctl db index: makes the indexes that large months lack, while the daemon
 * serves. It can be stopped and run again; when there is nothing to do it does nothing.
 */
#ifndef CTL_DB_INDEX_H
#define CTL_DB_INDEX_H

#include "ctl/ctl.h"

/* conninfo NULL: the configuration's database, as its owner. Returns an exit status. */
int db_index(struct ctl *ctl, const char *conninfo);

#endif
