/* SPDX-License-Identifier: Apache-2.0
 *
 * Sealed archives: what comes back, and that nothing comes back of one that was changed, cut off or
 * made for another code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"
#include "io/archive.h"
#include "support/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LONG_BYTES (3 * ARCHIVE_PIECE + 77)

struct fixture {
	struct recovery_lock lock;
	struct key_pair pair;
	char *long_text;
	int fd;
};

static void write_one(struct fixture *fx)
{
	const struct archive_head head = {.kind = PA_STR("backup"),
					  .version = PA_STR("1"),
					  .node = PA_STR("uno"),
					  .schema = 7,
					  .at_ns = 5,
					  .lock = fx->lock};
	struct archive *a PA_CLEANUP(archive_done) = NULL;
	pa_str rest = {fx->long_text, LONG_BYTES};

	assert_int_equal(archive_create(fx->fd, &head, &a, NULL), PA_OK);
	assert_int_equal(archive_member(a, PA_STR("short"), NULL), PA_OK);
	assert_int_equal(archive_write(a, PA_STR("hola"), NULL), PA_OK);
	assert_int_equal(archive_member(a, PA_STR("empty"), NULL), PA_OK);
	assert_int_equal(archive_member(a, PA_STR("long"), NULL), PA_OK);
	while (rest.len) {
		assert_int_equal(archive_write(a, str_slice(rest, 0, 1000), NULL), PA_OK);
		rest = str_slice(rest, 1000, SIZE_MAX);
	}
	assert_int_equal(archive_member(a, PA_STR(""), NULL), PA_BUG);
	assert_int_equal(archive_finish(a, NULL), PA_OK);
}

static int set_up(void **state)
{
	static struct fixture fx;
	char code[RECOVERY_CODE_ROOM];

	assert_int_equal(crypto_init(), PA_OK);
	recovery_code(code);
	assert_int_equal(recovery_lock_new(str_from(code), &fx.lock, NULL), PA_OK);
	assert_int_equal(recovery_unlock(str_from(code), &fx.lock, &fx.pair, NULL), PA_OK);
	fx.long_text = malloc(LONG_BYTES);
	assert_non_null(fx.long_text);
	random_fill(fx.long_text, LONG_BYTES);
	fx.fd = memfd_create("archive", MFD_CLOEXEC);
	assert_true(fx.fd >= 0);
	write_one(&fx);
	*state = &fx;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fx = *state;

	close(fx->fd);
	free(fx->long_text);
	return 0;
}

static size_t size_of(int fd)
{
	return (size_t)lseek(fd, 0, SEEK_END);
}

/* Reads all of it; how many members it had. */
static pa_status read_through(int fd, const struct key_pair *pair, size_t *ret_members)
{
	struct archive *a PA_CLEANUP(archive_done) = NULL;
	struct archive_head head;
	pa_error err = ERROR_INIT;
	pa_str text;
	bool is_end = false;
	pa_status status;

	*ret_members = 0;
	lseek(fd, 0, SEEK_SET);
	status = archive_open(fd, &a, &head, &err);
	if (status == PA_OK)
		status = archive_unlock(a, pair, &err);
	while (status == PA_OK && !is_end) {
		status = archive_next(a, &text, &is_end, &err);
		*ret_members += status == PA_OK && !is_end;
	}
	if (status != PA_OK)
		assert_true(strlen(error_text(&err)) > 0);
	return status;
}

static void expect_member(struct archive *a, const char *name, pa_str text)
{
	pa_str got;
	bool is_end;

	assert_int_equal(archive_next(a, &got, &is_end, NULL), PA_OK);
	assert_false(is_end);
	assert_true(str_equal(got, str_from(name)));
	for (;;) {
		assert_int_equal(archive_read(a, &got, NULL), PA_OK);
		if (!got.len)
			break;
		assert_true(got.len <= text.len);
		assert_memory_equal(got.ptr, text.ptr, got.len);
		text = str_slice(text, got.len, SIZE_MAX);
	}
	assert_int_equal(text.len, 0);
}

static void test_members_come_back(void **state)
{
	struct fixture *fx = *state;
	struct archive *a PA_CLEANUP(archive_done) = NULL;
	struct archive_head head;
	pa_str name;
	bool is_end;

	lseek(fx->fd, 0, SEEK_SET);
	assert_int_equal(archive_open(fx->fd, &a, &head, NULL), PA_OK);
	assert_true(str_equal(head.kind, PA_STR("backup")));
	assert_true(str_equal(head.node, PA_STR("uno")));
	assert_int_equal(head.schema, 7);
	assert_int_equal(head.at_ns, 5);
	assert_memory_equal(&head.lock, &fx->lock, sizeof(head.lock));
	assert_int_equal(archive_unlock(a, &fx->pair, NULL), PA_OK);
	expect_member(a, "short", PA_STR("hola"));
	expect_member(a, "empty", PA_STR(""));
	expect_member(a, "long", (pa_str){fx->long_text, LONG_BYTES});
	for (int i = 0; i < 2; i++) {
		assert_int_equal(archive_next(a, &name, &is_end, NULL), PA_OK);
		assert_true(is_end);
	}
}

static void test_members_can_be_skipped(void **state)
{
	struct fixture *fx = *state;
	size_t members;

	assert_int_equal(read_through(fx->fd, &fx->pair, &members), PA_OK);
	assert_int_equal(members, 3);
}

static void test_another_pair_opens_nothing(void **state)
{
	struct fixture *fx = *state;
	struct key_pair other;
	struct key seed;
	size_t members;

	key_random(&seed);
	key_pair_from(&seed, &other);
	assert_int_equal(read_through(fx->fd, &other, &members), PA_REJECTED);
	assert_int_equal(members, 0);
}

static void flip(int fd, size_t at)
{
	char byte;

	assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
	byte ^= 0x20;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
}

/* Each byte of the beginning and of the end, and some between. */
static void test_a_changed_byte_is_found(void **state)
{
	struct fixture *fx = *state;
	size_t size = size_of(fx->fd), members;

	for (size_t at = 0; at < size; at += at < 1200 || at + 100 > size ? 1 : 997) {
		flip(fx->fd, at);
		if (read_through(fx->fd, &fx->pair, &members) != PA_REJECTED)
			fail_msg("byte %zu of %zu does not count", at, size);
		flip(fx->fd, at);
	}
	assert_int_equal(read_through(fx->fd, &fx->pair, &members), PA_OK);
}

static void test_a_cut_or_longer_file_is_found(void **state)
{
	struct fixture *fx = *state;
	size_t size = size_of(fx->fd), members;

	assert_int_equal(pwrite(fx->fd, "x", 1, (off_t)size), 1);
	assert_int_equal(read_through(fx->fd, &fx->pair, &members), PA_REJECTED);
	while (size) {
		size -= size > 1500 ? 1009 : 1;
		assert_int_equal(ftruncate(fx->fd, (off_t)size), 0);
		assert_int_equal(read_through(fx->fd, &fx->pair, &members), PA_REJECTED);
	}
}

/* Lengths that the file chose are bounded before anything is made of them. */
static void test_huge_lengths_are_refused(void **state)
{
	static const char huge[4] = "\x7f\xff\xff\xff";
	struct fixture *fx = *state;
	char head[4];
	size_t members, len;

	assert_int_equal(pread(fx->fd, head, 4, 18), 4);
	len = (size_t)(uint8_t)head[2] << 8 | (uint8_t)head[3];
	assert_int_equal(pwrite(fx->fd, huge, 4, (off_t)(18 + 4 + len)), 4);
	assert_int_equal(read_through(fx->fd, &fx->pair, &members), PA_REJECTED);
	assert_int_equal(pwrite(fx->fd, huge, 4, 18), 4);
	assert_int_equal(read_through(fx->fd, &fx->pair, &members), PA_REJECTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		TEST(test_members_come_back),
		TEST(test_members_can_be_skipped),
		TEST(test_another_pair_opens_nothing),
		TEST(test_a_changed_byte_is_found),
		TEST(test_a_cut_or_longer_file_is_found),
		TEST(test_huge_lengths_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
