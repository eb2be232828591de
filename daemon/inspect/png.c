/* SPDX-License-Identifier: Apache-2.0
 *
 * By libpng's simplified interface, which returns where the other one jumps.
 */
#include "inspect/decode.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE 8
#define CHUNK_FRAME 12 /* length, name and check of a chunk */

/* Behind the last chunk; 0: there is none. */
static size_t end_of_picture(const struct inspect_input *input)
{
	size_t at = SIGNATURE;

	while (input->len - at >= CHUNK_FRAME) {
		uint32_t len = inspect_u32(input->bytes + at);

		if (len > input->len - at - CHUNK_FRAME)
			return 0;
		if (memcmp(input->bytes + at + 4, "IEND", 4) == 0)
			return at + CHUNK_FRAME + len;
		at += CHUNK_FRAME + len;
	}
	return 0;
}

static enum inspect_verdict encode(png_image *image, const uint8_t *pixels,
				   struct inspect_result *ret)
{
	png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(*image);
	uint8_t *out = malloc(size);

	if (!out)
		return INSPECT_BOMB;
	if (!png_image_write_to_memory(image, out, &size, 0, pixels, 0, NULL)) {
		free(out);
		return INSPECT_BROKEN;
	}
	ret->clean = out;
	ret->record.clean = size;
	return INSPECT_SOUND;
}

/* Eight bits a channel, no palette: what is written says nothing but the pixels. */
static uint32_t plain_format(uint32_t format)
{
	return format & (PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_ALPHA);
}

static enum inspect_verdict decode(png_image *image, struct inspect_result *ret)
{
	enum inspect_verdict verdict;
	uint8_t *pixels;

	image->format = plain_format(image->format);
	pixels = calloc(1, PNG_IMAGE_SIZE(*image));
	if (!pixels)
		return INSPECT_BOMB;
	if (!png_image_finish_read(image, NULL, pixels, 0, NULL) || image->warning_or_error)
		verdict = INSPECT_BROKEN;
	else
		verdict = encode(image, pixels, ret);
	free(pixels);
	return verdict;
}

enum inspect_verdict inspect_png(const struct inspect_input *input, struct inspect_result *ret)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	size_t end = end_of_picture(input);
	enum inspect_verdict verdict = INSPECT_BROKEN;

	if (!end)
		return INSPECT_BROKEN;
	if (end != input->len)
		return INSPECT_POLYGLOT;
	if (png_image_begin_read_from_memory(&image, input->bytes, input->len))
		verdict = inspect_fits(input, image.width, image.height, ret)
				  ? decode(&image, ret)
				  : INSPECT_TOO_MANY_PIXELS;
	png_image_free(&image);
	return verdict;
}
