/* SPDX-License-Identifier: Apache-2.0
 *
 * By libjpeg-turbo's own interface: it says what is wrong instead of jumping out of it.
 */
#include "inspect/decode.h"

#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#define QUALITY 90

#define MARKER_EOI 0xd9
#define MARKER_SOI 0xd8
#define MARKER_SOS 0xda
#define MARKER_APP1 0xe1

/* What the camera notes of how it was held: the only word of the metadata that counts, since
 * without it a document lies on its side. (Exif 2.3, section 4.6.) */
#define TAG_ORIENTATION 0x0112
#define ENTRY_BYTES 12

struct exif {
	const uint8_t *bytes; /* from the TIFF header on */
	size_t len;
	bool is_little;
};

/* 0 where there is nothing. */
static uint32_t exif_number(const struct exif *exif, size_t at, size_t bytes)
{
	uint32_t number = 0;

	if (at > exif->len || bytes > exif->len - at)
		return 0;
	for (size_t i = 0; i < bytes; i++)
		number = number << 8 | exif->bytes[at + (exif->is_little ? bytes - 1 - i : i)];
	return number;
}

/* 1 to 8; 1 is upright. segment: behind marker and length. */
static uint32_t orientation_of(const uint8_t *segment, size_t len)
{
	struct exif exif = {segment + 6, len - 6, false};
	uint32_t directory, count;

	if (len < 14 || memcmp(segment, "Exif\0\0", 6) != 0)
		return 1;
	exif.is_little = exif.bytes[0] == 'I';
	directory = exif_number(&exif, 4, 4);
	count = exif_number(&exif, directory, 2);
	for (size_t i = 0; i < count; i++) {
		size_t entry = (size_t)directory + 2 + i * ENTRY_BYTES;
		uint32_t value = exif_number(&exif, entry + 8, 2);

		if (exif_number(&exif, entry, 2) == TAG_ORIENTATION)
			return value >= 1 && value <= 8 ? value : 1;
	}
	return 1;
}

/* Within coded data 0xff stands before 0x00 or a restart marker. Returns where it ends. */
static size_t skip_coded(const struct inspect_input *input, size_t at)
{
	while (at + 1 < input->len) {
		uint8_t next = input->bytes[at + 1];

		if (input->bytes[at] == 0xff && next && next != 0xff && (next & 0xf8) != 0xd0)
			break;
		at++;
	}
	return at;
}

/* Where the picture ends, behind its last marker; 0: nowhere. Decoders stop there, and don't say
 * what lies behind. */
static size_t end_of_picture(const struct inspect_input *input, uint32_t *ret_orientation)
{
	const uint8_t *bytes = input->bytes;
	size_t at = 2, len;

	while (at + 4 <= input->len || (at + 2 <= input->len && bytes[at + 1] == MARKER_EOI)) {
		uint8_t marker = bytes[at + 1];

		if (bytes[at] != 0xff)
			return 0;
		if (marker == MARKER_EOI)
			return at + 2;
		if (marker == 0xff) {
			at++;
			continue;
		}
		if (marker == MARKER_SOI || (marker & 0xf8) == 0xd0)
			return 0;
		len = inspect_u16(bytes + at + 2);
		if (len < 2 || len > input->len - at - 2)
			return 0;
		if (marker == MARKER_APP1 && *ret_orientation == 1)
			*ret_orientation = orientation_of(bytes + at + 4, len - 2);
		at += 2 + len;
		if (marker == MARKER_SOS)
			at = skip_coded(input, at);
	}
	return 0;
}

/* Four inks, as Adobe stores them: the more, the lighter. */
static void inks_to_light(uint8_t *pixels, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < 3; j++)
			pixels[3 * i + j] =
				(uint8_t)(pixels[4 * i + j] * pixels[4 * i + 3] / UINT8_MAX);
}

/* As it was held: 2 and 4 are mirrored, 3 upside down, 5 to 8 on their side. NULL: no memory. */
static uint8_t *upright(const uint8_t *pixels, size_t width, size_t height, size_t bytes,
			uint32_t orientation)
{
	bool is_on_side = orientation >= 5;
	bool flips_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
	bool flips_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
	size_t new_width = is_on_side ? height : width;
	uint8_t *out = malloc(width * height * bytes);

	for (size_t i = 0; out && i < width * height; i++) {
		size_t x = is_on_side ? i / new_width : i % new_width;
		size_t y = is_on_side ? i % new_width : i / new_width;

		x = flips_x ? width - 1 - x : x;
		y = flips_y ? height - 1 - y : y;
		memcpy(out + i * bytes, pixels + (y * width + x) * bytes, bytes);
	}
	return out;
}

static enum inspect_verdict encode(int width, int height, int format, const uint8_t *pixels,
				   struct inspect_result *ret)
{
	tjhandle writer = tjInitCompress();
	unsigned long size = 0;
	unsigned char *out = NULL;
	int failed = !writer || tjCompress2(writer, pixels, width, 0, height, format, &out, &size,
					    format == TJPF_GRAY ? TJSAMP_GRAY : TJSAMP_420, QUALITY,
					    TJFLAG_ACCURATEDCT);

	if (writer)
		tjDestroy(writer);
	if (failed) {
		tjFree(out);
		return INSPECT_BROKEN;
	}
	ret->clean = out;
	ret->record.clean = size;
	return INSPECT_SOUND;
}

static int pixels_format(int colours)
{
	if (colours == TJCS_GRAY)
		return TJPF_GRAY;
	return colours == TJCS_CMYK || colours == TJCS_YCCK ? TJPF_CMYK : TJPF_RGB;
}

/* Takes the pixels. */
static enum inspect_verdict make_anew(uint8_t *pixels, int format, uint32_t orientation,
				      struct inspect_result *ret)
{
	uint32_t width = ret->record.width, height = ret->record.height;
	enum inspect_verdict verdict;

	if (orientation != 1) {
		uint8_t *turned =
			upright(pixels, width, height, (size_t)tjPixelSize[format], orientation);

		free(pixels);
		pixels = turned;
	}
	if (orientation >= 5) {
		ret->record.width = height;
		ret->record.height = width;
	}
	verdict = !pixels ? INSPECT_BOMB
			  : encode((int)ret->record.width, (int)ret->record.height, format, pixels,
				   ret);
	free(pixels);
	return verdict;
}

static enum inspect_verdict decode(tjhandle reader, const struct inspect_input *input,
				   uint32_t orientation, struct inspect_result *ret)
{
	int width, height, sampling, colours, format;
	uint8_t *pixels;

	if (tjDecompressHeader3(reader, input->bytes, input->len, &width, &height, &sampling,
				&colours) != 0 ||
	    width <= 0 || height <= 0)
		return INSPECT_BROKEN;
	if (!inspect_fits(input, (uint64_t)width, (uint64_t)height, ret))
		return INSPECT_TOO_MANY_PIXELS;
	format = pixels_format(colours);
	pixels = calloc((size_t)width * (size_t)height, (size_t)tjPixelSize[format]);
	if (!pixels)
		return INSPECT_BOMB;
	if (tjDecompress2(reader, input->bytes, input->len, pixels, width, 0, height, format,
			  TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS) != 0) {
		free(pixels);
		return INSPECT_BROKEN;
	}
	if (format == TJPF_CMYK)
		inks_to_light(pixels, (size_t)width * (size_t)height);
	return make_anew(pixels, format == TJPF_CMYK ? TJPF_RGB : format, orientation, ret);
}

enum inspect_verdict inspect_jpeg(const struct inspect_input *input, struct inspect_result *ret)
{
	uint32_t orientation = 1;
	size_t end = end_of_picture(input, &orientation);
	enum inspect_verdict verdict;
	tjhandle reader;

	if (!end)
		return INSPECT_BROKEN;
	for (size_t at = end; at < input->len; at++)
		if (input->bytes[at])
			return INSPECT_POLYGLOT;
	reader = tjInitDecompress();
	if (!reader)
		return INSPECT_BROKEN;
	verdict = decode(reader, input, orientation, ret);
	tjDestroy(reader);
	return verdict;
}
