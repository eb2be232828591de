/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/prober.h: asks the core system whether it is back. While the circuit breaker waits for a
 * trial nobody else may have a question, and those whom the core left without an answer would wait
 * for ever: once a second a thread of its own lets one harmless question through. When it is
 * answered the breaker closes, and core_options.on_back is called.
 */
#ifndef QUEUE_PROBER_H
#define QUEUE_PROBER_H

#include "core/core.h"

struct prober;

/* NULL for a house without a core. */
struct prober *prober_new(struct core *core);

/* Waits for a question under way, its deadline at most. NULL is fine. */
void prober_free(struct prober *prober);

#endif
