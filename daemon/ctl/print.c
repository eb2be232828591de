/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/ctl.h"

#include "base/str.h"

#include <stdio.h>

#define VALUE_MAX ((size_t)256 << 20) /* as an answer of the daemon */

void ctl_print_text(pa_str text)
{
	struct buf line PA_CLEANUP(buf_done) = BUF_INIT(VALUE_MAX);

	buf_add(&line, text);
	line.len = str_printable(buf_str(&line), line.data);
	printf("%.*s", PA_FMT(buf_str(&line)));
}

static void print_value(const struct json *value)
{
	pa_str string;

	if (json_text(value, &string))
		printf("%.*s\n", PA_FMT(string));
	else
		ctl_print_json(value);
}

static void print_member(void *arg, const char *key, const struct json *value)
{
	(void)arg;
	if (json_count(value) == 0) {
		printf("%s: ", key);
		print_value(value);
		return;
	}
	printf("%s:\n", key);
	for (size_t i = 0; i < json_count(value); i++) {
		printf("  ");
		print_value(json_at(value, i));
	}
}

void ctl_print_json(const struct json *value)
{
	struct buf text PA_CLEANUP(buf_done) = BUF_INIT(VALUE_MAX);

	json_write(value, &text);
	buf_add_byte(&text, '\n');
	fwrite(text.data, 1, text.len, stdout);
}

void ctl_print(const struct json *object)
{
	json_each(object, print_member, NULL);
}
