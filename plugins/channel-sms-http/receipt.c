/* SPDX-License-Identifier: Apache-2.0
 *
 * Delivery receipts: one in a query or a form, or many in JSON. Nothing is read before the shared
 * token or the signature has been checked, whichever is configured (both, if both are).
 */
#include "sms.h"

#include <stdio.h>
#include <string.h>

#define DIGEST_BYTES 32
#define MAX_BODY ((size_t)1 << 20)
#define MAX_RECEIPTS 1000
#define MAX_FIELDS 64
#define MAX_FIELD 512

/* ---- genuine? ---- */

static bool token_fits(const struct sms *sms, pa_call *call, const pa_http_request *request)
{
	const struct sms_setting *settings = sms->settings;
	pa_str name = settings[SMS_RECEIPT_TOKEN_NAME].text;
	bool is_in_query = sms_equal_literal(settings[SMS_RECEIPT_TOKEN_IN].text, "query");
	pa_str given = is_in_query ? sms_pair_value(request->query, request->query_count, name)
				   : sms_pair_value(request->headers, request->headers_count, name);

	return given.ptr != NULL &&
	       sms->host->equal_constant_time(call, given, settings[SMS_RECEIPT_TOKEN].text);
}

/* Hexadecimal, with or without "sha256=" in front. */
static bool signature_read(pa_str text, uint8_t *out)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const pa_str prefix = SMS_STR("sha256=");

	if (text.len > prefix.len && memcmp(text.ptr, prefix.ptr, prefix.len) == 0)
		text = (pa_str){text.ptr + prefix.len, text.len - prefix.len};
	if (text.len != 2 * (size_t)DIGEST_BYTES)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const char *digit = memchr(digits, text.ptr[i], sizeof(digits) - 1);

		if (digit == NULL)
			return false;
		out[i / 2] = (uint8_t)(out[i / 2] << 4 | (digit - digits) % 16);
	}
	return true;
}

static bool signature_fits(const struct sms *sms, pa_call *call, const pa_http_request *request)
{
	const struct sms_setting *settings = sms->settings;
	pa_str given = sms_pair_value(request->headers, request->headers_count,
				      settings[SMS_RECEIPT_HMAC_HEADER].text);
	uint8_t signature[DIGEST_BYTES] = {0};
	uint8_t digest[DIGEST_BYTES];

	if (!signature_read(given, signature))
		return false;
	sms->host->hmac_sha256(call, settings[SMS_RECEIPT_HMAC_SECRET].text, request->body, digest);
	return sms->host->equal_constant_time(call, (pa_str){(const char *)digest, DIGEST_BYTES},
					      (pa_str){(const char *)signature, DIGEST_BYTES});
}

static pa_status check_genuine(const struct sms *sms, pa_call *call, const pa_http_request *request,
			       pa_error *err)
{
	const struct sms_setting *settings = sms->settings;

	if (settings[SMS_RECEIPT_STATUS].text.len == 0)
		return sms_fail(err, PA_REJECTED, "no receipts are configured");
	if (!sms_equal(request->method, settings[SMS_RECEIPT_METHOD].text))
		return sms_fail(err, PA_REJECTED, "receipts come by another method");
	if (settings[SMS_RECEIPT_TOKEN].text.len && !token_fits(sms, call, request))
		return sms_fail(err, PA_REJECTED, "the receipt's token is missing or wrong");
	if (settings[SMS_RECEIPT_HMAC_SECRET].text.len && !signature_fits(sms, call, request))
		return sms_fail(err, PA_REJECTED, "the receipt's signature is missing or wrong");
	return PA_OK;
}

/* ---- one receipt to one event ---- */

struct receipts {
	const struct sms *sms;
	pa_call *call;
	const pa_http_request *request;
	const pa_event **events;
	size_t count;
};

struct receipt {
	pa_str id;
	pa_str status;
	pa_str ref;
	pa_str error;
};

static bool is_readable(const struct receipt *receipt)
{
	return receipt->status.len && (receipt->id.len || receipt->ref.len) &&
	       receipt->id.len <= MAX_FIELD && receipt->status.len <= MAX_FIELD &&
	       receipt->ref.len <= MAX_FIELD && receipt->error.len <= MAX_FIELD;
}

static uint32_t status_find(const struct sms *sms, pa_str word)
{
	pa_str meaning;

	if (!sms_map_find(sms, SMS_RECEIPT_STATUSES, word, &meaning))
		return PA_STATUS_OTHER;
	return sms_status_word(meaning);
}

/* Place and content of the request, so that the same request gives the same text again. */
static pa_str fingerprint(const struct receipts *receipts)
{
	static const char digits[] = "0123456789abcdef";
	const pa_http_request *request = receipts->request;
	uint8_t digest[DIGEST_BYTES];
	char text[1 + 2 * 16] = {'#'};
	char place[24];
	int len = snprintf(place, sizeof(place), "%zu", receipts->count);
	pa_str said = request->body;

	for (size_t i = 0; i < request->query_count; i++) {
		const pa_str parts[] = {said, request->query[i]->name, SMS_STR("="),
					request->query[i]->value};

		said = sms_join(receipts->sms, receipts->call, parts, SMS_COUNT(parts));
	}
	receipts->sms->host->hmac_sha256(receipts->call, (pa_str){place, (size_t)len}, said,
					 digest);
	for (size_t i = 0; i < 16; i++) {
		text[1 + 2 * i] = digits[digest[i] >> 4];
		text[2 + 2 * i] = digits[digest[i] & 15];
	}
	return sms_copy(receipts->sms, receipts->call, (pa_str){text, sizeof(text)});
}

static pa_str keep(const struct receipts *receipts, pa_str s)
{
	return s.len ? sms_copy(receipts->sms, receipts->call, s) : (pa_str){NULL, 0};
}

static void receipt_fill(const struct receipts *receipts, const struct receipt *receipt,
			 pa_event *event)
{
	const pa_str unique[] = {receipt->id.len ? receipt->id : receipt->ref, SMS_STR(":"),
				 receipt->status};

	event->unique = sms_join(receipts->sms, receipts->call, unique, SMS_COUNT(unique));
	event->id = keep(receipts, receipt->id);
	event->ref = keep(receipts, receipt->ref);
	event->type = keep(receipts, receipt->status);
	event->status = status_find(receipts->sms, receipt->status);
	event->error_title = keep(receipts, receipt->error);
	if (!sms_to_number(receipt->error, &event->error_code))
		event->error_code = 0;
}

static void receipt_add(struct receipts *receipts, const struct receipt *receipt)
{
	pa_event *event = receipts->sms->host->alloc(receipts->call, sizeof(*event));

	event->size = sizeof(*event);
	if (is_readable(receipt)) {
		event->kind = PA_EVENT_STATUS;
		receipt_fill(receipts, receipt, event);
	} else {
		event->kind = PA_EVENT_UNKNOWN;
		event->unique = fingerprint(receipts);
	}
	receipts->events[receipts->count++] = event;
}

/* ---- where receipts stand ---- */

static pa_status read_pairs(struct receipts *receipts, const pa_pair *const *pairs, size_t count)
{
	const struct sms_setting *settings = receipts->sms->settings;
	const struct receipt receipt = {
		.id = sms_pair_value(pairs, count, settings[SMS_RECEIPT_ID].text),
		.status = sms_pair_value(pairs, count, settings[SMS_RECEIPT_STATUS].text),
		.ref = sms_pair_value(pairs, count, settings[SMS_RECEIPT_REF].text),
		.error = sms_pair_value(pairs, count, settings[SMS_RECEIPT_ERROR].text),
	};

	receipts->events = receipts->sms->host->alloc(receipts->call, sizeof(const pa_event *));
	receipt_add(receipts, &receipt);
	return PA_OK;
}

static pa_status read_query(struct receipts *receipts, pa_error *err)
{
	(void)err;
	return read_pairs(receipts, receipts->request->query, receipts->request->query_count);
}

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *digit = memchr(digits, c, sizeof(digits) - 1);

	return digit ? (int)(digit - digits) % 16 : -1;
}

/* application/x-www-form-urlencoded, WHATWG URL, section 5.1: a stray % stays. */
static pa_str decode_form(const struct receipts *receipts, pa_str s)
{
	char *out = receipts->sms->host->alloc(receipts->call, s.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < s.len; i++) {
		int high = s.ptr[i] == '%' && i + 2 < s.len ? hex_value(s.ptr[i + 1]) : -1;
		int low = high >= 0 ? hex_value(s.ptr[i + 2]) : -1;

		if (low >= 0) {
			out[len++] = (char)(high << 4 | low);
			i += 2;
		} else {
			out[len++] = s.ptr[i] == '+' ? ' ' : s.ptr[i];
		}
	}
	return (pa_str){out, len};
}

static pa_status read_form(struct receipts *receipts, pa_error *err)
{
	const pa_pair **list =
		receipts->sms->host->alloc(receipts->call, MAX_FIELDS * sizeof(const pa_pair *));
	pa_str rest = receipts->request->body;
	pa_str piece;
	size_t count = 0;

	while (sms_next_piece(&rest, '&', &piece)) {
		pa_pair *pair = receipts->sms->host->alloc(receipts->call, sizeof(*pair));
		pa_str name = piece;

		if (count == MAX_FIELDS)
			return sms_fail(err, PA_REJECTED, "the form has more than %d fields",
					MAX_FIELDS);
		if (!sms_next_piece(&piece, '=', &name))
			continue;
		*pair = (pa_pair){decode_form(receipts, name), decode_form(receipts, piece)};
		list[count++] = pair;
	}
	return read_pairs(receipts, list, count);
}

static pa_str field_of(const struct receipts *receipts, const json_t *item, enum sms_option option)
{
	return sms_json_text(receipts->sms, receipts->call, item,
			     receipts->sms->settings[option].text);
}

static pa_status read_list(struct receipts *receipts, const json_t *list, pa_error *err)
{
	size_t count = json_is_array(list) ? json_array_size(list) : 1;

	if (count > MAX_RECEIPTS)
		return sms_fail(err, PA_REJECTED, "%zu receipts at once, the limit is %d", count,
				MAX_RECEIPTS);
	receipts->events =
		receipts->sms->host->alloc(receipts->call, (count + 1) * sizeof(const pa_event *));
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_is_array(list) ? json_array_get(list, i) : list;
		const struct receipt receipt = {
			.id = field_of(receipts, item, SMS_RECEIPT_ID),
			.status = field_of(receipts, item, SMS_RECEIPT_STATUS),
			.ref = field_of(receipts, item, SMS_RECEIPT_REF),
			.error = field_of(receipts, item, SMS_RECEIPT_ERROR),
		};

		receipt_add(receipts, &receipt);
	}
	return PA_OK;
}

static pa_status read_json(struct receipts *receipts, pa_error *err)
{
	pa_str body = receipts->request->body;
	json_t *root = json_loadb(body.ptr ? body.ptr : "", body.len,
				  JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	const json_t *list;
	pa_status status;

	if (root == NULL)
		return sms_fail(err, PA_REJECTED, "the receipt is no JSON");
	list = sms_json_at(root, receipts->sms->settings[SMS_RECEIPT_LIST].text);
	status = read_list(receipts, list, err);
	json_decref(root);
	return status;
}

static const struct receipt_format {
	const char *name;
	pa_status (*read)(struct receipts *receipts, pa_error *err);
} formats[] = {
	{"query", read_query},
	{"form", read_form},
	{"json", read_json},
};

pa_status sms_receipt(void *self, pa_call *call, const pa_http_request *request,
		      const pa_event *const **ret_events, size_t *ret_count, pa_error *err)
{
	struct receipts receipts = {.sms = self, .call = call, .request = request};
	pa_str format = receipts.sms->settings[SMS_RECEIPT_FORMAT].text;
	pa_status status = check_genuine(self, call, request, err);

	if (status == PA_OK && request->body.len > MAX_BODY)
		return sms_fail(err, PA_REJECTED, "the receipts have %zu bytes, the limit is %zu",
				request->body.len, MAX_BODY);
	for (size_t i = 0; i < SMS_COUNT(formats) && status == PA_OK; i++)
		if (sms_equal_literal(format, formats[i].name))
			status = formats[i].read(&receipts, err);
	if (status != PA_OK)
		return status;
	*ret_events = receipts.events;
	*ret_count = receipts.count;
	return PA_OK;
}
