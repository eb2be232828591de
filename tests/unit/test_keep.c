/* SPDX-License-Identifier: Apache-2.0
 *
 * media/keep.h against a real PostgreSQL: what is kept comes back whole under the person's key,
 * once a person, and only for the node that has it in hand. And media/fetcher.h's comparison of
 * digests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "io/crypto.h"
#include "io/migrate.h"
#include "media/fetcher.h"
#include "media/keep.h"
#include "support/pg.h"

#include <string.h>
#include <sys/mman.h>

#define DSN "dbname=test_keep user=proalto"
#define NODE 7
#define CONTENT 600000 /* three pieces */
#define CHANNEL 1

struct fixture {
	struct arena *arena;
	struct keyring *ring;
	struct db *db;
};

static void execute(const char *conninfo, const char *text)
{
	pa_error err = ERROR_INIT;
	struct db *db = NULL;

	if (db_open(conninfo, "test_keep", NULL, &db, &err) != PA_OK ||
	    db_simple(db, text, &err) != PA_OK)
		fail_msg("%s: %s", text, error_text(&err));
	db_close(db);
}

static void execute_roles(void)
{
	static char text[1 << 14];
	FILE *file = fopen("sql/roles.sql", "re");
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	execute("dbname=test", text);
}

static int set_up(void **state)
{
	static const char *const sets[] = {"files", "turn", NULL};
	struct fixture *f = calloc(1, sizeof(*f));
	struct migration_list list = {0};
	pa_error err = ERROR_INIT;
	struct key key;
	char master[KEY_BYTES] = "not much of a key, but a key";

	assert_int_equal(crypto_init(), PA_OK);
	f->arena = arena_new((size_t)64 << 20);
	f->ring = keyring_new((pa_str){master, sizeof(master)});
	key_random(&key);
	keyring_set_store(f->ring, &key);
	execute("dbname=test", "DROP DATABASE IF EXISTS test_keep");
	execute_roles();
	execute("dbname=test", "CREATE DATABASE test_keep OWNER proalto_owner");
	if (migrate_apply(f->arena, "dbname=test_keep user=proalto_owner", "sql/migrations", &list,
			  &err) != PA_OK ||
	    db_open(DSN, "test_keep", sets, &f->db, &err) != PA_OK)
		fail_msg("%s", error_text(&err));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	db_close(f->db);
	keyring_free(f->ring);
	arena_free(f->arena);
	free(f);
	return 0;
}

static int empty(void **state)
{
	(void)state;
	execute("dbname=test_keep", "TRUNCATE proalto.contact, proalto.node, proalto.file CASCADE");
	return 0;
}

static const char *hex(struct fixture *f, pa_str bytes)
{
	return arena_format(f->arena, "%.*s", PA_FMT(hex_encode(f->arena, bytes))).ptr;
}

static struct contact *add_contact(struct fixture *f, int64_t id)
{
	struct contact *contact;
	struct key key;

	key_random(&key);
	contact = contact_new(id, &key, PA_STR("573000000000"), PA_STR_ABSENT);
	execute(DSN,
		arena_format(f->arena,
			     "INSERT INTO proalto.contact (id, created_at, sealed_key, who) VALUES"
			     " (%lld, now(), '\\x%s', '\\x%s')",
			     (long long)id,
			     hex(f, contact_seal_key(contact, keyring_in_force(f->ring), f->arena)),
			     hex(f, contact_seal_who(contact, f->arena)))
			.ptr);
	return contact;
}

static void add_file(struct fixture *f, const struct contact *contact, int64_t id)
{
	pa_str claim = seal_arena(f->arena, &contact->key, PA_STR("file"), PA_STR("a claim"));

	execute(DSN, arena_format(f->arena,
				  "INSERT INTO proalto.file (id, at, conversation_id, inbox_id,"
				  " channel, state, due, expires, claim) VALUES (%lld, now(), %lld,"
				  " %lld, %d, 0, '-infinity', 'infinity', '\\x%s')",
				  (long long)id, (long long)conversation_id(contact->id, CHANNEL),
				  (long long)id, CHANNEL, hex(f, claim))
			     .ptr);
}

static pa_status claim(struct fixture *f, struct kept_file *file, int64_t node)
{
	static const int16_t channels[] = {CHANNEL};
	pa_str said;
	pa_status status;

	*file = (struct kept_file){.db = f->db,
				   .ring = f->ring,
				   .arena = f->arena,
				   .node = node,
				   .fd = -1,
				   .clean = -1,
				   .reason = PA_STR_ABSENT};
	status = keep_claim(file, channels, 1, &said, NULL);
	if (status == PA_OK && file->contact)
		assert_true(said.len == 7 && memcmp(said.ptr, "a claim", 7) == 0);
	return status;
}

/* As if it had come and been found sound. */
static void fill(struct kept_file *file, uint8_t seed)
{
	static uint8_t bytes[CONTENT];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251 + seed);
	file->fd = memfd_create("test", MFD_CLOEXEC);
	file->len = sizeof(bytes);
	assert_int_equal(write(file->fd, bytes, sizeof(bytes)), sizeof(bytes));
	sha256((pa_str){(const char *)bytes, sizeof(bytes)}, file->digest);
	file->record = (struct inspect_record){.kind = INSPECT_PDF, .pages = 1};
}

/* One line that psql prints. */
static pa_str said_by_store(struct fixture *f, const char *query)
{
	char *out = arena_alloc(f->arena, 4 * CONTENT);
	FILE *psql;
	size_t len;

	assert_int_equal(setenv("QUERY", query, 1), 0);
	psql = popen("psql -XAtq -d test_keep -c \"SET search_path = proalto\" -c \"$QUERY\"", "r");
	assert_non_null(psql);
	len = fread(out, 1, 4 * CONTENT, psql);
	assert_int_equal(pclose(psql), 0);
	return (pa_str){out, len ? len - 1 : 0};
}

static void expect_said(struct fixture *f, const char *query, const char *wanted)
{
	pa_str said = said_by_store(f, query);

	assert_string_equal(arena_format(f->arena, "%.*s", PA_FMT(said)).ptr, wanted);
}

/* Opens the pieces in their order; the digest of what comes out. */
static void read_back(struct fixture *f, const struct contact *contact, uint8_t *ret_digest)
{
	pa_str rest =
		said_by_store(f, "SELECT encode(header, 'hex') FROM file WHERE id = 1 UNION ALL"
				 " (SELECT encode(bytes, 'hex') FROM file_piece WHERE file_id"
				 " = 1 ORDER BY number)");
	struct buf plain PA_CLEANUP(buf_done) = BUF_INIT(2 * CONTENT);
	struct stream stream;
	bool is_last = false;
	pa_str line;

	assert_int_equal(hex_decode(f->arena, str_split(&rest, '\n'), &line), PA_OK);
	assert_int_equal(line.len, STREAM_HEADER_BYTES);
	assert_int_equal(stream_open_begin(&stream, &contact->key, (const uint8_t *)line.ptr),
			 PA_OK);
	while (rest.len) {
		char *out;

		assert_false(is_last);
		assert_int_equal(hex_decode(f->arena, str_split(&rest, '\n'), &line), PA_OK);
		out = arena_alloc(f->arena, line.len);
		assert_int_equal(stream_open(&stream, PA_STR("file"), line, out, &is_last), PA_OK);
		buf_add(&plain, (pa_str){out, line.len - STREAM_OVERHEAD});
	}
	assert_true(is_last);
	sha256(buf_str(&plain), ret_digest);
}

static void test_what_is_kept_comes_back(void **state)
{
	struct fixture *f = *state;
	struct contact *contact = add_contact(f, 1);
	struct kept_file file PA_CLEANUP(kept_file_done) = {.fd = -1, .clean = -1};
	uint8_t digest[DIGEST_BYTES];

	add_file(f, contact, 1);
	assert_int_equal(claim(f, &file, NODE), PA_OK);
	assert_int_equal(file.tries, 1);
	fill(&file, 0);
	assert_int_equal(keep_result(&file, NULL), PA_OK);
	assert_false(file.has_told);
	expect_said(f, "SELECT state, verdict, kind, pages, bytes, owner FROM file",
		    "1|0|3|1|600000|");
	expect_said(f, "SELECT count(*) FROM file_piece", "3");
	read_back(f, contact, digest);
	assert_memory_equal(digest, file.digest, DIGEST_BYTES);
	contact_unref(contact);
}

static void keep_one(struct fixture *f, uint8_t seed)
{
	struct kept_file file PA_CLEANUP(kept_file_done) = {.fd = -1, .clean = -1};

	assert_int_equal(claim(f, &file, NODE), PA_OK);
	fill(&file, seed);
	assert_int_equal(keep_result(&file, NULL), PA_OK);
}

static void test_equal_files_are_one(void **state)
{
	struct fixture *f = *state;
	struct contact *one = add_contact(f, 1), *other = add_contact(f, 2);

	add_file(f, one, 1);
	keep_one(f, 0);
	add_file(f, one, 2);
	keep_one(f, 0);
	add_file(f, one, 3);
	keep_one(f, 1);
	add_file(f, other, 4);
	keep_one(f, 0);
	expect_said(
		f,
		"SELECT string_agg(concat_ws(':', id, state, same_as), ' ' ORDER BY id) FROM file",
		"1:1 2:4:1 3:1 4:1");
	expect_said(f, "SELECT string_agg(DISTINCT file_id::text, ' ') FROM file_piece", "1 3 4");
	contact_unref(one);
	contact_unref(other);
}

/* Whoever lost it in between leaves nothing behind. */
static void test_another_node_has_it(void **state)
{
	struct fixture *f = *state;
	struct contact *contact = add_contact(f, 1);
	struct kept_file slow PA_CLEANUP(kept_file_done) = {.fd = -1, .clean = -1};
	struct kept_file quick PA_CLEANUP(kept_file_done) = {.fd = -1, .clean = -1};
	pa_error err = ERROR_INIT;

	add_file(f, contact, 1);
	execute(DSN,
		"INSERT INTO proalto.node (id, name, alive_until) VALUES (7, 'a', 'infinity')");
	assert_int_equal(claim(f, &slow, NODE), PA_OK);
	assert_int_equal(claim(f, &quick, NODE + 1), PA_DEADLINE);
	execute(DSN, "UPDATE proalto.node SET alive_until = '-infinity'");
	kept_file_done(&quick);
	assert_int_equal(claim(f, &quick, NODE + 1), PA_OK);
	assert_int_equal(quick.tries, 2);
	fill(&slow, 0);
	assert_int_equal(keep_result(&slow, &err), PA_RETRY);
	assert_string_equal(error_text(&err), "another node has the file");
	expect_said(f, "SELECT count(*) FROM file_piece", "0");
	fill(&quick, 0);
	assert_int_equal(keep_result(&quick, NULL), PA_OK);
	expect_said(f, "SELECT state, count(*) FROM file, file_piece GROUP BY state", "1|3");
	contact_unref(contact);
}

static void test_erased_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct contact *contact = add_contact(f, 1);
	struct kept_file file PA_CLEANUP(kept_file_done) = {.fd = -1, .clean = -1};

	add_file(f, contact, 1);
	execute(DSN, "UPDATE proalto.contact SET sealed_key = NULL, who = NULL");
	assert_int_equal(claim(f, &file, NODE), PA_OK);
	assert_null(file.contact);
	assert_int_equal(keep_nothing(&file, NULL), PA_OK);
	expect_said(f, "SELECT state FROM file", "3");
	expect_said(f, "SELECT count(*) FROM work", "0");
	contact_unref(contact);
}

/* A master key that is not here yet is no reason to drop a file. */
static void test_a_key_that_does_not_open(void **state)
{
	struct fixture *f = *state;
	struct contact *contact = add_contact(f, 1);
	struct kept_file file PA_CLEANUP(kept_file_done) = {.fd = -1, .clean = -1};

	add_file(f, contact, 1);
	execute(DSN, "UPDATE proalto.contact SET sealed_key = substr(sealed_key, 2) || '\\x00'");
	assert_int_equal(claim(f, &file, NODE), PA_RETRY);
	expect_said(f, "SELECT state, owner, due > now(), reason FROM file",
		    "0||t|the person's key can't be opened");
	contact_unref(contact);
}

static void test_digests(void **state)
{
	static const char abc_hex[] =
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	uint8_t digest[DIGEST_BYTES];

	(void)state;
	sha256(PA_STR("abc"), digest);
	assert_true(file_digest_fits(PA_STR(""), digest));
	assert_true(file_digest_fits(PA_STR_ABSENT, digest));
	assert_true(file_digest_fits(str_from(abc_hex), digest));
	assert_true(
		file_digest_fits(PA_STR("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="), digest));
	assert_true(
		file_digest_fits(PA_STR("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"), digest));
	assert_false(
		file_digest_fits(PA_STR("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa1="), digest));
	assert_false(file_digest_fits(PA_STR("ba78"), digest));
	assert_false(file_digest_fits(PA_STR("!"), digest));
	digest[0] ^= 1;
	assert_false(file_digest_fits(str_from(abc_hex), digest));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_is_kept_comes_back, empty),
		cmocka_unit_test_setup(test_equal_files_are_one, empty),
		cmocka_unit_test_setup(test_another_node_has_it, empty),
		cmocka_unit_test_setup(test_erased_meanwhile, empty),
		cmocka_unit_test_setup(test_a_key_that_does_not_open, empty),
		cmocka_unit_test(test_digests),
	};

	(void)argc;
	pg_require(argv);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
