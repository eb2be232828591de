/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/understand.h"

#include "base/str.h"
#include "io/unicode.h"

#include <string.h>

#define GAP_MAX 2 /* words that may stand between two of a phrase */
#define AMOUNT_MAX INT64_C(10000000000)
#define AMOUNT_LEAST 1000
#define WORDS_LEAST 10000 /* "mil gracias" is no amount */
#define DOUBTFUL 100000   /* nobody borrows less: "1.500" means a million and a half */
#define TEXT_MAX 2000
#define WORD_INSIDE_MIN 3 /* letters of what says an option amid other words */

static bool is_soft(char next)
{
	return next == 'e' || next == 'i';
}

/* One letter's sound; 0: none. *ret_skip: how many letters after it belong to it. */
static char letter_sound(char c, char next, size_t *ret_skip)
{
	*ret_skip = 0;
	switch (c) {
	case 'c':
		*ret_skip = next == 'h';
		return next == 'h' ? 'C' : is_soft(next) ? 's' : 'k';
	case 'q':
		*ret_skip = next == 'u';
		return 'k';
	case 'l':
		*ret_skip = next == 'l';
		return next == 'l' ? 'y' : 'l';
	case 'y':
		return next ? 'y' : 'i';
	case 'g':
		return is_soft(next) ? 'j' : 'g';
	case 'v':
		return 'b';
	case 'z':
		return 's';
	case 'h':
		return 0;
	default:
		return c;
	}
}

pa_str word_sound(struct arena *arena, pa_str word)
{
	char *sound = arena_alloc(arena, word.len + 1);
	size_t len = 0, skip;

	for (size_t i = 0; i < word.len; i += 1 + skip) {
		char c =
			letter_sound(word.ptr[i], i + 1 < word.len ? word.ptr[i + 1] : '\0', &skip);
		bool is_double = len && sound[len - 1] == c && (c < '0' || c > '9');

		if (c && !is_double)
			sound[len++] = c;
	}
	return (pa_str){sound, len};
}

void said_split(struct arena *arena, pa_str text, struct said *ret)
{
	pa_str rest;

	*ret = (struct said){.text = text};
	ret->folded = text_fold(arena, str_slice(text, 0, TEXT_MAX));
	rest = ret->folded;
	while (rest.len && ret->count < SAID_WORDS_MAX) {
		ret->words[ret->count] = str_split(&rest, ' ');
		ret->sounds[ret->count] = word_sound(arena, ret->words[ret->count]);
		ret->hashes[ret->count] = str_hash(ret->sounds[ret->count]);
		ret->count++;
	}
}

static bool is_in(pa_str word, const char *list)
{
	char padded[40];

	if (word.len == 0 || word.len > sizeof(padded) - 2)
		return false;
	padded[0] = ' ';
	memcpy(padded + 1, word.ptr, word.len);
	padded[word.len + 1] = ' ';
	return str_find(str_from(list), (pa_str){padded, word.len + 2}) != SIZE_MAX;
}

/* Words around an answer that don't change it. */
static bool is_courtesy(pa_str word)
{
	return is_in(word, " por favor gracias muchas porfa senor senora senorita la el las los un "
			   "una opcion numero no_ quiero quisiera deme dame de del a mi con para "
			   "hola buenas buenos dias tardes noches ");
}

/* ---- options ---- */

static size_t number_word(pa_str word)
{
	static const char *const words[] = {
		" 1 uno primero primera 1a 1o 1ra 1ro ",  " 2 dos segundo segunda 2a 2o 2da 2do ",
		" 3 tres tercero tercera 3a 3o 3ra 3ro ", " 4 cuatro cuarto cuarta 4a 4o ",
		" 5 cinco quinto quinta 5a 5o ",          " 6 seis sexto sexta 6a 6o ",
		" 7 siete septimo septima 7a 7o ",        " 8 ocho octavo octava 8a 8o ",
		" 9 nueve noveno novena 9a 9o ",          " 10 diez decimo decima "};

	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (is_in(word, words[i]))
			return i + 1;
	return 0;
}

/* The one number that is said, 0 if none, several, or words of another sort. */
static size_t number_said(const struct said *said, size_t options)
{
	size_t number = 0;

	for (size_t i = 0; i < said->count; i++) {
		size_t n = number_word(said->words[i]);

		/* "una" is an article more often than a number */
		if (is_in(said->words[i], " ultimo ultima "))
			n = options;
		if (!n && !is_courtesy(said->words[i]))
			return 0;
		if (n && number)
			return 0;
		number = n ? n : number;
	}
	return number;
}

bool match_exactly(const struct said *said, const struct option *option)
{
	if (said->folded.len == 0)
		return false;
	if (str_equal(said->folded, option->folded))
		return true;
	for (size_t i = 0; i < option->words_count; i++)
		if (str_equal(said->folded, option->words[i]))
			return true;
	return false;
}

static bool has_word(pa_str text, pa_str wanted)
{
	pa_str rest = text;

	while (rest.len)
		if (str_equal(str_split(&rest, ' '), wanted))
			return true;
	return false;
}

static bool option_has_word(const struct option *option, pa_str word)
{
	if (has_word(option->folded, word))
		return true;
	for (size_t i = 0; i < option->words_count; i++)
		if (has_word(option->words[i], word))
			return true;
	return false;
}

/* Every word that counts stands in the option: "a clear piece". */
static bool is_piece_of(const struct said *said, const struct option *option)
{
	size_t hits = 0;

	for (size_t i = 0; i < said->count; i++) {
		if (is_courtesy(said->words[i]))
			continue;
		if (said->words[i].len < 2 || !option_has_word(option, said->words[i]))
			return false;
		hits++;
	}
	return hits > 0;
}

/* The option's own words stand in the text, in one piece: "quiero el saldo, señorita". */
static bool is_inside(pa_str needle, const struct said *said)
{
	pa_str first = needle.len ? needle : PA_STR("?");
	size_t words = 1;

	for (size_t i = 0; i < needle.len; i++)
		words += needle.ptr[i] == ' ';
	for (size_t i = 0; i + words <= said->count; i++) {
		pa_str from = said->words[i];
		pa_str last = said->words[i + words - 1];

		if (str_equal((pa_str){from.ptr, (size_t)(last.ptr + last.len - from.ptr)}, first))
			return true;
	}
	return false;
}

static bool says_option(const struct said *said, const struct option *option)
{
	if (is_inside(option->folded, said))
		return true;
	/* "si" and "no" stand in many sentences that are no answer */
	for (size_t i = 0; i < option->words_count; i++)
		if (option->words[i].len >= WORD_INSIDE_MIN && is_inside(option->words[i], said))
			return true;
	return false;
}

typedef bool fits(const struct said *said, const struct option *option);

static enum match count_matches(const struct said *said, const struct option *options, size_t count,
				fits *fit, size_t *ret)
{
	size_t hits = 0;

	for (size_t i = 0; i < count; i++)
		if (fit(said, &options[i]) && hits++ == 0)
			*ret = i;
	return hits == 0 ? MATCH_NONE : hits == 1 ? MATCH_ONE : MATCH_SEVERAL;
}

/* "los dos", "ambos": more than one may be chosen at a time. */
static bool is_all(const struct said *said)
{
	bool is_plural = false;

	for (size_t i = 0; i < said->count; i++) {
		if (is_in(said->words[i], " los las "))
			is_plural = is_plural ||
				    (i + 1 < said->count && number_word(said->words[i + 1]) > 1);
		else if (is_in(said->words[i], " ambos ambas todos todas "))
			is_plural = true;
		else if (!is_courtesy(said->words[i]) && !number_word(said->words[i]))
			return false;
	}
	return is_plural;
}

enum match match_option(const struct said *said, const struct option *options, size_t count,
			size_t *ret)
{
	static fits *const ways[] = {match_exactly, is_piece_of, says_option};
	size_t number = number_said(said, count);

	if (is_all(said)) {
		*ret = 0;
		return MATCH_SEVERAL;
	}
	if (number) {
		*ret = number - 1;
		return number <= count ? MATCH_ONE : MATCH_NONE;
	}
	for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
		enum match match = count_matches(said, options, count, ways[i], ret);

		if (match != MATCH_NONE)
			return match;
	}
	return MATCH_NONE;
}

/* ---- amounts ---- */

/* Thousands may be parted by dots, commas, apostrophes or spaces: "1.234" is a thousand and more,
 * but "1,5" and "1.5" are not numbers of pesos. */
static bool grouped_number(pa_str text, int64_t *ret)
{
	int64_t value = 0;
	size_t digits = 0, group = 0;
	bool has_groups = false, is_open = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c >= '0' && c <= '9') {
			value = value * 10 + (c - '0');
			is_open = true;
			group++;
			if (++digits > 11)
				return false;
			continue;
		}
		if (!is_open || (c != '.' && c != ',' && c != '\'' && c != ' '))
			return false;
		if (has_groups ? group != 3 : group > 3)
			return false;
		has_groups = true;
		group = 0;
	}
	*ret = value;
	return digits > 0 && (!has_groups || group == 3);
}

static int64_t multiplier(pa_str word)
{
	if (is_in(word, " millon millones palo palos "))
		return 1000000;
	return is_in(word, " mil lucas ") ? 1000 : 0;
}

static int64_t words_of_number(pa_str word)
{
	static const struct {
		const char *words;
		int64_t first, step;
	} lists[] = {
		{"un dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce "
		 "quince",
		 1, 1},
		{"diez veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa cien", 10,
		 10},
		{"ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos "
		 "ochocientos novecientos",
		 100, 100},
	};

	for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
		pa_str rest = str_from(lists[i].words);

		for (int64_t value = lists[i].first; rest.len; value += lists[i].step)
			if (str_equal(str_split(&rest, ' '), word))
				return value;
	}
	return 0;
}

/* "dos millones quinientos mil pesos" */
static int64_t amount_in_words(const struct said *said)
{
	int64_t total = 0, part = 0;

	for (size_t i = 0; i < said->count; i++) {
		int64_t times = multiplier(said->words[i]);
		int64_t number = words_of_number(said->words[i]);

		if (!number && !times && !is_in(said->words[i], " y ")) {
			part = 0; /* "un préstamo de dos millones" */
			continue;
		}
		part += number;
		if (part > 999 || total > AMOUNT_MAX)
			return 0;
		if (times == 0)
			continue;
		if (part == 0 && (times > 1000 || total))
			return 0;
		total += (part ? part : 1) * times;
		part = 0;
	}
	return total;
}

/* "2,5": one or two digits behind a comma or a point, of which there is one only. */
static bool decimal_number(pa_str text, int64_t unit, int64_t *ret)
{
	pa_str rest = text,
	       whole = str_split(&rest, str_find(text, PA_STR(",")) < text.len ? ',' : '.');
	int64_t value, part;

	if (rest.len < 1 || rest.len > 2 || whole.len > 3 || !str_is_digits(whole) ||
	    !str_is_digits(rest) || !str_to_int64(whole, &value) || !str_to_int64(rest, &part))
		return false;
	*ret = value * unit + part * unit / (rest.len == 1 ? 10 : 100);
	return true;
}

/* The text from its first digit to its last one. */
static pa_str digits_of(pa_str text)
{
	size_t start = 0, end = text.len;

	while (start < text.len && (text.ptr[start] < '0' || text.ptr[start] > '9'))
		start++;
	while (end > start && (text.ptr[end - 1] < '0' || text.ptr[end - 1] > '9'))
		end--;
	return str_slice(text, start, end - start);
}

static enum amount_reading in_words(const struct said *said, int64_t *ret)
{
	*ret = amount_in_words(said);
	return *ret >= WORDS_LEAST && *ret <= AMOUNT_MAX ? AMOUNT_CLEAR : AMOUNT_NONE;
}

enum amount_reading amount_read(const struct said *said, int64_t *ret)
{
	pa_str digits = digits_of(said->text);
	int64_t value = 0, times = 0;

	if (digits.len == 0)
		return in_words(said, ret);
	for (size_t i = 0; i < said->count && times == 0; i++)
		times = multiplier(said->words[i]);
	if (grouped_number(digits, &value))
		value *= times ? times : 1;
	else if (times <= AMOUNT_THOUSANDS || !decimal_number(digits, times, &value))
		return AMOUNT_NONE;
	if (value < AMOUNT_LEAST || value > AMOUNT_MAX)
		return AMOUNT_NONE;
	*ret = value;
	return times == 0 && value < DOUBTFUL && !str_is_digits(digits) ? AMOUNT_TWO_WAYS
									: AMOUNT_CLEAR;
}

/* ---- intents ---- */

static bool word_fits(const struct phrase_word *wanted, const struct said *said, size_t i)
{
	if (wanted->is_stem)
		return str_starts(said->sounds[i], wanted->text);
	return wanted->hash == said->hashes[i] && str_equal(wanted->text, said->sounds[i]);
}

/* The words in order, with few others between. False if they don't stand there from `at` on. */
static bool phrase_fits(const struct phrase *phrase, const struct said *said, size_t at,
			size_t *ret_last)
{
	size_t i = at;

	for (size_t k = 1; k < phrase->count; k++) {
		size_t limit = i + 1 + GAP_MAX;

		do
			i++;
		while (i < said->count && i <= limit && !word_fits(&phrase->words[k], said, i));
		if (i >= said->count || i > limit)
			return false;
	}
	*ret_last = i;
	return true;
}

/* Hardly anything but the phrase is said: its words in one piece, courtesies around. */
static bool is_whole(const struct said *said, size_t at, size_t last, size_t count)
{
	if (last - at + 1 != count)
		return false;
	for (size_t i = 0; i < said->count; i++)
		if ((i < at || i > last) && !is_courtesy(said->words[i]) &&
		    !is_in(said->words[i], " ya ahora entonces bueno pues quiero puede y "))
			return false;
	return true;
}

#define WANTING " quiero necesito deseo busco estoy pido es era son hay soy "

/* "No quiero hablar con un asesor", "no es ningún fraude": the phrase is named, and not meant. */
static bool is_denied(const struct said *said, size_t at)
{
	static const char fillers[] = " hablar con un una el la ningun ninguna mas a de que otro "
				      "otra pedir ver saber ";
	bool has_reason = is_in(said->words[at], WANTING);
	size_t i = at;

	while (i > 0 && is_in(said->words[i - 1], fillers)) {
		i--;
		has_reason = has_reason || is_in(said->words[i], " ningun ninguna ");
	}
	if (i > 0 && is_in(said->words[i - 1], WANTING)) {
		i--;
		has_reason = true;
	}
	return has_reason && i > 0 && is_in(said->words[i - 1], " no tampoco nunca ");
}

static bool phrase_find(const struct phrase *phrase, const struct said *said, bool holds_negated,
			struct found_intent *ret)
{
	for (size_t at = 0; at + phrase->count <= said->count; at++) {
		if (!word_fits(&phrase->words[0], said, at) ||
		    !phrase_fits(phrase, said, at, &ret->last))
			continue;
		if (phrase->is_whole && !is_whole(said, at, ret->last, phrase->count))
			continue;
		if (!holds_negated && is_denied(said, at))
			continue;
		ret->at = at;
		ret->words = phrase->count;
		return true;
	}
	return false;
}

static bool intent_find(const struct intent *intent, const struct said *said,
			struct found_intent *ret)
{
	struct found_intent hit = {.intent = intent};
	bool found = false;

	for (size_t i = 0; i < intent->phrases_count; i++) {
		if (!phrase_find(&intent->phrases[i], said, intent->holds_negated, &hit))
			continue;
		if (!found || hit.words > ret->words)
			*ret = hit;
		found = true;
	}
	return found;
}

static bool overlap(const struct found_intent *a, const struct found_intent *b)
{
	return a->at <= b->last && b->at <= a->last;
}

/* Puts it in its place by position; gives way to, or takes the place of, what it overlaps. */
static void keep(struct found_intent *list, size_t *count, const struct found_intent *hit)
{
	size_t at = 0;

	for (size_t i = 0; i < *count;) {
		if (!overlap(&list[i], hit)) {
			i++;
			continue;
		}
		if (list[i].words >= hit->words)
			return;
		memmove(&list[i], &list[i + 1], (*count - i - 1) * sizeof(*list));
		(*count)--;
	}
	if (*count == INTENTS_FOUND_MAX)
		return;
	while (at < *count && list[at].at < hit->at)
		at++;
	memmove(&list[at + 1], &list[at], (*count - at) * sizeof(*list));
	list[at] = *hit;
	(*count)++;
}

size_t intents_find(const struct flow_set *set, const struct said *said,
		    struct found_intent ret[INTENTS_FOUND_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < set->intents_count; i++) {
		struct found_intent hit;

		if (intent_find(&set->intents[i], said, &hit))
			keep(ret, &count, &hit);
	}
	return count;
}

size_t said_beyond(const struct said *said, const struct found_intent *found, size_t count)
{
	size_t beyond = 0;

	for (size_t i = 0; i < said->count; i++) {
		bool is_told = is_courtesy(said->words[i]) ||
			       is_in(said->words[i], " hablar necesito que me y se ");

		for (size_t k = 0; k < count; k++)
			is_told = is_told || (i >= found[k].at && i <= found[k].last);
		beyond += !is_told;
	}
	return beyond;
}

bool said_is_foreign(const struct said *said)
{
	static const char marks[] = " the my what how much want need is you do i "
				    "balance owe speak meu minha nao bom boa ";
	/* one of these alone does */
	static const char strong[] = " please hello help loan english voce quero quanto obrigado "
				     "obrigada preciso emprestimo ";
	size_t weight = 0;

	for (size_t i = 0; i < said->count; i++)
		weight += is_in(said->words[i], strong) ? 2 : is_in(said->words[i], marks);
	return weight >= 2 && weight * 2 >= said->count;
}
