/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/operator_parts.h"

#include "base/err.h"
#include "base/str.h"
#include "evidence/evidence.h"
#include "io/clock.h"
#include "queue/item.h"

#define DEAD_DAYS 7 /* how far back what failed is counted */
#define LISTED 50
#define MOST_LISTED 1000
#define MOST_AT_ONCE 1000 /* messages of one act: each leaves its evidence */

/* ---- how it stands ---- */

static void set_age(const struct operation *op, struct json *object, const char *key,
		    const struct db_result *rows, size_t row, size_t column)
{
	if (!db_is_null(rows, row, column))
		json_set_integer(object, key,
				 (op->now_ns - db_time_ns(rows, row, column)) / NS_PER_S);
}

static pa_status set_work(struct operation *op, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = operator_params(op, SQL_QUEUES_WORK);
	pa_status status;

	db_bind_time(params, op->now_ns);
	status = db_run(op->db, params, &rows, err);
	if (status != PA_OK)
		return status;
	json_set_integer(op->reply, "events_waiting", db_int64(rows, 0, 0));
	set_age(op, op->reply, "events_oldest_s", rows, 0, 1);
	json_set_integer(op->reply, "events_suspect", db_int64(rows, 0, 2));
	json_set_integer(op->reply, "timers", db_int64(rows, 0, 3));
	json_set_integer(op->reply, "timers_due", db_int64(rows, 0, 4));
	set_age(op, op->reply, "timers_oldest_s", rows, 0, 5);
	json_set_integer(op->reply, "set_aside", db_int64(rows, 0, 6));
	set_age(op, op->reply, "set_aside_oldest_s", rows, 0, 7);
	return PA_OK;
}

static pa_status set_channels(struct operation *op, pa_error *err)
{
	static const struct operator_column columns[] = {
		{"channel", COLUMN_TEXT}, {"node", COLUMN_TEXT}, {"paused_at", COLUMN_TIME}};

	return operator_set_rows(op, operator_params(op, SQL_QUEUES_CHANNELS), columns,
				 ARRAY_COUNT(columns), op->reply, "channels", err);
}

static pa_status set_outbox(struct operation *op, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = operator_params(op, SQL_QUEUES_OUTBOX);
	struct json *open = json_array_new(), *dead = json_array_new();
	pa_status status;

	json_set(op->reply, "messages", open);
	json_set(op->reply, "dead_letters", dead);
	db_bind_time(params, op->now_ns - DEAD_DAYS * NS_PER_DAY);
	status = db_run(op->db, params, &rows, err);
	for (size_t row = 0; status == PA_OK && row < db_rows(rows); row++) {
		struct json *line = json_object_new();

		json_set_text(line, "channel", db_str(rows, row, 0));
		json_set_text(line, "state", operator_state_word(db_int64(rows, row, 1)));
		json_set_integer(line, "count", db_int64(rows, row, 3));
		set_age(op, line, "oldest_s", rows, row, 4);
		set_age(op, line, "newest_s", rows, row, 5);
		json_append(db_bool(rows, row, 2) ? open : dead, line);
	}
	return status;
}

pa_status operator_queues(struct operation *op, pa_error *err)
{
	pa_status status = set_work(op, err);

	if (status == PA_OK)
		status = set_channels(op, err);
	return status == PA_OK ? set_outbox(op, err) : status;
}

/* ---- messages, one by one ---- */

/* "since": how many days back; a week if it is not said. */
static int64_t since_ns(const struct operation *op)
{
	return op->now_ns - operator_count(op, "days", DEAD_DAYS, 3650) * NS_PER_DAY;
}

/* "state", or all but what was sent. */
static pa_status bind_states(struct operation *op, struct db_params *params, pa_error *err)
{
	int16_t states[] = {OUTBOX_WAITING, OUTBOX_UNDER_WAY, OUTBOX_UNCERTAIN,
			    OUTBOX_FAILED,  OUTBOX_REFUSED,   OUTBOX_DROPPED};
	size_t count = ARRAY_COUNT(states);
	pa_str word;

	if (json_get_text(op->request, "state", &word)) {
		if (operator_state(word, &states[0], err) != PA_OK)
			return PA_REJECTED;
		count = 1;
	}
	db_bind_int16_array(params, states, count);
	return PA_OK;
}

static struct json *outbox_json(struct operation *op, const struct db_result *rows, size_t row)
{
	struct json *line = json_object_new();

	json_set_integer(line, "id", db_int64(rows, row, 0));
	operator_set_time(op, line, "at", rows, row, 1);
	json_set_integer(line, "conversation", db_int64(rows, row, 2));
	json_set_text(line, "channel", db_str(rows, row, 3));
	json_set_text(line, "class", operator_class_word(db_int64(rows, row, 4)));
	json_set_text(line, "state", operator_state_word(db_int64(rows, row, 5)));
	json_set_bool(line, "open", db_bool(rows, row, 6));
	operator_set_receipts(line, db_int64(rows, row, 7));
	json_set_integer(line, "tries", db_int64(rows, row, 8));
	json_set_integer(line, "code", db_is_null(rows, row, 9) ? 0 : db_int64(rows, row, 9));
	json_set_text(line, "reason", db_str(rows, row, 10));
	json_set_text(line, "gate", db_str(rows, row, 11));
	operator_set_time(op, line, "not_after", rows, row, 12);
	return line;
}

pa_status operator_outbox_list(struct operation *op, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = operator_params(op, SQL_OUTBOX_LIST);
	struct json *list = json_array_new();
	pa_str channel = PA_STR_ABSENT;
	pa_status status;

	json_set(op->reply, "items", list);
	IGNORE_STATUS(!json_get_text(op->request, "channel", &channel), "then all");
	db_bind_text(params, channel);
	status = bind_states(op, params, err);
	if (status != PA_OK)
		return status;
	db_bind_time(params, since_ns(op));
	db_bind_int64(params, operator_count(op, "limit", LISTED, MOST_LISTED));
	status = db_run(op->db, params, &rows, err);
	for (size_t row = 0; status == PA_OK && row < db_rows(rows); row++)
		json_append(list, outbox_json(op, rows, row));
	return status;
}

/* ---- changes ---- */

/* What an act does to a message or an event, by its id, or to many messages. */
struct change {
	const char *action;
	enum sql one;
	enum sql many; /* SQL_COUNT: there is no such */
	bool is_message;
	enum outbox_state state; /* what becomes of it */
	const char *none;        /* what is said if there was nothing to do */
};

/* Notes what became of each, and counts them. */
static void note_messages(struct operation *op, const struct db_result *rows,
			  enum outbox_state state)
{
	for (size_t row = 0; row < db_rows(rows); row++)
		evidence_add(&op->evidence, &(struct evidence){.kind = EVIDENCE_OUTCOME,
							       .id = db_int64(rows, row, 0),
							       .at_ns = op->now_ns,
							       .detail = state});
	op->entries += (int32_t)db_rows(rows);
	json_set_integer(op->reply, "count", (int64_t)db_rows(rows));
}

static pa_status change_one(struct operation *op, const struct change *change,
			    struct db_params *params, int64_t id, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	pa_status status = db_run(op->db, params, &rows, err);

	if (status != PA_OK)
		return status;
	if (!db_rows(rows))
		return error_set(err, PA_REJECTED, "%s", change->none);
	if (change->is_message)
		note_messages(op, rows, change->state);
	return operator_note(op, change->action, arena_format(op->arena, "%lld", (long long)id),
			     db_int64(rows, 0, 1), err);
}

static pa_status change_many(struct operation *op, const struct change *change, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = operator_params(op, change->many);
	pa_str channel, word;
	int16_t state;
	pa_status status;

	if (change->many == SQL_COUNT || !json_get_text(op->request, "channel", &channel) ||
	    !json_get_text(op->request, "state", &word))
		return error_set(err, PA_REJECTED, "which messages? An id, or channel and state");
	status = operator_state(word, &state, err);
	if (status != PA_OK)
		return status;
	db_bind_text(params, channel);
	db_bind_int32(params, state);
	db_bind_time(params, since_ns(op));
	db_bind_time(params, op->now_ns);
	db_bind_int64(params, MOST_AT_ONCE);
	status = db_run(op->db, params, &rows, err);
	if (status != PA_OK)
		return status;
	note_messages(op, rows, change->state);
	json_set_bool(op->reply, "more", db_rows(rows) == MOST_AT_ONCE);
	return operator_note(op, change->action,
			     arena_format(op->arena, "channel %.*s, %.*s: %zu", PA_FMT(channel),
					  PA_FMT(word), db_rows(rows)),
			     0, err);
}

static const struct change retry = {
	"outbox.retry",
	SQL_OUTBOX_RETRY,
	SQL_OUTBOX_RETRY_MANY,
	true,
	OUTBOX_WAITING,
	"no such message, or it can't go again: it is still to be sent, was sent, is a code, was "
	"erased, or its time is over"};
static const struct change give_up = {
	"outbox.give-up",
	SQL_OUTBOX_GIVE_UP,
	SQL_OUTBOX_GIVE_UP_MANY,
	true,
	OUTBOX_DROPPED,
	"no such message that waits; one that is under way just now ends by itself"};
static const struct change settle = {"outbox.settle", SQL_OUTBOX_SETTLE,
				     SQL_COUNT,       true,
				     OUTBOX_SENT,     "no such message of which nobody knows"};
static const struct change aside_retry = {.action = "set-aside.retry",
					  .one = SQL_SET_ASIDE_RETRY,
					  .none = "no such event was set aside"};
static const struct change aside_drop = {.action = "set-aside.drop",
					 .one = SQL_SET_ASIDE_DROP,
					 .none = "no such event was set aside"};

/* A message by "id", or all of "channel" in "state". */
static pa_status change_messages(struct operation *op, const struct change *change, pa_error *err)
{
	struct db_params *params = operator_params(op, change->one);
	int64_t id;

	if (!json_get_integer(op->request, "id", &id))
		return change_many(op, change, err);
	db_bind_int64(params, id);
	db_bind_time(params, op->now_ns);
	return change_one(op, change, params, id, err);
}

static pa_status do_retry(struct operation *op, pa_error *err)
{
	return change_messages(op, &retry, err);
}

static pa_status do_give_up(struct operation *op, pa_error *err)
{
	return change_messages(op, &give_up, err);
}

static pa_status do_settle(struct operation *op, pa_error *err)
{
	struct db_params *params = operator_params(op, SQL_OUTBOX_SETTLE);
	struct change change = settle;
	int64_t id;
	pa_str word;

	if (!json_get_integer(op->request, "id", &id) ||
	    !json_get_text(op->request, "state", &word) ||
	    (!str_equal(word, PA_STR("sent")) && !str_equal(word, PA_STR("failed"))))
		return error_set(err, PA_REJECTED, "wants an id, and sent or failed");
	change.state = str_equal(word, PA_STR("sent")) ? OUTBOX_SENT : OUTBOX_FAILED;
	db_bind_int64(params, id);
	db_bind_int32(params, (int32_t)change.state);
	db_bind_time(params, op->now_ns);
	return change_one(op, &change, params, id, err);
}

static pa_status change_aside(struct operation *op, const struct change *change, pa_error *err)
{
	struct db_params *params = operator_params(op, change->one);
	int64_t id;

	if (!json_get_integer(op->request, "id", &id))
		return error_set(err, PA_REJECTED, "which event?");
	db_bind_int64(params, id);
	return change_one(op, change, params, id, err);
}

static pa_status do_aside_retry(struct operation *op, pa_error *err)
{
	return change_aside(op, &aside_retry, err);
}

static pa_status do_aside_drop(struct operation *op, pa_error *err)
{
	return change_aside(op, &aside_drop, err);
}

pa_status operator_outbox_retry(struct operation *op, pa_error *err)
{
	return operator_change(op, do_retry, err);
}

pa_status operator_outbox_give_up(struct operation *op, pa_error *err)
{
	return operator_change(op, do_give_up, err);
}

pa_status operator_outbox_settle(struct operation *op, pa_error *err)
{
	return operator_change(op, do_settle, err);
}

pa_status operator_set_aside_retry(struct operation *op, pa_error *err)
{
	return operator_change(op, do_aside_retry, err);
}

pa_status operator_set_aside_drop(struct operation *op, pa_error *err)
{
	return operator_change(op, do_aside_drop, err);
}

/* ---- events set aside ---- */

pa_status operator_set_aside_list(struct operation *op, pa_error *err)
{
	static const struct operator_column columns[] = {{"id", COLUMN_NUMBER},
							 {"conversation", COLUMN_NUMBER},
							 {"came_at", COLUMN_TIME},
							 {"at", COLUMN_TIME},
							 {"reason", COLUMN_TEXT}};
	struct db_params *params = operator_params(op, SQL_SET_ASIDE_LIST);

	db_bind_int64(params, operator_count(op, "limit", LISTED, MOST_LISTED));
	return operator_set_rows(op, params, columns, ARRAY_COUNT(columns), op->reply, "items",
				 err);
}

/* ---- channels ---- */

static pa_status change_channel(struct operation *op, struct db_params *params, pa_str name,
				const char *action, const char *none, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	pa_status status = db_run(op->db, params, &rows, err);

	if (status != PA_OK)
		return status;
	if (!db_rows(rows))
		return error_set(err, PA_REJECTED, "%s", none);
	return operator_note(op, action, name, 0, err);
}

static pa_status do_pause(struct operation *op, pa_error *err)
{
	struct db_params *params = operator_params(op, SQL_CHANNEL_PAUSE);
	pa_str name;

	if (!json_get_text(op->request, "channel", &name))
		return error_set(err, PA_REJECTED, "which channel?");
	db_bind_text(params, name);
	db_bind_time(params, op->now_ns);
	return change_channel(op, params, name, "channel.pause",
			      "there is no such channel, or it is paused already", err);
}

static pa_status do_resume(struct operation *op, pa_error *err)
{
	struct db_params *params = operator_params(op, SQL_CHANNEL_RESUME);
	pa_str name;

	if (!json_get_text(op->request, "channel", &name))
		return error_set(err, PA_REJECTED, "which channel?");
	db_bind_text(params, name);
	return change_channel(op, params, name, "channel.resume",
			      "there is no such channel, or it is not paused", err);
}

pa_status operator_channel_pause(struct operation *op, pa_error *err)
{
	return operator_change(op, do_pause, err);
}

pa_status operator_channel_resume(struct operation *op, pa_error *err)
{
	return operator_change(op, do_resume, err);
}

/* ---- how long things are kept ---- */

pa_status operator_retention(struct operation *op, pa_error *err)
{
	static const struct operator_column periods[] = {{"class", COLUMN_TEXT},
							 {"months", COLUMN_NUMBER},
							 {"basis", COLUMN_TEXT},
							 {"before", COLUMN_TIME}};
	static const struct operator_column due[] = {
		{"class", COLUMN_TEXT}, {"table", COLUMN_TEXT}, {"before", COLUMN_TIME}};
	static const struct operator_column acts[] = {{"at", COLUMN_TIME},
						      {"class", COLUMN_TEXT},
						      {"table", COLUMN_TEXT},
						      {"before", COLUMN_TIME},
						      {"rows", COLUMN_NUMBER}};
	struct db_params *params = operator_params(op, SQL_RETENTION_ACTS);
	pa_status status =
		operator_set_rows(op, operator_params(op, SQL_RETENTION_PERIODS), periods,
				  ARRAY_COUNT(periods), op->reply, "periods", err);

	if (status == PA_OK)
		status = operator_set_rows(op, operator_params(op, SQL_RETENTION_LIST), due,
					   ARRAY_COUNT(due), op->reply, "due", err);
	if (status != PA_OK)
		return status;
	db_bind_int64(params, operator_count(op, "limit", LISTED, MOST_LISTED));
	return operator_set_rows(op, params, acts, ARRAY_COUNT(acts), op->reply, "taken", err);
}
