/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/code.h: a recovery code, asked of whoever sits there (unseen) or read from a file. Never an
 * argument: those everybody can read.
 */
#ifndef CTL_CODE_H
#define CTL_CODE_H

#include "ctl/ctl.h"

/* path: of the file; NULL: standard input, with a prompt if it is a terminal. False after saying
 * why.
 */
bool code_read(struct ctl *ctl, const char *path, pa_str *ret);

/* A line from the terminal, seen, for something that must be typed out. */
bool code_confirm(const char *prompt, const char *wanted);

#endif
