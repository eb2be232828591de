/* SPDX-License-Identifier: Apache-2.0 */
#include "peers/graph.h"

#include "io/clock.h"
#include "io/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Meta repeats what isn't answered 200 for days; we do for as long as a test lasts. */
#define RETRY_FIRST_MS 100
#define RETRY_MAX_MS 2000
#define RETRIES_MAX 300

/* One status webhook on its way. */
struct job {
	struct graph *graph;
	char *body;
	json_t *callback; /* NULL: none */
	unsigned tries;
};

void graph_webhook_post(struct graph *graph, pa_str body, post_fn *fn, void *arg)
{
	uint8_t digest[DIGEST_BYTES];
	struct buf headers PA_CLEANUP(buf_done) = BUF_INIT(512);

	hmac_sha256(str_from(graph->secret), body, digest);
	buf_add(&headers, PA_STR("Content-Type: application/json\r\nX-Hub-Signature-256: sha256="));
	for (size_t i = 0; i < sizeof(digest); i++)
		buf_format(&headers, "%02x", digest[i]);
	buf_add(&headers, PA_STR("\r\n"));
	post(graph->webhook, buf_str(&headers), body, fn, arg);
}

static void send_job(void *arg);

static void note_acknowledged(struct graph *graph, json_t *callback)
{
	if (!graph->is_silent && callback)
		json_array_append_new(graph->acknowledged,
				      json_pack("{sO sI}", "callback", callback, "at_ns",
						(json_int_t)clock_now_ns()));
}

static void on_posted(void *arg, unsigned status, pa_str body)
{
	struct job *job = arg;
	int64_t wait_ms = RETRY_FIRST_MS << (job->tries < 5 ? job->tries : 5);

	(void)body;
	if (status != 200 && job->tries++ < RETRIES_MAX) {
		loop_after(job->graph->loop,
			   (wait_ms < RETRY_MAX_MS ? wait_ms : RETRY_MAX_MS) * NS_PER_MS, send_job,
			   job);
		return;
	}
	if (status == 200) {
		job->graph->count_status_posted++;
		note_acknowledged(job->graph, job->callback);
	} else {
		job->graph->count_status_failed++;
	}
	json_decref(job->callback);
	free(job->body);
	free(job);
}

static void send_job(void *arg)
{
	struct job *job = arg;

	graph_webhook_post(job->graph, str_from(job->body), on_posted, job);
}

static json_t *status_item(json_t *message, const char *wamid, const char *name)
{
	const char *to = json_string_value(json_object_get(message, "to"));
	json_t *callback = json_object_get(message, "biz_opaque_callback_data");
	char now[24];
	json_t *item;

	snprintf(now, sizeof(now), "%lld", (long long)(clock_now_ns() / NS_PER_S));
	item = json_pack("{ss ss ss}", "id", wamid, "status", name, "timestamp", now);
	if (to)
		json_object_set_new(item, "recipient_id", json_string(to + 1));
	else
		json_object_set(item, "recipient_user_id", json_object_get(message, "recipient"));
	if (callback)
		json_object_set(item, "biz_opaque_callback_data", callback);
	if (strcmp(name, "sent") == 0)
		json_object_set_new(item, "pricing",
				    json_pack("{sb ss ss ss}", "billable", 1, "pricing_model",
					      "PMP", "type", "regular", "category", "service"));
	return item;
}

static char *webhook_of(const struct graph *graph, json_t *item)
{
	json_t *body = json_pack("{ss s[{ss s[{ss s{ss s{ss ss} s[o]}}]}]}", "object",
				 "whatsapp_business_account", "entry", "id", "104400000000077",
				 "changes", "field", "messages", "value", "messaging_product",
				 "whatsapp", "metadata", "display_phone_number", "576015550199",
				 "phone_number_id", graph->phone_id, "statuses", item);
	char *text = json_dumps(body, JSON_COMPACT);

	json_decref(body);
	return text;
}

static void schedule(struct graph *graph, json_t *item, int64_t wait_ms)
{
	struct job *job = calloc(1, sizeof(*job));

	job->graph = graph;
	job->callback = json_incref(json_object_get(item, "biz_opaque_callback_data"));
	job->body = webhook_of(graph, item);
	loop_after(graph->loop, wait_ms * NS_PER_MS, send_job, job);
}

static void schedule_named(struct graph *graph, json_t *message, const char *wamid,
			   const char *name, int64_t wait_ms)
{
	if (wait_ms < 0)
		return;
	for (int i = 0; i <= graph->statuses.is_double; i++)
		schedule(graph, status_item(message, wamid, name), wait_ms + i);
}

void graph_status_schedule(struct graph *graph, json_t *message, const char *wamid)
{
	const struct status_plan *plan = &graph->statuses;

	if (!graph->webhook)
		return;
	if (plan->failed_code) {
		json_t *item = status_item(message, wamid, "failed");

		json_object_set_new(
			item, "errors",
			json_pack("[{si ss}]", "code", plan->failed_code, "title", "planned"));
		schedule(graph, item, plan->sent_ms > 0 ? plan->sent_ms : 0);
		return;
	}
	schedule_named(graph, message, wamid, "sent", plan->sent_ms);
	schedule_named(graph, message, wamid, "delivered", plan->delivered_ms);
	schedule_named(graph, message, wamid, "read", plan->read_ms);
}

size_t graph_status_pending(const struct graph *graph)
{
	return graph->webhook ? poster_pending(graph->webhook) : 0;
}
