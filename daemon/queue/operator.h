/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/operator.h: what people ask of the store and do to it by hand, through the control socket.
 * A request is JSON and so is the answer (docs/man/proaltoctl.1 tells what they hold).
 *
 * Each look at a person's data and each change is written down first, with who, what and why
 * (operator_act, and its evidence): a change in the same transaction, a look in one of its own
 * before anything is read. What can't be written down does not happen.
 *
 * Opens a connection of its own each time: for hands, not for programs. Blocking, half a minute a
 * statement at most; any thread.
 */
#ifndef QUEUE_OPERATOR_H
#define QUEUE_OPERATOR_H

#include "io/json.h"
#include "queue/keyring.h"

struct operator_options {
	const char *database;
	const struct keyring *ring;
	int64_t node;
};

/* Does what request's "command" asks for; "uid" is who, as the kernel knows him, and "reason" why.
 * PA_REJECTED: it makes no sense, or there is no such thing; PA_RETRY: the store is away. */
pa_status operator_run(const struct operator_options *options, const struct json *request,
		       struct json *reply, pa_error *err) PA_MUST_USE;

/* Writes down an act that is done elsewhere (of a node): action is a static word. */
pa_status operator_write_down(const struct operator_options *options, const struct json *request,
			      const char *action, const char *object, pa_error *err) PA_MUST_USE;

#endif
