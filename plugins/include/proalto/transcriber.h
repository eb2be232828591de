/* SPDX-License-Identifier: Apache-2.0
 *
 * proalto/transcriber.h: a voice note as text. Blocking, under the call's deadline. What comes out
 * is a guess: the daemon says it back before acting, and never takes consent or a code from it.
 */
#ifndef PROALTO_TRANSCRIBER_H
#define PROALTO_TRANSCRIBER_H

#include <proalto/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The operations of a transcriber. */
typedef struct pa_transcriber_ops {
	uint32_t size;
	uint32_t reserved;

	/* audio as received, media_type its MIME type. ret_text is absent when nothing was heard;
	 * ret_confidence is in parts per million. */
	pa_status (*transcribe)(void *self, pa_call *call, pa_str audio, pa_str media_type,
				pa_str *ret_text, uint32_t *ret_confidence, pa_error *err);
} pa_transcriber_ops;

#ifdef __cplusplus
}
#endif

#endif
