/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "identity/identity.h"
#include "io/crypto.h"

#include <string.h>

static const struct identity_settings settings = {
	.code_channel = "sms",
	.code_ttl_ns = 5 * NS_PER_MINUTE,
	.code_tries = 3,
	.lock_ns = 30 * NS_PER_MINUTE,
	.session_idle_ns = 15 * NS_PER_MINUTE,
	.session_max_ns = 60 * NS_PER_MINUTE,
	.mobile_settle_days = 5,
};

static void tag(void *arg, const char *purpose, pa_str data, uint8_t out[16])
{
	struct key key = {{1}}, sub;

	(void)arg;
	key_derive(&key, purpose, &sub);
	keyed_tag(&sub, data, out);
}

static const struct identity_tags tags = {tag, NULL, 7};

#define START (INT64_C(1795000000) * NS_PER_S)

static void test_documents_as_people_type_them(void **state)
{
	static const struct {
		const char *text;
		enum document_reading want;
		const char *number;
	} table[] = {
		{"1032456789", DOCUMENT_OK, "1032456789"},
		{"1.032.456.789", DOCUMENT_OK, "1032456789"},
		{"1 032 456 789", DOCUMENT_OK, "1032456789"},
		{"52.123.456", DOCUMENT_OK, "52123456"},
		{"52,123,456", DOCUMENT_OK, "52123456"},
		{"1'032.456.789", DOCUMENT_OK, "1032456789"},
		{"es 1\u2019032.456.789 señorita", DOCUMENT_OK, "1032456789"},
		{"1\u00a0032\u00a0456\u00a0789", DOCUMENT_OK, "1032456789"},
		{"CC 52123456", DOCUMENT_OK, "52123456"},
		{"c.c. 52.123.456", DOCUMENT_OK, "52123456"},
		{"Mi cédula es la 52123456.", DOCUMENT_OK, "52123456"},
		{"mi cedula es 52 123 456 gracias", DOCUMENT_OK, "52123456"},
		{"52-123-456", DOCUMENT_OK, "52123456"},
		{"10 32 45 67 89", DOCUMENT_OK, "1032456789"},
		{"cédula 52123456 de 1985", DOCUMENT_OK, "52123456"},
		{"0052123456", DOCUMENT_OK, "52123456"},
		{"123", DOCUMENT_OK, "123"},
		{"123456", DOCUMENT_OK, "123456"},
		{"1234", DOCUMENT_LAST4, "1234"},
		{"termina en 4821", DOCUMENT_LAST4, "4821"},
		{"123456789", DOCUMENT_UNLIKELY, "123456789"},
		{"3001234567", DOCUMENT_UNLIKELY, "3001234567"},
		{"CE 354123", DOCUMENT_OK, "354123"},
		{"cédula de extranjería 35412", DOCUMENT_OK, "35412"},
		{"12", DOCUMENT_LENGTH, NULL},
		{"12345678901", DOCUMENT_LENGTH, NULL},
		{"4539148803436467", DOCUMENT_LENGTH, NULL},
		{"10e2456", DOCUMENT_LETTERS, NULL},
		{"52O12345", DOCUMENT_LETTERS, NULL},
		{"no me la sé", DOCUMENT_NONE, NULL},
		{"", DOCUMENT_NONE, NULL},
		{"TI 1032456789", DOCUMENT_MINOR, NULL},
		{"tarjeta de identidad 1032456789", DOCUMENT_MINOR, NULL},
		{"registro civil 1032456789", DOCUMENT_MINOR, NULL},
		{"pasaporte AB123456", DOCUMENT_FOREIGN, NULL},
		{"PPT 1234567", DOCUMENT_FOREIGN, NULL},
	};
	struct arena *arena = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		struct document document = {{0}, {0}};
		enum document_reading got =
			document_read(arena, str_from(table[i].text), &document);

		if (got != table[i].want)
			print_error("\"%s\": %d\n", table[i].text, (int)got);
		assert_int_equal(got, table[i].want);
		if (table[i].number)
			assert_string_equal(document.number, table[i].number);
	}
	arena_free(arena);
}

static void test_codes_inside_sentences(void **state)
{
	static const struct {
		const char *text;
		enum code_reading want;
		const char *code;
	} table[] = {
		{"123456", CODE_OK, "123456"},
		{" 123456 ", CODE_OK, "123456"},
		{"123 456", CODE_OK, "123456"},
		{"12 34 56", CODE_OK, "123456"},
		{"1 2 3 4 5 6", CODE_OK, "123456"},
		{"el código es 123456", CODE_OK, "123456"},
		{"Es 123 456, gracias", CODE_OK, "123456"},
		{"es 12 34 56 gracias", CODE_OK, "123456"},
		{"1 2 3 4 5 6 si", CODE_OK, "123456"},
		{"a las 12 y 34 56 78", CODE_LENGTH, NULL},
		{"ProAlto: su codigo es 040404 para consultar. Dura 5 minutos.", CODE_OK, "040404"},
		{"12345", CODE_LENGTH, NULL},
		{"1234567", CODE_LENGTH, NULL},
		{"123456 o 654321", CODE_LENGTH, NULL},
		{"no me llegó", CODE_NONE, NULL},
		{"", CODE_NONE, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		char code[CODE_DIGITS + 1] = "";

		if (code_read(str_from(table[i].text), code) != table[i].want)
			print_error("\"%s\"\n", table[i].text);
		assert_int_equal(code_read(str_from(table[i].text), code), table[i].want);
		if (table[i].code)
			assert_string_equal(code, table[i].code);
	}
}

static struct identity begun(const char *number)
{
	struct identity identity = {0};
	struct document document = {.type = "CC"};

	memcpy(document.number, number, strlen(number));
	assert_int_equal(identity_begin(&identity, &settings, &tags, &document, false, START),
			 BEGUN);
	return identity;
}

/* SF-03: six digits, one use, five minutes, three tries, bound to chat and serial. */
static void test_SF_03_codes(void **state)
{
	struct identity identity = begun("52123456"), copy;
	struct identity_tags elsewhere = tags;
	char code[CODE_DIGITS + 1];

	(void)state;
	identity_make_code(&identity, &settings, &tags, START, code);
	assert_int_equal(strlen(code), 6);
	copy = identity;
	elsewhere.conversation = 8;
	assert_int_equal(identity_try_code(&copy, &settings, &elsewhere, code, START + 1),
			 TRY_WRONG);
	copy = identity;
	assert_int_equal(
		identity_try_code(&copy, &settings, &tags, code, START + 5 * NS_PER_MINUTE),
		TRY_EXPIRED);
	assert_int_equal(copy.tries_left, 3);
	copy = identity;
	identity_renew(&copy, &settings, START);
	assert_int_equal(identity_try_code(&copy, &settings, &tags, code, START + 1), TRY_WRONG);
	copy = identity;
	assert_int_equal(identity_try_code(&copy, &settings, &tags, code, START + 1), TRY_RIGHT);
	assert_true(identity_is_verified(&copy, &settings, START + 2));
}

static void test_leaving_and_coming_back_gives_no_tries(void **state)
{
	struct identity identity = begun("52123456");
	struct document document = {"CC", "52123456"};

	(void)state;
	identity_try_code(&identity, &settings, &tags, "000000", START);
	identity_end(&identity);
	identity_begin(&identity, &settings, &tags, &document, false, START + NS_PER_MINUTE);
	assert_int_equal(identity.tries_left, 2);
	identity_try_code(&identity, &settings, &tags, "000000", START + NS_PER_MINUTE);
	assert_int_equal(
		identity_try_code(&identity, &settings, &tags, "000000", START + NS_PER_MINUTE),
		TRY_LOCKS);
	assert_true(identity_locked_until(&identity, START + 2 * NS_PER_MINUTE) > 0);
	assert_int_equal(identity_locked_until(&identity, START + 32 * NS_PER_MINUTE), 0);
}

static void test_sessions_lapse_and_keep_the_document(void **state)
{
	struct identity identity = begun("52123456");
	char code[CODE_DIGITS + 1];

	(void)state;
	identity_make_code(&identity, &settings, &tags, START, code);
	identity_try_code(&identity, &settings, &tags, code, START);
	assert_false(identity_lapse(&identity, &settings, START + 14 * NS_PER_MINUTE));
	assert_true(identity_lapse(&identity, &settings, START + 15 * NS_PER_MINUTE));
	assert_int_equal(identity.stage, STAGE_NOBODY);
	assert_true(str_equal(identity_last3(&identity), PA_STR("456")));
	identity_changed_hands(&identity);
	assert_true(str_is_absent(identity_last3(&identity)));
}

static void test_what_the_core_says_of_a_document(void **state)
{
	int64_t today = START / NS_PER_DAY;
	pa_customer customer = {.size = sizeof(customer), .mobile = {"573001234567", 12}};
	bool is_registered;

	(void)state;
	assert_int_equal(
		identity_match(&settings, NULL, PA_STR("573001234567"), START, &is_registered),
		MATCH_NOBODY);
	assert_int_equal(
		identity_match(&settings, &customer, PA_STR("573001234567"), START, &is_registered),
		MATCH_SEND);
	assert_true(is_registered);
	assert_int_equal(identity_match(&settings, &customer, PA_STR_ABSENT, START, &is_registered),
			 MATCH_SEND);
	assert_false(is_registered);
	customer.mobile_since = (pa_number){.value = today - 3, .is_known = 1};
	assert_int_equal(
		identity_match(&settings, &customer, PA_STR("573001234567"), START, &is_registered),
		MATCH_PERSON);
	customer.mobile_since.value = today - 6;
	assert_int_equal(
		identity_match(&settings, &customer, PA_STR("573001234567"), START, &is_registered),
		MATCH_SEND);
	customer.mobile = PA_STR_ABSENT;
	assert_int_equal(
		identity_match(&settings, &customer, PA_STR("573001234567"), START, &is_registered),
		MATCH_NOBODY);
}

static void test_state_as_bytes_and_back(void **state)
{
	struct identity identity = begun("52123456"), back;
	struct buf buf PA_CLEANUP(buf_done) = BUF_INIT(4096);

	(void)state;
	identity.customer_id = PA_STR("c-1");
	identity.first_name = PA_STR("Ana");
	identity.mobile_tail = PA_STR("67");
	identity.device_key = PA_STR("k");
	identity.is_registered = true;
	identity.locked_until_ns = 5;
	identity.stray_codes = 2;
	identity_pack(&buf, &identity);
	assert_true(identity_unpack(buf_str(&buf), &back));
	assert_int_equal(back.stage, STAGE_CODE);
	assert_string_equal(back.document.number, "52123456");
	assert_memory_equal(back.code_hash, identity.code_hash, IDENTITY_TAG_BYTES);
	assert_memory_equal(back.person, identity.person, IDENTITY_TAG_BYTES);
	assert_true(str_equal(back.customer_id, identity.customer_id));
	assert_true(str_equal(back.mobile_tail, identity.mobile_tail));
	assert_int_equal(back.code_until_ns, identity.code_until_ns);
	assert_int_equal(back.tries_left, 3);
	assert_int_equal(back.stray_codes, 2);
	assert_int_equal(back.serial, identity.serial);
	assert_true(back.is_registered);
	assert_false(identity_unpack(PA_STR("\xff\xff"), &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents_as_people_type_them),
		cmocka_unit_test(test_codes_inside_sentences),
		cmocka_unit_test(test_SF_03_codes),
		cmocka_unit_test(test_leaving_and_coming_back_gives_no_tries),
		cmocka_unit_test(test_sessions_lapse_and_keep_the_document),
		cmocka_unit_test(test_what_the_core_says_of_a_document),
		cmocka_unit_test(test_state_as_bytes_and_back),
	};

	if (crypto_init() != PA_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
