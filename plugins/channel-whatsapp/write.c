/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

/* An ordinary message fits at once. */
#define FIRST_ROOM ((size_t)2048)

/* The bytes of the code point at that place; 0: none, or more than plain. */
static size_t plain_length(pa_str text, size_t at)
{
	utf8proc_int32_t code_point;
	utf8proc_ssize_t taken;

	if ((unsigned char)text.ptr[at] < 0x80)
		return 0;
	taken = utf8proc_iterate((const utf8proc_uint8_t *)text.ptr + at,
				 (utf8proc_ssize_t)(text.len - at), &code_point);
	return taken > 0 ? (size_t)taken : 0;
}

static bool is_plain_ascii(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

bool wa_is_plain(pa_str text)
{
	size_t at = 0;
	size_t taken;

	while (at < text.len) {
		if (is_plain_ascii(text.ptr[at])) {
			at++;
			continue;
		}
		taken = plain_length(text, at);
		if (taken == 0)
			return false;
		at += taken;
	}
	return true;
}

void wa_writer_free(struct wa_writer *writer)
{
	free(writer->bytes);
	*writer = (struct wa_writer){0};
}

/* The place of n bytes more; NULL if there is no memory. */
static char *extend(struct wa_writer *writer, size_t n)
{
	size_t room = writer->room ? writer->room : FIRST_ROOM;
	char *bytes = writer->bytes;

	if (writer->is_broken || n > SIZE_MAX / 4 - writer->len) {
		writer->is_broken = true;
		return NULL;
	}
	while (room < writer->len + n)
		room *= 2;
	if (room > writer->room) {
		bytes = realloc(bytes, room);
		if (bytes == NULL) {
			writer->is_broken = true;
			return NULL;
		}
		writer->bytes = bytes;
		writer->room = room;
	}
	writer->len += n;
	return bytes + writer->len - n;
}

void wa_write(struct wa_writer *writer, pa_str bytes)
{
	char *place = extend(writer, bytes.len);

	if (place != NULL && bytes.len)
		memcpy(place, bytes.ptr, bytes.len);
}

void wa_write_json(struct wa_writer *writer, json_t *value)
{
	const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY;
	size_t before = writer->len;
	size_t room = writer->room - before;
	size_t size = json_dumpb(value, room ? writer->bytes + before : NULL, room, flags);
	char *place = size ? extend(writer, size) : NULL;

	/* It did not fit: once more. */
	if (place != NULL && size > room)
		(void)json_dumpb(value, place, size, flags);
	writer->is_broken |= place == NULL;
	json_decref(value);
}

void wa_write_text(struct wa_writer *writer, pa_str text)
{
	char *place;

	if (!wa_is_plain(text)) {
		wa_write_json(writer, json_stringn(text.ptr, text.len));
		return;
	}
	place = extend(writer, text.len + 2);
	if (place == NULL)
		return;
	place[0] = '"';
	if (text.len)
		memcpy(place + 1, text.ptr, text.len);
	place[text.len + 1] = '"';
}
