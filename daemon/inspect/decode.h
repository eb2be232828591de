/* SPDX-License-Identifier: Apache-2.0
 *
 * inspect/decode.h: one function a format. Each decodes the whole file, fills the record but for
 * verdict and kind, and returns the verdict.
 */
#ifndef INSPECT_DECODE_H
#define INSPECT_DECODE_H

#include "inspect/inspect.h"

struct inspect_input {
	const uint8_t *bytes;
	size_t len;
	const struct inspect_limits *limits;
};

enum inspect_verdict inspect_jpeg(const struct inspect_input *input, struct inspect_result *ret);
enum inspect_verdict inspect_png(const struct inspect_input *input, struct inspect_result *ret);
enum inspect_verdict inspect_pdf(const struct inspect_input *input, struct inspect_result *ret);

/* Notes the size of a picture; false: it has more pixels than allowed. */
bool inspect_fits(const struct inspect_input *input, uint64_t width, uint64_t height,
		  struct inspect_result *ret);

/* Two bytes, four bytes, big endian, at an offset that the caller has checked. */
uint32_t inspect_u16(const uint8_t *bytes);
uint32_t inspect_u32(const uint8_t *bytes);

#endif
