/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an answer of the Graph API: to a message, to an upload, to a read mark, to the
 * question where a file lies. The input: one byte for what was sent, two for the HTTP status, then
 * the body.
 */
#include "base/err.h"
#include "io/http_client.h"
#include "io/unicode.h"
#include "support/fake_host.h"
#include "support/whatsapp_rig.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_whatsapp_interpret: %s\n", what);
	abort();
}

static void check_outcome(const pa_outcome *outcome, bool is_upload)
{
	bool is_sent = outcome->result == PA_OUTCOME_SENT;
	bool is_uploaded = outcome->result == PA_OUTCOME_UPLOADED;

	must(outcome->size == sizeof(*outcome), "an outcome without size");
	must(outcome->result >= PA_OUTCOME_SENT && outcome->result <= PA_OUTCOME_UPLOADED,
	     "a result");
	must(outcome->scope >= PA_SCOPE_MESSAGE && outcome->scope <= PA_SCOPE_ACCOUNT, "a scope");
	must(outcome->after_ms >= 0, "a time to wait");
	must(is_sent || is_uploaded || outcome->reason.len > 0, "no reason");
	must(!is_uploaded || (is_upload && outcome->media_id.len > 0), "uploaded what?");
	must(!is_upload || !is_sent, "an upload sends nothing");
	must(utf8_is_valid(outcome->external_id) && utf8_is_valid(outcome->media_id), "UTF-8");
}

static void check_download(struct rig *rig, const pa_http_response *response)
{
	pa_http_request request = {.size = sizeof(request)};
	pa_error err = ERROR_INIT;
	pa_status status = rig->ops->download_next(rig->self, rig->call, response, &request, &err);

	must(status != PA_OK || http_url_check(request.url, NULL) == PA_OK,
	     "an address that may not be used");
	must(status != PA_OK || str_starts(request.url, PA_STR("https://")) ||
		     str_starts(request.url, PA_STR("HTTPS://")) ||
		     str_equal_nocase(str_slice(request.url, 0, 8), PA_STR("https://")),
	     "an address without TLS");
	must(status == PA_OK || err.len > 0, "refused without a reason");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rig rig;
	pa_outcome outcome = {.size = sizeof(outcome)};
	pa_error err = ERROR_INIT;

	if (rig.self == NULL)
		whatsapp_rig_open(&rig, NULL, 0);
	if (size < 3)
		return 0;

	const bool is_upload = data[0] % 3 == 1;
	const pa_message message = {
		.size = sizeof(message),
		.kind = data[0] % 3 == 2 ? PA_OUT_READ_MARK : PA_OUT_DOCUMENT,
		.media_bytes = {is_upload ? "x" : NULL, is_upload},
	};
	const pa_http_response response = {
		.size = sizeof(response),
		.status = 100 + (uint32_t)(data[1] * 256 + data[2]) % 500,
		.body = {(const char *)data + 3, size - 3},
	};

	must(rig.ops->interpret(rig.self, rig.call, &message, &response, 0, &outcome, &err) ==
		     PA_OK,
	     "a status");
	check_outcome(&outcome, is_upload);
	check_download(&rig, &response);
	rig_next_call(&rig);
	must(fake_problems() == 0, "the contract is broken");
	return 0;
}
