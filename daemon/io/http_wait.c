/* SPDX-License-Identifier: Apache-2.0
 *
 * io/http_wait.c: the waiting form of http_client_start(). Knows nothing of libcurl.
 */
#include "io/http_client.h"

#include "base/err.h"
#include "io/clock.h"
#include "io/http_message.h"

#include <pthread.h>

/* Somebody who waits for his answer. */
struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t is_there;
	bool is_done;
	struct arena *arena;
	pa_http_response *response;
	bool has_response;
	uint32_t failure;
	pa_error *err;
};

static void copy_response(struct arena *arena, const pa_http_response *from, pa_http_response *to)
{
	const pa_pair **pairs = ARENA_ARRAY(arena, const pa_pair *, from->headers_count);

	for (size_t i = 0; i < from->headers_count; i++)
		pairs[i] = http_pair_copy(arena, from->headers[i]->name, from->headers[i]->value,
					  false);
	*to = *from;
	to->headers = pairs;
	to->body = arena_copy(arena, from->body);
}

/* On the client's thread, while the waiter sleeps: his arena is ours. */
static void on_waited(void *arg, const struct http_result *result)
{
	struct waiter *waiter = arg;

	pthread_mutex_lock(&waiter->lock);
	if (result->response)
		copy_response(waiter->arena, result->response, waiter->response);
	else
		error_set(waiter->err, PA_RETRY, "%s", result->reason);
	waiter->has_response = result->response != NULL;
	waiter->failure = result->failure;
	waiter->is_done = true;
	pthread_cond_signal(&waiter->is_there);
	pthread_mutex_unlock(&waiter->lock);
}

pa_status http_client_start(struct http_client *client, const pa_http_request *request,
			    int64_t timeout_ms, http_done_fn *done, void *arg, pa_error *err)
{
	return http_client_start_into(client, request, timeout_ms, NULL, done, arg, err);
}

pa_status http_client_call(struct http_client *client, const pa_http_request *request,
			   int64_t timeout_ms, struct arena *arena, pa_http_response *ret,
			   uint32_t *ret_failure, pa_error *err)
{
	return http_client_fetch(client, request, timeout_ms, NULL, arena, ret, ret_failure, err);
}

pa_status http_client_fetch(struct http_client *client, const pa_http_request *request,
			    int64_t timeout_ms, struct http_sink *sink, struct arena *arena,
			    pa_http_response *ret, uint32_t *ret_failure, pa_error *err)
{
	struct waiter waiter = {.lock = PTHREAD_MUTEX_INITIALIZER,
				.is_there = PTHREAD_COND_INITIALIZER,
				.arena = arena,
				.response = ret,
				.err = err};
	int64_t end_ns = clock_monotonic_ns() + timeout_ms * NS_PER_MS;
	pa_status status =
		http_client_start_into(client, request, timeout_ms, sink, on_waited, &waiter, err);

	if (status != PA_OK)
		return status;
	pthread_mutex_lock(&waiter.lock);
	while (!waiter.is_done)
		pthread_cond_wait(&waiter.is_there, &waiter.lock);
	pthread_mutex_unlock(&waiter.lock);
	pthread_cond_destroy(&waiter.is_there);
	pthread_mutex_destroy(&waiter.lock);
	if (waiter.has_response)
		return PA_OK;
	*ret_failure = waiter.failure;
	return clock_monotonic_ns() >= end_ns ? PA_DEADLINE : PA_RETRY;
}
