/* SPDX-License-Identifier: Apache-2.0
 *
 * A language plugin that understands nothing, and misbehaves when told so.
 */
#include <proalto/nlp.h>

#include "unruly.h"

static pa_status classify(void *self, pa_call *call, pa_str text, pa_str question,
			  const pa_intent *const **ret_intents, size_t *ret_count, pa_error *err)
{
	(void)call;
	(void)text;
	(void)question;
	(void)err;
	obey(self);
	*ret_intents = NULL;
	*ret_count = 0;
	return PA_OK;
}

static const pa_nlp_ops ops = {.size = sizeof(ops), .classify = classify};

PROALTO_PLUGIN(unruly_words) = {
	.size = sizeof(pa_plugin),
	.abi_major = PA_ABI_MAJOR,
	.abi_minor = PA_ABI_MINOR,
	.kind = PA_KIND_NLP,
	.name = "unruly-words",
	.version = "1",
	.summary = "A fixture of the tests.",
	.options = unruly_options,
	.options_count = 1,
	.open = unruly_open,
	.close = unruly_close,
	.ops = &ops,
};
