/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/keepsake.h: what a house has outside its database (configuration, its own flows and texts,
 * secrets), into an archive and out of it. Members: "config"; "file MODE /PATH"; "secret
 * REFERENCE".
 */
#ifndef CTL_KEEPSAKE_H
#define CTL_KEEPSAKE_H

#include "ctl/ctl.h"
#include "io/archive.h"

/* Says which secrets and files can't be read and goes on: secrets are asked for again after a
 * restore, and files are counted. */
pa_status keepsake_pack(struct ctl *ctl, struct archive *archive, size_t *ret_left_out,
			pa_error *err) PA_MUST_USE;

/* A member held in memory. */
struct kept {
	pa_str name;
	pa_str bytes;
	struct kept *next;
};

/* Reads the whole archive, which proves it, and keeps its members but the one named skipped. */
pa_status keepsake_read(struct ctl *ctl, struct archive *archive, const char *skipped,
			struct kept **ret, pa_error *err) PA_MUST_USE;

/* Puts them in their places. What is there already and differs stays, and ours lies beside it as
 * NAME.restored; a secret that differs is replaced and stays beside it as NAME.before. Writes
 * nowhere but below the folder of the configuration's name, and credentials. Says what it did. */
pa_status keepsake_install(struct ctl *ctl, const struct kept *kept, pa_error *err) PA_MUST_USE;

/* The recovery file's lock; says how to get one if there is none. */
pa_status keepsake_lock(struct ctl *ctl, const char *recovery_path, struct recovery_lock *ret,
			pa_error *err) PA_MUST_USE;

#endif
