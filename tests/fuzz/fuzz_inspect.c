/* SPDX-License-Identifier: Apache-2.0
 *
 * A customer's file: any bytes. No fault, a verdict that exists, and what is taken of a picture is
 * a sound picture itself.
 */
#include "inspect/inspect.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct inspect_limits limits = {.pixels = 250000, .pages = 5};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inspect_result result, again;

	if (!inspect_prepare())
		abort();
	inspect_bytes(data, size, &limits, &result);
	if (result.record.verdict >= INSPECT_DIED || result.record.kind >= INSPECT_KINDS ||
	    (result.record.clean != 0) != (result.clean != NULL))
		abort();
	if (result.clean) {
		inspect_bytes(result.clean, result.record.clean, &limits, &again);
		if (again.record.verdict != INSPECT_SOUND)
			abort();
		free(again.clean);
		free(result.clean);
	}
	return 0;
}
