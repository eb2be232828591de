/* SPDX-License-Identifier: Apache-2.0
 *
 * evidence/evidence.h: an entry for every event, without content: what happened, to which row,
 * when, and the SHA-256 of the sealed bytes stored there. Erasing a key erases the content and
 * leaves every proof. Entries of one commit are packed together into one row; a sequencer numbers
 * and hashes them later.
 */
#ifndef EVIDENCE_EVIDENCE_H
#define EVIDENCE_EVIDENCE_H

#include "base/buf.h"

/* What an entry is about. Numbers never change. */
enum evidence_kind {
	EVIDENCE_RECEIVED = 1, /* inbox row */
	EVIDENCE_COMPOSED = 2, /* outbox row */
	EVIDENCE_ATTEMPT = 3,  /* outbox row, about to leave */
	EVIDENCE_OUTCOME = 4,  /* outbox row; detail: its state */
	EVIDENCE_RECEIPT = 5,  /* receipt row; detail: its status */
	EVIDENCE_CONSENT = 6,  /* consent row */
	EVIDENCE_CASE = 7,     /* service_case row */
	EVIDENCE_FACT = 8,     /* inbox row whose turn established it; text: what */
	EVIDENCE_OPERATOR =
		9, /* operator_act row; detail: user id; text: the action; sealed: why */
	EVIDENCE_REMOVED =
		10, /* retention_act row (0006_retention.sql); detail: rows; text: class */
};

struct evidence {
	enum evidence_kind kind;
	int64_t id;
	int64_t at_ns;
	int64_t detail;
	pa_str text;   /* a static word, never content */
	pa_str sealed; /* hashed; absent: nothing to hash */
};

/* Appends an entry to the packed entries of a commit. */
void evidence_add(struct buf *entries, const struct evidence *evidence);

#endif
