/* SPDX-License-Identifier: Apache-2.0
 *
 * media/inspector.h: a customer's file is judged by proalto-inspect, a program that may do nothing
 * but that (inspect/inspect.h). Whatever becomes of it, the daemon only reads what it left behind,
 * and believes none of it unseen.
 */
#ifndef MEDIA_INSPECTOR_H
#define MEDIA_INSPECTOR_H

#include "inspect/inspect.h"

struct inspector {
	const char *program; /* path of proalto-inspect */
	struct inspect_limits limits;
	int64_t patience_ms; /* then it is killed; 0: fifteen seconds */
};

/* Judges the file behind the descriptor (a memfd, which is borrowed). A program that crashes,
 * hangs, is killed or talks nonsense makes the verdict INSPECT_DIED. ret_clean: a descriptor for
 * close() from which the picture made anew is read, record.clean bytes; -1 if there is none.
 * PA_RETRY: it could not be run, or not shut itself in. Blocks up to the patience. Thread-safe. */
pa_status inspector_judge(const struct inspector *inspector, int file, struct inspect_record *ret,
			  int *ret_clean, pa_error *err) PA_MUST_USE;

/* "sound", "other-type" ...: for logs and the store. Static. */
const char *inspect_verdict_word(uint32_t verdict);

#endif
