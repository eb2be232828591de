/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of the gateway to outcomes, as the configuration describes them. The gateway's own words
 * may hold the number: they are compared and not copied.
 */
#include "sms.h"

#include <stdio.h>
#include <string.h>

#define MAX_RETRY_AFTER_S 3600

struct answer {
	const struct sms *sms;
	pa_call *call;
	const pa_http_response *response;
	pa_outcome *outcome;
};

static void apply(const struct answer *answer, uint32_t result, int64_t code, const char *reason)
{
	bool is_of_account = result == PA_OUTCOME_WAIT || result == PA_OUTCOME_ALARM;

	*answer->outcome = (pa_outcome){
		.size = sizeof(pa_outcome),
		.result = result,
		.scope = is_of_account ? PA_SCOPE_ACCOUNT : PA_SCOPE_MESSAGE,
		.code = code,
		.reason = sms_copy(answer->sms, answer->call, (pa_str){reason, strlen(reason)}),
	};
}

/* RFC 9110, section 10.2.3; only the form in seconds. */
static void apply_retry_after(const struct answer *answer)
{
	const pa_http_response *response = answer->response;
	pa_str value =
		sms_pair_value(response->headers, response->headers_count, SMS_STR("retry-after"));
	uint32_t result = answer->outcome->result;
	int64_t seconds;

	if ((result == PA_OUTCOME_WAIT || result == PA_OUTCOME_RETRY) &&
	    sms_to_number(value, &seconds))
		answer->outcome->after_ms =
			1000 * (seconds < MAX_RETRY_AFTER_S ? seconds : MAX_RETRY_AFTER_S);
}

/* Where the configuration says nothing. A gateway that gave up waiting (504) may have sent it. */
static const struct status_rule {
	uint32_t first;
	uint32_t last;
	uint32_t result;
	const char *reason;
} status_rules[] = {
	{300, 399, PA_OUTCOME_ALARM, "the gateway answered with a redirect"},
	{401, 401, PA_OUTCOME_ALARM, "the gateway refused our credentials"},
	{402, 402, PA_OUTCOME_ALARM, "the gateway wants to be paid"},
	{403, 403, PA_OUTCOME_ALARM, "the gateway refused access"},
	{404, 405, PA_OUTCOME_ALARM, "the gateway's address or method is wrong"},
	{407, 407, PA_OUTCOME_ALARM, "the proxy wants a password"},
	{408, 408, PA_OUTCOME_RETRY, "the gateway did not get the request in time"},
	{429, 429, PA_OUTCOME_WAIT, "too many requests"},
	{400, 499, PA_OUTCOME_GIVE_UP, "the gateway refused the message"},
	{504, 504, PA_OUTCOME_UNCERTAIN, "a gateway on the way gave up waiting"},
	{500, 599, PA_OUTCOME_RETRY, "the gateway failed"},
};

static void by_status(const struct answer *answer)
{
	uint32_t status = answer->response->status;

	for (size_t i = 0; i < SMS_COUNT(status_rules); i++) {
		const struct status_rule *rule = &status_rules[i];

		if (status < rule->first || status > rule->last)
			continue;
		apply(answer, rule->result, status, rule->reason);
		return;
	}
	apply(answer, PA_OUTCOME_UNCERTAIN, status, "the gateway answered with an odd status");
}

/* True if the map of errors has the key; then the outcome is set. */
static bool by_map(const struct answer *answer, pa_str key, int64_t code)
{
	static const char *const reasons[] = {
		[PA_OUTCOME_RETRY] = "the gateway's error: to be retried",
		[PA_OUTCOME_WAIT] = "the gateway's error: to wait",
		[PA_OUTCOME_GIVE_UP] = "the gateway's error: final",
		[PA_OUTCOME_ALARM] = "the gateway's error: to be mended",
	};
	pa_str word;
	uint32_t result;

	if (key.len == 0 || !sms_map_find(answer->sms, SMS_ERRORS, key, &word))
		return false;
	result = sms_outcome_word(word);
	apply(answer, result, code, reasons[result]);
	return true;
}

static bool by_mapped_status(const struct answer *answer)
{
	char key[32];
	int len = snprintf(key, sizeof(key), "http:%u", answer->response->status);

	return by_map(answer, (pa_str){key, (size_t)len}, answer->response->status);
}

/* The gateway's word for what went wrong: at error_path, else what stood in place of success. */
static pa_str error_word(const struct answer *answer, const json_t *body)
{
	const struct sms_setting *settings = answer->sms->settings;
	pa_str path = settings[SMS_ERROR_PATH].text;

	if (path.len == 0)
		path = settings[SMS_SUCCESS_PATH].text;
	return sms_json_text(answer->sms, answer->call, body, path);
}

static void refused(const struct answer *answer, const json_t *body)
{
	pa_str word = error_word(answer, body);
	bool is_success_status = sms_status_is_listed(
		answer->sms->settings[SMS_SUCCESS_STATUS].text, answer->response->status);
	int64_t code;

	if (!sms_to_number(word, &code))
		code = answer->response->status;
	if (!by_map(answer, word, code) && !by_mapped_status(answer)) {
		if (is_success_status)
			apply(answer, PA_OUTCOME_GIVE_UP, code, "the gateway refused the message");
		else
			by_status(answer);
	}
	apply_retry_after(answer);
}

static bool is_listed(pa_str list, pa_str word)
{
	pa_str piece;

	while (sms_next_piece(&list, ',', &piece))
		if (sms_equal_nocase(piece, word))
			return true;
	return false;
}

static void accepted(const struct answer *answer, const json_t *body)
{
	const struct sms *sms = answer->sms;
	pa_str id_path = sms->settings[SMS_ID_PATH].text;
	pa_str success_path = sms->settings[SMS_SUCCESS_PATH].text;
	pa_str word = sms_json_text(sms, answer->call, body, success_path);
	pa_str id = sms_json_text(sms, answer->call, body, id_path);

	if ((id_path.len || success_path.len) && body == NULL) {
		apply(answer, PA_OUTCOME_UNCERTAIN, 0, "accepted, but the answer is unreadable");
		return;
	}
	if (success_path.len && !is_listed(sms->settings[SMS_SUCCESS_VALUES].text, word)) {
		refused(answer, body);
		return;
	}
	if (id_path.len && !success_path.len && id.ptr == NULL) {
		apply(answer, PA_OUTCOME_UNCERTAIN, 0, "accepted, but the answer has no id");
		return;
	}
	apply(answer, PA_OUTCOME_SENT, 0, "");
	answer->outcome->external_id = id;
}

pa_status sms_interpret(void *self, pa_call *call, const pa_message *message,
			const pa_http_response *response, uint32_t failure, pa_outcome *ret_outcome,
			pa_error *err)
{
	const struct answer answer = {self, call, response, ret_outcome};
	json_t *body;

	(void)message;
	(void)err;
	if (response == NULL) {
		bool is_before = failure == PA_HTTP_FAILED_BEFORE_SEND;

		apply(&answer, is_before ? PA_OUTCOME_RETRY : PA_OUTCOME_UNCERTAIN, 0,
		      is_before ? "the gateway could not be reached" : "no answer after sending");
		return PA_OK;
	}
	body = json_loadb(response->body.ptr ? response->body.ptr : "", response->body.len,
			  JSON_ALLOW_NUL, NULL);
	if (sms_status_is_listed(answer.sms->settings[SMS_SUCCESS_STATUS].text, response->status))
		accepted(&answer, body);
	else
		refused(&answer, body);
	json_decref(body);
	return PA_OK;
}
