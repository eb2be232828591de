/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/rotation.h: one master key takes over from another while every node works.
 *
 * A node that is given a new key in front of the old one says so in its row, and goes on sealing
 * under the old one: others may have only that. When every living node has the new one it is put in
 * force; when every living node seals under it the old one is struck out, after which the store
 * takes nothing more that is sealed under it (contact_insert looks). When the last transaction that
 * began before that has ended, one node seals every contact's key anew, some at a time, and notes
 * how far it is; another goes on if it dies. A node that has only the old key is refused from then
 * on, also one that slept meanwhile or was drained.
 *
 * The keeper's own: one thread, on its connection, with the statements of the set "keys".
 */
#ifndef QUEUE_ROTATION_H
#define QUEUE_ROTATION_H

#include "io/db.h"
#include "queue/keyring.h"

enum rotation_state {
	ROTATION_NONE,    /* one key, and everything under it */
	ROTATION_WAITING, /* for other nodes to have it, or to seal under it */
	ROTATION_SEALING, /* contacts' keys are sealed anew */
};

struct rotation {
	struct keyring *ring;
	struct db *db;
	struct arena *arena; /* of one step */
	int64_t node;
	enum rotation_state state;
	bool is_struck;   /* the old key is struck out */
	int64_t fence;    /* a transaction a step after that; 0: not yet */
	bool is_fenced;   /* all before it have ended */
	bool is_told;     /* that it is over */
	bool is_shut_out; /* the key in force is one that this node does not have */
};

/* Learns the store's key and which master key is in force; a store that has none is given one.
 * rotation's ring, db and arena are set. PA_REJECTED: the configuration's keys do not open this
 * store. */
pa_status rotation_begin(struct rotation *rotation, int64_t now_ns, pa_error *err) PA_MUST_USE;

/* Learns the store's key and changes nothing: for whoever only reads. */
pa_status rotation_look(struct rotation *rotation, pa_error *err) PA_MUST_USE;

/* Tells the store what this node has; rotation->node is set. Once, and whenever it was registered
 * anew. */
pa_status rotation_register(struct rotation *rotation, pa_error *err) PA_MUST_USE;

/* A step, each second. With one key, a look at whether that is still the one in force: a node that
 * was taken for dead is not waited for. */
pa_status rotation_step(struct rotation *rotation, int64_t now_ns, pa_error *err) PA_MUST_USE;

#endif
