/* SPDX-License-Identifier: Apache-2.0
 *
 * fail.h: how this plugin says what went wrong. Texts name operations, columns and SQLSTATEs, never
 * a value that came from the core or from a customer.
 */
#ifndef BACKEND_POSTGRES_FAIL_H
#define BACKEND_POSTGRES_FAIL_H

#include <proalto/types.h>

#define MUST_USE __attribute__((warn_unused_result))

/* Sets the text (cut if too long; err may be NULL) and returns status. */
pa_status pg_fail(pa_error *err, pa_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts context in front of the text. */
void pg_fail_prefix(pa_error *err, const char *context);

#endif
