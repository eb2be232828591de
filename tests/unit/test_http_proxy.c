/* SPDX-License-Identifier: Apache-2.0
 *
 * io/http_client by way of a proxy: what the proxy is told, and that nothing of the request leaves
 * when it refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#define WANTS_LOGIN                                                                                \
	"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"

/* Answers every request with the same, and keeps what it heard. */
struct proxy {
	const char *answer;
	struct buf heard;
	int fd;
	uint16_t port;
	pthread_t thread;
};

static void *run_proxy(void *arg)
{
	struct proxy *proxy = arg;
	int fd;

	while ((fd = accept(proxy->fd, NULL, NULL)) >= 0) {
		struct buf request PA_CLEANUP(buf_done) = BUF_INIT(1 << 16);

		while (net_read_until(fd, &request, PA_STR("\r\n\r\n"), 3000)) {
			buf_add(&proxy->heard, buf_str(&request));
			buf_clear(&request);
			net_send(fd, str_from(proxy->answer));
		}
		close(fd);
	}
	return NULL;
}

static void proxy_start(struct proxy *proxy, const char *answer)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	*proxy = (struct proxy){.answer = answer, .heard = BUF_INIT(1 << 16)};
	proxy->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(proxy->fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(proxy->fd, 10), 0);
	assert_int_equal(getsockname(proxy->fd, (struct sockaddr *)&address, &size), 0);
	proxy->port = ntohs(address.sin_port);
	pthread_create(&proxy->thread, NULL, run_proxy, proxy);
}

static void proxy_stop(struct proxy *proxy)
{
	shutdown(proxy->fd, SHUT_RDWR);
	pthread_join(proxy->thread, NULL);
	close(proxy->fd);
}

struct reason {
	char text[256];
	uint32_t failure;
	atomic_bool is_there;
};

static void keep_reason(void *arg, const struct http_result *result)
{
	struct reason *reason = arg;

	strncpy(reason->text, result->reason ? result->reason : "", sizeof(reason->text) - 1);
	reason->failure = result->failure;
	atomic_store(&reason->is_there, true);
}

/* Posts something secret to https://core.example by way of the proxy. */
static void post_by(const struct proxy *proxy, const char *login, struct reason *ret)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);
	struct http_client *client = client_start((struct http_client_options){
		.proxy = arena_format(arena, "http://127.0.0.1:%u", (unsigned)proxy->port).ptr,
		.proxy_login = login});
	pa_http_request request =
		request_of("POST", PA_STR("https://core.example/path?token=t"), PA_STR("secret"));
	pa_error err = ERROR_INIT;

	*ret = (struct reason){.failure = 0};
	assert_int_equal(http_client_start(client, &request, 5000, keep_reason, ret, &err), PA_OK);
	while (!atomic_load(&ret->is_there))
		sleep_ms(2);
	http_client_free(client);
}

/* Any character may stand in it; the proxy alone hears it, and only when it asks. */
static void test_login(void **state)
{
	struct proxy proxy;
	struct reason reason;
	pa_str heard, first;

	(void)state;
	proxy_start(&proxy, WANTS_LOGIN);
	post_by(&proxy, "banco:cl%41 :ve", &reason);
	proxy_stop(&proxy);
	heard = buf_str(&proxy.heard);
	first = str_slice(heard, 0, str_find(heard, PA_STR("\r\n\r\n")));
	assert_int_equal(str_find(heard, PA_STR("CONNECT core.example:443 HTTP/1.1\r\n")), 0);
	assert_true(str_find(first, PA_STR("Authorization")) == SIZE_MAX);
	assert_true(
		str_find(heard, PA_STR("Proxy-Authorization: Basic YmFuY286Y2wlNDEgOnZl\r\n")) !=
		SIZE_MAX);
	assert_true(str_find(heard, PA_STR("secret")) == SIZE_MAX);
	assert_true(str_find(heard, PA_STR("token")) == SIZE_MAX);
	assert_int_equal(reason.failure, PA_HTTP_FAILED_BEFORE_SEND);
	assert_string_equal(reason.text, "the proxy refuses with 407 (see outbound.proxy_login)");
	buf_done(&proxy.heard);
}

static void test_refusal(void **state)
{
	struct proxy proxy;
	struct reason reason;

	(void)state;
	proxy_start(&proxy, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
	post_by(&proxy, NULL, &reason);
	proxy_stop(&proxy);
	assert_true(str_find(buf_str(&proxy.heard), PA_STR("Authorization")) == SIZE_MAX);
	assert_int_equal(reason.failure, PA_HTTP_FAILED_BEFORE_SEND);
	assert_string_equal(reason.text, "the proxy refuses with 403");
	buf_done(&proxy.heard);
}

/* The loopback is never asked for by way of it. */
static void test_loopback(void **state)
{
	struct http_client *client = client_start((struct http_client_options){
		.proxy = "http://127.0.0.1:1", .no_proxy = "core.example"});
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(1 << 20);
	struct proxy peer;
	pa_http_request request;
	pa_http_response response;
	uint32_t failure = 0;
	pa_error err = ERROR_INIT;

	(void)state;
	proxy_start(&peer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	request = request_of("GET", url_of(arena, peer.port, "/"), PA_STR_ABSENT);
	assert_int_equal(http_client_call(client, &request, 5000, arena, &response, &failure, &err),
			 PA_OK);
	http_client_free(client);
	proxy_stop(&peer);
	assert_int_equal(str_find(buf_str(&peer.heard), PA_STR("GET / HTTP/1.1")), 0);
	buf_done(&peer.heard);
}

static void test_what_a_proxy_may_be(void **state)
{
	static const char *const good[] = {"http://10.0.0.1:3128", "https://proxy.example:443/",
					   "socks5h://proxy.example:1080", "socks5://[::1]:1080"};
	static const char *const bad[] = {"",
					  "proxy.example:3128",
					  "http://proxy.example",
					  "ftp://proxy.example:21",
					  "http://user@proxy.example:3128",
					  "http://u:p@proxy.example:3128",
					  "http://proxy.example:3128/path",
					  "http://proxy.example:3128/?q",
					  "http://:3128"};
	pa_error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(good); i++)
		assert_int_equal(http_proxy_check(good[i], &err), PA_OK);
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		if (http_proxy_check(bad[i], &err) != PA_REJECTED)
			fail_msg("\"%s\" was taken", bad[i]);
}

static void test_authorities_out_of_reach(void **state)
{
	struct http_client *client = NULL;
	pa_error err = ERROR_INIT;

	(void)state;
	assert_int_equal(http_client_new(&(struct http_client_options){.ca_file = "/nowhere.pem"},
					 &client, &err),
			 PA_REJECTED);
	assert_string_equal(error_text(&err), "/nowhere.pem: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_what_a_proxy_may_be),
		cmocka_unit_test(test_authorities_out_of_reach),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
