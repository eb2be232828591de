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

/* Waits as long as it is due. False: it was told to end meanwhile (SIGTERM, SIGINT). */
bool refused_wait(const char *config_path);

/* It was accepted: the next refusal is the first. */
void refused_forget(void);

#endif
