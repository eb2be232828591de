/* SPDX-License-Identifier: Apache-2.0
 *
 * core/answer.h: is what a backend returned an answer? One table a struct of proalto/backend.h.
 * Pure; the customer's data never stands in an error.
 *
 *	status = answer_adopt(arena, CORE_CREDITS, list, count, &ret, &dropped, &err);
 *
 * Bad at: whether the figures are true; it only refuses what can't be.
 */
#ifndef CORE_ANSWER_H
#define CORE_ANSWER_H

#include "core/core.h"

/* More elements than this in one answer is garbage. */
#define ANSWER_MAX 200

/* Checks the array of pointers that the operation returned and copies its elements and their texts,
 * in this daemon's size of them: what the plugin's minor did not know is absent. ret is again an
 * array of pointers to the operation's struct. PA_REJECTED names element and field. A name or a
 * birthday that makes no sense costs nobody his balance: such a field is absent, and has its bit in
 * ret_dropped. */
pa_status answer_adopt(struct arena *arena, enum core_operation operation, const void *list,
		       size_t count, const void **ret, uint32_t *ret_dropped, pa_error *err)
	PA_MUST_USE;

/* The name of the field with this bit. */
const char *answer_field(enum core_operation operation, unsigned field);

/* Is this the person that was asked for? A core that mixes people up must not be believed. */
pa_status answer_check_person(const struct core_question *question, const pa_customer *customer,
			      pa_error *err) PA_MUST_USE;

#endif
