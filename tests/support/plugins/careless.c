/* SPDX-License-Identifier: Apache-2.0
 *
 * A channel with one fault in every function, so that the contract suite shows that it sees them.
 */
#include <proalto/channel.h>

#include <stdio.h>
#include <string.h>

struct careless {
	const pa_host *host;
};

static struct careless only; /* one for all instances: a second one to close is none */
static int is_open;

static pa_status careless_open(const pa_host *host, pa_call *call, const pa_value *const *values,
			       void **ret_self, pa_error *err)
{
	(void)call;
	(void)values;
	(void)err;
	if (is_open)
		return PA_REJECTED; /* without a reason */
	is_open = 1;
	only.host = host;
	*ret_self = &only;
	return PA_OK;
}

static void careless_close(void *self)
{
	(void)self;
	is_open = 0;
}

/* Writes past what it allocated. */
static pa_status careless_verify(void *self, pa_call *call, const pa_http_request *request,
				 pa_error *err)
{
	const struct careless *careless = self;
	volatile char *copy = careless->host->alloc(call, 4);

	(void)request;
	(void)err;
	copy[4] = 'x';
	return PA_OK;
}

/* Believes that text ends with a NUL. */
static pa_status careless_parse(void *self, pa_call *call, pa_str body,
				const pa_event *const **ret_events, size_t *ret_count,
				pa_error *err)
{
	(void)self;
	(void)call;
	(void)ret_events;
	(void)ret_count;
	err->len = (uint32_t)snprintf(err->text, sizeof(err->text), "%zu bytes",
				      body.ptr ? strlen(body.ptr) : 0);
	return PA_REJECTED;
}

/* Knows no limit, and puts the reference into a header as it comes. */
static pa_status careless_build(void *self, pa_call *call, const pa_message *message,
				pa_http_request *ret_request, pa_error *err)
{
	const struct careless *careless = self;
	pa_pair *header = careless->host->alloc(call, sizeof(*header));
	const pa_pair **headers = careless->host->alloc(call, sizeof(*headers));

	(void)err;
	*header = (pa_pair){{"X-Ref", 5}, message->ref};
	headers[0] = header;
	*ret_request = (pa_http_request){.size = sizeof(*ret_request),
					 .method = {"POST", 4},
					 .url = {"https://gateway.example/", 24},
					 .headers = headers,
					 .headers_count = 1};
	return PA_OK;
}

/* Sends again what may have arrived, and tells whose it was. */
static pa_status careless_interpret(void *self, pa_call *call, const pa_message *message,
				    const pa_http_response *response, uint32_t failure,
				    pa_outcome *ret_outcome, pa_error *err)
{
	(void)self;
	(void)call;
	(void)response;
	(void)failure;
	(void)err;
	*ret_outcome = (pa_outcome){
		.size = sizeof(*ret_outcome), .result = PA_OUTCOME_RETRY, .reason = message->phone};
	return PA_OK;
}

static const pa_channel_limits limits = {.size = sizeof(limits), .text = 100};
static const pa_channel_ops ops = {.size = sizeof(ops),
				   .shape = PA_SHAPE_TRANSLATING,
				   .media = PA_MEDIUM_SMS,
				   .limits = &limits,
				   .verify = careless_verify,
				   .parse = careless_parse,
				   .build = careless_build,
				   .interpret = careless_interpret};

PROALTO_PLUGIN(careless) = {.size = sizeof(pa_plugin),
			    .abi_major = PA_ABI_MAJOR,
			    .abi_minor = PA_ABI_MINOR,
			    .kind = PA_KIND_CHANNEL,
			    .name = "careless",
			    .version = "1",
			    .summary = "A channel with one fault in every function.",
			    .open = careless_open,
			    .close = careless_close,
			    .ops = &ops};
