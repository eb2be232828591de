/* SPDX-License-Identifier: Apache-2.0 */
#include "sms.h"

#include <string.h>

static bool is_phone(pa_str s)
{
	if (s.len < 5 || s.len > 15)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return true;
}

static pa_status check(const pa_message *message, pa_error *err)
{
	if (message->kind != PA_OUT_TEXT)
		return sms_fail(err, PA_REJECTED, "an SMS is plain text and nothing else");
	if (message->header.len || message->footer.len || message->choices_count)
		return sms_fail(err, PA_REJECTED, "an SMS has a body and nothing else");
	if (message->media_bytes.len || message->media_id.len)
		return sms_fail(err, PA_REJECTED, "an SMS carries no file");
	if (!is_phone(message->phone))
		return sms_fail(err, PA_REJECTED, "the phone is not 5 to 15 digits");
	return PA_OK;
}

/* The address with the configured query behind it. */
static pa_str make_url(const struct sms *self, pa_call *call, const struct sms_values *values)
{
	const struct sms_setting *query = &self->settings[SMS_QUERY];
	pa_str url = self->settings[SMS_URL].text;
	pa_str *parts = self->host->alloc(call, (4 * query->pairs_count + 1) * sizeof(*parts));
	bool has_query = url.len && memchr(url.ptr, '?', url.len) != NULL;
	size_t count = 0;

	parts[count++] = url;
	for (size_t i = 0; i < query->pairs_count; i++) {
		const pa_pair *pair = &query->pairs[i];

		parts[count++] = i == 0 && !has_query ? SMS_STR("?") : SMS_STR("&");
		parts[count++] = sms_escape_form(self, call, pair->name);
		parts[count++] = SMS_STR("=");
		parts[count++] = sms_escape_form(
			self, call, sms_render(self, call, pair->value, values, SMS_PLAIN));
	}
	return sms_join(self, call, parts, count);
}

static bool is_header_text(pa_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return false;
	return true;
}

static pa_str content_type(const struct sms *self)
{
	static const char *const types[] = {
		[SMS_JSON] = "application/json",
		[SMS_FORM] = "application/x-www-form-urlencoded",
		[SMS_PLAIN] = "text/plain; charset=utf-8",
	};
	const char *type = types[self->format];

	return (pa_str){type, strlen(type)};
}

static pa_status make_headers(const struct sms *self, pa_call *call,
			      const struct sms_values *values, pa_http_request *request,
			      pa_error *err)
{
	const struct sms_setting *headers = &self->settings[SMS_HEADERS];
	size_t room = headers->pairs_count + 1;
	pa_pair *pairs = self->host->alloc(call, room * sizeof(*pairs));
	const pa_pair **list = self->host->alloc(call, room * sizeof(const pa_pair *));
	size_t count = 0;

	if (request->body.ptr != NULL)
		pairs[count++] = (pa_pair){SMS_STR("Content-Type"),
					   sms_copy(self, call, content_type(self))};
	for (size_t i = 0; i < headers->pairs_count; i++) {
		pa_str value = sms_render(self, call, headers->pairs[i].value, values, SMS_PLAIN);

		if (!is_header_text(value))
			return sms_fail(err, PA_REJECTED, "a header would hold a line end");
		pairs[count++] = (pa_pair){sms_copy(self, call, headers->pairs[i].name), value};
	}
	for (size_t i = 0; i < count; i++)
		list[i] = &pairs[i];
	request->headers = list;
	request->headers_count = count;
	return PA_OK;
}

pa_status sms_build(void *self, pa_call *call, const pa_message *message,
		    pa_http_request *ret_request, pa_error *err)
{
	const struct sms *sms = self;
	pa_str template = sms->settings[SMS_BODY].text;
	struct sms_values values = {
		.to = message->phone,
		.ref = message->ref,
		.sender = sms->settings[SMS_SENDER].text,
		.secret = sms->settings[SMS_SECRET].text,
	};
	pa_http_request request = {.size = sizeof(request), .flags = PA_HTTP_NO_REDIRECT};
	pa_status status = check(message, err);

	if (status == PA_OK)
		status = sms_fit(sms, call, message->body, &values.text, err);
	if (status != PA_OK)
		return status;
	request.method = sms_copy(sms, call, sms->settings[SMS_METHOD].text);
	request.url = make_url(sms, call, &values);
	if (template.len)
		request.body = sms_render(sms, call, template, &values, sms->format);
	status = make_headers(sms, call, &values, &request, err);
	if (status == PA_OK)
		*ret_request = request;
	return status;
}
