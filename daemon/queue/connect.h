/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/connect.h: how the queue's threads open the store. Their plans are made once, while tables
 * may be empty, and must hold when they are not.
 */
#ifndef QUEUE_CONNECT_H
#define QUEUE_CONNECT_H

#include "io/db.h"

/* db_open() of a schema that this daemon runs on (else PA_REJECTED, see io/schema.h), with settings
 * under which a plan looks things up by index. */
pa_status queue_connect(const char *database, const char *application_name, const char *const *sets,
			struct db **ret, pa_error *err) PA_MUST_USE;

#endif
