/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/keeper_parts.h"

#include "base/err.h"
#include "io/clock.h"
#include "io/log.h"

#define UPKEEP_TICKS 3600
#define SECRETS_TICKS 10
#define OVERVIEW_TICKS 3
#define EXPIRY_PAGES 128 /* looked at in each table at a time: some 15,000 rows */

/* Tables from which rows go after their time. Meta repeats for 7 days. */
static const struct expiry {
	enum sql statement;
	int64_t after_ns;
} expiries[] = {
	{SQL_DEDUP_EXPIRE, 9 * NS_PER_DAY},
	{SQL_EXTERNAL_ID_EXPIRE, 9 * NS_PER_DAY},
	{SQL_EARLY_RECEIPT_EXPIRE, 9 * NS_PER_DAY},
	{SQL_CODE_SENT_EXPIRE, NS_PER_DAY},
};
_Static_assert(ARRAY_COUNT(expiries) == EXPIRIES, "one place a table");

static pa_status expire_some(struct keeper *k, size_t table, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = keeper_params(k, expiries[table].statement);
	int64_t *page = &k->expiry_pages[table];
	pa_status status;

	db_bind_int64(params, *page);
	db_bind_int64(params, EXPIRY_PAGES);
	db_bind_time(params, clock_now_ns() - expiries[table].after_ns);
	status = keeper_run(k, params, &result, err);
	if (status != PA_OK)
		return status;
	*page += EXPIRY_PAGES;
	if (*page >= db_int64(result, 0, 0))
		*page = 0;
	return PA_OK;
}

static pa_status keep_partitions(struct keeper *k, pa_error *err)
{
	struct db_result *stray PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = keeper_params(k, SQL_PARTITIONS_MAKE);
	pa_status status;

	db_bind_time(params, clock_now_ns());
	status = keeper_run(k, params, NULL, err);
	if (status == PA_OK)
		status = keeper_run(k, keeper_params(k, SQL_PARTITIONS_STRAY), &stray, err);
	if (status == PA_OK && db_int64(stray, 0, 0))
		log_error(LOG_NO_IDS, "rows lie in a default partition: a month's was missing");
	return status;
}

static pa_status wipe_secrets(struct keeper *k, pa_error *err)
{
	struct db_params *params = keeper_params(k, SQL_SECRET_WIPE);

	db_bind_time(params, clock_now_ns());
	return keeper_run(k, params, NULL, err);
}

pa_status keeper_look_over(struct keeper *k, pa_error *err)
{
	struct overview overview;
	pa_status status;

	if (k->ticks % OVERVIEW_TICKS && !k->view.trouble[0])
		return PA_OK;
	status = overview_read(k->db, k->arena, &overview, err);
	if (status != PA_OK)
		return status;
	pthread_mutex_lock(&k->view_lock);
	k->view.overview = overview;
	k->view.trouble[0] = '\0';
	pthread_mutex_unlock(&k->view_lock);
	return PA_OK;
}

pa_status keeper_upkeep(struct keeper *k, pa_error *err)
{
	pa_status status = PA_OK;

	if (k->ticks % SECRETS_TICKS == 0)
		status = wipe_secrets(k, err);
	if (status == PA_OK && k->ticks % UPKEEP_TICKS == 0)
		status = keep_partitions(k, err);
	for (size_t i = 0; i < ARRAY_COUNT(expiries) && status == PA_OK; i++)
		status = expire_some(k, i, err);
	return status;
}
