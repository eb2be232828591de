/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/operator_parts.h: what the files of queue/operator.h share. operator.c: who asks, what is
 * written down, the table of commands; operator_look.c: looks at people's data; operator_queues.c:
 * queues, messages, events set aside, channels.
 */
#ifndef QUEUE_OPERATOR_PARTS_H
#define QUEUE_OPERATOR_PARTS_H

#include "io/db.h"
#include "queue/operator.h"

/* One request on its way. */
struct operation {
	const struct operator_options *options;
	const struct json *request;
	struct json *reply;
	struct db *db;
	struct arena *arena;
	int64_t now_ns;
	int64_t uid;
	pa_str reason;       /* absent: none is wanted */
	struct buf evidence; /* of what the act did, before operator_note() */
	int32_t entries;
};

typedef pa_status operator_fn(struct operation *op, pa_error *err);

/* Writes down what is about to be done, or looked at. object names it; conversation: whose it is,
 * 0: nobody's. */
pa_status operator_note(struct operation *op, const char *action, pa_str object,
			int64_t conversation, pa_error *err) PA_MUST_USE;

/* A change and its note in one transaction: change() does it and calls operator_note(). */
pa_status operator_change(struct operation *op, operator_fn *change, pa_error *err) PA_MUST_USE;

static inline struct db_params *operator_params(struct operation *op, enum sql statement)
{
	return db_params_new(op->arena, statement);
}

/* A count in the request, or what counts without one; bounded. */
int64_t operator_count(const struct operation *op, const char *key, int64_t otherwise,
		       int64_t most);

/* Sets a time in ISO 8601, or null. */
void operator_set_time(struct operation *op, struct json *object, const char *key,
		       const struct db_result *rows, size_t row, size_t column);

/* A column of a statement: how its values are told. */
struct operator_column {
	const char *name;
	enum { COLUMN_TEXT, COLUMN_NUMBER, COLUMN_TIME } kind;
};

/* Runs a statement and sets its rows as a list of objects. */
pa_status operator_set_rows(struct operation *op, struct db_params *params,
			    const struct operator_column *columns, size_t count,
			    struct json *object, const char *key, pa_error *err) PA_MUST_USE;

/* The word of an outbox state. And back, for those that did not arrive; PA_REJECTED: no such word.
 */
pa_str operator_state_word(int64_t state);
pa_status operator_state(pa_str word, int16_t *ret, pa_error *err) PA_MUST_USE;
/* The word of a message's class. */
pa_str operator_class_word(int64_t class);
/* Sets what the provider told of a message: "sent", "delivered" ... */
void operator_set_receipts(struct json *object, int64_t statuses);

operator_fn operator_inbox, operator_conversation_show, operator_conversation_resume, operator_acts;
operator_fn operator_queues, operator_outbox_list, operator_outbox_retry, operator_outbox_give_up,
	operator_outbox_settle, operator_set_aside_list, operator_set_aside_retry,
	operator_set_aside_drop, operator_channel_pause, operator_channel_resume,
	operator_retention;

#endif
