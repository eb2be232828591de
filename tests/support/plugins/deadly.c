/* SPDX-License-Identifier: Apache-2.0
 *
 * A language plugin that understands nothing, and dies of one word: what an event that kills the
 * daemon looks like from outside.
 */
#include <proalto/nlp.h>

#include <stdlib.h>
#include <string.h>

#define WORD "abracadabra"

static pa_status deadly_open(const pa_host *host, pa_call *call, const pa_value *const *values,
			     void **ret_self, pa_error *err)
{
	(void)host;
	(void)call;
	(void)values;
	(void)err;
	*ret_self = NULL;
	return PA_OK;
}

static void deadly_close(void *self)
{
	(void)self;
}

static pa_status deadly_classify(void *self, pa_call *call, pa_str text, pa_str question,
				 const pa_intent *const **ret_intents, size_t *ret_count,
				 pa_error *err)
{
	(void)self;
	(void)call;
	(void)question;
	(void)err;
	if (memmem(text.ptr, text.len, WORD, strlen(WORD)))
		abort();
	*ret_intents = NULL;
	*ret_count = 0;
	return PA_OK;
}

static const pa_nlp_ops deadly_ops = {.size = sizeof(deadly_ops), .classify = deadly_classify};

PROALTO_PLUGIN(deadly) = {
	.size = sizeof(pa_plugin),
	.abi_major = PA_ABI_MAJOR,
	.abi_minor = PA_ABI_MINOR,
	.kind = PA_KIND_NLP,
	.name = "deadly",
	.version = "1",
	.summary = "A fixture of the tests.",
	.open = deadly_open,
	.close = deadly_close,
	.ops = &deadly_ops,
};
