/* SPDX-License-Identifier: Apache-2.0
 *
 * inspect/sandbox.h: what the process can still do after it has asked for this: calculate, take
 * memory up to a bound, write to its two descriptors up to a bound, and end. Anything else ends it
 * by SIGSYS. There is no way back.
 */
#ifndef INSPECT_SANDBOX_H
#define INSPECT_SANDBOX_H

#include "base/base.h"

/* Before anything foreign is loaded: no core file, nobody looks in from outside, no descriptor but
 * the first three, dies with the daemon. false: it can't be done, so nothing may be opened. */
bool sandbox_begin(void);

/* Closes the door. Under a sanitizer, whose own calls are many, only the bounds that it bears. */
bool sandbox_enter(void);

/* A sanitizer is in this program. */
bool sandbox_is_partial(void);

#endif
