/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/intake.h"

#include "base/err.h"
#include "io/clock.h"
#include "io/log.h"
#include "queue/codec.h"
#include "queue/contacts.h"
#include "queue/dispatch.h"
#include "queue/flight.h"
#include "queue/ids.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define POST_ARENA_CAP ((size_t)128 << 20)
#define PARSE_MS 2000
#define MAX_EVENT ((size_t)8 << 20)
#define MAX_TOGETHER 64 /* posts worked on together */

struct intake {
	struct intake_options options;
	struct contacts *contacts;
	struct mailbox box;
	pthread_t thread;
	_Atomic bool is_stopping;
	_Atomic bool is_shut;
	_Atomic size_t unanswered;
};

/* ---- verify and parse ---- */

/* Refuses a delivery before anything of it was stored. */
static void reject(struct post *post, unsigned status, const char *sentence)
{
	struct intake *intake = post->arg;

	http_exchange_refuse(post->exchange, status, sentence);
	atomic_fetch_sub(&intake->unanswered, 1);
	post_unref(post);
}

static pa_status verify(struct post *post, pa_call *call, pa_error *err)
{
	const pa_channel_ops *ops = post->channel->ops;
	const pa_http_request *request = http_exchange_request(post->exchange);
	void *self = call_self(call);
	pa_status status;

	if (post->is_receipt)
		status = ops->receipt(self, call, request, &post->events, &post->events_count, err);
	else
		status = ops->verify(self, call, request, err);
	if (status == PA_REJECTED)
		meter_add(&post->channel->counts.forged, 1);
	return status;
}

/* True if the post may go on; otherwise it was answered. */
static bool open_post(struct post *post)
{
	pa_error err = ERROR_INIT;
	pa_call *call;
	pa_status status;

	if (!post->exchange)
		return true;
	call = plugin_call_begin(post->channel->plugin, post->arena, PARSE_MS);
	if (!call) {
		reject(post, 503, "The channel is busy.");
		return false;
	}
	status = verify(post, call, &err);
	if (status == PA_OK && !post->is_receipt) {
		post->body = http_exchange_request(post->exchange)->body;
		if (post->channel->ops->parse(call_self(call), call, post->body, &post->events,
					      &post->events_count, &err) != PA_OK) {
			plugin_error_clean(&err);
			log_warning(LOG_IDS(.channel = post->channel->name),
				    "a delivery can't be read and is kept as it is: %s",
				    error_text(&err));
			post->events_count = 0;
		}
	}
	plugin_call_end(call);
	if (status == PA_OK)
		return true;
	plugin_error_clean(&err);
	log_info(LOG_IDS(.channel = post->channel->name), "a delivery was refused: %s",
		 error_text(&err));
	reject(post, status == PA_REJECTED ? 403 : 503,
	       status == PA_REJECTED ? "Not signed by the provider." : "Try again.");
	return false;
}

/* ---- items ---- */

static struct channel *channel_of(struct intake *intake, struct post *post, const pa_event *event)
{
	if (!event->account.len || !post->channel->config->account[0])
		return post->channel;
	for (size_t i = 0; i < intake->options.channels->count; i++) {
		struct channel *channel = &intake->options.channels->list[i];

		if (strcmp(channel->config->plugin, post->channel->config->plugin) == 0 &&
		    str_equal(str_from(channel->config->account), event->account))
			return channel;
	}
	return NULL;
}

static void make_key(struct intake *intake, const struct post *post, pa_str unique, char *out)
{
	pa_str text = arena_format(post->arena, "%s|%.*s", post->channel->name, PA_FMT(unique));

	keyring_tag(intake->options.ring, "event unique", text, (uint8_t *)out);
}

/* Whether an event is a turn's business: a person's doing, to a number of ours. */
static bool is_work(const pa_event *event, const struct channel *channel,
		    const struct contact *contact)
{
	return contact && channel && !(event->flags & PA_EVENT_ECHO) &&
	       (event->kind == PA_EVENT_MESSAGE || event->kind == PA_EVENT_SYSTEM);
}

/* body: of which the event is all, or absent. */
static pa_str pack_event(const struct post *post, const pa_event *event, pa_str body)
{
	struct buf packed PA_CLEANUP(buf_done) = BUF_INIT(MAX_EVENT);

	receipt_pack(&packed, event, body);
	return packed.is_over ? PA_STR_ABSENT : arena_copy(post->arena, buf_str(&packed));
}

static pa_status make_event(struct intake *intake, struct post *post, size_t at,
			    struct event_item *item, pa_error *err)
{
	const pa_event *event = post->events[at];
	struct channel *channel = channel_of(intake, post, event);
	struct contact *contact;
	pa_status status;

	item->item.kind = ITEM_EVENT;
	item->post = post;
	item->kind = (int16_t)event->kind;
	item->happened_ns = event->at_ns > 0 ? event->at_ns : clock_now_ns();
	item->plain = pack_event(post, event, PA_STR_ABSENT);
	item->id = ids_next();
	if (!item->id || !item->plain.ptr)
		return error_set(err, PA_RETRY, "no ids left, or an event is too large");
	item->tags_count = 0;
	status = contacts_resolve(intake->contacts, event, &post->tags[at], post->arena, &contact,
				  item->tags, &item->tags_count, err);
	if (status != PA_OK)
		return status;
	if (contact) {
		item->contact = contact_ref(contact);
		item->conversation = conversation_id(contact->id, channel ? channel->number
									  : post->channel->number);
	}
	item->is_work = is_work(event, channel, contact);
	item->payload = seal_arena(post->arena,
				   contact ? &contact->key : keyring_store(intake->options.ring),
				   PA_STR("inbox"), item->plain);
	make_key(intake, post, event->unique, item->key);
	item->key_len = TAG_BYTES;
	return PA_OK;
}

/* Whether a status says of which message of ours it is: by our reference, or, where receipts don't
 * echo it, by the provider's id. */
static bool names_message(const struct intake *intake, const struct post *post,
			  const pa_event *event, struct receipt_item *item)
{
	if (outbound_ref_parse(event->ref, &item->outbox_id, &item->outbox_at_ns))
		return true;
	if (post->channel->ops->features & PA_FEATURE_ECHOES_REF || !event->id.len ||
	    event->id.len > MAX_EXTERNAL)
		return false;
	outbound_external_tag(intake->options.ring, post->channel, event->id, item->external_tag);
	return true;
}

/* A status of a message of ours, or NULL if it is not one. */
static struct receipt_item *make_receipt(struct intake *intake, struct post *post, size_t at)
{
	const pa_event *event = post->events[at];
	struct receipt_item *item;
	struct contact *contact = NULL;
	pa_str tags[MAX_ADDRESSES], plain;
	size_t tags_count;
	pa_error err = ERROR_INIT;

	item = ARENA_NEW(post->arena, struct receipt_item);
	if (event->kind != PA_EVENT_STATUS || event->status < PA_STATUS_SENT ||
	    event->status > PA_STATUS_FAILED || !names_message(intake, post, event, item))
		return NULL;
	plain = pack_event(post, event, post->events_count == 1 ? post->body : PA_STR_ABSENT);
	item->item.kind = ITEM_RECEIPT;
	item->post = post;
	item->id = ids_next();
	if (!item->id || !plain.ptr)
		return NULL;
	IGNORE_STATUS(contacts_resolve(intake->contacts, event, &post->tags[at], post->arena,
				       &contact, tags, &tags_count, &err),
		      "a receipt without contact is sealed by the house");
	/* A contact of which nothing is stored must not be the only one who can open it. */
	if (contact && !atomic_load(&contact->is_stored))
		contact = NULL;
	item->status = event->status;
	item->provider_at_ns = event->at_ns;
	item->code = event->error_code;
	item->payload = seal_arena(post->arena,
				   contact ? &contact->key : keyring_store(intake->options.ring),
				   PA_STR("receipt"), plain);
	return item;
}

/* A delivery of which nothing was understood: kept raw. */
static pa_status make_raw(struct intake *intake, struct post *post, struct event_item *item,
			  pa_error *err)
{
	uint8_t digest[DIGEST_BYTES];

	sha256(post->body, digest);
	item->item.kind = ITEM_EVENT;
	item->post = post;
	item->kind = PA_EVENT_UNKNOWN;
	item->happened_ns = clock_now_ns();
	item->id = ids_next();
	if (!item->id)
		return error_set(err, PA_RETRY, "no ids left");
	make_key(intake, post, (pa_str){(const char *)digest, sizeof(digest)}, item->key);
	item->key_len = TAG_BYTES;
	return PA_OK;
}

/* The items of one post, before they go to the writer together. */
struct items {
	struct item **list;
	size_t count;
	struct contact *contact; /* of all of them, if it is one */
	bool is_mixed;
};

static void note_contact(struct items *items, struct contact *contact)
{
	if (items->count && items->contact != contact)
		items->is_mixed = true;
	items->contact = contact;
}

static pa_status make_items(struct intake *intake, struct post *post, struct items *items,
			    pa_error *err)
{
	pa_status status = PA_OK;

	items->list = ARENA_ARRAY(post->arena, struct item *, post->events_count + 1);
	for (size_t i = 0; i < post->events_count && status == PA_OK; i++) {
		struct receipt_item *receipt = make_receipt(intake, post, i);
		struct event_item *event;

		if (receipt) {
			items->is_mixed |= items->count > 0;
			items->list[items->count++] = &receipt->item;
			continue;
		}
		event = ARENA_NEW(post->arena, struct event_item);
		status = make_event(intake, post, i, event, err);
		if (status != PA_OK)
			break;
		note_contact(items, event->contact);
		items->list[items->count++] = &event->item;
	}
	if (status == PA_OK && !items->count && post->body.ptr) {
		struct event_item *raw = ARENA_NEW(post->arena, struct event_item);

		status = make_raw(intake, post, raw, err);
		if (status == PA_OK)
			items->list[items->count++] = &raw->item;
	}
	return status;
}

/* The raw body goes with the first item: under the person's key if the whole delivery is his. A
 * receipt that is all of it has it already. */
static void place_body(struct intake *intake, struct post *post, struct items *items)
{
	const struct key *key = keyring_store(intake->options.ring);
	int64_t body_of = 0;
	pa_str sealed;

	if (!post->body.ptr || !items->count ||
	    (post->events_count == 1 && items->list[0]->kind == ITEM_RECEIPT))
		return;
	if (!items->is_mixed && items->contact)
		key = &items->contact->key;
	sealed = seal_arena(post->arena, key, PA_STR("body"), post->body);
	for (size_t i = 0; i < items->count; i++) {
		struct event_item *event = (struct event_item *)(void *)items->list[i];
		struct receipt_item *receipt = (struct receipt_item *)(void *)items->list[i];

		if (items->list[i]->kind == ITEM_RECEIPT) {
			if (i == 0)
				receipt->body = sealed;
			continue;
		}
		event->body_of = body_of;
		if (i == 0) {
			event->body = sealed;
			body_of = event->id;
		}
	}
}

static void drop_items(struct items *items)
{
	for (size_t i = 0; i < items->count; i++)
		if (items->list[i]->kind == ITEM_EVENT)
			contact_unref(((struct event_item *)(void *)items->list[i])->contact);
}

static void work_on(struct intake *intake, struct post *post)
{
	struct items items = {0};
	pa_error err = ERROR_INIT;

	if (make_items(intake, post, &items, &err) != PA_OK) {
		log_warning(LOG_IDS(.channel = post->channel->name),
			    "a delivery is refused for now: %s", error_text(&err));
		drop_items(&items);
		post_settle(post, false);
		return;
	}
	place_body(intake, post, &items);
	for (size_t i = 0; i < items.count; i++) {
		if (items.list[i]->kind == ITEM_EVENT)
			meter_add(&post->channel->counts.events, 1);
		post_add(post);
	}
	for (size_t i = 0; i < items.count; i++)
		writer_put(intake->options.writer, items.list[i]);
	post_settle(post, true);
}

static pa_status prefetch(struct intake *intake, struct post **posts, size_t count, pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(POST_ARENA_CAP);
	pa_str *tags;
	size_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += posts[i]->events_count;
	tags = ARENA_ARRAY(arena, pa_str, total * CONTACT_TAGS);
	total = 0;
	for (size_t i = 0; i < count; i++) {
		struct post *post = posts[i];

		post->tags = ARENA_ARRAY(post->arena, struct contact_tags, post->events_count);
		for (size_t k = 0; k < post->events_count; k++) {
			contacts_tags(intake->contacts, post->events[k], post->arena,
				      &post->tags[k]);
			memcpy(tags + total, post->tags[k].tag, sizeof(post->tags[k].tag));
			total += CONTACT_TAGS;
		}
	}
	return contacts_prefetch(intake->contacts, tags, total, err);
}

static void work_on_all(struct intake *intake, struct post **posts, size_t count)
{
	pa_error err = ERROR_INIT;
	pa_status status = prefetch(intake, posts, count, &err);

	if (status != PA_OK)
		log_warning(LOG_NO_IDS, "deliveries are refused for now: %s", error_text(&err));
	for (size_t i = 0; i < count; i++) {
		if (status == PA_OK)
			work_on(intake, posts[i]);
		else
			post_settle(posts[i], false);
	}
}

static void *intake_main(void *arg)
{
	struct intake *intake = arg;

	for (;;) {
		bool is_stopping = atomic_load(&intake->is_stopping);
		struct mail *mail = mailbox_take(&intake->box, is_stopping ? 0 : INT64_MAX);

		if (!mail && is_stopping)
			return NULL;
		while (mail) {
			struct post *posts[MAX_TOGETHER];
			size_t count = 0;

			while (mail && count < MAX_TOGETHER) {
				struct post *post = (struct post *)(void *)mail;

				mail = mail->next;
				if (open_post(post))
					posts[count++] = post;
			}
			if (count)
				work_on_all(intake, posts, count);
		}
	}
}

/* ---- the doors ---- */

static void answer_provider(struct post *post, bool is_durable)
{
	struct intake *intake = post->arg;

	if (is_durable) {
		histogram_note(&post->channel->counts.acknowledged,
			       clock_monotonic_ns() - post->arrived_ns);
		http_exchange_answer(post->exchange, 200, NULL, 0, PA_STR(""));
	} else {
		meter_add(&post->channel->counts.refused, 1);
		http_exchange_refuse(post->exchange, 503, "The store is away; try again.");
	}
	atomic_fetch_sub(&intake->unanswered, 1);
	post_unref(post);
}

void intake_http(struct intake *intake, struct channel *channel, struct http_exchange *exchange,
		 bool is_receipt)
{
	struct post *post;

	if (atomic_load(&intake->is_shut) || !writer_is_ready(intake->options.writer) ||
	    mailbox_count(&intake->box) >= intake->options.most_waiting ||
	    writer_backlog(intake->options.writer) >= intake->options.most_waiting * 4 ||
	    conversations_backlog(intake->options.conversations) >=
		    intake->options.most_waiting * 4) {
		meter_add(&channel->counts.refused, 1);
		http_exchange_refuse(exchange, 503, "Not here, or not now; try again.");
		return;
	}
	meter_add(&channel->counts.deliveries, 1);
	post = post_new(channel, POST_ARENA_CAP);
	post->exchange = exchange;
	post->is_receipt = is_receipt;
	post->on_done = answer_provider;
	post->arg = intake;
	atomic_fetch_add(&intake->unanswered, 1);
	mailbox_put(&intake->box, &post->mail);
}

/* Somebody waits for a post of a session. */
struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool is_done;
	bool is_durable;
};

static void wake_session(struct post *post, bool is_durable)
{
	struct waiter *waiter = post->arg;

	pthread_mutex_lock(&waiter->lock);
	waiter->is_done = true;
	waiter->is_durable = is_durable;
	pthread_cond_signal(&waiter->done);
	pthread_mutex_unlock(&waiter->lock);
	post_unref(post);
}

static bool copy_events(struct post *post, const pa_event *const *events, size_t count)
{
	const pa_event **copies = ARENA_ARRAY(post->arena, const pa_event *, count);

	for (size_t i = 0; i < count; i++) {
		pa_event *copy = ARENA_NEW(post->arena, pa_event);
		pa_str packed = pack_event(post, events[i], PA_STR_ABSENT);

		if (!packed.ptr || event_unpack(packed, copy) != PA_OK)
			return false;
		copy->unique = arena_copy(post->arena, events[i]->unique);
		copies[i] = copy;
	}
	post->events = copies;
	post->events_count = count;
	return true;
}

pa_status intake_deliver(struct intake *intake, struct channel *channel,
			 const pa_event *const *events, size_t count, pa_error *err)
{
	struct waiter waiter = {.lock = PTHREAD_MUTEX_INITIALIZER,
				.done = PTHREAD_COND_INITIALIZER};
	struct post *post;

	if (atomic_load(&intake->is_shut) || !writer_is_ready(intake->options.writer))
		return error_set(err, PA_RETRY, "the store is away, or the node is drained");
	post = post_new(channel, POST_ARENA_CAP);
	if (!copy_events(post, events, count)) {
		post_unref(post);
		return error_set(err, PA_REJECTED, "an event is too large");
	}
	post->on_done = wake_session;
	post->arg = &waiter;
	mailbox_put(&intake->box, &post->mail);
	pthread_mutex_lock(&waiter.lock);
	while (!waiter.is_done)
		pthread_cond_wait(&waiter.done, &waiter.lock);
	pthread_mutex_unlock(&waiter.lock);
	return waiter.is_durable ? PA_OK : error_set(err, PA_RETRY, "the store is away");
}

struct intake *intake_new(const struct intake_options *options)
{
	struct intake *intake = calloc(1, sizeof(*intake));

	if (!intake)
		abort();
	intake->options = *options;
	intake->contacts = contacts_new(options->database, options->ring);
	mailbox_init(&intake->box);
	if (pthread_create(&intake->thread, NULL, intake_main, intake) != 0)
		abort();
	pthread_setname_np(intake->thread, "intake");
	return intake;
}

void intake_stop(struct intake *intake)
{
	atomic_store(&intake->is_stopping, true);
	mailbox_poke(&intake->box);
	pthread_join(intake->thread, NULL);
}

void intake_free(struct intake *intake)
{
	if (!intake)
		return;
	contacts_free(intake->contacts);
	mailbox_done(&intake->box);
	free(intake);
}

void intake_shut(struct intake *intake, bool is_shut)
{
	atomic_store(&intake->is_shut, is_shut);
}

bool intake_is_shut(const struct intake *intake)
{
	return atomic_load(&intake->is_shut);
}

struct intake_counts intake_counts(const struct intake *intake)
{
	struct intake_counts sum = {0};

	for (size_t i = 0; i < intake->options.channels->count; i++) {
		const struct channel_counts *counts = &intake->options.channels->list[i].counts;

		sum.posts += meter_read(&counts->deliveries);
		sum.refused += meter_read(&counts->refused);
		sum.forged += meter_read(&counts->forged);
	}
	return sum;
}

size_t intake_unanswered(const struct intake *intake)
{
	return atomic_load(&intake->unanswered);
}
