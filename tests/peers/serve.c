/* SPDX-License-Identifier: Apache-2.0 */
#include "peers/loop_internal.h"

#include "base/err.h"
#include "io/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX ((size_t)128 << 20)
#define READ_SIZE 6144

struct serve {
	struct watch watch;
	uint16_t port;
	serve_fn *fn;
	void *arg;
};

/* A connection; one request at a time, what comes early waits in `in`. */
struct connection {
	struct talk talk; /* first: a talk is its connection */
	struct watch watch;
	struct serve *serve;
	struct buf in, out;
	size_t used;    /* of in: the request under way */
	size_t written; /* of out */
	bool is_busy;   /* its handler has not answered */
	bool is_reading;
	bool is_writing;
};

pa_str http_header(pa_str head, pa_str name)
{
	str_split(&head, '\n');
	while (!str_is_absent(head)) {
		pa_str line = str_split(&head, '\n');
		pa_str key = str_split(&line, ':');

		if (str_equal_nocase(key, name) && !str_is_absent(line))
			return str_trim(line);
	}
	return PA_STR_ABSENT;
}

enum framing http_frame(pa_str bytes, struct framed *ret)
{
	size_t end = str_find(str_slice(bytes, 0, 65536), PA_STR("\r\n\r\n"));
	pa_str length;
	uint64_t body = 0;

	if (end == SIZE_MAX)
		return bytes.len > 65536 ? FRAMING_BROKEN : FRAMING_MORE;
	ret->head = end + 4;
	length = http_header(str_slice(bytes, 0, end + 2), PA_STR("content-length"));
	if (!str_is_absent(length) && (!str_to_uint64(length, &body) || body > MESSAGE_MAX))
		return FRAMING_BROKEN;
	ret->body = (size_t)body;
	return bytes.len - ret->head >= ret->body ? FRAMING_WHOLE : FRAMING_MORE;
}

/* The peer is gone, or has to go. The memory stays until nobody uses it: see reap(). */
static void cut(struct connection *connection)
{
	if (connection->watch.fd >= 0)
		close(connection->watch.fd);
	connection->watch.fd = -1;
	connection->talk.is_gone = true;
}

static void reap(struct connection *connection)
{
	if (connection->watch.fd >= 0 || connection->is_busy || connection->is_reading)
		return;
	buf_done(&connection->in);
	buf_done(&connection->out);
	loop_bury(&connection->watch);
}

static void connection_close(struct connection *connection)
{
	cut(connection);
	reap(connection);
}

/* What doesn't fit into the socket goes when epoll says so. False: the connection is gone. */
static bool flush(struct connection *connection)
{
	struct buf *out = &connection->out;

	while (connection->written < out->len) {
		ssize_t sent = send(connection->watch.fd, out->data + connection->written,
				    out->len - connection->written, MSG_NOSIGNAL);

		if (sent < 0 && errno == EAGAIN) {
			if (!connection->is_writing)
				loop_rewatch(connection->watch.loop, &connection->watch,
					     EPOLLIN | EPOLLOUT);
			connection->is_writing = true;
			return true;
		}
		if (sent < 0)
			return false;
		connection->written += (size_t)sent;
	}
	if (connection->is_writing)
		loop_rewatch(connection->watch.loop, &connection->watch, EPOLLIN);
	connection->is_writing = false;
	connection->written = 0;
	buf_clear(out);
	return true;
}

static void fill_talk(struct connection *connection, const struct framed *framed)
{
	struct talk *talk = &connection->talk;
	pa_str bytes = buf_str(&connection->in), line;

	talk->head = str_slice(bytes, 0, framed->head);
	talk->body = str_slice(bytes, framed->head, framed->body);
	line = talk->head;
	line = str_split(&line, '\n');
	talk->method = str_split(&line, ' ');
	talk->target = str_split(&line, ' ');
	connection->used = framed->head + framed->body;
}

/* Hands over whole requests as long as they are answered at once. */
static void serve_requests(struct connection *connection)
{
	struct framed framed;

	connection->is_reading = true;
	while (!connection->is_busy && connection->watch.fd >= 0) {
		enum framing framing = http_frame(buf_str(&connection->in), &framed);

		if (framing == FRAMING_BROKEN)
			cut(connection);
		if (framing != FRAMING_WHOLE)
			break;
		fill_talk(connection, &framed);
		connection->is_busy = true;
		connection->serve->fn(connection->serve->arg, &connection->talk);
	}
	connection->is_reading = false;
	reap(connection);
}

static bool read_some(struct connection *connection)
{
	char piece[READ_SIZE];
	ssize_t got = recv(connection->watch.fd, piece, sizeof(piece), 0);

	if (got < 0 && errno == EAGAIN)
		return true;
	if (got <= 0)
		return false;
	/* The handler keeps slices of `in`: what comes early waits in the socket. */
	buf_add(&connection->in, (pa_str){piece, (size_t)got});
	return !connection->in.is_over;
}

static void on_connection(struct watch *watch, uint32_t events)
{
	struct connection *connection = watch->owner;

	if (watch->fd < 0)
		return; /* cut while this event was waiting its turn */
	if (events & (EPOLLERR | EPOLLHUP) || (events & EPOLLOUT && !flush(connection))) {
		connection_close(connection);
		return;
	}
	if (!(events & EPOLLIN))
		return;
	if (connection->is_busy) {
		char byte;

		/* Gone while it waited for the answer? */
		if (recv(watch->fd, &byte, 1, MSG_PEEK) == 0)
			connection_close(connection);
		else
			loop_rewatch(watch->loop, watch, 0);
		return;
	}
	if (!read_some(connection))
		connection_close(connection);
	else
		serve_requests(connection);
}

static void on_listener(struct watch *watch, uint32_t events)
{
	struct serve *serve = watch->owner;
	int fd;

	(void)events;
	while ((fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		struct connection *connection = grow(NULL, 1, sizeof(*connection));

		memset(connection, 0, sizeof(*connection));
		connection->serve = serve;
		connection->in = (struct buf)BUF_INIT(MESSAGE_MAX + 65536);
		connection->out = (struct buf)BUF_INIT(MESSAGE_MAX + 65536);
		connection->watch = (struct watch){
			.fd = fd, .loop = watch->loop, .owner = connection, .fn = on_connection};
		loop_watch(watch->loop, &connection->watch, EPOLLIN);
	}
}

struct serve *serve_new(struct loop *loop, uint16_t port, serve_fn *fn, void *arg)
{
	struct serve *serve = grow(NULL, 1, sizeof(*serve));
	pa_error err = ERROR_INIT;

	*serve = (struct serve){.fn = fn, .arg = arg};
	serve->watch = (struct watch){.fd = -1, .loop = loop, .owner = serve, .fn = on_listener};
	if (listen_open("127.0.0.1", port, &serve->watch.fd, &err) != PA_OK) {
		fprintf(stderr, "peer: %s\n", error_text(&err));
		exit(1);
	}
	fcntl(serve->watch.fd, F_SETFL, O_NONBLOCK);
	serve->port = listen_port(serve->watch.fd);
	loop_watch(loop, &serve->watch, EPOLLIN);
	return serve;
}

uint16_t serve_port(const struct serve *serve)
{
	return serve->port;
}

pa_str talk_header(const struct talk *talk, pa_str name)
{
	return http_header(talk->head, name);
}

static struct connection *connection_of(struct talk *talk)
{
	return (struct connection *)(void *)talk;
}

/* The request is over: its bytes go. */
static void end_talk(struct connection *connection)
{
	struct buf *in = &connection->in;

	connection->is_busy = false;
	memmove(in->data, in->data + connection->used, in->len - connection->used);
	in->len -= connection->used;
	connection->used = 0;
}

void talk_answer(struct talk *talk, unsigned status, pa_str headers, pa_str body)
{
	struct connection *connection = connection_of(talk);

	end_talk(connection);
	if (!talk->is_gone) {
		buf_format(&connection->out, "HTTP/1.1 %u X\r\nContent-Length: %zu\r\n%.*s\r\n",
			   status, body.len, PA_FMT(headers));
		buf_add(&connection->out, body);
	}
	if (!talk->is_gone && !flush(connection))
		cut(connection);
	if (connection->is_reading)
		return; /* serve_requests() goes on with it */
	if (!talk->is_gone)
		loop_rewatch(connection->watch.loop, &connection->watch,
			     connection->is_writing ? EPOLLIN | EPOLLOUT : EPOLLIN);
	serve_requests(connection);
}

void talk_drop(struct talk *talk)
{
	struct connection *connection = connection_of(talk);

	end_talk(connection);
	connection_close(connection);
}
