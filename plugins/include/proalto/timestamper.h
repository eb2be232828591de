/* SPDX-License-Identifier: Apache-2.0
 *
 * proalto/timestamper.h: a third party's word on when a hash existed (RFC 3161). Blocking, under
 * the call's deadline.
 */
#ifndef PROALTO_TIMESTAMPER_H
#define PROALTO_TIMESTAMPER_H

#include <proalto/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The operations of a timestamper. */
typedef struct pa_timestamper_ops {
	uint32_t size;
	uint32_t reserved;

	/* sha256 is the 32 bytes to stamp. ret_token is the DER TimeStampToken (RFC 3161, 2.4.2),
	 * its imprint, nonce and signature already checked; ret_at_ns is the time it states. */
	pa_status (*stamp)(void *self, pa_call *call, const uint8_t *sha256, pa_str *ret_token,
			   int64_t *ret_at_ns, pa_error *err);
} pa_timestamper_ops;

#ifdef __cplusplus
}
#endif

#endif
