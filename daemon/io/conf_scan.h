/* SPDX-License-Identifier: Apache-2.0
 *
 * io/conf_scan.h: looks through a configuration file before libconfig does, for what libconfig 1.5
 * takes wrongly; for io/conf.c alone.
 *
 *  - a number beyond 32 bits without an L behind it silently becomes another number;
 *  - a number beyond 64 bits too;
 *  - a comment that is never closed swallows the rest of the file without a word;
 *  - an include of a directory ends the whole process (flex's YY_FATAL_ERROR calls exit), one of a
 *    pipe hangs it;
 *  - a NUL ends the text.
 *
 * All of them are refused with file and line. Included files are scanned in their turn. What
 * remains is libconfig's to judge: this knows tokens, not syntax.
 */
#ifndef IO_CONF_SCAN_H
#define IO_CONF_SCAN_H

#include "base/arena.h"

/* PA_REJECTED with "file:line: what". max_bytes bounds text and all that it includes. */
pa_status conf_scan(struct arena *arena, pa_str text, const char *file, const char *include_dir,
		    size_t max_bytes, pa_error *err) PA_MUST_USE;

#endif
