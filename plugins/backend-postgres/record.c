/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum kind {
	KIND_TEXT,   /* pa_str */
	KIND_DIGITS, /* pa_str of 1 to 20 digits */
	KIND_NUMBER, /* pa_number, whole; ".00" is allowed behind it */
	KIND_DATE,   /* pa_number, from YYYY-MM-DD */
	KIND_TRUTH,  /* pa_number 0 or 1 */
	KIND_FLAG,   /* uint32_t 0 or 1 */
	KIND_STATE,  /* uint32_t, by the words of set */
};

struct field {
	const char *column;
	size_t offset;
	enum kind kind;
	bool is_mandatory; /* the column must be there, and never NULL unless it is spare */
	enum state_set set;
	bool is_spare; /* a value that makes no sense is taken for none; elsewhere it is refused */
};

struct shape {
	size_t size;
	const struct field *fields;
	size_t count;
};

/* A customer's text longer than this is no name, number or address. */
#define TEXT_MAX 2000

#define MUST(type, member, kind)                                                                   \
	{                                                                                          \
#member, offsetof(type, member), kind, true, 0, false                              \
	}
#define MAY(type, member, kind)                                                                    \
	{                                                                                          \
#member, offsetof(type, member), kind, false, 0, false                             \
	}
#define SPARE(type, member, kind, is_mandatory)                                                    \
	{                                                                                          \
#member, offsetof(type, member), kind, is_mandatory, 0, true                       \
	}
#define STATE(type, member, set)                                                                   \
	{                                                                                          \
#member, offsetof(type, member), KIND_STATE, true, set, false                      \
	}

/* Nobody's balance depends on what is spare. mobile_since is not: a code may depend on it. */
static const struct field customer_fields[] = {
	MUST(pa_customer, id, KIND_TEXT),
	MUST(pa_customer, document_type, KIND_TEXT),
	MUST(pa_customer, document, KIND_DIGITS),
	SPARE(pa_customer, name, KIND_TEXT, true),
	SPARE(pa_customer, first_name, KIND_TEXT, false),
	MAY(pa_customer, mobile, KIND_DIGITS),
	SPARE(pa_customer, email, KIND_TEXT, false),
	MAY(pa_customer, mobile_since, KIND_DATE),
	SPARE(pa_customer, birth_date, KIND_DATE, false),
};

static const struct field credit_fields[] = {
	MUST(pa_credit, id, KIND_TEXT),
	STATE(pa_credit, state, STATE_OF_CREDIT),
	MUST(pa_credit, number, KIND_TEXT),
	SPARE(pa_credit, payroll, KIND_TEXT, false),
	MAY(pa_credit, balance, KIND_NUMBER),
	MAY(pa_credit, instalment, KIND_NUMBER),
	MAY(pa_credit, instalments_total, KIND_NUMBER),
	MAY(pa_credit, instalments_paid, KIND_NUMBER),
	MAY(pa_credit, instalments_pending, KIND_NUMBER),
	MAY(pa_credit, cut_off, KIND_DATE),
	SPARE(pa_credit, disbursed_on, KIND_DATE, false),
	MAY(pa_credit, paid_on, KIND_DATE),
};

static const struct field discount_fields[] = {
	MUST(pa_discount, credit_id, KIND_TEXT),
	STATE(pa_discount, state, STATE_OF_DISCOUNT),
	MAY(pa_discount, on, KIND_DATE),
	MAY(pa_discount, amount, KIND_NUMBER),
};

static const struct field application_fields[] = {
	MUST(pa_application, id, KIND_TEXT),
	STATE(pa_application, stage, STATE_OF_APPLICATION),
	MUST(pa_application, number, KIND_TEXT),
	MAY(pa_application, filed_on, KIND_DATE),
	MAY(pa_application, stage_since, KIND_DATE),
	MAY(pa_application, expected_on, KIND_DATE),
	MAY(pa_application, amount, KIND_NUMBER),
};

static const struct field offer_fields[] = {
	MUST(pa_offer, credit_id, KIND_TEXT),      MUST(pa_offer, is_eligible, KIND_FLAG),
	SPARE(pa_offer, reason, KIND_TEXT, false), MAY(pa_offer, amount, KIND_NUMBER),
	MAY(pa_offer, instalment, KIND_NUMBER),    MAY(pa_offer, instalments, KIND_NUMBER),
	MAY(pa_offer, valid_until, KIND_DATE),
};

static const struct field obligation_fields[] = {
	MUST(pa_obligation, credit_id, KIND_TEXT),   STATE(pa_obligation, state, STATE_OF_CREDIT),
	MUST(pa_obligation, number, KIND_TEXT),      MAY(pa_obligation, balance, KIND_NUMBER),
	MAY(pa_obligation, in_transit, KIND_NUMBER), MAY(pa_obligation, is_codebtor, KIND_TRUTH),
	MAY(pa_obligation, paid_on, KIND_DATE),
};

/* A row without kind, customer and object only carries a cursor: see the operation's help. */
static const struct field change_fields[] = {
	{"what", offsetof(pa_change, what), KIND_STATE, false, STATE_OF_CHANGE, false},
	MAY(pa_change, customer_id, KIND_TEXT),
	MAY(pa_change, object_id, KIND_TEXT),
	MUST(pa_change, cursor, KIND_TEXT),
};

static const struct field demo_fields[] = {MUST(struct demo_mark, is_demo, KIND_FLAG)};

#define SHAPE(type, fields)                                                                        \
	{                                                                                          \
		sizeof(type), fields, sizeof(fields) / sizeof((fields)[0])                         \
	}

static const struct shape shapes[] = {
	[RECORD_CUSTOMER] = SHAPE(pa_customer, customer_fields),
	[RECORD_CREDIT] = SHAPE(pa_credit, credit_fields),
	[RECORD_DISCOUNT] = SHAPE(pa_discount, discount_fields),
	[RECORD_APPLICATION] = SHAPE(pa_application, application_fields),
	[RECORD_OFFER] = SHAPE(pa_offer, offer_fields),
	[RECORD_OBLIGATION] = SHAPE(pa_obligation, obligation_fields),
	[RECORD_CHANGE] = SHAPE(pa_change, change_fields),
	[RECORD_DEMO] = SHAPE(struct demo_mark, demo_fields),
};

/* ---- one value ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static pa_str trim(pa_str text)
{
	while (text.len > 0 && text.ptr[0] == ' ')
		text = (pa_str){text.ptr + 1, text.len - 1};
	while (text.len > 0 && text.ptr[text.len - 1] == ' ')
		text.len--;
	return text;
}

/* The digits of text from *at on, as a number; false without any, or out of range. */
static bool read_digits(pa_str text, size_t *at, int64_t *ret)
{
	int64_t value = 0;
	size_t start = *at;
	for (; *at < text.len && is_digit(text.ptr[*at]); ++*at)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, text.ptr[*at] - '0', &value))
			return false;
	*ret = value;
	return *at > start;
}

/* A whole number; noughts behind a decimal point do no harm ("1250000.00"). */
static bool read_number(pa_str text, int64_t *ret)
{
	bool is_negative = text.len > 0 && text.ptr[0] == '-';
	size_t at = is_negative ? 1 : 0;
	int64_t value = 0;
	if (!read_digits(text, &at, &value))
		return false;
	if (at < text.len) {
		size_t zeros = ++at;
		while (at < text.len && text.ptr[at] == '0')
			at++;
		if (text.ptr[zeros - 1] != '.' || at == zeros || at != text.len)
			return false;
	}
	*ret = is_negative ? -value : value;
	return true;
}

/* YYYY-MM-DD, as PostgreSQL writes it under DateStyle ISO; other forms (infinity, BC) are refused.
 */
static bool read_date(pa_str text, int64_t *ret)
{
	if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-')
		return false;
	int64_t year = 0, month = 0, day = 0;
	size_t at[3] = {0, 0, 0};
	if (!read_digits((pa_str){text.ptr, 4}, &at[0], &year) ||
	    !read_digits((pa_str){text.ptr + 5, 2}, &at[1], &month) ||
	    !read_digits((pa_str){text.ptr + 8, 2}, &at[2], &day))
		return false;
	if (at[0] != 4 || at[1] != 2 || at[2] != 2 || year < 1)
		return false;
	struct tm parts = {
		.tm_year = (int)year - 1900, .tm_mon = (int)month - 1, .tm_mday = (int)day};
	time_t seconds = timegm(&parts);
	/* timegm() makes 2 March of 30 February: then it was no date. */
	if (parts.tm_mon != (int)month - 1 || parts.tm_mday != (int)day)
		return false;
	*ret = (int64_t)seconds / 86400;
	return true;
}

/* boolean's text form, or a number's. */
static bool read_truth(pa_str text, int64_t *ret)
{
	if (text.len != 1 || memchr("tf10", text.ptr[0], 4) == NULL)
		return false;
	*ret = text.ptr[0] == 't' || text.ptr[0] == '1';
	return true;
}

static bool read_digit_text(pa_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_digit(text.ptr[i]))
			return false;
	return text.len > 0 && text.len <= 20;
}

static pa_str copy_text(const struct reading *reading, pa_str text)
{
	char *copy = reading->host->alloc(reading->call, text.len + 1);
	memcpy(copy, text.ptr, text.len);
	return (pa_str){copy, text.len};
}

static bool put_integer(const struct reading *reading, const struct field *field, pa_str text,
			void *member)
{
	int64_t value = 0;
	bool is_read = field->kind == KIND_NUMBER ? read_number(text, &value)
		       : field->kind == KIND_DATE ? read_date(text, &value)
						  : read_truth(text, &value);
	if (field->kind == KIND_STATE) {
		value = pg_words_find(reading->words, field->set, text);
		is_read = value != 0;
	}
	if (!is_read)
		return false;
	if (field->kind == KIND_FLAG || field->kind == KIND_STATE)
		*(uint32_t *)member = (uint32_t)value;
	else
		*(pa_number *)member = (pa_number){.value = value, .is_known = 1};
	return true;
}

/* Puts text where the field lies; false if it does not fit the kind. */
static bool put_value(const struct reading *reading, const struct field *field, pa_str text,
		      void *member)
{
	if (field->kind != KIND_TEXT && field->kind != KIND_DIGITS)
		return put_integer(reading, field, text, member);
	if (text.len > TEXT_MAX || (field->kind == KIND_DIGITS && !read_digit_text(text)))
		return false;
	*(pa_str *)member = copy_text(reading, text);
	return true;
}

/* ---- rows ---- */

void pg_reading_init(struct reading *reading, const pa_host *host, pa_call *call,
		     const struct words *words, enum record record, size_t limit)
{
	*reading = (struct reading){
		.host = host, .call = call, .words = words, .record = record, .limit = limit};
	reading->rows = host->alloc(call, limit * sizeof(void *));
}

static bool find_field(const struct shape *shape, const char *name, size_t *ret)
{
	for (size_t i = 0; i < shape->count; i++) {
		if (strcmp(shape->fields[i].column, name) != 0)
			continue;
		*ret = i;
		return true;
	}
	return false;
}

/* A column that nobody asked for is refused too: it is a misspelt name, or a personal datum that
 * should have stayed in the core. */
static pa_status map_columns(struct reading *reading, const PGresult *result, pa_error *err)
{
	const struct shape *shape = &shapes[reading->record];
	for (size_t i = 0; i < shape->count; i++)
		reading->column_of[i] = -1;
	for (int column = 0; column < PQnfields(result); column++) {
		const char *name = PQfname(result, column);
		size_t field = 0;
		if (!find_field(shape, name, &field))
			return pg_fail(err, PA_REJECTED,
				       "column \"%.63s\" is not one that is asked for", name);
		if (reading->column_of[field] >= 0)
			return pg_fail(err, PA_REJECTED, "column %s comes twice", name);
		reading->column_of[field] = column;
	}
	for (size_t i = 0; i < shape->count; i++)
		if (shape->fields[i].is_mandatory && reading->column_of[i] < 0)
			return pg_fail(err, PA_REJECTED, "column %s is missing",
				       shape->fields[i].column);
	reading->is_mapped = true;
	return PA_OK;
}

static pa_status take_field(struct reading *reading, const PGresult *result, int row, size_t i,
			    char *record, pa_error *err)
{
	const struct field *field = &shapes[reading->record].fields[i];
	int column = reading->column_of[i];
	bool is_null = column < 0 || PQgetisnull(result, row, column);
	pa_str text = {NULL, 0};
	if (!is_null)
		text = trim((pa_str){PQgetvalue(result, row, column),
				     (size_t)PQgetlength(result, row, column)});
	/* Old cores keep blanks where others keep NULL. */
	bool is_text = field->kind == KIND_TEXT || field->kind == KIND_DIGITS;
	bool is_absent = is_null || (is_text && text.len == 0);
	if (is_absent && field->is_mandatory && !field->is_spare)
		return pg_fail(err, PA_REJECTED, "column %s has no value", field->column);
	if (is_absent)
		return PA_OK;
	if (put_value(reading, field, text, record + field->offset))
		return PA_OK;
	if (!field->is_spare)
		return pg_fail(err, PA_REJECTED, "column %s has a value that makes no sense",
			       field->column);
	reading->dropped |= 1u << i;
	return PA_OK;
}

static pa_status take_row(struct reading *reading, const PGresult *result, int row, pa_error *err)
{
	const struct shape *shape = &shapes[reading->record];
	if (reading->count == reading->limit)
		return pg_fail(err, PA_REJECTED, "more than %zu rows", reading->limit);
	char *record = reading->host->alloc(reading->call, shape->size);
	*(uint32_t *)(void *)record = (uint32_t)shape->size; /* every record begins with its size */
	for (size_t i = 0; i < shape->count; i++) {
		pa_status status = take_field(reading, result, row, i, record, err);
		if (status != PA_OK)
			return status;
	}
	reading->rows[reading->count++] = record;
	return PA_OK;
}

pa_status pg_reading_take(struct reading *reading, const PGresult *result, pa_error *err)
{
	pa_status status = reading->is_mapped ? PA_OK : map_columns(reading, result, err);
	for (int row = 0; row < PQntuples(result) && status == PA_OK; row++)
		status = take_row(reading, result, row, err);
	return status;
}

const char *pg_record_column(enum record record, size_t field)
{
	return shapes[record].fields[field].column;
}

/* ---- order ---- */

static int compare_text(pa_str a, pa_str b)
{
	int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Active first, then by number. */
static int compare_credits(const void *left, const void *right)
{
	const pa_credit *a = *(const pa_credit *const *)left;
	const pa_credit *b = *(const pa_credit *const *)right;
	int order = (a->state != PA_CREDIT_ACTIVE) - (b->state != PA_CREDIT_ACTIVE);
	return order != 0 ? order : compare_text(a->number, b->number);
}

/* Newest first; those without a date last. */
static int compare_applications(const void *left, const void *right)
{
	const pa_application *a = *(const pa_application *const *)left;
	const pa_application *b = *(const pa_application *const *)right;
	int64_t when_a = a->filed_on.is_known ? a->filed_on.value : INT64_MIN;
	int64_t when_b = b->filed_on.is_known ? b->filed_on.value : INT64_MIN;
	int order = (when_a < when_b) - (when_a > when_b);
	return order != 0 ? order : compare_text(b->number, a->number);
}

void pg_reading_sort(struct reading *reading)
{
	if (reading->record == RECORD_CREDIT)
		qsort(reading->rows, reading->count, sizeof(void *), compare_credits);
	if (reading->record == RECORD_APPLICATION)
		qsort(reading->rows, reading->count, sizeof(void *), compare_applications);
}
