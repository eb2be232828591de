/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/counts.h: what is counted of each channel, for metrics and proaltoctl status. Whoever does
 * the thing counts it; a channel's counts live as long as the channel.
 */
#ifndef QUEUE_COUNTS_H
#define QUEUE_COUNTS_H

#include "base/meter.h"
#include "gate/gate.h"

#include <proalto/channel.h>

/* outbox.state: how far a message got. */
enum outbox_state {
	OUTBOX_WAITING = 0,
	OUTBOX_UNDER_WAY = 1,
	OUTBOX_UNCERTAIN = 2,
	OUTBOX_SENT = 3,
	OUTBOX_FAILED = 4,
	OUTBOX_REFUSED = 5,
	OUTBOX_DROPPED = 6,
	OUTBOX_STATES,
};

#define COUNTS_CODES 32 /* different error codes of a provider that are told apart */

struct channel_counts {
	meter deliveries; /* of the provider, taken */
	meter refused;    /* turned away: the store is away or behind */
	meter forged;
	meter events;
	meter duplicates; /* events that were in the store already */
	meter receipts[PA_STATUS_FAILED + 1];
	meter attempts[PA_OUTCOME_UNCERTAIN + 1]; /* ended, by PA_OUTCOME_* */
	meter messages[OUTBOX_STATES];            /* nothing is to be done for them any more */
	meter gate[GATE_REASONS];                 /* refused at the gate */
	meter repeated;                           /* replies sent again without word on the first */
	struct {
		_Atomic int64_t code; /* 0: free */
		meter count;
	} codes[COUNTS_CODES];         /* errors of the provider; one thread at a time adds */
	meter codes_other;             /* those that found no place */
	struct histogram acknowledged; /* a delivery, from the door to its 200 */
	struct histogram begun;        /* from the door to when the first answer leaves ... */
	struct histogram answered;     /* ... and to when the provider has accepted it */
	struct histogram calls;        /* to the provider, ended */
	_Atomic int64_t calls_under_way;
};

/* An attempt that was not accepted, by the provider's code. One thread at a time. */
void counts_note_code(struct channel_counts *counts, int64_t code);

#endif
