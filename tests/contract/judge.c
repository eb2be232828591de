/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/check.h"

#include "base/err.h"
#include "base/str.h"
#include "io/http_client.h"

#include <string.h>

#define MAX_EVENTS 100000
#define EVENT_FLAGS 63u

/* A result must be readable from end to end: a stray pointer dies here, in the case's child. */
void judge_str(const char *what, pa_str text)
{
	const volatile char *at = text.ptr;
	char sum = 0;

	if (!text.ptr && text.len) {
		fake_problem("%s has a length and no bytes", what);
		return;
	}
	for (size_t i = 0; i < text.len; i++)
		sum = (char)(sum ^ at[i]);
	(void)sum;
}

static bool is_one_line(pa_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < 0x20 || c == 0x7f)
			return false;
	}
	return true;
}

static void judge_error(const char *operation, const pa_error *err)
{
	pa_str text = {err->text, err->len};

	if (err->len == 0)
		fake_problem("%s failed without saying why", operation);
	if (err->len > sizeof(err->text)) {
		fake_problem("%s says its error has %u bytes", operation, err->len);
		return;
	}
	if (fake_is_forbidden(text))
		fake_problem("%s put a secret or a personal datum into its error", operation);
}

bool judge_status(const char *operation, pa_status status, const pa_error *err)
{
	if (status == PA_OK)
		return true;
	if (status > PA_BUG)
		fake_problem("%s returned the unknown status %u", operation, status);
	if (status == PA_BUG)
		fake_problem("%s returned PA_BUG: %.*s", operation, (int)sizeof(err->text) - 1,
			     err->text);
	judge_error(operation, err);
	return false;
}

static void judge_range(const char *operation, const char *what, uint32_t value, uint32_t max)
{
	if (value < 1 || value > max)
		fake_problem("%s: %s %u is out of range", operation, what, value);
}

static void judge_event(const char *operation, const pa_event *event)
{
	const pa_str texts[] = {
		event->unique,       event->account,    event->id,          event->phone,
		event->user_id,      event->name,       event->type,        event->text,
		event->reply_id,     event->media_id,   event->media_type,  event->media_name,
		event->media_sha256, event->context_id, event->ref,         event->error_title,
		event->error_detail, event->new_phone,  event->new_user_id, event->previous_user_id,
		event->device_key,   event->detail,
	};

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		judge_str(operation, texts[i]);
	judge_range(operation, "an event's kind", event->kind, PA_EVENT_UNKNOWN);
	if (event->flags & ~EVENT_FLAGS)
		fake_problem("%s: an event has unknown flags", operation);
	if (event->phone.len && !str_is_digits(event->phone))
		fake_problem("%s: a phone is not made of digits", operation);
	if (event->kind == PA_EVENT_STATUS)
		judge_range(operation, "an event's status", event->status, PA_STATUS_OTHER);
	if (event->kind == PA_EVENT_SYSTEM)
		judge_range(operation, "an event's system", event->system, PA_SYSTEM_OTHER);
	if (event->kind == PA_EVENT_MESSAGE) {
		judge_range(operation, "a message's kind", event->message_kind, PA_IN_OTHER);
		if (!event->phone.len && !event->user_id.len)
			fake_problem("%s: a message has no sender", operation);
	}
	if (event->kind <= PA_EVENT_STATUS && !event->unique.len)
		fake_problem("%s: a message or status has nothing unique", operation);
}

void judge_events(const char *operation, const pa_event *const *events, size_t count)
{
	if (count > MAX_EVENTS || (count && !events)) {
		fake_problem("%s returned %zu events", operation, count);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (!events[i] || events[i]->size < sizeof(pa_event)) {
			fake_problem("%s: event %zu is absent or of a wrong size", operation, i);
			return;
		}
		judge_event(operation, events[i]);
	}
}

static void judge_header(const char *operation, const pa_pair *header)
{
	judge_str(operation, header->name);
	judge_str(operation, header->value);
	if (!header->name.len || memchr(header->name.ptr, ':', header->name.len) ||
	    memchr(header->name.ptr, ' ', header->name.len) || !is_one_line(header->name))
		fake_problem("%s: a header's name is none", operation);
	if (!is_one_line(header->value))
		fake_problem("%s: a header's value could begin another header", operation);
}

void judge_request(const char *operation, const pa_http_request *request)
{
	if (request->size < sizeof(*request)) {
		fake_problem("%s: the request's size is not set", operation);
		return;
	}
	judge_str(operation, request->url);
	judge_str(operation, request->body);
	if (!request->method.len || request->method.len > 10 || request->method.ptr[0] < 'A' ||
	    request->method.ptr[0] > 'Z')
		fake_problem("%s: the request has no method", operation);
	if (http_url_check(request->url, NULL) != PA_OK)
		fake_problem("%s: the request's address is not allowed", operation);
	if (request->headers_count > 100 || (request->headers_count && !request->headers)) {
		fake_problem("%s: the request's headers make no sense", operation);
		return;
	}
	for (size_t i = 0; i < request->headers_count; i++)
		judge_header(operation, request->headers[i]);
}

void judge_outcome(const pa_outcome *outcome)
{
	if (outcome->size < sizeof(*outcome))
		fake_problem("interpret: the outcome's size is not set");
	judge_range("interpret", "the outcome's result", outcome->result, PA_OUTCOME_UPLOADED);
	if (outcome->scope > PA_SCOPE_ACCOUNT)
		fake_problem("interpret: the outcome's scope is out of range");
	if (outcome->after_ms < 0)
		fake_problem("interpret: the outcome lies in the past");
	judge_str("interpret", outcome->reason);
	judge_str("interpret", outcome->external_id);
	judge_str("interpret", outcome->media_id);
	if (!is_one_line(outcome->reason) || outcome->reason.len > 500)
		fake_problem("interpret: the reason is not one short line");
	if (fake_is_forbidden(outcome->reason))
		fake_problem("interpret: a secret or a personal datum is in the reason");
	if (outcome->result == PA_OUTCOME_UPLOADED && !outcome->media_id.len)
		fake_problem("interpret: uploaded, and no media_id");
}
