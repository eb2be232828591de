/* SPDX-License-Identifier: Apache-2.0
 *
 * record.h: rows of a result as canonical structs. Columns are found by name, in tables; what a
 * text must look like follows from the field's kind, strictly: a value that does not fit is never
 * bent. It is refused with the column's name, or, where nothing depends on it, taken for none.
 *
 *	struct reading reading;
 *	pg_reading_init(&reading, host, call, &words, RECORD_CREDIT, 200);
 *	... for each PGresult of the statement: pg_reading_take(&reading, result, err) ...
 *	reading.rows, reading.count
 *
 * One reading belongs to one call; everything it makes lies in the call's memory.
 */
#ifndef BACKEND_POSTGRES_RECORD_H
#define BACKEND_POSTGRES_RECORD_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "words.h"

enum record {
	RECORD_CUSTOMER,
	RECORD_CREDIT,
	RECORD_DISCOUNT,
	RECORD_APPLICATION,
	RECORD_OFFER,
	RECORD_OBLIGATION,
	RECORD_CHANGE,
	RECORD_DEMO,
};

/* The one column of is_demo. */
struct demo_mark {
	uint32_t size;
	uint32_t is_demo;
};

#define READING_FIELDS 16

struct reading {
	const pa_host *host;
	pa_call *call;
	const struct words *words;
	enum record record;
	size_t limit; /* more rows than this make no sense */
	bool is_mapped;
	int column_of[READING_FIELDS]; /* by field; -1: the result has no such column */
	void **rows;
	size_t count;
	uint32_t dropped; /* fields with a value that was taken for none, a bit each */
};

/* Prepares for at most limit rows of record. */
void pg_reading_init(struct reading *reading, const pa_host *host, pa_call *call,
		     const struct words *words, enum record record, size_t limit);

/* Adds the rows of one PGresult; checks the columns at the first, even if it has no row.
 * PA_REJECTED: a column is missing, strange or double, a value does not fit, too many rows. */
pa_status pg_reading_take(struct reading *reading, const PGresult *result, pa_error *err) MUST_USE;

/* The column of a field of the record, by the number of its bit. */
const char *pg_record_column(enum record record, size_t field);

/* Puts the rows into the order that proalto/backend.h promises for the record. */
void pg_reading_sort(struct reading *reading);

#endif
