/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/writer.h"

#include "base/err.h"
#include "io/clock.h"
#include "io/log.h"
#include "queue/batch.h"
#include "queue/complaint.h"
#include "queue/connect.h"
#include "queue/rate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ARENA_CAP ((size_t)256 << 20)
#define BATCH_BYTES ((size_t)16 << 20)  /* contents of one transaction; one item may be more */
#define RECEIPTS_GAP_NS (8 * NS_PER_MS) /* between two commits with receipts */
/* A cycle by itself costs as much as twenty of its items, so under load it puts the next one off:
 * by so much an item, and no more than that. */
#define ITEM_NS (NS_PER_MS / 10)
#define ITEMS_NS_MAX (6 * NS_PER_MS)
#define RECONNECT_NS (250 * NS_PER_MS)
#define LOOK_NS NS_PER_S /* how soon an idle writer notices that the store has gone */
#define AGAIN_NS NS_PER_S

/* Items of one kind that wait for a commit, oldest first. */
struct line {
	struct mail *first;
	struct mail **last;
};

struct writer {
	struct writer_options options;
	struct store store;
	struct mailbox box;
	struct line lines[ITEM_KINDS];
	struct line later;   /* what the store refused and may take another time */
	int64_t later_ns;    /* when that is */
	struct arena *arena; /* of one cycle */
	pthread_t thread;
	struct rate pace; /* of cycles */
	int64_t last_cycle_ns;
	int64_t receipts_due_ns; /* receipts wait until then: nobody waits for them */
	bool has_doubts;         /* items of the lines were in a commit whose answer was lost */
	_Atomic int64_t node;
	_Atomic bool is_ready, is_committing;
	_Atomic bool awaits_sweep; /* the connection was lost over items that are still here */
	bool has_asked;            /* for that sweep, since the connection was lost */
	_Atomic bool is_stopping;
	struct complaint complaint;
	_Atomic size_t waiting;
	_Atomic uint64_t cycles;
	struct writer_counts counts;
};

static void line_add(struct line *line, struct item *item)
{
	item->mail.next = NULL;
	*line->last = &item->mail;
	line->last = &item->mail.next;
}

static struct item *line_pop(struct line *line)
{
	struct mail *mail = line->first;

	if (!mail)
		return NULL;
	line->first = mail->next;
	if (!line->first)
		line->last = &line->first;
	return (struct item *)(void *)mail;
}

static void line_put_back(struct line *line, struct item *item)
{
	item->mail.next = line->first;
	if (!line->first)
		line->last = &item->mail.next;
	line->first = &item->mail;
}

/* ---- refusing what can come again ---- */

static void refuse(struct writer *w, struct item *item)
{
	if (item->kind == ITEM_EVENT) {
		struct event_item *event = (struct event_item *)(void *)item;

		w->options.hooks.event_refused(w->options.hooks.arg, event);
		post_settle(event->post, false);
		return;
	}
	post_settle(((struct receipt_item *)(void *)item)->post, false);
}

static void refuse_arrivals(struct writer *w)
{
	static const enum item_kind arrivals[] = {ITEM_EVENT, ITEM_RECEIPT};
	struct item *item;

	for (size_t i = 0; i < ARRAY_COUNT(arrivals); i++)
		while ((item = line_pop(&w->lines[arrivals[i]]))) {
			atomic_fetch_sub(&w->waiting, 1);
			refuse(w, item);
		}
}

/* ---- after a commit ---- */

/* A channel that is not this node's any more, even if it is again in a moment: what was denied
 * meanwhile has lost its place in the line, so that the lease must begin anew. */
static void note_foreign(struct channel *channel, const struct stored *stored)
{
	for (size_t i = 0; i < stored->foreign_count; i++)
		if (stored->foreign[i] == channel->number)
			atomic_store(&channel->leased_until_ns, 0);
}

static void finish(struct writer *w, struct item *item, const struct stored *stored)
{
	const struct writer_hooks *hooks = &w->options.hooks;
	struct event_item *event;
	struct receipt_item *receipt;
	struct outbound *outbound;

	switch (item->kind) {
	case ITEM_EVENT:
		event = (struct event_item *)(void *)item;
		hooks->event_stored(hooks->arg, event, stored_accepted(stored, event->id));
		post_settle(event->post, true);
		return;
	case ITEM_RECEIPT:
		receipt = (struct receipt_item *)(void *)item;
		hooks->receipt_stored(hooks->arg, receipt,
				      stored_receipted(stored, receipt->outbox_id));
		post_settle(receipt->post, true);
		return;
	case ITEM_TURN:
		hooks->turn_ended(hooks->arg, (struct turn_item *)(void *)item, TURN_COMMITTED);
		return;
	case ITEM_ATTEMPT:
		outbound = ((struct attempt_item *)(void *)item)->outbound;
		note_foreign(outbound->channel, stored);
		hooks->attempt_stored(hooks->arg, outbound, stored_may_go(stored, outbound->id));
		return;
	case ITEM_OUTCOME:
		hooks->outcome_stored(hooks->arg, ((struct outcome_item *)(void *)item)->outbound);
		return;
	case ITEM_KINDS:
		break;
	}
	abort();
}

/* Turns first: the answers wait for nothing but this. */
static void finish_batch(struct writer *w, const struct batch *batch, const struct stored *stored)
{
	static const enum item_kind order[] = {ITEM_TURN, ITEM_ATTEMPT, ITEM_EVENT, ITEM_OUTCOME,
					       ITEM_RECEIPT};

	for (size_t k = 0; k < ARRAY_COUNT(order); k++)
		for (size_t i = 0; i < batch->count[order[k]]; i++)
			finish(w, batch->items[order[k]][i], stored);
}

/* ---- failures ---- */

static void ask_for_sweep(struct writer *w)
{
	if (!w->has_asked)
		atomic_store(&w->awaits_sweep, true);
	w->has_asked = true;
}

/* The connection is gone: the items go back to the head of their lines, in order, and whether they
 * were committed is in doubt. */
static void put_back(struct writer *w, const struct batch *batch)
{
	for (size_t kind = 0; kind < ITEM_KINDS; kind++) {
		for (size_t i = batch->count[kind]; i > 0; i--) {
			batch->items[kind][i - 1]->is_in_doubt = true;
			line_put_back(&w->lines[kind], batch->items[kind][i - 1]);
			atomic_fetch_add(&w->waiting, 1);
		}
	}
	w->has_doubts = true;
	ask_for_sweep(w);
}

static void disconnect(struct writer *w, const pa_error *err)
{
	if (atomic_exchange(&w->is_ready, false))
		log_error(LOG_NO_IDS, "the store is away: %s", error_text(err));
	db_close(w->store.db);
	w->store.db = NULL;
}

/* Not now: what is sent again by others is refused, the rest is tried again. */
static void defer(struct writer *w, struct item *item)
{
	if (item->kind == ITEM_EVENT || item->kind == ITEM_RECEIPT) {
		refuse(w, item);
		return;
	}
	if (!w->later.first)
		w->later_ns = clock_monotonic_ns() + AGAIN_NS;
	line_add(&w->later, item);
}

/* What was deferred long enough gets in line again. */
static void recall(struct writer *w)
{
	struct item *item;

	if (!w->later.first || clock_monotonic_ns() < w->later_ns)
		return;
	while ((item = line_pop(&w->later))) {
		line_add(&w->lines[item->kind], item);
		atomic_fetch_add(&w->waiting, 1);
	}
}

static const char *const item_words[ITEM_KINDS] = {
	[ITEM_EVENT] = "an event",      [ITEM_RECEIPT] = "a receipt",
	[ITEM_TURN] = "a turn for now", [ITEM_ATTEMPT] = "an attempt",
	[ITEM_OUTCOME] = "an outcome",
};

static void fail_turn(struct writer *w, struct turn_item *turn, const pa_error *err)
{
	bool is_lost = strcmp(db_error_state(w->store.db), "PA001") == 0;

	if (!is_lost)
		log_error(LOG_IDS(.conversation = turn->conversation_id, .event = turn->last_event),
			  "the store refuses a turn: %s", error_text(err));
	w->options.hooks.turn_ended(w->options.hooks.arg, turn, is_lost ? TURN_LOST : TURN_FAILED);
}

/* The store refuses this one item by itself. A message under way must know what became of it, or a
 * sweep would take it for lost and send it again: its items are never given up. */
static void fail(struct writer *w, struct item *item, pa_status status, const pa_error *err)
{
	if (item->kind == ITEM_TURN && status != PA_RETRY) {
		fail_turn(w, (struct turn_item *)(void *)item, err);
		return;
	}
	if (complaint_note(&w->complaint, error_text(err)))
		log_error(LOG_NO_IDS, "the store refuses %s, and maybe more: %s",
			  item_words[item->kind], error_text(err));
	defer(w, item);
}

static void count_commit(struct writer *w, const struct batch *batch, int64_t began_ns,
			 pa_status status)
{
	if (status != PA_OK) {
		meter_add(&w->counts.failed, 1);
		return;
	}
	histogram_note(&w->counts.took, clock_monotonic_ns() - began_ns);
	for (size_t kind = 0; kind < ITEM_KINDS; kind++)
		meter_add(&w->counts.items[kind], batch->count[kind]);
}

static pa_status commit_batch(struct writer *w, const struct batch *batch, pa_error *err)
{
	struct stored stored;
	/* The store keeps microseconds; references to an outbox row carry its time. */
	int64_t now_ns = clock_now_ns() / 1000 * 1000;
	int64_t began_ns = clock_monotonic_ns();
	pa_status status;

	arena_reset(w->arena);
	atomic_store(&w->is_committing, true);
	status = store_commit(&w->store, batch, now_ns, w->arena, &stored, err);
	atomic_store(&w->is_committing, false);
	count_commit(w, batch, began_ns, status);
	if (status == PA_OK)
		finish_batch(w, batch, &stored);
	return status;
}

/* A transaction of one; on failure of the connection the item goes back. */
static void commit_alone(struct writer *w, struct batch *alone, struct item *item)
{
	pa_error err = ERROR_INIT;
	pa_status status;

	memset(alone->count, 0, sizeof(alone->count));
	alone->items[item->kind][0] = item;
	alone->count[item->kind] = 1;
	if (!w->store.db) {
		put_back(w, alone);
		return;
	}
	status = commit_batch(w, alone, &err);
	if (status == PA_OK)
		return;
	if (!db_is_alive(w->store.db)) {
		put_back(w, alone);
		disconnect(w, &err);
		return;
	}
	fail(w, item, status, &err);
}

static void commit_each(struct writer *w, const struct batch *batch, enum item_kind kind)
{
	struct batch *alone = calloc(1, sizeof(*alone));

	if (!alone)
		abort();
	for (size_t i = 0; i < batch->count[kind]; i++)
		commit_alone(w, alone, batch->items[kind][i]);
	free(alone);
}

/* The whole failed: each kind by itself, and the kind that fails one by one. */
static void commit_by_kind(struct writer *w, const struct batch *batch)
{
	struct batch *part = calloc(1, sizeof(*part));
	pa_error err = ERROR_INIT;

	if (!part)
		abort();
	for (size_t kind = 0; kind < ITEM_KINDS; kind++) {
		memset(part->count, 0, sizeof(part->count));
		memcpy(part->items[kind], batch->items[kind], sizeof(part->items[kind]));
		part->count[kind] = batch->count[kind];
		if (part->count[kind] && (!w->store.db || part->count[kind] == 1 ||
					  commit_batch(w, part, &err) != PA_OK))
			commit_each(w, part, (enum item_kind)kind);
	}
	free(part);
}

/* ---- a cycle ---- */

/* Receipts are half of all work and nobody waits for them: their batches are the largest. */
static bool is_early(const struct writer *w, size_t kind)
{
	return kind == ITEM_RECEIPT && w->last_cycle_ns < w->receipts_due_ns;
}

/* Takes what fits into one transaction; what clashes stays for the next, in order. */
static void gather(struct writer *w, struct batch *batch)
{
	size_t bytes = 0;

	memset(batch->count, 0, sizeof(batch->count));
	for (size_t kind = 0; kind < ITEM_KINDS; kind++) {
		struct line rest = {.last = &rest.first};
		struct item *item;

		if (is_early(w, kind))
			continue;
		while (batch->count[kind] < BATCH_MAX && bytes < BATCH_BYTES &&
		       (item = line_pop(&w->lines[kind]))) {
			if (batch_clashes(batch, item)) {
				line_add(&rest, item);
				continue;
			}
			bytes += batch_bytes(item);
			batch->items[kind][batch->count[kind]++] = item;
			atomic_fetch_sub(&w->waiting, 1);
		}
		if (!rest.first)
			continue;
		*rest.last = w->lines[kind].first;
		if (!w->lines[kind].first)
			w->lines[kind].last = rest.last;
		w->lines[kind].first = rest.first;
	}
}

static void sort_mail(struct writer *w, struct mail *mail)
{
	while (mail) {
		struct item *item = (struct item *)(void *)mail;

		mail = mail->next;
		line_add(&w->lines[item->kind], item);
	}
}

static void put_off_next(struct writer *w, const struct batch *batch)
{
	int64_t ns = 0;

	for (size_t kind = 0; kind < ITEM_KINDS; kind++)
		ns += (int64_t)batch->count[kind] * ITEM_NS;
	rate_charge(&w->pace, ns < ITEMS_NS_MAX ? ns : ITEMS_NS_MAX);
}

static void cycle(struct writer *w, struct batch *batch)
{
	pa_error err = ERROR_INIT;

	w->last_cycle_ns = clock_monotonic_ns();
	gather(w, batch);
	put_off_next(w, batch);
	if (batch->count[ITEM_RECEIPT])
		w->receipts_due_ns = w->last_cycle_ns + RECEIPTS_GAP_NS;
	atomic_fetch_add(&w->cycles, 1);
	if (commit_batch(w, batch, &err) == PA_OK)
		return;
	if (!db_is_alive(w->store.db)) {
		put_back(w, batch);
		disconnect(w, &err);
		return;
	}
	log_debug(LOG_NO_IDS, "a transaction is done again in parts: %s", error_text(&err));
	commit_by_kind(w, batch);
}

/* ---- the connection ---- */

/* Turns whose commit was in doubt and did take effect are done. */
static pa_status resolve(struct writer *w, pa_error *err)
{
	struct item *doubtful[BATCH_MAX];
	bool is_committed[BATCH_MAX] = {false};
	struct line keep = {.last = &keep.first};
	struct item *item;
	size_t count = 0;
	pa_status status = PA_OK;

	while (count < BATCH_MAX && (item = line_pop(&w->lines[ITEM_TURN])) && item->is_in_doubt)
		doubtful[count++] = item;
	if (count < BATCH_MAX && item)
		line_put_back(&w->lines[ITEM_TURN], item);
	arena_reset(w->arena);
	if (count)
		status = store_resolve(&w->store, doubtful, count, w->arena, is_committed, err);
	for (size_t i = count; i > 0; i--) {
		if (is_committed[i - 1]) {
			atomic_fetch_sub(&w->waiting, 1);
			line_add(&keep, doubtful[i - 1]);
		} else {
			doubtful[i - 1]->is_in_doubt = status != PA_OK;
			line_put_back(&w->lines[ITEM_TURN], doubtful[i - 1]);
		}
	}
	while ((item = line_pop(&keep)))
		finish(w, item, &(struct stored){0});
	if (status == PA_OK)
		w->has_doubts = count == BATCH_MAX;
	return status;
}

static pa_status connect_store(struct writer *w, pa_error *err)
{
	static const char *const sets[] = {"transaction", "intake", "turn", "dispatch", NULL};
	pa_status status =
		queue_connect(w->options.database, "proaltod writer", sets, &w->store.db, err);

	while (status == PA_OK && w->has_doubts)
		status = resolve(w, err);
	if (status != PA_OK) {
		db_close(w->store.db);
		w->store.db = NULL;
	}
	return status;
}

static bool be_connected(struct writer *w)
{
	static const int64_t complain_ns = 30 * NS_PER_S;
	pa_error err = ERROR_INIT;

	w->store.node = atomic_load(&w->node); /* another one after a node was drained */
	if (w->store.db)
		return true;
	if (!w->store.node || atomic_load(&w->awaits_sweep))
		return false;
	if (connect_store(w, &err) == PA_OK) {
		log_notice(LOG_NO_IDS, "the store is there");
		atomic_store(&w->is_ready, true);
		w->has_asked = false;
		return true;
	}
	if (clock_monotonic_ns() - w->last_cycle_ns > complain_ns) {
		log_error(LOG_NO_IDS, "the store is away: %s", error_text(&err));
		w->last_cycle_ns = clock_monotonic_ns();
	}
	return false;
}

static void sleep_until(int64_t monotonic_ns)
{
	struct timespec until = {.tv_sec = monotonic_ns / NS_PER_S,
				 .tv_nsec = monotonic_ns % NS_PER_S};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void await_pace(struct writer *w)
{
	int64_t now_ns = clock_monotonic_ns(), wait_ns;

	while ((wait_ns = rate_take(&w->pace, now_ns))) {
		sleep_until(now_ns + wait_ns);
		now_ns = clock_monotonic_ns();
	}
}

/* At the end with the store away: whoever waits is told; what is stored is found by the next start.
 */
static void abandon(struct writer *w)
{
	struct line *const lines[] = {&w->lines[ITEM_TURN], &w->later};
	struct item *item;

	sort_mail(w, mailbox_take(&w->box, 0));
	refuse_arrivals(w);
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
		while ((item = line_pop(lines[i])))
			if (item->kind == ITEM_TURN)
				w->options.hooks.turn_ended(w->options.hooks.arg,
							    (struct turn_item *)(void *)item,
							    TURN_ENDED);
}

/* Nothing to write: waits for something, and looks after the connection meanwhile. */
static void idle(struct writer *w)
{
	int64_t until_ns = clock_monotonic_ns() + LOOK_NS;
	pa_error err = ERROR_INIT;

	if (w->later.first && w->later_ns < until_ns)
		until_ns = w->later_ns;
	sort_mail(w, mailbox_take(&w->box, until_ns));
	if (db_look(w->store.db)) /* else nothing was sent yet: nothing is in doubt */
		return;
	error_set(&err, PA_RETRY, "PostgreSQL closed the connection");
	disconnect(w, &err);
}

/* True if there is nothing but receipts, and they may wait for company. */
static bool may_wait(const struct writer *w)
{
	for (size_t kind = 0; kind < ITEM_KINDS; kind++)
		if (kind != ITEM_RECEIPT && w->lines[kind].first)
			return false;
	return w->lines[ITEM_RECEIPT].first && clock_monotonic_ns() < w->receipts_due_ns;
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;
	struct batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		abort();
	for (;;) {
		bool is_stopping = atomic_load(&w->is_stopping);

		if (!be_connected(w)) {
			refuse_arrivals(w);
			if (is_stopping)
				break;
			sort_mail(w, mailbox_take(&w->box, clock_monotonic_ns() + RECONNECT_NS));
			refuse_arrivals(w);
			if (w->lines[ITEM_TURN].first || w->lines[ITEM_ATTEMPT].first)
				ask_for_sweep(w);
			continue;
		}
		recall(w);
		if (!atomic_load(&w->waiting)) {
			if (is_stopping)
				break;
			idle(w);
			continue;
		}
		if (may_wait(w)) {
			sort_mail(w, mailbox_take(&w->box, w->receipts_due_ns));
			continue;
		}
		await_pace(w);
		sort_mail(w, mailbox_take(&w->box, 0));
		cycle(w, batch);
	}
	free(batch);
	abandon(w);
	return NULL;
}

struct writer *writer_new(const struct writer_options *options)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->options = *options;
	w->store.ring = options->ring;
	w->pace = rate_make(options->gap_ns, options->burst);
	w->arena = arena_new(ARENA_CAP);
	for (size_t i = 0; i < ITEM_KINDS; i++)
		w->lines[i].last = &w->lines[i].first;
	w->later.last = &w->later.first;
	mailbox_init(&w->box);
	complaint_init(&w->complaint);
	if (pthread_create(&w->thread, NULL, writer_main, w) != 0)
		abort();
	pthread_setname_np(w->thread, "writer");
	return w;
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	atomic_store(&w->is_stopping, true);
	mailbox_poke(&w->box);
	pthread_join(w->thread, NULL);
	db_close(w->store.db);
	mailbox_done(&w->box);
	complaint_done(&w->complaint);
	arena_free(w->arena);
	free(w);
}

void writer_set_node(struct writer *w, int64_t node)
{
	atomic_store(&w->node, node);
	mailbox_poke(&w->box);
}

void writer_put(struct writer *w, struct item *item)
{
	atomic_fetch_add(&w->waiting, 1);
	mailbox_put(&w->box, &item->mail);
}

bool writer_is_ready(const struct writer *w)
{
	return atomic_load(&w->is_ready);
}

bool writer_waits_for_store(const struct writer *w)
{
	return !atomic_load(&w->is_ready) || atomic_load(&w->is_committing);
}

size_t writer_backlog(struct writer *w)
{
	return atomic_load(&w->waiting);
}

int64_t writer_node(const struct writer *w)
{
	return atomic_load(&w->node);
}

bool writer_awaits_sweep(const struct writer *w)
{
	return atomic_load(&w->awaits_sweep);
}

void writer_swept(struct writer *w)
{
	atomic_store(&w->awaits_sweep, false);
	mailbox_poke(&w->box);
}

const struct writer_counts *writer_counts(const struct writer *w)
{
	return &w->counts;
}

struct complaint_text writer_complaint(struct writer *w)
{
	return complaint_text(&w->complaint);
}

uint64_t writer_cycles(const struct writer *w)
{
	return atomic_load(&w->cycles);
}
