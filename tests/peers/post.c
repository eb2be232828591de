/* SPDX-License-Identifier: Apache-2.0 */
#include "peers/loop_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX ((size_t)4 << 20)
#define READ_SIZE 4096

/* A post that waits for a connection. */
struct job {
	struct job *next;
	post_fn *fn;
	void *arg;
	size_t len;
	char bytes[];
};

struct line {
	struct line *next; /* among the idle */
	struct watch watch;
	struct poster *poster;
	struct job *job;
	struct buf in;
	size_t sent;
	bool is_writing; /* the epoll tells when more can be sent */
};

struct poster {
	struct loop *loop;
	struct sockaddr_in address;
	char path[256];
	size_t lines, lines_max;
	struct line *idle;
	struct job *first, **end;
	size_t pending;
};

static void line_close(struct line *line)
{
	buf_done(&line->in);
	line->poster->lines--;
	loop_bury(&line->watch);
}

static void begin(struct poster *poster);

/* Tells, then goes on with the next. A line that failed is closed. */
static void finish(struct line *line, unsigned status, pa_str body, bool is_kept)
{
	struct poster *poster = line->poster;
	struct job *job = line->job;

	line->job = NULL;
	poster->pending--;
	if (job)
		job->fn(job->arg, status, body);
	free(job);
	if (is_kept) {
		buf_clear(&line->in);
		line->next = poster->idle;
		poster->idle = line;
	} else {
		line_close(line);
	}
	begin(poster);
}

static void want_writing(struct line *line, bool is_wanted)
{
	if (line->is_writing == is_wanted)
		return;
	line->is_writing = is_wanted;
	loop_rewatch(line->watch.loop, &line->watch, is_wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static bool push(struct line *line)
{
	struct job *job = line->job;
	ssize_t sent;

	if (line->sent == job->len)
		return true;
	sent = send(line->watch.fd, job->bytes + line->sent, job->len - line->sent, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN)
		return false;
	line->sent += sent > 0 ? (size_t)sent : 0;
	want_writing(line, line->sent < job->len);
	return true;
}

static void take_answer(struct line *line)
{
	struct framed framed;
	pa_str bytes = buf_str(&line->in);
	enum framing framing = http_frame(bytes, &framed);
	uint64_t status = 0;

	if (framing == FRAMING_MORE)
		return;
	if (framing == FRAMING_BROKEN || !str_to_uint64(str_slice(bytes, 9, 3), &status)) {
		finish(line, 0, PA_STR_ABSENT, false);
		return;
	}
	finish(line, (unsigned)status, str_slice(bytes, framed.head, framed.body),
	       !str_equal_nocase(
		       http_header(str_slice(bytes, 0, framed.head), PA_STR("connection")),
		       PA_STR("close")));
}

static void idle_remove(struct line *line)
{
	struct line **at = &line->poster->idle;

	while (*at && *at != line)
		at = &(*at)->next;
	if (*at)
		*at = line->next;
}

static void on_line(struct watch *watch, uint32_t events)
{
	struct line *line = watch->owner;
	char piece[READ_SIZE];
	ssize_t got;

	if (!line->job) { /* closed while idle */
		idle_remove(line);
		line_close(line);
		return;
	}
	if (events & EPOLLOUT && !push(line)) {
		finish(line, 0, PA_STR_ABSENT, false);
		return;
	}
	if (!(events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
		return;
	got = recv(watch->fd, piece, sizeof(piece), 0);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		finish(line, 0, PA_STR_ABSENT, false);
		return;
	}
	buf_add(&line->in, (pa_str){piece, (size_t)got});
	take_answer(line);
}

static struct line *line_new(struct poster *poster)
{
	struct line *line = grow(NULL, 1, sizeof(*line));
	int on = 1;

	memset(line, 0, sizeof(*line));
	line->poster = poster;
	line->in = (struct buf)BUF_INIT(ANSWER_MAX);
	line->watch = (struct watch){.loop = poster->loop, .owner = line, .fn = on_line};
	line->watch.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (line->watch.fd < 0)
		die("socket");
	setsockopt(line->watch.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	poster->lines++;
	/* A refusal shows as EPOLLERR. */
	if (connect(line->watch.fd, (struct sockaddr *)&poster->address, sizeof(poster->address)) <
		    0 &&
	    errno != EINPROGRESS)
		die("connect");
	line->is_writing = true;
	loop_watch(poster->loop, &line->watch, EPOLLIN | EPOLLOUT);
	return line;
}

static void begin(struct poster *poster)
{
	while (poster->first && (poster->idle || poster->lines < poster->lines_max)) {
		struct job *job = poster->first;
		struct line *line = poster->idle;
		bool is_new = !line;

		poster->first = job->next;
		if (!poster->first)
			poster->end = &poster->first;
		if (is_new)
			line = line_new(poster);
		else
			poster->idle = line->next;
		line->job = job;
		line->sent = 0;
		if (!is_new && !push(line)) {
			finish(line, 0, PA_STR_ABSENT, false);
			return;
		}
	}
}

struct poster *poster_new(struct loop *loop, const char *url, size_t connections)
{
	struct poster *poster = grow(NULL, 1, sizeof(*poster));
	pa_str rest = str_from(url), port;
	uint64_t number;

	memset(poster, 0, sizeof(*poster));
	poster->loop = loop;
	poster->lines_max = connections;
	poster->end = &poster->first;
	rest = str_starts(rest, PA_STR("http://127.0.0.1:")) ? str_slice(rest, 17, SIZE_MAX)
							     : PA_STR_ABSENT;
	port = str_split(&rest, '/');
	if (!str_to_uint64(port, &number) || number > 65535) {
		free(poster);
		return NULL;
	}
	poster->address = (struct sockaddr_in){.sin_family = AF_INET,
					       .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
					       .sin_port = htons((uint16_t)number)};
	snprintf(poster->path, sizeof(poster->path), "/%.*s", PA_FMT(rest));
	return poster;
}

void post(struct poster *poster, pa_str headers, pa_str body, post_fn *fn, void *arg)
{
	size_t room = sizeof(struct job) + headers.len + body.len + sizeof(poster->path) + 128;
	struct job *job = grow(NULL, 1, room);
	int head;

	*job = (struct job){.fn = fn, .arg = arg};
	head = snprintf(job->bytes, room - sizeof(*job),
			"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %zu\r\n%.*s\r\n",
			poster->path, body.len, PA_FMT(headers));
	if (body.len)
		memcpy(job->bytes + head, body.ptr, body.len);
	job->len = (size_t)head + body.len;
	*poster->end = job;
	poster->end = &job->next;
	poster->pending++;
	begin(poster);
}

size_t poster_pending(const struct poster *poster)
{
	return poster->pending;
}
