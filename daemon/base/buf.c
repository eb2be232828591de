/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_done(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf)BUF_INIT(buf->cap);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->is_over = false;
}

char *buf_grow(struct buf *buf, size_t n)
{
	char *start;

	if (buf->is_over || n > buf->cap - buf->len) {
		buf->is_over = true;
		return NULL;
	}
	if (n > buf->room - buf->len) {
		size_t room = buf->room ? buf->room : 256;

		while (room < buf->len + n)
			room *= 2;
		buf->data = realloc(buf->data, room);
		if (!buf->data)
			abort();
		buf->room = room;
	}
	start = buf->data + buf->len;
	buf->len += n;
	return start;
}

void buf_add(struct buf *buf, pa_str s)
{
	char *start = s.len ? buf_grow(buf, s.len) : NULL;

	if (start)
		memcpy(start, s.ptr, s.len);
}

void buf_add_byte(struct buf *buf, uint8_t byte)
{
	char *start = buf_grow(buf, 1);

	if (start)
		*start = (char)byte;
}

void buf_format(struct buf *buf, const char *format, ...)
{
	char small[256]; /* most texts fit: they are printed once */
	va_list args, again;
	int len;
	char *start;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(small, sizeof(small), format, args);
	va_end(args);
	if (len > 0 && (size_t)len < sizeof(small)) {
		buf_add(buf, (pa_str){small, (size_t)len});
	} else if (len > 0) {
		start = buf_grow(buf, (size_t)len + 1);
		if (start) {
			vsnprintf(start, (size_t)len + 1, format, again);
			buf->len--; /* the NUL */
		}
	}
	va_end(again);
}

pa_str buf_str(const struct buf *buf)
{
	return (pa_str){buf->data ? buf->data : "", buf->len};
}
