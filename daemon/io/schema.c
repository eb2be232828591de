/* SPDX-License-Identifier: Apache-2.0 */
#include "io/schema.h"

#include "base/err.h"
#include "schema_range.h" /* SCHEMA_OLDEST, SCHEMA_NEWEST */

#include <string.h>

#define ARENA_CAP ((size_t)64 << 10)
#define UNDEFINED_TABLE "42P01"

int schema_oldest(void)
{
	return SCHEMA_OLDEST;
}

int schema_newest(void)
{
	return SCHEMA_NEWEST;
}

pa_status schema_read(struct db *db, struct schema *ret, pa_error *err)
{
	static const char *const sets[] = {"schema", NULL};
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ARENA_CAP);
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	pa_status status = db_prepare(db, sets, err);

	if (status != PA_OK && strcmp(db_error_state(db), UNDEFINED_TABLE) == 0) {
		*ret = (struct schema){0, 0};
		return PA_OK;
	}
	if (status == PA_OK)
		status = db_run(db, db_params_new(arena, SQL_SCHEMA_RANGE), &result, err);
	if (status == PA_OK)
		*ret = (struct schema){db_int64(result, 0, 0), db_int64(result, 0, 1)};
	return status;
}

pa_status schema_judge(const struct schema *schema, pa_error *err)
{
	if (schema->number == 0)
		return error_set(err, PA_REJECTED,
				 "the database has no schema, or one older than %04d, which this "
				 "version needs: proaltoctl db migrate",
				 SCHEMA_OLDEST);
	if (schema->number < SCHEMA_OLDEST)
		return error_set(err, PA_REJECTED,
				 "the database has schema %04d and this version needs %04d: "
				 "proaltoctl db migrate",
				 (int)schema->number, SCHEMA_OLDEST);
	if (schema->since > SCHEMA_NEWEST)
		return error_set(
			err, PA_REJECTED,
			"the database has schema %04d, which serves versions from schema "
			"%04d on, and this one knows %04d: install the newer version again",
			(int)schema->number, (int)schema->since, SCHEMA_NEWEST);
	return PA_OK;
}

pa_status schema_check(struct db *db, pa_error *err)
{
	struct schema schema;
	pa_status status = schema_read(db, &schema, err);

	return status == PA_OK ? schema_judge(&schema, err) : status;
}
