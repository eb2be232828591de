/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pack.h"

#include <string.h>

#define WIRE_VARINT 0u
#define WIRE_BYTES 2u
#define LENGTH_BYTES 5 /* a nested record's length is written as a padded varint of this size */

static void add_varint(struct buf *buf, uint64_t value)
{
	while (value >= 0x80) {
		buf_add_byte(buf, (uint8_t)(value | 0x80));
		value >>= 7;
	}
	buf_add_byte(buf, (uint8_t)value);
}

void pack_int(struct buf *buf, uint32_t field, int64_t value)
{
	if (value == 0)
		return;
	add_varint(buf, (uint64_t)field << 3 | WIRE_VARINT);
	add_varint(buf, ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

void pack_str(struct buf *buf, uint32_t field, pa_str value)
{
	if (!value.ptr)
		return;
	add_varint(buf, (uint64_t)field << 3 | WIRE_BYTES);
	add_varint(buf, value.len);
	buf_add(buf, value);
}

size_t pack_begin(struct buf *buf, uint32_t field)
{
	add_varint(buf, (uint64_t)field << 3 | WIRE_BYTES);
	buf_grow(buf, LENGTH_BYTES);
	return buf->len;
}

void pack_end(struct buf *buf, size_t begin)
{
	size_t len = buf->len - begin;
	uint8_t *at;

	if (buf->is_over)
		return;
	at = (uint8_t *)buf->data + begin - LENGTH_BYTES;
	for (int i = 0; i < LENGTH_BYTES; i++) {
		at[i] = (uint8_t)((len & 0x7f) | (i < LENGTH_BYTES - 1 ? 0x80 : 0));
		len >>= 7;
	}
}

struct unpack unpack_from(pa_str bytes)
{
	const uint8_t *start = (const uint8_t *)bytes.ptr;

	return (struct unpack){.at = start, .end = bytes.len ? start + bytes.len : start};
}

static bool read_varint(struct unpack *in, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64 && in->at < in->end; shift += 7) {
		uint8_t byte = *in->at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

static bool read_field(struct unpack *in)
{
	uint64_t tag, value;

	if (!read_varint(in, &tag) || tag >> 3 > UINT32_MAX || !read_varint(in, &value))
		return false;
	in->field = (uint32_t)(tag >> 3);
	in->integer = 0;
	in->str = (pa_str){NULL, 0};
	if ((tag & 7) == WIRE_VARINT) {
		in->integer = (int64_t)(value >> 1 ^ (value & 1 ? UINT64_MAX : 0));
		return true;
	}
	if ((tag & 7) != WIRE_BYTES || value > (uint64_t)(in->end - in->at))
		return false;
	in->str = (pa_str){(const char *)in->at, (size_t)value};
	in->at += value;
	return true;
}

bool unpack_next(struct unpack *in)
{
	if (in->is_broken || in->at >= in->end)
		return false;
	in->is_broken = !read_field(in);
	return !in->is_broken;
}
