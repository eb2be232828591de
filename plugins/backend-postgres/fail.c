/* SPDX-License-Identifier: Apache-2.0 */
#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

pa_status pg_fail(pa_error *err, pa_status status, const char *format, ...)
{
	if (err == NULL)
		return status;
	va_list args;
	va_start(args, format);
	int len = vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	size_t room = sizeof(err->text) - 1;
	err->len = len < 0 ? 0 : (uint32_t)((size_t)len > room ? room : (size_t)len);
	return status;
}

void pg_fail_prefix(pa_error *err, const char *context)
{
	if (err == NULL)
		return;
	char text[sizeof(err->text)];
	memcpy(text, err->text, err->len);
	text[err->len] = '\0';
	(void)pg_fail(err, PA_OK, "%s: %s", context, text);
}
