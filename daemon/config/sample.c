/* SPDX-License-Identifier: Apache-2.0 */
#include "config/sample.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <string.h>

#define TEXT_MAX ((size_t)1 << 20)
#define PATH_MAX_BYTES 256

/* A line of the file, and where in the tree it stands. */
struct line {
	pa_str whole; /* without its end */
	pa_str indent;
	pa_str name;  /* of a key or group; absent: a comment, a blank, the rest of a value */
	pa_str value; /* as written, without the semicolon; absent: it goes on in the next line */
	bool is_comment;
	bool opens;  /* a group */
	bool closes; /* one */
	char path[PATH_MAX_BYTES];
};

struct scan {
	pa_str rest;
	char group[PATH_MAX_BYTES]; /* "channels.whatsapp" */
};

static size_t name_length(pa_str text)
{
	size_t len = 0;

	while (len < text.len &&
	       ((text.ptr[len] >= 'a' && text.ptr[len] <= 'z') ||
		(len && ((text.ptr[len] >= '0' && text.ptr[len] <= '9') || text.ptr[len] == '_'))))
		len++;
	return len;
}

static void read_assignment(struct line *line, pa_str text)
{
	size_t len = name_length(text);
	pa_str sign = PA_STR(" = "), bare = PA_STR(" =");
	pa_str rest = str_slice(text, len, SIZE_MAX);

	if (!len || !(str_starts(rest, sign) || str_equal(rest, bare)))
		return;
	line->name = str_slice(text, 0, len);
	rest = str_slice(rest, sign.len, SIZE_MAX);
	line->opens = !line->is_comment && str_equal(rest, PA_STR("{"));
	if (str_ends(rest, PA_STR(";")))
		line->value = str_slice(rest, 0, rest.len - 1);
}

static void join(char *out, const char *group, pa_str name)
{
	size_t len = strlen(group);

	if (len + name.len + 2 > PATH_MAX_BYTES)
		name.len = 0; /* no path of ours is as long */
	memmove(out, group, len);
	if (len && name.len)
		out[len++] = '.';
	if (name.len)
		memcpy(out + len, name.ptr, name.len);
	out[len + name.len] = '\0';
}

static void leave_group(char *group)
{
	char *dot = strrchr(group, '.');

	*(dot ? dot : group) = '\0';
}

static bool next_line(struct scan *scan, struct line *ret)
{
	pa_str text;
	size_t tabs = 0;

	if (!scan->rest.len)
		return false;
	*ret = (struct line){.whole = str_split(&scan->rest, '\n')};
	while (tabs < ret->whole.len && ret->whole.ptr[tabs] == '\t')
		tabs++;
	ret->indent = str_slice(ret->whole, 0, tabs);
	text = str_trim(str_slice(ret->whole, tabs, SIZE_MAX));
	ret->is_comment = str_starts(text, PA_STR("#"));
	read_assignment(ret, ret->is_comment ? str_slice(text, 1, SIZE_MAX) : text);
	join(ret->path, scan->group, ret->name);
	ret->closes = str_equal(text, PA_STR("};"));
	if (ret->opens)
		memcpy(scan->group, ret->path, sizeof(scan->group));
	else if (ret->closes)
		leave_group(scan->group);
	return true;
}

/* ---- values ---- */

/* libconfig's escapes; other bytes stand for themselves. */
static void add_quoted(struct buf *out, pa_str text)
{
	buf_add_byte(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < 0x20 || c == 0x7f) {
			buf_format(out, "\\x%02x", c);
			continue;
		}
		if (c == '"' || c == '\\')
			buf_add_byte(out, '\\');
		buf_add_byte(out, c);
	}
	buf_add_byte(out, '"');
}

static bool is_plain_value(pa_str text)
{
	bool is_number = text.len > 0;

	for (size_t i = 0; i < text.len; i++)
		is_number = is_number && strchr("0123456789.", text.ptr[i]) && text.ptr[i];
	return is_number || str_equal(text, PA_STR("true")) || str_equal(text, PA_STR("false"));
}

static void add_key(struct buf *out, const struct line *line, pa_str value)
{
	buf_format(out, "%.*s%.*s = ", PA_FMT(line->indent), PA_FMT(line->name));
	if (line->value.ptr[0] == '"')
		add_quoted(out, value);
	else
		buf_add(out, value);
	buf_add(out, PA_STR(";\n"));
}

/* ---- one edit ---- */

static bool fits(const struct line *line, const struct sample_edit *edit)
{
	if (strcmp(line->path, edit->path) != 0 || str_is_absent(line->name))
		return false;
	if (edit->kind != EDIT_SET)
		return line->opens;
	return line->value.len && (line->value.ptr[0] == '"' ||
				   (is_plain_value(line->value) && is_plain_value(edit->value)));
}

static void add_comment(struct buf *out, const struct line *line)
{
	pa_str text = str_slice(line->whole, line->indent.len, SIZE_MAX);

	buf_add(out, line->indent);
	if (text.len && !line->is_comment)
		buf_add_byte(out, '#');
	buf_add(out, text);
	buf_add_byte(out, '\n');
}

/* The group's lines, up to the one that closes it. */
static void edit_group(struct buf *out, struct scan *scan, struct line *line,
		       const struct sample_edit *edit)
{
	size_t depth = 0;

	if (edit->kind == EDIT_INCLUDE)
		buf_format(out, "%.*s@include \"%.*s\"\n", PA_FMT(line->indent),
			   PA_FMT(edit->value));
	do {
		depth += line->opens;
		depth -= line->closes;
		if (edit->kind == EDIT_OFF)
			add_comment(out, line);
	} while (depth && next_line(scan, line));
}

pa_status sample_edit(struct arena *arena, pa_str text, const struct sample_edit *edit, pa_str *ret,
		      pa_error *err)
{
	struct buf out PA_CLEANUP(buf_done) = BUF_INIT(TEXT_MAX);
	struct scan scan = {.rest = text};
	struct line line;
	bool is_done = false;

	while (next_line(&scan, &line)) {
		bool is_it = !is_done && fits(&line, edit);

		is_done = is_done || is_it;
		if (is_it && edit->kind == EDIT_SET)
			add_key(&out, &line, edit->value);
		else if (is_it)
			edit_group(&out, &scan, &line, edit);
		else
			buf_format(&out, "%.*s\n", PA_FMT(line.whole));
	}
	if (!is_done || out.is_over)
		return error_set(err, PA_REJECTED, "%s", edit->path);
	*ret = arena_copy(arena, buf_str(&out));
	return PA_OK;
}

/* ---- looking ---- */

pa_str sample_value(struct arena *arena, pa_str text, const char *path)
{
	struct scan scan = {.rest = text};
	struct line line;

	while (next_line(&scan, &line))
		if (strcmp(line.path, path) == 0 && line.value.len > 1 && line.value.ptr[0] == '"')
			return arena_copy(arena, str_slice(line.value, 1, line.value.len - 2));
	return PA_STR_ABSENT;
}

bool sample_mentions(pa_str text, const char *words)
{
	struct scan scan = {.rest = text};
	struct line line;

	while (next_line(&scan, &line))
		if (!line.is_comment && str_find(line.whole, str_from(words)) != SIZE_MAX)
			return true;
	return false;
}
