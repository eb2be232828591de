/* SPDX-License-Identifier: Apache-2.0
 *
 * flow/turn.h: one turn of a conversation, as a function.
 *
 * In: the state the last turn left, what happened since, and ports to whatever is slow (core
 * system, language, locks). Out: a new state and a list of effects. The turn itself writes nothing,
 * sends nothing and holds no transaction: the queue commits state and effects together, or not at
 * all. So a turn may be run again after a crash, and only ports with effects of their own must
 * stand being called twice.
 *
 * The flows, texts and rules come from the flow set (flow/set.h). A turn works on the set version
 * its conversation began with, as long as a question is pending.
 *
 * Threads: many turns at once on different conversations, never two on one.
 */
#ifndef FLOW_TURN_H
#define FLOW_TURN_H

#include "base/arena.h"
#include "core/core.h"

#include <proalto/channel.h>

struct flow_set;

/* ---- in ---- */

enum turn_event_kind {
	TURN_CUSTOMER = 1, /* event is set: a message or system event of the customer's */
	TURN_JOB,          /* a job that an earlier turn asked for: name, payload */
	TURN_TIMER,        /* a timer that an earlier turn set: name */
	TURN_LATE,         /* the customer has been without an answer for 20 s */
	TURN_UNDELIVERED,  /* a message of ours failed for good; name: what it was for */
};

/* A timer of this name waits for the core: it is due at once when the core answers again, and after
 * each start of the daemon. (sql/queries/keeper.sql knows the name too.) */
#define TIMER_CORE "nucleo"

/* A job of this name tells that a file was refused; its payload is the word for the reason. */
#define JOB_FILE_REFUSED "file.refused"

struct turn_event {
	int64_t id; /* inbox id, 0 for what the queue itself makes */
	enum turn_event_kind kind;
	const pa_event *event;
	pa_str name;
	pa_str payload;
};

struct turn_in {
	int64_t now_ns; /* business time */
	int64_t conversation;
	int64_t contact;
	pa_str channel;  /* its name in the configuration */
	uint32_t medium; /* one PA_MEDIUM_* */
	uint32_t features;
	const pa_channel_limits *limits;
	pa_str phone;                    /* the contact's, absent if unknown */
	pa_str user_id;                  /* the same */
	pa_str state;                    /* as the last turn left it; empty at first */
	const struct turn_event *events; /* oldest first; at least one */
	size_t events_count;
	bool can_fetch;     /* files that come on this channel can be had */
	bool quiet_is_over; /* the second of quiet has passed: answer with what there is */
};

struct turn_intent {
	pa_str name;
	uint32_t confidence; /* parts per million */
};

/* Whatever a turn must ask others. All may block, within the turn's deadline. */
struct turn_ports {
	void *arg;
	/* Core system. PA_RETRY: it is away or slow (breaker open, deadline, failure). PA_DEADLINE:
	 * no slot free just now: end the turn with turn_out.park set, it runs again when one is. */
	pa_status (*core)(void *arg, struct arena *arena, const struct core_question *question,
			  struct core_answer *ret, pa_error *err);
	/* Readings of a text, best first; PA_RETRY: no language plugin, or it failed. */
	pa_status (*classify)(void *arg, struct arena *arena, pa_str text, pa_str question,
			      struct turn_intent *ret_intents, size_t room, size_t *ret_count);
	/* Until when this person (keyed tag of the document) is locked everywhere; 0: not. */
	pa_status (*person_locked_until)(void *arg, pa_str person, int64_t now_ns, int64_t *ret);
	/* Takes one code out of the person's hourly quota, the owner's or the strangers'; once for
	 * one event, however often its turn is run. */
	pa_status (*code_quota_take)(void *arg, pa_str person, bool is_owner, int64_t now_ns,
				     int64_t event, bool *ret_granted);
	/* The next radicado. Gaps are allowed. */
	pa_status (*case_number)(void *arg, int64_t now_ns, struct arena *arena, pa_str *ret);
	/* True if messages on this channel go out just now. */
	bool (*channel_is_healthy)(void *arg, pa_str channel);
	/* The house's tag of something, for look-up and taps: keyed, 16 bytes. */
	void (*tag)(void *arg, const char *purpose, pa_str data, uint8_t out[16]);
};

/* ---- out ---- */

enum turn_class { /* CO-01; the gate refuses all but these three until it is whole */
		  CLASS_RESPUESTA = 1,
		  CLASS_SEGURIDAD,
		  CLASS_TRANSACCIONAL,
		  CLASS_LEGAL,
		  CLASS_COBRANZA,
		  CLASS_PUBLICIDAD,
};

/* A message to send. account, phone, user_id and ref are filled in by the queue, unless phone is
 * set (a code to the registered mobile). */
struct turn_reply {
	pa_message message;
	enum turn_class class;
	pa_str channel;       /* absent: the conversation's */
	pa_str what_for;      /* comes back in TURN_UNDELIVERED; "" or absent: nobody cares */
	int64_t not_after_ns; /* 0: none */
	bool is_secret;       /* a one-time code: wiped at its first final outcome */
};

struct turn_job {
	pa_str name;
	pa_str payload;
};

/* One timer of a name a conversation; due_ns 0 cancels it. */
struct turn_timer {
	pa_str name;
	int64_t due_ns;
};

struct turn_consent {        /* HD-02 */
	pa_str purpose;      /* "servicio" ... */
	pa_str action;       /* "otorga", "niega", "revoca" */
	pa_str text_version; /* of the question shown, with its hash */
	pa_str words;        /* literal words or tap payload */
	int64_t question;    /* outbox id of the message that asked; 0: nobody asked */
	pa_str answer_id;    /* the provider's id of the answer */
};

struct turn_case {
	pa_str number;  /* from the case_number port */
	pa_str kind;    /* "peticion", "queja", "fraude", "asesor", ... (PQ-02) */
	pa_str summary; /* what the person said: sealed */
	int64_t due_ns; /* 0: none */
};

/* What of an event may stay: the stored payload is replaced by kept, and the raw body is erased
 * (card numbers, passwords and codes that people volunteer; what may not be kept without consent).
 */
struct turn_redaction {
	size_t event; /* index in turn_in.events; one that is consumed */
	const pa_event *kept;
};

struct turn_out {
	size_t consumed;       /* how many of the events are done; the rest come again */
	int64_t hold_until_ns; /* monotonic-free: business time; >0: run again then or at the next
				  event */
	bool park;             /* no slot in the core's bulkhead: run again when there is one */
	pa_str state;
	struct turn_reply *replies;
	size_t replies_count;
	size_t question; /* which of them shows the question on the table, counted from 1; 0: none:
			    turn_state_with_question() */
	struct turn_job *jobs;
	size_t jobs_count;
	struct turn_timer *timers;
	size_t timers_count;
	struct turn_consent *consents;
	size_t consents_count;
	struct turn_case *cases;
	size_t cases_count;
	struct turn_redaction *redactions;
	size_t redactions_count;
	size_t *files; /* indices in turn_in.events: consumed ones whose file is to be kept */
	size_t files_count;
	pa_str lock_person; /* absent: none; otherwise lock this person everywhere */
	int64_t lock_until_ns;
	const char
		*fact; /* evidence: what happened, a static word ("identity.verified"), or NULL */
	bool no_answer_ok; /* that nothing is sent is right (a reaction, a flood ...) */
	const char *no_answer_reason;
};

/* Runs the turn. Everything in ret lies in the arena. Never fails for what a customer sent; PA_BUG
 * means that the state can't be read or the flow set is broken. */
pa_status turn_run(const struct flow_set *set, const struct turn_in *in,
		   const struct turn_ports *ports, struct arena *arena, struct turn_out *ret,
		   pa_error *err) PA_MUST_USE;

/* The state of a turn whose question became the message outbox_id, known only when it is stored. */
pa_str turn_state_with_question(struct arena *arena, pa_str state, int64_t outbox_id);

/* Where a conversation stands, for people: the flow and step under way, and the flow because of
 * which only a person goes on; absent where there is none. state: as a turn left it. False if it
 * makes no sense. */
bool turn_place(pa_str state, pa_str *ret_flow, pa_str *ret_step, pa_str *ret_care);

#endif
