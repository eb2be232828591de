/* SPDX-License-Identifier: Apache-2.0
 *
 * support/files.h: customers' files, sound and hostile, made when they are wanted. In a header, so
 * that only the tests that include it want the libraries.
 */
#ifndef SUPPORT_FILES_H
#define SUPPORT_FILES_H

#include <qpdf/qpdf-c.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>
#include <zlib.h>

#include <png.h>

#define FILES_METADATA "where-it-was-taken"
#define FILES_GRAY 1u
#define FILES_PROGRESSIVE 2u
#define FILES_CMYK 4u
#define FILES_ALPHA 8u
#define FILES_CORNER 16u /* black, and white in its upper left quarter */

struct blob {
	uint8_t *bytes;
	size_t len;
};

static inline void blob_done(struct blob *blob)
{
	free(blob->bytes);
	*blob = (struct blob){0};
}

static inline struct blob blob_append(struct blob blob, const void *bytes, size_t len)
{
	blob.bytes = realloc(blob.bytes, blob.len + len + 1);
	if (!blob.bytes)
		abort();
	memcpy(blob.bytes + blob.len, bytes, len);
	blob.len += len;
	return blob;
}

static inline struct blob blob_of(const void *bytes, size_t len)
{
	return blob_append((struct blob){0}, bytes, len);
}

static inline struct blob blob_join(struct blob a, struct blob b)
{
	a = blob_append(a, b.bytes, b.len);
	blob_done(&b);
	return a;
}

static inline struct blob blob_cut(struct blob blob, double part)
{
	blob.len = (size_t)((double)blob.len * part);
	return blob;
}

static inline struct blob blob_flip(struct blob blob, size_t at)
{
	blob.bytes[at % blob.len] ^= 0x55;
	return blob;
}

/* ---- pictures ---- */

/* Something to see: slopes, and a little noise so that it does not shrink to nothing. */
static inline uint8_t *files_pixels(size_t width, size_t height, size_t channels)
{
	uint8_t *pixels = calloc(width * height, channels);
	uint32_t noise = 1;

	if (!pixels)
		abort();
	for (size_t i = 0; i < width * height * channels; i++) {
		noise = noise * 1664525u + 1013904223u;
		pixels[i] = (uint8_t)(i * 3 / (width + 1) + (noise >> 28));
	}
	return pixels;
}

static inline struct blob files_jpeg(int width, int height, unsigned how)
{
	int format = how & FILES_GRAY ? TJPF_GRAY : how & FILES_CMYK ? TJPF_CMYK : TJPF_RGB;
	uint8_t *pixels = files_pixels((size_t)width, (size_t)height, (size_t)tjPixelSize[format]);
	tjhandle writer = tjInitCompress();
	unsigned char *out = NULL;
	unsigned long len = 0;
	struct blob blob;

	for (int i = 0; how & FILES_CORNER && i < 3 * width * height; i++)
		pixels[i] = i / 3 % width < width / 2 && i / 3 / width < height / 2 ? UINT8_MAX : 0;
	if (tjCompress2(writer, pixels, width, 0, height, format, &out, &len,
			format == TJPF_GRAY ? TJSAMP_GRAY : TJSAMP_444, 80,
			how & FILES_PROGRESSIVE ? TJFLAG_PROGRESSIVE : 0) != 0)
		abort();
	blob = blob_of(out, len);
	tjFree(out);
	tjDestroy(writer);
	free(pixels);
	return blob;
}

/* bytes go in behind the first `at` bytes. */
static inline struct blob files_insert(struct blob into, size_t at, const void *bytes, size_t len)
{
	struct blob all = blob_append(blob_of(into.bytes, at), bytes, len);

	all = blob_append(all, into.bytes + at, into.len - at);
	blob_done(&into);
	return all;
}

static inline struct blob files_jpeg_with_comment(int width, int height)
{
	struct blob comment = blob_of("\xff\xfe\0", 3);
	char len = (char)(2 + strlen(FILES_METADATA));
	struct blob all;

	comment = blob_append(comment, &len, 1);
	comment = blob_append(comment, FILES_METADATA, strlen(FILES_METADATA));
	all = files_insert(files_jpeg(width, height, 0), 2, comment.bytes, comment.len);
	blob_done(&comment);
	return all;
}

/* As a camera notes how it was held; little endian or big. */
static inline struct blob files_jpeg_held(int width, int height, uint8_t orientation,
					  bool is_little)
{
	static const char little[] = "\xff\xe1\0\x22"
				     "Exif\0\0II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\0\0\0\0\0\0\0\0",
			  big[] = "\xff\xe1\0\x22"
				  "Exif\0\0MM\0*\0\0\0\10\0\1\1\x12\0\3\0\0\0\1\0\0\0\0\0\0\0\0";
	char segment[36];

	memcpy(segment, is_little ? little : big, sizeof(segment));
	segment[is_little ? 28 : 29] = (char)orientation;
	return files_insert(files_jpeg(width, height, FILES_CORNER), 2, segment, sizeof(segment));
}

static inline size_t files_find(const struct blob *blob, const void *what, size_t len)
{
	const uint8_t *at = memmem(blob->bytes, blob->len, what, len);

	if (!at)
		abort();
	return (size_t)(at - blob->bytes);
}

static inline struct blob files_jpeg_claims(int width, int height, unsigned new_width,
					    unsigned new_height)
{
	struct blob blob = files_jpeg(width, height, 0);
	size_t frame = files_find(&blob, "\xff\xc0", 2);
	const uint8_t size[] = {(uint8_t)(new_height >> 8), (uint8_t)new_height,
				(uint8_t)(new_width >> 8), (uint8_t)new_width};

	memcpy(blob.bytes + frame + 5, size, sizeof(size));
	return blob;
}

/* Its beginning and its end, and nothing in between. */
static inline struct blob files_jpeg_hollow(int width, int height)
{
	struct blob blob = files_jpeg(width, height, 0);

	blob.len = files_find(&blob, "\xff\xda", 2) + 14;
	return blob_append(blob, "\xff\xd9", 2);
}

static inline struct blob files_png(uint32_t width, uint32_t height, unsigned how)
{
	png_image image = {.version = PNG_IMAGE_VERSION, .width = width, .height = height};
	size_t channels = how & FILES_GRAY ? 1 : how & FILES_ALPHA ? 4 : 3;
	uint8_t *pixels = files_pixels(width, height, channels);
	png_alloc_size_t len;
	struct blob blob;

	image.format = how & FILES_GRAY    ? PNG_FORMAT_GRAY
		       : how & FILES_ALPHA ? PNG_FORMAT_RGBA
					   : PNG_FORMAT_RGB;
	len = PNG_IMAGE_PNG_SIZE_MAX(image);
	blob.bytes = malloc(len);
	if (!png_image_write_to_memory(&image, blob.bytes, &len, 0, pixels, 0, NULL))
		abort();
	blob.len = len;
	free(pixels);
	return blob;
}

static inline struct blob files_u32(struct blob blob, uint32_t number)
{
	const uint8_t bytes[] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
				 (uint8_t)(number >> 8), (uint8_t)number};

	return blob_append(blob, bytes, sizeof(bytes));
}

static inline struct blob files_png_chunk(const char *name, const void *bytes, size_t len)
{
	struct blob chunk = files_u32((struct blob){0}, (uint32_t)len);

	chunk = blob_append(chunk, name, 4);
	chunk = blob_append(chunk, bytes, len);
	return files_u32(chunk, (uint32_t)crc32(0, chunk.bytes + 4, (unsigned)(len + 4)));
}

/* Behind signature and IHDR. */
#define FILES_PNG_HEAD 33

static inline struct blob files_png_with(uint32_t width, uint32_t height, const char *name,
					 const void *bytes, size_t len)
{
	struct blob chunk = files_png_chunk(name, bytes, len);
	struct blob all =
		files_insert(files_png(width, height, 0), FILES_PNG_HEAD, chunk.bytes, chunk.len);

	blob_done(&chunk);
	return all;
}

static inline struct blob files_png_hollow(uint32_t width, uint32_t height)
{
	struct blob blob = files_png(width, height, 0);

	blob.len = FILES_PNG_HEAD;
	return blob_join(blob, files_png_chunk("IEND", "", 0));
}

static inline struct blob files_png_claims(uint32_t width, uint32_t height)
{
	struct blob size = files_u32(files_u32((struct blob){0}, width), height);
	struct blob blob = blob_of("\x89PNG\r\n\x1a\n", 8), rest = files_png(9, 9, FILES_GRAY);

	size = blob_append(size, "\10\0\0\0\0", 5);
	blob = blob_join(blob, files_png_chunk("IHDR", size.bytes, size.len));
	blob = blob_append(blob, rest.bytes + FILES_PNG_HEAD, rest.len - FILES_PNG_HEAD);
	blob_done(&size);
	blob_done(&rest);
	return blob;
}

/* ---- PDF, with a table that is true ---- */

struct files_pdf {
	struct blob blob;
	size_t offsets[64];
	size_t count;
};

static inline void files_pdf_object(struct files_pdf *pdf, const void *body, size_t len)
{
	char head[32];
	int n = snprintf(head, sizeof(head), "%zu 0 obj\n", pdf->count + 1);

	pdf->offsets[pdf->count++] = pdf->blob.len;
	pdf->blob = blob_append(pdf->blob, head, (size_t)n);
	pdf->blob = blob_append(pdf->blob, body, len);
	pdf->blob = blob_append(pdf->blob, "\nendobj\n", 8);
}

static inline struct blob files_pdf_end(struct files_pdf *pdf)
{
	size_t table = pdf->blob.len;
	char line[128];
	int n = snprintf(line, sizeof(line), "xref\n0 %zu\n0000000000 65535 f \n", pdf->count + 1);

	pdf->blob = blob_append(pdf->blob, line, (size_t)n);
	for (size_t i = 0; i < pdf->count; i++) {
		n = snprintf(line, sizeof(line), "%010zu 00000 n \n", pdf->offsets[i]);
		pdf->blob = blob_append(pdf->blob, line, (size_t)n);
	}
	n = snprintf(line, sizeof(line),
		     "trailer\n<</Size %zu /Root 1 0 R>>\nstartxref\n%zu\n%%%%EOF\n",
		     pdf->count + 1, table);
	return blob_append(pdf->blob, line, (size_t)n);
}

static inline struct files_pdf files_pdf_begin(size_t pages, const char *in_root)
{
	struct files_pdf pdf = {.blob = blob_of("%PDF-1.5\n%\xe2\xe3\xcf\xd3\n", 15)};
	char text[2048];
	int n = snprintf(text, sizeof(text), "<</Type /Catalog /Pages 2 0 R %s>>", in_root);

	files_pdf_object(&pdf, text, (size_t)n);
	n = snprintf(text, sizeof(text), "<</Type /Pages /Count %zu /Kids [", pages);
	for (size_t i = 0; i < pages; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%zu 0 R ", i + 3);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "]>>");
	files_pdf_object(&pdf, text, (size_t)n);
	return pdf;
}

/* The last page's object has /Extra, which is object pages + 3 if there is one. */
static inline void files_pdf_pages(struct files_pdf *pdf, size_t pages, bool has_extra)
{
	char text[256];

	for (size_t i = 0; i < pages; i++) {
		int n = snprintf(text, sizeof(text),
				 "<</Type /Page /Parent 2 0 R /MediaBox [0 0 200 200]");

		if (has_extra && i + 1 == pages)
			n += snprintf(text + n, sizeof(text) - (size_t)n, " /Extra %zu 0 R",
				      pages + 3);
		n += snprintf(text + n, sizeof(text) - (size_t)n, ">>");
		files_pdf_object(pdf, text, (size_t)n);
	}
}

static inline struct blob files_pdf(size_t pages, const char *in_root, const char *extra)
{
	struct files_pdf pdf = files_pdf_begin(pages, in_root);

	files_pdf_pages(&pdf, pages, extra != NULL);
	if (extra)
		files_pdf_object(&pdf, extra, strlen(extra));
	return files_pdf_end(&pdf);
}

static inline struct blob files_pdf_stream(const char *in_dictionary, const void *data, size_t len)
{
	struct files_pdf pdf = files_pdf_begin(1, "");
	char head[256];
	int n = snprintf(head, sizeof(head), "<<%s /Length %zu>>\nstream\n", in_dictionary, len);
	struct blob body = blob_append(blob_of(head, (size_t)n), data, len);

	body = blob_append(body, "\nendstream", 10);
	files_pdf_pages(&pdf, 1, true);
	files_pdf_object(&pdf, body.bytes, body.len);
	blob_done(&body);
	return files_pdf_end(&pdf);
}

/* So many MiB of zeros, packed. */
static inline struct blob files_pdf_bomb(size_t mib)
{
	size_t len = mib << 20;
	uLongf packed_len = compressBound(len);
	uint8_t *zeros = calloc(1, len), *packed = malloc(packed_len);
	struct blob blob;

	if (!zeros || !packed || compress2(packed, &packed_len, zeros, len, 1) != Z_OK)
		abort();
	blob = files_pdf_stream("/Filter /FlateDecode", packed, packed_len);
	free(zeros);
	free(packed);
	return blob;
}

/* The offsets are off by some bytes. */
static inline struct blob files_pdf_shifted(void)
{
	struct files_pdf pdf = files_pdf_begin(1, "");

	files_pdf_pages(&pdf, 1, false);
	for (size_t i = 0; i < pdf.count; i++)
		pdf.offsets[i] += 7;
	return files_pdf_end(&pdf);
}

static inline struct blob files_pdf_circle(void)
{
	struct files_pdf pdf = {.blob = blob_of("%PDF-1.5\n", 9)};
	static const char root[] = "<</Type /Catalog /Pages 2 0 R>>",
			  pages[] = "<</Type /Pages /Count 1 /Kids [2 0 R]>>";

	files_pdf_object(&pdf, root, strlen(root));
	files_pdf_object(&pdf, pages, strlen(pages));
	return files_pdf_end(&pdf);
}

static inline struct blob files_pdf_encrypted(const char *password)
{
	struct blob plain = files_pdf(1, "", "(s)"), blob;
	qpdf_data pdf = qpdf_init();

	qpdf_read_memory(pdf, "plain", (const char *)plain.bytes, plain.len, NULL);
	qpdf_init_write_memory(pdf);
	qpdf_set_r6_encryption_parameters2(pdf, password, "owner", QPDF_TRUE, QPDF_TRUE, QPDF_TRUE,
					   QPDF_TRUE, QPDF_TRUE, QPDF_TRUE, qpdf_r3p_full,
					   QPDF_TRUE);
	if (qpdf_write(pdf) & QPDF_ERRORS)
		abort();
	blob = blob_of(qpdf_get_buffer(pdf), qpdf_get_buffer_length(pdf));
	qpdf_cleanup(&pdf);
	blob_done(&plain);
	return blob;
}

/* ---- anything, a little spoiled ---- */

static inline struct blob files_mutate(struct blob blob, uint32_t seed)
{
	uint32_t random = seed * 2654435761u + 1;

	for (uint32_t i = 0; i <= seed % 8; i++) {
		random = random * 1664525u + 1013904223u;
		blob.bytes[random % blob.len] = (uint8_t)(random >> 13);
	}
	if (seed % 5 == 0)
		blob.len -= random % (blob.len / 2);
	return blob;
}

static inline struct blob files_mutated_jpeg(uint32_t seed)
{
	return files_mutate(files_jpeg(40, 30, seed % 2 ? FILES_PROGRESSIVE : 0), seed);
}

static inline struct blob files_mutated_png(uint32_t seed)
{
	return files_mutate(files_png(20, 20, seed % 2 ? FILES_ALPHA : 0), seed);
}

static inline struct blob files_mutated_pdf(uint32_t seed)
{
	return files_mutate(files_pdf(2, "/OpenAction [3 0 R /Fit]", "<</A [1 2 (x) /B]>>"), seed);
}

#endif
