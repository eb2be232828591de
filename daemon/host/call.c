/* SPDX-License-Identifier: Apache-2.0
 *
 * A call in progress and the services lent to it.
 */
#include "host/internal.h"

#include "base/err.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "io/log.h"
#include "io/unicode.h"

#include <stdlib.h>
#include <string.h>

#define MAX_LOG_BYTES 500

/* What must be free of a call's memory before it may ask for an answer over HTTP, whose size the
 * peer chooses (http_client bounds it at 1 MiB and its headers). */
#define HTTP_ROOM ((size_t)2 << 20)

/* ---- services ---- */

static const struct log_ids *call_ids(const pa_call *call, struct log_ids *ids)
{
	const struct plugin *plugin = call->plugin;
	bool is_channel = plugin->descriptor->kind == PA_KIND_CHANNEL;

	*ids = (struct log_ids){.plugin = plugin->descriptor->name,
				.channel = is_channel ? plugin->instance : NULL};
	return ids;
}

static void call_charge(pa_call *call, size_t n)
{
	struct log_ids ids;

	if (n <= CALL_CAP - call->used) {
		call->used += n;
		return;
	}
	log_error(call_ids(call, &ids), "%s asked for more than %zu MiB in one call: ending",
		  call->plugin->descriptor->name, CALL_CAP >> 20);
	abort();
}

static void *service_alloc(pa_call *call, size_t n)
{
	call_charge(call, n);
	return arena_alloc(call->arena, n);
}

static int64_t service_remaining_ms(pa_call *call)
{
	int64_t left = call->deadline_ns - clock_monotonic_ns();

	return left > 0 ? (left + NS_PER_MS - 1) / NS_PER_MS : 0;
}

static int64_t service_now_ns(pa_call *call)
{
	(void)call;
	return clock_now_ns();
}

static void service_log(pa_call *call, uint32_t level, pa_str text)
{
	int priority = level == PA_LOG_ERROR || level == PA_LOG_WARNING || level == PA_LOG_DEBUG
			       ? (int)level
			       : (int)PA_LOG_INFO;
	pa_str whole = utf8_repair(call->arena, str_slice(text, 0, MAX_LOG_BYTES));
	char line[3 * MAX_LOG_BYTES]; /* a broken byte becomes three */
	struct log_ids ids;
	/* A control character could forge a second line. */
	size_t len = str_printable(str_slice(whole, 0, sizeof(line)), line);

	log_line(priority, call_ids(call, &ids), "%s: %.*s", call->plugin->instance, (int)len,
		 line);
}

static void service_hmac_sha256(pa_call *call, pa_str key, pa_str data, uint8_t *out)
{
	(void)call;
	hmac_sha256(key, data, out);
}

static uint32_t service_equal_constant_time(pa_call *call, pa_str a, pa_str b)
{
	(void)call;
	return equal_constant_time(a, b);
}

static void service_random_bytes(pa_call *call, uint8_t *out, size_t n)
{
	(void)call;
	random_fill(out, n);
}

static pa_status http_refusal(const pa_call *call, const pa_http_request *request, pa_error *err)
{
	if (call->plugin->is_pure)
		return error_set(err, PA_BUG, "a translating channel may not block for HTTP");
	if (request->size < sizeof(*request))
		return error_set(err, PA_BUG, "the request's size is not set");
	if (!call->plugin->host->options.http)
		return error_set(err, PA_BUG, "this program sends no HTTP");
	if (CALL_CAP - call->used < HTTP_ROOM)
		return error_set(err, PA_REJECTED, "no memory is left in this call for an answer");
	return PA_OK;
}

static pa_status service_http(pa_call *call, const pa_http_request *request,
			      pa_http_response *ret_response, uint32_t *ret_failure, pa_error *err)
{
	struct http_client *client = call->plugin->host->options.http;
	pa_http_response response = {.size = sizeof(response)};
	size_t room = ret_response->size;
	int64_t left = service_remaining_ms(call);
	size_t before = arena_used(call->arena);
	pa_status status = http_refusal(call, request, err);

	if (status != PA_OK)
		return status;
	if (left == 0)
		return error_set(err, PA_DEADLINE, "the call's time was used up before sending");
	status = http_client_call(client, request, left, call->arena, &response, ret_failure, err);
	call_charge(call, arena_used(call->arena) - before);
	if (status != PA_OK)
		return status;
	response.size = (uint32_t)(room < sizeof(response) ? room : sizeof(response));
	memcpy(ret_response, &response, response.size);
	return PA_OK;
}

const pa_host host_services = {
	.size = sizeof(pa_host),
	.alloc = service_alloc,
	.remaining_ms = service_remaining_ms,
	.now_ns = service_now_ns,
	.log = service_log,
	.hmac_sha256 = service_hmac_sha256,
	.equal_constant_time = service_equal_constant_time,
	.random_bytes = service_random_bytes,
	.http = service_http,
};

/* ---- calls ---- */

void plugin_error_clean(pa_error *err)
{
	size_t room = sizeof(err->text) - 1;
	size_t len = err->len < room ? err->len : room;

	len = str_printable((pa_str){err->text, strnlen(err->text, len)}, err->text);
	err->text[len] = '\0';
	err->len = (uint32_t)len;
	err->size = sizeof(*err);
}

static int64_t deadline_from_now(int64_t ms)
{
	int64_t now = clock_monotonic_ns();

	if (ms <= 0)
		return now;
	return ms < (INT64_MAX - now) / NS_PER_MS ? now + ms * NS_PER_MS : INT64_MAX;
}

void call_prepare(pa_call *call, struct plugin *plugin, struct arena *arena, int64_t deadline_ms)
{
	*call = (pa_call){
		.plugin = plugin, .arena = arena, .deadline_ns = deadline_from_now(deadline_ms)};
}

void call_enter(pa_call *call)
{
	struct host *host = call->plugin->host;

	pthread_mutex_lock(&host->watch);
	call->older = host->calls;
	if (call->older)
		call->older->newer = call;
	host->calls = call;
	pthread_mutex_unlock(&host->watch);
	if (host->options.on_enter)
		host->options.on_enter(call->plugin->descriptor->name);
}

void call_leave(pa_call *call)
{
	struct host *host = call->plugin->host;

	if (host->options.on_leave)
		host->options.on_leave();
	pthread_mutex_lock(&host->watch);
	if (call->older)
		call->older->newer = call->newer;
	if (call->newer)
		call->newer->older = call->older;
	else
		host->calls = call->older;
	pthread_mutex_unlock(&host->watch);
}

static bool is_serial(const struct plugin *plugin)
{
	return plugin->descriptor->flags & PA_FLAG_SERIAL;
}

bool call_take(pa_call *call)
{
	struct plugin *plugin = call->plugin;
	const struct timespec until = {call->deadline_ns / NS_PER_S, call->deadline_ns % NS_PER_S};
	bool is_taken;
	int failure = 0;

	pthread_mutex_lock(&plugin->lock);
	while (plugin->is_busy && failure == 0)
		failure = pthread_cond_timedwait(&plugin->freed, &plugin->lock, &until);
	is_taken = !plugin->is_busy;
	if (is_taken) {
		plugin->is_busy = is_serial(plugin);
		if (!call->instance)
			call->instance = plugin->current;
		call->instance->references++;
	}
	pthread_mutex_unlock(&plugin->lock);
	return is_taken;
}

pa_call *plugin_call_begin(struct plugin *plugin, struct arena *arena, int64_t deadline_ms)
{
	pa_call *call = ARENA_NEW(arena, pa_call);

	call_prepare(call, plugin, arena, deadline_ms);
	if (!call_take(call))
		return NULL;
	call_enter(call);
	return call;
}

pa_call *instance_call_begin(struct instance *instance, struct arena *arena, int64_t deadline_ms)
{
	pa_call *call = ARENA_NEW(arena, pa_call);
	bool is_taken;

	call_prepare(call, instance->plugin, arena, deadline_ms);
	call->instance = instance;
	is_taken = call_take(call);
	instance_release(instance);
	if (!is_taken)
		return NULL;
	call_enter(call);
	return call;
}

void *call_self(const pa_call *call)
{
	return call->instance->self;
}

struct instance *plugin_call_keep(pa_call *call)
{
	pthread_mutex_lock(&call->plugin->lock);
	call->instance->references++;
	pthread_mutex_unlock(&call->plugin->lock);
	return call->instance;
}

void plugin_free_slot(struct plugin *plugin)
{
	if (!is_serial(plugin))
		return;
	pthread_mutex_lock(&plugin->lock);
	plugin->is_busy = false;
	pthread_cond_signal(&plugin->freed);
	pthread_mutex_unlock(&plugin->lock);
}

void plugin_call_end(pa_call *call)
{
	call_leave(call);
	plugin_free_slot(call->plugin);
	instance_release(call->instance);
}

size_t host_stuck(struct host *host, int64_t grace_ms, struct host_stuck *ret, size_t room)
{
	int64_t now_ns = clock_monotonic_ns();
	int64_t limit_ns = now_ns - grace_ms * NS_PER_MS;
	size_t count = 0;

	pthread_mutex_lock(&host->watch);
	for (const pa_call *call = host->calls; call; call = call->older) {
		if (call->deadline_ns >= limit_ns)
			continue;
		if (count < room)
			ret[count] = (struct host_stuck){.plugin = call->plugin->descriptor->name,
							 .what = call->what,
							 .late_ms = (now_ns - call->deadline_ns) /
								    NS_PER_MS};
		count++;
	}
	pthread_mutex_unlock(&host->watch);
	return count;
}
