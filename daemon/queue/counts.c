/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/counts.h"

void counts_note_code(struct channel_counts *counts, int64_t code)
{
	for (size_t i = 0; i < COUNTS_CODES && code; i++) {
		int64_t known = atomic_load(&counts->codes[i].code);

		if (!known)
			atomic_store(&counts->codes[i].code, code);
		if (known && known != code)
			continue;
		meter_add(&counts->codes[i].count, 1);
		return;
	}
	meter_add(&counts->codes_other, 1);
}
