/* SPDX-License-Identifier: Apache-2.0
 *
 * io/http_client over TLS: whom it trusts, and that a request never leaves before it does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "certificate.h"
#include "net.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

/* Serves one connection after the other until its listener is shut down. */
struct tls_peer {
	SSL_CTX *context;
	char certificate[64]; /* a file with it, in PEM */
	int fd;
	uint16_t port;
	unsigned requests;
	pthread_t thread;
};

static void write_certificate(struct tls_peer *peer, X509 *certificate)
{
	int fd;
	FILE *file;

	snprintf(peer->certificate, sizeof(peer->certificate), "/tmp/test_http_tls.XXXXXX");
	fd = mkstemp(peer->certificate);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_int_equal(PEM_write_X509(file, certificate), 1);
	fclose(file);
}

static void serve(struct tls_peer *peer, SSL *ssl)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	char request[4096];

	if (SSL_accept(ssl) != 1 || SSL_read(ssl, request, sizeof(request)) <= 0)
		return;
	peer->requests++;
	SSL_write(ssl, answer, sizeof(answer) - 1);
	SSL_shutdown(ssl);
}

static void *run_peer(void *arg)
{
	struct tls_peer *peer = arg;
	int fd;

	while ((fd = accept(peer->fd, NULL, NULL)) >= 0) {
		SSL *ssl = SSL_new(peer->context);

		SSL_set_fd(ssl, fd);
		serve(peer, ssl);
		SSL_free(ssl);
		close(fd);
	}
	return NULL;
}

static void peer_start(struct tls_peer *peer, const char *host)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = self_signed(key, host, 3600);
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	*peer = (struct tls_peer){.context = SSL_CTX_new(TLS_server_method())};
	assert_int_equal(SSL_CTX_use_certificate(peer->context, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(peer->context, key), 1);
	write_certificate(peer, certificate);
	X509_free(certificate);
	EVP_PKEY_free(key);
	peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(peer->fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(peer->fd, 10), 0);
	assert_int_equal(getsockname(peer->fd, (struct sockaddr *)&address, &size), 0);
	peer->port = ntohs(address.sin_port);
	pthread_create(&peer->thread, NULL, run_peer, peer);
}

static void peer_stop(struct tls_peer *peer)
{
	shutdown(peer->fd, SHUT_RDWR);
	pthread_join(peer->thread, NULL);
	close(peer->fd);
	unlink(peer->certificate);
	SSL_CTX_free(peer->context);
}

/* Posts to https://localhost: the status, and what kind of failure if there was one. */
static pa_status post_to(const struct tls_peer *peer, const char *ca_file, uint32_t *ret_failure)
{
	struct http_client *client = client_start((struct http_client_options){.ca_file = ca_file});
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);
	pa_http_request request = request_of(
		"POST", arena_format(arena, "https://localhost:%u/x", (unsigned)peer->port),
		PA_STR("hello"));
	pa_http_response response;
	pa_error err = ERROR_INIT;
	pa_status status =
		http_client_call(client, &request, 5000, arena, &response, ret_failure, &err);

	if (status == PA_OK)
		assert_true(str_equal(response.body, PA_STR("ok")));
	http_client_free(client);
	return status;
}

static void test_trusted(void **state)
{
	struct tls_peer peer;
	uint32_t failure = 0;

	(void)state;
	peer_start(&peer, "localhost");
	assert_int_equal(post_to(&peer, peer.certificate, &failure), PA_OK);
	peer_stop(&peer);
	assert_int_equal(peer.requests, 1);
}

static void test_unknown_authority(void **state)
{
	struct tls_peer peer;
	uint32_t failure = 0;

	(void)state;
	peer_start(&peer, "localhost");
	assert_int_equal(post_to(&peer, NULL, &failure), PA_RETRY);
	assert_int_equal(failure, PA_HTTP_FAILED_BEFORE_SEND);
	peer_stop(&peer);
	assert_int_equal(peer.requests, 0);
}

static void test_wrong_name(void **state)
{
	struct tls_peer peer;
	uint32_t failure = 0;

	(void)state;
	peer_start(&peer, "elsewhere.example");
	assert_int_equal(post_to(&peer, peer.certificate, &failure), PA_RETRY);
	assert_int_equal(failure, PA_HTTP_FAILED_BEFORE_SEND);
	peer_stop(&peer);
	assert_int_equal(peer.requests, 0);
}

/* The environment's proxy is not ours. */
static void test_no_proxy_from_the_environment(void **state)
{
	struct tls_peer peer;
	uint32_t failure = 0;

	(void)state;
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	setenv("no_proxy", "", 1);
	peer_start(&peer, "localhost");
	assert_int_equal(post_to(&peer, peer.certificate, &failure), PA_OK);
	peer_stop(&peer);
	unsetenv("https_proxy");
	unsetenv("ALL_PROXY");
	unsetenv("no_proxy");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trusted),
		cmocka_unit_test(test_unknown_authority),
		cmocka_unit_test(test_wrong_name),
		cmocka_unit_test(test_no_proxy_from_the_environment),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
