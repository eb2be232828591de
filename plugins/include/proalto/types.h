/* SPDX-License-Identifier: Apache-2.0
 *
 * proalto/types.h: the few types that every plugin and the daemon share.
 *
 * Rules for everything that crosses the border between daemon and plugin:
 *  - fixed-width integers only: no enum, bool, bit-field, off_t, FILE or variadic function;
 *  - a struct that may grow begins with `size`, the sizeof() its maker was compiled with; each
 *    side reads only up to the smaller of both sizes, and fields are only ever appended;
 *  - arrays of structs cross as arrays of pointers, so that their elements may grow too;
 *  - text is a pa_str: pointer and length, UTF-8, not NUL-terminated; a NUL inside is data;
 *  - ptr == NULL means "absent", a non-NULL ptr with len 0 means "present and empty".
 */
#ifndef PROALTO_TYPES_H
#define PROALTO_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A borrowed slice of bytes. Whoever hands it out says how long it lives. */
typedef struct pa_str {
	const char *ptr;
	size_t len;
} pa_str;

/* A name and its value: HTTP headers, template parameters, maps in the configuration. */
typedef struct pa_pair {
	pa_str name;
	pa_str value;
} pa_pair;

/* What the caller should do next; the error's text says why. */
typedef uint32_t pa_status;
#define PA_OK ((pa_status)0)       /* done */
#define PA_RETRY ((pa_status)1)    /* not now: the same call may work later */
#define PA_REJECTED ((pa_status)2) /* never: the input or the peer's refusal is final */
#define PA_DEADLINE ((pa_status)3) /* the call's time is used up */
#define PA_BUG ((pa_status)4)      /* a broken contract, ours or the plugin's */

/* The text of a failure. The caller owns it, sets size, and passes it in empty (len 0).
 * It never holds a secret or a personal datum. */
typedef struct pa_error {
	uint32_t size;
	uint32_t len;
	char text[504];
} pa_error;

#ifdef __cplusplus
}
#endif

#endif
