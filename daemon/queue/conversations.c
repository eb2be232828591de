/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/conversations.h"

#include "io/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUCKETS 8192 /* a power of two */
#define RETRY_NS (500 * NS_PER_MS)
#define MAX_FAILURES 3

struct list {
	struct conversation *first, *last;
	size_t count;
};

struct conversations {
	pthread_mutex_t lock; /* guards all of it */
	pthread_cond_t runnable;
	struct conversation *buckets[BUCKETS];
	struct list phases[PHASE_PARKED + 1];
	size_t total;
	_Atomic size_t backlog; /* events waiting */
	size_t most_idle;
	uint64_t slots_freed; /* at the core, so far */
	bool one_alone_runs;
	bool is_stopping;
};

/* ---- lists and table ---- */

static void unlink_from(struct list *list, struct conversation *c)
{
	*(c->previous ? &c->previous->next : &list->first) = c->next;
	*(c->next ? &c->next->previous : &list->last) = c->previous;
	list->count--;
}

static void append_to(struct list *list, struct conversation *c)
{
	c->next = NULL;
	c->previous = list->last;
	*(list->last ? &list->last->next : &list->first) = c;
	list->last = c;
	list->count++;
}

/* Held ones stand in the order in which they are due. Nearly all are held equally long. */
static void insert_held(struct list *list, struct conversation *c)
{
	struct conversation *after = list->last;

	while (after && after->hold_until_ns > c->hold_until_ns)
		after = after->previous;
	c->previous = after;
	c->next = after ? after->next : list->first;
	*(after ? &after->next : &list->first) = c;
	*(c->next ? &c->next->previous : &list->last) = c;
	list->count++;
}

static void set_phase(struct conversations *all, struct conversation *c,
		      enum conversation_phase phase)
{
	unlink_from(&all->phases[c->phase], c);
	c->phase = phase;
	if (phase == PHASE_HELD)
		insert_held(&all->phases[phase], c);
	else
		append_to(&all->phases[phase], c);
	if (phase == PHASE_QUEUED || phase == PHASE_HELD)
		pthread_cond_signal(&all->runnable);
}

static struct conversation **bucket_of(struct conversations *all, int64_t id)
{
	uint64_t hash = (uint64_t)id * UINT64_C(0x9e3779b97f4a7c15);

	return &all->buckets[hash >> 32 & (BUCKETS - 1)];
}

static struct conversation *find(struct conversations *all, int64_t id)
{
	struct conversation *c = *bucket_of(all, id);

	while (c && c->id != id)
		c = c->hash_next;
	return c;
}

static void waiting_free(struct waiting *w)
{
	post_unref(w->post);
	free(w);
}

static void forget(struct conversations *all, struct conversation *c)
{
	struct conversation **at = bucket_of(all, c->id);

	while (*at != c)
		at = &(*at)->hash_next;
	*at = c->hash_next;
	unlink_from(&all->phases[c->phase], c);
	all->total--;
	while (c->first) {
		struct waiting *next = c->first->next;

		waiting_free(c->first);
		atomic_fetch_sub(&all->backlog, 1);
		c->first = next;
	}
	contact_unref(c->contact);
	contact_unref(c->newer);
	if (c->state)
		bytes_wipe(c->state, c->state_len);
	free(c->state);
	free(c);
}

/* Those that have been idle longest make room. */
static void trim(struct conversations *all)
{
	while (all->phases[PHASE_IDLE].count > all->most_idle)
		forget(all, all->phases[PHASE_IDLE].first);
}

static void set_state(struct conversation *c, pa_str state, bool is_sealed)
{
	char *copy = malloc(state.len + 1);

	if (!copy)
		abort();
	if (state.len)
		memcpy(copy, state.ptr, state.len);
	if (c->state)
		bytes_wipe(c->state, c->state_len);
	free(c->state);
	c->state = copy;
	c->state_len = state.len;
	c->is_state_sealed = is_sealed;
}

static struct conversation *enter(struct conversations *all, const struct claimed *claimed)
{
	struct conversation **bucket = bucket_of(all, claimed->conversation);
	struct conversation *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->id = claimed->conversation;
	c->epoch = claimed->epoch;
	c->contact = contact_ref(claimed->contact);
	c->channel = claimed->channel;
	c->last = &c->first;
	c->is_alone = claimed->is_alone;
	c->last_inbound_ns = claimed->last_inbound_ns;
	set_state(c, claimed->sealed_state, true);
	c->hash_next = *bucket;
	*bucket = c;
	append_to(&all->phases[PHASE_IDLE], c);
	all->total++;
	return c;
}

static void add_waiting(struct conversations *all, struct conversation *c, struct waiting *w)
{
	w->next = NULL;
	c->used_ns = clock_monotonic_ns();
	w->arrived_ns = w->post ? w->post->arrived_ns : c->used_ns;
	*c->last = w;
	c->last = &w->next;
	c->waiting_count++;
	atomic_fetch_add(&all->backlog, 1);
	if (c->phase == PHASE_IDLE || c->phase == PHASE_HELD)
		set_phase(all, c, PHASE_QUEUED);
}

static struct waiting *waiting_copy(enum turn_event_kind kind, int64_t id, pa_str plain)
{
	struct waiting *w = calloc(1, sizeof(*w) + plain.len);
	char *bytes;

	if (!w)
		abort();
	bytes = (char *)(w + 1);
	if (plain.len)
		memcpy(bytes, plain.ptr, plain.len);
	w->kind = kind;
	w->id = id;
	w->plain = (pa_str){bytes, plain.len};
	return w;
}

/* ---- arrivals ---- */

/* A running conversation's contact is its worker's until the turn has ended. */
static void renew_contact(struct conversation *c, struct contact *contact)
{
	if (c->contact == contact || c->newer == contact)
		return;
	contact_unref(c->newer);
	c->newer = contact_ref(contact);
}

static void apply_newer(struct conversation *c)
{
	if (!c->newer)
		return;
	contact_unref(c->contact);
	c->contact = c->newer;
	c->newer = NULL;
}

static bool is_waiting(const struct conversation *c, int64_t event)
{
	for (const struct waiting *w = c->first; w; w = w->next)
		if (w->id == event)
			return true;
	return false;
}

void conversations_deliver(struct conversations *all, const struct event_item *event,
			   struct channel *channel, const struct accepted *accepted)
{
	struct claimed claimed = {.conversation = event->conversation,
				  .epoch = accepted->epoch,
				  .sealed_state = accepted->state,
				  .contact = event->contact,
				  .channel = channel};
	struct waiting *w = calloc(1, sizeof(*w));
	struct conversation *c;

	if (!w)
		abort();
	w->post = post_ref(event->post);
	w->kind = TURN_CUSTOMER;
	w->id = event->id;
	w->plain = event->plain;
	pthread_mutex_lock(&all->lock);
	c = find(all, event->conversation);
	/* An epoch ahead of ours: another node had it meanwhile. */
	if (c && c->phase == PHASE_IDLE && c->epoch < accepted->epoch) {
		forget(all, c);
		c = NULL;
	}
	if (!c)
		c = enter(all, &claimed);
	renew_contact(c, event->contact);
	if (is_waiting(c, w->id)) /* a sweep was quicker */
		waiting_free(w);
	else
		add_waiting(all, c, w);
	trim(all);
	pthread_mutex_unlock(&all->lock);
}

bool conversations_add(struct conversations *all, const struct claimed *claimed,
		       enum turn_event_kind kind, int64_t id, pa_str plain)
{
	struct conversation *c;
	bool is_new;

	pthread_mutex_lock(&all->lock);
	c = find(all, claimed->conversation);
	if (c && c->phase == PHASE_IDLE && claimed->epoch > c->epoch) {
		forget(all, c);
		c = NULL;
	}
	if (!c)
		c = enter(all, claimed);
	is_new = (!id || !is_waiting(c, id)) && (!claimed->epoch || claimed->epoch == c->epoch);
	if (c->phase != PHASE_RUNNING)
		c->is_alone |= claimed->is_alone;
	if (claimed->has_strays)
		atomic_store(&c->has_strays, true);
	if (is_new)
		add_waiting(all, c, waiting_copy(kind, id, plain));
	trim(all);
	pthread_mutex_unlock(&all->lock);
	return is_new;
}

bool conversations_has(struct conversations *all, int64_t conversation, int64_t event)
{
	struct conversation *c;
	bool has;

	pthread_mutex_lock(&all->lock);
	c = find(all, conversation);
	has = c && is_waiting(c, event);
	pthread_mutex_unlock(&all->lock);
	return has;
}

/* ---- whose turn it is ---- */

/* Held conversations whose quiet has lasted long enough become runnable; returns when the next will
 * be. */
static int64_t release_held(struct conversations *all)
{
	int64_t now = clock_monotonic_ns();
	struct conversation *c;

	while ((c = all->phases[PHASE_HELD].first) && c->hold_until_ns <= now) {
		c->quiet_is_over = true;
		set_phase(all, c, PHASE_QUEUED);
	}
	return c ? c->hold_until_ns : INT64_MAX;
}

/* A conversation under suspicion runs when nothing else does, and nothing else while it runs. When
 * it is first in line the others wait for it, or it would never come to run under load. */
static struct conversation *pick(struct conversations *all)
{
	struct conversation *c = all->phases[PHASE_QUEUED].first;

	if (!c || all->one_alone_runs || (c->is_alone && all->phases[PHASE_RUNNING].count))
		return NULL;
	all->one_alone_runs = c->is_alone;
	return c;
}

static void wait_until(struct conversations *all, int64_t until_ns)
{
	struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};

	if (until_ns == INT64_MAX)
		pthread_cond_wait(&all->runnable, &all->lock);
	else
		pthread_cond_timedwait(&all->runnable, &all->lock, &until);
}

struct conversation *conversations_next(struct conversations *all)
{
	struct conversation *c = NULL;

	pthread_mutex_lock(&all->lock);
	while (!all->is_stopping) {
		int64_t next_ns = release_held(all);

		c = pick(all);
		if (c)
			break;
		wait_until(all, next_ns);
	}
	if (all->is_stopping)
		c = NULL;
	if (c) {
		apply_newer(c);
		set_phase(all, c, PHASE_RUNNING);
		c->used_ns = clock_monotonic_ns();
		c->slots_seen = all->slots_freed;
		/* Somebody else has to watch for the end of the quiet now. */
		if (all->phases[PHASE_HELD].count)
			pthread_cond_signal(&all->runnable);
	}
	pthread_mutex_unlock(&all->lock);
	return c;
}

size_t conversations_waiting(struct conversations *all, struct conversation *c,
			     const struct waiting **events, size_t room)
{
	size_t count = 0;

	pthread_mutex_lock(&all->lock);
	if (room && (c->is_alone || c->failures))
		room = 1;
	for (const struct waiting *w = c->first; w && count < room; w = w->next)
		events[count++] = w;
	pthread_mutex_unlock(&all->lock);
	return count;
}

/* Called with the lock, when the turn of a conversation is over. */
static void end_alone(struct conversations *all, const struct conversation *c)
{
	if (!c->is_alone)
		return;
	all->one_alone_runs = false;
	pthread_cond_broadcast(&all->runnable);
}

/* The turn is over, one way or the other. Called with the lock. */
static void stop_running(struct conversations *all, struct conversation *c,
			 enum conversation_phase phase)
{
	end_alone(all, c);
	set_phase(all, c, phase);
	if (all->phases[PHASE_QUEUED].count)
		pthread_cond_signal(&all->runnable);
}

void conversations_hold(struct conversations *all, struct conversation *c, int64_t for_ns,
			int64_t at_most_ns)
{
	int64_t now = clock_monotonic_ns();

	pthread_mutex_lock(&all->lock);
	if (!c->hold_since_ns)
		c->hold_since_ns = now;
	c->hold_until_ns = now + for_ns;
	if (c->hold_until_ns > c->hold_since_ns + at_most_ns)
		c->hold_until_ns = c->hold_since_ns + at_most_ns;
	stop_running(all, c, PHASE_HELD);
	pthread_mutex_unlock(&all->lock);
}

void conversations_park(struct conversations *all, struct conversation *c)
{
	pthread_mutex_lock(&all->lock);
	c->was_parked = true;
	/* A slot that was freed since the turn began told nobody of it. */
	stop_running(all, c, c->slots_seen == all->slots_freed ? PHASE_PARKED : PHASE_QUEUED);
	pthread_mutex_unlock(&all->lock);
}

static void postpone(struct conversations *all, struct conversation *c, int64_t for_ns)
{
	c->hold_until_ns = clock_monotonic_ns() + for_ns;
	stop_running(all, c, PHASE_HELD);
}

void conversations_wait(struct conversations *all, struct conversation *c)
{
	pthread_mutex_lock(&all->lock);
	postpone(all, c, RETRY_NS);
	pthread_mutex_unlock(&all->lock);
}

bool conversations_retry(struct conversations *all, struct conversation *c)
{
	bool may_retry;

	pthread_mutex_lock(&all->lock);
	may_retry = ++c->failures < MAX_FAILURES;
	if (may_retry)
		postpone(all, c, RETRY_NS * c->failures);
	pthread_mutex_unlock(&all->lock);
	return may_retry;
}

static void drop(struct conversations *all, struct conversation *c)
{
	struct waiting *w = c->first;

	c->first = w->next;
	if (!c->first)
		c->last = &c->first;
	c->waiting_count--;
	atomic_fetch_sub(&all->backlog, 1);
	waiting_free(w);
}

void conversations_drop_first(struct conversations *all, struct conversation *c)
{
	pthread_mutex_lock(&all->lock);
	if (c->first)
		drop(all, c);
	c->failures = 0;
	stop_running(all, c, c->first ? PHASE_QUEUED : PHASE_IDLE);
	pthread_mutex_unlock(&all->lock);
}

static void unpark_one(struct conversations *all)
{
	if (all->phases[PHASE_PARKED].first)
		set_phase(all, all->phases[PHASE_PARKED].first, PHASE_QUEUED);
}

void conversations_unpark(struct conversations *all)
{
	pthread_mutex_lock(&all->lock);
	all->slots_freed++;
	unpark_one(all);
	pthread_mutex_unlock(&all->lock);
}

/* An apology for waiting is late itself once nothing of the customer's waits any more. */
static void drop_late(struct conversations *all, struct conversation *c)
{
	for (const struct waiting *w = c->first; w; w = w->next)
		if (w->kind != TURN_LATE)
			return;
	while (c->first)
		drop(all, c);
}

void conversations_committed(struct conversations *all, struct turn_item *turn)
{
	struct conversation *c = turn->conversation;
	bool is_over;

	pthread_mutex_lock(&all->lock);
	c->epoch = turn->epoch + 1;
	c->failures = 0;
	c->quiet_is_over = false;
	c->hold_since_ns = 0;
	set_state(c, turn->state, false);
	for (size_t i = 0; i < turn->events_done && c->first; i++)
		drop(all, c);
	drop_late(all, c);
	is_over = !c->first;
	end_alone(all, c);
	c->is_alone = false;
	stop_running(all, c, is_over ? PHASE_IDLE : PHASE_QUEUED);
	/* It may have had a slot at the core to wait for, and no need of it in the end. */
	if (c->was_parked)
		unpark_one(all);
	c->was_parked = false;
	pthread_mutex_unlock(&all->lock);
}

void conversations_lost(struct conversations *all, struct conversation *c)
{
	pthread_mutex_lock(&all->lock);
	end_alone(all, c);
	forget(all, c);
	pthread_mutex_unlock(&all->lock);
}

/* ---- upkeep ---- */

static bool mark_late(struct conversations *all, struct conversation *c, int64_t before_ns)
{
	for (struct waiting *w = c->first; w; w = w->next) {
		if (w->kind != TURN_CUSTOMER || w->is_late || w->arrived_ns > before_ns)
			continue;
		w->is_late = true;
		add_waiting(all, c, waiting_copy(TURN_LATE, 0, (pa_str){NULL, 0}));
		return true;
	}
	return false;
}

size_t conversations_mark_late(struct conversations *all, int64_t limit_ns)
{
	static const enum conversation_phase phases[] = {PHASE_QUEUED, PHASE_RUNNING, PHASE_HELD,
							 PHASE_PARKED};
	int64_t before_ns = clock_monotonic_ns() - limit_ns;
	size_t late = 0;

	pthread_mutex_lock(&all->lock);
	for (size_t i = 0; i < ARRAY_COUNT(phases); i++) {
		struct conversation *c = all->phases[phases[i]].first;

		while (c) {
			struct conversation *next = c->next;

			if (mark_late(all, c, before_ns)) {
				late++;
				if (c->phase == PHASE_PARKED)
					set_phase(all, c, PHASE_QUEUED);
			}
			c = next;
		}
	}
	pthread_mutex_unlock(&all->lock);
	return late;
}

struct conversations_count conversations_counts(struct conversations *all)
{
	struct conversations_count counts;
	int64_t oldest = INT64_MAX;

	pthread_mutex_lock(&all->lock);
	counts = (struct conversations_count){.in_memory = all->total,
					      .queued = all->phases[PHASE_QUEUED].count,
					      .running = all->phases[PHASE_RUNNING].count,
					      .held = all->phases[PHASE_HELD].count,
					      .parked = all->phases[PHASE_PARKED].count};
	for (int phase = PHASE_QUEUED; phase <= PHASE_PARKED; phase++)
		for (struct conversation *c = all->phases[phase].first; c; c = c->next)
			if (c->first && c->first->arrived_ns < oldest)
				oldest = c->first->arrived_ns;
	pthread_mutex_unlock(&all->lock);
	counts.oldest_ns = oldest == INT64_MAX ? 0 : clock_monotonic_ns() - oldest;
	return counts;
}

size_t conversations_backlog(const struct conversations *all)
{
	return atomic_load(&all->backlog);
}

void conversations_stop(struct conversations *all)
{
	pthread_mutex_lock(&all->lock);
	all->is_stopping = true;
	pthread_mutex_unlock(&all->lock);
	pthread_cond_broadcast(&all->runnable);
}

struct conversations *conversations_new(size_t most_idle)
{
	struct conversations *all = calloc(1, sizeof(*all));
	pthread_condattr_t attributes;

	if (!all)
		abort();
	all->most_idle = most_idle;
	pthread_mutex_init(&all->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&all->runnable, &attributes);
	pthread_condattr_destroy(&attributes);
	return all;
}

void conversations_free(struct conversations *all)
{
	if (!all)
		return;
	for (int phase = PHASE_IDLE; phase <= PHASE_PARKED; phase++)
		while (all->phases[phase].first)
			forget(all, all->phases[phase].first);
	pthread_cond_destroy(&all->runnable);
	pthread_mutex_destroy(&all->lock);
	free(all);
}
