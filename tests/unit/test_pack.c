/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pack.h"
#include "support/check.h"

#include <stdlib.h>
#include <string.h>

static const int64_t integers[] = {
	0, 1, -1, 63, 64, -64, -65, 127, 128, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN,
};
static const pa_str slices[] = {
	{NULL, 0}, {"", 0}, {"a", 1}, {"\0\x80\xff", 3}, {"un texto más largo", 19},
};

#define INTEGER_FIELD(i) ((uint32_t)(i) + 1)
#define SLICE_FIELD(i) ((uint32_t)(i) + 1000)
#define NESTED_FIELD UINT32_MAX

static void write_record(struct buf *buf)
{
	size_t nested;

	for (size_t i = 0; i < ARRAY_COUNT(integers); i++)
		pack_int(buf, INTEGER_FIELD(i), integers[i]);
	nested = pack_begin(buf, NESTED_FIELD);
	pack_int(buf, 1, 42);
	pack_end(buf, nested);
	for (size_t i = 0; i < ARRAY_COUNT(slices); i++)
		pack_str(buf, SLICE_FIELD(i), slices[i]);
}

static void test_round_trip(void **state)
{
	struct buf buf PA_CLEANUP(buf_done) = BUF_INIT(4096);
	struct unpack in;

	(void)state;
	write_record(&buf);
	in = unpack_from(buf_str(&buf));
	for (size_t i = 0; i < ARRAY_COUNT(integers); i++) {
		if (integers[i] == 0)
			continue; /* zeros are left out */
		assert_true(unpack_next(&in));
		assert_int_equal(in.field, INTEGER_FIELD(i));
		assert_true(in.integer == integers[i]);
		assert_true(str_is_absent(in.str));
	}
	assert_true(unpack_next(&in));
	assert_true(in.field == NESTED_FIELD);
	{
		struct unpack nested = unpack_from(in.str);

		assert_true(unpack_next(&nested));
		assert_int_equal(nested.integer, 42);
		assert_false(unpack_next(&nested));
		assert_false(nested.is_broken);
	}
	for (size_t i = 1; i < ARRAY_COUNT(slices); i++) {
		assert_true(unpack_next(&in));
		assert_int_equal(in.field, SLICE_FIELD(i));
		expect_str(in.str, slices[i]);
		assert_int_equal(in.integer, 0);
	}
	assert_false(unpack_next(&in));
	assert_false(in.is_broken);
}

/* Reads all there is; every slice must lie inside. Returns the number of fields. */
static size_t read_all(pa_str bytes, bool *ret_broken)
{
	struct unpack in = unpack_from(bytes);
	size_t count = 0;

	while (unpack_next(&in)) {
		count++;
		if (in.str.ptr) {
			assert_true(in.str.ptr >= bytes.ptr);
			assert_true(in.str.len <= bytes.len);
			assert_true(in.str.ptr + in.str.len <= bytes.ptr + bytes.len);
		}
		assert_true(count <= bytes.len);
	}
	*ret_broken = in.is_broken;
	assert_false(unpack_next(&in)); /* stays at the end */
	return count;
}

/* A record that ends between two fields is a shorter record; within a field it is broken. Each copy
 * has exactly its size, so that a sanitizer sees a read beyond it. */
static void test_every_truncation(void **state)
{
	struct buf buf PA_CLEANUP(buf_done) = BUF_INIT(4096);
	size_t whole, ends = 0;
	bool broken;

	(void)state;
	write_record(&buf);
	whole = read_all(buf_str(&buf), &broken);
	assert_false(broken);
	for (size_t len = 0; len < buf.len; len++) {
		char *copy = malloc(len + !len);

		assert_non_null(copy);
		memcpy(copy, buf.data, len);
		assert_true(read_all((pa_str){copy, len}, &broken) < whole);
		ends += !broken;
		free(copy);
	}
	assert_int_equal(ends, whole);
}

static void test_random_bytes(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)(rand_r(&seed) % 64);
		char *bytes = malloc(len + !len);
		bool broken;

		assert_non_null(bytes);
		for (size_t i = 0; i < len; i++)
			bytes[i] = (char)rand_r(&seed);
		read_all((pa_str){bytes, len}, &broken);
		free(bytes);
	}
}

static void test_nonsense_is_broken(void **state)
{
	static const pa_str cases[] = {
		{"\x80", 1},                                           /* half a tag */
		{"\x08", 1},                                           /* no value */
		{"\x0a\x05xxxx", 6},                                   /* longer than there is */
		{"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", 12}, /* far longer */
		{"\x09\x01\x01\x01\x01\x01\x01\x01\x01", 9},           /* 64-bit, never written */
		{"\x0d\x01\x01\x01\x01", 5},                           /* 32-bit, never written */
		{"\x0f\x01", 2},                                       /* no such wire type */
		{"\x88\x80\x80\x80\x80\x01\x01", 7},                   /* field beyond 32 bits */
		{"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12}, /* 11 bytes */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		bool broken = false;

		assert_int_equal(read_all(cases[i], &broken), 0);
		if (!broken)
			fail_msg("case %zu reads as a record", i);
	}
	{
		bool broken = true;

		assert_int_equal(read_all(PA_STR_ABSENT, &broken), 0);
		assert_false(broken);
	}
}

/* A record that does not fit whole is marked, at whatever byte the room ends. */
static void test_full_buf_is_over(void **state)
{
	struct buf all PA_CLEANUP(buf_done) = BUF_INIT(4096);

	(void)state;
	write_record(&all);
	for (size_t cap = 0; cap <= all.len; cap++) {
		struct buf buf PA_CLEANUP(buf_done) = BUF_INIT(cap);

		write_record(&buf);
		assert_int_equal(buf.is_over, cap < all.len);
		assert_true(buf.len <= cap);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),       cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_random_bytes),     cmocka_unit_test(test_nonsense_is_broken),
		cmocka_unit_test(test_full_buf_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
