/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an SMS gateway's answer. The input: one byte for the gateway, two for the HTTP
 * status, a line for its Retry-After, then the body.
 */
#include "base/err.h"
#include "io/unicode.h"
#include "support/channel_rig.h"
#include "support/fake_host.h"

#include <stdio.h>
#include <stdlib.h>

#define LONGEST_WAIT_MS 3600000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const pa_plugin proalto_plugin_channel_sms_http;

static const char *const errors[][2] = {{"busy", "retry"},     {"full", "wait"}, {"9", "give_up"},
					{"http:418", "alarm"}, {"-1", "wait"},   {NULL, NULL}};

/* How success looks: the status alone, a word in the body, an id in the body. */
static const struct rig_setting gateways[][6] = {
	{{"errors", NULL, errors}},
	{{"success_path", "results.0.status", NULL},
	 {"success_values", "0, OK, true", NULL},
	 {"id_path", "results.0.id", NULL},
	 {"error_path", "error.code", NULL},
	 {"errors", NULL, errors}},
	{{"success_status", "200, 201-202", NULL}, {"id_path", "id", NULL}},
};

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_sms_interpret: %s\n", what);
	abort();
}

static void open_rig(struct rig *rig, const struct rig_setting *gateway)
{
	struct rig_setting settings[ARRAY_COUNT(gateways[0]) + 2] = {
		{"url", "https://sms.example/send", NULL},
		{"body", "{\"a\":\"{to}\",\"b\":\"{text}\"}", NULL},
	};
	pa_error err = ERROR_INIT;
	size_t count = 2;

	for (; gateway->name; gateway++)
		settings[count++] = *gateway;
	must(rig_open(rig, &proalto_plugin_channel_sms_http, settings, count, &err) == PA_OK,
	     "the settings are refused");
}

static void check_outcome(const pa_outcome *outcome, uint32_t status)
{
	bool is_sent = outcome->result == PA_OUTCOME_SENT;
	bool may_wait = outcome->result == PA_OUTCOME_RETRY || outcome->result == PA_OUTCOME_WAIT;

	must(outcome->size == sizeof(*outcome), "an outcome without size");
	must(outcome->result >= PA_OUTCOME_SENT && outcome->result <= PA_OUTCOME_UNCERTAIN,
	     "a result");
	must(outcome->scope == PA_SCOPE_MESSAGE || outcome->scope == PA_SCOPE_ACCOUNT, "a scope");
	must(outcome->after_ms >= 0 && outcome->after_ms <= LONGEST_WAIT_MS, "a time to wait");
	must(may_wait || outcome->after_ms == 0, "a time to wait for nothing");
	must(!is_sent || (status >= 200 && status <= 299), "sent, by a status that says no");
	must(is_sent || outcome->reason.len > 0, "no reason");
	must(is_sent || outcome->external_id.len == 0, "the id of what was not sent");
	must(utf8_is_valid(outcome->external_id), "UTF-8");
}

/* The line at the front of the rest, and what follows it. */
static pa_str cut_line(pa_str *rest)
{
	size_t len = 0;
	pa_str line;

	while (len < rest->len && rest->ptr[len] != '\n')
		len++;
	line = str_slice(*rest, 0, len);
	*rest = str_slice(*rest, len + 1, SIZE_MAX);
	return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rig rigs[ARRAY_COUNT(gateways)];
	const pa_message message = {.size = sizeof(message), .kind = PA_OUT_TEXT};
	pa_outcome outcome = {.size = sizeof(outcome)};
	pa_error err = ERROR_INIT;
	pa_status result;

	if (size < 3)
		return 0;

	const size_t which = data[0] % ARRAY_COUNT(gateways);
	const uint32_t status = 100 + (uint32_t)(data[1] * 256 + data[2]) % 500;
	struct rig *rig = &rigs[which];
	pa_str body = {(const char *)data + 3, size - 3};
	const pa_pair retry_after = {PA_STR("Retry-After"), cut_line(&body)};
	const pa_pair *const headers[] = {&retry_after};
	const pa_http_response response = {
		.size = sizeof(response),
		.status = status,
		.headers = headers,
		.headers_count = ARRAY_COUNT(headers),
		.body = body,
	};

	if (rig->self == NULL)
		open_rig(rig, gateways[which]);
	result = rig->ops->interpret(rig->self, rig->call, &message, &response, 0, &outcome, &err);
	must(result == PA_OK, "a status");
	check_outcome(&outcome, status);
	rig_next_call(rig);
	must(fake_problems() == 0, "the contract is broken");
	return 0;
}
