/* SPDX-License-Identifier: Apache-2.0
 *
 * proalto/backend.h: the house's core system, as the assistant sees it.
 *
 * Straight-line, blocking code under the call's deadline. All operations only read. Each runs on a
 * worker of the daemon, behind a bulkhead (so many at once), a deadline and a circuit breaker that
 * the daemon owns; the plugin neither retries nor caches. PA_RETRY or PA_DEADLINE: the core is away
 * or slow. PA_REJECTED: the core answered something that makes no sense; the error names the field.
 *
 * A value that the core does not have is absent (is_known 0 or ptr NULL): never a zero in its
 * place. Money is in whole pesos of Colombia. Dates are days since 1970-01-01 (proleptic
 * Gregorian).
 */
#ifndef PROALTO_BACKEND_H
#define PROALTO_BACKEND_H

#include <proalto/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A number that may be unknown. */
typedef struct pa_number {
	int64_t value;
	uint32_t is_known; /* 0 or 1 */
	uint32_t reserved;
} pa_number;

/* A person as the core knows him. */
typedef struct pa_customer {
	uint32_t size;
	uint32_t reserved;
	pa_str id;            /* the core's own key, opaque; handed back to the other operations */
	pa_str document_type; /* "CC", "CE" ... */
	pa_str document;      /* digits */
	pa_str name;          /* full name as in the core */
	pa_str first_name;
	pa_str mobile; /* digits with country code, no plus: where codes go; absent: none */
	pa_str email;  /* absent: none */
	pa_number mobile_since; /* day the core took this mobile */
	pa_number birth_date;
} pa_customer;

#define PA_CREDIT_ACTIVE 1u
#define PA_CREDIT_PAID 2u
#define PA_CREDIT_ASSIGNED 3u /* sold or handed to another creditor */
#define PA_CREDIT_DISPUTED 4u

/* One credit of a person. */
typedef struct pa_credit {
	uint32_t size;
	uint32_t state; /* PA_CREDIT_* */
	pa_str id;
	pa_str number;  /* as printed on papers */
	pa_str payroll; /* the payroll office that deducts, by its human name */
	pa_number balance;
	pa_number instalment; /* what is deducted each time */
	pa_number instalments_total;
	pa_number instalments_paid;
	pa_number instalments_pending;
	pa_number cut_off; /* date up to which the figures hold */
	pa_number disbursed_on;
	pa_number paid_on; /* day it was paid in full */
} pa_credit;

#define PA_DISCOUNT_SCHEDULED 1u
#define PA_DISCOUNT_DEDUCTED 2u /* taken from the payroll, not yet here */
#define PA_DISCOUNT_RECEIVED 3u /* here, not yet applied */
#define PA_DISCOUNT_APPLIED 4u

/* The next deduction from the payroll for one credit. */
typedef struct pa_discount {
	uint32_t size;
	uint32_t state; /* PA_DISCOUNT_* */
	pa_str credit_id;
	pa_number on; /* expected date */
	pa_number amount;
} pa_discount;

#define PA_APPLICATION_RECEIVED 1u
#define PA_APPLICATION_STUDY 2u
#define PA_APPLICATION_APPROVED 3u
#define PA_APPLICATION_DISBURSED 4u
#define PA_APPLICATION_REFUSED 5u

/* An application for credit under way. */
typedef struct pa_application {
	uint32_t size;
	uint32_t stage; /* PA_APPLICATION_* */
	pa_str id;
	pa_str number;
	pa_number filed_on;
	pa_number stage_since;
	pa_number expected_on; /* date the core expects the next stage */
	pa_number amount;
} pa_application;

/* An offer of renewal that the core has computed. */
typedef struct pa_offer {
	uint32_t size;
	uint32_t is_eligible; /* 0 or 1 */
	pa_str credit_id;
	pa_str reason; /* why not, in words the customer may read; absent: not to be told */
	pa_number amount;
	pa_number instalment;
	pa_number instalments;
	pa_number valid_until;
} pa_offer;

/* What stands between a person and a paz y salvo: every obligation, as debtor or co-debtor, read in
 * one consistent snapshot. */
typedef struct pa_obligation {
	uint32_t size;
	uint32_t state; /* PA_CREDIT_* */
	pa_str credit_id;
	pa_str number;
	pa_number balance;     /* everything owed at the snapshot */
	pa_number in_transit;  /* payments that could still be reversed */
	pa_number is_codebtor; /* 0 or 1 */
	pa_number paid_on;
} pa_obligation;

#define PA_CHANGE_APPLICATION 1u
#define PA_CHANGE_CREDIT 2u
#define PA_CHANGE_DISCOUNT 3u

/* Something in the core changed. */
typedef struct pa_change {
	uint32_t size;
	uint32_t what; /* PA_CHANGE_*; 0: nothing changed, this only says where to go on from */
	pa_str customer_id;
	pa_str object_id;
	pa_str cursor; /* pass it to changes_since to go on after this one */
} pa_change;

/* The canonical operations. NULL: this core does not offer it (find_customer must be there). */
typedef struct pa_backend_ops {
	uint32_t size;
	uint32_t reserved;

	/* 1 if the core is marked as a demonstration, 0 if not. May block. */
	pa_status (*is_demo)(void *self, pa_call *call, uint32_t *ret_is_demo, pa_error *err);

	/* The person with this document. PA_OK with *ret_customer NULL: there is none. */
	pa_status (*find_customer)(void *self, pa_call *call, pa_str document_type, pa_str document,
				   const pa_customer **ret_customer, pa_error *err);

	/* The persons (two at most are needed) with this registered mobile whose document ends in
	 * last4. */
	pa_status (*find_by_mobile)(void *self, pa_call *call, pa_str mobile, pa_str last4,
				    const pa_customer *const **ret_customers, size_t *ret_count,
				    pa_error *err);

	/* All credits, active first, then by number. */
	pa_status (*credits)(void *self, pa_call *call, pa_str customer_id,
			     const pa_credit *const **ret_credits, size_t *ret_count,
			     pa_error *err);

	/* The next deduction of each active credit. */
	pa_status (*next_discounts)(void *self, pa_call *call, pa_str customer_id,
				    const pa_discount *const **ret_discounts, size_t *ret_count,
				    pa_error *err);

	/* Applications, newest first. */
	pa_status (*applications)(void *self, pa_call *call, pa_str customer_id,
				  const pa_application *const **ret_applications, size_t *ret_count,
				  pa_error *err);

	/* The renewal offer of each active credit that has one. */
	pa_status (*renewal_offers)(void *self, pa_call *call, pa_str customer_id,
				    const pa_offer *const **ret_offers, size_t *ret_count,
				    pa_error *err);

	/* Every obligation, in one snapshot. */
	pa_status (*obligations)(void *self, pa_call *call, pa_str customer_id,
				 const pa_obligation *const **ret_obligations, size_t *ret_count,
				 pa_error *err);

	/* At most limit changes after cursor. Empty: from now on, answered by one change whose what
	 * is 0 and whose cursor is the place. */
	pa_status (*changes_since)(void *self, pa_call *call, pa_str cursor, size_t limit,
				   const pa_change *const **ret_changes, size_t *ret_count,
				   pa_error *err);
} pa_backend_ops;

#ifdef __cplusplus
}
#endif

#endif
