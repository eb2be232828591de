/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/operator_parts.h"

#include "base/calendar.h"
#include "base/err.h"
#include "base/str.h"
#include "flow/turn.h"
#include "io/clock.h"
#include "queue/codec.h"
#include "queue/contact.h"
#include "queue/contacts.h"
#include "queue/event_json.h"
#include "queue/ids.h"
#include "queue/worker.h"

#define INBOX_PAGE 500
#define BODIES_PAGE 8 /* many events may share one large body, and each row brings it */
#define INBOX_BYTES ((size_t)4 << 20) /* of an answer: then it says that there is more */
#define MESSAGES 20
#define MOST_MESSAGES 500
#define MOST_ACTS 1000
#define MAX_PHONE 20

/* ---- what came in ---- */

enum inbox_column { ID, AT, CHANNEL, KIND, CONTACT, SEALED_KEY, PAYLOAD, BODY };

/* Sealed by the person's key, or by the house's if it was about nobody known. */
static bool open_sealed(struct operation *op, const struct contact *contact, pa_str context,
			pa_str sealed, pa_str *ret)
{
	if (contact && unseal(op->arena, &contact->key, context, sealed, ret) == PA_OK)
		return true;
	return unseal(op->arena, keyring_store(op->options->ring), context, sealed, ret) == PA_OK;
}

/* NULL if it can't be opened: what is sealed under it is told to be unreadable. */
static struct contact *open_contact(const struct operation *op, int64_t id, pa_str sealed_key)
{
	struct contact *contact = NULL;

	if (sealed_key.ptr)
		IGNORE_STATUS(
			contact_open(id, op->options->ring, sealed_key, PA_STR_ABSENT, &contact),
			"then it stays NULL");
	return contact;
}

/* ret_body: the raw body, if it was packed with the event. */
static void add_event(struct operation *op, const struct contact *contact,
		      const struct db_result *rows, size_t row, struct json *line, pa_str *ret_body)
{
	bool is_receipt = db_int64(rows, row, KIND) == 0;
	pa_event event = {.kind = PA_EVENT_UNKNOWN};
	pa_str plain;

	*ret_body = PA_STR_ABSENT;
	if (db_is_null(rows, row, PAYLOAD)) {
		event_json(&event, line);
		return;
	}
	if (open_sealed(op, contact, is_receipt ? PA_STR("receipt") : PA_STR("inbox"),
			db_str(rows, row, PAYLOAD), &plain) &&
	    receipt_unpack(plain, &event, ret_body) == PA_OK)
		event_json(&event, line);
	else
		json_set_bool(line, "unreadable", true);
}

static void add_inbox_row(struct operation *op, const struct db_result *rows, size_t row,
			  bool with_body, struct json *items)
{
	struct json *line = json_object_new();
	struct contact *contact =
		open_contact(op, db_int64(rows, row, CONTACT), db_str(rows, row, SEALED_KEY));
	pa_str body;

	json_set_integer(line, "inbox", db_int64(rows, row, ID));
	operator_set_time(op, line, "at", rows, row, AT);
	json_set_text(line, "channel", db_str(rows, row, CHANNEL));
	add_event(op, contact, rows, row, line, &body);
	if (with_body && !db_is_null(rows, row, BODY) &&
	    !open_sealed(op, contact, PA_STR("body"), db_str(rows, row, BODY), &body))
		body = PA_STR_ABSENT;
	if (with_body)
		json_set_text(line, "body", body);
	contact_unref(contact);
	json_append(items, line);
}

/* "after" and "limit", "body". The answer has "items", and "more" if there may be more behind them.
 */
pa_status operator_inbox(struct operation *op, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	struct json *items = json_array_new();
	int64_t after = operator_count(op, "after", 0, INT64_MAX);
	bool with_body = false;
	int64_t page, limit;
	struct db_params *params;
	size_t bytes = 0, row = 0;
	pa_status status;

	IGNORE_STATUS(!json_get_bool(op->request, "body", &with_body), "then without");
	page = with_body ? BODIES_PAGE : INBOX_PAGE;
	limit = operator_count(op, "limit", page, page);
	json_set(op->reply, "items", items);
	status = operator_note(op, "inbox",
			       arena_format(op->arena, "%lld after %lld%s", (long long)limit,
					    (long long)after, with_body ? ", bodies" : ""),
			       0, err);
	if (status != PA_OK)
		return status;
	params = operator_params(op, SQL_INBOX_LIST);
	db_bind_int64(params, after);
	db_bind_int64(params, limit);
	db_bind_bool(params, with_body);
	status = db_run(op->db, params, &rows, err);
	for (; status == PA_OK && row < db_rows(rows) && bytes < INBOX_BYTES; row++) {
		bytes += db_str(rows, row, PAYLOAD).len + db_str(rows, row, BODY).len;
		add_inbox_row(op, rows, row, with_body, items);
	}
	json_set_bool(op->reply, "more",
		      status == PA_OK && (row < db_rows(rows) || (int64_t)row == page));
	return status;
}

/* ---- one conversation ---- */

static pa_status find_by_number(struct operation *op, pa_str number, struct db_result **ret,
				pa_error *err)
{
	struct db_params *params = operator_params(op, SQL_OPERATOR_CONVERSATION);

	db_bind_text(params, number);
	return db_run(op->db, params, ret, err);
}

/* As people write a number: spaces, a plus, and no country code if it is a mobile of Colombia. */
static pa_status find_by_phone(struct operation *op, pa_str phone, struct db_result **ret,
			       pa_error *err)
{
	struct db_params *params = operator_params(op, SQL_OPERATOR_PERSON);
	char digits[MAX_PHONE + 2] = "57";
	size_t count = 2;
	pa_str text;

	for (size_t i = 0; i < phone.len && count < sizeof(digits); i++)
		if (phone.ptr[i] >= '0' && phone.ptr[i] <= '9')
			digits[count++] = phone.ptr[i];
	text = count == 12 && digits[2] == '3' ? (pa_str){digits, count}
					       : (pa_str){digits + 2, count - 2};
	db_bind_bytes(params, contacts_phone_tag(op->options->ring, op->arena, text));
	return db_run(op->db, params, ret, err);
}

static pa_status find(struct operation *op, struct db_result **ret, pa_error *err)
{
	pa_str text;
	pa_status status;

	if (json_get_text(op->request, "phone", &text))
		status = find_by_phone(op, text, ret, err);
	else if (json_get_text(op->request, "conversation", &text))
		status = find_by_number(op, text, ret, err);
	else
		return error_set(err, PA_REJECTED, "which conversation?");
	if (status == PA_OK && !db_rows(*ret))
		return error_set(err, PA_REJECTED, "there is no such conversation or case");
	return status;
}

/* Rows of a statement about the conversation alone. */
static pa_status set_list(struct operation *op, enum sql statement, int64_t id,
			  const struct operator_column *columns, size_t count, struct json *object,
			  const char *key, pa_error *err)
{
	struct db_params *params = operator_params(op, statement);

	db_bind_int64(params, id);
	return operator_set_rows(op, params, columns, count, object, key, err);
}

static pa_status set_lists(struct operation *op, int64_t id, struct json *object, pa_error *err)
{
	static const struct operator_column timers[] = {{"name", COLUMN_TEXT},
							{"due", COLUMN_TIME}};
	static const struct operator_column cases[] = {{"number", COLUMN_TEXT},
						       {"kind", COLUMN_TEXT},
						       {"at", COLUMN_TIME},
						       {"due", COLUMN_TIME},
						       {"closed_at", COLUMN_TIME}};
	static const struct operator_column consents[] = {{"purpose", COLUMN_TEXT},
							  {"action", COLUMN_TEXT},
							  {"at", COLUMN_TIME},
							  {"text_version", COLUMN_TEXT}};
	pa_status status = set_list(op, SQL_OPERATOR_TIMERS, id, timers, ARRAY_COUNT(timers),
				    object, "timers", err);

	if (status == PA_OK)
		status = set_list(op, SQL_OPERATOR_CASES, id, cases, ARRAY_COUNT(cases), object,
				  "cases", err);
	if (status == PA_OK)
		status = set_list(op, SQL_OPERATOR_CONSENTS, id, consents, ARRAY_COUNT(consents),
				  object, "consents", err);
	return status;
}

static pa_status set_state(struct operation *op, int64_t id, const struct contact *contact,
			   struct json *object, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = operator_params(op, SQL_OPERATOR_STATE);
	pa_str plain, flow = PA_STR_ABSENT, step = PA_STR_ABSENT, care = PA_STR_ABSENT;
	pa_status status;

	db_bind_int64(params, id);
	status = db_run(op->db, params, &rows, err);
	if (status != PA_OK || !db_rows(rows))
		return status;
	json_set_text(object, "channel", db_str(rows, 0, 0));
	json_set_text(object, "node", db_str(rows, 0, 1));
	operator_set_time(op, object, "last_inbound_at", rows, 0, 2);
	if (contact && !db_is_null(rows, 0, 3) &&
	    unseal(op->arena, &contact->key, PA_STR("state"), db_str(rows, 0, 3), &plain) == PA_OK)
		IGNORE_STATUS(!turn_place(plain, &flow, &step, &care), "what was read is told");
	json_set_text(object, "flow", flow);
	json_set_text(object, "step", step);
	json_set_text(object, "only_a_person", care);
	json_set_integer(object, "events_waiting", db_int64(rows, 0, 4));
	json_set_integer(object, "set_aside", db_int64(rows, 0, 5));
	return PA_OK;
}

static struct json *inbound_json(struct operation *op, const struct contact *contact,
				 const struct db_result *rows, size_t row)
{
	struct json *item = json_object_new();
	pa_event event = {.kind = PA_EVENT_UNKNOWN};
	pa_str plain;

	json_set_text(item, "direction", PA_STR("in"));
	json_set_integer(item, "id", db_int64(rows, row, 0));
	operator_set_time(op, item, "at", rows, row, 1);
	if (!db_is_null(rows, row, 3) &&
	    !(open_sealed(op, contact, PA_STR("inbox"), db_str(rows, row, 3), &plain) &&
	      event_unpack(plain, &event) == PA_OK))
		json_set_bool(item, "unreadable", true);
	else
		event_json(&event, item);
	return item;
}

static void set_message(struct operation *op, const struct contact *contact, pa_str sealed,
			struct json *item)
{
	struct json *choices = json_array_new();
	pa_message message = {.kind = 0};
	pa_str plain;

	if (!sealed.ptr || !contact ||
	    unseal(op->arena, &contact->key, PA_STR("outbox"), sealed, &plain) != PA_OK ||
	    message_unpack(op->arena, plain, &message) != PA_OK)
		json_set_bool(item, "unreadable", true);
	json_set_text(item, "text", message.body);
	json_set_text(item, "template", message.template_name);
	json_set_text(item, "file", message.media_name);
	for (size_t i = 0; i < message.choices_count; i++)
		json_append_text(choices, message.choices[i]->title);
	json_set(item, "choices", choices);
}

static struct json *outbound_json(struct operation *op, const struct contact *contact,
				  const struct db_result *rows, size_t row)
{
	struct json *item = json_object_new();
	bool is_secret = db_bool(rows, row, 12);

	json_set_text(item, "direction", PA_STR("out"));
	json_set_integer(item, "id", db_int64(rows, row, 0));
	operator_set_time(op, item, "at", rows, row, 1);
	json_set_text(item, "class", operator_class_word(db_int64(rows, row, 2)));
	json_set_bool(item, "open", db_bool(rows, row, 3));
	json_set_text(item, "state", operator_state_word(db_int64(rows, row, 4)));
	operator_set_receipts(item, db_int64(rows, row, 5));
	json_set_integer(item, "tries", db_int64(rows, row, 6));
	operator_set_time(op, item, "started_at", rows, row, 7);
	operator_set_time(op, item, "finished_at", rows, row, 8);
	json_set_integer(item, "code", db_is_null(rows, row, 9) ? 0 : db_int64(rows, row, 9));
	json_set_text(item, "reason", db_str(rows, row, 10));
	json_set_text(item, "gate", db_str(rows, row, 11));
	json_set_bool(item, "secret", is_secret);
	if (!is_secret)
		set_message(op, contact, db_str(rows, row, 13), item);
	return item;
}

static pa_status last_messages(struct operation *op, enum sql statement, int64_t id,
			       struct db_result **ret, pa_error *err)
{
	struct db_params *params = operator_params(op, statement);

	db_bind_int64(params, id);
	db_bind_int64(params, operator_count(op, "messages", MESSAGES, MOST_MESSAGES));
	return db_run(op->db, params, ret, err);
}

/* Both ways, oldest first. */
static pa_status set_messages(struct operation *op, int64_t id, const struct contact *contact,
			      struct json *object, pa_error *err)
{
	struct db_result *in PA_CLEANUP(db_result_done) = NULL;
	struct db_result *out PA_CLEANUP(db_result_done) = NULL;
	struct json *list = json_array_new();
	pa_status status = last_messages(op, SQL_OPERATOR_INBOUND, id, &in, err);
	size_t ins, outs;

	json_set(object, "messages", list);
	if (status == PA_OK)
		status = last_messages(op, SQL_OPERATOR_OUTBOUND, id, &out, err);
	if (status != PA_OK)
		return status;
	ins = db_rows(in);
	outs = db_rows(out);
	while (ins || outs) {
		if (!outs || (ins && db_time_ns(in, ins - 1, 1) <= db_time_ns(out, outs - 1, 1)))
			json_append(list, inbound_json(op, contact, in, --ins));
		else
			json_append(list, outbound_json(op, contact, out, --outs));
	}
	return PA_OK;
}

static pa_status show(struct operation *op, int64_t id, pa_str sealed_key, struct json *list,
		      pa_error *err)
{
	struct json *object = json_object_new();
	struct contact *contact = open_contact(op, conversation_contact(id), sealed_key);
	pa_status status;

	json_append(list, object);
	json_set_integer(object, "conversation", id);
	json_set_bool(object, "erased", !sealed_key.ptr);
	status = set_state(op, id, contact, object, err);
	if (status == PA_OK)
		status = set_lists(op, id, object, err);
	if (status == PA_OK)
		status = set_messages(op, id, contact, object, err);
	contact_unref(contact);
	return status;
}

/* "conversation" (its number or a case's) or "phone"; "messages" each way. */
pa_status operator_conversation_show(struct operation *op, pa_error *err)
{
	struct db_result *found PA_CLEANUP(db_result_done) = NULL;
	struct json *list = json_array_new();
	pa_status status = find(op, &found, err);

	json_set(op->reply, "conversations", list);
	for (size_t i = 0; status == PA_OK && i < db_rows(found); i++)
		status = operator_note(op, "conversation.show", PA_STR("conversation"),
				       db_int64(found, i, 0), err);
	for (size_t i = 0; status == PA_OK && i < db_rows(found); i++)
		status = show(op, db_int64(found, i, 0), db_str(found, i, 1), list, err);
	return status;
}

/* ---- a word to it ---- */

static pa_status tell(struct operation *op, int64_t conversation, const struct key *key,
		      pa_error *err)
{
	struct buf packed PA_CLEANUP(buf_done) = BUF_INIT((size_t)1 << 16);
	struct db_params *params = operator_params(op, SQL_OPERATOR_TELL);
	int64_t id = ids_next();

	if (!id)
		return error_set(err, PA_RETRY, "the store is away");
	job_pack(&packed, PA_STR("conversation.resume"),
		 arena_format(op->arena, "uid %lld: %.*s", (long long)op->uid, PA_FMT(op->reason)));
	db_bind_int64(params, id);
	db_bind_time(params, op->now_ns);
	db_bind_int64(params, conversation);
	db_bind_bytes(params, seal_arena(op->arena, key, PA_STR("inbox"), buf_str(&packed)));
	return db_run(op->db, params, NULL, err);
}

static pa_status resume(struct operation *op, pa_error *err)
{
	struct db_result *found PA_CLEANUP(db_result_done) = NULL;
	pa_status status = find(op, &found, err);
	struct contact *contact;
	int64_t id;

	if (status != PA_OK)
		return status;
	id = db_int64(found, 0, 0);
	contact = open_contact(op, conversation_contact(id), db_str(found, 0, 1));
	if (!contact)
		return error_set(err, PA_REJECTED, "the contact's key can't be opened");
	status = operator_note(op, "conversation.resume", PA_STR("conversation"), id, err);
	if (status == PA_OK)
		status = tell(op, id, &contact->key, err);
	contact_unref(contact);
	return status;
}

/* Lets a conversation go on in which only a person went on (flow/run.h, care): an event of it,
 * which the keeper brings to its turn within seconds. */
pa_status operator_conversation_resume(struct operation *op, pa_error *err)
{
	return operator_change(op, resume, err);
}

/* ---- who looked ---- */

static struct json *act_json(struct operation *op, const struct db_result *rows, size_t row)
{
	struct json *act = json_object_new();
	pa_str reason = PA_STR_ABSENT;

	IGNORE_STATUS(unseal(op->arena, keyring_store(op->options->ring), PA_STR("operator reason"),
			     db_str(rows, row, 7), &reason),
		      "then it is null");
	json_set_integer(act, "id", db_int64(rows, row, 0));
	operator_set_time(op, act, "at", rows, row, 1);
	json_set_integer(act, "uid", db_int64(rows, row, 2));
	json_set_text(act, "user", db_str(rows, row, 3));
	json_set_text(act, "action", db_str(rows, row, 4));
	json_set_text(act, "object", db_str(rows, row, 5));
	if (!db_is_null(rows, row, 6))
		json_set_integer(act, "conversation", db_int64(rows, row, 6));
	json_set_text(act, "reason", reason);
	return act;
}

pa_status operator_acts(struct operation *op, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = operator_params(op, SQL_OPERATOR_ACTS);
	struct json *list = json_array_new();
	pa_status status;

	json_set(op->reply, "items", list);
	db_bind_int64(params, operator_count(op, "conversation", 0, INT64_MAX));
	db_bind_int64(params, operator_count(op, "limit", 50, MOST_ACTS));
	status = db_run(op->db, params, &rows, err);
	for (size_t row = 0; status == PA_OK && row < db_rows(rows); row++)
		json_append(list, act_json(op, rows, row));
	return status;
}
