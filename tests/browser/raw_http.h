/* SPDX-License-Identifier: Apache-2.0
 *
 * raw_http.h: HTTP by hand, so that a test can send what no browser would.
 *
 *	struct answer answer = raw_http_receive(raw_http_ask(port, "GET", "/", "Host: a\r\n", ""));
 *	raw_http_done(&answer);
 *
 * Ownership: the answer is the caller's. Errors: the test aborts. Bad at: keeping connections.
 */
#ifndef RAW_HTTP_H
#define RAW_HTTP_H

#include <jansson.h>

struct answer {
	int status;       /* 0: closed without an answer */
	char *text;       /* head and body */
	const char *body; /* in text; NULL without an answer */
	json_t *json;     /* the body, if it is JSON */
};

/* Sends a request to that port of the loopback; headers end in CRLF each. The socket to read. */
int raw_http_ask(int port, const char *method, const char *path, const char *headers,
		 const char *body);

/* Reads until the peer closes, half a minute at most between bytes. */
struct answer raw_http_receive(int fd);

void raw_http_done(struct answer *answer);

#endif
