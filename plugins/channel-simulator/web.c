/* SPDX-License-Identifier: Apache-2.0 */
#include "web.h"

#include "api.h"
#include "page_files.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64u
#define CONNECTION_TIMEOUT_S 60u
#define UPLOADING_MAX ((size_t)2 * STORE_FILE_BYTES)
#define CLOSE_PATIENCE_MS 1000

struct web {
	struct simulator *sim;
	struct MHD_Daemon *daemon;
	uint16_t port;
	bool is_closing;
	size_t uploading;            /* bytes of bodies held by all requests */
	size_t alive;                /* requests */
	struct web_request *waiting; /* suspended ones */
};

/* api comes first: the API hands it back to web_argument(). */
struct web_request {
	struct api_request api;
	struct MHD_Connection *connection;
	char *body;
	size_t body_len;
	size_t body_max;
	bool is_too_large;
	bool is_waiting;
	struct web_request *next;
};

/* ---- answers ---- */

static const struct {
	const char *name;
	const char *value;
} common_headers[] = {
	{"Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'none'; "
				    "frame-ancestors 'none'; object-src 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cache-Control", "no-store"},
};

/* Takes bytes from malloc. disposition may be NULL. */
static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status, const char *type,
			       char *bytes, size_t size, const char *disposition)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	if (!response) {
		free(bytes);
		return MHD_NO;
	}
	for (size_t i = 0; i < sizeof(common_headers) / sizeof(common_headers[0]); i++)
		MHD_add_response_header(response, common_headers[i].name, common_headers[i].value);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (disposition)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, disposition);
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result respond_text(struct MHD_Connection *connection, unsigned status,
				    const char *text)
{
	return respond(connection, status, "text/plain; charset=utf-8", sim_dup(sim_str(text)),
		       strlen(text), NULL);
}

static enum MHD_Result respond_json(struct MHD_Connection *connection, unsigned status,
				    json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	if (!text)
		return respond_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "no answer");
	return respond(connection, status, "application/json", text, strlen(text), NULL);
}

/* Only what a browser shows without running anything is shown; all else is saved. */
static bool is_shown_inline(const char *type)
{
	static const char *const shown[] = {"image/png",  "image/jpeg", "image/webp", "image/gif",
					    "audio/mpeg", "audio/ogg",  "audio/mp4",  "audio/aac",
					    "audio/amr",  "video/mp4",  "video/3gpp", "audio/webm"};

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		if (!strcasecmp(shown[i], type))
			return true;
	}
	return false;
}

static enum MHD_Result respond_file(struct MHD_Connection *connection, const struct file *file)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-._";
	bool is_inline = is_shown_inline(file->type);
	char disposition[1024];
	size_t len = (size_t)snprintf(disposition, sizeof(disposition), "%s; filename*=UTF-8''",
				      is_inline ? "inline" : "attachment");
	pa_str bytes = {(const char *)file->bytes, file->size};

	/* RFC 8187, 3.2.1: everything but letters, digits and three signs is percent-encoded. */
	for (const char *c = file->name; *c && len + 4 < sizeof(disposition); c++)
		len += (size_t)snprintf(disposition + len, sizeof(disposition) - len,
					strchr(plain, *c) ? "%c" : "%%%02X", (unsigned char)*c);
	return respond(connection, MHD_HTTP_OK, is_inline ? file->type : "application/octet-stream",
		       sim_dup(bytes), bytes.len, disposition);
}

/* ---- who may ask ---- */

static const char *header_of(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static bool is_our_host(const struct web *web, const char *host)
{
	char ours[32];

	if (!host)
		return false;
	snprintf(ours, sizeof(ours), "127.0.0.1:%u", web->port);
	if (!strcmp(host, ours))
		return true;
	snprintf(ours, sizeof(ours), "localhost:%u", web->port);
	return !strcasecmp(host, ours);
}

static bool is_our_origin(const struct web *web, const char *origin)
{
	static const char scheme[] = "http://";

	return !origin || (!strncmp(origin, scheme, sizeof(scheme) - 1) &&
			   is_our_host(web, origin + sizeof(scheme) - 1));
}

/* NULL, or the sentence for a 403. */
static const char *stranger_reason(const struct web *web, struct MHD_Connection *connection)
{
	const char *site = header_of(connection, "Sec-Fetch-Site");

	if (!is_our_host(web, header_of(connection, "Host")))
		return "Only http://127.0.0.1 and http://localhost with this port are served.";
	if (!is_our_origin(web, header_of(connection, "Origin")))
		return "Requests from other pages are refused.";
	if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return "Requests from other pages are refused.";
	return NULL;
}

/* A link on another page may open ours, but nothing else of ours. */
static bool is_plain_visit(struct MHD_Connection *connection, const char *method, const char *path)
{
	const char *mode = header_of(connection, "Sec-Fetch-Mode");

	return !strcmp(method, "GET") && !strcmp(path, "/") && mode && !strcmp(mode, "navigate");
}

/* ---- one request ---- */

static const char *web_argument(const struct api_request *api, const char *name)
{
	const struct web_request *request = (const struct web_request *)(const void *)api;

	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

static void suspend_request(struct web *web, struct web_request *request)
{
	request->is_waiting = true;
	request->next = web->waiting;
	web->waiting = request;
	MHD_suspend_connection(request->connection);
}

/* Resumes the waiting ones whose time is up by then. Lock held. */
static void wake_until(struct web *web, int64_t until_ms)
{
	struct web_request **link = &web->waiting;

	while (*link) {
		struct web_request *request = *link;

		if (request->api.wait_until_ms > until_ms) {
			link = &request->next;
			continue;
		}
		*link = request->next;
		request->is_waiting = false;
		MHD_resume_connection(request->connection);
	}
}

static enum MHD_Result answer_api(struct web *web, struct web_request *request)
{
	struct simulator *sim = web->sim;
	struct api_answer answer = {0};
	enum MHD_Result result = MHD_YES;

	pthread_mutex_lock(&sim->lock);
	if (!api_handle(sim, &request->api, web->is_closing, &answer))
		suspend_request(web, request);
	else if (answer.file)
		result = respond_file(request->connection, answer.file);
	else
		result = respond_json(request->connection, answer.status, answer.json);
	pthread_mutex_unlock(&sim->lock);
	return result;
}

static enum MHD_Result answer_request(struct web *web, struct web_request *request)
{
	const struct page_file *file = page_file_find(request->api.path);
	pa_str bytes;

	if (request->is_too_large)
		return respond_text(request->connection, MHD_HTTP_CONTENT_TOO_LARGE, "too large");
	if (!file || request->api.is_post)
		return answer_api(web, request);
	bytes = (pa_str){file->begin, (size_t)(file->end - file->begin)};
	return respond(request->connection, MHD_HTTP_OK, file->type, sim_dup(bytes), bytes.len,
		       NULL);
}

/* Keeps a piece of the body, up to the path's limit and that of all bodies together. */
static void take_body(struct web *web, struct web_request *request, const char *data, size_t size)
{
	char *grown;

	if (request->is_too_large || size > request->body_max - request->body_len ||
	    size > UPLOADING_MAX - web->uploading) {
		request->is_too_large = true;
		return;
	}
	grown = realloc(request->body, request->body_len + size);
	if (!grown)
		abort();
	memcpy(grown + request->body_len, data, size);
	request->body = grown;
	request->body_len += size;
	request->api.body = (pa_str){request->body, request->body_len};
	web->uploading += size;
}

static struct web_request *begin_request(struct web *web, struct MHD_Connection *connection,
					 const char *url, const char *method)
{
	struct web_request *request = sim_alloc(sizeof(*request));

	request->connection = connection;
	request->api.is_post = !strcmp(method, "POST");
	request->api.path = url;
	request->api.content_type = header_of(connection, "Content-Type");
	request->api.argument = web_argument;
	request->body_max = request->api.is_post ? api_body_max(url) : 0;
	web->alive++;
	return request;
}

static bool is_announced_too_large(struct MHD_Connection *connection, size_t max)
{
	const char *length = header_of(connection, "Content-Length");

	return length && strtoull(length, NULL, 10) > max;
}

static enum MHD_Result first_look(struct web *web, struct web_request *request, const char *method)
{
	struct MHD_Connection *connection = request->connection;
	const char *reason = stranger_reason(web, connection);

	if (reason && !(is_our_host(web, header_of(connection, "Host")) &&
			is_plain_visit(connection, method, request->api.path)))
		return respond_text(connection, MHD_HTTP_FORBIDDEN, reason);
	if (!request->api.is_post && strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return respond_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "another method");
	if (is_announced_too_large(connection, request->body_max))
		return respond_text(connection, MHD_HTTP_CONTENT_TOO_LARGE, "too large");
	return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload_data,
				  size_t *upload_data_size, void **con_cls)
{
	struct web *web = cls;
	struct web_request *request = *con_cls;

	(void)version;
	if (!request) {
		request = begin_request(web, connection, url, method);
		*con_cls = request;
		return first_look(web, request, method);
	}
	if (*upload_data_size) {
		take_body(web, request, upload_data, *upload_data_size);
		*upload_data_size = 0;
		return MHD_YES;
	}
	return answer_request(web, request);
}

static void forget_waiting(struct web *web, const struct web_request *request)
{
	for (struct web_request **link = &web->waiting; *link; link = &(*link)->next) {
		if (*link == request) {
			*link = request->next;
			return;
		}
	}
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
			 enum MHD_RequestTerminationCode code)
{
	struct web *web = cls;
	struct web_request *request = *con_cls;

	(void)connection;
	(void)code;
	if (!request)
		return;
	pthread_mutex_lock(&web->sim->lock);
	if (request->is_waiting)
		forget_waiting(web, request);
	web->uploading -= request->body_len;
	web->alive--;
	pthread_mutex_unlock(&web->sim->lock);
	free(request->body);
	free(request);
	*con_cls = NULL;
}

/* ---- life ---- */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* A listening socket on the loopback; the port it got. */
static pa_status open_socket(uint16_t port, int *ret_fd, uint16_t *ret_port, pa_error *err)
{
	int fd SIM_CLEANUP(close_fd) =
		socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) || listen(fd, SOMAXCONN) ||
	    getsockname(fd, (struct sockaddr *)&address, &len)) {
		sim_error(err, "can't listen on 127.0.0.1 port %u: %s", port, strerror(errno));
		return PA_RETRY;
	}
	*ret_fd = fd;
	*ret_port = ntohs(address.sin_port);
	fd = -1;
	return PA_OK;
}

pa_status web_start(struct simulator *sim, pa_error *err)
{
	struct web *web;
	uint16_t port;
	int fd;
	pa_status status = open_socket(sim->port, &fd, &port, err);

	if (status != PA_OK)
		return status;
	web = sim_alloc(sizeof(*web));
	web->sim = sim;
	web->port = port;
	pthread_mutex_lock(&sim->lock); /* the first request waits until sim->web is set */
	web->daemon = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
		NULL, on_request, web, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, web, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_TIMEOUT_S, MHD_OPTION_END);
	sim->web = web->daemon ? web : NULL;
	pthread_mutex_unlock(&sim->lock);
	if (!web->daemon) {
		close(fd);
		free(web);
		sim_error(err, "the HTTP listener of the simulator did not start");
		return PA_RETRY;
	}
	return PA_OK;
}

static size_t count_alive(struct web *web)
{
	size_t alive;

	pthread_mutex_lock(&web->sim->lock);
	wake_until(web, INT64_MAX);
	alive = web->alive;
	pthread_mutex_unlock(&web->sim->lock);
	return alive;
}

void web_stop(struct simulator *sim)
{
	struct web *web = sim->web;
	const struct timespec pause = {.tv_nsec = 5000000};
	int64_t patience_ms = sim_monotonic_ms() + CLOSE_PATIENCE_MS;
	int fd;

	pthread_mutex_lock(&sim->lock);
	web->is_closing = true;
	pthread_mutex_unlock(&sim->lock);
	fd = MHD_quiesce_daemon(web->daemon);
	while (count_alive(web) && sim_monotonic_ms() < patience_ms)
		nanosleep(&pause, NULL);
	MHD_stop_daemon(web->daemon);
	if (fd >= 0)
		close(fd);
	pthread_mutex_lock(&sim->lock);
	sim->web = NULL;
	pthread_mutex_unlock(&sim->lock);
	free(web);
}

uint16_t web_port(const struct web *web)
{
	return web->port;
}

void web_wake(struct web *web)
{
	if (web)
		wake_until(web, INT64_MAX);
}

void web_wake_expired(struct simulator *sim)
{
	pthread_mutex_lock(&sim->lock);
	wake_until(sim->web, sim_monotonic_ms());
	pthread_mutex_unlock(&sim->lock);
}
