/* SPDX-License-Identifier: Apache-2.0 */
#include "base/money.h"

#include <string.h>

pa_str money_format(struct arena *arena, int64_t pesos)
{
	char text[48];
	size_t at = sizeof(text);
	uint64_t rest = pesos < 0 ? 0 - (uint64_t)pesos : (uint64_t)pesos;
	int digits = 0;

	do {
		if (digits && digits % 3 == 0)
			text[--at] = '.';
		text[--at] = (char)('0' + rest % 10);
		rest /= 10;
		digits++;
	} while (rest);
	return arena_format(arena, "%s$\u00a0%.*s", pesos < 0 ? "-" : "", (int)(sizeof(text) - at),
			    text + at);
}
