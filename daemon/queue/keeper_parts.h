/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/keeper_parts.h: what the keeper's files share. keeper.c: start, sign of life, leases, ids,
 * the thread; keeper_deaths.c: what the last process had in hand when it died; keeper_sweep.c:
 * timers, events that nobody has in hand; keeper_outbox.c: messages that nobody has;
 * keeper_upkeep.c: what goes after its time;
 * keeper_drain.c: a node that is to be idle. All of it is the keeper thread's.
 */
#ifndef QUEUE_KEEPER_PARTS_H
#define QUEUE_KEEPER_PARTS_H

#include "io/db.h"
#include "queue/complaint.h"
#include "queue/keeper.h"

#include <pthread.h>

#define EXPIRIES 4 /* tables of keeper_upkeep.c */

/* How far the messages with something still to be done were looked at. */
struct outbox_place {
	int64_t at_ns;
	int64_t id;
};

struct keeper {
	struct keeper_options options;
	struct db *db;
	struct arena *arena; /* of one tick */
	int64_t node;
	int64_t started_ns;               /* business time */
	struct flight last[FLIGHT_SLOTS]; /* not yet charged with the end of the last process */
	size_t last_count;
	bool died_alone;                /* with one event in hand and by nobody's fatal signal */
	int64_t suspects[FLIGHT_SLOTS]; /* events that run alone first */
	size_t suspects_count;
	bool has_recovered;         /* the open messages of before were taken up */
	bool is_outbox_behind;      /* conversations were taken over: their messages first */
	bool has_told_key;          /* that messages wait for the key that opens them */
	struct complaint complaint; /* of the store */
	uint64_t ticks;
	int64_t beat_ns; /* monotonic: the last sign of life was given after this */
	int64_t told_ns; /* the same: other nodes were told */
	struct outbox_place outbox_place;
	int64_t expiry_pages[EXPIRIES];
	pthread_t thread;
	struct mailbox box;
	pthread_mutex_t view_lock; /* guards view */
	struct keeper_view view;
	bool was_ready;
	_Atomic bool is_core_back;   /* those who wait for it are not told yet */
	_Atomic bool has_strays;     /* something to do lies in the store */
	_Atomic bool has_for_others; /* the same, for another node */
	_Atomic bool is_stopping;
	_Atomic bool wants_drain;
	_Atomic int phase;  /* enum keeper_phase */
	int64_t phase_ns;   /* monotonic: it began */
	int quiet_ticks;    /* in which there was nothing left to end */
	bool was_cut_short; /* turns that would not end are left behind */
	_Atomic uint64_t late;
	struct rotation rotation;
	_Atomic int rotation_state;
};

static inline struct db_params *keeper_params(struct keeper *k, enum sql statement)
{
	return db_params_new(k->arena, statement);
}

static inline pa_status keeper_run(struct keeper *k, struct db_params *params,
				   struct db_result **ret, pa_error *err)
{
	return db_run(k->db, params, ret, err);
}

/* What the last process had in hand when it died. */
void keeper_note_last(struct keeper *k, const struct flight *last, size_t count);
/* Charges events and plugins with the end of the last process; what killed it twice is set aside.
 */
pa_status keeper_judge_last(struct keeper *k, pa_error *err) PA_MUST_USE;
/* Plugins charged too often stay off. */
pa_status keeper_disable_plugins(struct keeper *k, pa_error *err) PA_MUST_USE;
/* Takes an event out of the way. */
pa_status keeper_put_aside(struct keeper *k, int64_t event, const char *reason, pa_error *err)
	PA_MUST_USE;

/* Turns timers that are due into work. */
pa_status keeper_fire_timers(struct keeper *k, pa_error *err) PA_MUST_USE;
/* Those who wait for the core have their turn, if it is back. */
pa_status keeper_tell_core_back(struct keeper *k, pa_error *err) PA_MUST_USE;
/* Takes up the work that is this old (0: all) and that nobody has in hand. */
pa_status keeper_sweep_work(struct keeper *k, int64_t stale_ns, pa_error *err) PA_MUST_USE;

/* The same for messages: of before the start, of a commit in doubt, of another node. Those that are
 * a while old, some each time; those of the last seconds; or all. */
enum outbox_sweep { OUTBOX_TICK, OUTBOX_RECENT, OUTBOX_ALL };
pa_status keeper_sweep_outbox(struct keeper *k, enum outbox_sweep sweep, pa_error *err) PA_MUST_USE;

/* What a tick does beside a wish to be drained, or to serve again. */
bool keeper_is_draining(struct keeper *k);
pa_status keeper_drain_tick(struct keeper *k, pa_error *err) PA_MUST_USE;

/* Nothing can be hashed or opened before; PA_REJECTED: the store is sealed under another key. */
pa_status keeper_learn_keys(struct keeper *k, pa_error *err) PA_MUST_USE;

/* Registers this start under a new id, and takes up what is there for it. */
pa_status keeper_join(struct keeper *k, pa_error *err) PA_MUST_USE;

/* Gives a sign of life if the last one is a second old: between the pages of whatever is long. */
pa_status keeper_stay_alive(struct keeper *k, pa_error *err) PA_MUST_USE;

/* Now and then, for whoever asks how things are. */
pa_status keeper_look_over(struct keeper *k, pa_error *err) PA_MUST_USE;

/* What is done after each tick: rows whose time is over. */
pa_status keeper_upkeep(struct keeper *k, pa_error *err) PA_MUST_USE;

#endif
