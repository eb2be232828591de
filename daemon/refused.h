/* SPDX-License-Identifier: Apache-2.0
 *
 * refused.h: a configuration that is refused at start. systemd starts the daemon again after 100
 * ms, as it should after any other end; for a file that nobody has touched that would be noise for
 * ever, and systemd 252 can't let its pause grow. So the daemon says what is wrong at once, and
 * from the second time on waits before it ends: 2, 4, 8 ... 30 seconds, or until the file changes.
 * Meanwhile the unit is "activating", and who connects to its socket waits.
 *
 * How often it was is counted in a file in $RUNTIME_DIRECTORY (systemd's RuntimeDirectory=), which
 * outlives a restart and no stop. Without that variable nothing waits. Main thread only.
 * Bad at: noticing a change of what the file includes or names; that takes the pause's end.
 */
#ifndef REFUSED_H
#define REFUSED_H

#include "base/base.h"

/* Which version of the file is meant; all zero: none can be seen. */
struct config_version {
	unsigned long long inode;
	long long modified_s;
	long modified_ns;
	long long size; /* bytes */
};

/* To be asked before the file is read: a change meanwhile is then a new version. */
struct config_version config_version_of(const char *path);

/* Waits as long as it is due, or until the file is no longer that version. False: it was told to
 * end meanwhile (SIGTERM, SIGINT). */
bool refused_wait(const char *config_path, const struct config_version *refused);

/* It was accepted: the next refusal is the first. */
void refused_forget(void);

#endif
