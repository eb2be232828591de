/* SPDX-License-Identifier: Apache-2.0 */
#include "peers/graph.h"

#include <string.h>

static void answer_ok(struct talk *talk)
{
	graph_answer_json(talk, 200, json_pack("{sb}", "ok", 1));
}

/* ?since=N: those accepted after the N-th. */
static void on_list(struct graph *graph, struct talk *talk, json_t *plan)
{
	size_t at = str_find(talk->target, PA_STR("since="));
	uint64_t since = 0;
	json_t *list = json_array(), *entry;
	size_t i;

	(void)plan;
	if (at != SIZE_MAX && !str_to_uint64(str_slice(talk->target, at + 6, SIZE_MAX), &since))
		since = 0;
	json_array_foreach(graph->accepted, i, entry)
	{
		if ((uint64_t)json_integer_value(json_object_get(entry, "n")) > since)
			json_array_append(list, entry);
	}
	graph_answer_json(talk, 200, list);
}

static void on_acknowledged(struct graph *graph, struct talk *talk, json_t *plan)
{
	(void)plan;
	graph_answer_json(talk, 200, json_incref(graph->acknowledged));
}

static void on_stats(struct graph *graph, struct talk *talk, json_t *plan)
{
	const struct {
		const char *name;
		uint64_t value;
	} counts[] = {
		{"accepted", graph->count_accepted},
		{"refused", graph->count_refused},
		{"reads", graph->count_read},
		{"typing", graph->count_typing},
		{"media", graph->count_media},
		{"duplicates", graph->count_duplicates},
		{"overlaps", graph->count_overlaps},
		{"faults", graph->count_faults},
		{"statuses_posted", graph->count_status_posted},
		{"statuses_failed", graph->count_status_failed},
		{"statuses_pending", graph_status_pending(graph)},
	};
	json_t *stats = json_object();

	(void)plan;
	for (size_t i = 0; i < ARRAY_COUNT(counts); i++)
		json_object_set_new(stats, counts[i].name,
				    json_integer((json_int_t)counts[i].value));
	graph_answer_json(talk, 200, stats);
}

static void on_faults(struct graph *graph, struct talk *talk, json_t *plan)
{
	if (!faults_plan(&graph->faults, plan))
		graph_error(talk, 400, 100, "the plan makes no sense");
	else
		answer_ok(talk);
}

static int64_t wait_of(json_t *plan, const char *key, int64_t now)
{
	json_t *value = json_object_get(plan, key);

	return value ? json_integer_value(value) : now;
}

static void on_statuses(struct graph *graph, struct talk *talk, json_t *plan)
{
	struct status_plan *statuses = &graph->statuses;

	statuses->sent_ms = wait_of(plan, "sent_ms", statuses->sent_ms);
	statuses->delivered_ms = wait_of(plan, "delivered_ms", statuses->delivered_ms);
	statuses->read_ms = wait_of(plan, "read_ms", statuses->read_ms);
	if (json_object_get(plan, "double"))
		statuses->is_double = json_is_true(json_object_get(plan, "double"));
	if (json_object_get(plan, "failed_code"))
		statuses->failed_code =
			(int)json_integer_value(json_object_get(plan, "failed_code"));
	answer_ok(talk);
}

static void on_token(struct graph *graph, struct talk *talk, json_t *plan)
{
	graph->token_ends_s = wait_of(plan, "ends_s", graph->token_ends_s);
	graph->date_offset_s = wait_of(plan, "date_offset_s", graph->date_offset_s);
	answer_ok(talk);
}

static void on_templates(struct graph *graph, struct talk *talk, json_t *plan)
{
	json_object_clear(graph->world.templates);
	json_object_update(graph->world.templates, plan);
	answer_ok(talk);
}

static void on_reset(struct graph *graph, struct talk *talk, json_t *plan)
{
	(void)plan;
	json_array_clear(graph->accepted);
	json_array_clear(graph->faults.next);
	json_object_clear(graph->callbacks);
	json_array_clear(graph->acknowledged);
	json_object_clear(graph->inbound);
	graph->faults.latency_ns = 0;
	graph->count_accepted = graph->count_refused = graph->count_read = 0;
	graph->count_typing = graph->count_media = graph->count_duplicates = 0;
	graph->count_overlaps = graph->count_faults = 0;
	graph->count_status_posted = graph->count_status_failed = 0;
	answer_ok(talk);
}

/* ---- what a customer does ----------------------------------------------------------------------
 */

static void remember_inbound(struct graph *graph, json_t *webhook)
{
	json_t *entry, *change, *message;
	size_t i, j, k;

	json_array_foreach(json_object_get(webhook, "entry"), i, entry)
	{
		json_array_foreach(json_object_get(entry, "changes"), j, change)
		{
			json_t *value = json_object_get(change, "value");

			json_array_foreach(json_object_get(value, "messages"), k, message)
			{
				const char *id = json_string_value(json_object_get(message, "id"));

				if (id)
					json_object_set_new(graph->inbound, id, json_true());
			}
		}
	}
}

static void on_webhook_answer(void *arg, unsigned status, pa_str body)
{
	struct talk *talk = arg;
	json_t *text = json_stringn(body.ptr ? body.ptr : "", body.len);

	graph_answer_json(
		talk, 200,
		json_pack("{si so}", "status", (int)status, "body", text ? text : json_null()));
}

/* The body is posted to the webhook as it is, signed; the answer tells its status. */
static void on_webhook(struct graph *graph, struct talk *talk, json_t *plan)
{
	if (!graph->webhook) {
		graph_error(talk, 400, 100, "there is no webhook");
		return;
	}
	remember_inbound(graph, plan);
	graph_webhook_post(graph, talk->body, on_webhook_answer, talk);
}

/* The body becomes media that a customer may have sent. */
static void on_media(struct graph *graph, struct talk *talk, json_t *plan)
{
	pa_str mime = talk_header(talk, PA_STR("content-type"));

	(void)plan;
	graph_answer_json(talk, 200,
			  json_pack("{ss}", "id", graph_media_add(graph, mime, talk->body)->id));
}

void graph_control(struct graph *graph, struct talk *talk, pa_str path)
{
	static const struct {
		const char *path;
		void (*fn)(struct graph *graph, struct talk *talk, json_t *plan);
	} routes[] = {
		{"messages", on_list}, {"stats", on_stats},
		{"faults", on_faults}, {"statuses", on_statuses},
		{"reset", on_reset},   {"templates", on_templates},
		{"token", on_token},   {"webhook", on_webhook},
		{"media", on_media},   {"acknowledged", on_acknowledged},
	};
	json_t *plan = json_loadb(talk->body.ptr ? talk->body.ptr : "", talk->body.len, 0, NULL);

	for (size_t i = 0; i < ARRAY_COUNT(routes); i++) {
		if (!str_equal(path, str_from(routes[i].path)))
			continue;
		routes[i].fn(graph, talk, plan);
		json_decref(plan);
		return;
	}
	json_decref(plan);
	graph_error(talk, 404, 2500, "no such control");
}
