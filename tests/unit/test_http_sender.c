/* SPDX-License-Identifier: Apache-2.0
 *
 * io/address and io/http_sender: who is asking, and whether he may go on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"
#include "io/http_sender.h"

#include <arpa/inet.h>
#include <string.h>

static struct address of(const char *text)
{
	struct address address;

	assert_true(address_parse(str_from(text), &address));
	return address;
}

static bool equals(const struct address *a, const char *text)
{
	struct address b = of(text);

	return memcmp(a, &b, sizeof(b)) == 0;
}

static struct networks parsed(const char *text)
{
	struct networks networks;
	pa_error err = ERROR_INIT;

	assert_int_equal(networks_parse(text, &networks, &err), PA_OK);
	return networks;
}

static void test_networks(void **state)
{
	static const struct {
		const char *networks, *address;
		bool is_in;
	} cases[] = {
		{"10.0.0.0/8", "10.255.0.1", true},
		{"10.0.0.0/8", "11.0.0.1", false},
		{"10.1.2.3", "10.1.2.3", true},
		{"10.1.2.3", "10.1.2.4", false},
		{"192.0.2.128/25", "192.0.2.127", false},
		{"192.0.2.200/25", "192.0.2.128", true},
		{"0.0.0.0/0", "203.0.113.9", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
		{" 127.0.0.1 , ::1 ", "::1", true},
		{"", "::1", false},
		{NULL, "127.0.0.1", false},
	};
	static const char *const bad[] = {
		"x",       ",",         "10.0.0.0/33",  "10.0.0.0/-1",      "10.0.0/8",
		"::1/129", "10.0.0.1,", "10.0.0.0/8/8", "10.0.0.1 10.0.0.2"};
	pa_error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct networks networks = parsed(cases[i].networks);
		struct address address = of(cases[i].address);

		if (networks_have(&networks, &address) != cases[i].is_in)
			fail_msg("%s in %s", cases[i].address, cases[i].networks);
	}
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		struct networks networks;

		if (networks_parse(bad[i], &networks, &err) != PA_REJECTED)
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

/* Who asks, when this peer brings this header; NULL: nobody who could be limited. */
static void expect_sender(struct http_senders *senders, const char *peer, const char *forwarded,
			  const char *sender)
{
	struct sockaddr_in socket = {.sin_family = AF_INET};
	struct address address;
	bool is_found;

	assert_int_equal(inet_pton(AF_INET, peer, &socket.sin_addr), 1);
	is_found = http_sender_find(senders, (const struct sockaddr *)&socket, str_from(forwarded),
				    &address);
	if (is_found != (sender != NULL) || (sender && !equals(&address, sender)))
		fail_msg("%s with %s", peer, forwarded ? forwarded : "nothing");
}

static void test_who_asks(void **state)
{
	struct networks trusted = parsed("127.0.0.1, 10.0.0.0/8");
	struct http_senders *senders = http_senders_new(&trusted, 5);
	struct http_senders *believer_of_none = http_senders_new(NULL, 5);
	struct sockaddr_in6 socket = {.sin6_family = AF_INET6};
	struct address address;

	(void)state;
	expect_sender(senders, "203.0.113.1", NULL, "203.0.113.1");
	expect_sender(senders, "127.0.0.1", "198.51.100.1", "198.51.100.1");
	expect_sender(senders, "127.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1");
	expect_sender(senders, "127.0.0.1", "1.1.1.1, 198.51.100.1 , 10.2.3.4", "198.51.100.1");
	expect_sender(senders, "10.0.0.9", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::");
	expect_sender(senders, "127.0.0.1", NULL, NULL);
	expect_sender(senders, "127.0.0.1", "", NULL);
	expect_sender(senders, "127.0.0.1", "10.1.1.1", NULL);
	expect_sender(senders, "127.0.0.1", "198.51.100.1, unknown", NULL);
	expect_sender(senders, "127.0.0.1", "127.0.0.2", NULL);
	assert_false(http_senders_met_proxy(senders));
	expect_sender(senders, "203.0.113.1", "198.51.100.1", NULL);
	assert_true(http_senders_met_proxy(senders));
	expect_sender(believer_of_none, "10.0.0.9", NULL, "10.0.0.9");
	assert_false(http_senders_met_proxy(believer_of_none));
	expect_sender(believer_of_none, "10.0.0.9", "198.51.100.1", NULL);
	assert_true(http_senders_met_proxy(believer_of_none));
	assert_int_equal(inet_pton(AF_INET6, "::ffff:203.0.113.1", &socket.sin6_addr), 1);
	assert_true(http_sender_find(senders, (const struct sockaddr *)&socket, PA_STR_ABSENT,
				     &address));
	assert_true(equals(&address, "203.0.113.1"));
	http_senders_free(senders);
	http_senders_free(believer_of_none);
}

static void send_bad(struct http_senders *senders, const struct address *sender, unsigned count,
		     int64_t now_ns)
{
	while (count--)
		http_sender_note(senders, sender, true, 403, now_ns);
}

static void test_limit(void **state)
{
	struct http_senders *senders = http_senders_new(NULL, 6);
	struct address bad = of("203.0.113.1"), other = of("203.0.113.2");
	int64_t now = 1000 * NS_PER_S;

	(void)state;
	send_bad(senders, &bad, 5, now);
	assert_true(http_sender_may(senders, &bad, now));
	for (unsigned i = 0; i < 50; i++) { /* neither harm nor help */
		http_sender_note(senders, &bad, false, 200, now);
		http_sender_note(senders, &bad, true, 503, now);
		http_sender_note(senders, &bad, true, 429, now);
	}
	assert_true(http_sender_may(senders, &bad, now));
	send_bad(senders, &bad, 1, now);
	assert_false(http_sender_may(senders, &bad, now));
	assert_true(http_sender_may(senders, &other, now));
	assert_false(http_sender_may(senders, &bad, now + 1));
	/* One is forgiven every ten seconds. */
	now += 10 * NS_PER_S + 1;
	assert_true(http_sender_may(senders, &bad, now));
	send_bad(senders, &bad, 1, now);
	assert_false(http_sender_may(senders, &bad, now));
	http_senders_free(senders);
}

static void test_good_senders(void **state)
{
	struct http_senders *senders = http_senders_new(NULL, 6);
	struct address sender = of("203.0.113.1");
	int64_t now = 1000 * NS_PER_S, hour = 3600 * NS_PER_S;

	(void)state;
	http_sender_note(senders, &sender, true, 200, now);
	send_bad(senders, &sender, 1000, now + hour / 2);
	assert_true(http_sender_may(senders, &sender, now + hour - 1));
	assert_false(http_sender_may(senders, &sender, now + hour));
	http_senders_free(senders);
}

/* However many come, what is remembered is bounded, and the last ones are. */
static void test_many(void **state)
{
	struct http_senders *senders = http_senders_new(NULL, 1);
	struct address sender = of("203.0.113.0");
	int64_t now = NS_PER_S;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		memcpy(sender.bytes + 12, &i, sizeof(i));
		send_bad(senders, &sender, 1, ++now);
		assert_false(http_sender_may(senders, &sender, now));
	}
	http_senders_free(senders);
}

static void test_no_limit(void **state)
{
	struct http_senders *senders = http_senders_new(NULL, 0);

	(void)state;
	expect_sender(senders, "203.0.113.1", NULL, NULL);
	http_senders_free(senders);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networks), cmocka_unit_test(test_who_asks),
		cmocka_unit_test(test_limit),    cmocka_unit_test(test_good_senders),
		cmocka_unit_test(test_many),     cmocka_unit_test(test_no_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
