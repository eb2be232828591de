/* SPDX-License-Identifier: Apache-2.0 */
#include "media/keep.h"

#include "base/err.h"
#include "base/str.h"
#include "io/clock.h"
#include "queue/channel.h"
#include "queue/ids.h"
#include "queue/item.h"
#include "queue/worker.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PIECE ((size_t)256 << 10)
#define JOB_MAX 1024
#define FILES_A_DAY 60 /* of one person */
#define KEY_PAUSE_NS NS_PER_MINUTE

void kept_file_done(struct kept_file *file)
{
	contact_unref(file->contact);
	if (file->fd >= 0)
		close(file->fd);
	if (file->clean >= 0)
		close(file->clean);
}

/* It is another one's, or comes with the next master key: nothing is lost meanwhile. */
static pa_status wait_for_key(struct kept_file *file, pa_error *err)
{
	pa_status status;

	file->reason = PA_STR("the person's key can't be opened");
	status = keep_for_later(file, clock_now_ns() + KEY_PAUSE_NS, err);
	return status == PA_OK ? error_set(err, PA_RETRY, "%.*s", PA_FMT(file->reason)) : status;
}

pa_status keep_claim(struct kept_file *file, const int16_t *channels, size_t count,
		     pa_str *ret_claim, pa_error *err)
{
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = db_params_new(file->arena, SQL_FILE_CLAIM);
	pa_status status;

	db_bind_int64(params, file->node);
	db_bind_time(params, clock_now_ns());
	db_bind_int16_array(params, channels, count);
	db_bind_int32(params, FILES_A_DAY);
	status = db_run(file->db, params, &result, err);
	if (status != PA_OK)
		return status;
	if (!db_rows(result))
		return PA_DEADLINE;
	file->id = db_int64(result, 0, 0);
	file->conversation = db_int64(result, 0, 1);
	file->tries = db_int64(result, 0, 3);
	file->expires_ns = db_time_ns(result, 0, 4);
	if (db_bool(result, 0, 8))
		file->record.verdict = INSPECT_TOO_MANY;
	*ret_claim = PA_STR_ABSENT;
	if (db_is_null(result, 0, 6))
		return PA_OK;
	if (contact_open(conversation_contact(file->conversation), file->ring, db_str(result, 0, 6),
			 db_str(result, 0, 7), &file->contact) != PA_OK)
		return wait_for_key(file, err);
	if (unseal(file->arena, &file->contact->key, PA_STR("file"), db_str(result, 0, 5),
		   ret_claim) != PA_OK)
		*ret_claim = PA_STR_ABSENT;
	return PA_OK;
}

/* ---- what is kept ---- */

struct keeping {
	struct kept_file *file;
	enum file_state state;
	int64_t same_as;
	uint64_t bytes;
	uint8_t tag[TAG_BYTES];
	uint8_t header[STREAM_HEADER_BYTES];
};

static void make_tag(struct keeping *keeping)
{
	struct kept_file *file = keeping->file;
	char data[sizeof(int64_t) + DIGEST_BYTES];

	memcpy(data, &file->contact->id, sizeof(int64_t));
	memcpy(data + sizeof(int64_t), file->digest, DIGEST_BYTES);
	keyring_tag(file->ring, "file", (pa_str){data, sizeof(data)}, keeping->tag);
}

static pa_status find_same(struct keeping *keeping, pa_error *err)
{
	struct kept_file *file = keeping->file;
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = db_params_new(file->arena, SQL_FILE_SAME);
	pa_status status;

	make_tag(keeping);
	db_bind_bytes(params, (pa_str){(const char *)keeping->tag, TAG_BYTES});
	db_bind_time(params, clock_now_ns());
	status = db_run(file->db, params, &result, err);
	if (status == PA_OK && db_rows(result)) {
		keeping->same_as = db_int64(result, 0, 0);
		keeping->state = FILE_SAME;
	}
	return status;
}

static pa_status put_piece(const struct kept_file *file, int32_t number, pa_str sealed,
			   pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(4 * PIECE);
	struct db_params *params = db_params_new(arena, SQL_FILE_PIECE_INSERT);

	db_bind_int64(params, file->id);
	db_bind_int32(params, number);
	db_bind_bytes(params, sealed);
	return db_run(file->db, params, NULL, err);
}

/* From the descriptor's place on, a piece at a time. */
static pa_status put_pieces(struct keeping *keeping, int fd, uint64_t left, pa_error *err)
{
	const struct kept_file *file = keeping->file;
	char *plain = arena_alloc(file->arena, PIECE);
	char *sealed = arena_alloc(file->arena, PIECE + STREAM_OVERHEAD);
	struct stream stream;
	pa_status status = PA_OK;

	keeping->bytes = left;
	stream_seal_begin(&stream, &file->contact->key, keeping->header);
	for (int32_t number = 0; left && status == PA_OK; number++) {
		size_t len = left < PIECE ? (size_t)left : PIECE;

		if (read(fd, plain, len) != (ssize_t)len) {
			status = error_set(err, PA_RETRY, "a file can't be read again");
			break;
		}
		left -= len;
		stream_seal(&stream, PA_STR("file"), (pa_str){plain, len}, !left, sealed);
		status = put_piece(file, number, (pa_str){sealed, len + STREAM_OVERHEAD}, err);
	}
	stream_wipe(&stream);
	bytes_wipe(plain, PIECE);
	return status;
}

static pa_status put_content(struct keeping *keeping, pa_error *err)
{
	struct kept_file *file = keeping->file;

	if (file->clean >= 0)
		return put_pieces(keeping, file->clean, file->record.clean, err);
	if (lseek(file->fd, 0, SEEK_SET) != 0)
		return error_set(err, PA_RETRY, "a file can't be read again");
	return put_pieces(keeping, file->fd, file->len, err);
}

/* The conversation hears of it. */
static pa_status put_job(struct kept_file *file, const char *word, pa_error *err)
{
	struct buf packed PA_CLEANUP(buf_done) = BUF_INIT(JOB_MAX);
	struct db_params *params = db_params_new(file->arena, SQL_EVENT_INSERT);
	int64_t id = ids_next();
	int16_t channel = conversation_channel(file->conversation), kind = INBOX_JOB;
	pa_str sealed;

	if (!id)
		return error_set(err, PA_RETRY, "the store has given no ids");
	job_pack(&packed, PA_STR(JOB_FILE_REFUSED), str_from(word));
	sealed = seal_arena(file->arena, &file->contact->key, PA_STR("inbox"), buf_str(&packed));
	db_bind_int64_array(params, &id, 1);
	db_bind_time(params, clock_now_ns());
	db_bind_int64_array(params, &file->conversation, 1);
	db_bind_int16_array(params, &channel, 1);
	db_bind_int16_array(params, &kind, 1);
	db_bind_bytes_array(params, &sealed, 1);
	file->has_told = true;
	return db_run(file->db, params, NULL, err);
}

static pa_status put_row(const struct keeping *keeping, pa_error *err)
{
	const struct kept_file *file = keeping->file;
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = db_params_new(file->arena, SQL_FILE_FINISH);
	bool is_kept = keeping->state == FILE_KEPT;
	pa_status status;

	db_bind_int64(params, file->id);
	db_bind_int64(params, file->node);
	db_bind_time(params, clock_now_ns());
	db_bind_int32(params, (int32_t)keeping->state);
	db_bind_int32(params, (int32_t)file->record.verdict);
	db_bind_int32(params, (int32_t)file->record.kind);
	db_bind_int32(params, (int32_t)file->record.pages);
	db_bind_int32(params, (int32_t)file->record.width);
	db_bind_int32(params, (int32_t)file->record.height);
	db_bind_int64(params, (int64_t)keeping->bytes);
	db_bind_int64(params, keeping->same_as);
	db_bind_text(params, file->reason);
	db_bind_bytes(params,
		      is_kept ? (pa_str){(const char *)keeping->tag, TAG_BYTES} : PA_STR_ABSENT);
	db_bind_bytes(params, is_kept ? (pa_str){(const char *)keeping->header, STREAM_HEADER_BYTES}
				      : PA_STR_ABSENT);
	status = db_run(file->db, params, &result, err);
	if (status == PA_OK && !db_rows(result))
		return error_set(err, PA_RETRY, "another node has the file");
	return status;
}

static pa_status put_all(struct keeping *keeping, pa_error *err)
{
	struct kept_file *file = keeping->file;
	pa_status status = PA_OK;

	if (keeping->state == FILE_KEPT)
		status = find_same(keeping, err);
	if (status == PA_OK && keeping->state == FILE_KEPT)
		status = put_content(keeping, err);
	if (status == PA_OK)
		status = put_row(keeping, err);
	if (status == PA_OK && keeping->state == FILE_REFUSED)
		status = put_job(file, inspect_verdict_word(file->record.verdict), err);
	if (status == PA_OK && keeping->state == FILE_GONE && file->contact)
		status = put_job(file, "gone", err);
	return status;
}

static pa_status finish(struct kept_file *file, enum file_state state, pa_error *err)
{
	struct keeping keeping = {.file = file, .state = state};
	pa_status status = db_simple(file->db, "BEGIN", err);

	if (status == PA_OK)
		status = put_all(&keeping, err);
	if (status == PA_OK)
		return db_simple(file->db, "COMMIT", err);
	IGNORE_STATUS(db_simple(file->db, "ROLLBACK", NULL), "what failed is told");
	return status;
}

pa_status keep_result(struct kept_file *file, pa_error *err)
{
	return finish(file, file->record.verdict == INSPECT_SOUND ? FILE_KEPT : FILE_REFUSED, err);
}

pa_status keep_nothing(struct kept_file *file, pa_error *err)
{
	return finish(file, FILE_GONE, err);
}

pa_status keep_for_later(struct kept_file *file, int64_t due_ns, pa_error *err)
{
	struct db_params *params = db_params_new(file->arena, SQL_FILE_AGAIN);

	db_bind_int64(params, file->id);
	db_bind_int64(params, file->node);
	db_bind_time(params, due_ns);
	db_bind_text(params, file->reason);
	return db_run(file->db, params, NULL, err);
}
