/* SPDX-License-Identifier: Apache-2.0
 *
 * io/schema.h: whether this daemon and the database's schema belong together.
 *
 * A schema is named by the number of its last migration. A daemon runs on every schema from the
 * oldest that has what its statements need (SCHEMA_OLDEST in sql/schema.mk) to the newest that it
 * knows (the last file of sql/migrations when it was built), and on newer ones as long as these say
 * that they still serve it: schema_serves.since is the migration that a daemon must know. So a
 * database is migrated before the daemon is upgraded, and the daemon before it goes on meanwhile,
 * or comes back.
 *
 *	status = schema_check(db, &err);
 *
 * Bad at: a connection that is open while the schema is changed under it.
 */
#ifndef IO_SCHEMA_H
#define IO_SCHEMA_H

#include "io/db.h"

/* What this daemon runs on. */
int schema_oldest(void);
int schema_newest(void);

/* The database's side. Both 0: there is no schema, or one from before schemas told what they serve.
 */
struct schema {
	int64_t number;
	int64_t since; /* the newest migration that a daemon must know */
};

/* Asks a connection that has no statements prepared yet. After a failure it is of no more use. */
pa_status schema_read(struct db *db, struct schema *ret, pa_error *err) PA_MUST_USE;

/* PA_REJECTED: this daemon does not run on that schema; the text says how to mend it. */
pa_status schema_judge(const struct schema *schema, pa_error *err) PA_MUST_USE;

/* Both. */
pa_status schema_check(struct db *db, pa_error *err) PA_MUST_USE;

#endif
