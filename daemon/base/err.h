/* SPDX-License-Identifier: Apache-2.0
 *
 * base/err.h: how a failure says what happened. The text is made where the fact is known; every
 * level on the way up may prefix its context ("sms: POST failed: TLS handshake: ..."); whoever
 * handles the error logs it, once. Texts hold no secret and no personal datum.
 *
 *	pa_error err = ERROR_INIT;
 *	if (thing_open(&thing, &err) != PA_OK) { error_prefix(&err, "thing: "); return PA_RETRY; }
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/base.h"

#define ERROR_INIT                                                                                 \
	(pa_error)                                                                                 \
	{                                                                                          \
		.size = sizeof(pa_error)                                                           \
	}

/* Sets the text and returns status, so that `return error_set(err, PA_RETRY, "...")` reads well.
 * err may be NULL. A text that is too long is cut. */
pa_status error_set(pa_error *err, pa_status status, const char *format, ...) PA_PRINTF(3, 4);

/* Puts context in front of the text. err may be NULL. */
void error_prefix(pa_error *err, const char *format, ...) PA_PRINTF(2, 3);

/* The text as a C string, "" if none. Lives as long as err. */
const char *error_text(const pa_error *err);

/* "ok", "retry", "rejected", "deadline" or "bug". Static. */
const char *status_name(pa_status status);

#endif
