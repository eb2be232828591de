/* SPDX-License-Identifier: Apache-2.0
 *
 * What a plugin says of itself, judged before a line of its code is called.
 */
#include "host/internal.h"
#include "host/option.h"

#include "base/err.h"
#include "base/str.h"

#include <proalto/backend.h>
#include <proalto/channel.h>
#include <proalto/nlp.h>
#include <proalto/scanner.h>
#include <proalto/timestamper.h>
#include <proalto/transcriber.h>

#include <string.h>

#define MAX_OPTIONS 64
#define MAX_NAME 64
#define MAX_TEXT 4000   /* of a help text: a map may explain all of its keys */
#define MAX_SIZE 65536u /* of a struct, by its own word: more is garbage */

/* The size of a struct in version 1.0, named by its last field of then. A smaller one was never
 * made by any compiler. */
#define SIZE_UNTIL(type, field) (offsetof(type, field) + sizeof(((type *)NULL)->field))

enum presence { MAY, MUST, NEVER };

/* One function of an operations table: whether it must be there, by the channel's shape; the other
 * kinds have only the first. */
struct function_rule {
	const char *name;
	size_t offset;
	enum presence presence;
	enum presence in_session;
};

struct kind_rule {
	uint32_t kind;
	const char *name;
	size_t first_size; /* of the table in 1.0 */
	size_t size;       /* of the table here */
	const struct function_rule *functions;
	size_t functions_count;
};

#define CHANNEL(field, translating, session)                                                       \
	{                                                                                          \
#field, offsetof(pa_channel_ops, field), translating, session                      \
	}
static const struct function_rule channel_functions[] = {
	CHANNEL(handshake, MAY, NEVER),  CHANNEL(verify, MUST, NEVER),
	CHANNEL(parse, MUST, NEVER),     CHANNEL(build, MUST, NEVER),
	CHANNEL(interpret, MUST, NEVER), CHANNEL(receipt, MAY, NEVER),
	CHANNEL(download, MAY, NEVER),   CHANNEL(download_next, MAY, NEVER),
	CHANNEL(run, NEVER, MUST),
};

#define OTHER(type, field, presence)                                                               \
	{                                                                                          \
#field, offsetof(type, field), presence, presence                                  \
	}
static const struct function_rule backend_functions[] = {
	OTHER(pa_backend_ops, is_demo, MAY),        OTHER(pa_backend_ops, find_customer, MUST),
	OTHER(pa_backend_ops, find_by_mobile, MAY), OTHER(pa_backend_ops, credits, MAY),
	OTHER(pa_backend_ops, next_discounts, MAY), OTHER(pa_backend_ops, applications, MAY),
	OTHER(pa_backend_ops, renewal_offers, MAY), OTHER(pa_backend_ops, obligations, MAY),
	OTHER(pa_backend_ops, changes_since, MAY),
};
static const struct function_rule nlp_functions[] = {OTHER(pa_nlp_ops, classify, MUST)};
static const struct function_rule scanner_functions[] = {OTHER(pa_scanner_ops, scan, MUST)};
static const struct function_rule transcriber_functions[] = {
	OTHER(pa_transcriber_ops, transcribe, MUST)};
static const struct function_rule timestamper_functions[] = {
	OTHER(pa_timestamper_ops, stamp, MUST)};

#define KIND(number, name, last)                                                                   \
	{                                                                                          \
		number, #name, SIZE_UNTIL(pa_##name##_ops, last), sizeof(pa_##name##_ops),         \
			name##_functions, ARRAY_COUNT(name##_functions)                            \
	}
static const struct kind_rule kinds[] = {
	KIND(PA_KIND_CHANNEL, channel, run),
	KIND(PA_KIND_BACKEND, backend, changes_since),
	KIND(PA_KIND_NLP, nlp, classify),
	KIND(PA_KIND_SCANNER, scanner, scan),
	KIND(PA_KIND_TRANSCRIBER, transcriber, transcribe),
	KIND(PA_KIND_TIMESTAMPER, timestamper, stamp),
};

static const struct kind_rule *kind_find(uint32_t kind)
{
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		if (kinds[i].kind == kind)
			return &kinds[i];
	}
	return NULL;
}

static bool function_is_there(const void *ops, size_t offset)
{
	void (*function)(void);

	memcpy(&function, (const char *)ops + offset, sizeof(function));
	return function != NULL;
}

static bool text_is_sane(const char *text, size_t max)
{
	return text && text[0] && strnlen(text, max + 1) <= max;
}

/* Names are written in configuration files and paths. */
static bool option_name_is_sane(const char *name)
{
	return text_is_sane(name, MAX_NAME) && name[0] >= 'a' && name[0] <= 'z' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

static pa_status check_fallback(const pa_option *option, pa_error *err)
{
	pa_value value;

	if (!option->fallback)
		return PA_OK;
	if (option->flags & PA_OPT_REQUIRED)
		return error_set(err, PA_REJECTED, "option %s is required and has a default",
				 option->name);
	if (option->type == PA_OPT_SECRET)
		return error_set(err, PA_REJECTED, "option %s is a secret and has a default",
				 option->name);
	if (option_parse(option, str_from(option->fallback), &value, err) == PA_OK)
		return PA_OK;
	error_prefix(err, "default of option ");
	return PA_REJECTED;
}

static pa_status check_option(const pa_option *option, size_t at, pa_error *err)
{
	if (!option || option->size < SIZE_UNTIL(pa_option, help) || option->size > MAX_SIZE)
		return error_set(err, PA_REJECTED, "option %zu is absent or of a wrong size", at);
	if (!option_name_is_sane(option->name))
		return error_set(err, PA_REJECTED,
				 "the name of option %zu is not made of lower-case letters, digits "
				 "and underscores",
				 at);
	if (option->type < PA_OPT_TEXT || option->type > PA_OPT_MAP)
		return error_set(err, PA_REJECTED, "option %s has the unknown type %u",
				 option->name, option->type);
	if (!text_is_sane(option->help, MAX_TEXT))
		return error_set(err, PA_REJECTED, "option %s has no help text, or one too long",
				 option->name);
	return check_fallback(option, err);
}

static pa_status check_options(const pa_plugin *plugin, pa_error *err)
{
	if (plugin->options_count > MAX_OPTIONS || (plugin->options_count && !plugin->options))
		return error_set(err, PA_REJECTED, "the table of options makes no sense");
	for (size_t i = 0; i < plugin->options_count; i++) {
		const pa_option *option = plugin->options[i];
		pa_status status = check_option(option, i, err);

		if (status != PA_OK)
			return status;
		for (size_t j = 0; j < i; j++) {
			if (strcmp(plugin->options[j]->name, option->name) == 0)
				return error_set(err, PA_REJECTED, "option %s stands there twice",
						 option->name);
		}
	}
	return PA_OK;
}

static pa_status check_functions(const struct kind_rule *kind, const void *ops, bool is_session,
				 pa_error *err)
{
	for (size_t i = 0; i < kind->functions_count; i++) {
		const struct function_rule *rule = &kind->functions[i];
		enum presence presence = is_session ? rule->in_session : rule->presence;
		bool is_there = function_is_there(ops, rule->offset);

		if (presence == MUST && !is_there)
			return error_set(err, PA_REJECTED, "the %s's function %s is missing",
					 kind->name, rule->name);
		if (presence == NEVER && is_there)
			return error_set(err, PA_REJECTED,
					 "the function %s does not belong to this shape of channel",
					 rule->name);
	}
	return PA_OK;
}

static pa_status check_channel(const pa_channel_ops *ops, uint32_t flags, pa_error *err)
{
	const uint32_t media = PA_MEDIUM_CHAT | PA_MEDIUM_SMS | PA_MEDIUM_EMAIL;

	if (ops->shape != PA_SHAPE_TRANSLATING && ops->shape != PA_SHAPE_SESSION)
		return error_set(err, PA_REJECTED, "the channel's shape %u is unknown", ops->shape);
	if (ops->shape == PA_SHAPE_SESSION && flags & PA_FLAG_SERIAL)
		return error_set(err, PA_REJECTED,
				 "a session can't be serial: its run would keep all others out");
	if (!(ops->media & media))
		return error_set(err, PA_REJECTED, "the channel carries no known medium");
	if (!ops->limits || ops->limits->size < SIZE_UNTIL(pa_channel_limits, ref_bytes) ||
	    ops->limits->size > MAX_SIZE)
		return error_set(err, PA_REJECTED,
				 "the channel's limits are absent or of a wrong size");
	if (!ops->download != !ops->download_next)
		return error_set(err, PA_REJECTED,
				 "download and download_next must both be there or both be absent");
	return PA_OK;
}

static pa_status check_ops(const pa_plugin *plugin, pa_error *err)
{
	const struct kind_rule *kind = kind_find(plugin->kind);
	bool is_session = false;
	uint32_t size;

	if (!kind)
		return error_set(err, PA_REJECTED, "the plugin's kind %u is unknown", plugin->kind);
	if (!plugin->ops)
		return error_set(err, PA_REJECTED, "the %s's operations are missing", kind->name);
	memcpy(&size, plugin->ops, sizeof(size));
	if (size < kind->first_size || size > MAX_SIZE)
		return error_set(err, PA_REJECTED,
				 "the %s's operations have the impossible size %u", kind->name,
				 size);
	if (plugin->kind == PA_KIND_CHANNEL) {
		const pa_channel_ops *ops = plugin->ops;
		pa_status status = check_channel(ops, plugin->flags, err);

		if (status != PA_OK)
			return status;
		is_session = ops->shape == PA_SHAPE_SESSION;
	}
	return check_functions(kind, plugin->ops, is_session, err);
}

static pa_status check_head(const pa_plugin *plugin, const char *name, pa_error *err)
{
	if (plugin->abi_major != PA_ABI_MAJOR)
		return error_set(err, PA_REJECTED,
				 "made for version %u.%u of the plugin contract, this is %d.%d",
				 plugin->abi_major, plugin->abi_minor, PA_ABI_MAJOR, PA_ABI_MINOR);
	if (plugin->size < SIZE_UNTIL(pa_plugin, ops) || plugin->size > MAX_SIZE)
		return error_set(err, PA_REJECTED, "the descriptor has the impossible size %u",
				 plugin->size);
	if (!text_is_sane(plugin->name, MAX_NAME) || !text_is_sane(plugin->version, MAX_TEXT) ||
	    !text_is_sane(plugin->summary, MAX_TEXT))
		return error_set(err, PA_REJECTED, "name, version or summary is missing");
	if (name && strcmp(plugin->name, name) != 0)
		return error_set(err, PA_REJECTED, "the plugin calls itself %s", plugin->name);
	if (!plugin->open || !plugin->close)
		return error_set(err, PA_REJECTED, "the function %s is missing",
				 plugin->open ? "close" : "open");
	return PA_OK;
}

pa_status host_check_descriptor(const pa_plugin *plugin, const char *name, pa_error *err)
{
	pa_status status = check_head(plugin, name, err);

	if (status == PA_OK)
		status = check_options(plugin, err);
	if (status == PA_OK)
		status = check_ops(plugin, err);
	return status;
}

/* A struct of which both sides may know a different length; size is this side's. */
static void *struct_adopt(struct arena *arena, const void *from, size_t size)
{
	void *copy = arena_alloc(arena, size);
	uint32_t theirs;
	uint32_t ours = (uint32_t)size;

	memcpy(&theirs, from, sizeof(theirs));
	memcpy(copy, from, theirs < size ? theirs : size);
	memcpy(copy, &ours, sizeof(ours));
	return copy;
}

static const pa_option *const *options_adopt(struct arena *arena, const pa_plugin *raw)
{
	const pa_option **copies = ARENA_ARRAY(arena, const pa_option *, raw->options_count);

	for (size_t i = 0; i < raw->options_count; i++)
		copies[i] = struct_adopt(arena, raw->options[i], sizeof(pa_option));
	return copies;
}

const pa_plugin *descriptor_adopt(struct arena *arena, const pa_plugin *raw)
{
	pa_plugin *plugin = struct_adopt(arena, raw, sizeof(pa_plugin));
	const struct kind_rule *kind = kind_find(raw->kind);
	void *ops;

	assert(kind);
	ops = struct_adopt(arena, raw->ops, kind->size);
	if (raw->kind == PA_KIND_CHANNEL) {
		pa_channel_ops *channel = ops;

		channel->limits = struct_adopt(arena, channel->limits, sizeof(pa_channel_limits));
	}
	plugin->options = options_adopt(arena, raw);
	plugin->ops = ops;
	return plugin;
}
