/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect/decode.h"

#include <magic.h>
#include <stdio.h>
#include <string.h>

/* Text, archives' insides and old office files are no business of ours; tar headers are. */
#define MAGIC_WANTED                                                                               \
	(MAGIC_MIME_TYPE | MAGIC_CONTINUE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TEXT |        \
	 MAGIC_NO_CHECK_ENCODING | MAGIC_NO_CHECK_TOKENS | MAGIC_NO_CHECK_CDF |                    \
	 MAGIC_NO_CHECK_CSV | MAGIC_NO_CHECK_JSON)

static const struct format {
	const char *type;
	enum inspect_kind kind;
	enum inspect_verdict (*decode)(const struct inspect_input *input,
				       struct inspect_result *ret);
	const char *start; /* without it libmagic saw the format somewhere further behind */
	size_t start_len;
} formats[] = {
	{"image/jpeg", INSPECT_JPEG, inspect_jpeg, "\xff\xd8\xff", 3},
	{"image/png", INSPECT_PNG, inspect_png, "\x89PNG\r\n\x1a\n", 8},
	{"application/pdf", INSPECT_PDF, inspect_pdf, "%PDF-", 5},
};

static magic_t known;

bool inspect_prepare(void)
{
	if (known)
		return true;
	known = magic_open(MAGIC_WANTED);
	return known && magic_load(known, NULL) == 0;
}

uint32_t inspect_u16(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 8 | bytes[1];
}

uint32_t inspect_u32(const uint8_t *bytes)
{
	return inspect_u16(bytes) << 16 | inspect_u16(bytes + 2);
}

bool inspect_fits(const struct inspect_input *input, uint64_t width, uint64_t height,
		  struct inspect_result *ret)
{
	ret->record.width = (uint32_t)width;
	ret->record.height = (uint32_t)height;
	return width <= UINT16_MAX && height <= UINT16_MAX &&
	       width * height <= input->limits->pixels;
}

static const struct format *format_of(const char *type, size_t len)
{
	for (size_t i = 0; i < ARRAY_COUNT(formats); i++)
		if (strlen(formats[i].type) == len && memcmp(formats[i].type, type, len) == 0)
			return &formats[i];
	return NULL;
}

/* What the file is by its content. libmagic names all that it could be, in lines that begin with
 * "\012- " but for the first. NULL: nothing of ours; is_several: and something else besides. */
static const struct format *recognize(const struct inspect_input *input, bool *ret_is_several)
{
	const char *said = magic_buffer(known, input->bytes, input->len);
	const struct format *found = NULL;
	bool is_other = false;

	while (said && *said) {
		size_t len = strcspn(said, "\n\\");
		const struct format *format = format_of(said, len);

		if (format && !found)
			found = format;
		else if (format != found && strncmp(said, "application/octet-stream", len) != 0)
			is_other = true;
		said += len;
		said += strspn(said, "\n\\012- ");
	}
	*ret_is_several = found && is_other;
	return found;
}

/* The index of a ZIP archive stands at the end of a file and is found from there, whatever the
 * beginning is. */
static bool ends_as_zip(const struct inspect_input *input)
{
	const size_t index = 22, comment = UINT16_MAX;
	size_t last = input->len < index ? 0 : input->len - index;
	size_t first = last > comment ? last - comment : 0;

	for (size_t at = first; at < last; at++)
		if (memcmp(input->bytes + at, "PK\x05\x06", 4) == 0)
			return true;
	return last && memcmp(input->bytes + last, "PK\x05\x06", 4) == 0;
}

static enum inspect_verdict judge(const struct inspect_input *input, struct inspect_result *ret)
{
	bool is_several;
	const struct format *format = recognize(input, &is_several);

	if (!format)
		return INSPECT_OTHER_TYPE;
	ret->record.kind = format->kind;
	if (is_several || input->len < format->start_len ||
	    memcmp(input->bytes, format->start, format->start_len) != 0 || ends_as_zip(input))
		return INSPECT_POLYGLOT;
	return format->decode(input, ret);
}

void inspect_bytes(const uint8_t *bytes, size_t len, const struct inspect_limits *limits,
		   struct inspect_result *ret)
{
	const struct inspect_input input = {bytes, len, limits};

	*ret = (struct inspect_result){.record.magic = INSPECT_MAGIC};
	ret->record.verdict = judge(&input, ret);
}
