/* SPDX-License-Identifier: Apache-2.0
 *
 * graph: a strict stand-in for Meta's Graph API (WhatsApp Cloud API). See tests/peers/README.md.
 */
#include "peers/graph.h"

#include "io/clock.h"
#include "io/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void graph_answer_json(struct talk *talk, unsigned http, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	talk_answer(talk, http, PA_STR("Content-Type: application/json; charset=UTF-8\r\n"),
		    str_from(text));
	free(text);
	json_decref(json);
}

void graph_error(struct talk *talk, unsigned http, int code, const char *details)
{
	const char *type = code == 190 ? "OAuthException" : "GraphMethodException";
	char message[64];

	snprintf(message, sizeof(message), "(#%d) refused by the stand-in", code);
	graph_answer_json(talk, http,
			  json_pack("{s{ss ss si s{ss ss} ss}}", "error", "message", message,
				    "type", type, "code", code, "error_data", "messaging_product",
				    "whatsapp", "details", details, "fbtrace_id", "AStandIn"));
}

/* ---- accepting ---------------------------------------------------------------------------------
 */

/* An answer that goes later. */
struct pending {
	struct graph *graph;
	struct talk *talk;
	char *recipient; /* NULL: not counted as in flight */
	unsigned http;
	char *body;
	bool is_drop;
};

static void count_in_flight(struct graph *graph, const char *recipient, int by)
{
	json_int_t now = json_integer_value(json_object_get(graph->in_flight, recipient)) + by;

	if (by > 0 && now > 1)
		graph->count_overlaps++;
	if (now > 0)
		json_object_set_new(graph->in_flight, recipient, json_integer(now));
	else
		json_object_del(graph->in_flight, recipient);
}

static void finish(void *arg)
{
	struct pending *pending = arg;

	if (pending->recipient)
		count_in_flight(pending->graph, pending->recipient, -1);
	if (pending->is_drop)
		talk_drop(pending->talk);
	else
		talk_answer(pending->talk, pending->http,
			    PA_STR("Content-Type: application/json; charset=UTF-8\r\n"),
			    str_from(pending->body));
	free(pending->recipient);
	free(pending->body);
	free(pending);
}

static void finish_later(struct graph *graph, struct pending *pending)
{
	if (graph->faults.latency_ns)
		loop_after(graph->loop, graph->faults.latency_ns, finish, pending);
	else
		finish(pending);
}

static const char *recipient_of(json_t *message)
{
	json_t *to = json_object_get(message, "to");

	return json_string_value(to ? to : json_object_get(message, "recipient"));
}

static void write_log(struct graph *graph, const char *wamid, json_t *message)
{
	json_t *line =
		json_pack("{ss ss ss sI ss*}", "wamid", wamid, "to", recipient_of(message), "type",
			  json_string_value(json_object_get(message, "type")), "at_ns",
			  (json_int_t)clock_now_ns(), "callback",
			  json_string_value(json_object_get(message, "biz_opaque_callback_data")));
	char *text = json_dumps(line, JSON_COMPACT);

	if (dprintf(graph->log_fd, "%s\n", text) < 0)
		perror("graph: log");
	free(text);
	json_decref(line);
}

static void remember(struct graph *graph, const char *wamid, json_t *message)
{
	const char *callback =
		json_string_value(json_object_get(message, "biz_opaque_callback_data"));
	json_int_t seen = json_integer_value(json_object_get(graph->callbacks, callback));
	json_t *entry;

	if (seen > 0)
		graph->count_duplicates++;
	if (graph->is_silent)
		return;
	if (callback)
		json_object_set_new(graph->callbacks, callback, json_integer(seen + 1));
	entry = json_pack("{sI sI ss ss sO}", "n", (json_int_t)graph->count_accepted, "at_ns",
			  (json_int_t)clock_now_ns(), "wamid", wamid, "to", recipient_of(message),
			  "body", message);
	if (callback)
		json_object_set_new(entry, "callback", json_string(callback));
	json_array_append_new(graph->accepted, entry);
}

/* Opaque as Meta's, and never the same in two lives of the stand-in. */
static void make_wamid(struct graph *graph, char out[64])
{
	snprintf(out, 64, "wamid.HBgM%016llX%08llX", (unsigned long long)clock_now_ns(),
		 (unsigned long long)++graph->serial);
}

static char *acceptance(json_t *message, const char *wamid)
{
	const char *to = json_string_value(json_object_get(message, "to"));
	const char *recipient = recipient_of(message);
	json_t *contact = to ? json_pack("{ss ss}", "input", to, "wa_id", to + 1)
			     : json_pack("{ss ss}", "input", recipient, "user_id", recipient);
	json_t *answer =
		json_pack("{ss s[o] s[{ss ss}]}", "messaging_product", "whatsapp", "contacts",
			  contact, "messages", "id", wamid, "message_status", "accepted");
	char *text = json_dumps(answer, JSON_COMPACT);

	json_decref(answer);
	return text;
}

static void accept_message(struct graph *graph, json_t *message, struct pending *pending)
{
	char wamid[64];

	make_wamid(graph, wamid);
	graph->count_accepted++;
	if (graph->log_fd >= 0)
		write_log(graph, wamid, message);
	remember(graph, wamid, message);
	graph_status_schedule(graph, message, wamid);
	pending->http = 200;
	pending->body = acceptance(message, wamid);
}

static void take_message(struct graph *graph, struct talk *talk, json_t *message)
{
	struct fault fault = faults_take(&graph->faults);
	struct pending *pending;

	graph->count_faults += fault.kind != FAULT_NONE;
	if (fault.kind == FAULT_HANG)
		return; /* for ever */
	if (fault.kind == FAULT_DROP_BEFORE) {
		talk_drop(talk);
		return;
	}
	if (fault.kind == FAULT_ERROR) {
		graph_error(talk, fault.http, fault.code, "planned");
		return;
	}
	pending = calloc(1, sizeof(*pending));
	*pending = (struct pending){.graph = graph, .talk = talk};
	pending->recipient = strdup(recipient_of(message));
	pending->is_drop = fault.kind == FAULT_DROP_AFTER;
	count_in_flight(graph, pending->recipient, 1);
	accept_message(graph, message, pending);
	finish_later(graph, pending);
}

static void take_read(struct graph *graph, struct talk *talk, json_t *request)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	graph->count_read++;
	graph->count_typing += json_object_get(request, "typing_indicator") != NULL;
	*pending = (struct pending){.graph = graph, .talk = talk, .http = 200};
	pending->body = strdup("{\"success\":true}");
	finish_later(graph, pending);
}

static void on_messages(struct graph *graph, struct talk *talk)
{
	json_t *request = json_loadb(talk->body.ptr, talk->body.len, JSON_REJECT_DUPLICATES, NULL);
	struct verdict verdict = graph_check(&graph->world, request);

	if (!str_starts(talk_header(talk, PA_STR("content-type")), PA_STR("application/json")))
		verdict = (struct verdict){400, 100, "the content type is not application/json"};
	if (verdict.code) {
		graph->count_refused++;
		fprintf(stderr, "graph: refused: %d %s\n", verdict.code, verdict.details);
		graph_error(talk, verdict.http, verdict.code, verdict.details);
	} else if (graph_is_read(request)) {
		take_read(graph, talk, request);
	} else {
		take_message(graph, talk, request);
	}
	json_decref(request);
}

/* ---- routes ------------------------------------------------------------------------------------
 */

static bool is_version(pa_str part)
{
	pa_str major = str_slice(part, 1, SIZE_MAX);

	return str_starts(part, PA_STR("v")) && str_ends(part, PA_STR(".0")) &&
	       str_is_digits(str_slice(major, 0, major.len - 2));
}

static bool is_authorized(const struct graph *graph, const struct talk *talk)
{
	pa_str value = talk_header(talk, PA_STR("authorization"));

	return str_starts(value, PA_STR("Bearer ")) &&
	       str_equal(str_slice(value, 7, SIZE_MAX), str_from(graph->token));
}

/* An answer dated as Meta's are. */
static void answer_dated(const struct graph *graph, struct talk *talk, json_t *json)
{
	time_t now = (time_t)(clock_now_ns() / NS_PER_S + graph->date_offset_s);
	char *text = json_dumps(json, JSON_COMPACT);
	char headers[128];
	struct tm tm;

	strftime(headers, sizeof(headers),
		 "Content-Type: application/json\r\nDate: %a, %d %b %Y %H:%M:%S GMT\r\n",
		 gmtime_r(&now, &tm));
	talk_answer(talk, 200, str_from(headers), str_from(text));
	free(text);
	json_decref(json);
}

/* Our number, and our token: what a doctor asks. */
static void on_number(struct graph *graph, struct talk *talk)
{
	struct fault fault = faults_take(&graph->faults);

	if (fault.kind == FAULT_ERROR)
		graph_error(talk, fault.http, fault.code, "planned");
	else if (fault.kind == FAULT_NONE)
		answer_dated(
			graph, talk,
			json_pack("{ssss}", "verified_name", "ProAlto", "id", graph->phone_id));
}

static void on_token(const struct graph *graph, struct talk *talk)
{
	answer_dated(graph, talk,
		     json_pack("{s{sb sI}}", "data", "is_valid", 1, "expires_at",
			       (json_int_t)graph->token_ends_s));
}

static void on_api(struct graph *graph, struct talk *talk, pa_str path)
{
	pa_str version = str_split(&path, '/'), id, edge;
	bool is_post = str_equal(talk->method, PA_STR("POST"));

	edge = path;
	id = str_split(&edge, '/');
	if (!is_version(version))
		graph_error(talk, 404, 2500, "the path has no version");
	else if (!is_post && str_equal(path, str_from(graph->phone_id)))
		on_number(graph, talk);
	else if (!is_post && str_equal(path, PA_STR("debug_token")))
		on_token(graph, talk);
	else if (is_post && !str_equal(id, str_from(graph->phone_id)))
		graph_error(talk, 400, 33, "the phone number id is not known");
	else if (is_post && str_equal(edge, PA_STR("messages")))
		on_messages(graph, talk);
	else if (is_post && str_equal(edge, PA_STR("media")))
		graph_media_upload(graph, talk);
	else if (!graph_media_route(graph, talk, path))
		graph_error(talk, 404, 2500, "the path is not known");
}

static void on_talk(void *arg, struct talk *talk)
{
	struct graph *graph = arg;
	pa_str query = talk->target, path = str_split(&query, '?');

	path = str_slice(path, 1, SIZE_MAX);
	if (str_starts(path, PA_STR("_control/")))
		graph_control(graph, talk, str_slice(path, 9, SIZE_MAX));
	else if (!is_authorized(graph, talk))
		graph_error(talk, 401, 190, "the access token is not valid");
	else if (str_starts(path, PA_STR("_media/")))
		graph_media_route(graph, talk, path);
	else
		on_api(graph, talk, path);
}

/* ---- start -------------------------------------------------------------------------------------
 */

static bool knows_media(void *arg, const char *id)
{
	return graph_media_find(arg, str_from(id)) != NULL;
}

/* Strict once a test has handed messages in; before that any wamid will do. */
static bool knows_inbound(void *arg, const char *wamid)
{
	struct graph *graph = arg;

	if (json_object_size(graph->inbound) == 0)
		return str_starts(str_from(wamid), PA_STR("wamid."));
	return json_object_get(graph->inbound, wamid) != NULL;
}

static int usage(void)
{
	fputs("usage: graph [--port N] --token T --phone-id ID [--webhook URL --secret S]\n"
	      "             [--log FILE] [--bench]\n",
	      stderr);
	return 2;
}

static bool open_log(struct graph *graph, const char *path)
{
	graph->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (graph->log_fd < 0)
		fprintf(stderr, "graph: %s: %s\n", path, strerror(errno));
	return graph->log_fd >= 0;
}

static bool parse_options(struct graph *graph, int argc, char **argv, uint16_t *port)
{
	static const struct option options[] = {
		{"port", 1, NULL, 'p'},    {"token", 1, NULL, 't'},  {"phone-id", 1, NULL, 'i'},
		{"webhook", 1, NULL, 'w'}, {"secret", 1, NULL, 's'}, {"log", 1, NULL, 'l'},
		{"bench", 0, NULL, 'b'},   {NULL, 0, NULL, 0},
	};
	uint64_t number = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'p' && !str_to_uint64(str_from(optarg), &number))
			return false;
		if (option == 't')
			graph->token = optarg;
		if (option == 'i')
			graph->phone_id = optarg;
		if (option == 's')
			graph->secret = optarg;
		if (option == 'b')
			graph->is_silent = true;
		if (option == 'l' && !open_log(graph, optarg))
			return false;
		if (option == 'w' && !(graph->webhook = poster_new(graph->loop, optarg, 16)))
			return false;
		if (option == '?')
			return false;
	}
	*port = (uint16_t)number;
	return graph->token && graph->phone_id && (!graph->webhook || graph->secret);
}

static void set_up(struct graph *graph)
{
	graph->log_fd = -1;
	graph->statuses = (struct status_plan){.sent_ms = 5, .delivered_ms = 10, .read_ms = 15};
	graph->faults.next = json_array();
	graph->accepted = json_array();
	graph->callbacks = json_object();
	graph->acknowledged = json_array();
	graph->in_flight = json_object();
	graph->inbound = json_object();
	graph->world = (struct graph_world){.knows_media = knows_media,
					    .knows_inbound = knows_inbound,
					    .templates = json_object(),
					    .arg = graph};
	graph->loop = loop_new();
}

int main(int argc, char **argv)
{
	static struct graph the_graph;
	struct graph *graph = &the_graph;
	uint16_t port = 0;

	if (crypto_init() != PA_OK)
		return 1;
	set_up(graph);
	if (!parse_options(graph, argc, argv, &port))
		return usage();
	graph->serve = serve_new(graph->loop, port, on_talk, graph);
	printf("{\"port\": %u}\n", serve_port(graph->serve));
	fflush(stdout);
	loop_run(graph->loop);
	return 0;
}
