/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/connect.h"

#include "io/schema.h"

pa_status queue_connect(const char *database, const char *application_name, const char *const *sets,
			struct db **ret, pa_error *err)
{
	static const char *const settings[][2] = {{"enable_seqscan", "off"},
						  {"enable_mergejoin", "off"},
						  {"enable_bitmapscan", "off"}};
	struct db *db = NULL;
	pa_status status = db_open(database, application_name, NULL, &db, err);

	if (status == PA_OK)
		status = schema_check(db, err);
	if (status == PA_OK)
		status = db_prepare(db, sets, err);
	for (size_t i = 0; i < ARRAY_COUNT(settings) && status == PA_OK; i++)
		status = db_set(db, settings[i][0], settings[i][1], err);
	if (status == PA_OK)
		*ret = db;
	else
		db_close(db);
	return status;
}
