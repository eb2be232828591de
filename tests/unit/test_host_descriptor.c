/* SPDX-License-Identifier: Apache-2.0
 *
 * host/descriptor.c and host/option.c: what a plugin may say of itself and of its options.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "host/host.h"
#include "host/option.h"
#include "support/recorder.h"

/* A scanner made with a later minor: every struct has a field that this daemon does not know. */
static const struct {
	pa_scanner_ops known;
	uint64_t later;
} newer_ops = {.known = {.size = sizeof(newer_ops), .scan = recorder_scan}, .later = ~0ull};

static const struct {
	pa_plugin known;
	uint64_t later;
} newer = {.known = {.size = sizeof(newer),
		     .abi_major = PA_ABI_MAJOR,
		     .abi_minor = PA_ABI_MINOR + 1,
		     .kind = PA_KIND_SCANNER,
		     .name = "newer",
		     .version = "1",
		     .summary = "From the next release.",
		     .open = recorder_open,
		     .close = recorder_close,
		     .ops = &newer_ops},
	   .later = ~0ull};

extern const pa_plugin *const host_static_plugins[];
const pa_plugin *const host_static_plugins[] = {&newer.known, NULL};

static pa_status pure_download(void *self, pa_call *call, pa_str account, pa_str media_id,
			       pa_http_request *ret_request, pa_error *err)
{
	(void)self;
	(void)call;
	(void)account;
	(void)media_id;
	(void)ret_request;
	return error_set(err, PA_REJECTED, "never");
}

static pa_status pure_run(void *self, pa_call *call, const pa_session_host *session_host,
			  pa_session *session, pa_error *err)
{
	(void)self;
	(void)call;
	(void)session_host;
	(void)session;
	(void)err;
	return PA_OK;
}

struct draft {
	pa_plugin plugin;
	pa_channel_ops ops;
	pa_channel_limits limits;
	pa_option option;
	const pa_option *options[2];
};

static void break_size(struct draft *d)
{
	d->plugin.size = 8;
}
static void break_kind(struct draft *d)
{
	d->plugin.kind = 99;
}
static void break_open(struct draft *d)
{
	d->plugin.open = NULL;
}
static void break_version(struct draft *d)
{
	d->plugin.version = NULL;
}
static void break_ops(struct draft *d)
{
	d->plugin.ops = NULL;
}
static void break_ops_size(struct draft *d)
{
	d->ops.size = 16;
}
static void break_shape(struct draft *d)
{
	d->ops.shape = 3;
}
static void break_media(struct draft *d)
{
	d->ops.media = 0;
}
static void break_limits(struct draft *d)
{
	d->limits.size = 0;
}
static void break_parse(struct draft *d)
{
	d->ops.parse = NULL;
}
static void break_download(struct draft *d)
{
	d->ops.download = pure_download;
}
static void break_run(struct draft *d)
{
	d->ops.run = pure_run;
}
static void break_session(struct draft *d)
{
	d->ops.shape = PA_SHAPE_SESSION;
}
static void break_serial(struct draft *d)
{
	d->ops.shape = PA_SHAPE_SESSION;
	d->plugin.flags = PA_FLAG_SERIAL;
}
static void break_option_name(struct draft *d)
{
	d->option.name = "Bad Name";
}
static void break_option_type(struct draft *d)
{
	d->option.type = 77;
}
static void break_option_help(struct draft *d)
{
	d->option.help = NULL;
}
static void break_option_twice(struct draft *d)
{
	d->options[1] = d->options[0];
}
static void break_option_null(struct draft *d)
{
	d->options[1] = NULL;
}
static void break_fallback(struct draft *d)
{
	d->option.fallback = "soon";
}
static void break_required(struct draft *d)
{
	d->option.flags = PA_OPT_REQUIRED;
}
static void break_secret(struct draft *d)
{
	d->option.type = PA_OPT_SECRET;
}
static void break_count(struct draft *d)
{
	d->plugin.options_count = 1000;
}

static void draft_make(struct draft *draft)
{
	*draft = (struct draft){.plugin = PURE(&draft->ops), .ops = PURE_OPS};
	draft->limits = pure_limits;
	draft->ops.limits = &draft->limits;
	draft->option = opt_duration;
	draft->options[0] = &opt_number;
	draft->options[1] = &draft->option;
	draft->plugin.options = draft->options;
	draft->plugin.options_count = 2;
}

static void test_descriptors(void **state)
{
	static const struct {
		void (*break_it)(struct draft *draft);
		const char *phrase;
	} cases[] = {
		{break_size, "impossible size 8"},
		{break_kind, "kind 99 is unknown"},
		{break_open, "function open is missing"},
		{break_version, "name, version or summary is missing"},
		{break_ops, "the channel's operations are missing"},
		{break_ops_size, "the channel's operations have the impossible size 16"},
		{break_shape, "shape 3 is unknown"},
		{break_media, "carries no known medium"},
		{break_limits, "limits are absent or of a wrong size"},
		{break_parse, "the channel's function parse is missing"},
		{break_download, "download and download_next must both"},
		{break_run, "the function run does not belong to this shape"},
		{break_session, "the function verify does not belong to this shape"},
		{break_serial, "a session can't be serial"},
		{break_option_name, "the name of option 1 is not made of"},
		{break_option_type, "option pause has the unknown type 77"},
		{break_option_help, "option pause has no help text"},
		{break_option_twice, "option number stands there twice"},
		{break_option_null, "option 1 is absent"},
		{break_fallback, "default of option pause must be a duration"},
		{break_required, "option pause is required and has a default"},
		{break_secret, "option pause is a secret and has a default"},
		{break_count, "the table of options makes no sense"},
	};
	struct draft draft;
	pa_error err = ERROR_INIT;

	(void)state;
	draft_make(&draft);
	assert_int_equal(host_check_descriptor(&draft.plugin, "pure", &err), PA_OK);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		draft_make(&draft);
		cases[i].break_it(&draft);
		assert_int_equal(host_check_descriptor(&draft.plugin, "pure", &err), PA_REJECTED);
		if (!strstr(error_text(&err), cases[i].phrase))
			fail_msg("\"%s\" does not say \"%s\"", error_text(&err), cases[i].phrase);
	}
}

static void test_later_minor_is_cut(void **state)
{
	struct host *host = host_new(
		&(struct host_options){.directory = "/nonexistent", .probe_path = "/nonexistent"});
	const pa_plugin *plugin = NULL;
	const pa_scanner_ops *ops;
	pa_error err = ERROR_INIT;

	(void)state;
	assert_int_equal(host_describe(host, "newer", &plugin, &err), PA_OK);
	ops = plugin->ops;
	assert_int_equal(plugin->size, sizeof(pa_plugin));
	assert_int_equal(ops->size, sizeof(pa_scanner_ops));
	assert_ptr_equal(ops->scan, recorder_scan);
	assert_string_equal(plugin->name, "newer");
	host_free(host);
}

/* ---- options ---- */

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t ms; /* -1: refused */
	} cases[] = {
		{"500 ms", 500},
		{"2 s", 2000},
		{"2s", 2000},
		{"5 min", 300000},
		{"1 h", 3600000},
		{"0 s", 0},
		{"2", -1},
		{"", -1},
		{"s", -1},
		{"-1 s", -1},
		{"1.5 s", -1},
		{"1 S", -1},
		{"1 s x", -1},
		{"9223372036854775807 h", -1},
		{"99999999999999999999 ms", -1},
		{"8784 h", INT64_C(8784) * 3600000},
		{"8785 h", -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		int64_t ms = -1;
		bool is_good = duration_parse(str_from(cases[i].text), &ms);

		if (is_good != (cases[i].ms >= 0) || ms != cases[i].ms)
			fail_msg("\"%s\" gave %lld", cases[i].text, (long long)ms);
	}
}

static void test_option_errors_do_not_repeat_the_text(void **state)
{
	static const struct {
		uint32_t type;
		const char *name;
	} types[] = {
		{PA_OPT_NUMBER, "must be a whole number"},
		{PA_OPT_BOOL, "must be true or false"},
		{PA_OPT_DURATION, "must be a duration (500 ms, 2 s, 5 min, 1 h)"},
		{PA_OPT_URL, "must be an https address"},
		{PA_OPT_MAP, "must be a group of names and texts"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		pa_option option = opt_number;
		pa_value value;
		pa_error err = ERROR_INIT;

		option.type = types[i].type;
		assert_int_equal(option_parse(&option, PA_STR("hunter2"), &value, &err),
				 PA_REJECTED);
		assert_non_null(strstr(error_text(&err), types[i].name));
		assert_null(strstr(error_text(&err), "hunter2"));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_later_minor_is_cut),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_option_errors_do_not_repeat_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
