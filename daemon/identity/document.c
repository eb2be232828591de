/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/document.h"

#include "base/str.h"
#include "io/unicode.h"

#include <string.h>

#define TEXT_MAX 400 /* bytes: longer ones tell a story */
#define RUNS_MAX 12

/* Digits of a text: runs of them, and what stands between. */
struct runs {
	pa_str run[RUNS_MAX];
	size_t count;
	bool has_letters; /* touching a digit */
	bool only_digits; /* nothing but digits and separators */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_ascii_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

size_t digits_joint(pa_str text, size_t at)
{
	/* a space that does not break, and what telephones write for an apostrophe */
	static const char *const marks[] = {"\u00a0", "\u202f", "\u2019", "\u2018", "\u00b4"};

	if (at < text.len && text.ptr[at] && strchr(" .,-'\t\n", text.ptr[at]))
		return 1;
	for (size_t i = 0; i < ARRAY_COUNT(marks); i++)
		if (str_starts(str_slice(text, at, SIZE_MAX), str_from(marks[i])))
			return strlen(marks[i]);
	return 0;
}

static struct runs runs_of(pa_str text)
{
	struct runs runs = {.only_digits = true};

	for (size_t i = 0; i < text.len; i++) {
		size_t start = i;

		if (!is_digit(text.ptr[i])) {
			size_t joint = digits_joint(text, i);

			runs.only_digits = runs.only_digits && joint;
			i += joint ? joint - 1 : 0;
			continue;
		}
		while (i + 1 < text.len && is_digit(text.ptr[i + 1]))
			i++;
		if ((start > 0 && is_ascii_letter(text.ptr[start - 1])) ||
		    (i + 1 < text.len && is_ascii_letter(text.ptr[i + 1])))
			runs.has_letters = true;
		if (runs.count < RUNS_MAX)
			runs.run[runs.count++] = str_slice(text, start, i + 1 - start);
	}
	return runs;
}

/* Nothing but one separator stands between. */
static bool is_beside(pa_str a, pa_str b)
{
	pa_str between = {a.ptr + a.len, (size_t)(b.ptr - (a.ptr + a.len))};

	return digits_joint(between, 0) == between.len;
}

/* True if b goes on with a's number: "1.032.456" and "52 123 456", groups of three. */
static bool is_same_number(pa_str a, pa_str b)
{
	return b.len == 3 && is_beside(a, b);
}

/* The longest number of the text, groups joined, in at most room digits; its length, or room + 1
 * when it is longer than that. */
static size_t longest_number(const struct runs *runs, char *out, size_t room)
{
	size_t best = 0;

	for (size_t i = 0; i < runs->count;) {
		char number[64];
		size_t len = 0, k = i;

		do {
			size_t n = runs->run[k].len;

			if (len + n <= sizeof(number))
				memcpy(number + len, runs->run[k].ptr, n);
			len += n;
			k++;
		} while (k < runs->count &&
			 (runs->only_digits || is_same_number(runs->run[k - 1], runs->run[k])));
		if (len > best) {
			best = len > room ? room + 1 : len;
			memcpy(out, number, len > room ? 0 : len);
		}
		i = k;
	}
	return best;
}

static bool has_word(pa_str folded, const char *word)
{
	pa_str rest = folded, wanted = str_from(word);

	while (rest.len) {
		pa_str at = str_split(&rest, ' ');

		if (str_equal(at, wanted))
			return true;
	}
	return false;
}

static bool has_any(pa_str folded, const char *const *words)
{
	for (; *words; words++)
		if (strchr(*words, ' ') ? str_find(folded, str_from(*words)) != SIZE_MAX
					: has_word(folded, *words))
			return true;
	return false;
}

static enum document_reading shape_of(struct document *document, size_t len)
{
	bool is_foreign_id = strcmp(document->type, "CE") == 0;
	bool is_mobile = len == 10 && document->number[0] == '3';

	if (is_foreign_id)
		return len >= 4 && len <= 10 ? DOCUMENT_OK : DOCUMENT_LENGTH;
	if (len < 3 || len > 10)
		return DOCUMENT_LENGTH;
	if (len == 9 || is_mobile)
		return DOCUMENT_UNLIKELY;
	return DOCUMENT_OK;
}

enum document_reading document_read(struct arena *arena, pa_str text, struct document *ret)
{
	static const char *const minor[] = {
		"ti", "t i", "tarjeta de identidad", "registro civil", "nuip de mi hijo", NULL};
	static const char *const foreign[] = {
		"pasaporte", "passport", "ppt", "pep", "permiso por proteccion", NULL};
	static const char *const resident[] = {"ce", "c e", "extranjeria", NULL};
	struct document document = {.type = "CC"};
	char digits[64];
	struct runs runs;
	pa_str folded;
	size_t len, zeros = 0;

	if (text.len > TEXT_MAX)
		return DOCUMENT_NONE;
	folded = text_fold(arena, text);
	runs = runs_of(text);
	if (has_any(folded, minor))
		return DOCUMENT_MINOR;
	if (has_any(folded, foreign))
		return DOCUMENT_FOREIGN;
	if (has_any(folded, resident))
		memcpy(document.type, "CE", 3);
	len = longest_number(&runs, digits, sizeof(digits) - 1);
	if (len == 0)
		return DOCUMENT_NONE;
	if (runs.has_letters)
		return DOCUMENT_LETTERS;
	if (len > DOCUMENT_DIGITS_MAX)
		return DOCUMENT_LENGTH;
	if (len == 4 && document.type[1] == 'C') {
		memcpy(document.number, digits, len);
		*ret = document;
		return DOCUMENT_LAST4;
	}
	while (zeros < len && digits[zeros] == '0') /* bar codes of old cards pad with zeros */
		zeros++;
	memcpy(document.number, digits + zeros, len - zeros);
	*ret = document;
	return shape_of(ret, len - zeros);
}

/* Groups that stand side by side and make a code together. */
static bool joined_code(const struct runs *runs, char digits[CODE_DIGITS])
{
	size_t len = 0;

	for (size_t i = 0; i < runs->count; i++) {
		pa_str run = runs->run[i];

		if (!run.ptr || (i && !is_beside(runs->run[i - 1], run)) ||
		    len + run.len > CODE_DIGITS)
			return false;
		memcpy(digits + len, run.ptr, run.len);
		len += run.len;
	}
	return len == CODE_DIGITS;
}

enum code_reading code_read(pa_str text, char ret[CODE_DIGITS + 1])
{
	struct runs runs = runs_of(str_slice(text, 0, TEXT_MAX));
	char digits[CODE_DIGITS];
	const char *found = NULL;

	if (runs.count == 0)
		return CODE_NONE;
	if (runs.only_digits) { /* "12 34 56" */
		if (longest_number(&runs, digits, CODE_DIGITS) != CODE_DIGITS)
			return CODE_LENGTH;
		found = digits;
	}
	for (size_t i = 0; i < runs.count && !runs.only_digits; i++) {
		if (runs.run[i].len != CODE_DIGITS)
			continue;
		if (found && memcmp(found, runs.run[i].ptr, CODE_DIGITS) != 0)
			return CODE_LENGTH;
		found = runs.run[i].ptr;
	}
	if (!found && joined_code(&runs, digits)) /* "es 123 456" */
		found = digits;
	if (!found)
		return CODE_LENGTH;
	memcpy(ret, found, CODE_DIGITS);
	ret[CODE_DIGITS] = '\0';
	return CODE_OK;
}
