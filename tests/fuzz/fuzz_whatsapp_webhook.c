/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the body of Meta's webhook: signature first, then events. The input is the body.
 */
#include "base/err.h"
#include "io/crypto.h"
#include "io/unicode.h"
#include "support/fake_host.h"
#include "support/whatsapp_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_whatsapp_webhook: %s\n", what);
	abort();
}

static void check_signature(struct rig *rig, pa_str body)
{
	char text[7 + 2 * 32 + 1] = "sha256=";
	pa_pair header = {PA_STR("x-hub-signature-256"), {text, sizeof(text) - 1}};
	const pa_pair *const headers[] = {&header};
	pa_http_request request = {
		.size = sizeof(request), .headers = headers, .headers_count = 1, .body = body};
	pa_error err = ERROR_INIT;
	uint8_t digest[32];

	hmac_sha256(PA_STR(WHATSAPP_SECRET), body, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(text + 7 + 2 * i, 3, "%02x", digest[i]);
	must(rig->ops->verify(rig->self, rig->call, &request, &err) == PA_OK, "signed and refused");
	text[7 + body.len % 64] ^= 1;
	must(rig->ops->verify(rig->self, rig->call, &request, &err) == PA_REJECTED,
	     "wrongly signed and taken");
}

static void check_text(pa_str text)
{
	must(text.len == 0 || text.ptr != NULL, "a text without bytes");
	must(utf8_is_valid(text), "a text that is not UTF-8");
}

static void check_event(const pa_event *event)
{
	const pa_str texts[] = {
		event->unique,
		event->account,
		event->id,
		event->phone,
		event->user_id,
		event->name,
		event->type,
		event->text,
		event->reply_id,
		event->media_id,
		event->media_type,
		event->media_name,
		event->context_id,
		event->ref,
		event->error_title,
		event->error_detail,
		event->new_phone,
		event->new_user_id,
		event->previous_user_id,
		event->device_key,
		event->detail,
	};

	must(event->size == sizeof(*event), "an event without size");
	must(event->kind >= PA_EVENT_MESSAGE && event->kind <= PA_EVENT_UNKNOWN, "a kind");
	must(event->kind != PA_EVENT_MESSAGE || event->message_kind, "no kind of message");
	must(event->kind != PA_EVENT_STATUS || event->status, "no status");
	must(event->unique.len > 0, "no unique");
	must(event->at_ns >= 0, "a time before all times");
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		check_text(texts[i]);
	for (size_t i = 0; i < event->phone.len; i++)
		must(event->phone.ptr[i] >= '0' && event->phone.ptr[i] <= '9', "a phone");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rig rig;
	const pa_event *const *events = NULL;
	const pa_str body = {(const char *)data, size};
	pa_error err = ERROR_INIT;
	size_t count = 0;
	pa_status status;

	if (rig.self == NULL)
		whatsapp_rig_open(&rig, NULL, 0);
	check_signature(&rig, body);
	status = rig.ops->parse(rig.self, rig.call, body, &events, &count, &err);
	must(status == PA_OK || status == PA_REJECTED, "a status");
	must(status == PA_OK || (err.len > 0 && events == NULL), "refused without a reason");
	for (size_t i = 0; status == PA_OK && i < count; i++)
		check_event(events[i]);
	rig_next_call(&rig);
	must(fake_problems() == 0, "the contract is broken");
	return 0;
}
