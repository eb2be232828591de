/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void finish(pa_error *err, int written)
{
	size_t room = sizeof(err->text) - 1;

	err->size = sizeof(*err);
	if (written < 0)
		err->len = 0;
	else
		err->len = (uint32_t)((size_t)written < room ? (size_t)written : room);
	err->text[err->len] = '\0';
}

pa_status error_set(pa_error *err, pa_status status, const char *format, ...)
{
	va_list args;

	if (!err)
		return status;
	va_start(args, format);
	finish(err, vsnprintf(err->text, sizeof(err->text), format, args));
	va_end(args);
	return status;
}

void error_prefix(pa_error *err, const char *format, ...)
{
	char old[sizeof(err->text)];
	va_list args;
	int written;

	if (!err)
		return;
	memcpy(old, err->text, sizeof(old));
	old[sizeof(old) - 1] = '\0';
	va_start(args, format);
	finish(err, vsnprintf(err->text, sizeof(err->text), format, args));
	va_end(args);
	written = snprintf(err->text + err->len, sizeof(err->text) - err->len, "%s", old);
	finish(err, written < 0 ? -1 : (int)err->len + written);
}

const char *error_text(const pa_error *err)
{
	return err && err->len ? err->text : "";
}

const char *status_name(pa_status status)
{
	static const char *const names[] = {"ok", "retry", "rejected", "deadline", "bug"};

	return status < ARRAY_COUNT(names) ? names[status] : "unknown";
}
