/* SPDX-License-Identifier: Apache-2.0
 *
 * The skeleton to copy: a complete channel for an imaginary SMS gateway, which
 *  - posts to our webhook, one line each, what came ("text", id, phone, text) and what became of
 *    ours ("state", id, our reference, word), separated by tabs, with the HMAC-SHA-256 of the body
 *    under a shared key in X-Signature, in hexadecimal;
 *  - takes a text as the body of a POST, with X-To, X-Ref and X-Signature, and answers with an id.
 *
 * A translating channel is a handful of pure functions: bytes in, bytes out. The daemon owns
 * sockets, TLS, retries, rates, order and persistence. docs/plugin.md explains the rules.
 */
#include <proalto/channel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT 160    /* code points the gateway takes */
#define MAX_TOKEN 200   /* bytes of an id: bound what a peer chose before using it */
#define MAX_EVENTS 1000 /* in one body */
#define HEADERS 3       /* of a request */
#define DIGEST ((size_t)32)
#define STR(literal) ((pa_str){"" literal, sizeof(literal) - 1})

/* What open made of the options: all the state there is. */
struct gateway {
	const pa_host *host;
	char url[500];
	char key[200];
};

/* A failure says why, without repeating what a person wrote. */
static pa_status fail(pa_error *err, pa_status status, const char *why)
{
	int len = snprintf(err->text, sizeof(err->text), "%s", why);

	err->len = len < 0 ? 0 : (uint32_t)len;
	return status;
}

static int str_is(pa_str a, pa_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Letters, digits and a few marks: nothing that could end a line or a header. */
static int is_token(pa_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c <= ' ' || c >= 0x7f)
			return 0;
	}
	return text.len > 0 && text.len <= MAX_TOKEN;
}

/* Phones are digits with country code, without plus. */
static int is_phone(pa_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return 0;
	}
	return text.len >= 7 && text.len <= 15;
}

/* What stands before the first separator; rest is what follows it. */
static pa_str split(pa_str *rest, char separator)
{
	pa_str head = *rest;
	const char *at = head.len ? memchr(head.ptr, separator, head.len) : NULL;

	*rest = (pa_str){NULL, 0};
	if (at) {
		*rest = (pa_str){at + 1, head.len - (size_t)(at - head.ptr) - 1};
		head.len = (size_t)(at - head.ptr);
	}
	return head;
}

/* HMAC-SHA-256 in hexadecimal. Results are made with host->alloc: they die with the call, and
 * nobody frees them. */
static pa_str sign(struct gateway *self, pa_call *call, pa_str bytes)
{
	static const char digits[] = "0123456789abcdef";
	char *out = self->host->alloc(call, 2 * DIGEST);
	uint8_t digest[DIGEST];

	self->host->hmac_sha256(call, (pa_str){self->key, strlen(self->key)}, bytes, digest);
	for (size_t i = 0; i < DIGEST; i++) {
		out[2 * i] = digits[digest[i] >> 4];
		out[2 * i + 1] = digits[digest[i] & 15];
	}
	return (pa_str){out, 2 * DIGEST};
}

/* ---- what comes in ---- */

static pa_status example_verify(void *plugin, pa_call *call, const pa_http_request *request,
				pa_error *err)
{
	struct gateway *self = plugin;
	pa_str expected = sign(self, call, request->body);

	for (size_t i = 0; i < request->headers_count; i++) {
		const pa_pair *header = request->headers[i];

		if (str_is(header->name, STR("x-signature")) &&
		    self->host->equal_constant_time(call, header->value, expected))
			return PA_OK;
	}
	return fail(err, PA_REJECTED, "the signature is missing or wrong");
}

static uint32_t status_of(pa_str word)
{
	if (str_is(word, STR("delivered")))
		return PA_STATUS_DELIVERED;
	return str_is(word, STR("failed")) ? PA_STATUS_FAILED : PA_STATUS_OTHER;
}

/* A line that makes no sense becomes an unknown event beside its neighbours: never an error. */
static const pa_event *line_to_event(struct gateway *self, pa_call *call, pa_str line)
{
	pa_event *event = self->host->alloc(call, sizeof(*event));
	pa_str rest = line;
	pa_str kind = split(&rest, '\t');
	pa_str id = split(&rest, '\t');
	pa_str who = split(&rest, '\t');

	*event = (pa_event){.size = sizeof(*event), .kind = PA_EVENT_UNKNOWN, .id = id};
	event->unique = sign(self, call, line); /* a repeated post has the same lines */
	if (str_is(kind, STR("text")) && is_token(id) && is_phone(who) && rest.ptr) {
		event->kind = PA_EVENT_MESSAGE;
		event->message_kind = PA_IN_TEXT;
		event->phone = who;
		event->text = rest;
	} else if (str_is(kind, STR("state")) && is_token(id) && is_token(who)) {
		event->kind = PA_EVENT_STATUS;
		event->status = status_of(rest);
		event->ref = who;
		event->type = rest;
	}
	return event;
}

static pa_status example_parse(void *plugin, pa_call *call, pa_str body,
			       const pa_event *const **ret_events, size_t *ret_count, pa_error *err)
{
	struct gateway *self = plugin;
	const pa_event **events = self->host->alloc(call, MAX_EVENTS * sizeof(*events));
	size_t count = 0;

	while (body.len) {
		pa_str line = split(&body, '\n');

		if (line.len && count == MAX_EVENTS)
			return fail(err, PA_REJECTED, "more lines than a body may have");
		if (line.len)
			events[count++] = line_to_event(self, call, line);
	}
	if (count == 0)
		return fail(err, PA_REJECTED, "the body is empty");
	*ret_events = events;
	*ret_count = count;
	return PA_OK;
}

/* ---- what goes out ---- */

static size_t code_points(pa_str text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += (text.ptr[i] & 0xc0) != 0x80;
	return count;
}

/* Arguments are borrowed: the result may point into the message, which lives as long. */
static pa_status example_build(void *plugin, pa_call *call, const pa_message *message,
			       pa_http_request *ret_request, pa_error *err)
{
	struct gateway *self = plugin;
	pa_pair *pairs = self->host->alloc(call, HEADERS * sizeof(*pairs));
	const pa_pair **headers = self->host->alloc(call, HEADERS * sizeof(*headers));

	if (message->kind != PA_OUT_TEXT)
		return fail(err, PA_REJECTED, "this channel carries texts only");
	if (message->body.len == 0 || code_points(message->body) > MAX_TEXT)
		return fail(err, PA_REJECTED, "the text is empty or longer than the gateway takes");
	if (!is_phone(message->phone) || !is_token(message->ref))
		return fail(err, PA_REJECTED, "phone or ref is missing or malformed");
	pairs[0] = (pa_pair){STR("X-To"), message->phone};
	pairs[1] = (pa_pair){STR("X-Ref"), message->ref};
	pairs[2] = (pa_pair){STR("X-Signature"), sign(self, call, message->body)};
	for (size_t i = 0; i < HEADERS; i++)
		headers[i] = &pairs[i];
	*ret_request = (pa_http_request){.size = sizeof(*ret_request),
					 .flags = PA_HTTP_NO_REDIRECT,
					 .method = STR("POST"),
					 .url = {self->url, strlen(self->url)},
					 .headers = headers,
					 .headers_count = HEADERS,
					 .body = message->body};
	return PA_OK;
}

/* What matters is whether the person may have got the text: only a clear refusal is sent again. */
static uint32_t result_of(const pa_http_response *response, uint32_t failure, pa_str id)
{
	if (!response)
		return failure == PA_HTTP_FAILED_BEFORE_SEND ? PA_OUTCOME_RETRY
							     : PA_OUTCOME_UNCERTAIN;
	if (response->status == 200)
		return id.len ? PA_OUTCOME_SENT : PA_OUTCOME_UNCERTAIN;
	if (response->status == 429 || response->status == 503)
		return PA_OUTCOME_WAIT;
	if (response->status == 401 || response->status == 403)
		return PA_OUTCOME_ALARM;
	return response->status >= 500 ? PA_OUTCOME_UNCERTAIN : PA_OUTCOME_GIVE_UP;
}

static pa_status example_interpret(void *plugin, pa_call *call, const pa_message *message,
				   const pa_http_response *response, uint32_t failure,
				   pa_outcome *ret_outcome, pa_error *err)
{
	pa_str id = {NULL, 0};
	uint32_t result;

	(void)message;
	(void)err;
	(void)plugin;
	(void)call;
	if (response && is_token(response->body))
		id = response->body;
	result = result_of(response, failure, id);
	*ret_outcome = (pa_outcome){.size = sizeof(*ret_outcome), .result = result};
	ret_outcome->scope = result == PA_OUTCOME_WAIT || result == PA_OUTCOME_ALARM
				     ? PA_SCOPE_ACCOUNT
				     : PA_SCOPE_MESSAGE;
	ret_outcome->code = response ? response->status : 0;
	if (result == PA_OUTCOME_SENT)
		ret_outcome->external_id = id;
	else
		ret_outcome->reason = STR("the gateway did not confirm the text");
	return PA_OK;
}

/* ---- life ---- */

enum { OPTION_URL, OPTION_KEY }; /* places in the table */

static const pa_option option_url = {.size = sizeof(pa_option),
				     .type = PA_OPT_URL,
				     .name = "url",
				     .fallback = "https://gateway.example/send",
				     .help = "Address that texts are posted to."};
static const pa_option option_key = {.size = sizeof(pa_option),
				     .type = PA_OPT_SECRET,
				     .flags = PA_OPT_REQUIRED,
				     .name = "key",
				     .help = "Key that signs what passes, both ways."};
static const pa_option *const options[] = {[OPTION_URL] = &option_url, [OPTION_KEY] = &option_key};

static int copy_text(char *to, size_t room, pa_str from)
{
	if (!from.len || from.len >= room || memchr(from.ptr, '\0', from.len))
		return 0;
	memcpy(to, from.ptr, from.len);
	to[from.len] = '\0';
	return 1;
}

/* The values come in the table's order and checked by type; the rest is checked here. */
static pa_status example_open(const pa_host *host, pa_call *call, const pa_value *const *values,
			      void **ret_self, pa_error *err)
{
	struct gateway *self = calloc(1, sizeof(*self));

	(void)call;
	if (!self)
		return fail(err, PA_RETRY, "out of memory");
	self->host = host;
	if (copy_text(self->url, sizeof(self->url), values[OPTION_URL]->text) &&
	    copy_text(self->key, sizeof(self->key), values[OPTION_KEY]->text)) {
		*ret_self = self;
		return PA_OK;
	}
	free(self);
	return fail(err, PA_REJECTED, "url or key is empty or too long");
}

static void example_close(void *self)
{
	free(self);
}

static const pa_channel_limits limits = {
	.size = sizeof(limits), .text = MAX_TEXT, .ref_bytes = MAX_TOKEN};
static const pa_channel_ops ops = {.size = sizeof(ops),
				   .shape = PA_SHAPE_TRANSLATING,
				   .media = PA_MEDIUM_SMS,
				   .features = PA_FEATURE_ECHOES_REF,
				   .limits = &limits,
				   .verify = example_verify,
				   .parse = example_parse,
				   .build = example_build,
				   .interpret = example_interpret};

PROALTO_PLUGIN(example) = {.size = sizeof(pa_plugin),
			   .abi_major = PA_ABI_MAJOR,
			   .abi_minor = PA_ABI_MINOR,
			   .kind = PA_KIND_CHANNEL,
			   .name = "example",
			   .version = "1.0",
			   .summary = "An imaginary SMS gateway: the skeleton to copy.",
			   .options = options,
			   .options_count = sizeof(options) / sizeof(options[0]),
			   .open = example_open,
			   .close = example_close,
			   .ops = &ops};
