/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/keeper.h: the thread that keeps the queue honest, once a second, over a connection of its
 * own: this node's sign of life and its leases, blocks of ids, timers that are due, work and
 * messages that nobody has in hand (after a death, a lost commit, another node's end), what is
 * late, and upkeep of the store. Correctness rests on this sweep; everything quicker is only
 * quicker.
 */
#ifndef QUEUE_KEEPER_H
#define QUEUE_KEEPER_H

#include "queue/conversations.h"
#include "queue/dispatch.h"
#include "queue/flight.h"
#include "queue/overview.h"
#include "queue/rotation.h"
#include "queue/writer.h"

struct keeper;

struct keeper_options {
	const char *database;
	const char *node_name;
	struct keyring *ring;
	struct channels *channels;
	struct conversations *conversations;
	struct dispatch *dispatch;
	struct writer *writer;
	const struct flight *last; /* what the last process had in hand; copied */
	size_t last_count;
	/* The plugin was charged three times in ten minutes. */
	void (*disable_plugin)(void *arg, const char *plugin);
	/* Nothing that came in is under way any more. */
	bool (*is_idle)(void *arg);
	/* The node serves again, or no more. */
	void (*set_door)(void *arg, bool is_open);
	void *arg;
};

struct keeper *keeper_new(const struct keeper_options *options);

/* A node that is drained ends what it has, or as much as ends in time, then gives its leases away:
 * others do all there is to do, and it has no part in the store until it is told to serve again.
 * Any thread. */
enum keeper_phase {
	KEEPER_SERVING,
	KEEPER_DRAINING,    /* turns under way end */
	KEEPER_SENDING_OFF, /* so do messages under way; none begins */
	KEEPER_LEAVING,     /* the store is told */
	KEEPER_DRAINED,
};
void keeper_drain(struct keeper *keeper, bool is_wanted);
enum keeper_phase keeper_phase(const struct keeper *keeper);

/* Ends the thread; what is told to it afterwards is for the next start. */
void keeper_stop(struct keeper *keeper);
/* When nobody tells it anything any more, and this node's last commit is done: its leases are given
 * up, so that others need not wait for them to run out. */
void keeper_free(struct keeper *keeper);

/* Takes an event out of the way, for a person to look at. Any thread. */
void keeper_set_aside(struct keeper *keeper, int64_t event, const char *reason);

/* Something to do lies in the store for this node, or for another one. Any thread. */
void keeper_take_strays(struct keeper *keeper);
void keeper_tell_others(struct keeper *keeper);

/* Whoever waits for the core has his turn now. Any thread. */
void keeper_core_back(struct keeper *keeper);

/* How far the change of the master key is. */
enum rotation_state keeper_rotation(const struct keeper *keeper);

/* What the keeper saw last. Any thread. */
struct keeper_view {
	struct overview overview;
	char trouble[256]; /* why it can't work on the store; "": it can */
};
struct keeper_view keeper_view(struct keeper *keeper);

/* Customers that have waited 20 s for an answer, so far. */
uint64_t keeper_late_count(const struct keeper *keeper);

#endif
