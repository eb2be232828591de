/* SPDX-License-Identifier: Apache-2.0 */
#include "io/archive.h"

#include "base/err.h"
#include "base/str.h"
#include "io/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "proalto archive 1\n"
#define MAGIC_BYTES (sizeof(MAGIC) - 1)
#define HEAD_MAX ((size_t)16 << 10)
#define LENGTH_BYTES 4

/* A piece begins with what it is. */
enum { PIECE_NAME = 'n', PIECE_DATA = 'd', PIECE_END = 'e' };
#define PLAIN_MAX (1 + ARCHIVE_PIECE)
#define SEALED_MAX (PLAIN_MAX + STREAM_OVERHEAD)

struct archive {
	int fd;
	struct arena *arena; /* of the head */
	struct stream stream;
	uint8_t head_hash[DIGEST_BYTES]; /* ties the first piece to the head */
	bool has_begun;                  /* the first piece was sealed or opened */
	bool is_over;                    /* the last one was */
	pa_str boxed_key;
	uint8_t stream_header[STREAM_HEADER_BYTES];
	char *plain;
	size_t plain_len; /* what of it is filled: to be written, or read last */
	bool is_unread;   /* the piece read last begins the next member */
	char *sealed;     /* with its length before it */
};

static struct archive *new_archive(int fd)
{
	struct archive *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->fd = fd;
	a->arena = arena_new(4 * HEAD_MAX);
	a->plain = malloc(PLAIN_MAX);
	a->sealed = malloc(LENGTH_BYTES + SEALED_MAX);
	if (!a->plain || !a->sealed)
		abort();
	return a;
}

void archive_free(struct archive *a)
{
	if (!a)
		return;
	stream_wipe(&a->stream);
	bytes_wipe(a->plain, PLAIN_MAX);
	free(a->plain);
	free(a->sealed);
	arena_free(a->arena);
	free(a);
}

void archive_done(struct archive **archive)
{
	archive_free(*archive);
}

static void put_length(char *out, size_t len)
{
	for (int i = 0; i < LENGTH_BYTES; i++)
		out[i] = (char)(len >> 8 * (LENGTH_BYTES - 1 - i));
}

static size_t get_length(const char *in)
{
	size_t len = 0;

	for (int i = 0; i < LENGTH_BYTES; i++)
		len = len << 8 | (uint8_t)in[i];
	return len;
}

/* ---- bytes ---- */

static pa_status write_all(const struct archive *a, const char *bytes, size_t len, pa_error *err)
{
	while (len) {
		ssize_t n = write(a->fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, PA_RETRY, "writing: %s", strerrordesc_np(errno));
		bytes += n;
		len -= (size_t)n;
	}
	return PA_OK;
}

static pa_status read_all(const struct archive *a, char *bytes, size_t len, pa_error *err)
{
	while (len) {
		ssize_t n = read(a->fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, PA_REJECTED, "reading: %s", strerrordesc_np(errno));
		if (n == 0)
			return error_set(err, PA_REJECTED, "the file is cut off");
		bytes += n;
		len -= (size_t)n;
	}
	return PA_OK;
}

/* ---- head ---- */

static void set_hex(struct archive *a, struct json *json, const char *key, const void *bytes,
		    size_t len)
{
	json_set_text(json, key, hex_encode(a->arena, (pa_str){bytes, len}));
}

static pa_str write_head(struct archive *a, const struct archive_head *head)
{
	struct json *json PA_CLEANUP(json_done) = json_object_new();
	struct buf text PA_CLEANUP(buf_done) = BUF_INIT(HEAD_MAX);

	json_set_text(json, "kind", head->kind);
	json_set_text(json, "version", head->version);
	json_set_text(json, "node", head->node);
	json_set_integer(json, "schema", head->schema);
	json_set_integer(json, "at_ns", head->at_ns);
	set_hex(a, json, "salt", head->lock.salt, SALT_BYTES);
	set_hex(a, json, "public", head->lock.public.bytes, KEY_BYTES);
	set_hex(a, json, "key", a->boxed_key.ptr, a->boxed_key.len);
	set_hex(a, json, "stream", a->stream_header, STREAM_HEADER_BYTES);
	json_write(json, &text);
	return arena_copy(a->arena, buf_str(&text));
}

static bool get_hex(struct archive *a, const struct json *json, const char *key, size_t len,
		    pa_str *ret)
{
	pa_str text;

	return json_get_text(json, key, &text) && text.len <= HEAD_MAX &&
	       hex_decode(a->arena, text, ret) == PA_OK && ret->len == len;
}

static bool get_text(struct archive *a, const struct json *json, const char *key, pa_str *ret)
{
	pa_str text;

	if (!json_get_text(json, key, &text))
		return false;
	*ret = arena_copy(a->arena, text);
	return true;
}

static bool read_head(struct archive *a, pa_str text, struct archive_head *ret)
{
	struct json *json PA_CLEANUP(json_done) = NULL;
	pa_str salt, public, stream;

	if (json_parse(text, &json, NULL) != PA_OK || !get_text(a, json, "kind", &ret->kind) ||
	    !get_text(a, json, "version", &ret->version) ||
	    !get_text(a, json, "node", &ret->node) ||
	    !json_get_integer(json, "schema", &ret->schema) ||
	    !json_get_integer(json, "at_ns", &ret->at_ns) ||
	    !get_hex(a, json, "salt", SALT_BYTES, &salt) ||
	    !get_hex(a, json, "public", KEY_BYTES, &public) ||
	    !get_hex(a, json, "key", KEY_BYTES + BOX_OVERHEAD, &a->boxed_key) ||
	    !get_hex(a, json, "stream", STREAM_HEADER_BYTES, &stream))
		return false;
	memcpy(ret->lock.salt, salt.ptr, SALT_BYTES);
	memcpy(ret->lock.public.bytes, public.ptr, KEY_BYTES);
	memcpy(a->stream_header, stream.ptr, STREAM_HEADER_BYTES);
	return true;
}

/* ---- writing ---- */

static pa_status create_head(struct archive *a, const struct archive_head *head, pa_error *err)
{
	char length[LENGTH_BYTES];
	struct key key;
	pa_str text;
	pa_status status;

	key_random(&key);
	stream_seal_begin(&a->stream, &key, a->stream_header);
	a->boxed_key = box_put(a->arena, &head->lock.public,
			       (pa_str){(const char *)key.bytes, sizeof(key.bytes)});
	key_wipe(&key);
	if (!a->boxed_key.ptr)
		return error_set(err, PA_REJECTED, "the recovery file's key is none");
	text = write_head(a, head);
	sha256(text, a->head_hash);
	put_length(length, text.len);
	status = write_all(a, MAGIC, MAGIC_BYTES, err);
	if (status == PA_OK)
		status = write_all(a, length, sizeof(length), err);
	return status == PA_OK ? write_all(a, text.ptr, text.len, err) : status;
}

pa_status archive_create(int fd, const struct archive_head *head, struct archive **ret,
			 pa_error *err)
{
	struct archive *a = new_archive(fd);
	pa_status status = create_head(a, head, err);

	if (status == PA_OK)
		*ret = a;
	else
		archive_free(a);
	return status;
}

static pa_str context_of(const struct archive *a)
{
	return a->has_begun ? PA_STR_ABSENT : (pa_str){(const char *)a->head_hash, DIGEST_BYTES};
}

/* Seals what is in hand and writes it. */
static pa_status flush(struct archive *a, bool is_last, pa_error *err)
{
	size_t sealed = a->plain_len + STREAM_OVERHEAD;

	if (!a->plain_len)
		return PA_OK;
	put_length(a->sealed, sealed);
	stream_seal(&a->stream, context_of(a), (pa_str){a->plain, a->plain_len}, is_last,
		    a->sealed + LENGTH_BYTES);
	a->has_begun = true;
	a->plain_len = 0;
	return write_all(a, a->sealed, LENGTH_BYTES + sealed, err);
}

pa_status archive_member(struct archive *a, pa_str name, pa_error *err)
{
	pa_status status = flush(a, false, err);

	if (!name.len || name.len > ARCHIVE_NAME_MAX)
		return error_set(err, PA_BUG, "a member's name");
	if (status != PA_OK)
		return status;
	a->plain[0] = PIECE_NAME;
	memcpy(a->plain + 1, name.ptr, name.len);
	a->plain_len = 1 + name.len;
	return flush(a, false, err);
}

pa_status archive_write(struct archive *a, pa_str bytes, pa_error *err)
{
	pa_status status = PA_OK;

	while (bytes.len && status == PA_OK) {
		size_t room, take;

		if (!a->plain_len)
			a->plain[a->plain_len++] = PIECE_DATA;
		room = PLAIN_MAX - a->plain_len;
		take = bytes.len < room ? bytes.len : room;
		memcpy(a->plain + a->plain_len, bytes.ptr, take);
		a->plain_len += take;
		bytes = str_slice(bytes, take, SIZE_MAX);
		if (a->plain_len == PLAIN_MAX)
			status = flush(a, false, err);
	}
	return status;
}

pa_status archive_finish(struct archive *a, pa_error *err)
{
	pa_status status = flush(a, false, err);

	if (status != PA_OK)
		return status;
	a->plain[a->plain_len++] = PIECE_END;
	status = flush(a, true, err);
	/* A pipe can't be synced, and needn't. */
	if (status == PA_OK && fsync(a->fd) < 0 && errno != EINVAL && errno != EROFS)
		return error_set(err, PA_RETRY, "syncing: %s", strerrordesc_np(errno));
	return status;
}

/* ---- reading ---- */

static pa_status open_head(struct archive *a, struct archive_head *ret, pa_error *err)
{
	char start[MAGIC_BYTES + LENGTH_BYTES];
	size_t len;
	char *text;
	pa_status status = read_all(a, start, sizeof(start), err);

	if (status != PA_OK)
		return status;
	len = get_length(start + MAGIC_BYTES);
	if (memcmp(start, MAGIC, MAGIC_BYTES) != 0 || len > HEAD_MAX)
		return error_set(err, PA_REJECTED, "not an archive of proalto, or of a later one");
	text = arena_alloc(a->arena, len);
	status = read_all(a, text, len, err);
	if (status != PA_OK)
		return status;
	if (!read_head(a, (pa_str){text, len}, ret))
		return error_set(err, PA_REJECTED, "the archive's head is damaged");
	sha256((pa_str){text, len}, a->head_hash);
	return PA_OK;
}

pa_status archive_open(int fd, struct archive **ret, struct archive_head *ret_head, pa_error *err)
{
	struct archive *a = new_archive(fd);
	pa_status status = open_head(a, ret_head, err);

	if (status == PA_OK)
		*ret = a;
	else
		archive_free(a);
	return status;
}

pa_status archive_unlock(struct archive *a, const struct key_pair *pair, pa_error *err)
{
	struct key key;
	pa_str plain;

	if (box_take(a->arena, pair, a->boxed_key, &plain) != PA_OK || plain.len != KEY_BYTES)
		return error_set(err, PA_REJECTED,
				 "the archive was sealed under another code, or is damaged");
	memcpy(key.bytes, plain.ptr, KEY_BYTES);
	bytes_wipe((char *)(uintptr_t)plain.ptr, plain.len);
	if (stream_open_begin(&a->stream, &key, a->stream_header) != PA_OK)
		return error_set(err, PA_REJECTED, "the archive's head is damaged");
	key_wipe(&key);
	return PA_OK;
}

/* Nothing may follow the last piece. */
static pa_status expect_end(const struct archive *a, pa_error *err)
{
	char more;

	return read(a->fd, &more, 1) == 0
		       ? PA_OK
		       : error_set(err, PA_REJECTED, "something follows its end");
}

static pa_status read_piece(struct archive *a, pa_error *err)
{
	char length[LENGTH_BYTES];
	size_t len;
	pa_status status;

	if (a->is_over)
		return error_set(err, PA_BUG, "reading behind the archive's end");
	status = read_all(a, length, sizeof(length), err);
	if (status != PA_OK)
		return status;
	len = get_length(length);
	if (len <= STREAM_OVERHEAD || len > SEALED_MAX)
		return error_set(err, PA_REJECTED, "the archive is damaged");
	status = read_all(a, a->sealed, len, err);
	if (status != PA_OK)
		return status;
	if (stream_open(&a->stream, context_of(a), (pa_str){a->sealed, len}, a->plain,
			&a->is_over) != PA_OK)
		return error_set(err, PA_REJECTED, "the archive is damaged");
	a->has_begun = true;
	a->plain_len = len - STREAM_OVERHEAD;
	if (a->is_over != (a->plain[0] == PIECE_END))
		return error_set(err, PA_REJECTED, "the archive is damaged");
	return a->is_over ? expect_end(a, err) : PA_OK;
}

static pa_str piece_text(const struct archive *a)
{
	return (pa_str){a->plain + 1, a->plain_len - 1};
}

pa_status archive_next(struct archive *a, pa_str *ret_name, bool *ret_is_end, pa_error *err)
{
	pa_status status = PA_OK;

	while (status == PA_OK && !a->is_unread) {
		status = read_piece(a, err);
		a->is_unread = status == PA_OK && a->plain[0] != PIECE_DATA;
	}
	if (status != PA_OK)
		return status;
	a->is_unread = a->is_over; /* the end stays where it is */
	*ret_is_end = a->is_over;
	*ret_name = piece_text(a);
	return PA_OK;
}

pa_status archive_read(struct archive *a, pa_str *ret, pa_error *err)
{
	pa_status status = a->is_unread ? PA_OK : read_piece(a, err);

	if (status != PA_OK)
		return status;
	a->is_unread = a->plain[0] != PIECE_DATA;
	*ret = a->is_unread ? PA_STR("") : piece_text(a);
	return PA_OK;
}
