/* SPDX-License-Identifier: Apache-2.0
 *
 * base/buf.h: the one thing that grows. Owns its memory; bounded by a cap.
 *
 *	struct buf buf PA_CLEANUP(buf_done) = BUF_INIT(1 << 20);
 *	buf_add(&buf, s); buf_format(&buf, "%d", n);
 *	if (buf.is_over) ...   // the cap was reached: what came after it is missing
 *
 * Past the cap nothing is added and is_over is set: the caller checks once, at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/base.h"

struct buf {
	char *data; /* NULL while empty */
	size_t len;
	size_t room;
	size_t cap;
	bool is_over;
};

#define BUF_INIT(bytes)                                                                            \
	{                                                                                          \
		.cap = (bytes)                                                                     \
	}

/* Frees the memory; the buf is empty again and usable. */
void buf_done(struct buf *buf);

/* Empties it and keeps the memory. */
void buf_clear(struct buf *buf);

void buf_add(struct buf *buf, pa_str s);
void buf_add_byte(struct buf *buf, uint8_t byte);
void buf_format(struct buf *buf, const char *format, ...) PA_PRINTF(2, 3);

/* n uninitialised bytes at the end, to be filled in; NULL when past the cap. Valid until the next
 * call that adds. */
char *buf_grow(struct buf *buf, size_t n);

/* What it holds; valid until the next call that adds. */
pa_str buf_str(const struct buf *buf);

#endif
