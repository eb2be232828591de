/* SPDX-License-Identifier: Apache-2.0
 *
 * support/recorder.h: two plugins linked into a test: `recorder`, a scanner that remembers what it
 * was opened with, and `pure`, a translating channel that does nothing well. Each test includes
 * this once and lists those it wants in host_static_plugins.
 */
#ifndef SUPPORT_RECORDER_H
#define SUPPORT_RECORDER_H

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <proalto/channel.h>
#include <proalto/scanner.h>

#include "base/err.h"
#include "base/str.h"

struct recorder {
	const pa_host *host;
	int64_t numbers[8];
	char text[64];
	uint32_t is_set[8];
};

static atomic_int closed; /* instances of both */

static const pa_option opt_text = {.size = sizeof(pa_option),
				   .type = PA_OPT_TEXT,
				   .flags = PA_OPT_REQUIRED,
				   .name = "text",
				   .help = "h"};
static const pa_option opt_number = {.size = sizeof(pa_option),
				     .type = PA_OPT_NUMBER,
				     .name = "number",
				     .fallback = "-7",
				     .help = "h"};
static const pa_option opt_bool = {.size = sizeof(pa_option),
				   .type = PA_OPT_BOOL,
				   .name = "flag",
				   .fallback = "true",
				   .help = "h"};
static const pa_option opt_duration = {.size = sizeof(pa_option),
				       .type = PA_OPT_DURATION,
				       .name = "pause",
				       .fallback = "5 min",
				       .help = "h"};
static const pa_option opt_map = {
	.size = sizeof(pa_option), .type = PA_OPT_MAP, .name = "map", .help = "h"};
static const pa_option *const recorder_options[] = {&opt_text, &opt_number, &opt_bool,
						    &opt_duration, &opt_map};

static pa_status recorder_open(const pa_host *host, pa_call *call, const pa_value *const *values,
			       void **ret_self, pa_error *err)
{
	struct recorder *self;

	if (str_equal(values[0]->text, PA_STR("refuse")))
		return error_set(err, PA_REJECTED, "the text is not to my taste");
	if (str_equal(values[0]->text, PA_STR("sulk")))
		return PA_REJECTED;
	if (host->remaining_ms(call) <= 0)
		return PA_DEADLINE;
	self = calloc(1, sizeof(*self));
	self->host = host;
	for (size_t i = 0; i < ARRAY_COUNT(recorder_options); i++) {
		if (values[i]->size != sizeof(pa_value)) {
			free(self);
			return error_set(err, PA_BUG, "a value of another size");
		}
		self->numbers[i] = values[i]->number;
		self->is_set[i] = values[i]->is_set;
	}
	snprintf(self->text, sizeof(self->text), "%.*s", PA_FMT(values[0]->text));
	*ret_self = self;
	return PA_OK;
}

static void recorder_close(void *self)
{
	closed++;
	free(self);
}

static pa_status recorder_scan(void *self, pa_call *call, pa_str file, uint32_t *ret_verdict,
			       pa_str *ret_name, pa_error *err)
{
	(void)self;
	(void)call;
	(void)file;
	(void)ret_name;
	(void)err;
	*ret_verdict = PA_SCAN_CLEAN;
	return PA_OK;
}

static const pa_scanner_ops recorder_ops = {.size = sizeof(recorder_ops), .scan = recorder_scan};

#define RECORDER(plugin_name, plugin_flags)                                                        \
	{                                                                                          \
		.size = sizeof(pa_plugin), .abi_major = PA_ABI_MAJOR, .abi_minor = PA_ABI_MINOR,   \
		.kind = PA_KIND_SCANNER, .flags = (plugin_flags), .name = (plugin_name),           \
		.version = "1", .summary = "A recorder.", .options = recorder_options,             \
		.options_count = ARRAY_COUNT(recorder_options), .open = recorder_open,             \
		.close = recorder_close, .ops = &recorder_ops                                      \
	}

/* ---- a translating channel, complete in as far as its descriptor goes ---- */

static pa_status pure_verify(void *self, pa_call *call, const pa_http_request *request,
			     pa_error *err)
{
	pa_http_response response = {.size = sizeof(response)};
	uint32_t failure = 0;

	return ((struct recorder *)self)->host->http(call, request, &response, &failure, err);
}

static pa_status pure_parse(void *self, pa_call *call, pa_str body,
			    const pa_event *const **ret_events, size_t *ret_count, pa_error *err)
{
	(void)self;
	(void)call;
	(void)body;
	(void)ret_events;
	(void)ret_count;
	return error_set(err, PA_REJECTED, "never");
}

static pa_status pure_build(void *self, pa_call *call, const pa_message *message,
			    pa_http_request *ret_request, pa_error *err)
{
	(void)self;
	(void)call;
	(void)message;
	(void)ret_request;
	return error_set(err, PA_REJECTED, "never");
}

static pa_status pure_interpret(void *self, pa_call *call, const pa_message *message,
				const pa_http_response *response, uint32_t failure,
				pa_outcome *ret_outcome, pa_error *err)
{
	(void)self;
	(void)call;
	(void)message;
	(void)response;
	(void)failure;
	(void)ret_outcome;
	return error_set(err, PA_BUG, "never");
}

static const pa_channel_limits pure_limits = {.size = sizeof(pure_limits), .text = 100};

#define PURE_OPS                                                                                   \
	{                                                                                          \
		.size = sizeof(pa_channel_ops), .shape = PA_SHAPE_TRANSLATING,                     \
		.media = PA_MEDIUM_CHAT, .limits = &pure_limits, .verify = pure_verify,            \
		.parse = pure_parse, .build = pure_build, .interpret = pure_interpret              \
	}

#define PURE(plugin_ops)                                                                           \
	{                                                                                          \
		.size = sizeof(pa_plugin), .abi_major = PA_ABI_MAJOR, .abi_minor = PA_ABI_MINOR,   \
		.kind = PA_KIND_CHANNEL, .name = "pure", .version = "1", .summary = "A channel.",  \
		.options = recorder_options, .options_count = ARRAY_COUNT(recorder_options),       \
		.open = recorder_open, .close = recorder_close, .ops = (plugin_ops)                \
	}

#endif
