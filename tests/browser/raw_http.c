/* SPDX-License-Identifier: Apache-2.0 */
#include "raw_http.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_MAX (1u << 20)

static int dial(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = 30};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		abort();
	return fd;
}

/* What the peer no longer reads (a refusal came first) is no failure. */
static void send_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		bytes += sent;
		len -= (size_t)sent;
	}
}

int raw_http_ask(int port, const char *method, const char *path, const char *headers,
		 const char *body)
{
	char head[2048];
	int fd = dial(port);
	int len = snprintf(head, sizeof(head),
			   "%s %s HTTP/1.1\r\n%sConnection: close\r\nContent-Length: %zu\r\n\r\n",
			   method, path, headers, strlen(body));

	if (len < 0 || (size_t)len >= sizeof(head))
		abort();
	send_all(fd, head, (size_t)len);
	send_all(fd, body, strlen(body));
	return fd;
}

struct answer raw_http_receive(int fd)
{
	struct answer answer = {.text = calloc(1, ANSWER_MAX)};
	size_t len = 0;
	ssize_t got;

	if (!answer.text)
		abort();
	while (len < ANSWER_MAX - 1 &&
	       (got = read(fd, answer.text + len, ANSWER_MAX - 1 - len)) > 0)
		len += (size_t)got;
	close(fd);
	answer.body = strstr(answer.text, "\r\n\r\n");
	if (!answer.body)
		return answer;
	answer.body += 4;
	answer.status = (int)strtol(answer.text + sizeof("HTTP/1.1"), NULL, 10);
	answer.json = json_loads(answer.body, 0, NULL);
	return answer;
}

void raw_http_done(struct answer *answer)
{
	json_decref(answer->json);
	free(answer->text);
}
