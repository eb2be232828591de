/* SPDX-License-Identifier: Apache-2.0
 *
 * A channel whose adapter dies of every delivery.
 */
#include <proalto/channel.h>

#include <stdlib.h>

static pa_status deadly_verify(void *self, pa_call *call, const pa_http_request *request,
			       pa_error *err)
{
	(void)self;
	(void)call;
	(void)request;
	(void)err;
	abort();
}

static pa_status deadly_parse(void *self, pa_call *call, pa_str body,
			      const pa_event *const **ret_events, size_t *ret_count, pa_error *err)
{
	(void)self;
	(void)call;
	(void)body;
	(void)err;
	*ret_events = NULL;
	*ret_count = 0;
	return PA_OK;
}

static pa_status deadly_build(void *self, pa_call *call, const pa_message *message,
			      pa_http_request *ret_request, pa_error *err)
{
	(void)self;
	(void)call;
	(void)message;
	(void)ret_request;
	(void)err;
	return PA_REJECTED;
}

static pa_status deadly_interpret(void *self, pa_call *call, const pa_message *message,
				  const pa_http_response *response, uint32_t failure,
				  pa_outcome *ret_outcome, pa_error *err)
{
	(void)self;
	(void)call;
	(void)message;
	(void)response;
	(void)failure;
	(void)err;
	ret_outcome->result = PA_OUTCOME_GIVE_UP;
	return PA_OK;
}

static const pa_channel_limits limits = {
	.size = sizeof(limits),
	.text = 100,
	.ref_bytes = 100,
};

static const pa_channel_ops deadly_ops = {
	.size = sizeof(deadly_ops),
	.shape = PA_SHAPE_TRANSLATING,
	.media = PA_MEDIUM_SMS,
	.limits = &limits,
	.verify = deadly_verify,
	.parse = deadly_parse,
	.build = deadly_build,
	.interpret = deadly_interpret,
};

#define FIXTURE_NAME "deadly-channel"
#define FIXTURE_KIND PA_KIND_CHANNEL
#define FIXTURE_OPS deadly_ops
#include "fixture.h"
