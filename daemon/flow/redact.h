/* SPDX-License-Identifier: Apache-2.0
 *
 * flow/redact.h: takes out of a text what people should not have written: card numbers, passwords,
 * one-time codes, and identity documents in full, in digits or in words. What is kept, shown to an
 * advisor or put in a case goes through here first. Pure.
 */
#ifndef FLOW_REDACT_H
#define FLOW_REDACT_H

#include "base/arena.h"

#define REDACTED_SECRET 1u   /* a card number or a password */
#define REDACTED_CODE 2u     /* a one-time code */
#define REDACTED_DOCUMENT 4u /* a long number: document or phone */

/* A copy with blots in the place of secrets; *ret_what (may be NULL) gets REDACTED_* bits. A text
 * without any is returned as it is. */
pa_str redact_text(struct arena *arena, pa_str text, unsigned *ret_what);

/* The same for an answer to a question about codes or documents: every number of four to six digits
 * is taken for a code. */
pa_str redact_codes(struct arena *arena, pa_str text, unsigned *ret_what);

/* True if the digits (13 to 19) are a card number by Luhn's check (ISO/IEC 7812-1, annex B). */
bool luhn_is_valid(pa_str digits);

#endif
