/* SPDX-License-Identifier: Apache-2.0 */
#include "core/answer.h"

#include "base/err.h"
#include "base/str.h"
#include "io/unicode.h"

#include <string.h>

#define MAX_ID 200
#define MAX_TEXT 500
#define MAX_DIGITS 30
#define MAX_PESOS INT64_C(10000000000000) /* ten million million: no credit of a person */
#define MAX_COUNT 10000
#define FIRST_DAY (-36525) /* 1870 */
#define LAST_DAY 84006     /* 2200 */

enum rule { ID, TEXT, DIGITS, PESOS, DAY, COUNT, FLAG };

static const size_t rule_bytes[] = {
	[ID] = sizeof(pa_str),       [TEXT] = sizeof(pa_str),   [DIGITS] = sizeof(pa_str),
	[PESOS] = sizeof(pa_number), [DAY] = sizeof(pa_number), [COUNT] = sizeof(pa_number),
	[FLAG] = sizeof(pa_number),
};

struct field {
	const char *name;
	size_t offset;
	enum rule rule;
	bool is_spare; /* nonsense in it is taken for unknown; in the others it refuses the answer
			*/
};

/* Every struct begins with its size and one more word: a state, or nothing. */
struct shape {
	size_t first_size; /* in version 1.0 of the contract */
	size_t size;
	const char *word;
	uint32_t word_min;
	uint32_t word_max;
	const struct field *fields;
	size_t fields_count;
};

#define FIELD(type, name, rule)                                                                    \
	{                                                                                          \
#name, offsetof(type, name), rule, false                                           \
	}
#define SPARE(type, name, rule)                                                                    \
	{                                                                                          \
#name, offsetof(type, name), rule, true                                            \
	}
/* mobile_since is not spare: whether a code may be sent depends on it. */
static const struct field customer_fields[] = {
	FIELD(pa_customer, id, ID),           FIELD(pa_customer, document_type, TEXT),
	FIELD(pa_customer, document, DIGITS), SPARE(pa_customer, name, TEXT),
	SPARE(pa_customer, first_name, TEXT), FIELD(pa_customer, mobile, DIGITS),
	SPARE(pa_customer, email, TEXT),      FIELD(pa_customer, mobile_since, DAY),
	SPARE(pa_customer, birth_date, DAY),
};
static const struct field credit_fields[] = {
	FIELD(pa_credit, id, ID),
	FIELD(pa_credit, number, TEXT),
	SPARE(pa_credit, payroll, TEXT),
	FIELD(pa_credit, balance, PESOS),
	FIELD(pa_credit, instalment, PESOS),
	FIELD(pa_credit, instalments_total, COUNT),
	FIELD(pa_credit, instalments_paid, COUNT),
	FIELD(pa_credit, instalments_pending, COUNT),
	FIELD(pa_credit, cut_off, DAY),
	SPARE(pa_credit, disbursed_on, DAY),
	FIELD(pa_credit, paid_on, DAY),
};
static const struct field discount_fields[] = {
	FIELD(pa_discount, credit_id, ID),
	FIELD(pa_discount, on, DAY),
	FIELD(pa_discount, amount, PESOS),
};
static const struct field application_fields[] = {
	FIELD(pa_application, id, ID),           FIELD(pa_application, number, TEXT),
	FIELD(pa_application, filed_on, DAY),    FIELD(pa_application, stage_since, DAY),
	FIELD(pa_application, expected_on, DAY), FIELD(pa_application, amount, PESOS),
};
static const struct field offer_fields[] = {
	FIELD(pa_offer, credit_id, ID),      SPARE(pa_offer, reason, TEXT),
	FIELD(pa_offer, amount, PESOS),      FIELD(pa_offer, instalment, PESOS),
	FIELD(pa_offer, instalments, COUNT), FIELD(pa_offer, valid_until, DAY),
};
static const struct field obligation_fields[] = {
	FIELD(pa_obligation, credit_id, ID),     FIELD(pa_obligation, number, TEXT),
	FIELD(pa_obligation, balance, PESOS),    FIELD(pa_obligation, in_transit, PESOS),
	FIELD(pa_obligation, is_codebtor, FLAG), FIELD(pa_obligation, paid_on, DAY),
};

/* The size in 1.0 ends with the last field of then. */
#define SHAPE(name, last, word, min, max)                                                          \
	{                                                                                          \
		offsetof(pa_##name, last) + sizeof(((pa_##name *)NULL)->last), sizeof(pa_##name),  \
			word, min, max, name##_fields, ARRAY_COUNT(name##_fields)                  \
	}
static const struct shape shapes[] = {
	[CORE_FIND_CUSTOMER] = SHAPE(customer, birth_date, "reserved", 0, UINT32_MAX),
	[CORE_FIND_BY_MOBILE] = SHAPE(customer, birth_date, "reserved", 0, UINT32_MAX),
	[CORE_CREDITS] = SHAPE(credit, paid_on, "state", PA_CREDIT_ACTIVE, PA_CREDIT_DISPUTED),
	[CORE_NEXT_DISCOUNTS] =
		SHAPE(discount, amount, "state", PA_DISCOUNT_SCHEDULED, PA_DISCOUNT_APPLIED),
	[CORE_APPLICATIONS] = SHAPE(application, amount, "stage", PA_APPLICATION_RECEIVED,
				    PA_APPLICATION_REFUSED),
	[CORE_RENEWAL_OFFERS] = SHAPE(offer, valid_until, "is_eligible", 0, 1),
	[CORE_OBLIGATIONS] =
		SHAPE(obligation, paid_on, "state", PA_CREDIT_ACTIVE, PA_CREDIT_DISPUTED),
};

/* ---- fields: what is wrong with one, or NULL ---- */

static const char *text_fault(const void *at, enum rule rule)
{
	size_t max = rule == ID ? MAX_ID : rule == TEXT ? MAX_TEXT : MAX_DIGITS;
	pa_str text;

	memcpy(&text, at, sizeof(text));
	if (!text.ptr && text.len)
		return "has a length and no bytes";
	if (rule == ID && text.len == 0)
		return "is missing";
	if (text.len > max)
		return "is too long";
	if (text.len && memchr(text.ptr, '\0', text.len))
		return "holds a NUL";
	if (rule == DIGITS && text.len && !str_is_digits(text))
		return "is not made of digits";
	return utf8_is_valid(text) ? NULL : "is not UTF-8";
}

static const char *number_fault(const void *at, enum rule rule)
{
	static const struct {
		int64_t min;
		int64_t max;
	} ranges[] = {
		[PESOS] = {-MAX_PESOS, MAX_PESOS},
		[DAY] = {FIRST_DAY, LAST_DAY},
		[COUNT] = {0, MAX_COUNT},
		[FLAG] = {0, 1},
	};
	pa_number number;

	memcpy(&number, at, sizeof(number));
	if (number.is_known > 1)
		return "is neither known nor unknown";
	if (!number.is_known)
		return NULL;
	return number.value < ranges[rule].min || number.value > ranges[rule].max
		       ? "is out of range"
		       : NULL;
}

static const char *field_fault(const void *element, const struct field *field)
{
	const char *at = (const char *)element + field->offset;

	return field->rule <= DIGITS ? text_fault(at, field->rule) : number_fault(at, field->rule);
}

/* ---- elements ---- */

/* What the plugin gave is its own, or dies with its call. */
static void text_keep(struct arena *arena, void *at)
{
	pa_str text;

	memcpy(&text, at, sizeof(text));
	text = arena_copy(arena, text);
	memcpy(at, &text, sizeof(text));
}

static pa_status field_adopt(struct arena *arena, const struct field *field, void *element,
			     bool *ret_is_dropped, pa_error *err)
{
	const char *fault = field_fault(element, field);
	char *at = (char *)element + field->offset;

	*ret_is_dropped = fault != NULL;
	if (fault && !field->is_spare)
		return error_set(err, PA_REJECTED, "%s %s", field->name, fault);
	if (fault)
		memset(at, 0, rule_bytes[field->rule]);
	else if (field->rule <= DIGITS)
		text_keep(arena, at);
	return PA_OK;
}

static pa_status element_adopt(struct arena *arena, const struct shape *shape, const void *from,
			       void **ret, uint32_t *ret_dropped, pa_error *err)
{
	uint32_t head[2]; /* size, word */
	void *copy;

	if (!from)
		return error_set(err, PA_REJECTED, "is absent");
	memcpy(head, from, sizeof(head));
	if (head[0] < shape->first_size)
		return error_set(err, PA_REJECTED, "size is impossible");
	if (head[1] < shape->word_min || head[1] > shape->word_max)
		return error_set(err, PA_REJECTED, "%s is out of range", shape->word);
	copy = arena_alloc(arena, shape->size);
	memcpy(copy, from, head[0] < shape->size ? head[0] : shape->size);
	head[0] = (uint32_t)shape->size;
	memcpy(copy, head, sizeof(head));
	for (size_t i = 0; i < shape->fields_count; i++) {
		bool is_dropped;

		if (field_adopt(arena, &shape->fields[i], copy, &is_dropped, err) != PA_OK)
			return PA_REJECTED;
		*ret_dropped |= (uint32_t)is_dropped << i;
	}
	*ret = copy;
	return PA_OK;
}

pa_status answer_adopt(struct arena *arena, enum core_operation operation, const void *list,
		       size_t count, const void **ret, uint32_t *ret_dropped, pa_error *err)
{
	uint32_t dropped = 0;
	void **copies;

	if (count > ANSWER_MAX)
		return error_set(err, PA_REJECTED, "more than %d elements", ANSWER_MAX);
	if (count && !list)
		return error_set(err, PA_REJECTED, "a count and no elements");
	copies = ARENA_ARRAY(arena, void *, count);
	for (size_t i = 0; i < count; i++) {
		const void *element;

		memcpy(&element, (const char *)list + i * sizeof(element), sizeof(element));
		if (element_adopt(arena, &shapes[operation], element, &copies[i], &dropped, err) ==
		    PA_OK)
			continue;
		error_prefix(err, "element %zu: ", i + 1);
		return PA_REJECTED;
	}
	*ret = copies;
	*ret_dropped = dropped;
	return PA_OK;
}

const char *answer_field(enum core_operation operation, unsigned field)
{
	return shapes[operation].fields[field].name;
}

/* Old cores pad documents with zeros. */
static pa_str without_zeros(pa_str digits)
{
	while (digits.len > 1 && digits.ptr[0] == '0')
		digits = str_slice(digits, 1, digits.len);
	return digits;
}

pa_status answer_check_person(const struct core_question *question, const pa_customer *customer,
			      pa_error *err)
{
	if (question->operation == CORE_FIND_BY_MOBILE) {
		if (customer->document.ptr && !str_ends(customer->document, question->last4))
			return error_set(err, PA_REJECTED,
					 "document is not one that was asked for");
		return PA_OK;
	}
	if (customer->document_type.ptr &&
	    !str_equal_nocase(customer->document_type, question->document_type))
		return error_set(err, PA_REJECTED, "document_type is not the one asked for");
	if (customer->document.ptr &&
	    !str_equal(without_zeros(customer->document), without_zeros(question->document)))
		return error_set(err, PA_REJECTED, "document is not the one asked for");
	return PA_OK;
}
