/* SPDX-License-Identifier: Apache-2.0 */
#include "io/conf_scan.h"

#include "base/err.h"
#include "base/str.h"
#include "io/file.h"
#include "io/unicode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* libconfig 1.5, MAX_INCLUDE_DEPTH. */
#define INCLUDE_DEPTH 10
#define NUMBER_MAX 24 /* characters of the longest number worth reading */

struct scan {
	struct arena *arena;
	const char *include_dir;
	size_t *room; /* bytes that may still be read */
	const char *file;
	const char *at;
	const char *end;
	int line;
	int depth;
	bool is_line_start; /* only blanks since the last line end */
	pa_error *err;
};

static pa_status scan_text(struct scan *scan);

static pa_status refuse_at(const struct scan *scan, int line, const char *what)
{
	return error_set(scan->err, PA_REJECTED, "%s:%d: %s", scan->file, line, what);
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '*' || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool starts(const struct scan *scan, const char *token)
{
	size_t len = strlen(token);

	return (size_t)(scan->end - scan->at) >= len && memcmp(scan->at, token, len) == 0;
}

static void step(struct scan *scan)
{
	if (*scan->at == '\n')
		scan->line++;
	scan->at++;
}

static pa_status skip_line(struct scan *scan)
{
	while (scan->at < scan->end && *scan->at != '\n')
		scan->at++;
	return PA_OK;
}

static pa_status skip_comment(struct scan *scan)
{
	int line = scan->line;

	for (scan->at += 2; scan->at < scan->end; step(scan)) {
		if (starts(scan, "*/")) {
			scan->at += 2;
			return PA_OK;
		}
	}
	return refuse_at(scan, line, "a comment that begins here is not closed");
}

static pa_status skip_string(struct scan *scan)
{
	int line = scan->line;

	for (scan->at++; scan->at < scan->end; step(scan)) {
		if (*scan->at == '"') {
			scan->at++;
			return PA_OK;
		}
		if (*scan->at == '\\' && scan->at + 1 < scan->end)
			step(scan);
	}
	return refuse_at(scan, line, "a text that begins here is not closed");
}

static pa_status skip_name(struct scan *scan)
{
	while (scan->at < scan->end &&
	       (is_letter(*scan->at) || is_digit(*scan->at) || *scan->at == '-'))
		scan->at++;
	return PA_OK;
}

/* What may belong to a number in libconfig's syntax; the sign stands before it. */
static bool is_number_part(const char *at, const char *begin)
{
	if ((*at == '+' || *at == '-') && at > begin)
		return at[-1] == 'e' || at[-1] == 'E';
	return is_letter(*at) || is_digit(*at) || *at == '.';
}

/* A whole number that does not fit is refused; reals are checked when they are converted. */
static pa_status check_number(struct scan *scan, const char *begin, size_t len, bool is_negative)
{
	bool is_long = begin[len - 1] == 'L';
	bool is_hex = len > 2 && begin[0] == '0' && (begin[1] == 'x' || begin[1] == 'X');
	uint64_t limit = (is_long ? (uint64_t)INT64_MAX : (uint64_t)INT32_MAX) + is_negative;
	char digits[NUMBER_MAX];
	uint64_t value;

	if (len >= sizeof(digits))
		return refuse_at(scan, scan->line, "a number with too many digits");
	if (!is_hex &&
	    (memchr(begin, '.', len) || memchr(begin, 'e', len) || memchr(begin, 'E', len)))
		return PA_OK;
	memcpy(digits, begin, len);
	digits[len] = '\0';
	errno = 0;
	value = strtoull(digits, NULL, is_hex ? 16 : 10);
	if (errno == 0 && value <= limit)
		return PA_OK;
	if (is_long)
		return refuse_at(scan, scan->line, "a number out of range");
	return refuse_at(scan, scan->line, "a large number: write it with an L behind it");
}

static pa_status skip_number(struct scan *scan, bool is_negative)
{
	const char *begin = scan->at;

	while (scan->at < scan->end && is_number_part(scan->at, begin))
		scan->at++;
	return check_number(scan, begin, (size_t)(scan->at - begin), is_negative);
}

/* Relative, within the include directory, and nothing that libconfig would unescape. */
static bool is_plain_name(pa_str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (!is_digit(c) && (!is_letter(c) || c == '*') && !strchr("./-", c))
			return false;
	}
	return name.len > 0 && name.ptr[0] != '/' && str_find(name, PA_STR("..")) == SIZE_MAX;
}

static pa_status scan_file(const struct scan *parent, pa_str name)
{
	struct scan scan = *parent;
	pa_str text;

	scan.file = arena_format(scan.arena, "%s/%.*s", scan.include_dir, PA_FMT(name)).ptr;
	scan.line = 1;
	scan.depth++;
	if (file_read(scan.arena, scan.file, *scan.room, &text, scan.err) != PA_OK) {
		error_prefix(scan.err, "%s:%d: ", parent->file, parent->line);
		return PA_REJECTED;
	}
	*scan.room -= text.len;
	scan.at = text.ptr;
	scan.end = text.ptr + text.len;
	return scan_text(&scan);
}

static pa_status skip_include(struct scan *scan)
{
	pa_str line = {scan->at, 0};
	pa_str name;

	skip_line(scan);
	line.len = (size_t)(scan->at - line.ptr);
	name = str_trim(str_slice(line, strlen("@include"), SIZE_MAX));
	if (name.len < 2 || name.ptr[0] != '"' || name.ptr[name.len - 1] != '"')
		return refuse_at(scan, scan->line, "@include wants one file name in quotes");
	name = str_slice(name, 1, name.len - 2);
	if (!scan->include_dir)
		return refuse_at(scan, scan->line, "nothing may be included here");
	if (!is_plain_name(name))
		return refuse_at(scan, scan->line,
				 "@include wants a plain name below the include directory");
	if (scan->depth == INCLUDE_DEPTH)
		return refuse_at(scan, scan->line, "files include each other too deeply");
	return scan_file(scan, name);
}

/* One token, or one character of what is none. */
static pa_status scan_token(struct scan *scan)
{
	char c = *scan->at;

	if (c == '#' || starts(scan, "//"))
		return skip_line(scan);
	if (starts(scan, "/*"))
		return skip_comment(scan);
	if (c == '"')
		return skip_string(scan);
	if (is_letter(c))
		return skip_name(scan);
	if (is_digit(c) || c == '.')
		return skip_number(scan, false);
	if (c == '-' && scan->at + 1 < scan->end && is_digit(scan->at[1])) {
		scan->at++;
		return skip_number(scan, true);
	}
	if (scan->is_line_start && starts(scan, "@include"))
		return skip_include(scan);
	if (c == '\0')
		return refuse_at(scan, scan->line, "a NUL byte");
	step(scan);
	return PA_OK;
}

/* The line on which the first byte that is not UTF-8 stands. */
static int line_of_bad_byte(pa_str text)
{
	int line = 1;
	pa_str rest = text;

	while (!str_is_absent(rest)) {
		if (!utf8_is_valid(str_split(&rest, '\n')))
			return line;
		line++;
	}
	return line;
}

static pa_status scan_text(struct scan *scan)
{
	pa_str text = {scan->at, (size_t)(scan->end - scan->at)};

	if (!utf8_is_valid(text))
		return refuse_at(scan, line_of_bad_byte(text), "not UTF-8");
	scan->is_line_start = true;
	while (scan->at < scan->end) {
		char c = *scan->at;
		pa_status status = scan_token(scan);

		if (status != PA_OK)
			return status;
		if (c == '\n')
			scan->is_line_start = true;
		else if (c != ' ' && c != '\t')
			scan->is_line_start = false;
	}
	return PA_OK;
}

pa_status conf_scan(struct arena *arena, pa_str text, const char *file, const char *include_dir,
		    size_t max_bytes, pa_error *err)
{
	size_t room = max_bytes - text.len;
	struct scan scan = {
		.arena = arena,
		.include_dir = include_dir,
		.room = &room,
		.file = file,
		.at = text.ptr,
		.end = text.ptr + text.len,
		.line = 1,
		.err = err,
	};

	assert(text.len <= max_bytes);
	return scan_text(&scan);
}
