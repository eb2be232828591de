/* SPDX-License-Identifier: Apache-2.0
 *
 * io/recovery.h: the master key in a file that is kept away from the server, sealed under a code
 * that is kept away from the file. docs/architecture.md has the format.
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
 * that a person made up.
 */
#ifndef IO_RECOVERY_H
#define IO_RECOVERY_H

#include "io/crypto.h"

#define RECOVERY_CODE_ROOM 30  /* five groups of five, hyphens, NUL */
#define RECOVERY_FILE_MAX 4096 /* bytes; a longer file is none of ours */

void recovery_code(char ret[RECOVERY_CODE_ROOM]);

/* What a code opens: a salt, and the public half of the pair that comes of both. No secret: it lies
 * where something is sealed that only the code shall open. */
struct recovery_lock {
	uint8_t salt[SALT_BYTES];
	struct key public;
};

/* PA_RETRY: no memory for the derivation (64 MiB). */
pa_status recovery_lock_new(pa_str code, struct recovery_lock *ret, pa_error *err) PA_MUST_USE;

/* PA_REJECTED: another code. The pair's secret is the caller's to wipe. */
pa_status recovery_unlock(pa_str code, const struct recovery_lock *lock, struct key_pair *ret,
			  pa_error *err) PA_MUST_USE;

/* The lock of a recovery file: whoever has it seals for the same code, without knowing it. */
pa_status recovery_lock_of(struct arena *arena, pa_str text, struct recovery_lock *ret,
			   pa_error *err) PA_MUST_USE;

/* Another key's file, for the code of this one. */
pa_status recovery_renew(struct arena *arena, pa_str text, const struct key *key, pa_str *ret,
			 pa_error *err) PA_MUST_USE;

/* The file's text, in the arena. PA_RETRY: no memory for the derivation (64 MiB). */
pa_status recovery_seal(struct arena *arena, pa_str code, const struct key *key, pa_str *ret,
			pa_error *err) PA_MUST_USE;

/* PA_REJECTED: no recovery file, or another code than it was sealed under. */
pa_status recovery_open(struct arena *arena, pa_str code, pa_str text, struct key *ret,
			pa_error *err) PA_MUST_USE;

#endif
