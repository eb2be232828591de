/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/operator_parts.h"

#include "base/calendar.h"
#include "base/err.h"
#include "base/str.h"
#include "evidence/evidence.h"
#include "flow/turn.h"
#include "io/clock.h"
#include "queue/connect.h"
#include "queue/ids.h"
#include "queue/item.h"

#include <pwd.h>

#define ARENA_CAP ((size_t)512 << 20)
#define MAX_EVIDENCE ((size_t)1 << 20)
#define MAX_REASON 1000
#define USER_BYTES 4096

static const struct {
	const char *name;
	operator_fn *run;
	bool wants_reason; /* it looks at people's data, or changes something */
} table[] = {
	{"inbox", operator_inbox, true},
	{"conversation-show", operator_conversation_show, true},
	{"conversation-resume", operator_conversation_resume, true},
	{"looks", operator_acts, false},
	{"queues", operator_queues, false},
	{"outbox-list", operator_outbox_list, false},
	{"outbox-retry", operator_outbox_retry, true},
	{"outbox-give-up", operator_outbox_give_up, true},
	{"outbox-settle", operator_outbox_settle, true},
	{"set-aside-list", operator_set_aside_list, false},
	{"set-aside-retry", operator_set_aside_retry, true},
	{"set-aside-drop", operator_set_aside_drop, true},
	{"channel-pause", operator_channel_pause, true},
	{"channel-resume", operator_channel_resume, true},
	{"retention", operator_retention, false},
};

/* ---- who, what, why ---- */

/* What the machine calls him: it may forget him some day. */
static pa_str user_name(struct operation *op)
{
	char *bytes = arena_alloc(op->arena, USER_BYTES);
	struct passwd entry, *found = NULL;

	if (getpwuid_r((uid_t)op->uid, &entry, bytes, USER_BYTES, &found) == 0 && found)
		return str_from(found->pw_name);
	return arena_format(op->arena, "%lld", (long long)op->uid);
}

pa_status operator_note(struct operation *op, const char *action, pa_str object,
			int64_t conversation, pa_error *err)
{
	struct db_params *params = operator_params(op, SQL_OPERATOR_NOTE);
	int64_t first = ids_next_run(2);
	pa_status status;
	pa_str sealed = seal_arena(op->arena, keyring_store(op->options->ring),
				   PA_STR("operator reason"), op->reason);

	if (!first)
		return error_set(err, PA_RETRY, "the store is away");
	evidence_add(&op->evidence, &(struct evidence){.kind = EVIDENCE_OPERATOR,
						       .id = first,
						       .at_ns = op->now_ns,
						       .detail = op->uid,
						       .text = str_from(action),
						       .sealed = sealed});
	if (op->evidence.is_over)
		return error_set(err, PA_BUG, "the evidence of one act is too large");
	db_bind_int64(params, first);
	db_bind_time(params, op->now_ns);
	db_bind_int64(params, op->uid);
	db_bind_text(params, user_name(op));
	db_bind_text(params, str_from(action));
	db_bind_text(params, object);
	db_bind_int64(params, conversation);
	db_bind_bytes(params, sealed);
	db_bind_int64(params, first + 1);
	db_bind_int64(params, op->options->node);
	db_bind_int32(params, op->entries + 1);
	db_bind_bytes(params, buf_str(&op->evidence));
	status = db_run(op->db, params, NULL, err);
	buf_clear(&op->evidence);
	op->entries = 0;
	return status;
}

pa_status operator_change(struct operation *op, operator_fn *change, pa_error *err)
{
	pa_status status = db_simple(op->db, "BEGIN", err);

	if (status == PA_OK)
		status = change(op, err);
	if (status == PA_OK)
		return db_simple(op->db, "COMMIT", err);
	IGNORE_STATUS(db_simple(op->db, "ROLLBACK", NULL), "the connection is closed next");
	return status;
}

/* ---- words ---- */

int64_t operator_count(const struct operation *op, const char *key, int64_t otherwise, int64_t most)
{
	int64_t count;

	if (!json_get_integer(op->request, key, &count) || count < 0)
		return otherwise;
	return count < most ? count : most;
}

void operator_set_time(struct operation *op, struct json *object, const char *key,
		       const struct db_result *rows, size_t row, size_t column)
{
	json_set_text(object, key,
		      db_is_null(rows, row, column)
			      ? PA_STR_ABSENT
			      : instant_iso(op->arena, db_time_ns(rows, row, column)));
}

pa_status operator_set_rows(struct operation *op, struct db_params *params,
			    const struct operator_column *columns, size_t count,
			    struct json *object, const char *key, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	struct json *list = json_array_new();
	pa_status status = db_run(op->db, params, &rows, err);

	json_set(object, key, list);
	for (size_t row = 0; status == PA_OK && row < db_rows(rows); row++) {
		struct json *line = json_object_new();

		for (size_t i = 0; i < count; i++) {
			if (columns[i].kind == COLUMN_TIME)
				operator_set_time(op, line, columns[i].name, rows, row, i);
			else if (columns[i].kind == COLUMN_NUMBER)
				json_set_integer(line, columns[i].name, db_int64(rows, row, i));
			else
				json_set_text(line, columns[i].name, db_str(rows, row, i));
		}
		json_append(list, line);
	}
	return status;
}

static const char *const states[] = {
	[OUTBOX_WAITING] = "waiting",     [OUTBOX_UNDER_WAY] = "under-way",
	[OUTBOX_UNCERTAIN] = "uncertain", [OUTBOX_SENT] = "sent",
	[OUTBOX_FAILED] = "failed",       [OUTBOX_REFUSED] = "refused",
	[OUTBOX_DROPPED] = "dropped",
};

pa_str operator_state_word(int64_t state)
{
	return state >= 0 && (size_t)state < ARRAY_COUNT(states) ? str_from(states[state])
								 : PA_STR("?");
}

pa_status operator_state(pa_str word, int16_t *ret, pa_error *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(states); i++) {
		if (i == OUTBOX_SENT || !str_equal(word, str_from(states[i])))
			continue;
		*ret = (int16_t)i;
		return PA_OK;
	}
	return error_set(err, PA_REJECTED,
			 "a state is waiting, under-way, uncertain, failed, refused or dropped");
}

pa_str operator_class_word(int64_t class)
{
	static const char *const words[] = {
		[CLASS_RESPUESTA] = "respuesta",         [CLASS_SEGURIDAD] = "seguridad",
		[CLASS_TRANSACCIONAL] = "transaccional", [CLASS_LEGAL] = "legal",
		[CLASS_COBRANZA] = "cobranza",           [CLASS_PUBLICIDAD] = "publicidad",
	};

	return class > 0 && (size_t) class < ARRAY_COUNT(words) ? str_from(words[class])
								: PA_STR("?");
}

void operator_set_receipts(struct json *object, int64_t statuses)
{
	static const char *const words[] = {"sent", "delivered", "read", "played", "failed"};
	struct json *list = json_array_new();

	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (statuses & 1 << i)
			json_append_text(list, str_from(words[i]));
	json_set(object, "receipts", list);
}

/* ---- one request ---- */

static pa_status read_reason(struct operation *op, pa_error *err)
{
	if (!json_get_text(op->request, "reason", &op->reason) || !str_trim(op->reason).len)
		return error_set(err, PA_REJECTED, "say why (--reason)");
	op->reason = str_trim(op->reason);
	if (op->reason.len > MAX_REASON)
		return error_set(err, PA_REJECTED, "the reason has more than %d bytes", MAX_REASON);
	return PA_OK;
}

static pa_status begin(struct operation *op, bool wants_reason, pa_error *err)
{
	static const char *const sets[] = {"operator", NULL};
	pa_status status;

	if (!json_get_integer(op->request, "uid", &op->uid))
		return error_set(err, PA_BUG, "nobody asks");
	status = wants_reason ? read_reason(op, err) : PA_OK;
	if (status == PA_OK && !keyring_is_ready(op->options->ring))
		status = error_set(err, PA_RETRY, "the store is away");
	if (status == PA_OK)
		status = queue_connect(op->options->database, "proaltod operator", sets, &op->db,
				       err);
	if (status == PA_OK)
		status = db_set(op->db, "enable_bitmapscan", "on", err); /* BRIN */
	if (status == PA_OK)
		status = db_set(op->db, "statement_timeout", "30s", err);
	return status;
}

static pa_status run(const struct operator_options *options, const struct json *request,
		     struct json *reply, bool wants_reason, operator_fn *fn, pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ARENA_CAP);
	struct operation op = {.options = options,
			       .request = request,
			       .reply = reply,
			       .arena = arena,
			       .now_ns = clock_now_ns(),
			       .evidence = BUF_INIT(MAX_EVIDENCE)};
	pa_status status = begin(&op, wants_reason, err);

	if (status == PA_OK)
		status = fn(&op, err);
	db_close(op.db);
	buf_done(&op.evidence);
	return status;
}

pa_status operator_run(const struct operator_options *options, const struct json *request,
		       struct json *reply, pa_error *err)
{
	pa_str name = PA_STR_ABSENT;

	IGNORE_STATUS(!json_get_text(request, "command", &name), "then it is none of them");
	for (size_t i = 0; i < ARRAY_COUNT(table); i++)
		if (str_equal(name, str_from(table[i].name)))
			return run(options, request, reply, table[i].wants_reason, table[i].run,
				   err);
	return error_set(err, PA_BUG, "no command of operators");
}

pa_status operator_write_down(const struct operator_options *options, const struct json *request,
			      const char *action, const char *object, pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ARENA_CAP);
	struct operation op = {.options = options,
			       .request = request,
			       .arena = arena,
			       .now_ns = clock_now_ns(),
			       .evidence = BUF_INIT(MAX_EVIDENCE)};
	pa_status status = begin(&op, true, err);

	if (status == PA_OK)
		status = operator_note(&op, action, str_from(object), 0, err);
	db_close(op.db);
	buf_done(&op.evidence);
	return status;
}
