/* SPDX-License-Identifier: Apache-2.0 */
#include "courier.h"

#include "web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MESSAGES_MAX 64u
#define STATUSES_MAX 1024u
#define BATCH_MAX 100u
#define RETRY_MS 1000
#define UNIQUE_BYTES (STORE_ID_BYTES + 16u)

/* A customer's message on its way: a copy of the item, so that the store may change meanwhile. */
struct parcel {
	char key[STORE_KEY_BYTES];
	json_t *json;
	uint64_t spoken; /* the person's, when it left */
};

struct receipt {
	char key[STORE_KEY_BYTES];
	char id[STORE_ID_BYTES];
	char unique[UNIQUE_BYTES];
	char *ref;
	uint32_t status;
	int64_t at_ns;
};

struct courier {
	struct simulator *sim;
	pthread_t thread;
	pthread_cond_t something; /* under the simulator's lock */
	bool is_stopping;
	struct parcel parcels[MESSAGES_MAX];
	size_t parcels_count;
	struct receipt receipts[STATUSES_MAX];
	size_t receipts_count;
	int64_t receipts_after_ms; /* the daemon asked to come again: not before */

	/* What is being delivered: the courier's thread only. */
	struct receipt batch[BATCH_MAX];
	pa_event events[BATCH_MAX];
	const pa_event *list[BATCH_MAX];
};

static const struct {
	const char *kind;
	uint32_t message_kind;
} kinds[] = {
	{"text", PA_IN_TEXT},         {"button", PA_IN_BUTTON},
	{"row", PA_IN_ROW},           {"image", PA_IN_IMAGE},
	{"video", PA_IN_VIDEO},       {"audio", PA_IN_AUDIO},
	{"document", PA_IN_DOCUMENT}, {"sticker", PA_IN_STICKER},
	{"location", PA_IN_LOCATION}, {"contacts", PA_IN_CONTACTS},
	{"reaction", PA_IN_REACTION}, {"unsupported", PA_IN_UNSUPPORTED},
};

static uint32_t kind_of(const char *word)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(kinds[i].kind, word))
			return kinds[i].message_kind;
	}
	return PA_IN_OTHER;
}

static pa_str field(const json_t *json, const char *name)
{
	const json_t *value = json_object_get(json, name);
	pa_str absent = {0};

	if (!json_is_string(value))
		return absent;
	return (pa_str){json_string_value(value), json_string_length(value)};
}

static void set_person(pa_event *event, const char *key)
{
	if (store_is_phone(sim_str(key)))
		event->phone = sim_str(key);
	else
		event->user_id = sim_str(key);
}

static pa_event message_event(const struct simulator *sim, const struct parcel *parcel)
{
	const json_t *json = parcel->json;
	const json_t *media = json_object_get(json, "media");
	pa_event event = {
		.size = sizeof(event),
		.kind = PA_EVENT_MESSAGE,
		.message_kind = kind_of(json_string_value(json_object_get(json, "kind"))),
		.flags = json_is_true(json_object_get(json, "voice")) ? PA_EVENT_VOICE : 0,
		.at_ns = json_integer_value(json_object_get(json, "at")) * 1000000,
		.unique = field(json, "id"),
		.account = sim_str(sim->account),
		.id = field(json, "id"),
		.name = field(json, "name"),
		.type = field(json, "kind"),
		.text = field(json, "body"),
		.reply_id = field(json, "reply_id"),
		.media_id = field(media, "id"),
		.media_type = field(media, "type"),
		.media_name = field(media, "name"),
		.context_id = field(json, "reply_to"),
		.detail = field(json, "detail"),
	};

	set_person(&event, parcel->key);
	return event;
}

static pa_event receipt_event(const struct simulator *sim, const struct receipt *receipt)
{
	pa_event event = {
		.size = sizeof(event),
		.kind = PA_EVENT_STATUS,
		.status = receipt->status,
		.at_ns = receipt->at_ns,
		.unique = sim_str(receipt->unique),
		.account = sim_str(sim->account),
		.id = sim_str(receipt->id),
		.ref = sim_str(receipt->ref),
	};

	set_person(&event, receipt->key);
	return event;
}

static pa_status deliver(const struct simulator *sim, const pa_event *const *events, size_t count)
{
	pa_error err = {.size = sizeof(err)};
	pa_call *call = sim->session_host->begin_call(sim->session, SIM_CALL_MS);
	pa_status status = sim->session_host->deliver(sim->session, call, events, count, &err);

	if (status != PA_OK && status != PA_RETRY && status != PA_DEADLINE)
		sim->host->log(call, PA_LOG_WARNING,
			       sim_str("The daemon refused an event of the simulator."));
	sim->session_host->end_call(sim->session, call);
	return status;
}

/* Retrying is the poster's work, so that it survives the daemon's death too. Lock held. */
static void note_message(struct simulator *sim, const struct parcel *parcel, pa_status status)
{
	struct person *person = store_person(sim->store, sim_str(parcel->key));
	struct item *item = store_find(&person->chat, field(parcel->json, "id").ptr);

	if (!item || item->state != 0)
		return;
	if (status == PA_OK && person->spoken != parcel->spoken) /* answered already */
		store_set_state(sim->store, person, item, PA_STATUS_DELIVERED, "delivered", true);
	else if (status == PA_OK)
		store_set_state(sim->store, person, item, PA_STATUS_SENT, "sent", true);
	else if (status == PA_RETRY || status == PA_DEADLINE)
		store_set_state(sim->store, person, item, 0, "retrying", true);
	else
		store_set_state(sim->store, person, item, PA_STATUS_FAILED, "failed", true);
	web_wake(sim->web);
}

static void deliver_message(struct courier *courier)
{
	struct simulator *sim = courier->sim;
	struct parcel parcel = courier->parcels[0];
	const pa_event event = message_event(sim, &parcel);
	const pa_event *const events[] = {&event};
	pa_status status;

	courier->parcels_count--;
	memmove(courier->parcels, courier->parcels + 1, courier->parcels_count * sizeof(parcel));
	pthread_mutex_unlock(&sim->lock);
	status = deliver(sim, events, 1);
	pthread_mutex_lock(&sim->lock);
	note_message(sim, &parcel, status);
	json_decref(parcel.json);
}

static void drop_receipts(struct courier *courier, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(courier->receipts[i].ref);
	courier->receipts_count -= count;
	memmove(courier->receipts, courier->receipts + count,
		courier->receipts_count * sizeof(courier->receipts[0]));
}

/* Moves the oldest receipts into the batch; how many. */
static size_t fill_batch(struct courier *courier)
{
	size_t count = courier->receipts_count < BATCH_MAX ? courier->receipts_count : BATCH_MAX;

	memcpy(courier->batch, courier->receipts, count * sizeof(courier->batch[0]));
	for (size_t i = 0; i < count; i++) {
		courier->receipts[i].ref = NULL;
		courier->events[i] = receipt_event(courier->sim, &courier->batch[i]);
		courier->list[i] = &courier->events[i];
	}
	drop_receipts(courier, count);
	return count;
}

/* Puts the batch back in front of what came meanwhile. */
static void return_batch(struct courier *courier, size_t count)
{
	memmove(courier->receipts + count, courier->receipts,
		courier->receipts_count * sizeof(courier->receipts[0]));
	memcpy(courier->receipts, courier->batch, count * sizeof(courier->batch[0]));
	courier->receipts_count += count;
	courier->receipts_after_ms = sim_monotonic_ms() + RETRY_MS;
}

static void deliver_receipts(struct courier *courier)
{
	struct simulator *sim = courier->sim;
	size_t count = fill_batch(courier);
	pa_status status;

	pthread_mutex_unlock(&sim->lock);
	status = deliver(sim, courier->list, count);
	pthread_mutex_lock(&sim->lock);
	if ((status == PA_RETRY || status == PA_DEADLINE) &&
	    courier->receipts_count + count <= STATUSES_MAX) {
		return_batch(courier, count);
		return;
	}
	for (size_t i = 0; i < count; i++)
		free(courier->batch[i].ref);
}

static void wait_a_little(struct courier *courier)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 1;
	pthread_cond_timedwait(&courier->something, &courier->sim->lock, &until);
}

static void *courier_main(void *arg)
{
	struct courier *courier = arg;
	struct simulator *sim = courier->sim;

	pthread_mutex_lock(&sim->lock);
	while (!courier->is_stopping) {
		if (courier->parcels_count)
			deliver_message(courier);
		else if (courier->receipts_count &&
			 sim_monotonic_ms() >= courier->receipts_after_ms)
			deliver_receipts(courier);
		else
			wait_a_little(courier);
	}
	pthread_mutex_unlock(&sim->lock);
	return NULL;
}

pa_status courier_start(struct simulator *sim, pa_error *err)
{
	struct courier *courier = sim_alloc(sizeof(*courier));
	pthread_condattr_t clock;
	int failure;

	courier->sim = sim;
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&courier->something, &clock);
	pthread_condattr_destroy(&clock);
	failure = pthread_create(&courier->thread, NULL, courier_main, courier);
	if (failure) {
		pthread_cond_destroy(&courier->something);
		free(courier);
		sim_error(err, "no thread for the simulator: %s", strerror(failure));
		return PA_RETRY;
	}
	sim->courier = courier;
	return PA_OK;
}

void courier_stop(struct simulator *sim)
{
	struct courier *courier = sim->courier;

	pthread_mutex_lock(&sim->lock);
	courier->is_stopping = true;
	pthread_cond_signal(&courier->something);
	pthread_mutex_unlock(&sim->lock);
	pthread_join(courier->thread, NULL);

	pthread_mutex_lock(&sim->lock);
	for (size_t i = 0; i < courier->parcels_count; i++) {
		note_message(sim, &courier->parcels[i], PA_RETRY);
		json_decref(courier->parcels[i].json);
	}
	drop_receipts(courier, courier->receipts_count);
	sim->courier = NULL;
	pthread_mutex_unlock(&sim->lock);
	pthread_cond_destroy(&courier->something);
	free(courier);
}

bool courier_take_message(struct courier *courier, const struct person *person,
			  const struct item *item)
{
	struct parcel *parcel = &courier->parcels[courier->parcels_count];

	if (courier->is_stopping || courier->parcels_count == MESSAGES_MAX)
		return false;
	memcpy(parcel->key, person->key, sizeof(parcel->key));
	parcel->json = json_deep_copy(item->json);
	parcel->spoken = person->spoken;
	courier->parcels_count++;
	pthread_cond_signal(&courier->something);
	return true;
}

void courier_take_status(struct courier *courier, const struct person *person,
			 const struct item *item, uint32_t status, int64_t now_ns)
{
	struct receipt *receipt;

	if (courier->receipts_count == STATUSES_MAX)
		drop_receipts(courier, 1);
	receipt = &courier->receipts[courier->receipts_count++];
	memcpy(receipt->key, person->key, sizeof(receipt->key));
	memcpy(receipt->id, item->id, sizeof(receipt->id));
	snprintf(receipt->unique, sizeof(receipt->unique), "%s:%u", item->id, status);
	receipt->ref = sim_dup(sim_str(item->ref));
	receipt->status = status;
	receipt->at_ns = now_ns;
	pthread_cond_signal(&courier->something);
}
