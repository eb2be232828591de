/* SPDX-License-Identifier: Apache-2.0
 *
 * proaltoctl hosts: what the configuration has the service connect to, for whoever opens the
 * firewall. Read from the file, not from the running daemon: it is asked before the first start.
 * Secrets that are out of reach hide what only they tell.
 *
 * A plugin's peers are its options of type URL, and those called "connection", which are libpq's.
 */
#include "ctl/ctl.h"

#include "base/err.h"
#include "base/str.h"
#include "ctl/beside.h"
#include "io/db.h"

#include <stdio.h>
#include <string.h>

#define DATABASES_MAX 16 /* of one connection string */

struct listing {
	struct ctl *ctl;
	struct host *host;
	struct json *list;
};

static void host_done(struct host **host)
{
	host_free(*host);
}

/* name: NULL if it is in a secret that can't be read. */
static void add(struct listing *listing, const char *name, long port, const char *what)
{
	struct json *entry = json_object_new();

	json_set_text(entry, "host", str_from(name));
	if (name)
		json_set_integer(entry, "port", port);
	json_set_text(entry, "for", str_from(what));
	json_append(listing->list, entry);
}

static void add_url(struct listing *listing, pa_str url, const char *what)
{
	const char *name;
	long port;

	if (http_url_host(url, listing->ctl->arena, &name, &port))
		add(listing, name, port, what);
}

static void add_databases(struct listing *listing, const char *conninfo, const char *what)
{
	struct db_peer peers[DATABASES_MAX];
	size_t count;

	if (!db_peers(conninfo, listing->ctl->arena, peers, DATABASES_MAX, &count))
		add(listing, NULL, 0, what);
	for (size_t i = 0; i < count; i++)
		add(listing, peers[i].host, peers[i].port, what);
}

static pa_str value_of(const pa_option *option, const struct host_setting *settings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(settings[i].name, option->name) == 0)
			return settings[i].value.text;
	return str_from(option->fallback);
}

static void add_plugin(struct listing *listing, const char *section, const char *plugin,
		       const struct host_setting *settings, size_t count)
{
	struct arena *arena = listing->ctl->arena;
	const pa_plugin *descriptor;
	pa_error err = ERROR_INIT;

	if (!plugin || host_describe(listing->host, plugin, &descriptor, &err) != PA_OK)
		return; /* an optional one, which is left out */
	for (size_t i = 0; i < descriptor->options_count; i++) {
		const pa_option *option = descriptor->options[i];
		pa_str value = value_of(option, settings, count);
		const char *what = arena_format(arena, "%s.%s", section, option->name).ptr;

		if (!value.len)
			continue;
		if (option->type == PA_OPT_URL)
			add_url(listing, value, what);
		else if (strcmp(option->name, "connection") == 0)
			add_databases(listing, arena_copy(arena, value).ptr, what);
	}
}

static void add_all(struct listing *listing, const struct config *config)
{
	struct arena *arena = listing->ctl->arena;

	add_databases(listing, config->database, "store.database");
	if (config->proxy)
		add_url(listing, str_from(config->proxy), "outbound.proxy");
	for (size_t i = 0; i < config->channels_count; i++)
		add_plugin(listing,
			   arena_format(arena, "channels.%s", config->channels[i].name).ptr,
			   config->channels[i].plugin, config->channels[i].settings,
			   config->channels[i].settings_count);
	for (size_t i = 0; i < config->backends_count; i++)
		add_plugin(listing,
			   arena_format(arena, "backends.%s", config->backends[i].name).ptr,
			   config->backends[i].plugin, config->backends[i].settings,
			   config->backends[i].settings_count);
	add_plugin(listing, "language", config->language.plugin, config->language.settings,
		   config->language.settings_count);
	add_url(listing, str_from(config->house_policy_url), "house.policy_url");
}

static void print_host(const struct json *entry)
{
	pa_str name = PA_STR_ABSENT, what = PA_STR_ABSENT;
	int64_t port = 0;

	if (!json_get_text(entry, "host", &name) || !json_get_integer(entry, "port", &port))
		name = str_from(ctl_say("(en un secreto)", "(in a secret)"));
	if (!json_get_text(entry, "for", &what))
		return;
	printf("%-40.*s %5jd  %.*s\n", PA_FMT(name), (intmax_t)port, PA_FMT(what));
}

static void print(const struct json *list, bool is_json)
{
	if (is_json)
		ctl_print_json(list);
	for (size_t i = 0; !is_json && i < json_count(list); i++)
		print_host(json_at(list, i));
}

/* Whole, or as far as it goes without the secrets. */
static int load(struct listing *listing, struct config **ret)
{
	struct ctl *ctl = listing->ctl;
	struct config_problems problems = {.arena = ctl->arena};
	struct config_problems visible = {.arena = ctl->arena, .skips_secrets = true};
	pa_error err = ERROR_INIT;

	if (config_load(ctl->config_path, listing->host, ret, &problems, &err) == PA_OK ||
	    config_load(ctl->config_path, listing->host, ret, &visible, &err) == PA_OK)
		return CTL_OK;
	config_print_problems(ctl->config_path, &visible);
	return CTL_FAILED;
}

int ctl_hosts(struct ctl *ctl, int argc, char *const *argv)
{
	struct config *config PA_CLEANUP(config_done) = NULL;
	struct host *host PA_CLEANUP(host_done) = host_new(&(struct host_options){
		.directory = config_plugin_directory(ctl->config_path, ctl->arena),
		.probe_path = beside_daemon(ctl->arena),
		.check_owner = false});
	struct json *list PA_CLEANUP(json_done) = json_array_new();
	struct listing listing = {.ctl = ctl, .host = host, .list = list};
	bool is_json = argc == 1 && strcmp(argv[0], "--json") == 0;
	int status;

	if (argc > 0 && !is_json)
		return ctl_usage(ctl);
	status = load(&listing, &config);
	if (status != CTL_OK)
		return status;
	add_all(&listing, config);
	print(list, is_json);
	return CTL_OK;
}
