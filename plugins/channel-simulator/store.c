/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH_DIGITS 16

struct store {
	char epoch[EPOCH_DIGITS + 1];
	int64_t since_ns;
	uint64_t seq;
	uint64_t ids;
	struct person *persons[STORE_PERSONS]; /* most recently used last */
	size_t persons_count;
	struct file files[STORE_FILES]; /* oldest first */
	size_t files_count;
	size_t files_bytes;
};

void *sim_alloc(size_t n)
{
	void *memory = calloc(1, n ? n : 1);

	if (!memory)
		abort();
	return memory;
}

char *sim_dup(pa_str text)
{
	char *copy = sim_alloc(text.len + 1);

	if (text.len)
		memcpy(copy, text.ptr, text.len);
	return copy;
}

struct store *store_new(uint64_t salt, int64_t now_ns)
{
	struct store *store = sim_alloc(sizeof(*store));

	snprintf(store->epoch, sizeof(store->epoch), "%016" PRIx64, salt);
	store->since_ns = now_ns;
	return store;
}

static void item_free(struct item *item)
{
	json_decref(item->json);
	free(item->ref);
	free(item);
}

static void person_free(struct person *person)
{
	for (size_t i = 0; i < person->chat.count; i++)
		item_free(person->chat.items[i]);
	for (size_t i = 0; i < person->sms.count; i++)
		item_free(person->sms.items[i]);
	free(person);
}

static void drop_oldest_file(struct store *store)
{
	struct file *oldest = &store->files[0];

	store->files_bytes -= oldest->size;
	free(oldest->name);
	free(oldest->type);
	free(oldest->bytes);
	store->files_count--;
	memmove(oldest, oldest + 1, store->files_count * sizeof(*oldest));
}

void store_free(struct store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < store->persons_count; i++)
		person_free(store->persons[i]);
	while (store->files_count)
		drop_oldest_file(store);
	free(store);
}

const char *store_epoch(const struct store *store)
{
	return store->epoch;
}

int64_t store_since_ns(const struct store *store)
{
	return store->since_ns;
}

uint64_t store_seq(const struct store *store)
{
	return store->seq;
}

void store_make_id(struct store *store, char *ret_id, size_t room)
{
	snprintf(ret_id, room, "sim.%s.%" PRIu64, store->epoch, ++store->ids);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

bool store_is_phone(pa_str key)
{
	if (key.len < 7 || key.len > 15)
		return false;
	for (size_t i = 0; i < key.len; i++) {
		if (!is_digit(key.ptr[i]))
			return false;
	}
	return true;
}

bool store_is_key(pa_str key)
{
	if (store_is_phone(key))
		return true;
	if (key.len < 4 || key.len >= STORE_KEY_BYTES || !is_capital(key.ptr[0]) ||
	    !is_capital(key.ptr[1]) || key.ptr[2] != '.')
		return false;
	for (size_t i = 3; i < key.len; i++) {
		char c = key.ptr[i];

		if (!is_digit(c) && !is_capital(c) && !(c >= 'a' && c <= 'z'))
			return false;
	}
	return true;
}

/* Moves the person at place i to the end: the front gives way first. */
static struct person *use_person(struct store *store, size_t i)
{
	struct person *person = store->persons[i];

	memmove(&store->persons[i], &store->persons[i + 1],
		(store->persons_count - i - 1) * sizeof(store->persons[0]));
	store->persons[store->persons_count - 1] = person;
	return person;
}

struct person *store_person(struct store *store, pa_str key)
{
	struct person *person;

	for (size_t i = 0; i < store->persons_count; i++) {
		if (strlen(store->persons[i]->key) == key.len &&
		    !memcmp(store->persons[i]->key, key.ptr, key.len))
			return use_person(store, i);
	}
	if (store->persons_count == STORE_PERSONS) {
		person_free(use_person(store, 0));
		store->persons_count--;
	}
	person = sim_alloc(sizeof(*person));
	memcpy(person->key, key.ptr, key.len);
	store->persons[store->persons_count++] = person;
	return person;
}

static void set_seq(struct store *store, struct person *person, struct item *item)
{
	item->seq = ++store->seq;
	person->changed = item->seq;
	json_object_set_new(item->json, "seq", json_integer((json_int_t)item->seq));
}

struct item *store_append(struct store *store, struct person *person, struct thread *thread,
			  json_t *json)
{
	struct item *item = sim_alloc(sizeof(*item));

	if (thread->count == STORE_HISTORY) {
		item_free(thread->items[0]);
		thread->count--;
		memmove(thread->items, thread->items + 1, thread->count * sizeof(thread->items[0]));
	}
	item->json = json;
	snprintf(item->id, sizeof(item->id), "%s", json_string_value(json_object_get(json, "id")));
	thread->items[thread->count++] = item;
	set_seq(store, person, item);
	return item;
}

struct item *store_find(const struct thread *thread, const char *id)
{
	for (size_t i = thread->count; i-- > 0;) {
		if (!strcmp(thread->items[i]->id, id))
			return thread->items[i];
	}
	return NULL;
}

void store_set_state(struct store *store, struct person *person, struct item *item, uint32_t state,
		     const char *word, bool is_news)
{
	item->state = state;
	json_object_set_new(item->json, "state", json_string(word));
	if (is_news)
		set_seq(store, person, item);
}

void store_touch(struct store *store, struct person *person)
{
	person->changed = ++store->seq;
}

json_t *store_news(const struct thread *thread, uint64_t after)
{
	json_t *news = json_array();

	for (size_t i = 0; i < thread->count; i++) {
		if (thread->items[i]->seq > after)
			json_array_append(news, thread->items[i]->json);
	}
	return news;
}

const struct file *store_keep_file(struct store *store, pa_str name, pa_str type, pa_str bytes)
{
	char id[STORE_ID_BYTES];
	struct file *file;

	if (!bytes.len || bytes.len > STORE_FILE_BYTES)
		return NULL;
	while (store->files_count == STORE_FILES ||
	       store->files_bytes + bytes.len > STORE_FILE_BYTES)
		drop_oldest_file(store);
	store_make_id(store, id, sizeof(id));
	file = &store->files[store->files_count++];
	memcpy(file->id, id, sizeof(file->id));
	file->name = sim_dup(name);
	file->type = sim_dup(type);
	file->bytes = sim_alloc(bytes.len);
	file->size = bytes.len;
	memcpy(file->bytes, bytes.ptr, bytes.len);
	store->files_bytes += bytes.len;
	return file;
}

const struct file *store_file(const struct store *store, const char *id)
{
	for (size_t i = 0; i < store->files_count; i++) {
		if (!strcmp(store->files[i].id, id))
			return &store->files[i];
	}
	return NULL;
}
