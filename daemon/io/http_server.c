/* SPDX-License-Identifier: Apache-2.0
 *
 * The thread runs libmicrohttpd's epoll itself (MHD_run_wait) rather than leaving it to the
 * library: so it has our name, sees the stop at once, and can close connections that trickle.
 *
 * An exchange has two owners, the connection and whoever was handed the request; it goes back to
 * the pool when both have let go. Its state, the owners, the list of open ones and the pool are
 * under the server's lock. Lock order: ours, then libmicrohttpd's own.
 */
#include "io/http_server.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/http_link.h"
#include "io/http_message.h"
#include "io/http_request.h"
#include "io/http_response.h"
#include "io/http_sender.h"
#include "io/listen.h"
#include "io/tls.h"
#include "io/wakeup.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#define EXCHANGE_MEMORY ((size_t)16 << 20)
#define POOL_MAX 256                 /* idle exchanges kept */
#define POOL_BODY ((size_t)64 << 10) /* an idle exchange keeps no more room than this */
/* Bounds the request line and the headers: 431 above. libmicrohttpd writes zeros over all of it
 * twice a request. */
#define CONNECTION_MEMORY (8u << 10)
#define STOP_PATIENCE (1 * NS_PER_S)
#define TICK_MS 1000

/* libmicrohttpd closes a connection that says nothing for timeout_s; one that says a byte now and
 * then would stay for ever. A request must be whole within so many time-outs. */
#define WHOLE_REQUEST_TIMEOUTS 4

enum state {
	STATE_READING,   /* the connection's alone */
	STATE_REFUSED,   /* too large: read to its end, not kept */
	STATE_HANDLING,  /* inside the handler's call */
	STATE_SUSPENDED, /* handed over; the connection sleeps */
	STATE_ANSWERED,
};

struct http_exchange {
	struct http_server *server;
	struct http_exchange *prev, *next; /* in the open list; in the pool only next */
	struct MHD_Connection *connection;
	struct arena *arena;
	struct buf body;
	size_t dropped; /* bytes of a body that is too large */
	pa_http_request request;
	enum state state;
	int owners;
	unsigned status;
	struct MHD_Response *response;
	struct address sender;
	bool has_sender; /* one who could be limited */
	bool is_delivery;
};

struct http_server {
	struct MHD_Daemon *daemon;
	pthread_t thread;
	int listen_fd;
	struct tls *tls;
	struct http_senders *senders;
	const char *const *delivery_paths;
	_Atomic uint64_t limited;
	uint16_t port;
	size_t max_body;
	int64_t whole_request_ns;
	char thread_name[16];
	http_handler_fn *handler;
	void *arg;
	atomic_bool is_stopping;
	struct http_links links; /* the thread's own */
	int64_t drain_ns;        /* written before is_draining */
	atomic_bool is_draining;
	atomic_bool is_drained;
	atomic_size_t connections;

	pthread_mutex_t lock;      /* what follows, and the exchanges' states */
	struct http_exchange open; /* ring */
	struct http_exchange *pool;
	size_t pool_count;
	struct wakeup wakeup; /* libmicrohttpd does not wake a loop that is not its own */
};

/* ---- connections ---------------------------------------------------------------------------- */

static struct http_link *link_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
		->socket_context;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = arg;
	struct http_link *link = *context;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		http_link_rest(link);
		free(link);
		atomic_fetch_sub(&server->connections, 1);
		return;
	}
	link = calloc(1, sizeof(*link));
	if (!link)
		abort();
	link->fd =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	http_link_wait(&server->links, link);
	*context = link;
	atomic_fetch_add(&server->connections, 1);
}

/* ---- exchanges ------------------------------------------------------------------------------ */

static struct http_exchange *exchange_make(struct http_server *server)
{
	struct http_exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange)
		abort();
	exchange->server = server;
	exchange->arena = arena_new(EXCHANGE_MEMORY);
	exchange->body = (struct buf)BUF_INIT(server->max_body);
	return exchange;
}

static void exchange_destroy(struct http_exchange *exchange)
{
	arena_free(exchange->arena);
	buf_done(&exchange->body);
	free(exchange);
}

static struct http_exchange *exchange_new(struct http_server *server,
					  struct MHD_Connection *connection)
{
	struct http_exchange *exchange;

	pthread_mutex_lock(&server->lock);
	exchange = server->pool;
	if (exchange) {
		server->pool = exchange->next;
		server->pool_count--;
	} else {
		exchange = exchange_make(server);
	}
	exchange->prev = server->open.prev;
	exchange->next = &server->open;
	server->open.prev->next = exchange;
	server->open.prev = exchange;
	exchange->owners = 1;
	pthread_mutex_unlock(&server->lock);
	exchange->connection = connection;
	exchange->state = STATE_READING;
	exchange->dropped = 0;
	exchange->response = NULL;
	return exchange;
}

/* With the lock held. */
static void exchange_let_go(struct http_exchange *exchange)
{
	struct http_server *server = exchange->server;

	if (--exchange->owners)
		return;
	exchange->prev->next = exchange->next;
	exchange->next->prev = exchange->prev;
	if (server->pool_count == POOL_MAX) {
		exchange_destroy(exchange);
		return;
	}
	arena_reset(exchange->arena);
	if (exchange->body.room > POOL_BODY)
		buf_done(&exchange->body);
	else
		buf_clear(&exchange->body);
	exchange->next = server->pool;
	server->pool = exchange;
	server->pool_count++;
}

/* The connection is done with the request: answered, or lost while it was being read. */
static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
			 enum MHD_RequestTerminationCode why)
{
	struct http_server *server = arg;
	struct http_exchange *exchange = *context;

	(void)why;
	if (!exchange)
		return;
	*context = NULL;
	if (exchange->response)
		MHD_destroy_response(exchange->response);
	if (exchange->response && exchange->has_sender)
		http_sender_note(server->senders, &exchange->sender, exchange->is_delivery,
				 exchange->status, clock_monotonic_ns());
	pthread_mutex_lock(&server->lock);
	exchange->response = NULL;
	exchange_let_go(exchange);
	pthread_mutex_unlock(&server->lock);
	http_link_wait(&server->links, link_of(connection));
}

/* ---- answers --------------------------------------------------------------------------------- */

/* With the lock held, by whoever brings the answer. */
static void store_answer(struct http_exchange *exchange, unsigned status,
			 struct MHD_Response *response)
{
	bool is_asleep = exchange->state == STATE_SUSPENDED;

	exchange->status = status;
	exchange->response = response;
	exchange->state = STATE_ANSWERED;
	/* Under the lock, so that a stop can't come between: libmicrohttpd 0.9.75 aborts in
	 * MHD_stop_daemon if it finds a suspended connection. */
	if (is_asleep) {
		MHD_resume_connection(exchange->connection);
		wakeup_send(&exchange->server->wakeup);
	}
}

/* The holder's answer: the exchange is no longer his. */
static void give_answer(struct http_exchange *exchange, unsigned status,
			struct MHD_Response *response)
{
	struct http_server *server = exchange->server;

	pthread_mutex_lock(&server->lock);
	if (exchange->state == STATE_ANSWERED) /* by the stop */
		MHD_destroy_response(response);
	else
		store_answer(exchange, status, response);
	exchange_let_go(exchange);
	pthread_mutex_unlock(&server->lock);
}

void http_exchange_refuse(struct http_exchange *exchange, unsigned status, const char *sentence)
{
	give_answer(exchange, status, http_response_refuse(status, sentence));
}

void http_exchange_answer(struct http_exchange *exchange, unsigned status,
			  const pa_pair *const *headers, size_t headers_count, pa_str body)
{
	struct MHD_Response *response = http_response_new(body);

	for (size_t i = 0; i < headers_count; i++) {
		const char *name, *value;

		if (arena_cstr(exchange->arena, headers[i]->name, &name) == PA_OK &&
		    arena_cstr(exchange->arena, headers[i]->value, &value) == PA_OK)
			MHD_add_response_header(response, name, value);
	}
	http_response_finish(response, status);
	give_answer(exchange, status, response);
}

const pa_http_request *http_exchange_request(const struct http_exchange *exchange)
{
	return &exchange->request;
}

struct arena *http_exchange_arena(struct http_exchange *exchange)
{
	return exchange->arena;
}

/* ---- libmicrohttpd's callbacks ----------------------------------------------------------------
 */

/* While the server drains, the connection ends with this answer. */
static enum MHD_Result queue_answer(struct http_exchange *exchange, unsigned status)
{
	if (atomic_load_explicit(&exchange->server->is_draining, memory_order_relaxed))
		http_response_close(exchange->response);
	return MHD_queue_response(exchange->connection, status, exchange->response);
}

static enum MHD_Result refuse_now(struct http_exchange *exchange, unsigned status,
				  const char *sentence)
{
	exchange->state = STATE_ANSWERED;
	exchange->status = status;
	exchange->response = http_response_refuse(status, sentence);
	return queue_answer(exchange, status);
}

/* True if the request may be looked at. */
static bool is_let_in(struct http_server *server, struct http_exchange *exchange)
{
	const struct sockaddr *peer =
		MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
			->client_addr;
	pa_str forwarded = http_request_forwarded(exchange->connection, exchange->arena);

	exchange->has_sender =
		http_sender_find(server->senders, peer, forwarded, &exchange->sender);
	if (!exchange->has_sender ||
	    http_sender_may(server->senders, &exchange->sender, clock_monotonic_ns()))
		return true;
	atomic_fetch_add(&server->limited, 1);
	return false;
}

static bool is_delivery(const struct http_server *server, pa_str path)
{
	const char *const *each = server->delivery_paths;

	while (each && *each && !str_starts(path, str_from(*each)))
		each++;
	return each && *each;
}

/* The headers are there. A body that is a little too large is read and dropped, so that the peer
 * gets to read the 413; one that is far too large, or not yet on its way, is refused at once. */
static enum MHD_Result begin(struct http_server *server, struct MHD_Connection *connection,
			     const char *path, void **context)
{
	struct http_exchange *exchange = exchange_new(server, connection);
	uint64_t declared = http_request_length(connection);
	bool is_asking = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
						     MHD_HTTP_HEADER_EXPECT) != NULL;

	*context = exchange;
	link_of(connection)->has_begun = true;
	exchange->is_delivery = is_delivery(server, str_from(path));
	if (!is_let_in(server, exchange))
		return refuse_now(exchange, MHD_HTTP_TOO_MANY_REQUESTS, "Too many bad requests.");
	if (http_request_is_crowded(connection))
		return refuse_now(exchange, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
				  "Too many headers or parameters.");
	if (declared <= server->max_body)
		return MHD_YES;
	if (is_asking || declared / 2 > server->max_body)
		return refuse_now(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "The body is too large.");
	exchange->state = STATE_REFUSED;
	return MHD_YES;
}

static enum MHD_Result take_body(struct http_exchange *exchange, const char *data, size_t *size)
{
	pa_str piece = {data, *size};

	*size = 0;
	if (exchange->state == STATE_READING) {
		buf_add(&exchange->body, piece);
		if (!exchange->body.is_over)
			return MHD_YES;
		exchange->state = STATE_REFUSED;
	}
	exchange->dropped += piece.len;
	return exchange->dropped / 2 > exchange->server->max_body ? MHD_NO : MHD_YES;
}

static enum MHD_Result hand_over(struct http_exchange *exchange, const char *path,
				 const char *method)
{
	struct http_server *server = exchange->server;
	bool is_answered;

	http_link_rest(link_of(exchange->connection));
	http_request_fill(exchange->connection, exchange->arena, path, method, &exchange->request);
	exchange->request.body = buf_str(&exchange->body);
	pthread_mutex_lock(&server->lock);
	exchange->state = STATE_HANDLING;
	exchange->owners++;
	pthread_mutex_unlock(&server->lock);
	server->handler(server->arg, exchange);
	pthread_mutex_lock(&server->lock);
	is_answered = exchange->state == STATE_ANSWERED;
	if (!is_answered) {
		MHD_suspend_connection(exchange->connection);
		exchange->state = STATE_SUSPENDED;
	}
	pthread_mutex_unlock(&server->lock);
	return is_answered ? queue_answer(exchange, exchange->status) : MHD_YES;
}

/* Called with the headers, then with each piece of the body, then at its end; and once more after
 * the connection was resumed. Then the state is ANSWERED, and was written under the lock before
 * the resume that brought us here. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *data,
				  size_t *size, void **context)
{
	struct http_server *server = arg;
	struct http_exchange *exchange = *context;

	(void)version;
	if (!exchange)
		return begin(server, connection, path, context);
	if (exchange->state == STATE_ANSWERED)
		return queue_answer(exchange, exchange->status);
	if (*size)
		return take_body(exchange, data, size);
	if (exchange->state == STATE_REFUSED)
		return refuse_now(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "The body is too large.");
	if (atomic_load_explicit(&server->is_stopping, memory_order_relaxed))
		return refuse_now(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "Stopping.");
	return hand_over(exchange, path, method);
}

/* Paths and keys come to us as C strings: a %00 would cut them. It stays as it is written. */
static size_t unescape(void *arg, struct MHD_Connection *connection, char *text)
{
	(void)arg;
	(void)connection;
	return strstr(text, "%00") ? strlen(text) : MHD_http_unescape(text);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Before the answers are looked for, so that none is missed. */
static void take_wake(struct http_server *server)
{
	pthread_mutex_lock(&server->lock);
	wakeup_take(&server->wakeup);
	pthread_mutex_unlock(&server->lock);
}

/* Waits until libmicrohttpd has something to do, then lets it. */
static void run_once(struct http_server *server, int max_ms)
{
	struct pollfd fds[] = {
		{.fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
		 .events = POLLIN},
		{.fd = server->wakeup.fd, .events = POLLIN},
	};
	MHD_UNSIGNED_LONG_LONG due;
	int wait_ms = max_ms;

	if (MHD_get_timeout(server->daemon, &due) == MHD_YES &&
	    due < (MHD_UNSIGNED_LONG_LONG)max_ms)
		wait_ms = (int)due;
	if (wait_ms > 0)
		poll(fds, ARRAY_COUNT(fds), wait_ms);
	take_wake(server);
	MHD_run_wait(server->daemon, 0);
	http_links_shut_older(&server->links, clock_monotonic_ns() - server->whole_request_ns);
}

/* Answers what the holders have not; those who answer later find it done. True while there are
 * answers to leave or holders to let go. */
static bool answer_the_open(struct http_server *server)
{
	bool is_any;

	pthread_mutex_lock(&server->lock);
	is_any = server->open.next != &server->open;
	for (struct http_exchange *each = server->open.next; each != &server->open;
	     each = each->next) {
		if (each->state == STATE_SUSPENDED)
			store_answer(
				each, MHD_HTTP_SERVICE_UNAVAILABLE,
				http_response_refuse(MHD_HTTP_SERVICE_UNAVAILABLE, "Stopping."));
	}
	pthread_mutex_unlock(&server->lock);
	return is_any;
}

/* Whoever connects from now on waits in the queue of systemd's socket; one of our own refuses him.
 * On this thread: libmicrohttpd panics if it meets its own epoll in another. */
static void stop_listening(struct http_server *server)
{
	if (server->listen_fd < 0)
		return;
	MHD_quiesce_daemon(server->daemon);
	close(server->listen_fd);
	server->listen_fd = -1;
}

static bool has_connections(const struct http_server *server)
{
	return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
		       ->num_connections > 0;
}

/* A kept connection is given a moment to bring what may be on its way. */
static void drain(struct http_server *server)
{
	int64_t end = clock_monotonic_ns() + server->drain_ns;

	stop_listening(server);
	while (has_connections(server) && clock_monotonic_ns() < end)
		run_once(server, 10);
	http_links_shut_idle(&server->links);
	atomic_store(&server->is_drained, true);
}

static void *run(void *arg)
{
	struct http_server *server = arg;
	int64_t end;

	pthread_setname_np(pthread_self(), server->thread_name);
	tls_offer(server->tls);
	while (!atomic_load(&server->is_stopping)) {
		run_once(server, TICK_MS);
		if (atomic_load(&server->is_draining) && !atomic_load(&server->is_drained))
			drain(server);
	}
	stop_listening(server);
	end = clock_monotonic_ns() + STOP_PATIENCE;
	while (answer_the_open(server) && clock_monotonic_ns() < end)
		run_once(server, 10);
	MHD_stop_daemon(server->daemon);
	return NULL;
}

/* ---- birth and death ------------------------------------------------------------------------- */

static struct MHD_Daemon *start_daemon(struct http_server *server,
				       const struct http_server_options *options)
{
	struct MHD_OptionItem secured[] = {
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)tls_priorities},
		{MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, tls_callback()},
		{MHD_OPTION_END, 0, NULL}};
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;

	return MHD_start_daemon(
		options->tls ? flags | MHD_USE_TLS : flags, 0, NULL, NULL, on_request, server,
		MHD_OPTION_LISTEN_SOCKET, server->listen_fd, MHD_OPTION_CONNECTION_TIMEOUT,
		options->timeout_s, MHD_OPTION_CONNECTION_LIMIT, options->max_connections,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, options->max_per_address,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, server, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY,
		options->tls ? secured : &secured[2], MHD_OPTION_END);
}

static struct http_server *server_make(const struct http_server_options *options, int listen_fd)
{
	struct http_server *server = calloc(1, sizeof(*server));

	if (!server)
		abort();
	server->listen_fd = listen_fd;
	server->tls = options->tls;
	server->senders = http_senders_new(options->trusted_proxies, options->bad_per_minute);
	server->delivery_paths = options->delivery_paths;
	server->port = listen_port(listen_fd);
	wakeup_open(&server->wakeup);
	server->max_body = options->max_body;
	server->whole_request_ns = options->timeout_s * (WHOLE_REQUEST_TIMEOUTS * NS_PER_S);
	server->handler = options->handler;
	server->arg = options->arg;
	strncpy(server->thread_name, options->thread_name ? options->thread_name : "http-in",
		sizeof(server->thread_name) - 1);
	http_links_init(&server->links);
	server->open.next = server->open.prev = &server->open;
	pthread_mutex_init(&server->lock, NULL);
	fcntl(listen_fd, F_SETFL, fcntl(listen_fd, F_GETFL) | O_NONBLOCK);
	return server;
}

static void destroy_all(struct http_exchange *each, const struct http_exchange *end)
{
	while (each != end) {
		struct http_exchange *next = each->next;

		exchange_destroy(each);
		each = next;
	}
}

static void server_destroy(struct http_server *server)
{
	destroy_all(server->pool, NULL);
	destroy_all(server->open.next, &server->open); /* what holders never gave back */
	if (server->listen_fd >= 0)
		close(server->listen_fd);
	wakeup_close(&server->wakeup);
	http_senders_free(server->senders);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

pa_status http_server_new(const struct http_server_options *options, struct http_server **ret,
			  pa_error *err)
{
	int fd = options->listen_fd;
	struct http_server *server;
	pa_status status = fd >= 0 ? PA_OK : listen_open(options->address, options->port, &fd, err);

	if (status != PA_OK)
		return status;
	server = server_make(options, fd);
	server->daemon = start_daemon(server, options);
	if (!server->daemon) {
		error_set(err, PA_RETRY, "cannot start the HTTP server on port %u", server->port);
		server_destroy(server);
		return PA_RETRY;
	}
	if (pthread_create(&server->thread, NULL, run, server) != 0) {
		MHD_stop_daemon(server->daemon);
		server_destroy(server);
		return error_set(err, PA_RETRY, "cannot start the HTTP server's thread");
	}
	*ret = server;
	return PA_OK;
}

uint64_t http_server_limited(const struct http_server *server)
{
	return atomic_load(&server->limited);
}

bool http_server_met_proxy(const struct http_server *server)
{
	return http_senders_met_proxy(server->senders);
}

uint16_t http_server_port(const struct http_server *server)
{
	return server->port;
}

size_t http_server_connections(const struct http_server *server)
{
	return atomic_load(&server->connections);
}

static void wake_thread(struct http_server *server)
{
	pthread_mutex_lock(&server->lock);
	wakeup_send(&server->wakeup);
	pthread_mutex_unlock(&server->lock);
}

void http_server_drain(struct http_server *server, int patience_ms)
{
	const struct timespec pause = {.tv_nsec = 5 * NS_PER_MS};

	server->drain_ns = patience_ms * NS_PER_MS;
	atomic_store(&server->is_draining, true);
	wake_thread(server);
	while (!atomic_load(&server->is_drained))
		nanosleep(&pause, NULL);
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	atomic_store(&server->is_stopping, true);
	wake_thread(server);
	pthread_join(server->thread, NULL);
	server_destroy(server);
}
