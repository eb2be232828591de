/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/operator.h"

#include "base/err.h"
#include "io/clock.h"
#include "queue/connect.h"
#include "queue/contact.h"
#include "queue/ids.h"
#include "queue/worker.h"

#define ARENA_CAP ((size_t)1 << 20)

static void close_db(struct db **db)
{
	db_close(*db);
}

static pa_status find(struct db *db, struct arena *arena, const struct keyring *ring, pa_str number,
		      struct contact **ret_contact, int64_t *ret_id, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = db_params_new(arena, SQL_OPERATOR_CONVERSATION);
	pa_status status;

	db_bind_text(params, number);
	status = db_run(db, params, &result, err);
	if (status != PA_OK)
		return status;
	if (!db_rows(result))
		return error_set(err, PA_REJECTED, "there is no such conversation or case");
	*ret_id = db_int64(result, 0, 0);
	if (contact_open(*ret_id / 256, ring, db_str(result, 0, 1), PA_STR_ABSENT, ret_contact) !=
	    PA_OK)
		return error_set(err, PA_REJECTED, "the contact's key can't be opened");
	return PA_OK;
}

static pa_status tell(struct db *db, struct arena *arena, int64_t conversation,
		      const struct key *key, const struct operator_word *word, pa_error *err)
{
	struct buf packed PA_CLEANUP(buf_done) = BUF_INIT(ARENA_CAP);
	struct db_params *params = db_params_new(arena, SQL_OPERATOR_TELL);
	int64_t id = ids_next();

	if (!id)
		return error_set(err, PA_RETRY, "the store is away");
	job_pack(&packed, PA_STR("conversation.resume"),
		 arena_format(arena, "uid %lld: %.*s", (long long)word->uid, PA_FMT(word->reason)));
	db_bind_int64(params, id);
	db_bind_time(params, clock_now_ns());
	db_bind_int64(params, conversation);
	db_bind_bytes(params, seal_arena(arena, key, PA_STR("inbox"), buf_str(&packed)));
	return db_run(db, params, NULL, err);
}

pa_status operator_resume(const char *database, const struct keyring *ring,
			  const struct operator_word *word, pa_error *err)
{
	static const char *const sets[] = {"operator", NULL};
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ARENA_CAP);
	struct db *db PA_CLEANUP(close_db) = NULL;
	struct contact *contact = NULL;
	int64_t conversation = 0;
	pa_status status = queue_connect(database, "proaltod operator", sets, &db, err);

	if (status == PA_OK)
		status = find(db, arena, ring, word->conversation, &contact, &conversation, err);
	if (status == PA_OK)
		status = tell(db, arena, conversation, &contact->key, word, err);
	contact_unref(contact);
	return status;
}
