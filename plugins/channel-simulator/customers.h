/* SPDX-License-Identifier: Apache-2.0
 *
 * customers.h: the demonstration customers that the page offers.
 *
 * The file is a JSON array of objects with the texts "label" (who it is), "document" (digits),
 * "mobile" (digits with country code, the registered one) and "try" (what to try). A null mobile
 * means that the core has none. Other keys are ignored; at most CUSTOMERS_MAX entries are kept.
 *
 * Threads: open() only. Bad at: big lists; it is for a page that people look at.
 */
#ifndef CUSTOMERS_H
#define CUSTOMERS_H

#include <proalto/types.h>

#include <jansson.h>

#define CUSTOMERS_MAX 200u

/* New reference to a clean array. PA_REJECTED: no such file, not JSON, wrong shape. */
pa_status customers_read(const char *path, json_t **ret_customers, pa_error *err)
	__attribute__((warn_unused_result));

#endif
