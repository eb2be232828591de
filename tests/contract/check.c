/* SPDX-License-Identifier: Apache-2.0
 *
 * proalto-plugin-check [-s SETTINGS] [-b BODY]... FILE.so: the contract suite over one plugin.
 *
 * Prints a line for each case (TAP) and exits 0 if all held. -s names a file of settings ("name =
 * value") where defaults don't suffice; each -b names a body as the provider posts it, from which
 * the hostile ones are made. Needs no network and no daemon.
 */
#include "contract/check.h"

#include "base/err.h"
#include "base/str.h"
#include "host/host.h"
#include "io/crypto.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CASE_LIMIT_S 60
#define LOADED 42 /* exit status that a plugin that leaves by itself does not have */

static const pa_value *const *values_with(const struct subject *subject, size_t at,
					  const pa_value *value)
{
	size_t count = subject->plugin->options_count;
	const pa_value **values = ARENA_ARRAY(subject->arena, const pa_value *, count);

	memcpy(values, subject->values, count * sizeof(*values));
	values[at] = value;
	return values;
}

/* True if it opened; an instance may be NULL. */
static bool try_open(const struct subject *subject, const pa_value *const *values,
		     int64_t deadline_ms, void **ret_self, pa_error *err)
{
	pa_call *call = fake_call_new(deadline_ms);
	void *untouched = err;
	void *self = untouched;
	pa_status status;

	*err = ERROR_INIT;
	status = subject->plugin->open(fake_host(), call, values, &self, err);

	if (status != PA_OK && self != untouched)
		fake_problem("open failed and set ret_self");
	fake_call_free(call);
	if (!judge_status("open", status, err))
		return false;
	*ret_self = self;
	return true;
}

static void open_and_close(const struct subject *subject, const pa_value *const *values,
			   int64_t deadline_ms)
{
	pa_error err;
	void *self;

	if (try_open(subject, values, deadline_ms, &self, &err))
		subject->plugin->close(self);
}

/* ---- cases of every kind ---- */

static void case_opens(const struct subject *subject)
{
	for (int i = 0; i < 3; i++) {
		pa_error err;
		void *self;

		if (try_open(subject, subject->values, 10000, &self, &err))
			subject->plugin->close(self);
		else
			fake_problem("open refuses the settings (see -s): %.*s",
				     (int)sizeof(err.text) - 1, err.text);
	}
	if (fake_http_calls())
		fake_problem("open touched the network");
}

/* Two instances side by side, as in a reload: closing one must not hurt the other. */
static void case_two_instances(const struct subject *subject)
{
	void *one, *two;
	pa_error err;

	if (!try_open(subject, subject->values, 10000, &one, &err))
		return;
	if (try_open(subject, subject->values, 10000, &two, &err)) {
		subject->plugin->close(one);
		subject->plugin->close(two);
	}
}

static void case_options_missing(const struct subject *subject)
{
	static const pa_value unset = {.size = sizeof(unset)};

	for (size_t i = 0; i < subject->plugin->options_count; i++)
		open_and_close(subject, values_with(subject, i, &unset), 10000);
}

static void open_with(const struct subject *subject, size_t at, pa_value *value)
{
	value->size = sizeof(*value);
	value->is_set = 1;
	open_and_close(subject, values_with(subject, at, value), 10000);
}

static void open_with_pair(const struct subject *subject, size_t at, pa_str text)
{
	const pa_pair pair = {text, text};
	const pa_pair *const pairs[] = {&pair, &pair};

	open_with(subject, at, &(pa_value){.pairs = pairs, .pairs_count = 2});
}

static void case_options_wrong(const struct subject *subject)
{
	static const int64_t numbers[] = {0, -1, 1, INT64_MAX, INT64_MIN, 65536};

	for (size_t i = 0; i < subject->plugin->options_count; i++) {
		uint32_t type = subject->plugin->options[i]->type;

		for (size_t n = 0; n < hostile_count; n++) {
			pa_str text = fake_guard_text(hostile_text(subject->arena, n));

			/* An error may name a wrong value, unless it is a secret. */
			if (type != PA_OPT_SECRET && fake_is_forbidden(text))
				continue;
			if (type == PA_OPT_MAP)
				open_with_pair(subject, i, text);
			else if (type == PA_OPT_TEXT || type == PA_OPT_URL || type == PA_OPT_SECRET)
				open_with(subject, i, &(pa_value){.text = text});
			fake_guard_free();
		}
		for (size_t n = 0; n < ARRAY_COUNT(numbers); n++) {
			if (type == PA_OPT_NUMBER || type == PA_OPT_DURATION)
				open_with(subject, i, &(pa_value){.number = numbers[n]});
		}
	}
}

static void case_open_without_time(const struct subject *subject)
{
	open_and_close(subject, subject->values, 0);
}

static const struct check_case common_cases[] = {
	{"opens and closes, again and again", case_opens},
	{"has two instances side by side", case_two_instances},
	{"bears missing options", case_options_missing},
	{"bears hostile options", case_options_wrong},
	{"bears an open without time", case_open_without_time},
	{NULL, NULL},
};

/* ---- running ---- */

static int case_in_child(const struct subject *subject, const struct check_case *one, bool is_open)
{
	struct subject own = *subject;
	pa_error err;

	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	alarm(CASE_LIMIT_S);
	if (is_open && !try_open(subject, subject->values, 10000, &own.self, &err))
		return 1;
	one->run(&own);
	if (is_open)
		own.plugin->close(own.self);
	return fake_problems() ? 1 : 0;
}

static bool case_run(const struct subject *subject, const struct check_case *one, bool is_open,
		     int number)
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		status = case_in_child(subject, one, is_open);
		exit(status); /* not _exit: LeakSanitizer looks at the end */
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return false;
	if (WIFSIGNALED(status))
		printf("#   died by signal %d (%s)\n", WTERMSIG(status),
		       WTERMSIG(status) == SIGALRM ? "no end in sight"
						   : sigdescr_np(WTERMSIG(status)));
	printf("%s %d - %s %s\n", status == 0 ? "ok" : "not ok", number, subject->plugin->name,
	       one->name);
	return status == 0;
}

static const struct check_case *cases_of(const pa_plugin *plugin)
{
	static const struct check_case *const by_kind[] = {
		[PA_KIND_CHANNEL] = channel_cases,
		[PA_KIND_BACKEND] = backend_cases,
		[PA_KIND_NLP] = nlp_cases,
		[PA_KIND_SCANNER] = scanner_cases,
		[PA_KIND_TRANSCRIBER] = transcriber_cases,
		[PA_KIND_TIMESTAMPER] = timestamper_cases,
	};
	const pa_channel_ops *ops = plugin->ops;

	if (plugin->kind == PA_KIND_CHANNEL && ops->shape == PA_SHAPE_SESSION)
		return session_cases;
	return by_kind[plugin->kind];
}

static int suite_run(const struct subject *subject)
{
	const struct check_case *lists[] = {common_cases, cases_of(subject->plugin)};
	int number = 1, failed = 0;

	for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
		for (const struct check_case *one = lists[i]; one->name; one++)
			failed += !case_run(subject, one, i == 1, ++number);
	}
	printf("1..%d\n", number);
	return failed;
}

/* ---- command line ---- */

/* Opens the file in a child first: constructors are the plugin's code too. */
static bool survives_loading(const char *path)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		alarm(5);
		dlopen(path, RTLD_NOW | RTLD_LOCAL);
		_exit(LOADED);
	}
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) == LOADED;
}

static const pa_plugin *load(const char *path)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	const pa_plugin *plugin;
	char absolute[PATH_MAX], name[256];
	pa_error err = ERROR_INIT;
	void *library;

	if (!realpath(path, absolute) || !survives_loading(absolute)) {
		printf("not ok 1 - %s: no such file, or it dies, leaves or hangs while loaded\n",
		       path);
		return NULL;
	}
	library = dlopen(absolute, RTLD_NOW | RTLD_LOCAL);
	plugin = library ? dlsym(library, PROALTO_PLUGIN_SYMBOL) : NULL;
	if (!plugin) {
		const char *why = library ? "no symbol " PROALTO_PLUGIN_SYMBOL : dlerror();

		printf("not ok 1 - %s: %s\n", path, why ? why : "no such file");
		return NULL;
	}
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(base, "."), base);
	if (host_check_descriptor(plugin, name, &err) != PA_OK) {
		printf("not ok 1 - %s: %s\n", path, error_text(&err));
		return NULL;
	}
	printf("ok 1 - %s describes itself well\n", name);
	return plugin;
}

static int usage(void)
{
	fputs("usage: proalto-plugin-check [-s SETTINGS] [-b BODY]... FILE.so\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new((size_t)1 << 30);
	struct subject subject = {.arena = arena};
	const char *settings = NULL;
	int option;

	while ((option = getopt(argc, argv, "s:b:")) != -1) {
		if (option == 's')
			settings = optarg;
		else if (option == 'b' && subject.seeds_count < ARRAY_COUNT(subject.seeds))
			subject.seeds[subject.seeds_count++] = file_bytes(arena, optarg);
		else
			return usage();
	}
	if (optind + 1 != argc || crypto_init() != PA_OK)
		return usage();
	subject.plugin = load(argv[optind]);
	if (!subject.plugin)
		return 1;
	subject.values = settings_make(arena, subject.plugin, settings);
	fake_forbid(PLANTED_PHONE);
	fake_forbid(PLANTED_TEXT);
	fake_forbid(PLANTED_SECRET);
	return suite_run(&subject) ? 1 : 0;
}
