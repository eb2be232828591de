/* SPDX-License-Identifier: Apache-2.0
 *
 * io/file.h: small files read whole: configuration, flows, secrets; and put into place.
 *
 *	pa_str text;
 *	status = file_read(arena, path, 1 << 20, &text, &err);
 *
 * Only regular files, never more than max bytes (a pipe or a device would hang or flood us). The
 * text lies in the arena with a NUL behind it that is not counted. Error texts name the path, never
 * the content. Bad at: large files, files that change while they are read.
 */
#ifndef IO_FILE_H
#define IO_FILE_H

#include "base/arena.h"

#define SERVICE_USER "proalto" /* systemd/proalto.sysusers */

/* For PA_CLEANUP of a descriptor; below 0: there is none. */
void fd_done(int *fd);

/* PA_REJECTED: no such file, no right to read it, not a regular file, too long. */
pa_status file_read(struct arena *arena, const char *path, size_t max, pa_str *ret, pa_error *err)
	PA_MUST_USE;

/* The same for a file that holds a secret: refused unless it belongs to root or to the user we run
 * as and nobody else can read it. Root looks for the service, too: what is its user's will do. */
pa_status file_read_private(struct arena *arena, const char *path, size_t max, pa_str *ret,
			    pa_error *err) PA_MUST_USE;

/* Puts a file that is written and synced into another's place, in the same folder, and syncs that:
 * it is there after a power cut, too. PA_RETRY: it can't. */
pa_status file_rename(const char *from, const char *to, pa_error *err) PA_MUST_USE;

#endif
