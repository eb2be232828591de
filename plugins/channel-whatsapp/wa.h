/* SPDX-License-Identifier: Apache-2.0
 *
 * wa.h: what the files of channel-whatsapp share: the opened instance, slices, and results in the
 * call's memory. The channel translates between the daemon and the WhatsApp Business Cloud API
 * (Graph API): pure functions over bytes, no socket, no state between calls.
 *
 *	verify.c   handshake and signature            webhook.c  the envelope of a POST
 *	json.c     JSON by tokens                     message.c  what people send
 *	mend.c     strings that are broken            status.c   statuses, errors, account fields
 *	write.c    JSON in one pass                   build.c    messages to requests
 *	template.c templates                          upload.c   files out
 *	errors.c   answers to outcomes                media.c    files in
 *
 * Ownership: slices made here lie in the call's memory (host->alloc) and die with the call.
 * Threads: any; the instance is read-only once opened. Errors: pa_status and a text that names keys
 * and limits, never a value. Bad at: anything stateful.
 */
#ifndef CHANNEL_WHATSAPP_WA_H
#define CHANNEL_WHATSAPP_WA_H

#include <proalto/channel.h>

#include <stdbool.h>

#define WA_MUST_USE __attribute__((warn_unused_result))
#define WA_STR(literal) ((pa_str){("" literal), sizeof(literal) - 1})
#define WA_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One opened channel. All slices lie in memory. */
struct whatsapp {
	const pa_host *host;
	pa_str phone_number_id;
	pa_str app_secret;
	pa_str app_secret_previous; /* absent: none */
	pa_str verify_token;
	pa_str access_token;
	pa_str graph_url; /* without a slash at the end */
	pa_str graph_version;
	pa_str business_account_id; /* absent: not checked */
	pa_str media_hosts;         /* suffixes between commas or blanks */
	bool is_loopback;           /* graph_url is on this machine: so may files be */
	char *memory;
	size_t memory_size;
};

/* ---- slices ---- */

/* Same bytes; absent and empty are the same. */
bool wa_equal(pa_str a, pa_str b);

/* The same, with a C string. */
bool wa_equal_literal(pa_str s, const char *literal);

/* True if s is made of min to max decimal digits. */
bool wa_is_digits(pa_str s, size_t min, size_t max);

/* True if s has min to max bytes, all of them letters, digits or one of extra (ASCII). */
bool wa_is_word(pa_str s, size_t min, size_t max, const char *extra);

/* True if s has the form of Meta's business-scoped user id. */
bool wa_is_user_id(pa_str s);

/* Code points in s, which must be valid UTF-8. */
size_t wa_length(pa_str s);

/* A decimal number without a sign; false if it is none or exceeds max. */
bool wa_to_number(pa_str s, int64_t max, int64_t *ret) WA_MUST_USE;

/* The value of the first pair with that name; absent if there is none. */
pa_str wa_pair_value(const pa_pair *const *pairs, size_t count, const char *name);

/* ---- results ---- */

/* A copy of s in the call's memory; absent stays absent. */
pa_str wa_copy(const struct whatsapp *self, pa_call *call, pa_str s);

/* The parts put one behind the other, in the call's memory. */
pa_str wa_join(const struct whatsapp *self, pa_call *call, const pa_str *parts, size_t count);

/* An array of pairs for an HTTP request, copied into the call's memory. */
const pa_pair *const *wa_pairs(const struct whatsapp *self, pa_call *call, const pa_pair *pairs,
			       size_t count);

/* A request of ours with the access token: method, path behind the version, and, if there is a
 * body, its content type. body must lie in the call's memory. */
void wa_request(const struct whatsapp *self, pa_call *call, const char *method, pa_str url,
		pa_str content_type, pa_str body, pa_http_request *ret);

/* graph_url/version/ and the path behind, in the call's memory. */
pa_str wa_graph_url(const struct whatsapp *self, pa_call *call, pa_str first, pa_str second);

/* Sets the text (cut if too long; err may be NULL) and returns status. */
pa_status wa_fail(pa_error *err, pa_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- the operations, as proalto/channel.h describes them ---- */

/* GET with hub.mode, hub.verify_token and hub.challenge. */
pa_status wa_handshake(void *self, pa_call *call, const pa_http_request *request,
		       pa_http_response *ret_response, pa_error *err);

/* The signature over the raw body, under the present secret or the one before. */
pa_status wa_verify(void *self, pa_call *call, const pa_http_request *request, pa_error *err);

/* A webhook's body to events. */
pa_status wa_parse(void *self, pa_call *call, pa_str body, const pa_event *const **ret_events,
		   size_t *ret_count, pa_error *err);

/* A message to the request that sends it, or that uploads its file first. */
pa_status wa_build(void *self, pa_call *call, const pa_message *message,
		   pa_http_request *ret_request, pa_error *err);

/* What became of it. */
pa_status wa_interpret(void *self, pa_call *call, const pa_message *message,
		       const pa_http_response *response, uint32_t failure, pa_outcome *ret_outcome,
		       pa_error *err);

/* Where does a received file lie? */
pa_status wa_download(void *self, pa_call *call, pa_str account, pa_str media_id,
		      pa_http_request *ret_request, pa_error *err);

/* There: the request that fetches it. */
pa_status wa_download_next(void *self, pa_call *call, const pa_http_response *response,
			   pa_http_request *ret_request, pa_error *err);

/* True if url may be fetched with the access token. */
bool wa_media_url_is_allowed(const struct whatsapp *self, pa_str url);

/* True if url's host is this machine. */
bool wa_url_is_loopback(pa_str url);

#endif
