/* SPDX-License-Identifier: Apache-2.0
 *
 * A language plugin that understands nothing, and dies of one word: what an event that kills the
 * daemon looks like from outside.
 */
#include <proalto/nlp.h>

#include <stdlib.h>
#include <string.h>

#define WORD "abracadabra"

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

#define FIXTURE_NAME "deadly"
#define FIXTURE_KIND PA_KIND_NLP
#define FIXTURE_OPS deadly_ops
#include "fixture.h"
