/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/metrics.h"

#include "base/str.h"
#include "metrics/collect.h"
#include "metrics/exposition.h"

#include <stdlib.h>

#define BODY_MAX ((size_t)1 << 10)
#define TEXT_MAX ((size_t)16 << 20) /* some 20 kB a channel */
#define TIMEOUT_S 15
#define CONNECTIONS 16

struct metrics {
	struct metrics_options options;
	struct sampler *sampler;
	struct http_server *server;
};

static void answer(struct metrics *metrics, struct http_exchange *exchange)
{
	static const pa_pair type = {.name = {"content-type", 12},
				     .value = {EXPOSITION_TYPE, sizeof(EXPOSITION_TYPE) - 1}};
	static const pa_pair *const headers[] = {&type};
	struct buf text PA_CLEANUP(buf_done) = BUF_INIT(TEXT_MAX);

	collect(&metrics->options, metrics->sampler, &text);
	http_exchange_answer(exchange, 200, headers, ARRAY_COUNT(headers), buf_str(&text));
}

static void handle(void *arg, struct http_exchange *exchange)
{
	const pa_http_request *request = http_exchange_request(exchange);

	if (!str_equal(request->url, PA_STR("/metrics")))
		http_exchange_refuse(exchange, 404, "Only /metrics is here.");
	else if (!str_equal(request->method, PA_STR("GET")))
		http_exchange_refuse(exchange, 405, "Only GET.");
	else
		answer(arg, exchange);
}

pa_status metrics_new(const struct metrics_options *options, struct metrics **ret, pa_error *err)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));
	pa_status status;

	if (!metrics)
		abort();
	metrics->options = *options;
	metrics->sampler = sampler_new(options->config->database, options->channels);
	status = http_server_new(
		&(struct http_server_options){
			.address = options->config->metrics_address,
			.port = (uint16_t)options->config->metrics_port,
			.listen_fd = -1,
			.max_body = BODY_MAX,
			.timeout_s = TIMEOUT_S,
			.max_connections = CONNECTIONS,
			.thread_name = "metrics",
			.handler = handle,
			.arg = metrics,
		},
		&metrics->server, err);
	if (status == PA_OK)
		*ret = metrics;
	else
		metrics_free(metrics);
	return status;
}

void metrics_close(struct metrics *metrics)
{
	if (!metrics)
		return;
	http_server_free(metrics->server);
	metrics->server = NULL;
}

void metrics_free(struct metrics *metrics)
{
	if (!metrics)
		return;
	metrics_close(metrics);
	sampler_free(metrics->sampler);
	free(metrics);
}
