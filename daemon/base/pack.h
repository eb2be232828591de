/* SPDX-License-Identifier: Apache-2.0
 *
 * base/pack.h: how records are written as bytes before they are sealed and stored: events,
 * messages, states. A record is a list of fields, each with a number; unknown numbers are skipped,
 * missing ones read as zero or absent. So a record written by the next release is read by this one
 * and the reverse (the wire types are those of Protocol Buffers: varint and length-delimited).
 *
 *	pack_str(&buf, FIELD_NAME, name);   pack_int(&buf, FIELD_AT, at_ns);
 *
 *	struct unpack in = unpack_from(bytes);
 *	while (unpack_next(&in))
 *		switch (in.field) { case FIELD_NAME: name = in.str; break; ... }
 *	if (in.is_broken) ...
 *
 * Integers are zigzag-coded: small negative numbers stay short. Absent slices and zeros are left
 * out (an empty slice that is present is written).
 */
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include "base/buf.h"

void pack_int(struct buf *buf, uint32_t field, int64_t value);
void pack_str(struct buf *buf, uint32_t field, pa_str value);

/* A record within a record: begin, pack its fields, end. */
size_t pack_begin(struct buf *buf, uint32_t field);
void pack_end(struct buf *buf, size_t begin);

/* Reading. The slices point into the bytes given. */
struct unpack {
	const uint8_t *at;
	const uint8_t *end;
	uint32_t field;
	int64_t integer; /* 0 if the field holds a slice */
	pa_str str;      /* absent if the field holds an integer */
	bool is_broken;
};

struct unpack unpack_from(pa_str bytes);

/* Reads the next field; false at the end or when the bytes make no sense (is_broken). */
bool unpack_next(struct unpack *in);

#endif
