/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a delivery receipt of an SMS gateway that knows the token. The input: one byte for
 * the format, then the body (for receipts in a query: the status).
 */
#include "base/err.h"
#include "support/channel_rig.h"
#include "support/fake_host.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const pa_plugin proalto_plugin_channel_sms_http;

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_sms_receipt: %s\n", what);
	abort();
}

static void open_rig(struct rig *rig, const char *format)
{
	static const char *const words[][2] = {
		{"DELIVRD", "delivered"}, {"UNDELIV", "failed"}, {NULL, NULL}};
	const struct rig_setting settings[] = {
		{"url", "https://sms.example/send", NULL},
		{"body", "{\"a\":\"{to}\",\"b\":\"{text}\"}", NULL},
		{"receipt_format", format, NULL},
		{"receipt_id", "id", NULL},
		{"receipt_status", "status", NULL},
		{"receipt_ref", "data.ref", NULL},
		{"receipt_error", "error", NULL},
		{"receipt_statuses", NULL, words},
		{"receipt_token", "demo-receipt-token", NULL},
	};
	pa_error err = ERROR_INIT;

	must(rig_open(rig, &proalto_plugin_channel_sms_http, settings, ARRAY_COUNT(settings),
		      &err) == PA_OK,
	     "the settings are refused");
}

static void check_event(const pa_event *event)
{
	must(event->size == sizeof(*event), "an event without size");
	must(event->kind == PA_EVENT_STATUS || event->kind == PA_EVENT_UNKNOWN, "a kind");
	must(event->kind != PA_EVENT_STATUS || (event->status && (event->id.len || event->ref.len)),
	     "a status of nothing");
	must(event->unique.len > 0, "no unique");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const formats[] = {"json", "form", "query"};
	static struct rig rigs[ARRAY_COUNT(formats)];
	struct rig *rig = &rigs[size ? data[0] % ARRAY_COUNT(formats) : 0];
	const pa_pair token = {PA_STR("x-receipt-token"), PA_STR("demo-receipt-token")};
	const pa_pair id = {PA_STR("id"), PA_STR("m1")};
	const pa_pair status = {PA_STR("status"), {(const char *)data + 1, size ? size - 1 : 0}};
	const pa_pair *const headers[] = {&token};
	const pa_pair *const query[] = {&id, &status};
	const pa_http_request request = {
		.size = sizeof(request),
		.method = PA_STR("POST"),
		.headers = headers,
		.headers_count = 1,
		.query = query,
		.query_count = ARRAY_COUNT(query),
		.body = {(const char *)data + 1, size ? size - 1 : 0},
	};
	const pa_event *const *events = NULL;
	pa_error err = ERROR_INIT;
	size_t count = 0;
	pa_status result;

	if (size == 0)
		return 0;
	if (rig->self == NULL)
		open_rig(rig, formats[data[0] % ARRAY_COUNT(formats)]);
	result = rig->ops->receipt(rig->self, rig->call, &request, &events, &count, &err);
	must(result == PA_OK || (result == PA_REJECTED && err.len > 0), "a status");
	for (size_t i = 0; result == PA_OK && i < count; i++)
		check_event(events[i]);
	rig_next_call(rig);
	must(fake_problems() == 0, "the contract is broken");
	return 0;
}
