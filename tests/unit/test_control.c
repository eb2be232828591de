/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/str.h"
#include "commands.h"
#include "edge/control.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ADMIN_GROUP "daemon"
#define VIEW_GROUP "mail"
#define SHORT_WAIT_MS 200

struct fixture {
	struct loop *loop;
	struct control *control;
	pthread_t thread;
	char dir[64];
	char path[96];
	int stop[2]; /* a byte in it ends the loop, whatever the places are taken by */
	_Atomic int calls;
	_Atomic bool may_go_on; /* the command that is slow */
};

static pa_status on_echo(void *arg, const struct json *request, struct json *reply, pa_error *err)
{
	struct fixture *fx = arg;
	pa_str text;

	fx->calls++;
	if (!json_get_text(request, "text", &text))
		return error_set(err, PA_REJECTED, "echo wants \"text\"");
	json_set_text(reply, "text", text);
	return PA_OK;
}

static pa_status on_much(void *arg, const struct json *request, struct json *reply, pa_error *err)
{
	static char text[900000];

	(void)arg;
	(void)request;
	(void)err;
	memset(text, 'x', sizeof(text));
	json_set_text(reply, "text", (pa_str){text, sizeof(text)});
	return PA_OK;
}

static pa_status on_who(void *arg, const struct json *request, struct json *reply, pa_error *err)
{
	int64_t uid = -1;

	(void)arg;
	if (!json_get_integer(request, "uid", &uid))
		return error_set(err, PA_BUG, "nobody asks");
	json_set_integer(reply, "uid", uid);
	return PA_OK;
}

static void on_stop(void *arg, unsigned events)
{
	const struct fixture *fx = arg;

	(void)events;
	loop_stop(fx->loop);
}

/* As one that asks the store: until the test lets it go on. */
static pa_status on_slow(void *arg, const struct json *request, struct json *reply, pa_error *err)
{
	struct fixture *fx = arg;

	while (!atomic_load(&fx->may_go_on))
		usleep(1000);
	return on_echo(fx, request, reply, err);
}

static const struct control_command commands[] = {
	{"echo", on_echo, CONTROL_VIEW, false},
	{"much", on_much, CONTROL_ADMIN, false},
	{"who", on_who, CONTROL_ADMIN, false},
	{"slow", on_slow, CONTROL_ADMIN, true},
};

static pa_status open_control(struct fixture *fx, struct control **ret, pa_error *err)
{
	struct control_options options = {
		.loop = fx->loop,
		.path = fx->path,
		.view_group = VIEW_GROUP,
		.admin_group = ADMIN_GROUP,
		.commands = commands,
		.commands_count = ARRAY_COUNT(commands),
		.arg = fx,
	};

	return control_new(&options, ret, err);
}

static void *run(void *arg)
{
	struct fixture *fx = arg;

	return loop_run(fx->loop, NULL) == PA_OK ? NULL : fx;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, strlen(path) + 1);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void put(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* One line, or what there is until the other side closes. */
static size_t get(int fd, char *line, size_t room)
{
	size_t len = 0;

	while (len + 1 < room && recv(fd, line + len, 1, 0) == 1)
		if (line[len++] == '\n')
			break;
	line[len] = '\0';
	return len;
}

static void expect(int fd, const char *answer)
{
	char line[4096];

	get(fd, line, sizeof(line));
	assert_string_equal(line, answer);
}

static int setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));
	pa_error err = ERROR_INIT;

	snprintf(fx->dir, sizeof(fx->dir), "/tmp/control.XXXXXX");
	assert_non_null(mkdtemp(fx->dir));
	assert_int_equal(chmod(fx->dir, 0755), 0);
	snprintf(fx->path, sizeof(fx->path), "%s/socket", fx->dir);
	assert_int_equal(loop_new(&fx->loop, &err), PA_OK);
	if (open_control(fx, &fx->control, &err) != PA_OK)
		fail_msg("%s", error_text(&err));
	assert_int_equal(pipe(fx->stop), 0);
	assert_int_equal(loop_add_fd(fx->loop, fx->stop[0], LOOP_READ, on_stop, fx, NULL, &err),
			 PA_OK);
	assert_int_equal(pthread_create(&fx->thread, NULL, run, fx), 0);
	*state = fx;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fx = *state;
	void *failed;

	assert_int_equal(write(fx->stop[1], "x", 1), 1);
	assert_int_equal(pthread_join(fx->thread, &failed), 0);
	assert_null(failed);
	close(fx->stop[0]);
	close(fx->stop[1]);
	control_free(fx->control);
	assert_int_equal(access(fx->path, F_OK), -1); /* it took its socket away */
	loop_free(fx->loop);
	assert_int_equal(rmdir(fx->dir), 0);
	free(fx);
	return 0;
}

static void test_request_and_answer(void **state)
{
	struct fixture *fx = *state;
	int fd = connect_to(fx->path);

	put(fd, "{\"command\":\"echo\",\"text\":\"hola\"}\n");
	expect(fd, "{\"ok\":true,\"text\":\"hola\"}\n");
	/* two at once, and one in pieces */
	put(fd,
	    "{\"command\":\"echo\",\"text\":\"1\"}\n{\"command\":\"echo\",\"text\":\"2\"}\n{\"com");
	expect(fd, "{\"ok\":true,\"text\":\"1\"}\n");
	expect(fd, "{\"ok\":true,\"text\":\"2\"}\n");
	put(fd, "mand\":\"echo\",\"text\":\"3\"}\n");
	expect(fd, "{\"ok\":true,\"text\":\"3\"}\n");
	assert_int_equal(fx->calls, 4);
	close(fd);
}

/* A command learns from the kernel who asks, whatever he says himself. */
static void test_who_asks(void **state)
{
	struct fixture *fx = *state;
	int fd = connect_to(fx->path);
	char want[80];

	snprintf(want, sizeof(want), "{\"ok\":true,\"uid\":%lld}\n", (long long)getuid());
	put(fd, "{\"command\":\"who\"}\n");
	expect(fd, want);
	put(fd, "{\"uid\":12345,\"command\":\"who\"}\n");
	expect(fd, want);
	close(fd);
}

static void test_refusals(void **state)
{
	struct fixture *fx = *state;
	int fd = connect_to(fx->path);

	put(fd, "{\"command\":\"echo\"}\n");
	expect(fd, "{\"ok\":false,\"error\":\"echo wants \\\"text\\\"\"}\n");
	put(fd, "{\"command\":\"nothing\"}\n");
	expect(fd, "{\"ok\":false,\"error\":\"unknown command\"}\n");
	put(fd, "[1]\n");
	expect(fd, "{\"ok\":false,\"error\":\"a request is an object with \\\"command\\\"\"}\n");
	put(fd, "hola\n");
	expect(fd, "{\"ok\":false,\"error\":\"not JSON, line 1, column 4\"}\n");
	put(fd, "\n");
	expect(fd, "{\"ok\":false,\"error\":\"not JSON, line 1, column 0\"}\n");
	close(fd);
}

static void test_endless_line(void **state)
{
	struct fixture *fx = *state;
	int fd = connect_to(fx->path);
	static char bytes[16384];

	memset(bytes, 'x', sizeof(bytes));
	assert_true(send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0);
	expect(fd, "{\"ok\":false,\"error\":\"the line is too long\"}\n");
	assert_int_equal(get(fd, bytes, sizeof(bytes)), 0); /* and it hung up */
	close(fd);
}

/* Who asks for much and does not read does not stop the others. */
static void test_slow_reader(void **state)
{
	struct fixture *fx = *state;
	int slow = connect_to(fx->path), quick = connect_to(fx->path);
	static char line[1000000];

	put(slow, "{\"command\":\"much\"}\n");
	put(quick, "{\"command\":\"echo\",\"text\":\"x\"}\n");
	expect(quick, "{\"ok\":true,\"text\":\"x\"}\n");
	assert_int_equal(get(slow, line, sizeof(line)),
			 900000 + strlen("{\"ok\":true,\"text\":\"\"}\n"));
	close(slow);
	close(quick);
}

static void test_answer_too_long(void **state)
{
	struct fixture *fx = *state;
	int fd = connect_to(fx->path);

	put(fd, "{\"command\":\"much\"}\n{\"command\":\"much\"}\n");
	expect(fd, "{\"ok\":false,\"error\":\"the answer is too long\"}\n");
	close(fd);
}

static bool hangs_up(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	char byte;

	return poll(&poll_fd, 1, SHORT_WAIT_MS) == 1 && recv(fd, &byte, 1, MSG_DONTWAIT) <= 0;
}

static void test_too_many(void **state)
{
	struct fixture *fx = *state;
	int fds[17];

	for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
		fds[i] = connect_to(fx->path);
		assert_true(fds[i] >= 0);
	}
	assert_true(hangs_up(fds[16]));
	for (size_t i = 0; i < ARRAY_COUNT(fds); i++)
		close(fds[i]);
}

/* What waits for the store holds up nobody else, and its own connection's next request waits. */
static void test_slow_command(void **state)
{
	struct fixture *fx = *state;
	int slow = connect_to(fx->path), quick = connect_to(fx->path);

	put(slow, "{\"command\":\"slow\",\"text\":\"1\"}\n{\"command\":\"echo\",\"text\":\"2\"}\n");
	put(quick, "{\"command\":\"echo\",\"text\":\"x\"}\n");
	expect(quick, "{\"ok\":true,\"text\":\"x\"}\n");
	assert_false(hangs_up(slow));
	assert_int_equal(fx->calls, 1);
	atomic_store(&fx->may_go_on, true);
	expect(slow, "{\"ok\":true,\"text\":\"1\"}\n");
	expect(slow, "{\"ok\":true,\"text\":\"2\"}\n");
	put(slow, "{\"command\":\"slow\"}\n");
	expect(slow, "{\"ok\":false,\"error\":\"echo wants \\\"text\\\"\"}\n");
	close(slow);
	close(quick);
}

/* Who asks and goes away is not answered, and nothing breaks; too many at a time are told so. */
static void test_slow_commands_whose_askers_go(void **state)
{
	static const char request[] = "{\"command\":\"slow\",\"text\":\"1\"}\n";
	struct fixture *fx = *state;
	int fds[5];

	for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
		fds[i] = connect_to(fx->path);
		put(fds[i], request);
		if (i == 4)
			expect(fds[i], "{\"ok\":false,\"error\":\"the service is busy with other "
				       "operators; try again\"}\n");
	}
	close(fds[0]);
	shutdown(fds[1], SHUT_WR); /* he still listens */
	atomic_store(&fx->may_go_on, true);
	expect(fds[1], "{\"ok\":true,\"text\":\"1\"}\n");
	expect(fds[2], "{\"ok\":true,\"text\":\"1\"}\n");
	for (size_t i = 1; i < ARRAY_COUNT(fds); i++)
		close(fds[i]);
}

static void test_mode(void **state)
{
	struct fixture *fx = *state;
	struct stat st;

	assert_int_equal(stat(fx->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0666);
}

enum answer { HUNG_UP, LOOKS_ONLY, EVERYTHING, NO_SOCKET, NOBODY, ODD };

/* As somebody else: what he may. */
static enum answer ask_as(const struct fixture *fx, gid_t gid, gid_t extra)
{
	char line[256];
	int fd;

	if (setgroups(extra ? 1 : 0, &extra) < 0 || setgid(gid) < 0 || setuid(65534) < 0)
		return NOBODY;
	fd = connect_to(fx->path);
	if (fd < 0)
		return NO_SOCKET;
	if (hangs_up(fd))
		return HUNG_UP;
	put(fd, "{\"command\":\"echo\",\"text\":\"x\"}\n");
	get(fd, line, sizeof(line));
	if (strcmp(line, "{\"ok\":true,\"text\":\"x\"}\n") != 0)
		return ODD;
	put(fd, "{\"command\":\"who\"}\n");
	get(fd, line, sizeof(line));
	if (strcmp(line, "{\"ok\":true,\"uid\":65534}\n") == 0)
		return EVERYTHING;
	return strstr(line, "only root and the group of the administrators") ? LOOKS_ONLY : ODD;
}

static void test_who_may(void **state)
{
	struct fixture *fx = *state;
	gid_t admin = getgrnam(ADMIN_GROUP)->gr_gid, view = getgrnam(VIEW_GROUP)->gr_gid;
	const struct {
		gid_t gid, extra;
		enum answer answer;
	} cases[] = {{65534, 0, HUNG_UP},        {65534, 12345, HUNG_UP}, {admin, 0, EVERYTHING},
		     {65534, admin, EVERYTHING}, {view, 0, LOOKS_ONLY},   {65534, view, LOOKS_ONLY},
		     {view, admin, EVERYTHING}};

	if (geteuid() != 0)
		skip(); /* only root can become somebody else */
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		pid_t child = fork();
		int status;

		if (child == 0)
			_exit((int)ask_as(fx, cases[i].gid, cases[i].extra));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), cases[i].answer);
	}
}

/* The daemon's own table: who may do what. */
static void test_rights_of_the_daemon(void **state)
{
	static const char *const looks[] = {"status",         "queues",       "outbox-list",
					    "set-aside-list", "drain-status", "retention"};
	size_t count, found = 0;
	const struct control_command *table = commands_table(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		bool is_look = false;

		for (size_t j = 0; j < ARRAY_COUNT(looks); j++)
			is_look |= strcmp(table[i].name, looks[j]) == 0;
		found += is_look;
		if (table[i].right != (is_look ? CONTROL_VIEW : CONTROL_ADMIN))
			fail_msg("%s", table[i].name);
	}
	assert_int_equal(found, ARRAY_COUNT(looks));
}

static void test_one_daemon_a_socket(void **state)
{
	struct fixture *fx = *state;
	struct control *other = NULL;
	pa_error err = ERROR_INIT;

	assert_int_equal(open_control(fx, &other, &err), PA_RETRY);
	assert_null(other);
	assert_non_null(strstr(error_text(&err), "another daemon listens there"));
}

/* Left behind by a daemon that was killed. */
static void test_stale_socket(void **state)
{
	struct fixture fx = {.calls = 0};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pa_error err = ERROR_INIT;

	(void)state;
	snprintf(fx.path, sizeof(fx.path), "/tmp/control-stale.%d", (int)getpid());
	memcpy(address.sun_path, fx.path, strlen(fx.path) + 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(loop_new(&fx.loop, &err), PA_OK);
	assert_int_equal(open_control(&fx, &fx.control, &err), PA_OK);
	control_free(fx.control);
	loop_free(fx.loop);
}

static void test_bad_path(void **state)
{
	struct fixture fx = {.path = "/nonexistent/socket"};
	struct control *control = NULL;
	pa_error err = ERROR_INIT;

	(void)state;
	assert_int_equal(loop_new(&fx.loop, &err), PA_OK);
	assert_int_equal(open_control(&fx, &control, &err), PA_RETRY);
	assert_string_equal(error_text(&err), "/nonexistent/socket: No such file or directory");
	loop_free(fx.loop);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		TEST(test_request_and_answer),
		TEST(test_who_asks),
		TEST(test_refusals),
		TEST(test_endless_line),
		TEST(test_slow_reader),
		TEST(test_answer_too_long),
		TEST(test_too_many),
		TEST(test_slow_command),
		TEST(test_slow_commands_whose_askers_go),
		TEST(test_mode),
		TEST(test_who_may),
		TEST(test_one_daemon_a_socket),
		cmocka_unit_test(test_rights_of_the_daemon),
		cmocka_unit_test(test_stale_socket),
		cmocka_unit_test(test_bad_path),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
