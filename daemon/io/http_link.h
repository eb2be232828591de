/* SPDX-License-Identifier: Apache-2.0
 *
 * io/http_link.h: the connections of an HTTP server whose next request isn't whole yet, the longest
 * waiting first. They are shut down here and closed by the library when its epoll tells it so. For
 * the server's thread alone; the memory is the caller's.
 */
#ifndef IO_HTTP_LINK_H
#define IO_HTTP_LINK_H

#include "base/base.h"

struct http_link {
	struct http_link *prev, *next;
	int fd;
	int64_t since_ns;
	bool is_waiting;
	bool has_begun; /* the request's headers are there */
};

struct http_links {
	struct http_link ring;
};

void http_links_init(struct http_links *links);

/* The next request is awaited from now on. */
void http_link_wait(struct http_links *links, struct http_link *link);

/* The request is whole, or the connection at its end. */
void http_link_rest(struct http_link *link);

/* Shuts down those that have waited since before this moment. */
void http_links_shut_older(struct http_links *links, int64_t moment_ns);

/* Shuts down those whose next request is not whole yet. */
void http_links_shut_idle(struct http_links *links);

#endif
