/* SPDX-License-Identifier: Apache-2.0
 *
 * io/archive.h: files of any size in one sealed file that only a recovery code opens: a backup, the
 * list of erasures, what another node needs. docs/architecture.md has the format.
 *
 *	status = archive_create(fd, &head, &archive, &err);      // head.lock: whose code opens it
 *	archive_member(archive, "database", &err); archive_write(archive, piece, &err); ...
 *	status = archive_finish(archive, &err);
 *
 *	status = archive_open(fd, &archive, &head, &err);        // the head can be read by anybody
 *	status = archive_unlock(archive, &pair, &err);
 *	while (archive_next(archive, &name, &is_end, &err) == PA_OK && !is_end)
 *		while (archive_read(archive, &piece, &err) == PA_OK && piece.len) ...
 *
 * Written and read from the beginning to the end, in memory that does not grow: pipes will do. What
 * was cut off, changed, or put in another order is found when it is read; nothing of a piece is
 * handed out before it was checked, but what was handed out before may lack its end. So whoever
 * must not act on half a file reads it to its end first.
 *
 * crypto_init() comes first. An archive is one thread's. Bad at: saying who made it. Whoever has
 * the lock can make one, so keep backups where only the house can write.
 */
#ifndef IO_ARCHIVE_H
#define IO_ARCHIVE_H

#include "io/recovery.h"

#define ARCHIVE_PIECE ((size_t)64 << 10) /* bytes of one piece at most */
#define ARCHIVE_NAME_MAX 4096

/* What stands before the sealed part. Texts are borrowed by archive_create and lie in the archive
 * after archive_open. */
struct archive_head {
	pa_str kind;    /* "backup" ... */
	pa_str version; /* of the program that made it */
	pa_str node;
	int64_t schema; /* the last migration; 0: it holds no database */
	int64_t at_ns;
	struct recovery_lock lock;
};

struct archive;

/* fd is the caller's to close. PA_RETRY: it can't be written. */
pa_status archive_create(int fd, const struct archive_head *head, struct archive **ret,
			 pa_error *err) PA_MUST_USE;
/* Begins a member and ends the one before. PA_RETRY: it can't be written; PA_BUG: a name that is
 * empty or too long. */
pa_status archive_member(struct archive *archive, pa_str name, pa_error *err) PA_MUST_USE;
pa_status archive_write(struct archive *archive, pa_str bytes, pa_error *err) PA_MUST_USE;
/* Writes what is left and syncs. */
pa_status archive_finish(struct archive *archive, pa_error *err) PA_MUST_USE;

/* PA_REJECTED: no archive, or of another version. Nothing in the head is proven before the first
 * archive_next. */
pa_status archive_open(int fd, struct archive **ret, struct archive_head *ret_head, pa_error *err)
	PA_MUST_USE;
/* PA_REJECTED: another pair's. */
pa_status archive_unlock(struct archive *archive, const struct key_pair *pair, pa_error *err)
	PA_MUST_USE;
/* The next member, skipping the rest of this one. Name valid until the next call. PA_REJECTED:
 * damaged or cut off. */
pa_status archive_next(struct archive *archive, pa_str *ret_name, bool *ret_is_end, pa_error *err)
	PA_MUST_USE;
/* The member's next piece, valid until the next call; empty: its end. PA_REJECTED likewise. */
pa_status archive_read(struct archive *archive, pa_str *ret, pa_error *err) PA_MUST_USE;

/* Wipes. NULL is fine. */
void archive_free(struct archive *archive);
void archive_done(struct archive **archive); /* for PA_CLEANUP */

#endif
