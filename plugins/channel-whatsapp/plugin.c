/* SPDX-License-Identifier: Apache-2.0
 *
 * channel-whatsapp: the descriptor, its options, open and close.
 */
#include "json.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define OPTION(key, kind, must, preset, text)                                                      \
	&(const pa_option)                                                                         \
	{                                                                                          \
		.size = sizeof(pa_option), .type = (kind), .flags = (must), .name = (key),         \
		.fallback = (preset), .help = (text)                                               \
	}

static const pa_option *const options[] = {
	OPTION("account", PA_OPT_TEXT, PA_OPT_REQUIRED, NULL,
	       "Meta's phone_number_id, digits (WhatsApp Manager, API setup). Not the phone number "
	       "itself."),
	OPTION("app_secret", PA_OPT_SECRET, PA_OPT_REQUIRED, NULL,
	       "The secret of the app in Meta's dashboard. It signs the webhooks."),
	OPTION("app_secret_previous", PA_OPT_SECRET, 0, NULL,
	       "The secret before the present one, accepted too while it is being replaced."),
	OPTION("verify_token", PA_OPT_SECRET, PA_OPT_REQUIRED, NULL,
	       "The token typed in Meta's dashboard beside the webhook's address."),
	OPTION("access_token", PA_OPT_SECRET, PA_OPT_REQUIRED, NULL,
	       "The token of a system user with whatsapp_business_messaging."),
	OPTION("graph_url", PA_OPT_URL, 0, "https://graph.facebook.com", "Where the Graph API is."),
	OPTION("graph_version", PA_OPT_TEXT, 0, "v26.0", "The version of the Graph API."),
	OPTION("business_account_id", PA_OPT_TEXT, 0, NULL,
	       "Meta's id of the WhatsApp business account, digits. If set, notices about other "
	       "accounts are only recorded."),
	OPTION("media_hosts", PA_OPT_TEXT, 0, "fbsbx.com, facebook.com, whatsapp.net",
	       "The domains from which received files may be fetched with the access token. If "
	       "graph_url is on this machine, this machine is allowed too."),
};

/* Where the text of each option goes; same order. */
static const size_t places[] = {
	offsetof(struct whatsapp, phone_number_id),
	offsetof(struct whatsapp, app_secret),
	offsetof(struct whatsapp, app_secret_previous),
	offsetof(struct whatsapp, verify_token),
	offsetof(struct whatsapp, access_token),
	offsetof(struct whatsapp, graph_url),
	offsetof(struct whatsapp, graph_version),
	offsetof(struct whatsapp, business_account_id),
	offsetof(struct whatsapp, media_hosts),
};
_Static_assert(WA_COUNT(places) == WA_COUNT(options), "one place an option");

static bool take_texts(struct whatsapp *wa, const pa_value *const *values)
{
	size_t at = 0;

	wa->memory_size = 1;
	for (size_t i = 0; i < WA_COUNT(places); i++)
		if (values[i]->is_set)
			wa->memory_size += values[i]->text.len;
	wa->memory = malloc(wa->memory_size);
	if (wa->memory == NULL)
		return false;
	for (size_t i = 0; i < WA_COUNT(places); i++) {
		pa_str text = values[i]->text;
		pa_str copy = {wa->memory + at, text.len};

		if (!values[i]->is_set || text.len == 0)
			continue;
		memcpy(wa->memory + at, text.ptr, text.len);
		at += text.len;
		memcpy((char *)wa + places[i], &copy, sizeof(copy));
	}
	return true;
}

/* What goes into a header or a URL as it is. */
static bool is_plain(pa_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= 0x20 || s.ptr[i] > 0x7e)
			return false;
	return s.len > 0;
}

static pa_status check(const struct whatsapp *wa, pa_error *err)
{
	if (!wa_is_digits(wa->phone_number_id, 1, 32))
		return wa_fail(err, PA_REJECTED, "account must be Meta's phone_number_id, digits");
	if (wa->app_secret.len == 0 || wa->verify_token.len == 0)
		return wa_fail(err, PA_REJECTED, "app_secret and verify_token must not be empty");
	if (!is_plain(wa->access_token))
		return wa_fail(err, PA_REJECTED, "access_token must be plain text without blanks");
	if (!is_plain(wa->graph_url) || memchr(wa->graph_url.ptr, '?', wa->graph_url.len) != NULL)
		return wa_fail(err, PA_REJECTED, "graph_url must be an address without a query");
	if (!wa_is_word(wa->graph_version, 2, 16, ".") || wa->graph_version.ptr[0] != 'v')
		return wa_fail(err, PA_REJECTED, "graph_version must look like v26.0");
	if (wa->business_account_id.len && !wa_is_digits(wa->business_account_id, 1, 32))
		return wa_fail(err, PA_REJECTED, "business_account_id must be digits");
	return PA_OK;
}

static void whatsapp_close(void *self)
{
	struct whatsapp *wa = self;

	if (wa == NULL)
		return;
	if (wa->memory != NULL)
		explicit_bzero(wa->memory, wa->memory_size);
	free(wa->memory);
	free(wa);
}

static pa_status whatsapp_open(const pa_host *host, pa_call *call, const pa_value *const *values,
			       void **ret_self, pa_error *err)
{
	struct whatsapp *wa = calloc(1, sizeof(*wa));
	pa_status status = PA_OK;

	(void)call;
	if (wa == NULL || !take_texts(wa, values)) {
		whatsapp_close(wa);
		return wa_fail(err, PA_RETRY, "no memory");
	}
	wa->host = host;
	while (wa->graph_url.len && wa->graph_url.ptr[wa->graph_url.len - 1] == '/')
		wa->graph_url.len--;
	wa->is_loopback = wa_url_is_loopback(wa->graph_url);
	status = check(wa, err);
	if (status != PA_OK) {
		whatsapp_close(wa);
		return status;
	}
	/* Here, where no other thread runs, rather than at the first object. */
	json_object_seed(0);
	*ret_self = wa;
	return PA_OK;
}

/* Meta's pages on each type of message, and the stricter of two where they disagree: the body of a
 * list is 4096 on one page and 1024 in the OpenAPI file. */
static const pa_channel_limits limits = {
	.size = sizeof(limits),
	.text = 4096,
	.interactive_body = 1024,
	.header = 60,
	.footer = 60,
	.buttons = 3,
	.button_title = 20,
	.button_id_bytes = 256,
	.rows = 10,
	.row_title = 24,
	.row_description = 72,
	.row_id_bytes = 200,
	.list_button = 20,
	.section_title = 24,
	.caption = 1024,
	.ref_bytes = 512,
};

static const pa_channel_ops ops = {
	.size = sizeof(ops),
	.shape = PA_SHAPE_TRANSLATING,
	.media = PA_MEDIUM_CHAT,
	.features = PA_FEATURE_ECHOES_REF | PA_FEATURE_BUTTONS | PA_FEATURE_LIST |
		    PA_FEATURE_DOCUMENT | PA_FEATURE_TEMPLATE | PA_FEATURE_TYPING |
		    PA_FEATURE_WINDOW,
	.limits = &limits,
	.handshake = wa_handshake,
	.verify = wa_verify,
	.parse = wa_parse,
	.build = wa_build,
	.interpret = wa_interpret,
	.download = wa_download,
	.download_next = wa_download_next,
};

PROALTO_PLUGIN(channel_whatsapp) = {
	.size = sizeof(pa_plugin),
	.abi_major = PA_ABI_MAJOR,
	.abi_minor = PA_ABI_MINOR,
	.kind = PA_KIND_CHANNEL,
	.name = "channel-whatsapp",
	.version = "0.1.0",
	.summary = "WhatsApp over Meta's Business Cloud API.",
	.options = options,
	.options_count = WA_COUNT(options),
	.open = whatsapp_open,
	.close = whatsapp_close,
	.ops = &ops,
};
