/* SPDX-License-Identifier: Apache-2.0
 *
 * core/core.h: a question to the house's core system and its answer, in the canonical terms of
 * proalto/backend.h. The one way in which the rest of the daemon asks: through bulkhead (so many
 * calls at once, never waiting for a slot), deadline and circuit breaker. A call that does not come
 * back is left behind, thread and all, and the core counts as away.
 */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include "base/arena.h"
#include "base/meter.h"

#include <proalto/backend.h>

enum core_operation {
	CORE_FIND_CUSTOMER = 1, /* document_type, document */
	CORE_FIND_BY_MOBILE,    /* mobile, last4 */
	CORE_CREDITS,           /* customer_id, as for the next four */
	CORE_NEXT_DISCOUNTS,
	CORE_APPLICATIONS,
	CORE_RENEWAL_OFFERS,
	CORE_OBLIGATIONS,
	CORE_OPERATIONS, /* how many there are, and none of them */
};

struct core_question {
	enum core_operation operation;
	pa_str document_type;
	pa_str document;
	pa_str mobile;
	pa_str last4;
	pa_str customer_id;
	int64_t until_ns; /* monotonic: when the asker's own time is up; 0: he has plenty */
};

/* The array that fits the operation is set; everything lies in the asker's arena. */
struct core_answer {
	const pa_customer *const *customers;
	const pa_credit *const *credits;
	const pa_discount *const *discounts;
	const pa_application *const *applications;
	const pa_offer *const *offers;
	const pa_obligation *const *obligations;
	size_t count;
};

struct plugin;
struct core;

struct core_options {
	const char *name;         /* as configured, for logs */
	unsigned max_calls;       /* the bulkhead */
	int64_t deadline_ms;      /* of one call */
	unsigned breaker_after;   /* failures in a row that open the breaker */
	int64_t breaker_pause_ms; /* how long it stays open before one call is let through */
	/* Called, from any thread and without a lock held, when a slot was freed while somebody had
	 * been refused one, and when the breaker closes. */
	void (*on_slot)(void *arg);
	void (*on_back)(void *arg);
	void *arg;
};

struct core *core_new(struct plugin *plugin, const struct core_options *options);
void core_free(struct core *core);

/* PA_RETRY: away (breaker open, failure, too slow, plugin disabled), or the asker's time is up.
 * PA_DEADLINE: no slot just now. PA_REJECTED: the core answered nonsense, or does not offer the
 * operation. */
pa_status core_ask(struct core *core, struct arena *arena, const struct core_question *question,
		   struct core_answer *ret, pa_error *err) PA_MUST_USE;

/* How long calls took, and what came of them. */
struct core_counts {
	struct histogram took;     /* of those that were made */
	meter results[PA_BUG + 1]; /* of all that were asked for, by what core_ask returned */
};
const struct core_counts *core_counts(const struct core *core, enum core_operation operation);

/* "find_customer" ... */
const char *core_operation_name(enum core_operation operation);

/* Under way, and the most that may be. */
void core_calls(struct core *core, unsigned *ret_calls, unsigned *ret_most);

/* As configured. */
const char *core_name(const struct core *core);

enum core_health { CORE_UP, CORE_TRYING, CORE_DOWN };
enum core_health core_health(struct core *core);

#endif
