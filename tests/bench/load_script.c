/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load_script.h"

#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool copy(char *to, size_t size, pa_str from)
{
	return snprintf(to, size, "%.*s", PA_FMT(from)) < (int)size;
}

static bool parse_option(struct step *step, pa_str option)
{
	pa_str value = option, key = str_split(&value, '=');
	uint64_t number;

	if (str_equal(key, PA_STR("answers"))) {
		if (!str_to_uint64(value, &number) || number < 1 || number > 10)
			return false;
		step->answers = (unsigned)number;
		return true;
	}
	return str_equal(key, PA_STR("expect")) && copy(step->expect, sizeof(step->expect), value);
}

static bool parse_step(struct step *step, pa_str line)
{
	pa_str rest = line, said = str_trim(str_split(&rest, '|'));
	uint64_t number;

	*step = (struct step){.answers = 1};
	while (!str_is_absent(rest)) {
		if (!parse_option(step, str_trim(str_split(&rest, '|'))))
			return false;
	}
	if (str_starts(said, PA_STR("tap:"))) {
		step->kind = STEP_TAP;
		if (!str_to_uint64(str_slice(said, 4, SIZE_MAX), &number) || number > 9)
			return false;
		step->tap = (unsigned)number;
		return true;
	}
	if (str_equal(said, PA_STR("code")))
		step->kind = STEP_CODE;
	return copy(step->text, sizeof(step->text), said);
}

bool script_read(struct script *script, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[512];
	unsigned number = 0;
	bool is_good = file != NULL;

	if (!file)
		fprintf(stderr, "whatsapp_load: %s: %s\n", path, strerror(errno));
	while (is_good && fgets(line, sizeof(line), file)) {
		pa_str text = str_trim(str_from(line));

		number++;
		if (!text.len || text.ptr[0] == '#')
			continue;
		is_good = script->count < STEPS_MAX &&
			  parse_step(&script->steps[script->count], text);
		script->count++;
		if (!is_good)
			fprintf(stderr, "whatsapp_load: %s:%u: not a step\n", path, number);
	}
	if (file)
		fclose(file);
	return is_good && script->count > 0;
}

void script_write_text(const struct step *step, uint64_t index, uint64_t document, struct buf *out)
{
	pa_str text = str_from(step->text);

	while (text.len) {
		if (str_starts(text, PA_STR("{document}"))) {
			buf_format(out, "%llu", (unsigned long long)document);
			text = str_slice(text, 10, SIZE_MAX);
		} else if (str_starts(text, PA_STR("{n}"))) {
			buf_format(out, "%llu", (unsigned long long)index);
			text = str_slice(text, 3, SIZE_MAX);
		} else {
			if (text.ptr[0] == '"' || text.ptr[0] == '\\')
				buf_add_byte(out, '\\');
			buf_add_byte(out, (uint8_t)text.ptr[0]);
			text = str_slice(text, 1, SIZE_MAX);
		}
	}
}
