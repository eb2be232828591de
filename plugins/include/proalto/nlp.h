/* SPDX-License-Identifier: Apache-2.0
 *
 * proalto/nlp.h: what a person wants, from what he typed. Local and quick (a millisecond or so), or
 * remote through host->http() under the call's deadline.
 */
#ifndef PROALTO_NLP_H
#define PROALTO_NLP_H

#include <proalto/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One reading of a text. */
typedef struct pa_intent {
	uint32_t size;
	uint32_t confidence; /* calibrated, parts per million */
	pa_str name;         /* "saldo", "asesor" ... */
} pa_intent;

/* The operations of a language plugin. */
typedef struct pa_nlp_ops {
	uint32_t size;
	uint32_t reserved;

	/* The readings of text, best first; none when nothing reaches the plugin's threshold.
	 * question names what was asked last (a step of a flow) and may be absent. */
	pa_status (*classify)(void *self, pa_call *call, pa_str text, pa_str question,
			      const pa_intent *const **ret_intents, size_t *ret_count,
			      pa_error *err);
} pa_nlp_ops;

#ifdef __cplusplus
}
#endif

#endif
