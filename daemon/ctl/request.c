/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/request.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

#define CELL_MAX 200
#define COLUMNS_MAX 12
#define REASON_ROOM 4096

/* A reason may name somebody, and every process of the machine reads arguments: "-" stands for a
 * line of the standard input. */
static bool set_reason(struct json *request, const char *key, const char *value)
{
	char line[REASON_ROOM];

	if (strcmp(value, "-") == 0)
		value = fgets(line, sizeof(line), stdin) ? line : "";
	if (!str_trim(str_from(value)).len)
		return false;
	json_set_text(request, key, str_trim(str_from(value)));
	return true;
}

static bool set_value(struct json *request, const struct ctl_argument *argument, const char *value)
{
	int64_t count;

	if (!value)
		return false;
	if (strcmp(argument->name, "--reason") == 0)
		return set_reason(request, argument->key, value);
	if (argument->kind == CTL_TEXT) {
		if (!str_trim(str_from(value)).len)
			return false;
		if (argument->key)
			json_set_text(request, argument->key, str_from(value));
		return true;
	}
	if (!str_to_int64(str_from(value), &count) || count < 0)
		return false;
	json_set_integer(request, argument->key, count);
	return true;
}

static const struct ctl_argument *find(const struct ctl_argument *arguments, size_t count,
				       const char *word, const bool *is_given)
{
	for (size_t i = 0; i < count; i++) {
		bool is_named = arguments[i].name[0] == '-';

		if (!is_given[i] &&
		    (is_named ? strcmp(arguments[i].name, word) == 0 : word[0] != '-'))
			return &arguments[i];
	}
	return NULL;
}

static bool take(struct json *request, const struct ctl_argument *arguments, size_t count, int argc,
		 char *const *argv, bool *is_given, bool *ret_json)
{
	for (int i = 0; i < argc; i++) {
		const struct ctl_argument *argument;

		if (strcmp(argv[i], "--json") == 0) {
			*ret_json = true;
			continue;
		}
		argument = find(arguments, count, argv[i], is_given);
		if (!argument)
			return false;
		is_given[argument - arguments] = true;
		if (argument->kind == CTL_FLAG) {
			json_set_bool(request, argument->key, true);
			continue;
		}
		if (argument->name[0] == '-')
			i++;
		if (!set_value(request, argument, i < argc ? argv[i] : NULL))
			return false;
	}
	for (size_t i = 0; i < count; i++)
		if (arguments[i].is_needed && !is_given[i])
			return false;
	return true;
}

struct json *ctl_request(const char *command, const struct ctl_argument *arguments, size_t count,
			 int argc, char *const *argv, bool *ret_json)
{
	struct json *request = json_object_new();
	bool is_given[COLUMNS_MAX] = {false};

	*ret_json = false;
	json_set_text(request, "command", str_from(command));
	if (take(request, arguments, count, argc, argv, is_given, ret_json))
		return request;
	json_done(&request);
	return NULL;
}

int ctl_ask_and_print(struct ctl *ctl, const struct json *request, bool is_json,
		      ctl_print_fn *print)
{
	struct json *answer PA_CLEANUP(json_done) = NULL;
	int status = ctl_ask(ctl, request, &answer);

	if (status != CTL_OK)
		return status;
	if (is_json)
		ctl_print_json(answer);
	else if (print)
		print(answer);
	return fflush(stdout) == 0 ? CTL_OK : CTL_FAILED;
}

int ctl_verbs(struct ctl *ctl, const struct ctl_verb *verbs, size_t count, int argc,
	      char *const *argv)
{
	for (size_t i = 0; i < count; i++) {
		struct json *request PA_CLEANUP(json_done) = NULL;
		bool is_json;

		if (argc < 1 || strcmp(verbs[i].name, argv[0]) != 0)
			continue;
		request = ctl_request(verbs[i].command, verbs[i].arguments,
				      verbs[i].arguments_count, argc - 1, argv + 1, &is_json);
		return request ? ctl_ask_and_print(ctl, request, is_json, verbs[i].print)
			       : ctl_usage(ctl);
	}
	return ctl_usage(ctl);
}

/* ---- tables ---- */

static void add_texts(struct buf *cell, const struct json *list)
{
	for (size_t i = 0; i < json_count(list); i++) {
		pa_str text;

		if (i)
			buf_add_byte(cell, ',');
		if (json_text(json_at(list, i), &text))
			buf_add(cell, text);
	}
}

/* What a member holds, for people: nothing for what is null, and no line's end. */
static void read_cell(const struct json *object, const char *key, char cell[CELL_MAX])
{
	struct buf text PA_CLEANUP(buf_done) = BUF_INIT((size_t)CELL_MAX * 16);
	int64_t integer;
	bool is_true;
	pa_str string;

	if (json_get_text(object, key, &string))
		buf_add(&text, string);
	else if (json_get_integer(object, key, &integer))
		buf_format(&text, "%lld", (long long)integer);
	else if (json_get_bool(object, key, &is_true))
		buf_add(&text, str_from(is_true ? ctl_say("sí", "yes") : ctl_say("no", "no")));
	else
		add_texts(&text, json_get(object, key));
	cell[str_printable(str_slice(buf_str(&text), 0, CELL_MAX - 1), cell)] = '\0';
}

/* Letters, not bytes. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void print_cell(const char *text, size_t width, bool is_last)
{
	fputs(text, stdout);
	if (is_last) {
		putchar('\n');
		return;
	}
	for (size_t i = width_of(text); i < width + 2; i++)
		putchar(' ');
}

void ctl_print_table(const struct json *list, const struct ctl_column *columns, size_t count)
{
	size_t widths[COLUMNS_MAX];
	char cell[CELL_MAX];

	for (size_t c = 0; c < count; c++) {
		widths[c] = width_of(ctl_say(columns[c].es, columns[c].en));
		for (size_t i = 0; i < json_count(list); i++) {
			read_cell(json_at(list, i), columns[c].key, cell);
			if (width_of(cell) > widths[c])
				widths[c] = width_of(cell);
		}
	}
	for (size_t c = 0; c < count; c++)
		print_cell(ctl_say(columns[c].es, columns[c].en), widths[c], c + 1 == count);
	for (size_t i = 0; i < json_count(list); i++)
		for (size_t c = 0; c < count; c++) {
			read_cell(json_at(list, i), columns[c].key, cell);
			print_cell(cell, widths[c], c + 1 == count);
		}
}
