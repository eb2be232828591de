/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/credential.h: puts a secret where the configuration says that it is, and whole files where
 * they belong: written beside, synced and renamed, so that there is always one that is whole.
 */
#ifndef CTL_CREDENTIAL_H
#define CTL_CREDENTIAL_H

#include "ctl/ctl.h"

/* reference: "credential:NAME", encrypted for this machine by systemd-creds, or "file:/PATH".
 * PA_REJECTED: it can't be written, or is of another kind. */
pa_status credential_store(struct ctl *ctl, const char *reference, pa_str secret, pa_error *err)
	PA_MUST_USE;

/* The same for a credential whose file is known. PA_REJECTED also if one of its name lies
 * unencrypted where systemd finds it first. */
pa_status credential_encrypt(struct ctl *ctl, const char *name, const char *path, pa_str secret,
			     pa_error *err) PA_MUST_USE;

/* What lies there now stays beside it as NAME.before (or .before2 ...), and it is said; nothing if
 * nothing is there. */
pa_status credential_put_aside(struct ctl *ctl, const char *reference, pa_error *err) PA_MUST_USE;

/* Folders on the way are made. */
pa_status credential_write_file(struct ctl *ctl, const char *path, pa_str text, unsigned mode,
				pa_error *err) PA_MUST_USE;

/* Those on the way to a path. */
pa_status credential_make_folders(struct ctl *ctl, const char *path, pa_error *err) PA_MUST_USE;

#endif
