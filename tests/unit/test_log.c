/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/log.h"
#include "support/check.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* Points standard error to a file while fn runs, and returns what was written. */
static pa_str capture(void (*fn)(void))
{
	static char text[1 << 20];
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t len;

	assert_non_null(file);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	fn();
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	rewind(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	return (pa_str){text, len};
}

static void log_each_priority(void)
{
	log_error(LOG_NO_IDS, "the %s is away", "core");
	log_warning(LOG_IDS(.conversation = 17), "slow");
	log_notice(LOG_IDS(.event = 1, .outbox = -2, .plugin = "p", .channel = "c"), "x");
	log_info(LOG_IDS(.message = "0123456789abcdef0123456789abcdef"), "y");
	log_debug(LOG_NO_IDS, "dropped at first");
}

static void test_lines(void **state)
{
	(void)state;
	expect_str(capture(log_each_priority),
		   PA_STR("error: the core is away\n"
			  "warning: slow PROALTO_CONVERSATION=17\n"
			  "notice: x PROALTO_EVENT=1 PROALTO_OUTBOX=-2 PROALTO_PLUGIN=p "
			  "PROALTO_CHANNEL=c\n"
			  "info: y MESSAGE_ID=0123456789abcdef0123456789abcdef\n"));
}

static void test_level(void **state)
{
	(void)state;
	log_set_level(4);
	expect_str(capture(log_each_priority), PA_STR("error: the core is away\n"
						      "warning: slow PROALTO_CONVERSATION=17\n"));
	log_set_level(7);
	assert_true(str_ends(capture(log_each_priority), PA_STR("debug: dropped at first\n")));
	log_set_level(6);
}

static void log_forged_lines(void)
{
	log_error(LOG_IDS(.plugin = "a\nerror: forged"), "one\nerror: forged\r\x1b[31m two");
}

/* A text can't forge a line of its own nor command a terminal. */
static void test_one_event_is_one_line(void **state)
{
	pa_str text;

	(void)state;
	text = capture(log_forged_lines);
	assert_int_equal(str_find(text, PA_STR("\n")), text.len - 1);
	assert_true(str_find(text, PA_STR("\x1b")) == SIZE_MAX);
}

static void log_endless_lines(void)
{
	static char text[10000];

	memset(text, 'x', sizeof(text) - 1);
	log_error(LOG_IDS(.plugin = text, .channel = text, .message = text), "%s", text);
}

static void test_long_lines_are_cut(void **state)
{
	pa_str text;

	(void)state;
	text = capture(log_endless_lines);
	assert_true(text.len > 1000 && text.len < 2500);
	assert_true(str_ends(text, PA_STR("\n")));
}

static void *log_many(void *arg)
{
	for (int i = 0; i < 500; i++)
		log_info(LOG_IDS(.event = i + 1), "from a thread");
	return arg;
}

static void log_from_threads(void)
{
	pthread_t threads[4];

	for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_many, NULL), 0);
	for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void test_threads_do_not_mix_lines(void **state)
{
	size_t lines = 0;
	pa_str text;

	(void)state;
	text = capture(log_from_threads);
	while (text.len) {
		pa_str line = str_split(&text, '\n');

		assert_true(str_starts(line, PA_STR("info: from a thread PROALTO_EVENT=")));
		lines++;
	}
	assert_int_equal(lines, 2000);
}

#define NO_NAMESPACE 77

/* A socket where journald has its own, in a mount namespace of this process; -1 if the machine
 * gives none. */
static int listen_as_journald(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX,
				      .sun_path = "/run/systemd/journal/socket"};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (unshare(CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0)) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", "/run", "tmpfs", 0, NULL) != 0)
		return -1;
	if (mkdir("/run/systemd", 0755) != 0 || mkdir("/run/systemd/journal", 0755) != 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return -1;
	return fd;
}

/* Whether the datagram that waits holds this text; false when none waits. */
static bool journal_has(int fd, const char *wanted)
{
	char datagram[4096];
	ssize_t n = recv(fd, datagram, sizeof(datagram) - 1, MSG_DONTWAIT | MSG_PEEK);

	return n > 0 && str_find((pa_str){datagram, (size_t)n}, str_from(wanted)) != SIZE_MAX;
}

/* Standard error becomes /dev/null, or a pipe that JOURNAL_STREAM names as systemd does. */
static void set_stderr(bool is_stream)
{
	int pipes[2], null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	char stream[64];
	struct stat info;

	if (pipe(pipes) != 0 || dup2(is_stream ? pipes[1] : null, STDERR_FILENO) < 0 ||
	    fstat(pipes[1], &info) != 0)
		_exit(1);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)info.st_dev, (uintmax_t)info.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
}

/* The child's status: 0 if the journal got the line with all its fields. */
static int log_to_fake_journal(bool is_stream)
{
	static const char *const wanted[] = {"MESSAGE=the core is away\n",
					     "PRIORITY=4\n",
					     "PROALTO_CONVERSATION=17\n",
					     "PROALTO_PLUGIN=p\n",
					     "MESSAGE_ID=0123456789abcdef0123456789abcdef\n",
					     "SYSLOG_IDENTIFIER=test_log\n"};
	int fd = listen_as_journald();

	if (fd < 0)
		return NO_NAMESPACE;
	set_stderr(is_stream);
	log_warning(LOG_IDS(.conversation = 17, .plugin = "p",
			    .message = "0123456789abcdef0123456789abcdef"),
		    "the %s is away", "core");
	for (size_t i = 0; i < ARRAY_COUNT(wanted); i++)
		if (!journal_has(fd, wanted[i]))
			return (int)i + 1;
	return 0;
}

/* Must run first: a process looks for the journal once, at its first line. */
static void test_journal_gets_fields(void **state)
{
	(void)state;
	for (int is_stream = 0; is_stream < 2; is_stream++) {
		pid_t child = fork();
		int status;

		if (child == 0)
			_exit(log_to_fake_journal(is_stream));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == NO_NAMESPACE)
			skip();
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_journal_gets_fields),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_level),
		cmocka_unit_test(test_one_event_is_one_line),
		cmocka_unit_test(test_long_lines_are_cut),
		cmocka_unit_test(test_threads_do_not_mix_lines),
	};

	unsetenv("JOURNAL_STREAM");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
