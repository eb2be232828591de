/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/operator.h: what an operator says to a conversation. It is written down as an event of the
 * conversation, sealed with its contact's key, and the keeper brings it to its turn within seconds.
 * Opens a connection of its own each time: for hands, not for programs.
 */
#ifndef QUEUE_OPERATOR_H
#define QUEUE_OPERATOR_H

#include "queue/keyring.h"

struct operator_word {
	pa_str conversation; /* its id, or the number of a case in it */
	int64_t uid;         /* who says so */
	pa_str reason;
};

/* Lets a conversation go on in which only a person went on (flow/run.h, care). PA_REJECTED: there
 * is no such conversation; PA_RETRY: the store is away. */
pa_status operator_resume(const char *database, const struct keyring *ring,
			  const struct operator_word *word, pa_error *err) PA_MUST_USE;

#endif
