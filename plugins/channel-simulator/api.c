/* SPDX-License-Identifier: Apache-2.0 */
#include "api.h"

#include "courier.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS_MAX 20000
#define MESSAGE_WAIT_MS (SIM_CALL_MS + 2000)
#define TEXT_BYTES_MAX 65536u
#define FIELD_BYTES_MAX 1024u

struct route {
	bool is_post;
	const char *path;
	size_t body_max;
	bool (*handle)(struct simulator *sim, struct api_request *request, bool is_closing,
		       struct api_answer *ret_answer);
};

static bool answer_json(struct api_answer *answer, unsigned status, json_t *json)
{
	answer->status = status;
	answer->json = json;
	return true;
}

static bool answer_error(struct api_answer *answer, unsigned status, const char *what)
{
	return answer_json(answer, status, json_pack("{s:s}", "error", what));
}

/* A whole number from the query; fallback if it is missing or no number. */
static uint64_t number_argument(const struct api_request *request, const char *name,
				uint64_t fallback)
{
	const char *text = request->argument(request, name);
	char *end;
	unsigned long long number;

	if (!text || *text < '0' || *text > '9')
		return fallback;
	errno = 0;
	number = strtoull(text, &end, 10);
	return errno || *end ? fallback : number;
}

static bool get_customers(struct simulator *sim, struct api_request *request, bool is_closing,
			  struct api_answer *ret_answer)
{
	(void)request;
	(void)is_closing;
	return answer_json(ret_answer, 200,
			   json_pack("{s:s, s:s, s:O}", "business", sim->business, "account",
				     sim->account, "customers", sim->customers));
}

/* ---- GET /api/events ---- */

/* What the page has got is delivered: the phone says so. */
static void note_delivered(struct simulator *sim, struct person *person, struct thread *thread,
			   uint64_t after)
{
	for (size_t i = 0; i < thread->count; i++) {
		struct item *item = thread->items[i];

		if (item->by_customer || item->seq > after || item->state >= PA_STATUS_DELIVERED)
			continue;
		store_set_state(sim->store, person, item, PA_STATUS_DELIVERED, "delivered", false);
		courier_take_status(sim->courier, person, item, PA_STATUS_DELIVERED,
				    sim_now_ns(sim));
	}
}

static json_t *events_json(struct simulator *sim, const struct person *phone,
			   const struct person *mobile, uint64_t after)
{
	json_t *chat = store_news(&phone->chat, after);
	json_t *sms = mobile ? store_news(&mobile->sms, after) : json_array();

	return json_pack("{s:s, s:I, s:I, s:b, s:o, s:o}", "epoch", store_epoch(sim->store), "next",
			 (json_int_t)store_seq(sim->store), "now",
			 (json_int_t)(sim_now_ns(sim) / 1000000), "typing",
			 phone->typing_ms > sim_monotonic_ms(), "chat", chat, "sms", sms);
}

/* The mobile whose SMS are asked for: NULL if the user shows no number and names none. */
static struct person *sms_person(struct simulator *sim, const struct api_request *request)
{
	pa_str mobile = sim_str(request->argument(request, "sms"));

	if (!mobile.len)
		mobile = sim_str(request->argument(request, "phone"));
	return store_is_phone(mobile) ? store_person(sim->store, mobile) : NULL;
}

static bool get_events(struct simulator *sim, struct api_request *request, bool is_closing,
		       struct api_answer *ret_answer)
{
	pa_str key = sim_str(request->argument(request, "phone"));
	uint64_t after = number_argument(request, "after", 0);
	uint64_t wait_ms = number_argument(request, "wait", WAIT_MS_MAX);
	const char *epoch = request->argument(request, "epoch");
	struct person *phone;
	struct person *mobile;

	if (!store_is_key(key))
		return answer_error(ret_answer, 400, "phone: digits or a user id");
	if (epoch && strcmp(epoch, store_epoch(sim->store)) != 0) {
		after = 0;
		wait_ms = 0;
	}
	mobile = sms_person(sim, request);
	phone = store_person(sim->store, key);
	if (!request->is_begun) {
		request->is_begun = true;
		request->wait_until_ms = sim_monotonic_ms() +
					 (int64_t)(wait_ms < WAIT_MS_MAX ? wait_ms : WAIT_MS_MAX);
		note_delivered(sim, phone, &phone->chat, after);
		if (mobile)
			note_delivered(sim, mobile, &mobile->sms, after);
	}
	if (phone->changed <= after && (!mobile || mobile->changed <= after) && !is_closing &&
	    sim_monotonic_ms() < request->wait_until_ms)
		return false;
	return answer_json(ret_answer, 200, events_json(sim, phone, mobile, after));
}

/* ---- POST /api/read ---- */

static bool post_read(struct simulator *sim, struct api_request *request, bool is_closing,
		      struct api_answer *ret_answer)
{
	json_t *json SIM_CLEANUP(sim_unref_json) =
		json_loadb(request->body.ptr, request->body.len, JSON_REJECT_DUPLICATES, NULL);
	const char *key = json_string_value(json_object_get(json, "phone"));
	json_int_t upto = json_integer_value(json_object_get(json, "upto"));
	struct person *person;

	if (!store_is_key(sim_str(key)) || upto < 0)
		return answer_error(ret_answer, 400, "phone or upto is missing or wrong");
	if (is_closing)
		return answer_error(ret_answer, 503, "closing");
	person = store_person(sim->store, sim_str(key));
	for (size_t i = 0; i < person->chat.count; i++) {
		struct item *item = person->chat.items[i];

		if (item->by_customer || item->seq > (uint64_t)upto ||
		    item->state >= PA_STATUS_READ)
			continue;
		store_set_state(sim->store, person, item, PA_STATUS_READ, "read", false);
		courier_take_status(sim->courier, person, item, PA_STATUS_READ, sim_now_ns(sim));
	}
	return answer_json(ret_answer, 200, json_object());
}

/* ---- POST /api/message ---- */

static const struct message_type {
	const char *name;
	bool needs_text;
	bool needs_reply_id;
	bool needs_media;
	bool needs_context;
} message_types[] = {
	{.name = "text", .needs_text = true},
	{.name = "button", .needs_text = true, .needs_reply_id = true},
	{.name = "row", .needs_text = true, .needs_reply_id = true},
	{.name = "image", .needs_media = true},
	{.name = "video", .needs_media = true},
	{.name = "audio", .needs_media = true},
	{.name = "document", .needs_media = true},
	{.name = "sticker", .needs_media = true},
	{.name = "reaction", .needs_context = true},
	{.name = "location"},
	{.name = "contacts"},
	{.name = "unsupported"},
};

static const struct message_type *find_type(const char *name)
{
	for (size_t i = 0; name && i < sizeof(message_types) / sizeof(message_types[0]); i++) {
		if (!strcmp(message_types[i].name, name))
			return &message_types[i];
	}
	return NULL;
}

static size_t text_length(const json_t *posted, const char *name)
{
	return json_string_length(json_object_get(posted, name));
}

/* Ids travel in logs of tests and in URLs: letters, digits, point, dash, underscore. */
static bool is_plain_id(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && *text && json_string_length(value) < STORE_ID_BYTES - 8 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       json_string_length(value);
}

/* NULL if the posted message is well formed. */
static const char *message_problem(const struct simulator *sim, const json_t *posted)
{
	const json_t *id = json_object_get(posted, "id");
	const struct message_type *type =
		find_type(json_string_value(json_object_get(posted, "type")));
	const char *media_id = json_string_value(json_object_get(posted, "media_id"));

	if (!store_is_key(sim_str(json_string_value(json_object_get(posted, "from")))))
		return "from: digits or a user id";
	if (!type)
		return "type: not one that a phone sends";
	if (id && !is_plain_id(id))
		return "id: 1 to 71 letters, digits, points, dashes";
	if (text_length(posted, "text") > TEXT_BYTES_MAX)
		return "text: too long";
	if (text_length(posted, "context_id") >= STORE_ID_BYTES ||
	    text_length(posted, "reply_id") > FIELD_BYTES_MAX ||
	    text_length(posted, "name") > FIELD_BYTES_MAX ||
	    text_length(posted, "detail") > TEXT_BYTES_MAX)
		return "context_id, reply_id, name or detail: too long";
	if (type->needs_text && !text_length(posted, "text"))
		return "text: missing";
	if (type->needs_reply_id && !text_length(posted, "reply_id"))
		return "reply_id: missing";
	if (type->needs_context && !text_length(posted, "context_id"))
		return "context_id: missing";
	if (type->needs_media && (!media_id || !store_file(sim->store, media_id)))
		return "media_id: unknown";
	return NULL;
}

/* Copies a field of the posted message under the name it has in a bubble. */
static void copy_field(json_t *bubble, const char *name, const json_t *posted, const char *from)
{
	json_t *value = json_object_get(posted, from);

	if (json_string_length(value))
		json_object_set(bubble, name, value);
}

static json_t *bubble_of(struct simulator *sim, const json_t *posted, const char *id)
{
	json_t *bubble = json_pack("{s:s, s:s, s:s, s:I}", "id", id, "from", "customer", "state",
				   "pending", "at", (json_int_t)(sim_now_ns(sim) / 1000000));
	const char *media_id = json_string_value(json_object_get(posted, "media_id"));
	const struct file *file = media_id ? store_file(sim->store, media_id) : NULL;

	copy_field(bubble, "kind", posted, "type");
	copy_field(bubble, "body", posted, "text");
	copy_field(bubble, "reply_id", posted, "reply_id");
	copy_field(bubble, "reply_to", posted, "context_id");
	copy_field(bubble, "name", posted, "name");
	copy_field(bubble, "detail", posted, "detail");
	if (json_is_true(json_object_get(posted, "voice")))
		json_object_set_new(bubble, "voice", json_true());
	if (file)
		json_object_set_new(bubble, "media",
				    json_pack("{s:s, s:s, s:s, s:I}", "id", file->id, "name",
					      file->name, "type", file->type, "size",
					      (json_int_t)file->size));
	return bubble;
}

/* The same id posted again is the same message: taken to the daemon again unless it has it. */
static bool begin_message(struct simulator *sim, struct person *person, const json_t *posted,
			  const char *id)
{
	struct item *item = store_find(&person->chat, id);

	if (!item) {
		item = store_append(sim->store, person, &person->chat, bubble_of(sim, posted, id));
		item->by_customer = true;
	}
	if (item->state != 0)
		return true;
	person->heard_ns = json_integer_value(json_object_get(item->json, "at")) * 1000000;
	store_set_state(sim->store, person, item, 0, "pending", true);
	if (courier_take_message(sim->courier, person, item))
		return true;
	store_set_state(sim->store, person, item, 0, "retrying", true);
	return false;
}

static const char *message_state(const struct simulator *sim, const struct api_request *request)
{
	const struct person *person = store_person(sim->store, sim_str(request->key));
	const struct item *item = store_find(&person->chat, request->id);

	return item ? json_string_value(json_object_get(item->json, "state")) : "retrying";
}

static bool answer_message(const struct api_request *request, const char *state,
			   struct api_answer *ret_answer)
{
	unsigned status = 200;

	if (!strcmp(state, "failed"))
		status = 422;
	else if (!strcmp(state, "retrying") || !strcmp(state, "pending"))
		status = 503;
	return answer_json(ret_answer, status,
			   json_pack("{s:s, s:s}", "id", request->id, "state", state));
}

static void name_message(struct simulator *sim, struct api_request *request, const json_t *posted)
{
	const char *id = json_string_value(json_object_get(posted, "id"));

	snprintf(request->key, sizeof(request->key), "%s",
		 json_string_value(json_object_get(posted, "from")));
	if (id)
		snprintf(request->id, sizeof(request->id), "sim.%s", id);
	else
		store_make_id(sim->store, request->id, sizeof(request->id));
}

static bool post_message(struct simulator *sim, struct api_request *request, bool is_closing,
			 struct api_answer *ret_answer)
{
	json_t *posted SIM_CLEANUP(sim_unref_json) = NULL;
	const char *state;

	if (!request->is_begun) {
		const char *problem;

		posted = json_loadb(request->body.ptr, request->body.len,
				    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
		problem = json_is_object(posted) ? message_problem(sim, posted) : "not JSON";
		if (problem)
			return answer_error(ret_answer, 400, problem);
		if (is_closing)
			return answer_error(ret_answer, 503, "closing");
		name_message(sim, request, posted);
		request->is_begun = true;
		request->wait_until_ms = sim_monotonic_ms() + MESSAGE_WAIT_MS;
		if (!begin_message(sim, store_person(sim->store, sim_str(request->key)), posted,
				   request->id))
			return answer_message(request, "retrying", ret_answer);
	}
	state = message_state(sim, request);
	if (!strcmp(state, "pending") && !is_closing && sim_monotonic_ms() < request->wait_until_ms)
		return false;
	return answer_message(request, state, ret_answer);
}

/* ---- files ---- */

/* type "/" subtype of RFC 6838, 4.2, or a word that says nothing. */
static pa_str media_type(const char *claimed)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789!#$&-^_.+/";
	pa_str type = sim_str(claimed);

	type.len = type.ptr ? strcspn(type.ptr, "; ") : 0;
	if (!type.len || type.len > 127 || strspn(type.ptr, allowed) < type.len ||
	    !memchr(type.ptr, '/', type.len))
		return sim_str("application/octet-stream");
	return type;
}

static bool post_media(struct simulator *sim, struct api_request *request, bool is_closing,
		       struct api_answer *ret_answer)
{
	json_t *name SIM_CLEANUP(sim_unref_json) = json_string(request->argument(request, "name"));
	const struct file *file;

	(void)is_closing;
	if (json_string_length(name) > 240 || !json_string_length(name))
		return answer_error(ret_answer, 400, "name: missing, too long or not UTF-8");
	file = store_keep_file(sim->store,
			       (pa_str){json_string_value(name), json_string_length(name)},
			       media_type(request->content_type), request->body);
	if (!file)
		return answer_error(ret_answer, 400, "empty or too large");
	return answer_json(ret_answer, 200,
			   json_pack("{s:s, s:I}", "id", file->id, "size", (json_int_t)file->size));
}

static bool get_media(struct simulator *sim, struct api_request *request, bool is_closing,
		      struct api_answer *ret_answer)
{
	const char *id = request->argument(request, "id");
	const struct file *file = id ? store_file(sim->store, id) : NULL;

	(void)is_closing;
	if (!file)
		return answer_error(ret_answer, 404, "unknown, or it has given way to newer files");
	ret_answer->status = 200;
	ret_answer->file = file;
	return true;
}

/* ---- routes ---- */

static const struct route routes[] = {
	{false, "/api/customers", 0, get_customers},
	{false, "/api/events", 0, get_events},
	{true, "/api/message", API_JSON_BYTES, post_message},
	{true, "/api/read", API_JSON_BYTES, post_read},
	{true, "/api/media", STORE_FILE_BYTES, post_media},
	{false, "/api/media", 0, get_media},
};

size_t api_body_max(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (routes[i].is_post && !strcmp(routes[i].path, path))
			return routes[i].body_max;
	}
	return 0;
}

bool api_handle(struct simulator *sim, struct api_request *request, bool is_closing,
		struct api_answer *ret_answer)
{
	bool is_known = false;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(routes[i].path, request->path) != 0)
			continue;
		is_known = true;
		if (routes[i].is_post == request->is_post)
			return routes[i].handle(sim, request, is_closing, ret_answer);
	}
	return answer_error(ret_answer, is_known ? 405 : 404,
			    is_known ? "another method" : "no such thing");
}
