/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct state {
	const char *name;
	enum state_set set;
	uint32_t value;
	const char *list;
};

static const struct state states[WORDS_STATES] = {
	{"credit_active", STATE_OF_CREDIT, PA_CREDIT_ACTIVE, "activo, active"},
	{"credit_paid", STATE_OF_CREDIT, PA_CREDIT_PAID, "pagado, paid"},
	{"credit_assigned", STATE_OF_CREDIT, PA_CREDIT_ASSIGNED, "cedido, assigned"},
	{"credit_disputed", STATE_OF_CREDIT, PA_CREDIT_DISPUTED, "disputado, disputed"},
	{"discount_scheduled", STATE_OF_DISCOUNT, PA_DISCOUNT_SCHEDULED, "programado, scheduled"},
	{"discount_deducted", STATE_OF_DISCOUNT, PA_DISCOUNT_DEDUCTED, "descontado, deducted"},
	{"discount_received", STATE_OF_DISCOUNT, PA_DISCOUNT_RECEIVED, "recibido, received"},
	{"discount_applied", STATE_OF_DISCOUNT, PA_DISCOUNT_APPLIED, "aplicado, applied"},
	{"application_received", STATE_OF_APPLICATION, PA_APPLICATION_RECEIVED,
	 "radicado, received"},
	{"application_study", STATE_OF_APPLICATION, PA_APPLICATION_STUDY, "estudio, study"},
	{"application_approved", STATE_OF_APPLICATION, PA_APPLICATION_APPROVED,
	 "aprobado, approved"},
	{"application_disbursed", STATE_OF_APPLICATION, PA_APPLICATION_DISBURSED,
	 "desembolsado, disbursed"},
	{"application_refused", STATE_OF_APPLICATION, PA_APPLICATION_REFUSED, "rechazado, refused"},
	{"change_application", STATE_OF_CHANGE, PA_CHANGE_APPLICATION, "solicitud, application"},
	{"change_credit", STATE_OF_CHANGE, PA_CHANGE_CREDIT, "credito, credit"},
	{"change_discount", STATE_OF_CHANGE, PA_CHANGE_DISCOUNT, "descuento, discount"},
};

static const char *list_of(const struct words *words, size_t state)
{
	return words->lists[state] ? words->lists[state] : states[state].list;
}

/* The next word of a list, without the spaces around it; moves *list behind it. Absent at the end.
 */
static pa_str word_next(const char **list)
{
	const char *start = *list + strspn(*list, " ,");
	size_t len = strcspn(start, ",");
	*list = start + len;
	while (len > 0 && start[len - 1] == ' ')
		len--;
	return (pa_str){len ? start : NULL, len};
}

static bool list_has(const char *list, pa_str text)
{
	for (pa_str word = word_next(&list); word.ptr != NULL; word = word_next(&list))
		if (word.len == text.len && strncasecmp(word.ptr, text.ptr, text.len) == 0)
			return true;
	return false;
}

uint32_t pg_words_find(const struct words *words, enum state_set set, pa_str text)
{
	for (size_t i = 0; i < WORDS_STATES; i++)
		if (states[i].set == set && list_has(list_of(words, i), text))
			return states[i].value;
	return 0;
}

static pa_status take_list(struct words *words, const pa_pair *pair, pa_error *err)
{
	for (size_t i = 0; i < WORDS_STATES; i++) {
		if (strlen(states[i].name) != pair->name.len ||
		    memcmp(states[i].name, pair->name.ptr, pair->name.len) != 0)
			continue;
		char *list = pair->value.ptr ? strndup(pair->value.ptr, pair->value.len) : NULL;
		const char *rest = list ? list : "";
		if (word_next(&rest).ptr == NULL) {
			free(list);
			return pg_fail(err, PA_REJECTED, "state_words.%s lists no word",
				       states[i].name);
		}
		free(words->lists[i]);
		words->lists[i] = list;
		return PA_OK;
	}
	return pg_fail(err, PA_REJECTED, "state_words: there is no state \"%.*s\"",
		       (int)(pair->name.len > 60 ? 60 : pair->name.len), pair->name.ptr);
}

/* A word of two states of one set would make the answer depend on the order of a table. */
static pa_status check_unambiguous(const struct words *words, pa_error *err)
{
	for (size_t i = 0; i < WORDS_STATES; i++) {
		const char *rest = list_of(words, i);
		for (pa_str word = word_next(&rest); word.ptr; word = word_next(&rest))
			if (pg_words_find(words, states[i].set, word) != states[i].value)
				return pg_fail(
					err, PA_REJECTED,
					"state_words.%s: the word \"%.*s\" already stands for "
					"another state",
					states[i].name, (int)(word.len > 60 ? 60 : word.len),
					word.ptr);
	}
	return PA_OK;
}

pa_status pg_words_init(struct words *words, const pa_pair *const *pairs, size_t count,
			pa_error *err)
{
	*words = (struct words){0};
	pa_status status = PA_OK;
	for (size_t i = 0; i < count && status == PA_OK; i++)
		status = take_list(words, pairs[i], err);
	if (status == PA_OK)
		status = check_unambiguous(words, err);
	if (status != PA_OK)
		pg_words_done(words);
	return status;
}

void pg_words_done(struct words *words)
{
	for (size_t i = 0; i < WORDS_STATES; i++)
		free(words->lists[i]);
	*words = (struct words){0};
}
