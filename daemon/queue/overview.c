/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/overview.h"

#include "base/str.h"
#include "io/clock.h"

#include <string.h>

enum waiting_column { EVENTS, EVENTS_OLDEST, MESSAGES, MESSAGES_OLDEST, UNCERTAIN, SET_ASIDE };
enum node_column { NAME, STARTED, IS_ALIVE };

static pa_status read_waiting(struct db *db, struct arena *arena, struct overview *ret,
			      pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	pa_status status = db_run(db, db_params_new(arena, SQL_OVERVIEW_WAITING), &rows, err);

	if (status != PA_OK)
		return status;
	ret->events = db_int64(rows, 0, EVENTS);
	ret->events_oldest_ns = db_time_ns(rows, 0, EVENTS_OLDEST);
	ret->messages = db_int64(rows, 0, MESSAGES);
	ret->messages_oldest_ns = db_time_ns(rows, 0, MESSAGES_OLDEST);
	ret->uncertain = db_int64(rows, 0, UNCERTAIN);
	ret->set_aside = db_int64(rows, 0, SET_ASIDE);
	return PA_OK;
}

static pa_status read_nodes(struct db *db, struct arena *arena, struct overview *ret, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	pa_status status = db_run(db, db_params_new(arena, SQL_OVERVIEW_NODES), &rows, err);

	if (status != PA_OK)
		return status;
	for (size_t i = 0; i < db_rows(rows) && i < OVERVIEW_NODES; i++) {
		struct overview_node *node = &ret->nodes[ret->nodes_count++];
		pa_str name = str_slice(db_str(rows, i, NAME), 0, OVERVIEW_NAME - 1);

		memcpy(node->name, name.ptr, name.len);
		node->started_ns = db_time_ns(rows, i, STARTED);
		node->is_alive = db_bool(rows, i, IS_ALIVE);
	}
	return PA_OK;
}

pa_status overview_read(struct db *db, struct arena *arena, struct overview *ret, pa_error *err)
{
	struct overview overview = {.read_ns = clock_now_ns()};
	pa_status status = read_waiting(db, arena, &overview, err);

	if (status == PA_OK)
		status = read_nodes(db, arena, &overview, err);
	if (status == PA_OK)
		*ret = overview;
	return status;
}
