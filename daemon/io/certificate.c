/* SPDX-License-Identifier: Apache-2.0 */
#include "io/certificate.h"

#include "base/err.h"

#include <netdb.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NAME_MAX_BYTES 256

static bool end_of(const X509 *certificate, int64_t *ret_ns)
{
	struct tm tm;

	if (!ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm))
		return false;
	*ret_ns = (int64_t)timegm(&tm) * NS_PER_S;
	return true;
}

bool certificate_session_end(void *session, int64_t *ret_ns)
{
	X509 *certificate = session ? SSL_get1_peer_certificate(session) : NULL;
	bool is_known = certificate && end_of(certificate, ret_ns);

	X509_free(certificate);
	return is_known;
}

/* ---- a server's ---- */

static int connect_one(const struct addrinfo *address, int64_t timeout_ms)
{
	const struct timeval patience = {.tv_sec = timeout_ms / 1000,
					 .tv_usec = timeout_ms % 1000 * 1000};
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	/* On Linux the time to send is also connect()'s. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
	    connect(fd, address->ai_addr, address->ai_addrlen) == 0)
		return fd;
	close(fd);
	return -1;
}

static int connect_to(const char *host, long port, int64_t timeout_ms)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char service[16];
	int fd = -1;

	snprintf(service, sizeof(service), "%ld", port);
	if (getaddrinfo(host, service, &hints, &found) != 0)
		return -1;
	for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
		fd = connect_one(at, timeout_ms);
	freeaddrinfo(found);
	return fd;
}

/* OpenSSL takes the name as if it would write to it. */
static bool shake_hands(int fd, char *host, int64_t *ret_ns)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *session = context ? SSL_new(context) : NULL;
	bool is_known = session && SSL_set_fd(session, fd) == 1 &&
			SSL_set_tlsext_host_name(session, host) == 1 && SSL_connect(session) == 1 &&
			certificate_session_end(session, ret_ns);

	SSL_free(session);
	SSL_CTX_free(context);
	return is_known;
}

pa_status certificate_host_end(const char *host, long port, int64_t timeout_ms, int64_t *ret_ns,
			       pa_error *err)
{
	char name[NAME_MAX_BYTES];
	size_t len = strlen(host);
	bool has_brackets = len > 2 && host[0] == '[' && host[len - 1] == ']';
	bool is_known;
	int fd;

	snprintf(name, sizeof(name), "%.*s", (int)(has_brackets ? len - 2 : len),
		 host + has_brackets);
	fd = connect_to(name, port, timeout_ms);
	if (fd < 0)
		return error_set(err, PA_RETRY, "%s port %ld: no connection", name, port);
	is_known = shake_hands(fd, name, ret_ns);
	close(fd);
	return is_known ? PA_OK : error_set(err, PA_RETRY, "%s port %ld: no TLS there", name, port);
}
