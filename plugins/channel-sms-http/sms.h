/* SPDX-License-Identifier: Apache-2.0
 *
 * sms.h: what the files of channel-sms-http share. The channel speaks to any SMS gateway with an
 * HTTP interface; how is told by the configuration alone: address, method, headers, a body with
 * places for number and text, how success looks, and how delivery receipts come in.
 *
 *	plugin.c  options, open, close      gsm.c        what fits into one part
 *	render.c  templates                 build.c      message to request
 *	answer.c  answers to outcomes       receipt.c    receipts to events
 *
 * Ownership: slices made here lie in the call's memory (host->alloc) and die with the call.
 * Threads: any; the instance is read-only once opened. Errors: pa_status and a text without any
 * value of a message. Bad at: gateways that speak XML, and long texts: one part or nothing.
 */
#ifndef CHANNEL_SMS_HTTP_SMS_H
#define CHANNEL_SMS_HTTP_SMS_H

#include <proalto/channel.h>

#include <jansson.h>
#include <stdbool.h>

#define SMS_MUST_USE __attribute__((warn_unused_result))
#define SMS_STR(literal) ((pa_str){("" literal), sizeof(literal) - 1})
#define SMS_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The options, in the order of the descriptor's table. */
enum sms_option {
	SMS_URL,
	SMS_METHOD,
	SMS_QUERY,
	SMS_HEADERS,
	SMS_CONTENT_TYPE,
	SMS_BODY,
	SMS_SECRET,
	SMS_SENDER,
	SMS_ACCENTS,
	SMS_SUCCESS_STATUS,
	SMS_SUCCESS_PATH,
	SMS_SUCCESS_VALUES,
	SMS_ID_PATH,
	SMS_ERROR_PATH,
	SMS_ERRORS,
	SMS_RECEIPT_METHOD,
	SMS_RECEIPT_FORMAT,
	SMS_RECEIPT_LIST,
	SMS_RECEIPT_ID,
	SMS_RECEIPT_STATUS,
	SMS_RECEIPT_REF,
	SMS_RECEIPT_ERROR,
	SMS_RECEIPT_STATUSES,
	SMS_RECEIPT_TOKEN,
	SMS_RECEIPT_TOKEN_IN,
	SMS_RECEIPT_TOKEN_NAME,
	SMS_RECEIPT_HMAC_SECRET,
	SMS_RECEIPT_HMAC_HEADER,
	SMS_OPTIONS,
};

/* How values are written into a body. */
enum sms_format { SMS_JSON, SMS_FORM, SMS_PLAIN };

/* An option's value: a text, or a map. Absent and empty are the same. */
struct sms_setting {
	pa_str text;
	const pa_pair *pairs;
	size_t pairs_count;
};

struct sms {
	const pa_host *host;
	struct sms_setting settings[SMS_OPTIONS];
	enum sms_format format;
	bool strips_accents;
	char *memory; /* holds all texts and pairs */
	size_t memory_size;
};

/* ---- slices and results ---- */

/* Same bytes; absent and empty are the same. */
bool sms_equal(pa_str a, pa_str b);

/* The same without regard to ASCII case. */
bool sms_equal_nocase(pa_str a, pa_str b);

/* The same with a C string. */
bool sms_equal_literal(pa_str s, const char *literal);

/* Cuts the next piece before the separator off the list, blanks around it trimmed; false when the
 * list is used up. */
bool sms_next_piece(pa_str *list, char separator, pa_str *ret) SMS_MUST_USE;

/* A decimal number of at most nine digits. */
bool sms_to_number(pa_str s, int64_t *ret) SMS_MUST_USE;

/* A copy in the call's memory; absent stays absent. */
pa_str sms_copy(const struct sms *self, pa_call *call, pa_str s);

/* The parts put one behind the other, in the call's memory. */
pa_str sms_join(const struct sms *self, pa_call *call, const pa_str *parts, size_t count);

/* The value under that name, without regard to case; absent if there is none. */
pa_str sms_pair_value(const pa_pair *const *pairs, size_t count, pa_str name);

/* Whether the configured map has that name (case counts not), and its value. */
bool sms_map_find(const struct sms *self, enum sms_option option, pa_str name,
		  pa_str *ret) SMS_MUST_USE;

/* Sets the text (cut if too long; err may be NULL) and returns status. */
pa_status sms_fail(pa_error *err, pa_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The value at a path like "messages.0.id" as text in the call's memory: strings as they are, other
 * scalars as JSON writes them; absent if there is none. */
pa_str sms_json_text(const struct sms *self, pa_call *call, const json_t *root, pa_str path);

/* The value at a path; the root for an empty path; NULL if there is none. */
const json_t *sms_json_at(const json_t *root, pa_str path);

/* ---- templates ---- */

/* What the places of a template stand for. */
struct sms_values {
	pa_str to;
	pa_str text;
	pa_str ref;
	pa_str sender;
	pa_str secret;
};

/* The template with its places {to} {text} {ref} {sender} {secret} filled in, each value written as
 * the format asks. Other braces stay. The values must be UTF-8. */
pa_str sms_render(const struct sms *self, pa_call *call, pa_str template,
		  const struct sms_values *values, enum sms_format format);

/* The value as it is written in a form or in the query of a URL (application/x-www-form-urlencoded,
 * WHATWG URL, with %20 for a blank, which every server understands). */
pa_str sms_escape_form(const struct sms *self, pa_call *call, pa_str value);

/* A word in braces that is no place of ours; absent if there is none. */
pa_str sms_find_unknown_place(pa_str template);

/* True if the template has the place, e.g. "{to}". */
bool sms_has_place(pa_str template, const char *place);

/* ---- one part ---- */

/* Septets of the text in the default alphabet of GSM 03.38; false if a character is not in it. */
bool sms_gsm_septets(pa_str text, size_t *ret) SMS_MUST_USE;

/* The text as it goes out: without the accents that GSM 03.38 lacks if the configuration says so.
 * PA_REJECTED if it is not UTF-8 or does not fit into one part (160 septets, or 70 units of UCS-2
 * when a character outside of the alphabet remains). */
pa_status sms_fit(const struct sms *self, pa_call *call, pa_str text, pa_str *ret,
		  pa_error *err) SMS_MUST_USE;

/* ---- the configuration ---- */

/* True if the list of statuses ("200-299, 409") has this one. */
bool sms_status_is_listed(pa_str list, uint32_t status);

/* PA_REJECTED with a sentence if the settings contradict themselves. Fills in what is derived. */
pa_status sms_check_settings(struct sms *self, pa_call *call, pa_error *err) SMS_MUST_USE;

/* The PA_OUTCOME_* of a word of the map of errors; 0: no such word. */
uint32_t sms_outcome_word(pa_str word);

/* The PA_STATUS_* of a word of the map of receipt statuses; 0: no such word. */
uint32_t sms_status_word(pa_str word);

/* ---- the operations, as proalto/channel.h describes them ---- */

/* A message to the request that the configuration describes. */
pa_status sms_build(void *self, pa_call *call, const pa_message *message,
		    pa_http_request *ret_request, pa_error *err);

/* What became of it. */
pa_status sms_interpret(void *self, pa_call *call, const pa_message *message,
			const pa_http_response *response, uint32_t failure, pa_outcome *ret_outcome,
			pa_error *err);

/* A request at the receipt address to events. */
pa_status sms_receipt(void *self, pa_call *call, const pa_http_request *request,
		      const pa_event *const **ret_events, size_t *ret_count, pa_error *err);

#endif
