/* SPDX-License-Identifier: Apache-2.0
 *
 * io/recovery.h: the master key in a file that is kept away from the server, sealed under a code
 *that is kept away from the file. docs/architecture.md has the format.
 *
 *	char code[RECOVERY_CODE_ROOM];
 *	recovery_code(code);                                     // shown to a person once
 *	status = recovery_seal(arena, str_from(code), &key, &text, &err);
 *	status = recovery_open(arena, typed, text, &key, &err);  // on another machine, years later
 *
 * A code has 125 random bits, so that nobody who finds the file alone can guess it. It is read as
 * people write: small letters, spaces, missing hyphens, O for 0, I or L for 1.
 *
 * crypto_init() comes first. Thread-safe. Codes and keys are the caller's to wipe. Bad at: codes
 *that a person made up.
 */
#ifndef IO_RECOVERY_H
#define IO_RECOVERY_H

#include "io/crypto.h"

#define RECOVERY_CODE_ROOM 30  /* five groups of five, hyphens, NUL */
#define RECOVERY_FILE_MAX 4096 /* bytes; a longer file is none of ours */

void recovery_code(char ret[RECOVERY_CODE_ROOM]);

/* The file's text, in the arena. PA_RETRY: no memory for the derivation (64 MiB). */
pa_status recovery_seal(struct arena *arena, pa_str code, const struct key *key, pa_str *ret,
			pa_error *err) PA_MUST_USE;

/* PA_REJECTED: no recovery file, or another code than it was sealed under. */
pa_status recovery_open(struct arena *arena, pa_str code, pa_str text, struct key *ret,
			pa_error *err) PA_MUST_USE;

#endif
