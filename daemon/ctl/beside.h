/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/beside.h: what lies near this program, in a build tree or installed.
 */
#ifndef CTL_BESIDE_H
#define CTL_BESIDE_H

#include "base/arena.h"

/* The first of the paths, relative to the program's own directory, that exists; NULL if none does.
 */
const char *beside_find(struct arena *arena, const char *const *paths, size_t count);

/* The daemon's program; NULL if it is not there. */
const char *beside_daemon(struct arena *arena);

#endif
