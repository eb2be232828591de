/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/item.h: what the writer commits. Each kind has one struct; the putter fills it in and gives
 * it away, and gets it back through the writer's callbacks once it is durable (or lost).
 */
#ifndef QUEUE_ITEM_H
#define QUEUE_ITEM_H

#include "flow/turn.h"
#include "queue/contact.h"
#include "queue/mailbox.h"
#include "queue/post.h"

enum item_kind {
	ITEM_EVENT,   /* something came in */
	ITEM_RECEIPT, /* a provider's word on a message of ours */
	ITEM_TURN,    /* a turn's state and effects */
	ITEM_ATTEMPT, /* a message is about to leave */
	ITEM_OUTCOME, /* what became of it */
	ITEM_KINDS,
};

struct item {
	struct mail mail; /* first: items travel by mailbox */
	enum item_kind kind;
	bool is_in_doubt; /* was in a commit whose answer was lost */
};

#define MAX_ADDRESSES 2

/* inbox.kind of what the daemon tells itself; customers' events have their PA_EVENT_*. */
enum inbox_kind { INBOX_JOB = 100, INBOX_TIMER = 101, INBOX_UNDELIVERED = 102 };

/* An event. Memory: its post's. */
struct event_item {
	struct item item;
	struct post *post;
	struct contact *contact;    /* NULL: about nobody */
	pa_str tags[MAX_ADDRESSES]; /* of a contact that is not stored yet */
	size_t tags_count;
	char key[DIGEST_BYTES]; /* dedup */
	size_t key_len;
	int64_t id;
	int64_t conversation;
	int64_t body_of;
	int64_t happened_ns; /* the provider's time, or ours if it gave none */
	int16_t kind;
	bool is_work;
	pa_str plain;   /* packed */
	pa_str payload; /* sealed */
	pa_str body;    /* sealed, or absent */
};

/* An event that was accepted: the row that came back for it. */
struct accepted {
	int64_t id;    /* inbox id */
	int64_t owner; /* node, 0: about nobody */
	int64_t epoch;
	int64_t strays; /* not 0: its conversation's work is taken from the store */
	pa_str state;
};

/* A receipt. Memory: its post's. */
struct receipt_item {
	struct item item;
	struct post *post;
	int64_t id;
	int64_t outbox_id; /* 0: the message is known by external_tag only */
	int64_t outbox_at_ns;
	uint8_t external_tag[TAG_BYTES];
	uint32_t status; /* PA_STATUS_* */
	int64_t provider_at_ns;
	int64_t code;
	pa_str payload;
	pa_str body;
};

struct outbound;

struct attempt_item {
	struct item item;
	struct outbound *outbound;
};

struct outcome_item {
	struct item item;
	struct outbound *outbound;
	enum outbox_state state;
	bool is_open;
	uint32_t result; /* PA_OUTCOME_* */
	int64_t code;
	pa_str reason;   /* in the outbound's own buffer */
	pa_str gate;     /* the gate's answer, static; absent: unchanged */
	pa_str external; /* sealed, the outbound's; absent: unchanged */
};

/* A message on its way: the dispatcher's. One attempt and one outcome at a time are with the
 * writer. */
struct outbound {
	struct mail mail;      /* first: travels to the dispatcher */
	int step;              /* why it travels: the dispatcher's */
	struct outbound *next; /* in its lane */
	struct attempt_item attempt;
	struct outcome_item outcome;
	int64_t id;
	int64_t at_ns; /* outbox.at: set by the writer at its birth */
	int64_t conversation;
	struct channel *channel;
	struct contact *contact;
	enum turn_class class;
	uint32_t kind; /* PA_OUT_* */
	bool is_secret;
	bool was_born_leaving; /* its first attempt is in its own row, and it goes right after the
				  commit */
	bool is_out;           /* with the writer or the provider */
	bool is_next;          /* its attempt is committed, the outcome before it is not */
	int16_t tries;
	enum outbox_state state;
	int64_t not_after_ns;   /* business time; 0: none */
	int64_t window_ns;      /* business time: end of the 24 h window; 0: none */
	int64_t asked_ns;       /* monotonic: what it is the first answer to came in; 0: none */
	int64_t first_try_ns;   /* monotonic */
	int64_t due_ns;         /* monotonic: not before */
	int64_t uncertain_ns;   /* monotonic: since when */
	uint32_t seen_statuses; /* of receipts: 1 << PA_STATUS_* */
	char reason[160];
	char *external; /* malloced: outcome.external points to it */
	size_t external_len;
	uint8_t external_tag[TAG_BYTES]; /* by which its receipts will name it */
	bool has_external_tag;
	char media_id[128]; /* of an upload done for it, "" if none */
	pa_str what_for;
	pa_str packed; /* the message, plain; lies behind the struct */
};

struct conversation;

/* A file that came with an event. */
struct file_row {
	int64_t id;
	int64_t inbox_id;
	pa_str claim; /* sealed: media/fetcher.h */
};

/* A turn. Owns its arena, which holds all of it. */
struct turn_item {
	struct item item;
	struct arena *arena;
	struct flow_set *flows; /* counted: a reload may replace them while the turn is stored */
	struct conversation *conversation;
	int64_t conversation_id;
	int64_t epoch;
	bool has_strays;    /* its conversation's work was taken from the store */
	int64_t last_event; /* inbox id the replies answer */
	int64_t asked_ns;   /* monotonic: when the first event came in; 0: it was taken up later */
	int64_t *consumed;  /* inbox ids */
	size_t consumed_count;
	size_t events_done; /* of the conversation's waiting events */
	pa_str state;       /* plain */
	pa_str sealed_state;
	struct outbound **outbounds; /* become the dispatcher's after the commit */
	pa_str *payloads;            /* sealed, one each */
	size_t outbounds_count;
	struct turn_out out; /* jobs, timers, consents, cases, lock: as the turn made them */
	int64_t *job_ids;
	pa_str *job_payloads; /* sealed, packed */
	int64_t *consent_ids;
	pa_str *consent_words;
	int64_t *case_ids;
	pa_str *case_summaries;
	struct file_row *files; /* to be fetched */
	size_t files_count;
	int64_t *redacted_ids; /* inbox rows */
	pa_str *redacted_payloads;
	size_t redacted_count;
};

#endif
