/* SPDX-License-Identifier: Apache-2.0
 *
 * host/load.c and host/probe.c: which files are refused, and with which words. The program is its
 * own probe; the plugins lie in ../plugins beside it (tests/contract.mk builds them).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "host/host.h"
#include "io/clock.h"

#define PROBES_FILE "PROALTO_TEST_PROBES" /* every probe adds a byte to the file named here */

static const char *fixtures(void)
{
	static char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 32);

	assert_true(len > 0);
	path[len] = '\0';
	*strrchr(path, '/') = '\0';
	*strrchr(path, '/') = '\0';
	strncat(path, "/plugins", 32);
	return path;
}

static struct host *host_of(const char *directory, bool check_owner)
{
	return host_new(&(struct host_options){.directory = directory,
					       .probe_path = "/proc/self/exe",
					       .check_owner = check_owner});
}

static void host_done(struct host **host)
{
	host_free(*host);
}

static void assert_refused(struct host *host, const char *name, const char *phrase)
{
	const pa_plugin *plugin = NULL;
	pa_error err = ERROR_INIT;

	assert_int_equal(host_describe(host, name, &plugin, &err), PA_REJECTED);
	assert_null(plugin);
	if (!strstr(error_text(&err), phrase))
		fail_msg("%s: \"%s\" does not say \"%s\"", name, error_text(&err), phrase);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *name;
		const char *phrase;
	} cases[] = {
		{"no-symbol", "/no-symbol.so: no plugin: the symbol proalto_plugin is missing"},
		{"other-major", "/other-major.so: made for version 2.0 of the plugin contract"},
		{"other-name", "/other-name.so: the plugin calls itself somebody-else"},
		{"missing-function",
		 "/missing-function.so: the scanner's function scan is missing"},
		{"needy", "/needy.so: not loadable: undefined symbol: symbol_of_no_library"},
		{"crash", "/crash.so: died in the probe by signal 6 (Aborted)"},
		{"leave", "/leave.so: left the probe without a result, exit status 0"},
		{"nowhere", "/nowhere.so: No such file"},
		{"../plugins/sound", "the name of a plugin is made of"},
		{"", "the name of a plugin is made of"},
		{"Sound", "the name of a plugin is made of"},
	};
	struct host *host PA_CLEANUP(host_done) = host_of(fixtures(), false);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		assert_refused(host, cases[i].name, cases[i].phrase);
}

static void test_hang_is_refused_in_five_seconds(void **state)
{
	struct host *host PA_CLEANUP(host_done) = host_of(fixtures(), false);
	int64_t begin = clock_monotonic_ns();

	(void)state;
	assert_refused(host, "hang", "/hang.so: silent in the probe for 5 seconds");
	assert_in_range(clock_monotonic_ns() - begin, 5 * NS_PER_S, 7 * NS_PER_S);
	begin = clock_monotonic_ns();
	assert_refused(host, "hang", "/hang.so: silent in the probe for 5 seconds");
	assert_true(clock_monotonic_ns() - begin < NS_PER_S);
}

static void test_no_child_is_left(void **state)
{
	(void)state;
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_sound_plugins_open(void **state)
{
	static const char *const names[] = {"sound", "talkative"};
	struct host *host PA_CLEANUP(host_done) = host_of(fixtures(), false);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		struct plugin *plugin = NULL;
		pa_error err = ERROR_INIT;

		if (host_open(host, names[i], "mine", NULL, 0, &plugin, &err) != PA_OK)
			fail_msg("%s", error_text(&err));
		assert_string_equal(plugin_descriptor(plugin)->name, names[i]);
		assert_string_equal(plugin_instance(plugin), "mine");
		plugin_close(plugin);
	}
}

/* A directory of one's own with a copy of a fixture in it. */
struct nest {
	char directory[64];
	char file[128];
};

static void nest_put(struct nest *nest, const char *fixture)
{
	char command[PATH_MAX + 256];

	snprintf(command, sizeof(command), "cp -f '%s/%s.so' '%s' && chmod 644 '%s'", fixtures(),
		 fixture, nest->file, nest->file);
	assert_int_equal(system(command), 0);
}

static struct nest nest_make(const char *fixture)
{
	struct nest nest = {"/tmp/proalto-host-XXXXXX", ""};

	assert_non_null(mkdtemp(nest.directory));
	snprintf(nest.file, sizeof(nest.file), "%s/sound.so", nest.directory);
	nest_put(&nest, fixture);
	return nest;
}

static void nest_done(struct nest *nest)
{
	unlink(nest->file);
	rmdir(nest->directory);
}

static void test_rights(void **state)
{
	struct nest nest PA_CLEANUP(nest_done) = nest_make("sound");
	struct host *lenient PA_CLEANUP(host_done) = host_of(nest.directory, false);
	struct host *strict PA_CLEANUP(host_done) = host_of(nest.directory, true);
	const char *owner_phrase =
		geteuid() == 0 ? "sound.so: writable by others than its owner" : "must be root's";

	(void)state;
	chmod(nest.file, 0666);
	assert_refused(lenient, "sound", "sound.so: writable by others than its owner (666)");
	chmod(nest.file, 0664);
	assert_refused(strict, "sound", owner_phrase);
	chmod(nest.file, 0644);
	chmod(nest.directory, 0777);
	assert_refused(lenient, "sound", "writable by others than its owner (777)");
	chmod(nest.directory, 0755);
}

static void test_owner(void **state)
{
	struct nest nest PA_CLEANUP(nest_done) = nest_make("sound");
	struct host *lenient PA_CLEANUP(host_done) = host_of(nest.directory, false);
	struct host *strict PA_CLEANUP(host_done) = host_of(nest.directory, true);

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(nest.file, 12345, 0), 0);
	assert_refused(lenient, "sound", "sound.so: owned by user 12345, neither root nor");
	assert_refused(strict, "sound", "sound.so: owned by user 12345, must be root's");
	assert_int_equal(chown(nest.file, 0, 0), 0);
	assert_int_equal(chown(nest.directory, 12345, 0), 0);
	assert_refused(strict, "sound", "owned by user 12345, must be root's");
}

static void test_links_and_directories(void **state)
{
	struct nest nest PA_CLEANUP(nest_done) = nest_make("sound");
	struct host *host PA_CLEANUP(host_done) = host_of(nest.directory, false);
	char target[PATH_MAX + 16];

	(void)state;
	snprintf(target, sizeof(target), "%s/sound.so", fixtures());
	unlink(nest.file);
	assert_int_equal(symlink(target, nest.file), 0);
	assert_refused(host, "sound", "sound.so: a symbolic link");
	unlink(nest.file);
	assert_int_equal(mkfifo(nest.file, 0644), 0);
	assert_refused(host, "sound", "sound.so: not a file");
	unlink(nest.file);
	assert_int_equal(close(open(nest.file, O_CREAT | O_WRONLY | O_CLOEXEC, 0644)), 0);
	assert_refused(host, "sound", "sound.so: not loadable: file too short");
}

static off_t probes(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : 0;
}

static void test_each_version_of_a_file_is_probed_once(void **state)
{
	struct nest nest PA_CLEANUP(nest_done) = nest_make("crash");
	struct host *host PA_CLEANUP(host_done) = host_of(nest.directory, false);
	const pa_plugin *plugin = NULL;
	pa_error err = ERROR_INIT;
	char path[] = "/tmp/proalto-probes-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	setenv(PROBES_FILE, path, 1);
	assert_refused(host, "sound", "died in the probe");
	assert_refused(host, "sound", "died in the probe");
	assert_int_equal(probes(path), 1);
	nest_put(&nest, "sound");
	for (int i = 0; i < 3; i++)
		assert_int_equal(host_describe(host, "sound", &plugin, &err), PA_OK);
	assert_int_equal(probes(path), 2);
	unsetenv(PROBES_FILE);
	unlink(path);
}

static void test_probe_that_cannot_run(void **state)
{
	struct host *host PA_CLEANUP(host_done) = host_new(&(struct host_options){
		.directory = fixtures(), .probe_path = "/nonexistent/proaltod"});
	const pa_plugin *plugin = NULL;
	pa_error err = ERROR_INIT;

	(void)state;
	assert_int_equal(host_describe(host, "sound", &plugin, &err), PA_RETRY);
	assert_non_null(strstr(error_text(&err), "/nonexistent/proaltod can't be run"));
}

/* The probe runs this program as the daemon runs itself. */
static int probe(const char *file)
{
	const char *path = getenv(PROBES_FILE);
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;

	if (fd >= 0 && write(fd, "x", 1) != 1)
		return 2;
	return host_probe_main(file);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_hang_is_refused_in_five_seconds),
		cmocka_unit_test(test_no_child_is_left),
		cmocka_unit_test(test_sound_plugins_open),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_links_and_directories),
		cmocka_unit_test(test_each_version_of_a_file_is_probed_once),
		cmocka_unit_test(test_probe_that_cannot_run),
	};

	if (argc == 3 && strcmp(argv[1], "--probe") == 0)
		return probe(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
