/* SPDX-License-Identifier: Apache-2.0
 *
 * store.h: the simulated phones: who they are, their chat, their text messages, their files.
 *
 *	struct person *person = store_person(store, "573001112233");
 *	struct item *item = store_append(store, person, &person->chat, json);
 *	json_t *news = store_news(&person->chat, after);
 *
 * Everything is bounded: the oldest message of a thread, the least used phone and the oldest file
 * give way. Every change takes the next number of one sequence, so that a page asks "what came
 * after N" and a change of an old message is told like a new one.
 *
 * Ownership: the store owns persons, items and files; pointers last until the next call that adds
 * one. Threads: none here; the caller holds the simulator's lock.
 *
 * Bad at: surviving. When the daemon ends, the phones forget.
 */
#ifndef STORE_H
#define STORE_H

#include <proalto/types.h>

#include <jansson.h>
#include <stdbool.h>

#define STORE_HISTORY 200u
#define STORE_PERSONS 256u
#define STORE_FILES 64u
#define STORE_FILE_BYTES (16u << 20) /* all files together, so also the largest one */
#define STORE_KEY_BYTES 48u
#define STORE_ID_BYTES 80u

/* One bubble. json is what the page gets: id, from, kind, body ... and "state". */
struct item {
	uint64_t seq;   /* of its last change */
	uint32_t state; /* how far it got on its way: PA_STATUS_*, 0 before the first */
	bool by_customer;
	char id[STORE_ID_BYTES];
	char *ref; /* the daemon's name of the attempt; NULL for the customer's */
	json_t *json;
};

struct thread {
	struct item *items[STORE_HISTORY];
	size_t count;
};

/* One phone, or one user without a visible number. */
struct person {
	char key[STORE_KEY_BYTES]; /* digits, or a user id */
	struct thread chat;
	struct thread sms;
	uint64_t changed;  /* the last change of anything here */
	int64_t heard_ns;  /* business time of the customer's last message; 0: none yet */
	uint64_t spoken;   /* how often the other side wrote in the chat */
	int64_t typing_ms; /* until when (monotonic) the other side "is writing" */
};

struct file {
	char id[STORE_ID_BYTES];
	char *name;
	char *type;
	unsigned char *bytes;
	size_t size;
};

struct store;

/* salt makes the ids of this store differ from those of any other run. */
struct store *store_new(uint64_t salt, int64_t now_ns);
void store_free(struct store *store);

/* Sixteen hexadecimal digits that name this run: a page that sees another one starts afresh. */
const char *store_epoch(const struct store *store);

/* When the store began, in business time. */
int64_t store_since_ns(const struct store *store);

/* The number of the last change. */
uint64_t store_seq(const struct store *store);

/* A fresh id, "sim.EPOCH.N". */
void store_make_id(struct store *store, char *ret_id, size_t room);

/* True if key is a phone: seven to fifteen digits (E.164 without the plus). */
bool store_is_phone(pa_str key);

/* True if key is a phone or a user id: two capitals, a dot, letters and digits (WhatsApp's form of
 * a business-scoped user id). */
bool store_is_key(pa_str key);

/* The person with this valid key, made if need be. */
struct person *store_person(struct store *store, pa_str key);

/* Adds a message; takes the reference of json, whose "id" it reads. */
struct item *store_append(struct store *store, struct person *person, struct thread *thread,
			  json_t *json);

/* The item with that id, or NULL. */
struct item *store_find(const struct thread *thread, const char *id);

/* Moves an item on: new state and the word for it. Told to the page only if is_news. */
void store_set_state(struct store *store, struct person *person, struct item *item, uint32_t state,
		     const char *word, bool is_news);

/* Notes a change that is not an item's (the typing mark). */
void store_touch(struct store *store, struct person *person);

/* New reference to an array of the items changed after that number, oldest first. */
json_t *store_news(const struct thread *thread, uint64_t after);

/* Keeps a copy of the bytes; NULL if size is over STORE_FILE_BYTES or 0. */
const struct file *store_keep_file(struct store *store, pa_str name, pa_str type, pa_str bytes);

/* The file, or NULL if it is unknown or has given way. */
const struct file *store_file(const struct store *store, const char *id);

/* Memory that is there: malloc and friends, or the end of the process. */
void *sim_alloc(size_t n);
char *sim_dup(pa_str text);

#endif
