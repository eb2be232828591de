/* SPDX-License-Identifier: Apache-2.0
 *
 * channel-sms-http: the descriptor, its options, open and close.
 */
#include "sms.h"

#include <stdlib.h>
#include <string.h>

#define OPTION(kind, must, key, preset, text)                                                      \
	&(const pa_option)                                                                         \
	{                                                                                          \
		.size = sizeof(pa_option), .type = (kind), .flags = (must), .name = (key),         \
		.fallback = (preset), .help = (text)                                               \
	}

static const pa_option *const options[] = {
	[SMS_URL] =
		OPTION(PA_OPT_URL, PA_OPT_REQUIRED, "url", NULL, "Where messages are handed in."),
	[SMS_METHOD] = OPTION(PA_OPT_TEXT, 0, "method", "POST", "POST, PUT or GET."),
	[SMS_QUERY] = OPTION(PA_OPT_MAP, 0, "query", NULL,
			     "Names and values put behind the address; values may have the places "
			     "{to} {text} {ref} {sender} {secret}."),
	[SMS_HEADERS] =
		OPTION(PA_OPT_MAP, 0, "headers", NULL,
		       "Headers, with the same places: Authorization = \"Bearer {secret}\"."),
	[SMS_CONTENT_TYPE] =
		OPTION(PA_OPT_TEXT, 0, "content_type", "json",
		       "How body is written: json, form or text. Places are escaped accordingly."),
	[SMS_BODY] =
		OPTION(PA_OPT_TEXT, 0, "body", NULL,
		       "The body with its places, for example {\"to\": \"{to}\", \"text\": "
		       "\"{text}\"}. {to} is the number in digits with country code, no plus."),
	[SMS_SECRET] = OPTION(PA_OPT_SECRET, 0, "secret", NULL,
			      "What {secret} stands for: the gateway's key, token or password."),
	[SMS_SENDER] = OPTION(PA_OPT_TEXT, 0, "sender", NULL,
			      "What {sender} stands for: our short code or name."),
	[SMS_ACCENTS] = OPTION(
		PA_OPT_TEXT, 0, "accents", "strip",
		"strip: letters that GSM 03.38 lacks lose their accent, so that 160 fit into "
		"one SMS. keep: they stay, and only 70 fit."),
	[SMS_SUCCESS_STATUS] = OPTION(PA_OPT_TEXT, 0, "success_status", "200-299",
				      "The HTTP statuses that mean success: 200-299, 409."),
	[SMS_SUCCESS_PATH] = OPTION(PA_OPT_TEXT, 0, "success_path", NULL,
				    "Path of the value in the answer's JSON that tells success: "
				    "messages.0.status. Absent: the status is enough."),
	[SMS_SUCCESS_VALUES] = OPTION(PA_OPT_TEXT, 0, "success_values", NULL,
				      "The values there that mean success: 0, OK, queued."),
	[SMS_ID_PATH] = OPTION(PA_OPT_TEXT, 0, "id_path", NULL,
			       "Path of the gateway's message id in the answer's JSON."),
	[SMS_ERROR_PATH] = OPTION(PA_OPT_TEXT, 0, "error_path", NULL,
				  "Path of the error's code or word in the answer's JSON. Absent: "
				  "what stands at success_path."),
	[SMS_ERRORS] =
		OPTION(PA_OPT_MAP, 0, "errors", NULL,
		       "What to do on which error: a value found at error_path, or http:503, "
		       "maps to retry, wait, give_up or alarm."),
	[SMS_RECEIPT_METHOD] =
		OPTION(PA_OPT_TEXT, 0, "receipt_method", "POST", "How receipts come in."),
	[SMS_RECEIPT_FORMAT] =
		OPTION(PA_OPT_TEXT, 0, "receipt_format", "json",
		       "Where receipts stand: query, form or json. The receipt_ names below are "
		       "names of fields, for json paths."),
	[SMS_RECEIPT_LIST] = OPTION(PA_OPT_TEXT, 0, "receipt_list", NULL,
				    "Path of the list of receipts. Absent: the body is one receipt "
				    "or a list of them."),
	[SMS_RECEIPT_ID] = OPTION(PA_OPT_TEXT, 0, "receipt_id", NULL,
				  "Where the gateway's message id stands."),
	[SMS_RECEIPT_STATUS] = OPTION(PA_OPT_TEXT, 0, "receipt_status", NULL,
				      "Where the status stands. Absent: no receipts come in."),
	[SMS_RECEIPT_REF] =
		OPTION(PA_OPT_TEXT, 0, "receipt_ref", NULL, "Where our {ref} comes back."),
	[SMS_RECEIPT_ERROR] = OPTION(PA_OPT_TEXT, 0, "receipt_error", NULL,
				     "Where the cause of a failure stands."),
	[SMS_RECEIPT_STATUSES] =
		OPTION(PA_OPT_MAP, 0, "receipt_statuses", NULL,
		       "The gateway's words and what they mean: sent, delivered, read, failed or "
		       "other. Case does not matter; a word that is missing here means other."),
	[SMS_RECEIPT_TOKEN] = OPTION(PA_OPT_SECRET, 0, "receipt_token", NULL,
				     "The token that a genuine receipt carries."),
	[SMS_RECEIPT_TOKEN_IN] = OPTION(PA_OPT_TEXT, 0, "receipt_token_in", "header",
					"Where the token stands: header or query."),
	[SMS_RECEIPT_TOKEN_NAME] = OPTION(PA_OPT_TEXT, 0, "receipt_token_name", "X-Receipt-Token",
					  "The name of that header or query parameter."),
	[SMS_RECEIPT_HMAC_SECRET] =
		OPTION(PA_OPT_SECRET, 0, "receipt_hmac_secret", NULL,
		       "The key with which receipts are signed (HMAC-SHA-256 over the body, "
		       "hexadecimal)."),
	[SMS_RECEIPT_HMAC_HEADER] = OPTION(PA_OPT_TEXT, 0, "receipt_hmac_header", "X-Signature",
					   "The header with that signature."),
};
_Static_assert(SMS_COUNT(options) == SMS_OPTIONS, "one entry an option");

/* ---- open and close ---- */

/* Hands out pieces of the instance's memory; with memory NULL it only counts. Pairs come first, so
 * that they are aligned. */
struct taking {
	char *memory;
	size_t used;
};

static pa_str take(struct taking *taking, pa_str s)
{
	char *at = taking->memory ? taking->memory + taking->used : NULL;

	taking->used += s.len;
	if (at == NULL || s.len == 0)
		return (pa_str){NULL, 0};
	memcpy(at, s.ptr, s.len);
	return (pa_str){at, s.len};
}

static void take_setting(struct taking *taking, const pa_value *value, pa_pair *pairs,
			 struct sms_setting *setting)
{
	if (!value->is_set)
		return;
	setting->text = take(taking, value->text);
	for (size_t i = 0; i < value->pairs_count; i++) {
		pa_pair pair = {take(taking, value->pairs[i]->name),
				take(taking, value->pairs[i]->value)};

		if (taking->memory != NULL)
			pairs[i] = pair;
	}
	setting->pairs = pairs;
	setting->pairs_count = value->pairs_count;
}

static void take_settings(struct sms *self, const pa_value *const *values, char *memory,
			  size_t *ret_size)
{
	struct taking taking = {.memory = memory};
	pa_pair *pairs = (void *)memory;

	for (size_t i = 0; i < SMS_OPTIONS; i++)
		taking.used += values[i]->is_set ? values[i]->pairs_count * sizeof(*pairs) : 0;
	for (size_t i = 0; i < SMS_OPTIONS; i++) {
		take_setting(&taking, values[i], pairs, &self->settings[i]);
		if (memory != NULL && values[i]->is_set)
			pairs += values[i]->pairs_count;
	}
	*ret_size = taking.used;
}

static void sms_close(void *self)
{
	struct sms *sms = self;

	if (sms == NULL)
		return;
	if (sms->memory != NULL)
		explicit_bzero(sms->memory, sms->memory_size);
	free(sms->memory);
	free(sms);
}

static pa_status sms_open(const pa_host *host, pa_call *call, const pa_value *const *values,
			  void **ret_self, pa_error *err)
{
	struct sms *sms = calloc(1, sizeof(*sms));
	pa_status status;

	if (sms == NULL)
		return sms_fail(err, PA_RETRY, "no memory");
	sms->host = host;
	take_settings(sms, values, NULL, &sms->memory_size);
	sms->memory = malloc(sms->memory_size + 1);
	if (sms->memory == NULL) {
		sms_close(sms);
		return sms_fail(err, PA_RETRY, "no memory");
	}
	take_settings(sms, values, sms->memory, &sms->memory_size);
	status = sms_check_settings(sms, call, err);
	if (status != PA_OK) {
		sms_close(sms);
		return status;
	}
	/* Here, where no other thread runs, rather than at the first object. */
	json_object_seed(0);
	*ret_self = sms;
	return PA_OK;
}

/* ---- what people send does not come this way ---- */

static pa_status no_verify(void *self, pa_call *call, const pa_http_request *request, pa_error *err)
{
	(void)self;
	(void)call;
	(void)request;
	return sms_fail(err, PA_REJECTED, "this channel receives no messages");
}

static pa_status no_parse(void *self, pa_call *call, pa_str body,
			  const pa_event *const **ret_events, size_t *ret_count, pa_error *err)
{
	(void)self;
	(void)call;
	(void)body;
	(void)ret_events;
	(void)ret_count;
	return sms_fail(err, PA_REJECTED, "this channel receives no messages");
}

/* 160 septets: characters of the extension table count twice, which build checks. */
static const pa_channel_limits limits = {
	.size = sizeof(limits),
	.text = 160,
	.ref_bytes = 128,
};

static const pa_channel_ops ops = {
	.size = sizeof(ops),
	.shape = PA_SHAPE_TRANSLATING,
	.media = PA_MEDIUM_SMS,
	.limits = &limits,
	.verify = no_verify,
	.parse = no_parse,
	.build = sms_build,
	.interpret = sms_interpret,
	.receipt = sms_receipt,
};

PROALTO_PLUGIN(channel_sms_http) = {
	.size = sizeof(pa_plugin),
	.abi_major = PA_ABI_MAJOR,
	.abi_minor = PA_ABI_MINOR,
	.kind = PA_KIND_CHANNEL,
	.name = "channel-sms-http",
	.version = "0.1.0",
	.summary = "SMS through any gateway with an HTTP interface.",
	.options = options,
	.options_count = SMS_COUNT(options),
	.open = sms_open,
	.close = sms_close,
	.ops = &ops,
};
