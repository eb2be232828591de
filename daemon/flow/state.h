/* SPDX-License-Identifier: Apache-2.0
 *
 * flow/state.h: what a conversation remembers between two turns, and how it is written as bytes.
 *
 * Flows and steps are written by name, so that a state survives a change of the flow files: what
 * has vanished meanwhile is told to the person, and nothing else is lost. Slices of a state that
 * was read point into the bytes given. Bounded: the lists have fixed room and what a person typed
 * is cut at MEMORY_VALUE_MAX.
 */
#ifndef FLOW_STATE_H
#define FLOW_STATE_H

#include "consent/consent.h"
#include "flow/model.h"
#include "identity/identity.h"

#define FRAMES_MAX 4
#define HISTORY_MAX 6
#define MEMORY_MAX 24
#define MEMORY_VALUE_MAX 1500
#define WISHES_MAX 4
#define PICKS_MAX 3
#define CASES_KEPT 4

/* Which question is on the table. */
enum waiting {
	WAIT_NOTHING,
	WAIT_STEP,      /* of the top frame */
	WAIT_CONSENT,   /* to the use of personal data */
	WAIT_IDENTITY,  /* identity.stage says what */
	WAIT_EXIT,      /* leave in the middle? */
	WAIT_PICK,      /* which of two readings */
	WAIT_DRAFT,     /* go on with what is saved, or anew */
	WAIT_CORE_BACK, /* the core is back: still wanted? */
	WAIT_COUNT,
};

/* A flow under way. */
struct frame {
	int flow;
	int step;
	int history[HISTORY_MAX]; /* steps that asked something, oldest first: for "atrás" */
	size_t history_count;
};

/* A case opened in this chat. */
struct open_case {
	pa_str number;
	pa_str kind;
	int64_t at_ns;
	int64_t due_ns;
	int64_t additions;
	bool is_withdrawn;
};

struct memory {
	pa_str name;
	pa_str value;
};

struct state {
	uint64_t set_version; /* that the pending question belongs to */
	enum waiting waiting;
	int64_t mark;            /* of the question on the table: each one has its own */
	int64_t question_outbox; /* ... and the message that shows it; 0: not known */
	int64_t page;
	int64_t misses_format;
	int64_t misses_meaning;
	int64_t misses_kind; /* something else than what was asked: a photo ... */
	struct frame frames[FRAMES_MAX];
	size_t depth;
	bool has_lost_flow; /* a frame's flow or step is no longer there */
	struct memory memory[MEMORY_MAX];
	size_t memory_count;
	int wishes[WISHES_MAX]; /* flows, in the order they are served */
	size_t wishes_count;
	int picks[PICKS_MAX]; /* WAIT_PICK: the flows to choose from */
	size_t picks_count;
	struct consent consent;
	struct identity identity;
	int parked_flow; /* whose question waits for the core; NOWHERE: none */
	int64_t parked_at_ns;
	int draft_flow; /* NOWHERE: none */
	int draft_step;
	int64_t draft_at_ns;
	pa_str draft_memory;
	struct open_case cases[CASES_KEPT]; /* the one named last stands first */
	size_t cases_count;
	int64_t opening_told_ns; /* that people are there again then was told */
	int care_flow;           /* only a person goes on, because of this one; NOWHERE: none */
	bool is_greeted;
	int64_t last_in_ns;
	int64_t flood_since_ns;
	int64_t flood_last_ns; /* when the last message was written */
	int64_t flood_count;
	int64_t flood_heard; /* the urgent matter last heard in a flood; 0: none */
	bool is_flooded;
	bool is_late_said;
	int64_t reminder_due_ns; /* of the timer that is set; 0: none */
	bool is_reminded;
	int64_t tapped_mark; /* the last tap that was an answer */
	pa_str tapped_option;
	int64_t tapped_at_ns;
	int64_t asked_hash; /* what the last message asked for; 0: nothing */
	int64_t asked_at_ns;
	int64_t amount_doubt;     /* the smaller of two readings, and which one is asked; 0: none */
	pa_str unlikely_document; /* typed once, hardly ever issued */
	bool was_group_told;
	int last_wish; /* flow last asked for; NOWHERE: none */
};

/* A state at its beginning. */
void state_init(struct state *state);

/* Reads bytes; empty ones are a beginning. False if they make no sense. */
bool state_unpack(pa_str bytes, const struct flow_set *set, struct state *ret);

/* The set version that a state's pending question belongs to, 0 if none; false if broken. */
bool state_version(pa_str bytes, uint64_t *ret);

pa_str state_pack(struct arena *arena, const struct flow_set *set, const struct state *state);

/* Memory by name; absent if nothing is remembered. Setting it absent forgets it. */
pa_str state_recall(const struct state *state, pa_str name);
void state_remember(struct state *state, pa_str name, pa_str value);

/* The memory alone, for a draft, and back. */
pa_str state_pack_memory(struct arena *arena, const struct state *state);
bool state_unpack_memory(pa_str bytes, struct state *state);

#endif
