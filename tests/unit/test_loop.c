/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/loop.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	struct loop *loop;
	struct source *source;
	int fds[2];
	int count;
	unsigned events;
	pa_error err;
};

static int setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));

	assert_int_equal(loop_new(&fx->loop, &fx->err), PA_OK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fx->fds), 0);
	*state = fx;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fx = *state;

	loop_free(fx->loop);
	close(fx->fds[0]);
	close(fx->fds[1]);
	free(fx);
	return 0;
}

static void stop(void *arg)
{
	struct fixture *fx = arg;

	loop_stop(fx->loop);
}

static void count_and_stop(void *arg)
{
	struct fixture *fx = arg;

	fx->count++;
	loop_stop(fx->loop);
}

static void raise_term(void *arg)
{
	(void)arg;
	raise(SIGTERM);
}

static void test_signal(void **state)
{
	struct fixture *fx = *state;

	assert_int_equal(loop_on_signal(fx->loop, SIGTERM, count_and_stop, fx, &fx->err), PA_OK);
	assert_int_equal(loop_add_timer(fx->loop, 1, 0, raise_term, NULL, NULL, &fx->err), PA_OK);
	assert_int_equal(loop_run(fx->loop, &fx->err), PA_OK);
	assert_int_equal(fx->count, 1);
}

static void count_to_three(void *arg)
{
	struct fixture *fx = arg;

	if (++fx->count == 3) {
		source_free(fx->source); /* within its own callback */
		fx->source = NULL;
	}
}

static void test_timer_repeats_until_freed(void **state)
{
	struct fixture *fx = *state;
	int64_t began = clock_monotonic_ns();

	assert_int_equal(loop_add_timer(fx->loop, 0, 20, count_to_three, fx, &fx->source, &fx->err),
			 PA_OK);
	assert_int_equal(loop_add_timer(fx->loop, 120, 0, stop, fx, NULL, &fx->err), PA_OK);
	assert_int_equal(loop_run(fx->loop, &fx->err), PA_OK);
	assert_int_equal(fx->count, 3);
	assert_true(clock_monotonic_ns() - began >= 120 * NS_PER_MS);
}

static void on_fd(void *arg, unsigned events)
{
	struct fixture *fx = arg;

	fx->events = events;
	fx->count++;
	loop_stop(fx->loop);
}

static void run_with_fd(struct fixture *fx, unsigned wanted)
{
	fx->events = 0;
	source_set_events(fx->source, wanted);
	assert_int_equal(loop_run(fx->loop, &fx->err), PA_OK);
}

/* A loop that was stopped does not run again: each step has its own. */
static void test_descriptor_reads(void **state)
{
	struct fixture *fx = *state;

	assert_int_equal(
		loop_add_fd(fx->loop, fx->fds[0], LOOP_READ, on_fd, fx, &fx->source, &fx->err),
		PA_OK);
	assert_int_equal(write(fx->fds[1], "x", 1), 1);
	run_with_fd(fx, LOOP_READ);
	assert_int_equal(fx->events, LOOP_READ);
}

static void test_descriptor_writes(void **state)
{
	struct fixture *fx = *state;

	assert_int_equal(
		loop_add_fd(fx->loop, fx->fds[0], LOOP_READ, on_fd, fx, &fx->source, &fx->err),
		PA_OK);
	run_with_fd(fx, LOOP_WRITE);
	assert_int_equal(fx->events, LOOP_WRITE);
}

static void test_descriptor_closed(void **state)
{
	struct fixture *fx = *state;

	assert_int_equal(
		loop_add_fd(fx->loop, fx->fds[0], LOOP_READ, on_fd, fx, &fx->source, &fx->err),
		PA_OK);
	assert_int_equal(shutdown(fx->fds[1], SHUT_RDWR), 0);
	run_with_fd(fx, LOOP_READ);
	assert_true(fx->events & LOOP_CLOSED);
}

static void test_bad_descriptor(void **state)
{
	struct fixture *fx = *state;

	assert_int_equal(loop_add_fd(fx->loop, 9999, LOOP_READ, on_fd, fx, &fx->source, &fx->err),
			 PA_BUG);
	assert_null(fx->source);
	assert_string_equal(error_text(&fx->err), "descriptor: Bad file descriptor");
}

/* What systemd would read. */
static void heard(int fd, char *text, size_t room)
{
	ssize_t n = recv(fd, text, room - 1, MSG_DONTWAIT);

	assert_true(n >= 0);
	text[n] = '\0';
}

static void test_notify(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(sa_family_t);
	char name[sizeof(address.sun_path) + 1], text[512];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	/* The kernel chooses an abstract name. */
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, size), 0);
	size = sizeof(address);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	snprintf(name, sizeof(name), "@%.*s", (int)(size - sizeof(sa_family_t) - 1),
		 address.sun_path + 1);
	setenv("NOTIFY_SOCKET", name, 1);
	notify_ready();
	heard(fd, text, sizeof(text));
	assert_string_equal(text, "READY=1");
	notify_reloading();
	heard(fd, text, sizeof(text));
	assert_memory_equal(text, "RELOADING=1\nMONOTONIC_USEC=", 27);
	assert_true(strtoll(text + 27, NULL, 10) <= clock_monotonic_ns() / 1000);
	notify_status("%d conversaciones", 3);
	heard(fd, text, sizeof(text));
	assert_string_equal(text, "STATUS=3 conversaciones");
	notify_stopping();
	heard(fd, text, sizeof(text));
	assert_string_equal(text, "STOPPING=1");
	notify_watchdog();
	heard(fd, text, sizeof(text));
	assert_string_equal(text, "WATCHDOG=1");
	unsetenv("NOTIFY_SOCKET");
	close(fd);
}

/* systemd passes descriptors from 3 on: in a child, which has those to itself. */
static int passed_fd(int fd, bool is_stream)
{
	char pid[32];

	dup2(fd, 3);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	return notify_listen_fd() == (is_stream ? 3 : -1) ? 0 : 1;
}

static void test_listen_fd(void **state)
{
	(void)state;
	assert_int_equal(notify_listen_fd(), -1);
	for (int is_stream = 0; is_stream < 2; is_stream++) {
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		int fd = socket(AF_UNIX, is_stream ? SOCK_STREAM : SOCK_DGRAM, 0);
		int status;
		pid_t child;

		assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(sa_family_t)),
				 0);
		if (is_stream)
			assert_int_equal(listen(fd, 1), 0);
		child = fork();
		if (child == 0)
			_exit(passed_fd(fd, is_stream));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		close(fd);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		TEST(test_signal),
		TEST(test_timer_repeats_until_freed),
		TEST(test_descriptor_reads),
		TEST(test_descriptor_writes),
		TEST(test_descriptor_closed),
		TEST(test_bad_descriptor),
		TEST(test_notify),
		TEST(test_listen_fd),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
