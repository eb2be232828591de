/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/texts.h"

#include "base/buf.h"
#include "base/str.h"
#include "flow/model.h"
#include "io/unicode.h"

#include <string.h>

#define PIECES_MAX 80
#define LINES_MAX 40
#define FILLED_MAX 8192

const struct engine_text_info engine_text_table[TEXT_COUNT] = {
#define ENGINE_TEXT(id, name, kind, facts) [id] = {name, kind, facts},
#include "flow/engine_texts.def"
#undef ENGINE_TEXT
};

/* ---- compiling ---- */

struct compiler {
	struct arena *arena;
	struct text *text;
	const struct flow_house *house;
	const struct identity_settings *identity;
	struct flow_problems *problems;
	struct text_piece pieces[PIECES_MAX];
	size_t count;
	size_t line_start;
};

static pa_str minutes(struct arena *arena, int64_t ns)
{
	return arena_format(arena, "%lld", (long long)(ns / NS_PER_MINUTE));
}

/* What is known at load becomes part of the text. Absent: no such name. */
static pa_str house_value(const struct compiler *c, pa_str name)
{
	const struct {
		const char *name;
		const char *value;
	} fixed[] = {
		{"empresa", c->house->name},      {"nit", c->house->nit},
		{"direccion", c->house->address}, {"telefono", c->house->phone},
		{"correo", c->house->email},
	};

	for (size_t i = 0; i < ARRAY_COUNT(fixed); i++)
		if (str_equal(name, str_from(fixed[i].name)))
			return str_from(fixed[i].value);
	if (str_equal(name, PA_STR("empresa_sin_tildes")))
		return text_without_marks(c->arena, str_from(c->house->name));
	if (str_equal(name, PA_STR("politica")))
		return c->house->policy_url[0] ? str_from(c->house->policy_url)
					       : PA_STR("escriba \"política\"");
	if (str_equal(name, PA_STR("minutos")))
		return minutes(c->arena, c->identity->code_ttl_ns);
	if (str_equal(name, PA_STR("bloqueo")))
		return minutes(c->arena, c->identity->lock_ns);
	return PA_STR_ABSENT;
}

static void add_piece(struct compiler *c, pa_str literal, enum value value)
{
	if (value == VALUE_COUNT && literal.len == 0)
		return;
	if (c->count == PIECES_MAX) {
		problem_add(c->problems, c->text->where,
			    "el texto \"%.*s\" tiene demasiadas partes", PA_FMT(c->text->name));
		return;
	}
	c->pieces[c->count++] = (struct text_piece){literal, value};
	if (value == VALUE_COUNT)
		return;
	c->text->values |= UINT64_C(1) << value;
	c->text->needs |= value_table[value].needs;
	c->text->may_miss = c->text->may_miss || value_table[value].may_be_absent;
}

static void add_value(struct compiler *c, pa_str name)
{
	pa_str fixed = house_value(c, name);
	enum value value = value_find(name);

	if (!str_is_absent(fixed))
		add_piece(c, fixed, VALUE_COUNT);
	else if (value < VALUE_COUNT)
		add_piece(c, PA_STR_ABSENT, value);
	else
		problem_add(c->problems, c->text->where,
			    "el texto \"%.*s\" usa {%.*s}, que no existe", PA_FMT(c->text->name),
			    PA_FMT(name));
}

static void end_line(struct compiler *c)
{
	size_t count = c->count - c->line_start;
	struct text_piece *pieces = ARENA_ARRAY(c->arena, struct text_piece, count + 1);

	if (c->text->count == LINES_MAX) {
		problem_add(c->problems, c->text->where,
			    "el texto \"%.*s\" tiene demasiadas líneas", PA_FMT(c->text->name));
		return;
	}
	memcpy(pieces, c->pieces + c->line_start, count * sizeof(*pieces));
	c->text->lines[c->text->count++] = (struct text_line){pieces, count};
	c->line_start = c->count;
}

static void compile_line(struct compiler *c, pa_str line)
{
	while (line.len) {
		size_t open = str_find(line, PA_STR("{"));
		pa_str rest;
		size_t close;

		if (open == SIZE_MAX) {
			add_piece(c, line, VALUE_COUNT);
			break;
		}
		add_piece(c, str_slice(line, 0, open), VALUE_COUNT);
		rest = str_slice(line, open + 1, line.len);
		close = str_find(rest, PA_STR("}"));
		if (close == SIZE_MAX) {
			problem_add(c->problems, c->text->where,
				    "el texto \"%.*s\" abre { y no cierra }",
				    PA_FMT(c->text->name));
			break;
		}
		add_value(c, str_slice(rest, 0, close));
		line = str_slice(rest, close + 1, rest.len);
	}
	end_line(c);
}

void text_compile(struct arena *arena, struct text *text, const struct flow_house *house,
		  const struct identity_settings *identity, struct flow_problems *problems)
{
	struct compiler c = {.arena = arena,
			     .text = text,
			     .house = house,
			     .identity = identity,
			     .problems = problems};
	pa_str rest = text->source;

	text->lines = ARENA_ARRAY(arena, struct text_line, LINES_MAX);
	while (!str_is_absent(rest))
		compile_line(&c, str_split(&rest, '\n'));
}

/* ---- filling in ---- */

static bool line_is_known(const struct text_line *line, const pa_str values[VALUE_COUNT],
			  uint64_t *missing)
{
	bool known = true;

	for (size_t i = 0; i < line->count; i++) {
		enum value value = line->pieces[i].value;

		if (value == VALUE_COUNT || values[value].ptr)
			continue;
		*missing |= UINT64_C(1) << value;
		known = false;
	}
	return known;
}

static void add_line(struct buf *buf, const struct text_line *line,
		     const pa_str values[VALUE_COUNT])
{
	for (size_t i = 0; i < line->count; i++) {
		const struct text_piece *piece = &line->pieces[i];

		buf_add(buf, piece->value == VALUE_COUNT ? piece->literal : values[piece->value]);
	}
}

pa_str text_fill(struct arena *arena, const struct text *text, const pa_str values[VALUE_COUNT],
		 uint64_t *ret_missing)
{
	struct buf buf PA_CLEANUP(buf_done) = BUF_INIT(FILLED_MAX);
	uint64_t missing = 0;
	bool is_first = true;

	for (size_t i = 0; i < text->count; i++) {
		if (!line_is_known(&text->lines[i], values, &missing))
			continue;
		if (!is_first)
			buf_add_byte(&buf, '\n');
		add_line(&buf, &text->lines[i], values);
		is_first = false;
	}
	if (ret_missing)
		*ret_missing = missing;
	return arena_copy(arena, buf_str(&buf));
}
