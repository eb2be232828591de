/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/crypto.h"
#include "support/check.h"

#include <string.h>

#define ROOM (8 << 20)

static pa_str bytes_of(struct arena *arena, const char *hex)
{
	pa_str bytes = PA_STR_ABSENT;

	assert_int_equal(hex_decode(arena, str_from(hex), &bytes), PA_OK);
	return bytes;
}

static void test_sealed_texts_come_back(void **state)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 1000, 65536};
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ROOM);
	struct key key;

	(void)state;
	key_random(&key);
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
		struct buf buf PA_CLEANUP(buf_done) = BUF_INIT(1 << 20);
		pa_str plain = {arena_alloc(arena, sizes[i]), sizes[i]};
		pa_str sealed, back = PA_STR_ABSENT;

		sealed = seal_arena(arena, &key, PA_STR("inbox"), plain);
		assert_int_equal(sealed.len, sizes[i] + SEAL_OVERHEAD);
		assert_int_equal(unseal(arena, &key, PA_STR("inbox"), sealed, &back), PA_OK);
		expect_str(back, plain);
		assert_int_equal(back.ptr[back.len], 0);
		buf_add(&buf, PA_STR("head"));
		seal(&key, PA_STR("inbox"), plain, &buf);
		sealed = str_slice(buf_str(&buf), 4, buf.len);
		assert_int_equal(unseal(arena, &key, PA_STR("inbox"), sealed, &back), PA_OK);
		expect_str(back, plain);
	}
}

/* The same text never looks the same twice. */
static void test_nonces_differ(void **state)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ROOM);
	struct key key;

	(void)state;
	key_random(&key);
	assert_false(str_equal(seal_arena(arena, &key, PA_STR("a"), PA_STR("same")),
			       seal_arena(arena, &key, PA_STR("a"), PA_STR("same"))));
}

static void test_tampering_is_rejected(void **state)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ROOM);
	pa_str plain = PA_STR("saldo de prueba"), back = PA_STR("untouched"), sealed;
	struct key key, other;
	char *bytes;

	(void)state;
	key_random(&key);
	key_random(&other);
	sealed = seal_arena(arena, &key, PA_STR("inbox"), plain);
	bytes = arena_alloc(arena, sealed.len);
	for (size_t i = 0; i < sealed.len * 8; i++) { /* every bit */
		memcpy(bytes, sealed.ptr, sealed.len);
		bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
		assert_int_equal(
			unseal(arena, &key, PA_STR("inbox"), (pa_str){bytes, sealed.len}, &back),
			PA_REJECTED);
	}
	for (size_t len = 0; len < sealed.len; len++) /* every truncation */
		assert_int_equal(
			unseal(arena, &key, PA_STR("inbox"), str_slice(sealed, 0, len), &back),
			PA_REJECTED);
	assert_int_equal(unseal(arena, &other, PA_STR("inbox"), sealed, &back), PA_REJECTED);
	assert_int_equal(unseal(arena, &key, PA_STR("outbox"), sealed, &back), PA_REJECTED);
	assert_int_equal(unseal(arena, &key, PA_STR(""), sealed, &back), PA_REJECTED);
	assert_int_equal(unseal(arena, &key, PA_STR("inbox"), PA_STR_ABSENT, &back), PA_REJECTED);
	expect_str(back, PA_STR("untouched"));
}

static void test_full_buf_gets_nothing(void **state)
{
	struct buf buf PA_CLEANUP(buf_done) = BUF_INIT(SEAL_OVERHEAD + 3);
	struct key key;

	(void)state;
	key_random(&key);
	seal(&key, PA_STR("a"), PA_STR("four"), &buf);
	assert_true(buf.is_over);
	assert_int_equal(buf.len, 0);
}

/* RFC 4231, test cases 1, 2, 3 and 6 (a key longer than a block). */
static void test_hmac_vectors(void **state)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ROOM);
	char long_key[131], dd[50];
	const struct {
		pa_str key, data;
		const char *hmac;
	} cases[] = {
		{{"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
		  "\x0b",
		  20},
		 PA_STR("Hi There"),
		 "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{PA_STR("Jefe"), PA_STR("what do ya want for nothing?"),
		 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{{"\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
		  "\xaa",
		  20},
		 {dd, sizeof(dd)},
		 "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
		{{long_key, sizeof(long_key)},
		 PA_STR("Test Using Larger Than Block-Size Key - Hash Key First"),
		 "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
	};

	(void)state;
	memset(long_key, 0xaa, sizeof(long_key));
	memset(dd, 0xdd, sizeof(dd));
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		uint8_t out[DIGEST_BYTES];

		hmac_sha256(cases[i].key, cases[i].data, out);
		expect_str(hex_encode(arena, (pa_str){(const char *)out, sizeof(out)}),
			   str_from(cases[i].hmac));
	}
}

/* FIPS 180-4 examples. */
static void test_sha256_vectors(void **state)
{
	static const char *const cases[][2] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ROOM);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		uint8_t out[DIGEST_BYTES];

		sha256(str_from(cases[i][0]), out);
		expect_str(hex_encode(arena, (pa_str){(const char *)out, sizeof(out)}),
			   str_from(cases[i][1]));
	}
}

static void test_keys_and_tags_depend_on_everything(void **state)
{
	struct key key, same, other, derived[3];
	uint8_t tags[4][TAG_BYTES], short_tag[TAG_BYTES];

	(void)state;
	key_random(&key);
	same = key;
	key_random(&other);
	key_derive(&key, "contact address", &derived[0]);
	key_derive(&same, "contact address", &derived[1]);
	assert_memory_equal(&derived[0], &derived[1], sizeof(derived[0]));
	key_derive(&key, "tap", &derived[1]);
	key_derive(&other, "contact address", &derived[2]);
	assert_memory_not_equal(&derived[0], &derived[1], sizeof(derived[0]));
	assert_memory_not_equal(&derived[0], &derived[2], sizeof(derived[0]));
	assert_memory_not_equal(&derived[0], &key, sizeof(derived[0]));

	keyed_tag(&key, PA_STR("573001112233"), tags[0]);
	keyed_tag(&same, PA_STR("573001112233"), tags[1]);
	keyed_tag(&other, PA_STR("573001112233"), tags[2]);
	keyed_tag(&key, PA_STR("573001112234"), tags[3]);
	assert_memory_equal(tags[0], tags[1], TAG_BYTES);
	assert_memory_not_equal(tags[0], tags[2], TAG_BYTES);
	assert_memory_not_equal(tags[0], tags[3], TAG_BYTES);
	keyed_tag(&key, PA_STR("contact address"), short_tag); /* not a piece of a sub-key */
	assert_memory_not_equal(short_tag, &derived[0], TAG_BYTES);

	key_wipe(&key);
	for (size_t i = 0; i < sizeof(key.bytes); i++)
		assert_int_equal(key.bytes[i], 0);
}

static void test_constant_time_equality(void **state)
{
	(void)state;
	assert_true(equal_constant_time(PA_STR("abc"), PA_STR("abc")));
	assert_true(equal_constant_time(PA_STR(""), PA_STR_ABSENT));
	assert_true(equal_constant_time((pa_str){"\0a", 2}, (pa_str){"\0a", 2}));
	assert_false(equal_constant_time((pa_str){"\0a", 2}, (pa_str){"\0b", 2}));
	assert_false(equal_constant_time(PA_STR("abc"), PA_STR("abd")));
	assert_false(equal_constant_time(PA_STR("abc"), PA_STR("ab")));
	assert_false(equal_constant_time(PA_STR("abc"), PA_STR_ABSENT));
}

static void test_hex_is_strict(void **state)
{
	static const char *const refused[] = {"0",  "abc", "AB",  "aB", "0g",
					      "zz", " 00", "00 ", "0x", "0:1"};
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ROOM);
	pa_str back = PA_STR("untouched");

	(void)state;
	expect_str(hex_encode(arena, (pa_str){"\0\x7f\xff", 3}), PA_STR("007fff"));
	expect_str(hex_encode(arena, PA_STR("")), PA_STR(""));
	expect_str(bytes_of(arena, "007fff"), (pa_str){"\0\x7f\xff", 3});
	expect_str(bytes_of(arena, ""), PA_STR(""));
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++)
		assert_int_equal(hex_decode(arena, str_from(refused[i]), &back), PA_REJECTED);
	assert_int_equal(hex_decode(arena, (pa_str){"00\0", 3}, &back), PA_REJECTED);
	expect_str(back, PA_STR("untouched"));
}

static void test_base64url_is_strict(void **state)
{
	static const char *const vectors[][2] = {
		/* RFC 4648 section 10, without padding */
		{"", ""},
		{"f", "Zg"},
		{"fo", "Zm8"},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg"},
		{"fooba", "Zm9vYmE"},
		{"foobar", "Zm9vYmFy"},
		{"\xfb\xff\xfe", "-__-"},
	};
	static const char *const refused[] = {"A",     "Zg==", "Zh",    "Zm9=", "+/+/",
					      "Zm 9v", "Zg\n", "Zm9vY", "Z*g"};
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ROOM);
	pa_str back;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(vectors); i++) {
		expect_str(base64url_encode(arena, str_from(vectors[i][0])),
			   str_from(vectors[i][1]));
		assert_int_equal(base64url_decode(arena, str_from(vectors[i][1]), &back), PA_OK);
		expect_str(back, str_from(vectors[i][0]));
	}
	back = PA_STR("untouched");
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++)
		if (base64url_decode(arena, str_from(refused[i]), &back) != PA_REJECTED)
			fail_msg("%s was decoded", refused[i]);
	expect_str(back, PA_STR("untouched"));
}

/* Each value comes, none beyond, and none far too often. */
static void test_random_below_is_even(void **state)
{
	unsigned counts[10] = {0};
	uint8_t bytes[64] = {0}, zeros[64] = {0};

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint32_t n = random_below(10);

		assert_true(n < 10);
		counts[n]++;
	}
	for (size_t i = 0; i < 10; i++)
		assert_in_range(counts[i], 800, 1200); /* beyond 6 standard deviations */
	assert_int_equal(random_below(1), 0);
	random_fill(bytes, sizeof(bytes));
	assert_memory_not_equal(bytes, zeros, sizeof(bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sealed_texts_come_back),
		cmocka_unit_test(test_nonces_differ),
		cmocka_unit_test(test_tampering_is_rejected),
		cmocka_unit_test(test_full_buf_gets_nothing),
		cmocka_unit_test(test_hmac_vectors),
		cmocka_unit_test(test_sha256_vectors),
		cmocka_unit_test(test_keys_and_tags_depend_on_everything),
		cmocka_unit_test(test_constant_time_equality),
		cmocka_unit_test(test_hex_is_strict),
		cmocka_unit_test(test_base64url_is_strict),
		cmocka_unit_test(test_random_below_is_even),
	};

	if (crypto_init() != PA_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
