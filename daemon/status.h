/* SPDX-License-Identifier: Apache-2.0
 *
 * status.h: how the daemon is, as the control socket's "status" tells it. Numbers, names and times,
 * no person's data; nothing here waits for the store or for a provider. Times are text, ISO 8601,
 * and null where there is none. The loop's thread.
 */
#ifndef STATUS_H
#define STATUS_H

#include "commands.h"

/* "serving", "draining" or "drained". */
const char *status_phase_word(enum keeper_phase phase);

void status_fill(struct commands *commands, struct json *reply);

#endif
