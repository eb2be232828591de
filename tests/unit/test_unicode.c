/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/unicode.h"
#include "support/check.h"

#include <stdlib.h>
#include <string.h>

#define ROOM (8 << 20)
#define LOST "\xef\xbf\xbd" /* U+FFFD */

static void test_validity_and_repair(void **state)
{
	static const struct {
		pa_str text;
		const char *repaired; /* NULL: valid */
	} cases[] = {
		{{"", 0}, NULL},
		{{"a\0b", 3}, NULL},
		{{"ñandú", 7}, NULL},
		{{"\xf0\x9f\x98\x80", 4}, NULL}, /* U+1F600 */
		{{"\xf4\x8f\xbf\xbf", 4}, NULL}, /* U+10FFFF */
		{{"\xef\xbf\xbd", 3}, NULL},     /* U+FFFD itself */
		{{"\x80", 1}, LOST},             /* lone continuation */
		{{"a\xff"
		  "b",
		  3},
		 "a" LOST "b"},                                 /* never in UTF-8 */
		{{"\xc3", 1}, LOST},                            /* cut short */
		{{"\xc3(", 2}, LOST "("},                       /* no continuation */
		{{"\xe2\x82", 2}, LOST LOST},                   /* cut short */
		{{"\xf0\x9f\x98", 3}, LOST LOST LOST},          /* cut short */
		{{"\xc0\xaf", 2}, LOST LOST},                   /* overlong / */
		{{"\xe0\x80\xaf", 3}, LOST LOST LOST},          /* overlong / */
		{{"\xf0\x80\x80\xaf", 4}, LOST LOST LOST LOST}, /* overlong / */
		{{"\xed\xa0\x80", 3}, LOST LOST LOST},          /* surrogate U+D800 */
		{{"\xed\xbf\xbf", 3}, LOST LOST LOST},          /* surrogate U+DFFF */
		{{"\xf4\x90\x80\x80", 4}, LOST LOST LOST LOST}, /* U+110000 */
		{{"\xf8\x88\x80\x80\x80", 5}, LOST LOST LOST LOST LOST},
	};
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ROOM);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		pa_str got = utf8_repair(arena, cases[i].text);

		if (utf8_is_valid(cases[i].text) != !cases[i].repaired)
			fail_msg("case %zu", i);
		assert_true(utf8_is_valid(got));
		if (cases[i].repaired)
			expect_str(got, str_from(cases[i].repaired));
		else
			assert_ptr_equal(got.ptr, cases[i].text.ptr);
	}
	assert_true(utf8_is_valid(PA_STR_ABSENT));
	expect_str(utf8_repair(arena, PA_STR_ABSENT), PA_STR_ABSENT);
}

static void test_length(void **state)
{
	(void)state;
	assert_int_equal(utf8_length(PA_STR("")), 0);
	assert_int_equal(utf8_length(PA_STR_ABSENT), 0);
	assert_int_equal(utf8_length(PA_STR("abc")), 3);
	assert_int_equal(utf8_length(PA_STR("ñandú 😀")), 7);
}

#define FAMILY "👨\u200d👩\u200d👧" /* 5 code points, one cluster */
#define FLAG "🇨🇴"                /* 2 */

static void test_cut_keeps_clusters_whole(void **state)
{
	static const struct {
		const char *text;
		size_t max;
		const char *wanted;
	} cases[] = {
		{"abc", 0, ""},
		{"abc", 2, "ab"},
		{"abc", 3, "abc"},
		{"abc", 9, "abc"},
		{"", 5, ""},
		{"año", 2, "añ"},
		{"an\u0303o", 2, "a"},
		{"an\u0303o", 3, "an\u0303"},
		{FAMILY, 4, ""},
		{FAMILY, 5, FAMILY},
		{"x" FAMILY "y", 5, "x"},
		{"x" FAMILY "y", 6, "x" FAMILY},
		{FLAG FLAG, 3, FLAG},
		{FLAG FLAG, 4, FLAG FLAG},
		{"1\ufe0f\u20e3", 2, ""},
		{"a\r\nb", 2, "a"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		expect_str(utf8_cut(str_from(cases[i].text), cases[i].max),
			   str_from(cases[i].wanted));
}

static void test_fold(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"HOLA", "hola"},
		{"  sí\t\n por   favor  ", "si por favor"},
		{"ÁÉÍÓÚÜÑ áéíóúüñ", "aeiouun aeiouun"},
		{"n\u0303", "n"},
		{"¡Hola! ¿Cómo está?", "hola como esta"},
		{"sí,gracias", "si gracias"},
		{"hola😀amigo", "hola amigo"},
		{"😀", ""},
		{"👍🏽", ""},
		{FAMILY FLAG, ""},
		{"1\ufe0f\u20e3", "1"},
		{"①②", "12"},
		{"ＡＢＣ１２３", "abc123"},
		{"٠١٢٣٤٥٦٧٨٩", "0123456789"},
		{"०१२३४५६७८९", "0123456789"},
		{"𝟘𝟙 𝟿", "01 9"},
		{"ﬁn", "fin"},
		{"Straße", "strasse"},
		{"1ª vez", "1a vez"},
		{"a\u200bb\u00adc\ufeff", "abc"},
		{"a\u00a0b\u3000c", "a b c"},
		{"1.032.456-7", "1 032 456 7"},
		{"\x01z\x7f", "z"},
		{"a\xff"
		 "b",
		 "a b"},
		{"ПРИВЕТ", "привет"},
		{"İ", "i"},
	};
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ROOM);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		pa_str once = text_fold(arena, str_from(cases[i][0]));

		expect_str(once, str_from(cases[i][1]));
		expect_str(text_fold(arena, once), once);
	}
	expect_str(text_fold(arena, (pa_str){"a\0b", 3}), PA_STR("ab"));
	assert_int_equal(text_fold(arena, PA_STR_ABSENT).len, 0);
}

/* All decimal digits that there are, in order: ten in a row each. */
static void test_fold_knows_every_script_of_digits(void **state)
{
	static const uint32_t zeros[] = {
		0x0030,  0x0660,  0x06F0,  0x07C0,  0x0966,  0x09E6,  0x0A66,  0x0AE6,  0x0B66,
		0x0BE6,  0x0C66,  0x0CE6,  0x0D66,  0x0DE6,  0x0E50,  0x0ED0,  0x0F20,  0x1040,
		0x1090,  0x17E0,  0x1810,  0x1946,  0x19D0,  0x1A80,  0x1A90,  0x1B50,  0x1BB0,
		0x1C40,  0x1C50,  0xA620,  0xA8D0,  0xA900,  0xA9D0,  0xA9F0,  0xAA50,  0xABF0,
		0xFF10,  0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450,
		0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0,
		0x16A60, 0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140,
		0x1E2F0, 0x1E950, 0x1FBF0,
	};
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ROOM);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(zeros); i++) {
		for (uint32_t digit = 0; digit < 10; digit++) {
			uint32_t point = zeros[i] + digit;
			char text[4];
			size_t len = 0;

			if (point < 0x80) {
				text[len++] = (char)point;
			} else if (point < 0x800) {
				text[len++] = (char)(0xC0 | point >> 6);
			} else if (point < 0x10000) {
				text[len++] = (char)(0xE0 | point >> 12);
				text[len++] = (char)(0x80 | (point >> 6 & 0x3F));
			} else {
				text[len++] = (char)(0xF0 | point >> 18);
				text[len++] = (char)(0x80 | (point >> 12 & 0x3F));
				text[len++] = (char)(0x80 | (point >> 6 & 0x3F));
			}
			if (point >= 0x80)
				text[len++] = (char)(0x80 | (point & 0x3F));
			expect_str(text_fold(arena, (pa_str){text, len}),
				   arena_format(arena, "%u", digit));
		}
	}
}

/* Whatever comes in, what comes out is valid, within its bound, and folding is stable. */
static void test_random_bytes(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct arena *arena PA_CLEANUP(arena_done) = arena_new(ROOM);
		size_t len = (size_t)(rand_r(&seed) % 40);
		char *bytes = malloc(len + !len);
		pa_str text = {bytes, len}, folded, cut;

		assert_non_null(bytes);
		for (size_t i = 0; i < len; i++)
			bytes[i] = (char)(rand_r(&seed) % 3 ? 0x80 | rand_r(&seed) : rand_r(&seed));
		assert_true(utf8_is_valid(utf8_repair(arena, text)));
		folded = text_fold(arena, text);
		assert_true(utf8_is_valid(folded));
		cut = utf8_cut(utf8_repair(arena, text), 5);
		assert_true(utf8_is_valid(cut) && utf8_length(cut) <= 5);
		free(bytes);
	}
}

static void test_marks_come_off_and_letters_stay(void **state)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ROOM);

	(void)state;
	expect_str(text_without_marks(arena, PA_STR("Crédito Fácil ÑANDÚ S.A. 🙂")),
		   PA_STR("Credito Facil NANDU S.A. 🙂"));
	expect_str(text_without_marks(arena, PA_STR("")), PA_STR(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_validity_and_repair),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_cut_keeps_clusters_whole),
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_fold_knows_every_script_of_digits),
		cmocka_unit_test(test_marks_come_off_and_letters_stay),
		cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
