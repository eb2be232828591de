/* SPDX-License-Identifier: Apache-2.0
 *
 * By libjpeg-turbo's own interface: it says what is wrong instead of jumping out of it.
 */
#include "inspect/decode.h"

#include <stdlib.h>
#include <turbojpeg.h>

#define QUALITY 90

#define MARKER_EOI 0xd9
#define MARKER_SOI 0xd8
#define MARKER_SOS 0xda

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
static size_t end_of_picture(const struct inspect_input *input)
{
	const uint8_t *bytes = input->bytes;
	size_t at = 2;

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
		at += 2 + inspect_u16(bytes + at + 2);
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

static enum inspect_verdict decode(tjhandle reader, const struct inspect_input *input,
				   struct inspect_result *ret)
{
	int width, height, sampling, colours, format;
	enum inspect_verdict verdict;
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
	verdict = encode(width, height, format == TJPF_CMYK ? TJPF_RGB : format, pixels, ret);
	free(pixels);
	return verdict;
}

enum inspect_verdict inspect_jpeg(const struct inspect_input *input, struct inspect_result *ret)
{
	size_t end = end_of_picture(input);
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
	verdict = decode(reader, input, ret);
	tjDestroy(reader);
	return verdict;
}
