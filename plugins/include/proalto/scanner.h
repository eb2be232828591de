/* SPDX-License-Identifier: Apache-2.0
 *
 * proalto/scanner.h: is this file dangerous? Blocking, under the call's deadline.
 */
#ifndef PROALTO_SCANNER_H
#define PROALTO_SCANNER_H

#include <proalto/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PA_SCAN_CLEAN 1u
#define PA_SCAN_INFECTED 2u
#define PA_SCAN_UNKNOWN 3u /* too large, encrypted ...: the house's policy decides */

/* The operations of a scanner. */
typedef struct pa_scanner_ops {
	uint32_t size;
	uint32_t reserved;

	/* Looks at the whole file. ret_name names what was found, or is absent. */
	pa_status (*scan)(void *self, pa_call *call, pa_str file, uint32_t *ret_verdict,
			  pa_str *ret_name, pa_error *err);
} pa_scanner_ops;

#ifdef __cplusplus
}
#endif

#endif
