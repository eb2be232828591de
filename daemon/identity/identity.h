/* SPDX-License-Identifier: Apache-2.0
 *
 * identity/identity.h: who is on the other side: documents asked for, codes sent, tries counted,
 * sessions that lapse. The rules of one chat, as functions over its state; what is said to whom is
 * the flow's business, and locks and quotas of a person everywhere are the queue's.
 *
 *	identity_begin(&identity, &settings, tags, &document, now_ns);   // the neutral answer
 *	... later, in a job: the core was asked ...
 *	if (identity_match(...) == MATCH_SEND) { identity_make_code(..., code); send it }
 *	switch (identity_try_code(&identity, &settings, tags, code, now_ns)) ...
 *
 * Decoys: identity_begin() leaves a random hash where a code's will be. Who is no customer keeps
 * it, so nothing that happens afterwards (texts, tries, locks) can differ. SF-03, SF-04.
 *
 * Threads: none of its own. Secrets: the state holds the document while a code is on its way and
 * never a code; the caller seals it.
 */
#ifndef IDENTITY_IDENTITY_H
#define IDENTITY_IDENTITY_H

#include "base/arena.h"
#include "base/pack.h"
#include "identity/document.h"

#include <proalto/backend.h>

enum identity_lookup { IDENTITY_FULL, IDENTITY_LAST4, IDENTITY_LINK };

/* From the configuration; never changes while in use. */
struct identity_settings {
	enum identity_lookup lookup;
	const char *code_channel; /* name of the channel that carries codes */
	int64_t code_ttl_ns;
	int64_t code_tries;
	int64_t lock_ns;
	int64_t session_idle_ns;
	int64_t session_max_ns;
	int64_t mobile_settle_days; /* a mobile younger than this goes to a person */
};

/* The house's keyed tag of something (turn_ports.tag). */
struct identity_tags {
	void (*tag)(void *arg, const char *purpose, pa_str data, uint8_t out[16]);
	void *arg;
	int64_t conversation; /* a code counts in this one alone */
};

#define IDENTITY_TAG_BYTES 16

enum identity_stage {
	STAGE_NOBODY,
	STAGE_DOCUMENT, /* the document was asked for */
	STAGE_CODE,     /* the neutral answer was given; a code or a decoy is awaited */
	STAGE_VERIFIED,
};

struct identity {
	enum identity_stage stage;
	int64_t serial;     /* of the code awaited: a resend voids the one before */
	bool wants_full;    /* last four did not do: the whole number is asked */
	bool is_looked_up;  /* the job has run */
	bool is_registered; /* the chat is the one registered for the document */
	struct document
		document; /* kept while it may be needed again: a session is renewed by code */
	bool is_last4;    /* document holds the last four digits only */
	uint8_t person[IDENTITY_TAG_BYTES];
	uint8_t code_hash[IDENTITY_TAG_BYTES];
	int64_t code_until_ns;
	int64_t tries_left;
	int64_t locked_until_ns; /* this chat */
	int64_t tried_documents; /* different ones since tried_since_ns */
	int64_t tried_since_ns;
	int64_t stray_codes; /* codes typed where none was awaited */
	int64_t verified_at_ns;
	int64_t seen_at_ns;
	pa_str customer_id;
	pa_str first_name;
	pa_str mobile_tail; /* last two digits of the registered mobile */
	pa_str device_key;
};

/* True while the person's session holds. */
bool identity_is_verified(const struct identity *identity, const struct identity_settings *settings,
			  int64_t now_ns);

/* Pauses a session that lapsed; true if it did just now. Call it at each turn, before anything. */
bool identity_lapse(struct identity *identity, const struct identity_settings *settings,
		    int64_t now_ns);

/* Forgets who it was; locks and counters stay. */
void identity_end(struct identity *identity);

/* Ends the session or the verification under way, but keeps the document: to go on takes a code
 * only. */
void identity_pause(struct identity *identity);

/* The last three digits of the document at hand; absent if there is none. */
pa_str identity_last3(const struct identity *identity);

/* This chat's lock: until when, 0 if none. */
int64_t identity_locked_until(const struct identity *identity, int64_t now_ns);

enum identity_begun {
	BEGUN,
	BEGUN_REPEATED, /* the same document again, and its code is awaited: nothing to do */
	BEGUN_LOCKED,   /* too many different documents: locked now */
};

/* A document was given: the stage is STAGE_CODE with a decoy. */
enum identity_begun identity_begin(struct identity *identity,
				   const struct identity_settings *settings,
				   const struct identity_tags *tags,
				   const struct document *document, bool is_last4, int64_t now_ns);

/* Another code was asked for: the one before is void, a decoy takes its place. Tries are not
 * given back. */
void identity_renew(struct identity *identity, const struct identity_settings *settings,
		    int64_t now_ns);

/* The tag of a person, for locks and quotas. */
void identity_person(const struct identity_tags *tags, const char *type, pa_str document,
		     uint8_t out[IDENTITY_TAG_BYTES]);

enum identity_match {
	MATCH_NOBODY, /* keep the decoy */
	MATCH_SEND,   /* send a code to the registered mobile */
	MATCH_PERSON, /* known, but somebody of the house must look: told in his own chat only */
};

/* What the core's answer means for this chat, whose number is `phone` (absent if unknown). */
enum identity_match identity_match(const struct identity_settings *settings,
				   const pa_customer *customer, pa_str phone, int64_t now_ns,
				   bool *ret_is_registered);

/* Makes a code, keeps its hash, and writes it for the message. Wipe it after use. */
void identity_make_code(struct identity *identity, const struct identity_settings *settings,
			const struct identity_tags *tags, int64_t now_ns,
			char ret[CODE_DIGITS + 1]);

enum identity_try {
	TRY_RIGHT,
	TRY_WRONG,   /* tries_left tells how many remain */
	TRY_EXPIRED, /* of no use any more: no try is counted */
	TRY_LOCKS,   /* that was the last try: the chat is locked */
};

enum identity_try identity_try_code(struct identity *identity,
				    const struct identity_settings *settings,
				    const struct identity_tags *tags, const char *code,
				    int64_t now_ns);

/* A code was typed where none is awaited: counts as abuse; true if that locked the chat. */
bool identity_stray_code(struct identity *identity, const struct identity_settings *settings,
			 int64_t now_ns);

/* The number or the device key changed: ends the session and what was under way. True if there was
 * a session to end. */
bool identity_changed_hands(struct identity *identity);

/* As bytes, for the conversation's state. */
void identity_pack(struct buf *out, const struct identity *identity);
/* Slices point into bytes. False if they make no sense. */
bool identity_unpack(pa_str bytes, struct identity *ret);

#endif
