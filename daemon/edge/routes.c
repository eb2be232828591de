/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/routes.h"

#include "base/err.h"

#include <time.h>

#define HANDSHAKE_MS 2000
#define WEBHOOK "/webhook/"
#define RECEIPT "/receipt/"

const char *const routes_delivery_paths[] = {WEBHOOK, RECEIPT, NULL};

typedef void route_fn(struct routes *routes, struct channel *channel,
		      struct http_exchange *exchange);

static void shake_hands(struct routes *routes, struct channel *channel,
			struct http_exchange *exchange)
{
	pa_http_response response = {.size = sizeof(response)};
	pa_error err = ERROR_INIT;
	pa_call *call;
	pa_status status = PA_REJECTED;

	(void)routes;
	call = plugin_call_begin(channel->plugin, http_exchange_arena(exchange), HANDSHAKE_MS);
	if (call) {
		status = channel->ops->handshake(call_self(call), call,
						 http_exchange_request(exchange), &response, &err);
		plugin_call_end(call);
		plugin_error_clean(&err);
	}
	if (status == PA_OK)
		http_exchange_answer(exchange, response.status, response.headers,
				     response.headers_count, response.body);
	else
		http_exchange_refuse(exchange, 403, "Not the provider.");
}

static void take_delivery(struct routes *routes, struct channel *channel,
			  struct http_exchange *exchange)
{
	intake_http(routes->intake, channel, exchange, false);
}

static void take_receipt(struct routes *routes, struct channel *channel,
			 struct http_exchange *exchange)
{
	intake_http(routes->intake, channel, exchange, true);
}

static void tell_health(struct routes *routes, struct channel *channel,
			struct http_exchange *exchange)
{
	(void)routes;
	(void)channel;
	http_exchange_answer(exchange, 200, NULL, 0, PA_STR("ok\n"));
}

static void tell_readiness(struct routes *routes, struct channel *channel,
			   struct http_exchange *exchange)
{
	(void)channel;
	if (intake_is_shut(routes->intake))
		http_exchange_refuse(exchange, 503, "This node takes no new work.");
	else if (writer_is_ready(routes->writer))
		http_exchange_answer(exchange, 200, NULL, 0, PA_STR("ready\n"));
	else
		http_exchange_refuse(exchange, 503, "The store is away.");
}

static const struct route {
	const char *method; /* NULL: any */
	const char *prefix; /* what follows it names a channel, if has_channel */
	bool has_channel;
	route_fn *handle;
} table[] = {
	{"POST", WEBHOOK, true, take_delivery},    {"GET", WEBHOOK, true, shake_hands},
	{NULL, RECEIPT, true, take_receipt},       {"GET", "/healthz", false, tell_health},
	{"GET", "/readyz", false, tell_readiness},
};

/* Whether the channel's adapter has what the route needs. */
static bool can_handle(const struct route *route, const struct channel *channel)
{
	if (!channel || channel->ops->shape != PA_SHAPE_TRANSLATING ||
	    atomic_load(&channel->is_disabled))
		return false;
	if (route->handle == take_receipt)
		return channel->ops->receipt != NULL;
	return route->handle != shake_hands || channel->ops->handshake != NULL;
}

static bool try_route(struct routes *routes, const struct route *route,
		      struct http_exchange *exchange)
{
	const pa_http_request *request = http_exchange_request(exchange);
	pa_str prefix = str_from(route->prefix);
	struct channel *channel = NULL;

	if (route->method && !str_equal(request->method, str_from(route->method)))
		return false;
	if (!route->has_channel) {
		if (!str_equal(request->url, prefix))
			return false;
	} else {
		if (!str_starts(request->url, prefix))
			return false;
		channel = channel_by_name(routes->channels,
					  str_slice(request->url, prefix.len, request->url.len));
		if (!can_handle(route, channel))
			return false;
	}
	route->handle(routes, channel, exchange);
	return true;
}

static void dispatch_route(struct routes *routes, struct http_exchange *exchange)
{
	for (size_t i = 0; i < ARRAY_COUNT(table); i++)
		if (try_route(routes, &table[i], exchange))
			return;
	http_exchange_refuse(exchange, 404, "Nothing is here.");
}

void routes_handle(void *arg, struct http_exchange *exchange)
{
	struct routes *routes = arg;

	atomic_fetch_add(&routes->handled, 1);
	if (atomic_load(&routes->is_closing))
		http_exchange_refuse(exchange, 503, "The daemon is stopping; try again.");
	else
		dispatch_route(routes, exchange);
	atomic_fetch_sub(&routes->handled, 1);
}

void routes_close(struct routes *routes)
{
	const struct timespec pause = {.tv_nsec = NS_PER_MS};

	atomic_store(&routes->is_closing, true);
	while (atomic_load(&routes->handled))
		nanosleep(&pause, NULL);
}
