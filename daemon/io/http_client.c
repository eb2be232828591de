/* SPDX-License-Identifier: Apache-2.0
 *
 * One multi handle, driven by curl_multi_socket_action from an epoll loop, so that the cost of a
 * request doesn't grow with the number in flight. Easy handles are set up once and used again.
 *
 * Sent twice, or not? When a kept connection turns out to be dead before the first byte of an
 * answer, libcurl silently sends the request again on a new one (Curl_retry_request), even if all
 * of it had been written: the peer may have acted on it and died. RFC 9110 section 9.2.2 allows
 * that for idempotent methods only. So about_to_send(), which libcurl calls before every attempt,
 * refuses a second one for the others if a byte of the first has left; that is a failure after
 * sending, for the caller to weigh. It is kept rare by not using connections that were idle for
 * longer than the shortest keep-alive in common use (IDLE_MAX_S).
 *
 * HTTP/1.1 only: a lost connection puts one request in doubt; with HTTP/2, all that share it.
 */
#include "io/http_client.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/http_message.h"
#include "io/http_way.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <curl/curl.h>

#define DEFAULT_MAX_RESPONSE ((size_t)1 << 20)
#define DEFAULT_MAX_CONNECTIONS 512
#define CONNECT_TIMEOUT_MS 10000
#define HEADER_BYTES_MAX ((size_t)64 << 10) /* libcurl 7.88 has no bound of its own */
#define CALL_MEMORY ((size_t)1 << 20)       /* copies of an answer's headers */
#define POOL_MAX 256                        /* idle easy handles kept */
#define POOL_BODY ((size_t)64 << 10)        /* an idle call keeps no more room than this */
#define EVENTS_MAX 128
#define LOOK_EVERY_MS 100
#define NEVER (INT64_MAX / 2)
/* Apache and Node close a connection after five idle seconds; libcurl counts whole ones. */
#define IDLE_MAX_S 3L
#define PROXY_WANTS_LOGIN 407

/* One request, from start to done. */
struct call {
	struct call *prev, *next; /* queued, in flight, or idle (then only next) */
	struct http_client *client;
	CURL *easy; /* made and used on the client's thread only */
	struct http_message request;
	bool is_ready;         /* a connection was there: an attempt was about to be made */
	long sent_before;      /* libcurl's count of bytes at the first attempt (proxy CONNECT) */
	const char *complaint; /* why we broke it off */
	size_t header_bytes;
	struct arena *arena; /* the answer's headers */
	struct buf answer;
	struct http_sink *sink; /* NULL: into answer */
	int64_t end_ns;
	http_done_fn *done;
	void *arg;
	char detail[CURL_ERROR_SIZE];
};

struct http_client {
	pthread_t thread;
	atomic_bool is_stopping;
	int epoll_fd;
	int wake_fd;
	CURLM *multi;
	CURLSH *share;
	int64_t due_ns;     /* libcurl's timer; NEVER: none */
	int64_t look_ns;    /* when to look again for what waits too long */
	struct call flight; /* ring */
	size_t max_response;
	long max_connections;
	struct arena *arena;                /* the options' texts */
	struct http_client_options options; /* with texts of our own */
	struct http_client_counts counts;

	pthread_mutex_t lock; /* what follows */
	struct call queued;   /* ring */
	struct call *pool;
	size_t pool_count;
};

/* ---- libcurl's callbacks, on the thread --------------------------------------------------------
 */

static size_t pour(struct call *call, const char *data, size_t size)
{
	struct http_sink *sink = call->sink;

	sink->is_over = size > sink->max - sink->len;
	if (sink->is_over || write(sink->fd, data, size) != (ssize_t)size) {
		call->complaint = sink->is_over ? "the answer is too long" : "no room for it";
		return 0;
	}
	sink->len += size;
	return size;
}

static size_t on_body(char *data, size_t one, size_t size, void *arg)
{
	struct call *call = arg;

	(void)one;
	if (call->sink && call->sink->fd >= 0)
		return pour(call, data, size);
	buf_add(&call->answer, (pa_str){data, size});
	if (!call->answer.is_over)
		return size;
	call->complaint = "the answer is too long";
	return 0;
}

/* Only counts: the headers are fetched at the end. */
static size_t on_header(char *data, size_t one, size_t size, void *arg)
{
	struct call *call = arg;

	(void)one, (void)data;
	call->header_bytes += size;
	if (call->header_bytes <= HEADER_BYTES_MAX)
		return size;
	call->complaint = "the answer's headers are too long";
	return 0;
}

static long bytes_sent(const struct call *call)
{
	long sent = 0;

	curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent);
	return sent;
}

/* See the head of this file. */
static int about_to_send(void *arg, char *remote, char *local, int remote_port, int local_port)
{
	struct call *call = arg;

	(void)remote, (void)local, (void)remote_port, (void)local_port;
	if (call->is_ready && !call->request.may_repeat && bytes_sent(call) > call->sent_before) {
		call->complaint = "the connection was lost before an answer";
		return CURL_PREREQFUNC_ABORT;
	}
	if (!call->is_ready)
		call->sent_before = bytes_sent(call);
	call->is_ready = true;
	return CURL_PREREQFUNC_OK;
}

static int on_timer(CURLM *multi, long wait_ms, void *arg)
{
	struct http_client *client = arg;

	(void)multi;
	client->due_ns = wait_ms < 0 ? NEVER : clock_monotonic_ns() + wait_ms * NS_PER_MS;
	return 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct http_client *client = arg;
	struct epoll_event event = {.data.fd = fd};

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(client->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	event.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
		       (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
	epoll_ctl(client->epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
	curl_multi_assign(client->multi, fd, client);
	return 0;
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* What is the same for every request of a handle. */
static CURL *easy_new(struct call *call)
{
	const struct http_client *client = call->client;
	CURL *easy = curl_easy_init();

	if (!easy)
		abort();
	curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(easy, CURLOPT_SHARE, client->share);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	http_way_set(easy, &client->options);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, client->options.user_agent);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_MAX_S);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, about_to_send);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->detail);
	return easy;
}

static struct call *call_new(struct http_client *client)
{
	struct call *call = calloc(1, sizeof(*call));

	if (!call)
		abort();
	call->client = client;
	call->arena = arena_new(CALL_MEMORY);
	call->answer = (struct buf)BUF_INIT(client->max_response);
	return call;
}

static void call_destroy(struct call *call)
{
	curl_easy_cleanup(call->easy);
	arena_free(call->arena);
	buf_done(&call->answer);
	http_message_done(&call->request);
	free(call);
}

static struct call *call_take(struct http_client *client)
{
	struct call *call;

	pthread_mutex_lock(&client->lock);
	call = client->pool;
	if (call) {
		client->pool = call->next;
		client->pool_count--;
	}
	pthread_mutex_unlock(&client->lock);
	return call ? call : call_new(client);
}

static void call_give_back(struct call *call)
{
	struct http_client *client = call->client;
	bool is_kept;

	meter_add(&client->counts.ended, 1);
	http_message_done(&call->request);
	arena_reset(call->arena);
	buf_clear(&call->answer);
	if (call->answer.room > POOL_BODY)
		buf_done(&call->answer);
	pthread_mutex_lock(&client->lock);
	is_kept = client->pool_count < POOL_MAX;
	if (is_kept) {
		call->next = client->pool;
		client->pool = call;
		client->pool_count++;
	}
	pthread_mutex_unlock(&client->lock);
	if (!is_kept)
		call_destroy(call);
}

static void ring_add(struct call *ring, struct call *call)
{
	call->prev = ring->prev;
	call->next = ring;
	ring->prev->next = call;
	ring->prev = call;
}

static void ring_remove(struct call *call)
{
	call->prev->next = call->next;
	call->next->prev = call->prev;
}

static struct call *ring_pop(struct call *ring)
{
	struct call *first = ring->next;

	if (first == ring)
		return NULL;
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): clang 14 loses the ring in give_up_all() */
	ring_remove(first);
	return first;
}

/* ---- answers --------------------------------------------------------------------------------- */

static void fill_headers(struct call *call, pa_http_response *response)
{
	struct curl_header *header = NULL;
	const pa_pair **pairs;
	size_t count = 0;

	while ((header = curl_easy_nextheader(call->easy, CURLH_HEADER, -1, header)))
		count++;
	pairs = ARENA_ARRAY(call->arena, const pa_pair *, count);
	count = 0;
	while ((header = curl_easy_nextheader(call->easy, CURLH_HEADER, -1, header)))
		pairs[count++] = http_pair_copy(call->arena, str_from(header->name),
						str_from(header->value), true);
	response->headers = pairs;
	response->headers_count = count;
}

/* Without its words: it may quote the login. */
static const char *proxy_text(struct call *call, long status)
{
	const char *hint = status == PROXY_WANTS_LOGIN ? " (see outbound.proxy_login)" : "";

	return arena_format(call->arena, "the proxy refuses with %ld%s", status, hint).ptr;
}

/* libcurl's own words name hosts and certificates where that helps; elsewhere they may quote what
 * the peer said. */
static const char *failure_text(struct call *call, CURLcode code)
{
	/* clang-format off */
	static const CURLcode detailed[] = {
		CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT,
		CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
		CURLE_OPERATION_TIMEDOUT};
	/* clang-format on */

	long proxy_status = 0;

	if (call->complaint)
		return call->complaint;
	curl_easy_getinfo(call->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	if (proxy_status / 100 > 2)
		return proxy_text(call, proxy_status);
	for (size_t i = 0; i < ARRAY_COUNT(detailed); i++) {
		if (detailed[i] == code && call->detail[0])
			return call->detail;
	}
	return curl_easy_strerror(code);
}

static void report_failure(struct call *call, const char *reason)
{
	bool has_left = call->is_ready && bytes_sent(call) > call->sent_before;
	struct http_result result = {
		.failure = has_left ? PA_HTTP_FAILED_AFTER_SEND : PA_HTTP_FAILED_BEFORE_SEND,
		.reason = reason,
	};

	call->done(call->arg, &result);
}

static void report_answer(struct call *call)
{
	pa_http_response response = {.size = sizeof(response), .body = buf_str(&call->answer)};
	struct http_result result = {.response = &response};
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	response.status = (uint32_t)status;
	fill_headers(call, &response);
	call->done(call->arg, &result);
}

static void finish(struct http_client *client, CURL *easy, CURLcode code)
{
	struct call *call = NULL;
	long connections = 0;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
	if (curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connections) == CURLE_OK)
		meter_add(&client->counts.connections, (uint64_t)connections);
	curl_multi_remove_handle(client->multi, easy);
	ring_remove(call);
	if (code == CURLE_OK)
		report_answer(call);
	else
		report_failure(call, failure_text(call, code));
	call_give_back(call);
}

static void finish_all(struct http_client *client)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left))) {
		if (message->msg == CURLMSG_DONE)
			finish(client, message->easy_handle, message->data.result);
	}
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void set_method(struct call *call)
{
	const struct http_message *request = &call->request;
	CURL *easy = call->easy;

	if (request->body.ptr || strcmp(request->method, "POST") == 0) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
				 request->body.ptr ? request->body.ptr : "");
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
	} else {
		curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(easy, CURLOPT_NOBODY, strcmp(request->method, "HEAD") == 0 ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_headers(struct call *call)
{
	size_t count = call->request.lines_count;
	struct curl_slist *nodes = ARENA_ARRAY(call->arena, struct curl_slist, count);

	for (size_t i = 0; i < count; i++) {
		nodes[i].data = call->request.lines[i];
		nodes[i].next = i + 1 < count ? &nodes[i + 1] : NULL;
	}
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, nodes);
}

/* False if its time was up before its turn came. */
static bool launch(struct http_client *client, struct call *call)
{
	int64_t left_ms = (call->end_ns - clock_monotonic_ns() + NS_PER_MS - 1) / NS_PER_MS;

	call->detail[0] = '\0';
	if (left_ms <= 0)
		return false;
	call->easy = call->easy ? call->easy : easy_new(call);
	curl_easy_setopt(call->easy, CURLOPT_URL, call->request.url);
	curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
	set_method(call);
	set_headers(call);
	ring_add(&client->flight, call);
	return curl_multi_add_handle(client->multi, call->easy) == CURLM_OK;
}

static struct call *queue_pop(struct http_client *client)
{
	struct call *call;

	pthread_mutex_lock(&client->lock);
	call = ring_pop(&client->queued);
	pthread_mutex_unlock(&client->lock);
	return call;
}

static void launch_queued(struct http_client *client)
{
	struct call *call;

	while ((call = queue_pop(client))) {
		if (launch(client, call))
			continue;
		report_failure(call, "no time left");
		call_give_back(call);
	}
}

static bool is_unwanted(const struct call *call)
{
	return call->sink && call->sink->is_unwanted && atomic_load(call->sink->is_unwanted);
}

/* libcurl 7.88 does not look at the time of a request that waits for one of max_connections. */
static void expire_waiting(struct http_client *client)
{
	int64_t now = clock_monotonic_ns();
	struct call *next;

	if (now < client->look_ns)
		return;
	client->look_ns = now + LOOK_EVERY_MS * NS_PER_MS;
	for (struct call *call = client->flight.next; call != &client->flight; call = next) {
		next = call->next;
		if (!call->is_ready && call->end_ns <= now)
			finish(client, call->easy, CURLE_OPERATION_TIMEDOUT);
		else if (is_unwanted(call))
			finish(client, call->easy, CURLE_ABORTED_BY_CALLBACK);
	}
}

static int wait_ms(const struct http_client *client)
{
	int64_t left = (client->due_ns - clock_monotonic_ns() + NS_PER_MS - 1) / NS_PER_MS;

	if (client->flight.next == &client->flight && client->due_ns == NEVER)
		return -1;
	return left > LOOK_EVERY_MS ? LOOK_EVERY_MS : left > 0 ? (int)left : 0;
}

static void handle_event(struct http_client *client, const struct epoll_event *event)
{
	uint64_t count;
	int running, what;

	if (event->data.fd == client->wake_fd) {
		if (read(client->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
			abort();
		launch_queued(client);
		return;
	}
	what = (event->events & EPOLLIN ? CURL_CSELECT_IN : 0) |
	       (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
	       (event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
	curl_multi_socket_action(client->multi, event->data.fd, what, &running);
}

static void give_up_all(struct http_client *client)
{
	struct call *call;

	while ((call = ring_pop(&client->flight))) {
		curl_multi_remove_handle(client->multi, call->easy);
		report_failure(call, "stopping");
		call_give_back(call);
	}
	while ((call = queue_pop(client))) {
		report_failure(call, "stopping");
		call_give_back(call);
	}
}

static void *run(void *arg)
{
	struct http_client *client = arg;
	struct epoll_event events[EVENTS_MAX];
	sigset_t pipe;
	int count, running;

	/* OpenSSL writes to sockets that the peer has closed. */
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	pthread_setname_np(pthread_self(), "http-out");
	while (!atomic_load(&client->is_stopping)) {
		count = epoll_wait(client->epoll_fd, events, EVENTS_MAX, wait_ms(client));
		for (int i = 0; i < count; i++)
			handle_event(client, &events[i]);
		if (client->due_ns <= clock_monotonic_ns()) {
			client->due_ns = NEVER;
			curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
		}
		finish_all(client);
		expire_waiting(client);
	}
	give_up_all(client);
	return NULL;
}

static void wake(struct http_client *client)
{
	uint64_t one = 1;

	if (write(client->wake_fd, &one, sizeof(one)) < 0)
		abort();
}

/* ---- for everybody ----------------------------------------------------------------------------
 */

pa_status http_client_start_into(struct http_client *client, const pa_http_request *request,
				 int64_t timeout_ms, struct http_sink *sink, http_done_fn *done,
				 void *arg, pa_error *err)
{
	struct call *call;
	bool is_first;

	if (http_url_check(request->url, err) != PA_OK || http_message_check(request, err) != PA_OK)
		return PA_REJECTED;
	if (atomic_load(&client->is_stopping)) /* a callback of the last requests asks for more */
		return error_set(err, PA_RETRY, "stopping");
	meter_add(&client->counts.begun, 1);
	call = call_take(client);
	http_message_copy(request, &call->request);
	call->is_ready = false;
	call->sent_before = 0;
	call->complaint = NULL;
	call->header_bytes = 0;
	call->sink = sink;
	call->end_ns = clock_monotonic_ns() + timeout_ms * NS_PER_MS;
	call->done = done;
	call->arg = arg;
	pthread_mutex_lock(&client->lock);
	is_first = client->queued.next == &client->queued;
	ring_add(&client->queued, call);
	pthread_mutex_unlock(&client->lock);
	if (is_first)
		wake(client);
	return PA_OK;
}

const struct http_client_counts *http_client_counts(const struct http_client *client)
{
	return &client->counts;
}

/* ---- birth and death ------------------------------------------------------------------------- */

static struct http_client *client_make(const struct http_client_options *options)
{
	struct http_client *client = calloc(1, sizeof(*client));

	if (!client)
		abort();
	client->arena = arena_new(CALL_MEMORY);
	client->max_response = options->max_response ? options->max_response : DEFAULT_MAX_RESPONSE;
	client->max_connections =
		options->max_connections ? options->max_connections : DEFAULT_MAX_CONNECTIONS;
	http_way_copy(client->arena, options, &client->options);
	client->due_ns = NEVER;
	client->flight.next = client->flight.prev = &client->flight;
	client->queued.next = client->queued.prev = &client->queued;
	pthread_mutex_init(&client->lock, NULL);
	return client;
}

static void set_up_curl(struct http_client *client)
{
	client->multi = curl_multi_init();
	client->share = curl_share_init();
	if (!client->multi || !client->share)
		abort();
	/* TLS sessions would else be remembered by one handle for itself. One thread: no locks. */
	curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS, client->max_connections);
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, client->max_connections);
}

static void client_destroy(struct http_client *client)
{
	while (client->pool) {
		struct call *next = client->pool->next;

		call_destroy(client->pool);
		client->pool = next;
	}
	curl_multi_cleanup(client->multi);
	curl_share_cleanup(client->share);
	close(client->epoll_fd);
	close(client->wake_fd);
	pthread_mutex_destroy(&client->lock);
	arena_free(client->arena);
	free(client);
	curl_global_cleanup();
}

pa_status http_client_new(const struct http_client_options *options, struct http_client **ret,
			  pa_error *err)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct http_client *client;

	if (options->ca_file && access(options->ca_file, R_OK) < 0)
		return error_set(err, PA_REJECTED, "%s: %s", options->ca_file,
				 strerrordesc_np(errno));
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return error_set(err, PA_BUG, "libcurl does not start");
	client = client_make(options);
	set_up_curl(client);
	client->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	client->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	event.data.fd = client->wake_fd;
	if (client->epoll_fd < 0 || client->wake_fd < 0 ||
	    epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, client->wake_fd, &event) < 0 ||
	    pthread_create(&client->thread, NULL, run, client) != 0) {
		client_destroy(client);
		return error_set(err, PA_RETRY, "cannot start the HTTP client's thread");
	}
	*ret = client;
	return PA_OK;
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	atomic_store(&client->is_stopping, true);
	wake(client);
	pthread_join(client->thread, NULL);
	client_destroy(client);
}
