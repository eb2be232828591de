/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/peers/loop.h: one thread, one epoll, timers, plain HTTP/1.1 in both directions: what the
 * stand-ins for foreign systems and the load generator are built on. Unlike the daemon's own HTTP
 * it can misbehave (drop a connection in the middle) and knows the loopback only.
 *
 *	struct loop *loop = loop_new();
 *	struct serve *serve = serve_new(loop, port, on_talk, arg);
 *	loop_after(loop, 50 * NS_PER_MS, later, arg);
 *	loop_run(loop);
 *
 * Everything happens on the thread of loop_run(). What can't go on aborts with a sentence.
 */
#ifndef TESTS_PEERS_LOOP_H
#define TESTS_PEERS_LOOP_H

#include "base/buf.h"
#include "base/str.h"

struct loop;
struct serve;
struct poster;

struct loop *loop_new(void);
/* Until loop_stop() or SIGTERM or SIGINT. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
void loop_free(struct loop *loop);

typedef void loop_fn(void *arg);

/* Calls fn once, after so long. */
void loop_after(struct loop *loop, int64_t wait_ns, loop_fn *fn, void *arg);

/* A request being served, until it is answered or dropped. */
struct talk {
	pa_str method;
	pa_str target; /* path and query as written */
	pa_str head;   /* request line and headers */
	pa_str body;
	bool is_gone; /* the peer went away: answering is still due, and does nothing */
};

typedef void serve_fn(void *arg, struct talk *talk);

/* Listens on 127.0.0.1; port 0: any. fn answers now or later, by talk_answer() or talk_drop(). */
struct serve *serve_new(struct loop *loop, uint16_t port, serve_fn *fn, void *arg);
uint16_t serve_port(const struct serve *serve);

/* The value of a header, absent if there is none. name in any case. */
pa_str talk_header(const struct talk *talk, pa_str name);

/* headers are whole lines ("Name: value\r\n"), or absent. */
void talk_answer(struct talk *talk, unsigned status, pa_str headers, pa_str body);

/* Closes the connection without a word. */
void talk_drop(struct talk *talk);

/* What came of a post: status 0 if there was no whole answer. body until return. */
typedef void post_fn(void *arg, unsigned status, pa_str body);

/* Posts to one http://127.0.0.1:PORT/path over at most so many kept connections. NULL if the URL
 * is of another kind. */
struct poster *poster_new(struct loop *loop, const char *url, size_t connections);

/* Sends, or queues until a connection is free. headers as in talk_answer(); both are copied. */
void post(struct poster *poster, pa_str headers, pa_str body, post_fn *fn, void *arg);

/* Posts that wait for a connection or an answer. */
size_t poster_pending(const struct poster *poster);

#endif
