/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/redact.h"

#include "base/buf.h"
#include "base/str.h"
#include "identity/document.h"
#include "identity/spoken.h"
#include "io/unicode.h"

#include <string.h>

#define CARD_MIN 13
#define CARD_MAX 19
#define CODE_MIN 4
#define CODE_MAX 8
#define SPOKEN_MAX 19 /* digits in words, as many as a card has */
#define LONG_NUMBER 7 /* digits: a document or a phone */
#define TEXT_MAX ((size_t)64 << 10)

bool luhn_is_valid(pa_str digits)
{
	unsigned sum = 0;

	if (digits.len < CARD_MIN || digits.len > CARD_MAX || !str_is_digits(digits))
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		unsigned d = (unsigned)(digits.ptr[digits.len - 1 - i] - '0');

		if (i % 2)
			d = d * 2 > 9 ? d * 2 - 9 : d * 2;
		sum += d;
	}
	return sum % 10 == 0;
}

struct redactor {
	struct buf out;
	pa_str text;
	unsigned what;
	bool follows_password; /* the word before asked for a secret */
	bool follows_code;
	bool awaits_code; /* each short number is one */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The number at `at`: digits with single spaces, dots and the like between. Its end; digits get it
 * alone, as many as fit. */
static size_t number_at(pa_str text, size_t at, char *digits, size_t room, size_t *ret_count)
{
	size_t end = at, count = 0;

	for (size_t i = at; i < text.len;) {
		size_t joint = digits_joint(text, i);

		if (joint && i + joint < text.len && is_digit(text.ptr[i + joint])) {
			i += joint;
			continue;
		}
		if (!is_digit(text.ptr[i]))
			break;
		if (count < room)
			digits[count] = text.ptr[i];
		count++;
		end = ++i;
	}
	*ret_count = count;
	return end;
}

/* "ended in 789" is what a person may see of a document. */
static void blot_number(struct redactor *r, const char *digits, size_t count)
{
	size_t shown = count < 40 ? count : 40;

	if (luhn_is_valid((pa_str){digits, shown}) && count == shown) {
		r->what |= REDACTED_SECRET;
		buf_add(&r->out, PA_STR("[tarjeta]"));
		return;
	}
	r->what |= REDACTED_DOCUMENT;
	buf_add(&r->out, PA_STR("[número terminado en "));
	buf_add(&r->out, (pa_str){digits + shown - 3, 3});
	buf_add(&r->out, PA_STR("]"));
}

static bool is_amount(const struct redactor *r, size_t at)
{
	pa_str before = str_slice(r->text, 0, at);

	while (str_ends(before, PA_STR(" ")))
		before.len--;
	if (str_ends(before, PA_STR("\u00a0"))) /* as money_format() writes it */
		before.len -= strlen("\u00a0");
	return str_ends(before, PA_STR("$"));
}

static bool is_code(const struct redactor *r, size_t count)
{
	if (r->awaits_code)
		return count >= CODE_MIN && count < LONG_NUMBER;
	return r->follows_code && count >= CODE_MIN && count <= CODE_MAX;
}

static size_t take_number(struct redactor *r, size_t at)
{
	char digits[40];
	size_t count, end = number_at(r->text, at, digits, sizeof(digits), &count);

	if (is_code(r, count) && !is_amount(r, at)) {
		r->what |= REDACTED_CODE;
		buf_add(&r->out, PA_STR("[código]"));
	} else if (count >= LONG_NUMBER && !is_amount(r, at)) {
		blot_number(r, digits, count);
	} else {
		buf_add(&r->out, str_slice(r->text, at, end - at));
	}
	return end;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static bool is_one_of(pa_str word, const char *const *list)
{
	for (; *list; list++)
		if (str_equal(word, str_from(*list)))
			return true;
	return false;
}

static void note_word(struct arena *arena, struct redactor *r, pa_str word)
{
	static const char *const passwords[] = {"clave",       "contrasena", "password", "pin",
						"contrasenia", "claves",     NULL};
	static const char *const codes[] = {"codigo", "codigos", "otp", "token",
					    "cvv",    "cvc",     NULL};
	static const char *const fillers[] = {
		"es",        "la",      "el",     "mi",    "de",     "del",      "que",
		"me",        "lo",      "",       "era",   "y",      "son",      "banco",
		"cajero",    "tarjeta", "correo", "email", "cuenta", "app",      "celular",
		"seguridad", "sms",     "llego",  "este",  "numero", "facebook", "whatsapp",
		"virtual",   "su",      "tu",     "ese",   "nomina", "internet", NULL};
	pa_str folded = text_fold(arena, word);

	if (is_one_of(folded, passwords))
		r->follows_password = true;
	else if (!is_one_of(folded, fillers))
		r->follows_password = false;
	if (is_one_of(folded, codes))
		r->follows_code = true;
	else if (!is_one_of(folded, fillers))
		r->follows_code = false;
}

/* What follows "mi clave es" and holds a digit or a sign is taken for the password. */
static bool is_password(const struct redactor *r, pa_str word)
{
	bool has_sign = false;

	for (size_t i = 0; i < word.len; i++)
		has_sign = has_sign || is_digit(word.ptr[i]) ||
			   (word.ptr[i] && strchr("@#$%&*_!", word.ptr[i]));
	return r->follows_password && has_sign && word.len >= 4;
}

static size_t take_word(struct arena *arena, struct redactor *r, size_t at)
{
	size_t end = at;
	pa_str word;

	while (end < r->text.len && !is_space(r->text.ptr[end]))
		end++;
	word = str_slice(r->text, at, end - at);
	if (is_password(r, word)) {
		r->what |= REDACTED_SECRET;
		r->follows_password = false;
		buf_add(&r->out, PA_STR("[clave]"));
		return end;
	}
	if (is_digit(word.ptr[0]))
		return take_number(r, at);
	note_word(arena, r, word);
	/* a number may stick to a word: "cc1032456789" */
	for (size_t i = 0; i < word.len; i++)
		if (is_digit(word.ptr[i])) {
			buf_add(&r->out, str_slice(word, 0, i));
			return at + i;
		}
	buf_add(&r->out, word);
	return end;
}

static pa_str redact(struct arena *arena, pa_str text, bool awaits_code, unsigned *ret_what)
{
	struct spoken_limits spoken = {.least = awaits_code ? CODE_MIN : LONG_NUMBER,
				       .most = SPOKEN_MAX,
				       .takes_round = awaits_code};
	struct redactor r = {.out = BUF_INIT(TEXT_MAX * 8),
			     .text = spoken_numbers(arena, str_slice(text, 0, TEXT_MAX), spoken),
			     .awaits_code = awaits_code};
	pa_str result;

	for (size_t at = 0; at < r.text.len;) {
		if (is_space(r.text.ptr[at])) {
			buf_add_byte(&r.out, (uint8_t)r.text.ptr[at++]);
			continue;
		}
		at = is_digit(r.text.ptr[at]) && !r.follows_password ? take_number(&r, at)
								     : take_word(arena, &r, at);
	}
	result = r.what ? arena_copy(arena, buf_str(&r.out)) : text;
	if (ret_what)
		*ret_what = r.what;
	buf_done(&r.out);
	return result;
}

pa_str redact_text(struct arena *arena, pa_str text, unsigned *ret_what)
{
	return redact(arena, text, false, ret_what);
}

pa_str redact_codes(struct arena *arena, pa_str text, unsigned *ret_what)
{
	return redact(arena, text, true, ret_what);
}
