/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/spoken.h"

#include "base/buf.h"
#include "base/str.h"
#include "io/unicode.h"

#include <stdio.h>
#include <string.h>

#define DIGITS_MAX 40
#define TEXT_MAX ((size_t)64 << 10)
#define WORD_MAX 40 /* bytes: no word of a number is longer */

#define THOUSAND 1000
#define MILLION 1000000

struct number_word {
	const char *word;
	int64_t value;
};

static const struct number_word words[] = {
	{"cero", 0},
	{"uno", 1},
	{"dos", 2},
	{"tres", 3},
	{"cuatro", 4},
	{"cinco", 5},
	{"seis", 6},
	{"siete", 7},
	{"ocho", 8},
	{"nueve", 9},
	{"diez", 10},
	{"once", 11},
	{"doce", 12},
	{"trece", 13},
	{"catorce", 14},
	{"quince", 15},
	{"dieciseis", 16},
	{"diecisiete", 17},
	{"dieciocho", 18},
	{"diecinueve", 19},
	{"veinte", 20},
	{"veintiuno", 21},
	{"veintiun", 21},
	{"veintidos", 22},
	{"veintitres", 23},
	{"veinticuatro", 24},
	{"veinticinco", 25},
	{"veintiseis", 26},
	{"veintisiete", 27},
	{"veintiocho", 28},
	{"veintinueve", 29},
	{"treinta", 30},
	{"cuarenta", 40},
	{"cincuenta", 50},
	{"sesenta", 60},
	{"setenta", 70},
	{"ochenta", 80},
	{"noventa", 90},
	{"cien", 100},
	{"ciento", 100},
	{"doscientos", 200},
	{"trescientos", 300},
	{"cuatrocientos", 400},
	{"quinientos", 500},
	{"seiscientos", 600},
	{"setecientos", 700},
	{"ochocientos", 800},
	{"novecientos", 900},
	{"mil", THOUSAND},
	{"millon", MILLION},
	{"millones", MILLION},
};

/* One number while its words come, and the digits of those before it in the row. */
struct row {
	char digits[DIGITS_MAX];
	size_t count;
	int64_t total; /* of whole thousands and millions */
	int64_t part;  /* below a thousand */
	int64_t below; /* the next word of the part is smaller than this */
	bool is_open;  /* a number is under way */
	bool has_and;  /* "treinta y" */
	bool has_thousand;
	bool has_million;
	bool is_broken; /* longer than any document */
};

static void row_close(struct row *row)
{
	char digits[24];
	long long whole = row->total + row->part;
	int len;

	if (!row->is_open)
		return;
	len = snprintf(digits, sizeof(digits), "%lld", whole);
	if (row->count + (size_t)len > sizeof(row->digits)) {
		row->is_broken = true;
		len = 0;
	}
	memcpy(row->digits + row->count, digits, (size_t)len);
	row->count += (size_t)len;
	row->is_open = row->has_and = row->has_thousand = row->has_million = false;
	row->total = row->part = 0;
}

static void row_open(struct row *row)
{
	row_close(row);
	row->is_open = true;
	row->below = THOUSAND;
}

static void take_value(struct row *row, int64_t value)
{
	bool is_old_teen = row->has_and && row->part % 100 == 10; /* "diez y seis" */

	if (!row->is_open || value == 0 || value >= (is_old_teen ? 10 : row->below))
		row_open(row);
	row->part += value;
	row->has_and = false;
	/* what may follow in the same number */
	row->below = value >= 100 ? 100 : value >= 20 && value % 10 == 0 ? 10 : 0;
}

/* "mil treinta y dos millones": thousands may stand before the millions and behind them. */
static void take_multiplier(struct row *row, int64_t times)
{
	if (!row->is_open || (times == MILLION ? row->has_million : row->has_thousand))
		row_open(row);
	if (times == MILLION)
		row->total = (row->total || row->part ? row->total + row->part : 1) * MILLION;
	else
		row->total += (row->part ? row->part : 1) * times;
	row->has_million = row->has_million || times == MILLION;
	row->has_thousand = times == THOUSAND;
	row->part = 0;
	row->below = THOUSAND;
	row->has_and = false;
}

static const struct number_word *find_word(pa_str folded)
{
	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (str_equal(folded, str_from(words[i].word)))
			return &words[i];
	return NULL;
}

static bool is_end_of_word(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == ',' || c == '.' || c == '-';
}

static size_t word_end(pa_str text, size_t at)
{
	while (at < text.len && !is_end_of_word(text.ptr[at]))
		at++;
	return at;
}

static size_t next_word(pa_str text, size_t at)
{
	while (at < text.len && is_end_of_word(text.ptr[at]))
		at++;
	return at;
}

/* "un" is a number before "millón" only; "y" joins two words of one, "punto" parts two groups. */
static bool take_word(struct row *row, pa_str folded, pa_str next)
{
	const struct number_word *word = find_word(folded), *after = find_word(next);

	if (str_equal(folded, PA_STR("un")) && after && after->value == MILLION) {
		take_value(row, 1);
		return true;
	}
	if (str_equal(folded, PA_STR("y")) && row->is_open && after) {
		row->has_and = true;
		return true;
	}
	if (str_equal(folded, PA_STR("punto")) && row->is_open && after) {
		row_close(row);
		return true;
	}
	if (!word)
		return false;
	if (word->value >= THOUSAND)
		take_multiplier(row, word->value);
	else
		take_value(row, word->value);
	return true;
}

static pa_str folded_word(struct arena *arena, pa_str text, size_t at)
{
	size_t end = word_end(text, at);

	return end - at > WORD_MAX ? PA_STR("") : text_fold(arena, str_slice(text, at, end - at));
}

/* The row of number words at `at`; where it ends, `at` itself if there is none. */
static size_t row_at(struct arena *arena, pa_str text, size_t at, struct row *row)
{
	size_t end = at;
	pa_str word = folded_word(arena, text, at);

	*row = (struct row){0};
	while (at < text.len) {
		size_t next = next_word(text, word_end(text, at));
		pa_str after = folded_word(arena, text, next);

		if (!take_word(row, word, after))
			break;
		end = word_end(text, at);
		at = next;
		word = after;
	}
	row_close(row);
	return end;
}

static bool is_wanted(const struct row *row, const struct spoken_limits *limits)
{
	pa_str digits = {row->digits, row->count};

	return !row->is_broken && row->count >= limits->least && row->count <= limits->most &&
	       (limits->takes_round || !str_ends(digits, PA_STR("000")));
}

pa_str spoken_numbers(struct arena *arena, pa_str text, struct spoken_limits limits)
{
	struct buf out PA_CLEANUP(buf_done) = BUF_INIT(TEXT_MAX * 2);
	bool is_changed = false;

	text = str_slice(text, 0, TEXT_MAX);
	for (size_t at = 0; at < text.len;) {
		struct row row;
		size_t end = row_at(arena, text, at, &row), next;

		if (end > at && is_wanted(&row, &limits)) {
			buf_add(&out, (pa_str){row.digits, row.count});
			is_changed = true;
		} else {
			end = end > at ? end : word_end(text, at);
			buf_add(&out, str_slice(text, at, end - at));
		}
		next = next_word(text, end);
		buf_add(&out, str_slice(text, end, next - end));
		at = next;
	}
	return is_changed ? arena_copy(arena, buf_str(&out)) : text;
}
