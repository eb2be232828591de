/* SPDX-License-Identifier: Apache-2.0
 *
 * What fits into one SMS. 3GPP TS 23.038, section 6.2.1: the default alphabet and its extension
 * table; 160 septets in one part, or 70 units of UCS-2 as soon as one character is not in it. Of
 * the Spanish letters á í ó ú and their capitals are not; é ñ ü ¿ ¡ are.
 */
#include "sms.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#define PART_SEPTETS 160
#define PART_UNITS 70
#define MAX_TEXT 4096 /* bytes: what is longer can't fit in any case */

/* In the order of their codes; 0x1b, which leads to the extension table, is no character. */
static const uint16_t alphabet[] = {
	'@',    0xa3,   '$',    0xa5, 0xe8,   0xe9, 0xf9,   0xec,   0xf2,   0xc7,   '\n',   0xd8,
	0xf8,   '\r',   0xc5,   0xe5, 0x0394, '_',  0x03a6, 0x0393, 0x039b, 0x03a9, 0x03a0, 0x03a8,
	0x03a3, 0x0398, 0x039e, 0xc6, 0xe6,   0xdf, 0xc9,   ' ',    '!',    '"',    '#',    0xa4,
	'%',    '&',    '\'',   '(',  ')',    '*',  '+',    ',',    '-',    '.',    '/',    '0',
	'1',    '2',    '3',    '4',  '5',    '6',  '7',    '8',    '9',    ':',    ';',    '<',
	'=',    '>',    '?',    0xa1, 'A',    'B',  'C',    'D',    'E',    'F',    'G',    'H',
	'I',    'J',    'K',    'L',  'M',    'N',  'O',    'P',    'Q',    'R',    'S',    'T',
	'U',    'V',    'W',    'X',  'Y',    'Z',  0xc4,   0xd6,   0xd1,   0xdc,   0xa7,   0xbf,
	'a',    'b',    'c',    'd',  'e',    'f',  'g',    'h',    'i',    'j',    'k',    'l',
	'm',    'n',    'o',    'p',  'q',    'r',  's',    't',    'u',    'v',    'w',    'x',
	'y',    'z',    0xe4,   0xf6, 0xf1,   0xfc, 0xe0,
};
_Static_assert(SMS_COUNT(alphabet) == 127, "128 codes and one of them an escape");

/* These take two septets. */
static const uint16_t extension[] = {'\f', '^', '{', '}', '\\', '[', '~', ']', '|', 0x20ac};

/* What stands for a character that the alphabet lacks and that is no letter with an accent. */
static const struct stand_in {
	uint16_t character;
	const char *text;
} stand_ins[] = {
	{'\t', " "},   {'`', "'"},      {0xa0, " "},    {0xaa, "a"},    {0xab, "\""},
	{0xad, ""},    {0xb0, "o"},     {0xb4, "'"},    {0xb7, "-"},    {0xba, "o"},
	{0xbb, "\""},  {0xd7, "x"},     {0x2007, " "},  {0x2009, " "},  {0x200b, ""},
	{0x200d, ""},  {0x200e, ""},    {0x200f, ""},   {0x2010, "-"},  {0x2011, "-"},
	{0x2012, "-"}, {0x2013, "-"},   {0x2014, "-"},  {0x2015, "-"},  {0x2018, "'"},
	{0x2019, "'"}, {0x201a, "'"},   {0x201c, "\""}, {0x201d, "\""}, {0x201e, "\""},
	{0x2022, "-"}, {0x2026, "..."}, {0x202f, " "},  {0x2032, "'"},  {0x2033, "\""},
	{0x2060, ""},  {0x2212, "-"},   {0xfeff, ""},
};

static bool is_in(const uint16_t *table, size_t count, int32_t character)
{
	for (size_t i = 0; i < count; i++)
		if (table[i] == character)
			return true;
	return false;
}

/* 1 or 2; 0: not in the alphabet. */
static size_t septets_of(int32_t character)
{
	if (is_in(alphabet, SMS_COUNT(alphabet), character))
		return 1;
	return is_in(extension, SMS_COUNT(extension), character) ? 2 : 0;
}

/* Takes one character off the text; -1 if it is not UTF-8. */
static int32_t next_character(pa_str *text)
{
	utf8proc_int32_t character;
	utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)text->ptr,
						(utf8proc_ssize_t)text->len, &character);

	if (len <= 0)
		return -1;
	*text = (pa_str){text->ptr + len, text->len - (size_t)len};
	return character;
}

bool sms_gsm_septets(pa_str text, size_t *ret)
{
	size_t count = 0;

	while (text.len) {
		size_t septets = septets_of(next_character(&text));

		if (septets == 0)
			return false;
		count += septets;
	}
	*ret = count;
	return true;
}

static size_t units_of(pa_str text)
{
	size_t count = 0;

	while (text.len)
		count += next_character(&text) > 0xffff ? 2 : 1;
	return count;
}

static bool is_valid(pa_str text)
{
	while (text.len)
		if (next_character(&text) < 0)
			return false;
	return true;
}

/* ---- without accents ---- */

static const char *stand_in_find(int32_t character)
{
	for (size_t i = 0; i < SMS_COUNT(stand_ins); i++)
		if (stand_ins[i].character == character)
			return stand_ins[i].text;
	return NULL;
}

/* The letter under the accent; the character itself if there is none in the alphabet. */
static int32_t without_accent(int32_t character)
{
	utf8proc_int32_t parts[8];
	int boundary = 0;
	utf8proc_ssize_t count =
		utf8proc_decompose_char(character, parts, (utf8proc_ssize_t)SMS_COUNT(parts),
					UTF8PROC_DECOMPOSE | UTF8PROC_STRIPMARK, &boundary);

	return count == 1 && septets_of(parts[0]) ? parts[0] : character;
}

/* Writes what goes out for the character; never longer than three bytes for one that had fewer. */
static size_t strip_one(int32_t character, char *out)
{
	const char *stand_in = stand_in_find(character);

	if (septets_of(character) == 0 && stand_in != NULL) {
		memcpy(out, stand_in, strlen(stand_in));
		return strlen(stand_in);
	}
	if (septets_of(character) == 0)
		character = without_accent(character);
	return (size_t)utf8proc_encode_char(character, (utf8proc_uint8_t *)out);
}

/* Composed first: an n with a combining tilde is the ñ that the alphabet has. */
static pa_str strip(const struct sms *self, pa_call *call, pa_str text)
{
	utf8proc_uint8_t *composed = NULL;
	utf8proc_ssize_t len =
		utf8proc_map((const utf8proc_uint8_t *)text.ptr, (utf8proc_ssize_t)text.len,
			     &composed, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	pa_str rest = len < 0 ? text : (pa_str){(const char *)composed, (size_t)len};
	char *out = self->host->alloc(call, 4 * rest.len + 1);
	size_t at = 0;

	while (rest.len)
		at += strip_one(next_character(&rest), out + at);
	free(composed);
	return (pa_str){out, at};
}

pa_status sms_fit(const struct sms *self, pa_call *call, pa_str text, pa_str *ret, pa_error *err)
{
	size_t count = 0;

	if (text.len == 0)
		return sms_fail(err, PA_REJECTED, "body is missing");
	if (text.len > MAX_TEXT)
		return sms_fail(err, PA_REJECTED, "body does not fit into one SMS");
	if (!is_valid(text))
		return sms_fail(err, PA_REJECTED, "body is not UTF-8");
	if (self->strips_accents)
		text = strip(self, call, text);
	if (sms_gsm_septets(text, &count) && count > PART_SEPTETS)
		return sms_fail(err, PA_REJECTED, "body has %zu septets, one SMS has %d", count,
				PART_SEPTETS);
	if (!sms_gsm_septets(text, &count) && units_of(text) > PART_UNITS)
		return sms_fail(err, PA_REJECTED,
				"body has characters outside of GSM 03.38 and %zu units, one such "
				"SMS has %d",
				units_of(text), PART_UNITS);
	*ret = text;
	return PA_OK;
}
