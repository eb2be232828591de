/* SPDX-License-Identifier: Apache-2.0 */
#include "io/db_params.h"

#include <endian.h>
#include <limits.h>
#include <string.h>

#define US_PER_S INT64_C(1000000)
#define NS_PER_US INT64_C(1000)
#define EPOCH_2000_US (INT64_C(946684800) * US_PER_S) /* 2000-01-01 in Unix time */
#define ARRAY_HEAD_BYTES 20 /* dimensions, has nulls, element type, length, lower bound */
#define ARRAY_EMPTY_BYTES 12
#define LENGTH_BYTES 4

struct db_params *db_params_new(struct arena *arena, enum sql statement)
{
	struct db_params *params = ARENA_NEW(arena, struct db_params);
	size_t room = (size_t)sql_statements[statement].params;

	params->arena = arena;
	params->statement = statement;
	params->room = (int)room;
	params->values = ARENA_ARRAY(arena, const char *, room);
	params->lengths = ARENA_ARRAY(arena, int, room * 2);
	params->formats = params->lengths + room;
	params->types = ARENA_ARRAY(arena, uint32_t, room);
	return params;
}

static void bind(struct db_params *params, uint32_t type, const char *value, size_t len)
{
	int at = params->count++;

	assert(at < params->room);
	assert(len <= INT_MAX);
	params->values[at] = value;
	params->lengths[at] = (int)len;
	params->formats[at] = 1;
	params->types[at] = type;
}

/* Writes the low bytes of an integer, the most significant first. */
static char *put(char *to, int64_t value, size_t bytes)
{
	uint64_t big = htobe64((uint64_t)value);

	memcpy(to, (const char *)&big + sizeof(big) - bytes, bytes);
	return to + bytes;
}

static void bind_integer(struct db_params *params, uint32_t type, int64_t value, size_t bytes)
{
	char *at = arena_alloc(params->arena, bytes);

	put(at, value, bytes);
	bind(params, type, at, bytes);
}

void db_bind_int64(struct db_params *params, int64_t value)
{
	bind_integer(params, OID_INT8, value, 8);
}

void db_bind_int32(struct db_params *params, int32_t value)
{
	bind_integer(params, OID_INT4, value, 4);
}

void db_bind_bool(struct db_params *params, bool value)
{
	bind_integer(params, OID_BOOL, value, 1);
}

static int64_t time_to_wire(int64_t at_ns)
{
	if (at_ns == INT64_MAX || at_ns == INT64_MIN)
		return at_ns;
	return at_ns / NS_PER_US - (at_ns % NS_PER_US < 0) - EPOCH_2000_US;
}

void db_bind_time(struct db_params *params, int64_t at_ns)
{
	bind_integer(params, OID_TIMESTAMPTZ, time_to_wire(at_ns), 8);
}

void db_bind_text(struct db_params *params, pa_str value)
{
	bind(params, OID_TEXT, value.ptr, value.len);
}

void db_bind_bytes(struct db_params *params, pa_str value)
{
	bind(params, OID_BYTEA, value.ptr, value.len);
}

/* Reserves an array of count elements that take bytes in all (without their lengths), writes its
 * head and returns where the elements go. */
static char *begin_array(struct db_params *params, uint32_t type, uint32_t element, size_t count,
			 size_t bytes, bool has_nulls)
{
	size_t len = count ? ARRAY_HEAD_BYTES + count * LENGTH_BYTES + bytes : ARRAY_EMPTY_BYTES;
	char *start = arena_alloc(params->arena, len), *at = start;

	assert(count <= INT_MAX);
	at = put(at, count ? 1 : 0, 4);
	at = put(at, has_nulls, 4);
	at = put(at, element, 4);
	if (count) {
		at = put(at, (int64_t)count, 4);
		at = put(at, 1, 4);
	}
	bind(params, type, start, len);
	return at;
}

void db_bind_int64_array(struct db_params *params, const int64_t *values, size_t count)
{
	char *at = begin_array(params, OID_INT8_ARRAY, OID_INT8, count, count * 8, false);

	for (size_t i = 0; i < count; i++)
		at = put(put(at, 8, LENGTH_BYTES), values[i], 8);
}

void db_bind_int16_array(struct db_params *params, const int16_t *values, size_t count)
{
	char *at = begin_array(params, OID_INT2_ARRAY, OID_INT2, count, count * 2, false);

	for (size_t i = 0; i < count; i++)
		at = put(put(at, 2, LENGTH_BYTES), values[i], 2);
}

void db_bind_time_array(struct db_params *params, const int64_t *at_ns, size_t count)
{
	char *at = begin_array(params, OID_TIMESTAMPTZ_ARRAY, OID_TIMESTAMPTZ, count, count * 8,
			       false);

	for (size_t i = 0; i < count; i++)
		at = put(put(at, 8, LENGTH_BYTES), time_to_wire(at_ns[i]), 8);
}

void db_bind_bool_array(struct db_params *params, const bool *values, size_t count)
{
	char *at = begin_array(params, OID_BOOL_ARRAY, OID_BOOL, count, count, false);

	for (size_t i = 0; i < count; i++)
		at = put(put(at, 1, LENGTH_BYTES), values[i], 1);
}

static void bind_slices(struct db_params *params, uint32_t type, uint32_t element,
			const pa_str *values, size_t count)
{
	size_t bytes = 0;
	bool has_nulls = false;
	char *at;

	for (size_t i = 0; i < count; i++) {
		assert(values[i].len <= INT_MAX);
		bytes += values[i].ptr ? values[i].len : 0;
		has_nulls = has_nulls || !values[i].ptr;
	}
	at = begin_array(params, type, element, count, bytes, has_nulls);
	for (size_t i = 0; i < count; i++) {
		at = put(at, values[i].ptr ? (int64_t)values[i].len : -1, LENGTH_BYTES);
		if (values[i].ptr && values[i].len) {
			memcpy(at, values[i].ptr, values[i].len);
			at += values[i].len;
		}
	}
}

void db_bind_bytes_array(struct db_params *params, const pa_str *values, size_t count)
{
	bind_slices(params, OID_BYTEA_ARRAY, OID_BYTEA, values, count);
}

void db_bind_text_array(struct db_params *params, const pa_str *values, size_t count)
{
	bind_slices(params, OID_TEXT_ARRAY, OID_TEXT, values, count);
}

bool db_params_type_fits(const struct db_params *params, int at, uint32_t wanted)
{
	uint32_t bound = params->types[at];

	if (bound == wanted || wanted >= OID_FIRST_USER || !params->values[at])
		return true;
	if (bound == OID_TEXT)
		return wanted == OID_VARCHAR || wanted == OID_BPCHAR || wanted == OID_JSON;
	return bound == OID_BYTEA && wanted == OID_UUID;
}

int64_t db_time_from_wire(int64_t microseconds)
{
	int64_t ns;

	if (__builtin_add_overflow(microseconds, EPOCH_2000_US, &ns) ||
	    __builtin_mul_overflow(ns, NS_PER_US, &ns))
		return microseconds < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}
