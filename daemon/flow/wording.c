/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/str.h"
#include "flow/model.h"
#include "flow/texts.h"
#include "io/unicode.h"

#include <string.h>

#define BODY_MAX 600
#define LEGAL_MAX 1024 /* WhatsApp: body above buttons */
#define BUTTON_MAX 20
#define ROW_MAX 24
#define SMS_SEPTETS 160
#define WORDS_MAX 20
#define EXCLAMATIONS_MAX 1

/* Words that a customer should not have to read, and what says it better. Folded. */
static const struct {
	const char *word;
	const char *instead;
} hard_words[] = {
	{"obligacion", "crédito"},
	{"novacion", "renovación"},
	{"mora", "atraso"},
	{"core", "sistema"},
	{"validar", "confirmar"},
	{"procesar", "hacer"},
	{"solicitud ha sido", "recibimos su solicitud"},
	{"opcion no valida", "la pregunta otra vez"},
	{"momentico", "momento"},
	{"ratico", "momento"},
	{"tienes", "tiene"},
	{"puedes", "puede"},
	{"quieres", "quiere"},
	{"escribe tu", "escriba su"},
	{"tu credito", "su crédito"},
	{"tus datos", "sus datos"},
	{"null", "nada"},
};

/* Capital letters that are names. */
static const char *const acronyms[] = {"NIT", "SMS", "PDF", "CC", "CE", "PQRS", "SIC", "PPT"};

static pa_str sample_of(struct arena *arena, const struct text *text)
{
	pa_str values[VALUE_COUNT];

	for (size_t i = 0; i < VALUE_COUNT; i++)
		values[i] = str_from(value_table[i].sample);
	return text_fill(arena, text, values, NULL);
}

static bool ends_sentence(pa_str s, size_t i)
{
	char c = s.ptr[i];
	bool is_last = i + 1 == s.len;

	if (c == '\n')
		return true;
	if (c != '.' && c != '!' && c != '?' && c != ':' && c != ';')
		return false;
	return is_last || s.ptr[i + 1] == ' ' || s.ptr[i + 1] == '\n';
}

static size_t longest_sentence(pa_str s)
{
	size_t words = 0, most = 0;
	bool in_word = false;

	for (size_t i = 0; i < s.len; i++) {
		bool is_space = s.ptr[i] == ' ' || s.ptr[i] == '\n';

		if (!is_space && !in_word)
			words++;
		in_word = !is_space;
		if (words > most)
			most = words;
		if (ends_sentence(s, i))
			words = 0;
	}
	return most;
}

static size_t count_of(pa_str s, pa_str what)
{
	size_t count = 0;

	for (size_t at; (at = str_find(s, what)) != SIZE_MAX; count++)
		s = str_slice(s, at + what.len, s.len);
	return count;
}

/* The code point at *i of valid UTF-8; moves *i behind it. */
static uint32_t next_point(pa_str s, size_t *i)
{
	unsigned char first = (unsigned char)s.ptr[(*i)++];
	uint32_t point = first < 0x80   ? first
			 : first < 0xE0 ? first & 0x1F
			 : first < 0xF0 ? first & 0xF
					: first & 7;

	while (*i < s.len && ((unsigned char)s.ptr[*i] & 0xC0) == 0x80)
		point = point << 6 | ((unsigned char)s.ptr[(*i)++] & 0x3F);
	return point;
}

static size_t emoji_count(pa_str s)
{
	size_t count = 0;

	for (size_t i = 0; i < s.len;) {
		uint32_t point = next_point(s, &i);

		count += point >= 0x1F000 || (point >= 0x2600 && point <= 0x27BF) ||
			 (point >= 0x2B00 && point <= 0x2BFF);
	}
	return count;
}

static bool is_acronym(pa_str word)
{
	for (size_t i = 0; i < ARRAY_COUNT(acronyms); i++)
		if (str_equal(word, str_from(acronyms[i])))
			return true;
	return false;
}

/* The first word of two capitals or more that is no acronym; absent: none. Digits and what is
 * filled in don't count. */
static pa_str shouted(pa_str s)
{
	size_t start = 0, capitals = 0;

	for (size_t i = 0; i <= s.len; i++) {
		char c = ' ';

		if (i < s.len)
			c = s.ptr[i];

		if (c >= 'A' && c <= 'Z') {
			start = capitals++ ? start : i;
			continue;
		}
		if (capitals >= 2 && !(c >= 'a' && c <= 'z') &&
		    (start == 0 || s.ptr[start - 1] == ' ' || s.ptr[start - 1] == '\n') &&
		    !is_acronym(str_slice(s, start, capitals)))
			return str_slice(s, start, capitals);
		capitals = 0;
	}
	return PA_STR_ABSENT;
}

static void check_words(struct arena *arena, const struct text *text, pa_str sample,
			struct flow_problems *problems)
{
	pa_str folded = text_fold(arena, sample);
	pa_str padded = arena_format(arena, " %.*s ", PA_FMT(folded));
	pa_str loud = shouted(text->source);

	for (size_t i = 0; i < ARRAY_COUNT(hard_words); i++) {
		pa_str word = arena_format(arena, " %s ", hard_words[i].word);

		if (str_find(padded, word) != SIZE_MAX)
			problem_add(problems, text->where,
				    "el texto \"%.*s\" dice \"%s\"; diga \"%s\"",
				    PA_FMT(text->name), hard_words[i].word, hard_words[i].instead);
	}
	if (loud.ptr)
		problem_add(problems, text->where,
			    "el texto \"%.*s\" tiene una palabra en mayúsculas: \"%.*s\"",
			    PA_FMT(text->name), PA_FMT(loud));
	if (emoji_count(sample) > 1)
		problem_add(problems, text->where, "el texto \"%.*s\" tiene más de un emoji",
			    PA_FMT(text->name));
	if (count_of(sample, PA_STR("!")) > EXCLAMATIONS_MAX)
		problem_add(problems, text->where, "el texto \"%.*s\" tiene más de una exclamación",
			    PA_FMT(text->name));
	if (longest_sentence(sample) > WORDS_MAX)
		problem_add(problems, text->where,
			    "el texto \"%.*s\" tiene una frase de %zu palabras; el máximo es %d",
			    PA_FMT(text->name), longest_sentence(sample), WORDS_MAX);
}

static void check_length(const struct text *text, pa_str sample, enum text_kind kind,
			 struct flow_problems *problems)
{
	static const size_t limits[] = {
		[TEXT_KIND_BODY] = BODY_MAX,     [TEXT_KIND_LEGAL] = LEGAL_MAX,
		[TEXT_KIND_BUTTON] = BUTTON_MAX, [TEXT_KIND_ROW] = ROW_MAX,
		[TEXT_KIND_SMS] = SMS_SEPTETS,   [TEXT_KIND_PHRASE] = BODY_MAX,
	};
	size_t length = kind == TEXT_KIND_SMS ? gsm7_length(sample) : utf8_length(sample);

	if (length == SIZE_MAX)
		problem_add(problems, text->where,
			    "el texto \"%.*s\" va por SMS y tiene letras que no caben en una sola "
			    "parte: quite á, í, ó, ú y símbolos",
			    PA_FMT(text->name));
	else if (length > limits[kind])
		problem_add(problems, text->where,
			    "el texto \"%.*s\" tiene %zu letras; el máximo es %zu",
			    PA_FMT(text->name), length, limits[kind]);
	else if (length == 0)
		problem_add(problems, text->where, "el texto \"%.*s\" está vacío",
			    PA_FMT(text->name));
}

void text_measure(const struct text *text, enum text_kind kind, struct flow_problems *problems)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new((size_t)1 << 22);
	pa_str sample = sample_of(arena, text);

	check_length(text, sample, kind, problems);
	if (kind != TEXT_KIND_SMS)
		check_words(arena, text, sample, problems);
}

/* What may not be said, folded, and why. */
static const struct forbidden {
	const char *words;
	const char *why;
	bool may_be_legal;      /* a legal text may say it */
	bool may_be_supervised; /* a supervised house may say it */
} forbidden[] = {
	/* BU-05: no threats, and nothing about bureaus but in a legal text */
	{"vamos a reportar", "es una amenaza", false, false},
	{"sera reportado", "es una amenaza", false, false},
	{"sera reportada", "es una amenaza", false, false},
	{"mancha de por vida", "es una amenaza", false, false},
	{"embargo inmediato", "es una amenaza", false, false},
	{"lo embargaremos", "es una amenaza", false, false},
	{"cobro juridico", "es una amenaza", false, false},
	{"acciones legales", "es una amenaza", false, false},
	{"centrales de riesgo", "de centrales de riesgo solo habla un texto legal", true, false},
	{"datacredito", "de centrales de riesgo solo habla un texto legal", true, false},
	{"transunion", "de centrales de riesgo solo habla un texto legal", true, false},
	/* CO-11 */
	{"por que no pago", "no se pregunta por qué alguien no pagó", false, false},
	{"por que no ha pagado", "no se pregunta por qué alguien no pagó", false, false},
	{"motivo del atraso", "no se pregunta por qué alguien no pagó", false, false},
	/* EV-09: no third party certifies anything here */
	{"firma digital", "nadie más lo certifica", false, false},
	{"mensaje certificado", "nadie más lo certifica", false, false},
	{"correo certificado", "nadie más lo certifica", false, false},
	{"notificacion judicial", "nadie más lo certifica", false, false},
	/* GE-02 */
	{"vigilada por la superintendencia financiera", "la casa no es vigilada", false, true},
	{"vigilado por la superintendencia financiera", "la casa no es vigilada", false, true},
	{"entidad vigilada", "la casa no es vigilada", false, true},
};

void text_forbid(const char *where, pa_str text, bool is_legal, bool is_supervised,
		 struct flow_problems *problems)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new((size_t)1 << 22);
	pa_str folded = arena_format(arena, " %.*s ", PA_FMT(text_fold(arena, text)));

	for (size_t i = 0; i < ARRAY_COUNT(forbidden); i++) {
		const struct forbidden *f = &forbidden[i];
		pa_str words = arena_format(arena, " %s ", f->words);

		if ((f->may_be_legal && is_legal) || (f->may_be_supervised && is_supervised))
			continue;
		if (str_find(folded, words) != SIZE_MAX)
			problem_add(problems, where, "un texto no puede decir \"%s\": %s", f->words,
				    f->why);
	}
}

static bool in_set(pa_str set, uint32_t point)
{
	for (size_t i = 0; i < set.len;)
		if (next_point(set, &i) == point)
			return true;
	return false;
}

size_t gsm7_length(pa_str s)
{
	const pa_str basic =
		PA_STR("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
		       "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
	const pa_str extension = PA_STR("\f^{}\\[~]|€"); /* two septets each */
	size_t length = 0;

	for (size_t i = 0; i < s.len;) {
		uint32_t point = next_point(s, &i);

		if (in_set(basic, point))
			length += 1;
		else if (in_set(extension, point))
			length += 2;
		else
			return SIZE_MAX;
	}
	return length;
}
