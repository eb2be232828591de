/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of the Graph API to outcomes. Meta's "Error codes": what to do is decided by the code,
 * never by the texts, which may hold phone numbers and are not copied.
 */
#include "json.h"

#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define MAX_CODE INT64_C(999999999)
#define MAX_RETRY_AFTER_S INT64_C(3600)

struct rule {
	int64_t first;
	int64_t last;
	uint32_t result;
	uint32_t scope;
	int64_t after_ms;
	const char *reason;
};

#define MESSAGE PA_SCOPE_MESSAGE
#define RECIPIENT PA_SCOPE_RECIPIENT
#define ACCOUNT PA_SCOPE_ACCOUNT
#define ONE(code, result, scope, after, reason)                                                    \
	{                                                                                          \
		code, code, PA_OUTCOME_##result, scope, after, reason                              \
	}

static const struct rule rules[] = {
	ONE(0, ALARM, ACCOUNT, 0, "access token invalid"),
	ONE(1, RETRY, MESSAGE, 0, "unknown API error"),
	ONE(2, RETRY, MESSAGE, 0, "API down or overloaded"),
	ONE(3, ALARM, ACCOUNT, 0, "capability or permission missing"),
	ONE(4, WAIT, ACCOUNT, MINUTE_MS, "call rate limit of the app reached"),
	ONE(10, ALARM, ACCOUNT, 0, "permission missing"),
	ONE(33, ALARM, ACCOUNT, 0, "our phone number id is wrong or deleted"),
	ONE(100, GIVE_UP, MESSAGE, 0, "invalid parameter"),
	ONE(190, ALARM, ACCOUNT, 0, "access token expired or invalid"),
	{200, 299, PA_OUTCOME_ALARM, ACCOUNT, 0, "permission missing"},
	ONE(368, ALARM, ACCOUNT, 0, "account blocked for a policy violation"),
	ONE(80007, WAIT, ACCOUNT, MINUTE_MS, "rate limit of the account reached"),
	ONE(130429, WAIT, ACCOUNT, 0, "throughput limit reached"),
	ONE(130472, GIVE_UP, MESSAGE, 0, "the person is part of an experiment of Meta's"),
	ONE(130497, ALARM, RECIPIENT, 0, "messages to this country are not allowed"),
	ONE(131000, RETRY, MESSAGE, 0, "something went wrong at Meta"),
	ONE(131005, ALARM, ACCOUNT, 0, "access denied"),
	ONE(131008, GIVE_UP, MESSAGE, 0, "a required parameter is missing"),
	ONE(131009, GIVE_UP, MESSAGE, 0, "a parameter's value is invalid"),
	ONE(131016, RETRY, MESSAGE, 0, "service unavailable"),
	ONE(131021, GIVE_UP, RECIPIENT, 0, "recipient and sender are the same"),
	ONE(131026, GIVE_UP, RECIPIENT, 0,
	    "undeliverable: the person can't be reached on WhatsApp"),
	ONE(131030, ALARM, RECIPIENT, 0, "recipient not in the list of a test account"),
	ONE(131031, ALARM, ACCOUNT, 0, "account locked"),
	ONE(131037, ALARM, ACCOUNT, 0, "display name not approved"),
	ONE(131042, ALARM, ACCOUNT, 0, "payment problem of the account"),
	ONE(131045, ALARM, ACCOUNT, 0, "registration of our number failed"),
	ONE(131047, GIVE_UP, MESSAGE, 0, "more than 24 hours since the person wrote"),
	ONE(131048, ALARM, ACCOUNT, 0, "spam rate limit of our number reached"),
	ONE(131049, RETRY, RECIPIENT, 24 * HOUR_MS, "held back by Meta's cap on marketing"),
	ONE(131050, GIVE_UP, MESSAGE, 0, "the person stopped marketing messages"),
	ONE(131051, GIVE_UP, MESSAGE, 0, "type of message not supported"),
	ONE(131052, GIVE_UP, MESSAGE, 0, "a received file can't be fetched"),
	ONE(131053, GIVE_UP, MESSAGE, 0, "the file sent can't be used"),
	ONE(131056, WAIT, RECIPIENT, 0, "too many messages to this person"),
	ONE(131057, WAIT, ACCOUNT, MINUTE_MS, "account in maintenance"),
	ONE(131060, GIVE_UP, MESSAGE, 0, "message unavailable"),
	ONE(131062, GIVE_UP, RECIPIENT, 0, "this message needs a phone, not a user id"),
	ONE(131063, ALARM, MESSAGE, 0, "marketing templates are disabled"),
	ONE(131064, ALARM, MESSAGE, 0, "messaging limit cut for misclassified templates"),
	ONE(132000, GIVE_UP, MESSAGE, 0, "count of parameters differs from the template"),
	ONE(132001, ALARM, MESSAGE, 0, "template missing in that language or not approved"),
	ONE(132005, GIVE_UP, MESSAGE, 0, "text of the template too long"),
	ONE(132007, ALARM, MESSAGE, 0, "template violates a policy"),
	ONE(132012, GIVE_UP, MESSAGE, 0, "format of a template's parameter wrong"),
	ONE(132015, ALARM, MESSAGE, 0, "template paused"),
	ONE(132016, ALARM, MESSAGE, 0, "template disabled"),
	ONE(132018, GIVE_UP, MESSAGE, 0, "a template's parameter is not accepted"),
	ONE(132068, ALARM, MESSAGE, 0, "flow blocked"),
	ONE(132069, ALARM, MESSAGE, 0, "flow throttled"),
	ONE(133004, RETRY, MESSAGE, 0, "server temporarily unavailable"),
	ONE(133010, ALARM, ACCOUNT, 0, "our number is not registered"),
	ONE(133016, RETRY, MESSAGE, HOUR_MS, "limit of registrations reached"),
	ONE(135000, GIVE_UP, MESSAGE, 0, "generic error with the parameters"),
	ONE(137000, GIVE_UP, RECIPIENT, 0, "the person's device key changed"),
};

/* By HTTP status, where there is no code or an unknown one. 504: Meta's edge gave up waiting for
 * what may have been done. */
static const struct rule status_rules[] = {
	{300, 399, PA_OUTCOME_ALARM, ACCOUNT, 0, "the API answered with a redirect"},
	ONE(401, ALARM, ACCOUNT, 0, "the API refused our token"),
	ONE(403, ALARM, ACCOUNT, 0, "the API refused access"),
	ONE(407, ALARM, ACCOUNT, 0, "the proxy wants a password"),
	ONE(408, RETRY, MESSAGE, 0, "the API did not get the request in time"),
	ONE(429, WAIT, ACCOUNT, 0, "too many requests"),
	{400, 499, PA_OUTCOME_GIVE_UP, MESSAGE, 0, "the API refused the request"},
	ONE(504, UNCERTAIN, MESSAGE, 0, "a gateway of the API gave up waiting"),
	{500, 599, PA_OUTCOME_RETRY, MESSAGE, 0, "the API failed"},
};

/* With a code that this table does not know, the class of the status decides. */
static const struct rule unknown_code_rules[] = {
	ONE(429, WAIT, ACCOUNT, 0, "too many requests"),
	{400, 499, PA_OUTCOME_GIVE_UP, MESSAGE, 0, "the API refused the request, code unknown"},
	{500, 599, PA_OUTCOME_RETRY, MESSAGE, 0, "the API failed, code unknown"},
};

static const struct rule no_answer_before = {
	.result = PA_OUTCOME_RETRY, .scope = MESSAGE, .reason = "the API could not be reached"};
static const struct rule no_answer_after = {
	.result = PA_OUTCOME_UNCERTAIN, .scope = MESSAGE, .reason = "no answer after sending"};
static const struct rule unreadable = {.result = PA_OUTCOME_UNCERTAIN,
				       .scope = MESSAGE,
				       .reason = "accepted, but the answer is unreadable"};
static const struct rule odd = {.result = PA_OUTCOME_UNCERTAIN,
				.scope = MESSAGE,
				.reason = "the API answered with an odd status"};

static const struct rule *rule_find(const struct rule *table, size_t count, int64_t code)
{
	for (size_t i = 0; i < count; i++)
		if (code >= table[i].first && code <= table[i].last)
			return &table[i];
	return NULL;
}

/* An upload and a read mark may be done twice without harm: nobody sees it. */
static bool is_harmless_twice(const pa_message *message)
{
	return message->kind == PA_OUT_READ_MARK ||
	       (message->media_bytes.len && message->media_id.len == 0);
}

struct answer {
	const struct whatsapp *wa;
	pa_call *call;
	const pa_message *message;
	const pa_http_response *response; /* NULL: none */
	pa_outcome *outcome;
};

static void apply(const struct answer *answer, const struct rule *rule, int64_t code)
{
	pa_str reason = {rule->reason, strlen(rule->reason)};

	*answer->outcome = (pa_outcome){
		.size = sizeof(pa_outcome),
		.result = rule->result,
		.scope = rule->scope,
		.after_ms = rule->after_ms,
		.code = code,
		.reason = wa_copy(answer->wa, answer->call, reason),
	};
	if (rule->result == PA_OUTCOME_UNCERTAIN && is_harmless_twice(answer->message))
		answer->outcome->result = PA_OUTCOME_RETRY;
}

/* RFC 9110, section 10.2.3; only the form in seconds. */
static void apply_retry_after(const struct answer *answer)
{
	const pa_http_response *response = answer->response;
	pa_str value = wa_pair_value(response->headers, response->headers_count, "retry-after");
	int64_t seconds;

	if (answer->outcome->result != PA_OUTCOME_WAIT &&
	    answer->outcome->result != PA_OUTCOME_RETRY)
		return;
	if (wa_to_number(value, MAX_RETRY_AFTER_S, &seconds) &&
	    seconds * 1000 > answer->outcome->after_ms)
		answer->outcome->after_ms = seconds * 1000;
}

static void refused(const struct answer *answer, struct wa_value body)
{
	struct wa_value error = wa_at(body, "error");
	int64_t status = answer->response->status;
	const struct rule *rule = NULL;
	int64_t code = 0;

	if (wa_number_at(error, "code", MAX_CODE, &code)) {
		rule = rule_find(rules, WA_COUNT(rules), code);
		if (rule == NULL)
			rule = rule_find(unknown_code_rules, WA_COUNT(unknown_code_rules), status);
	}
	if (rule == NULL)
		rule = rule_find(status_rules, WA_COUNT(status_rules), status);
	apply(answer, rule ? rule : &odd, code);
	apply_retry_after(answer);
}

static void sent(const struct answer *answer, pa_str id)
{
	*answer->outcome = (pa_outcome){
		.size = sizeof(pa_outcome),
		.result = PA_OUTCOME_SENT,
		.scope = MESSAGE,
		.external_id = wa_copy(answer->wa, answer->call, id),
	};
}

static void uploaded(const struct answer *answer, pa_str id)
{
	*answer->outcome = (pa_outcome){
		.size = sizeof(pa_outcome),
		.result = PA_OUTCOME_UPLOADED,
		.scope = MESSAGE,
		.media_id = wa_copy(answer->wa, answer->call, id),
	};
}

static void accepted(const struct answer *answer, struct wa_value body)
{
	const pa_message *message = answer->message;
	struct wa_value first = wa_first(wa_at(body, "messages"));
	pa_str id = wa_text_at(first, "id");
	pa_str media_id = wa_text_at(body, "id");

	if (message->kind == PA_OUT_READ_MARK)
		sent(answer, (pa_str){NULL, 0});
	else if (message->media_bytes.len && message->media_id.len == 0 && media_id.len)
		uploaded(answer, media_id);
	else if ((message->media_bytes.len == 0 || message->media_id.len) && id.len)
		sent(answer, id);
	else if (wa_kind(wa_at(body, "error")) != WA_ABSENT)
		refused(answer, body);
	else
		apply(answer, &unreadable, 0);
}

pa_status wa_interpret(void *self, pa_call *call, const pa_message *message,
		       const pa_http_response *response, uint32_t failure, pa_outcome *ret_outcome,
		       pa_error *err)
{
	const struct answer answer = {self, call, message, response, ret_outcome};
	struct wa_json *json = NULL;

	if (response == NULL) {
		apply(&answer,
		      failure == PA_HTTP_FAILED_BEFORE_SEND ? &no_answer_before : &no_answer_after,
		      0);
		return PA_OK;
	}
	/* Without JSON the status alone decides. */
	if (wa_json_load(response->body, &json, err) != PA_OK)
		json = NULL;
	if (response->status >= 200 && response->status <= 299)
		accepted(&answer, wa_root(json));
	else
		refused(&answer, wa_root(json));
	wa_json_free(json);
	if (err != NULL)
		err->len = 0;
	return PA_OK;
}
