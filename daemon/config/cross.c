/* SPDX-License-Identifier: Apache-2.0 */
#include "config/key.h"

#include "base/str.h"
#include "io/http_message.h"

#include <proalto/channel.h>

#include <string.h>

/* Where a key stands, or its group, or the file. */
static const char *where_of(struct reader *reader, const struct conf_node *root, const char *group,
			    const char *name)
{
	const struct conf_node *section = conf_find(root, group);
	const struct conf_node *node = name ? conf_find(section, name) : NULL;

	if (!node)
		node = section ? section : root;
	return conf_where(reader->arena, node);
}

static const pa_channel_ops *channel_ops(const pa_plugin *plugin)
{
	return plugin ? plugin->ops : NULL;
}

static void check_presence(struct reader *reader, const struct conf_node *root)
{
	const struct config *config = &reader->loaded->config;

	if (config->channels_count == 0)
		reader_error(reader, where_of(reader, root, "channels", NULL), WORDS_NO_CHANNELS,
			     NULL, NULL, NULL);
	if (config->backends_count == 0)
		reader_problem(reader, where_of(reader, root, "backends", NULL), true,
			       WORDS_NO_BACKENDS, NULL, NULL, NULL);
}

static void check_code_channel(struct reader *reader, const struct conf_node *root,
			       const pa_plugin *const *descriptors)
{
	const struct config *config = &reader->loaded->config;
	const char *where = where_of(reader, root, "identity", "code_channel");

	if (!config->code_channel) {
		if (conf_find(conf_find(root, "identity"), "code_channel"))
			reader_problem(reader, where, true, WORDS_NO_CODE_CHANNEL, NULL, NULL,
				       NULL);
		return;
	}
	for (size_t i = 0; i < config->channels_count; i++) {
		const pa_channel_ops *ops = channel_ops(descriptors[i]);

		if (strcmp(config->channels[i].name, config->code_channel) != 0)
			continue;
		if (ops && !(ops->media & PA_MEDIUM_SMS))
			reader_error(reader, where, WORDS_CODE_CHANNEL_NO_SMS, config->code_channel,
				     NULL, NULL);
		return;
	}
	reader_error(reader, where, WORDS_CODE_CHANNEL_UNKNOWN, config->code_channel, NULL, NULL);
}

/* No worker waits for a bulkhead's slot, but each one taken holds a worker. */
static void check_bulkheads(struct reader *reader, const struct conf_node *root)
{
	const struct config *config = &reader->loaded->config;
	int64_t sum = 0;

	for (size_t i = 0; i < config->backends_count; i++)
		sum += config->backends[i].max_calls;
	if (config->backends_count == 0 || config->workers == 0 || sum < config->workers)
		return;
	reader_error(reader, where_of(reader, root, "backends", NULL), WORDS_BULKHEADS,
		     arena_format(reader->arena, "%jd", (intmax_t)sum).ptr,
		     arena_format(reader->arena, "%jd", (intmax_t)config->workers).ptr, NULL);
}

static void check_lookup(struct reader *reader, const struct conf_node *root)
{
	enum lookup_mode lookup = reader->loaded->config.lookup;
	const struct conf_node *node = conf_find(conf_find(root, "identity"), "lookup");
	const char *where;

	if (!node || node->kind != CONF_TEXT)
		return;
	where = conf_where(reader->arena, node);
	if (lookup == LOOKUP_LINK)
		reader_error(reader, where, WORDS_LOOKUP_LINK, NULL, NULL, NULL);
	else if (lookup == LOOKUP_FULL && str_equal(node->text, PA_STR("full")))
		reader_problem(reader, where, true, WORDS_LOOKUP_FULL, NULL, NULL, NULL);
}

static void check_metrics(struct reader *reader, const struct conf_node *root)
{
	const struct config *config = &reader->loaded->config;
	const char *address = config->metrics_address;

	if (!config->metrics_port || config->metrics_remote || !address ||
	    strcmp(address, "::1") == 0 || http_host_is_loopback(address))
		return;
	reader_error(reader, where_of(reader, root, "metrics", "address"), WORDS_METRICS_REMOTE,
		     address, NULL, NULL);
}

static bool is_demo(const pa_plugin *plugin)
{
	const pa_channel_ops *ops = channel_ops(plugin);

	return ops && ops->features & PA_FEATURE_DEMO;
}

static void check_demo(struct reader *reader, const pa_plugin *const *descriptors)
{
	const struct config *config = &reader->loaded->config;
	const struct config_channel *demo = NULL, *real = NULL;

	for (size_t i = 0; i < config->channels_count; i++) {
		if (is_demo(descriptors[i]))
			demo = &config->channels[i];
		else if (descriptors[i])
			real = &config->channels[i];
	}
	if (!demo)
		return;
	if (real)
		reader_error(reader, demo->where, WORDS_DEMO_BESIDE_REAL, demo->name, real->name,
			     NULL);
	if (!config->demo)
		reader_error(reader, demo->where, WORDS_DEMO_NOT_SAID, demo->name, NULL, NULL);
}

static void check_accounts(struct reader *reader)
{
	const struct config *config = &reader->loaded->config;

	for (size_t i = 0; i < config->channels_count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct config_channel *a = &config->channels[i];
			const struct config_channel *b = &config->channels[j];

			if (a->plugin && b->plugin && a->account && b->account && *a->account &&
			    strcmp(a->plugin, b->plugin) == 0 &&
			    strcmp(a->account, b->account) == 0)
				reader_error(reader, a->where, WORDS_ACCOUNT_TWICE, b->name,
					     a->name, NULL);
		}
}

static void check_order(struct reader *reader, const struct conf_node *root)
{
	const struct config *config = &reader->loaded->config;

	if (config->quiet_ms > config->quiet_max_ms)
		reader_error(reader, where_of(reader, root, "work", "quiet"), WORDS_NOT_ABOVE,
			     "work.quiet", "work.quiet_max", NULL);
	if (config->session_idle_ms > config->session_max_ms)
		reader_error(reader, where_of(reader, root, "identity", "session_idle"),
			     WORDS_NOT_ABOVE, "identity.session_idle", "identity.session_max",
			     NULL);
	if (config->regulation == REGULATION_VIGILADA &&
	    config->session_idle_ms > CONFIG_IDLE_SUPERVISED_MS)
		reader_error(reader, where_of(reader, root, "identity", "session_idle"),
			     WORDS_IDLE_SUPERVISED, "identity.session_idle", NULL, NULL);
}

static void check_certificate(struct reader *reader, const struct conf_node *root)
{
	const struct config *config = &reader->loaded->config;

	if (!config->certificate != !config->certificate_key)
		reader_error(reader, where_of(reader, root, "listen", "certificate"),
			     WORDS_TOGETHER, "listen.certificate", "listen.key", NULL);
}

static void check_authorities(struct reader *reader, const struct conf_node *root)
{
	const struct config *config = &reader->loaded->config;

	if (!config->system_authorities && !config->ca_file)
		reader_error(reader, where_of(reader, root, "outbound", "system_authorities"),
			     WORDS_NO_AUTHORITIES, "outbound.system_authorities",
			     "outbound.ca_file", NULL);
}

void cross_check(struct reader *reader, const struct conf_node *root,
		 const pa_plugin *const *descriptors)
{
	check_presence(reader, root);
	check_code_channel(reader, root, descriptors);
	check_bulkheads(reader, root);
	check_lookup(reader, root);
	check_metrics(reader, root);
	check_demo(reader, descriptors);
	check_accounts(reader);
	check_order(reader, root);
	check_certificate(reader, root);
	check_authorities(reader, root);
}
