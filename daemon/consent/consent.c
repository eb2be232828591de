/* SPDX-License-Identifier: Apache-2.0 */
#include "consent/consent.h"

#include "base/str.h"
#include "io/crypto.h"
#include "io/unicode.h"

#include <string.h>

#define ANSWER_MAX 300 /* bytes: what is longer is a story, not an answer */

enum word_kind {
	WORD_UNKNOWN,
	WORD_SI,     /* "sí", and "si" which may also mean "if" */
	WORD_YES,    /* says yes by itself */
	WORD_WEAK,   /* agrees, but not to a question of law: "ok", "dale" */
	WORD_NO,     /* says no by itself */
	WORD_REFUSE, /* refuses by itself: "rechazo" */
	WORD_DOUBT,  /* makes a yes conditional */
	WORD_FILL,   /* courtesy, and the words of the question itself */
};

static const struct {
	enum word_kind kind;
	const char *words;
} lexicon[] = {
	{WORD_SI, " si "},
	{WORD_YES, " autorizo autoriso acepto asepto autorizado aceptado apruebo afirmativo "},
	{WORD_WEAK, " ok okay okey listo dale bueno vale bien claro correcto seguro "},
	{WORD_NO, " no nunca jamas tampoco ninguno nada "},
	{WORD_REFUSE, " rechazo niego desautorizo "},
	{WORD_DOUBT, " pero aunque cuando cuanto como que quien cual donde si_no depende entonces "
		     "despues luego manana casi quizas talvez creo "},
	{WORD_FILL,
	 " por favor gracias muchas senor senora senorita don dona doctor doctora joven "
	 "hola buenas buenos buen dia dias tardes noches con mucho gusto su mi mis el la los las "
	 "este esta estos esa ese uso de del datos dato personales tratamiento permiso "
	 "autorizacion consentimiento doy les le lo yo a para y ustedes usted proalto quiero "
	 "usar usen asi es efectivamente totalmente libremente voluntariamente "
	 "siempre desde ya todo todos gusto tratar traten "},
};

static enum word_kind classify(pa_str word)
{
	char padded[32];

	if (word.len == 0 || word.len > sizeof(padded) - 3)
		return WORD_UNKNOWN;
	padded[0] = ' ';
	memcpy(padded + 1, word.ptr, word.len);
	padded[word.len + 1] = ' ';
	for (size_t i = 0; i < ARRAY_COUNT(lexicon); i++)
		if (str_find(str_from(lexicon[i].words), (pa_str){padded, word.len + 2}) !=
		    SIZE_MAX)
			return lexicon[i].kind;
	return WORD_UNKNOWN;
}

/* A "no" that stands for itself: nothing but courtesy and what is refused around it. "no se" and
 * "no entiendo" hold words of neither kind. */
static enum consent_answer decide(const size_t seen[])
{
	if (seen[WORD_UNKNOWN] || seen[WORD_DOUBT] || (seen[WORD_SI] && seen[WORD_NO]))
		return CONSENT_UNCLEAR;
	if (seen[WORD_NO] || seen[WORD_REFUSE])
		return CONSENT_NO;
	return seen[WORD_YES] || seen[WORD_SI] ? CONSENT_YES : CONSENT_UNCLEAR;
}

/* "doy mi permiso" and "estoy de acuerdo" say yes without any of the words that do. */
static bool has_phrase(pa_str folded)
{
	static const char *const phrases[] = {
		"doy mi permiso",         "doy permiso",           "doy mi autorizacion",
		"doy autorizacion",       "doy mi consentimiento", "tienen mi permiso",
		"tienen mi autorizacion", "estoy de acuerdo",      "de acuerdo",
	};

	for (size_t i = 0; i < ARRAY_COUNT(phrases); i++)
		if (str_find(folded, str_from(phrases[i])) != SIZE_MAX)
			return true;
	return false;
}

static bool asks_something(pa_str text)
{
	return (text.len && memchr(text.ptr, '?', text.len)) ||
	       str_find(text, PA_STR("¿")) != SIZE_MAX;
}

enum consent_answer consent_read(struct arena *arena, pa_str text)
{
	size_t seen[WORD_FILL + 1] = {0};
	pa_str folded, rest;

	if (text.len == 0 || text.len > ANSWER_MAX || asks_something(text))
		return CONSENT_UNCLEAR;
	folded = text_fold(arena, text);
	if (has_phrase(folded))
		seen[WORD_YES]++;
	for (rest = folded; rest.len;) {
		pa_str word = str_split(&rest, ' ');
		bool is_of_phrase = seen[WORD_YES] && (str_equal(word, PA_STR("acuerdo")) ||
						       str_equal(word, PA_STR("estoy")) ||
						       str_equal(word, PA_STR("tienen")));

		seen[is_of_phrase ? WORD_FILL : classify(word)]++;
	}
	return decide(seen);
}

bool consent_is_valid(const struct consent *consent, const struct consent_document *document)
{
	return consent->version > 0 && consent->version >= document->substantial;
}

pa_str consent_texts_shown(struct arena *arena, const struct consent_document *const *documents,
			   size_t count)
{
	pa_str all = PA_STR("");

	for (size_t i = 0; i < count; i++) {
		const struct consent_document *d = documents[i];
		pa_str hex = hex_encode(arena, (pa_str){(const char *)d->digest, 32});

		all = arena_format(arena, "%.*s%s%.*s-%lld sha256:%.*s", PA_FMT(all), i ? " " : "",
				   PA_FMT(d->name), (long long)d->version, PA_FMT(hex));
	}
	return all;
}
