/* SPDX-License-Identifier: Apache-2.0
 *
 * io/db_params.h: what db.c knows of a statement's parameters; everybody else uses io/db.h. The
 * values stand in PostgreSQL's binary formats (the types' send and receive functions; for arrays
 * array_send() in src/backend/utils/adt/arrayfuncs.c), in the arena given to db_params_new.
 */
#ifndef IO_DB_PARAMS_H
#define IO_DB_PARAMS_H

#include "io/db.h"

/* Object ids of the built-in types (src/include/catalog/pg_type.dat): they never change. */
enum type_oid {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_JSON = 114,
	OID_BOOL_ARRAY = 1000,
	OID_BYTEA_ARRAY = 1001,
	OID_INT2_ARRAY = 1005,
	OID_INT4_ARRAY = 1007,
	OID_TEXT_ARRAY = 1009,
	OID_INT8_ARRAY = 1016,
	OID_BPCHAR = 1042,
	OID_VARCHAR = 1043,
	OID_TIMESTAMPTZ = 1184,
	OID_TIMESTAMPTZ_ARRAY = 1185,
	OID_UUID = 2950,
	OID_FIRST_USER = 16384, /* enums, domains and the like come from here on */
};

struct db_params {
	struct arena *arena;
	enum sql statement;
	int room;  /* as many as the statement has */
	int count; /* bound so far */
	const char **values;
	int *lengths;
	int *formats;    /* all 1: binary */
	uint32_t *types; /* enum type_oid */
};

/* Whether a value bound as one type may be sent to a parameter of another: they have the same
 * binary format, or it is NULL. */
bool db_params_type_fits(const struct db_params *params, int at, uint32_t wanted);

/* timestamptz: microseconds since 2000-01-01. The ends of the range stand for infinity. */
int64_t db_time_from_wire(int64_t microseconds);

#endif
