/* SPDX-License-Identifier: Apache-2.0 */
#include "courier.h"
#include "limits.h"
#include "web.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW_NS (INT64_C(24) * 3600 * 1000000000)
#define TYPING_MS 25000 /* WhatsApp shows "writing" until the answer, 25 s at most */

static const char *const kind_words[] = {
	[PA_OUT_TEXT] = "text",         [PA_OUT_BUTTONS] = "buttons", [PA_OUT_LIST] = "list",
	[PA_OUT_DOCUMENT] = "document", [PA_OUT_IMAGE] = "image",
};

static pa_outcome refusal(int64_t code, const char *reason)
{
	return (pa_outcome){
		.size = sizeof(pa_outcome),
		.result = PA_OUTCOME_GIVE_UP,
		.scope = PA_SCOPE_MESSAGE,
		.code = code,
		.reason = sim_str(reason),
	};
}

static void put_text(json_t *json, const char *name, pa_str text)
{
	if (text.len)
		json_object_set_new(json, name, json_stringn_nocheck(text.ptr, text.len));
}

static json_t *choices_json(const pa_message *message)
{
	json_t *choices = json_array();

	for (size_t i = 0; i < message->choices_count; i++) {
		json_t *choice = json_object();

		put_text(choice, "id", message->choices[i]->id);
		put_text(choice, "title", message->choices[i]->title);
		put_text(choice, "description", message->choices[i]->description);
		put_text(choice, "section", message->choices[i]->section);
		json_array_append_new(choices, choice);
	}
	return choices;
}

static json_t *file_json(const struct file *file)
{
	json_t *json = json_object();

	put_text(json, "id", sim_str(file->id));
	put_text(json, "name", sim_str(file->name));
	put_text(json, "type", sim_str(file->type));
	json_object_set_new(json, "size", json_integer((json_int_t)file->size));
	return json;
}

/* put_text() takes any bytes; writing the whole out tells whether all of it is UTF-8. */
static bool is_clean(const json_t *json)
{
	char *text = json_dumps(json, 0);
	bool is_utf8 = text != NULL;

	free(text);
	return is_utf8;
}

/* New reference, or NULL if some text is not UTF-8. */
static json_t *bubble(struct simulator *sim, const pa_message *message, const struct file *file)
{
	char id[STORE_ID_BYTES];
	json_t *json;

	store_make_id(sim->store, id, sizeof(id));
	json = json_pack("{s:s, s:s, s:s, s:s, s:I}", "id", id, "from", "bot", "kind",
			 kind_words[message->kind], "state", "sent", "at",
			 (json_int_t)(sim_now_ns(sim) / 1000000));
	put_text(json, "header", message->header);
	put_text(json, "body", message->body);
	put_text(json, "footer", message->footer);
	put_text(json, "list_button", message->list_button);
	put_text(json, "reply_to", message->reply_to);
	if (message->choices_count)
		json_object_set_new(json, "choices", choices_json(message));
	if (file)
		json_object_set_new(json, "media", file_json(file));
	if (is_clean(json))
		return json;
	json_decref(json);
	return NULL;
}

static pa_str recipient(const pa_message *message)
{
	return message->phone.len ? message->phone : message->user_id;
}

static bool is_named(const struct item *item, pa_str id)
{
	return strlen(item->id) == id.len && !memcmp(item->id, id.ptr, id.len);
}

/* What the customer wrote has reached the other side: all that it has taken; with up_to, that item
 * and those before it, also if the news that it was taken is still on its way to the courier. */
static void mark_customers(struct simulator *sim, struct person *person, pa_str up_to,
			   uint32_t state, const char *word)
{
	bool is_reached = up_to.len == 0;
	uint32_t lowest = up_to.len ? 0 : PA_STATUS_SENT;

	for (size_t i = person->chat.count; i-- > 0;) {
		struct item *item = person->chat.items[i];

		is_reached = is_reached || is_named(item, up_to);
		if (is_reached && item->by_customer && item->state >= lowest && item->state < state)
			store_set_state(sim->store, person, item, state, word, true);
	}
}

static pa_outcome mark_read(struct simulator *sim, struct person *person, const pa_message *message)
{
	mark_customers(sim, person, message->reply_to, PA_STATUS_READ, "read");
	if (message->flags & PA_OUT_FLAG_TYPING) {
		person->typing_ms = sim_monotonic_ms() + TYPING_MS;
		store_touch(sim->store, person);
	}
	return (pa_outcome){.size = sizeof(pa_outcome), .result = PA_OUTCOME_SENT};
}

/* A phone that has not written since the simulator began may have written before: the daemon knows
 * (its own gate keeps the window), the simulator can't, and must not refuse an answer that was
 * under way when the daemon was restarted. */
static bool is_window_open(const struct simulator *sim, const struct person *person)
{
	int64_t heard_ns = person->heard_ns ? person->heard_ns : store_since_ns(sim->store);

	return sim_now_ns(sim) - heard_ns < WINDOW_NS;
}

static const struct file *file_of(struct simulator *sim, const pa_message *message)
{
	if (message->media_bytes.len)
		return store_keep_file(sim->store, message->media_name, message->media_type,
				       message->media_bytes);
	if (message->media_id.len < STORE_ID_BYTES) {
		char id[STORE_ID_BYTES] = {0};

		memcpy(id, message->media_id.ptr, message->media_id.len);
		return store_file(sim->store, id);
	}
	return NULL;
}

static bool needs_file(const pa_message *message)
{
	return message->kind == PA_OUT_DOCUMENT || message->kind == PA_OUT_IMAGE;
}

/* Puts it on the phone. The id given back lives as long as the item. */
static pa_outcome show(struct simulator *sim, struct person *person, const pa_message *message)
{
	bool is_chat = message->medium != PA_MEDIUM_SMS;
	const struct file *file = needs_file(message) ? file_of(sim, message) : NULL;
	json_t *json;
	struct item *item;

	if (needs_file(message) && !file)
		return refusal(LIMITS_CODE_PARAMETER, "the file is unknown or too large");
	json = bubble(sim, message, file);
	if (!json)
		return refusal(LIMITS_CODE_PARAMETER, "a text is not UTF-8");
	if (is_chat) {
		mark_customers(sim, person, (pa_str){0}, PA_STATUS_DELIVERED, "delivered");
		person->typing_ms = 0;
		person->spoken++;
	}
	item = store_append(sim->store, person, is_chat ? &person->chat : &person->sms, json);
	item->ref = sim_dup(message->ref);
	item->state = PA_STATUS_SENT;
	courier_take_status(sim->courier, person, item, PA_STATUS_SENT, sim_now_ns(sim));
	return (pa_outcome){
		.size = sizeof(pa_outcome),
		.result = PA_OUTCOME_SENT,
		.external_id = sim_str(item->id),
	};
}

/* Lock held. */
static pa_outcome carry(struct simulator *sim, const pa_message *message)
{
	const char *reason;
	struct person *person;

	if (!store_is_key(recipient(message)))
		return refusal(LIMITS_CODE_PARAMETER, "there is no valid recipient");
	person = store_person(sim->store, recipient(message));
	if (message->kind == PA_OUT_READ_MARK)
		return mark_read(sim, person, message);
	reason = limits_broken_by(message);
	if (reason)
		return refusal(LIMITS_CODE_PARAMETER, reason);
	if (message->device_key.len)
		return refusal(LIMITS_CODE_PARAMETER, "simulated phones have no device key");
	if (message->medium != PA_MEDIUM_SMS && !is_window_open(sim, person))
		return refusal(LIMITS_CODE_WINDOW, "the 24 h window is closed");
	return show(sim, person, message);
}

pa_status outgoing_step(struct simulator *sim, int64_t wait_ms)
{
	const pa_message *message;
	pa_outcome outcome;
	pa_status status = sim->session_host->next(sim->session, wait_ms, &message);

	if (status != PA_OK)
		return status;
	pthread_mutex_lock(&sim->lock);
	outcome = carry(sim, message);
	sim->session_host->outcome(sim->session, message, &outcome);
	web_wake(sim->web);
	pthread_mutex_unlock(&sim->lock);
	return PA_OK;
}
