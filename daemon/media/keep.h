/* SPDX-License-Identifier: Apache-2.0
 *
 * media/keep.h: a customer's file in the store: taken in hand, and left as what it came to. Each
 * function is one transaction. The fetcher's thread.
 */
#ifndef MEDIA_KEEP_H
#define MEDIA_KEEP_H

#include "io/db.h"
#include "media/inspector.h"
#include "queue/contact.h"

/* file.state */
enum file_state { FILE_WAITING, FILE_KEPT, FILE_REFUSED, FILE_GONE, FILE_SAME };

struct kept_file {
	struct db *db;
	struct keyring *ring;
	struct arena *arena;
	int64_t node;
	int64_t id;
	int64_t conversation;
	int64_t tries;
	int64_t expires_ns;
	struct contact *contact;      /* NULL: erased */
	int fd;                       /* what came; -1: nothing yet */
	uint64_t len;                 /* of it */
	uint8_t digest[DIGEST_BYTES]; /* of it */
	struct inspect_record record;
	int clean;     /* what is kept instead; -1: what came */
	pa_str reason; /* of the last failure */
	bool has_told; /* a job of the conversation's was stored */
};

void kept_file_done(struct kept_file *file);

/* The next one that is due on these channels, and what was said of it (absent: it can't be read).
 * PA_DEADLINE: none is. */
pa_status keep_claim(struct kept_file *file, const int16_t *channels, size_t count,
		     pa_str *ret_claim, pa_error *err) PA_MUST_USE;

/* It was judged: what is sound is stored, sealed, unless the person's same file is there already;
 * of a refusal the person is told. */
pa_status keep_result(struct kept_file *file, pa_error *err) PA_MUST_USE;

/* It can't be had; the person is told. */
pa_status keep_nothing(struct kept_file *file, pa_error *err) PA_MUST_USE;

pa_status keep_for_later(struct kept_file *file, int64_t due_ns, pa_error *err) PA_MUST_USE;

#endif
