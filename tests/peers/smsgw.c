/* SPDX-License-Identifier: Apache-2.0
 *
 * smsgw: a strict stand-in for an HTTP SMS gateway. See tests/peers/README.md.
 *
 * POST /sms with JSON {"to": ..., "text": ...} or a form with the same fields, and
 * "Authorization: Bearer TOKEN". Numbers are Colombian mobiles, 57 and ten digits; a text is one
 * part of GSM 03.38 (160 septets). Receipts are posted as form or JSON, as the request was.
 */
#include "peers/faults.h"
#include "peers/loop.h"

#include "io/clock.h"
#include "io/unicode.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEPTETS_MAX 160

struct gateway {
	struct loop *loop;
	struct serve *serve;
	struct poster *receipts; /* NULL: none */
	const char *token;
	int64_t receipt_ms; /* below 0: withheld */
	bool is_form;
	bool is_double;
	const char *receipt_status;
	struct faults faults;
	json_t *sent;
	uint64_t serial, count_refused;
};

/* ---- what a gateway takes ----------------------------------------------------------------------
 */

/* GSM 03.38: the basic table, and those that take an escape before them. Accented capitals and
 * small á, í, ó, ú are in neither. */
static const char basic[] = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
static const char escaped[] = "^{}\\[~]|€\f";

/* Septets of a text, or 0 if a character can't be sent so. */
static size_t septets(pa_str text)
{
	size_t count = 0;

	while (text.len) {
		pa_str one = utf8_cut(text, 1);

		if (one.len == 0 || one.ptr[0] == '\0')
			return 0;
		if (str_find(str_from(basic), one) != SIZE_MAX)
			count += 1;
		else if (str_find(str_from(escaped), one) != SIZE_MAX)
			count += 2;
		else
			return 0;
		text = str_slice(text, one.len, SIZE_MAX);
	}
	return count;
}

static const char *check(json_t *request)
{
	const char *to = json_string_value(json_object_get(request, "to"));
	json_t *text = json_object_get(request, "text");
	size_t count;

	if (!to || !json_is_string(text))
		return "to or text is missing";
	if (strlen(to) != 12 || !str_is_digits(str_from(to)) || strncmp(to, "573", 3) != 0)
		return "to is not 57 and ten digits of a mobile";
	if (!utf8_is_valid((pa_str){json_string_value(text), json_string_length(text)}))
		return "text is not UTF-8";
	count = septets((pa_str){json_string_value(text), json_string_length(text)});
	if (count == 0)
		return "text is empty or holds what GSM 03.38 has not";
	return count > SEPTETS_MAX ? "text is longer than one part" : NULL;
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static json_t *decode(pa_str text)
{
	struct buf plain PA_CLEANUP(buf_done) = BUF_INIT(1 << 16);

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '%' && i + 2 < text.len &&
		    isxdigit((unsigned char)text.ptr[i + 1]) &&
		    isxdigit((unsigned char)text.ptr[i + 2])) {
			buf_add_byte(&plain, (uint8_t)(hex_digit(text.ptr[i + 1]) * 16 +
						       hex_digit(text.ptr[i + 2])));
			i += 2;
		} else {
			buf_add_byte(&plain, text.ptr[i] == '+' ? ' ' : (uint8_t)text.ptr[i]);
		}
	}
	return json_stringn(plain.data ? plain.data : "", plain.len);
}

static json_t *parse_form(pa_str body)
{
	json_t *request = json_object();

	while (!str_is_absent(body)) {
		pa_str value = str_split(&body, '&'), key = str_split(&value, '=');
		char name[64];

		snprintf(name, sizeof(name), "%.*s", PA_FMT(key));
		json_object_set_new(request, name, decode(value));
	}
	return request;
}

/* ---- receipts ----------------------------------------------------------------------------------
 */

struct receipt {
	struct gateway *gateway;
	char id[32];
	unsigned tries;
};

static void send_receipt(void *arg);

static void on_posted(void *arg, unsigned status, pa_str body)
{
	struct receipt *receipt = arg;

	(void)body;
	if (status / 100 != 2 && receipt->tries++ < 300)
		loop_after(receipt->gateway->loop, 500 * NS_PER_MS, send_receipt, receipt);
	else
		free(receipt);
}

static void send_receipt(void *arg)
{
	struct receipt *receipt = arg;
	const struct gateway *gateway = receipt->gateway;
	struct buf body PA_CLEANUP(buf_done) = BUF_INIT(256);

	buf_format(&body,
		   gateway->is_form ? "id=%s&status=%s" : "{\"id\":\"%s\",\"status\":\"%s\"}",
		   receipt->id, gateway->receipt_status);
	post(gateway->receipts,
	     gateway->is_form ? PA_STR("Content-Type: application/x-www-form-urlencoded\r\n")
			      : PA_STR("Content-Type: application/json\r\n"),
	     buf_str(&body), on_posted, receipt);
}

static void schedule_receipt(struct gateway *gateway, const char *id)
{
	if (!gateway->receipts || gateway->receipt_ms < 0)
		return;
	for (int i = 0; i <= gateway->is_double; i++) {
		struct receipt *receipt = calloc(1, sizeof(*receipt));

		receipt->gateway = gateway;
		snprintf(receipt->id, sizeof(receipt->id), "%s", id);
		loop_after(gateway->loop, gateway->receipt_ms * NS_PER_MS + i, send_receipt,
			   receipt);
	}
}

/* ---- requests ----------------------------------------------------------------------------------
 */

static void answer_json(struct talk *talk, unsigned status, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	talk_answer(talk, status, PA_STR("Content-Type: application/json\r\n"), str_from(text));
	free(text);
	json_decref(json);
}

static void refuse(struct talk *talk, unsigned status, const char *why)
{
	answer_json(talk, status, json_pack("{ss}", "error", why));
}

struct pending {
	struct talk *talk;
	char id[32];
	bool is_drop;
};

static void finish(void *arg)
{
	struct pending *pending = arg;

	if (pending->is_drop)
		talk_drop(pending->talk);
	else
		answer_json(pending->talk, 200,
			    json_pack("{ss ss}", "id", pending->id, "status", "accepted"));
	free(pending);
}

static void accept_sms(struct gateway *gateway, struct talk *talk, json_t *request, bool is_drop)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	*pending = (struct pending){.talk = talk, .is_drop = is_drop};
	snprintf(pending->id, sizeof(pending->id), "sms-%llx-%llu",
		 (unsigned long long)clock_now_ns(), (unsigned long long)++gateway->serial);
	json_array_append_new(gateway->sent,
			      json_pack("{sI sI ss sO sO}", "n", (json_int_t)gateway->serial,
					"at_ns", (json_int_t)clock_now_ns(), "id", pending->id,
					"to", json_object_get(request, "to"), "text",
					json_object_get(request, "text")));
	schedule_receipt(gateway, pending->id);
	if (gateway->faults.latency_ns)
		loop_after(gateway->loop, gateway->faults.latency_ns, finish, pending);
	else
		finish(pending);
}

static void on_sms(struct gateway *gateway, struct talk *talk, json_t *request)
{
	const char *wrong = check(request);
	struct fault fault;

	if (wrong) {
		gateway->count_refused++;
		fprintf(stderr, "smsgw: refused: %s\n", wrong);
		refuse(talk, 400, wrong);
		return;
	}
	fault = faults_take(&gateway->faults);
	if (fault.kind == FAULT_HANG)
		return;
	if (fault.kind == FAULT_DROP_BEFORE)
		talk_drop(talk);
	else if (fault.kind == FAULT_ERROR)
		refuse(talk, fault.http, "planned");
	else
		accept_sms(gateway, talk, request, fault.kind == FAULT_DROP_AFTER);
}

/* ---- control -----------------------------------------------------------------------------------
 */

static void set_receipts(struct gateway *gateway, json_t *plan)
{
	static const char *const statuses[] = {"delivered", "failed", "expired"};
	const char *status = json_string_value(json_object_get(plan, "status"));

	if (json_object_get(plan, "after_ms"))
		gateway->receipt_ms = json_integer_value(json_object_get(plan, "after_ms"));
	if (json_object_get(plan, "double"))
		gateway->is_double = json_is_true(json_object_get(plan, "double"));
	for (size_t i = 0; status && i < ARRAY_COUNT(statuses); i++) {
		if (strcmp(status, statuses[i]) == 0)
			gateway->receipt_status = statuses[i];
	}
}

/* Messages, all or only those "?to=NUMBER". */
static void list(struct gateway *gateway, struct talk *talk)
{
	size_t at = str_find(talk->target, PA_STR("to="));
	pa_str to = at == SIZE_MAX ? PA_STR_ABSENT : str_slice(talk->target, at + 3, SIZE_MAX);
	json_t *found = json_array(), *entry;
	size_t i;

	json_array_foreach(gateway->sent, i, entry)
	{
		if (str_is_absent(to) ||
		    str_equal(to, str_from(json_string_value(json_object_get(entry, "to")))))
			json_array_append(found, entry);
	}
	answer_json(talk, 200, found);
}

static void control(struct gateway *gateway, struct talk *talk, pa_str path, json_t *plan)
{
	if (str_equal(path, PA_STR("messages"))) {
		list(gateway, talk);
		return;
	}
	if (str_equal(path, PA_STR("stats"))) {
		answer_json(talk, 200,
			    json_pack("{sI sI}", "sent", (json_int_t)json_array_size(gateway->sent),
				      "refused", (json_int_t)gateway->count_refused));
		return;
	}
	if (str_equal(path, PA_STR("faults")) && !faults_plan(&gateway->faults, plan)) {
		refuse(talk, 400, "the plan makes no sense");
		return;
	}
	if (str_equal(path, PA_STR("receipts")))
		set_receipts(gateway, plan);
	if (str_equal(path, PA_STR("reset"))) {
		json_array_clear(gateway->sent);
		json_array_clear(gateway->faults.next);
		gateway->faults.latency_ns = 0;
		gateway->count_refused = 0;
	}
	answer_json(talk, 200, json_pack("{sb}", "ok", 1));
}

static bool is_authorized(const struct gateway *gateway, const struct talk *talk)
{
	pa_str value = talk_header(talk, PA_STR("authorization"));

	return str_starts(value, PA_STR("Bearer ")) &&
	       str_equal(str_slice(value, 7, SIZE_MAX), str_from(gateway->token));
}

static void on_talk(void *arg, struct talk *talk)
{
	struct gateway *gateway = arg;
	pa_str query = talk->target, path = str_split(&query, '?');
	bool is_control = str_starts(path, PA_STR("/_control/"));
	bool is_form = gateway->is_form && !is_control;
	json_t *request = is_form ? parse_form(talk->body)
				  : json_loadb(talk->body.ptr ? talk->body.ptr : "", talk->body.len,
					       JSON_REJECT_DUPLICATES, NULL);

	if (is_control)
		control(gateway, talk, str_slice(path, 10, SIZE_MAX), request);
	else if (!is_authorized(gateway, talk))
		refuse(talk, 401, "the token is not valid");
	else if (!str_equal(path, PA_STR("/sms")) || !str_equal(talk->method, PA_STR("POST")))
		refuse(talk, 404, "POST /sms");
	else if (!str_starts(talk_header(talk, PA_STR("content-type")),
			     is_form ? PA_STR("application/x-www-form-urlencoded")
				     : PA_STR("application/json")))
		refuse(talk, 415, "the content type is wrong");
	else
		on_sms(gateway, talk, request);
	json_decref(request);
}

static bool parse_options(struct gateway *gateway, int argc, char **argv, uint16_t *port)
{
	static const struct option options[] = {
		{"port", 1, NULL, 'p'}, {"token", 1, NULL, 't'}, {"receipts", 1, NULL, 'r'},
		{"form", 0, NULL, 'f'}, {NULL, 0, NULL, 0},
	};
	uint64_t number = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'p' && !str_to_uint64(str_from(optarg), &number))
			return false;
		if (option == 't')
			gateway->token = optarg;
		if (option == 'f')
			gateway->is_form = true;
		if (option == 'r' && !(gateway->receipts = poster_new(gateway->loop, optarg, 4)))
			return false;
		if (option == '?')
			return false;
	}
	*port = (uint16_t)number;
	return gateway->token != NULL;
}

int main(int argc, char **argv)
{
	struct gateway gateway = {.receipt_ms = 10, .receipt_status = "delivered"};
	uint16_t port = 0;

	gateway.loop = loop_new();
	gateway.sent = json_array();
	gateway.faults.next = json_array();
	if (!parse_options(&gateway, argc, argv, &port)) {
		fputs("usage: smsgw [--port N] --token T [--form] [--receipts URL]\n", stderr);
		return 2;
	}
	gateway.serve = serve_new(gateway.loop, port, on_talk, &gateway);
	printf("{\"port\": %u}\n", serve_port(gateway.serve));
	fflush(stdout);
	loop_run(gateway.loop);
	return 0;
}
