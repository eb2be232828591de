/* SPDX-License-Identifier: Apache-2.0 */
#include "io/listen.h"

#include "base/buf.h"
#include "base/err.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024

static pa_status bind_socket(int fd, const struct addrinfo *where)
{
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (where->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, where->ai_addr, where->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
		return PA_RETRY;
	return PA_OK;
}

pa_status listen_open(const char *address, uint16_t port, int *ret, pa_error *err)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE,
				 .ai_socktype = SOCK_STREAM};
	struct addrinfo *where = NULL;
	struct buf service PA_CLEANUP(buf_done) = BUF_INIT(16);
	int fd, failure;

	buf_format(&service, "%u", (unsigned)port);
	buf_add_byte(&service, 0);
	if (getaddrinfo(address, service.data, &hints, &where) != 0)
		return error_set(err, PA_REJECTED, "'%s' is not an IP address", address);
	fd = socket(where->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind_socket(fd, where) == PA_OK) {
		freeaddrinfo(where);
		*ret = fd;
		return PA_OK;
	}
	failure = errno;
	freeaddrinfo(where);
	if (fd >= 0)
		close(fd);
	return error_set(err, PA_RETRY, "cannot listen on %s port %u: %s", address, (unsigned)port,
			 strerror(failure));
}

uint16_t listen_port(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return 0;
	if (address.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)&address)->sin_port);
	if (address.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&address)->sin6_port);
	return 0;
}
