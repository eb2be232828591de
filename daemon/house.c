/* SPDX-License-Identifier: Apache-2.0 */
#include "house.h"

#include "base/err.h"
#include "io/log.h"

#include <stdlib.h>
#include <string.h>

#define DEMO_ASK_MS 5000
#define REPORT_MAX ((size_t)256 << 10)
#define PROBLEMS_CAP ((size_t)8 << 20)
#define CALL_ARENA_CAP ((size_t)32 << 20)
#define RESTART_KEYS 128

/* ---- complaints ---- */

static void log_problems(const struct config_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		log_line(problems->list[i].is_warning ? 4 : 3, LOG_NO_IDS, "%s: %s",
			 problems->list[i].where, problems->list[i].what);
}

static void log_flow_problems(const struct flow_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		log_line(problems->list[i].is_warning ? 4 : 3, LOG_NO_IDS, "%s: %s",
			 problems->list[i].where, problems->list[i].what);
}

/* ---- flows ---- */

static void log_own_files(const struct flow_set *set)
{
	const char *const *own;
	size_t count = flow_set_own_files(set, &own);

	for (size_t i = 0; i < count; i++)
		log_notice(LOG_NO_IDS, "%s is the house's own", own[i]);
}

static struct flow_options flow_options_of(const struct config *config)
{
	return (struct flow_options){
		.flows_directory = config->flows_directory,
		.texts_directory = config->texts_directory,
		.own_flows_directory = config->own_flows_directory,
		.own_texts_directory = config->own_texts_directory,
		.house = {.name = config->house_name,
			  .nit = config->house_nit,
			  .address = config->house_address,
			  .phone = config->house_phone,
			  .email = config->house_email,
			  .policy_url = config->house_policy_url},
		.identity = {.lookup = (enum identity_lookup)config->lookup,
			     .code_channel = config->code_channel,
			     .code_ttl_ns = config->code_ttl_ms * NS_PER_MS,
			     .code_tries = config->code_tries,
			     .lock_ns = config->lock_ms * NS_PER_MS,
			     .session_idle_ns = config->session_idle_ms * NS_PER_MS,
			     .session_max_ns = config->session_max_ms * NS_PER_MS,
			     .mobile_settle_days = config->mobile_settle_days},
		.is_supervised = config->regulation == REGULATION_VIGILADA,
		.quiet_ns = config->quiet_ms * NS_PER_MS,
		.quiet_max_ns = config->quiet_max_ms * NS_PER_MS,
		.intent_threshold = (uint32_t)(config->language.threshold * 1e6),
	};
}

static pa_status load_flows(const struct config *config, struct flow_problems *problems,
			    struct flow_set **ret, pa_error *err)
{
	struct flow_options options = flow_options_of(config);
	pa_status status = flow_set_load(&options, ret, problems, err);

	if (status == PA_OK)
		log_own_files(*ret);
	return status;
}

struct flow_set *house_flows(void *arg)
{
	struct house *house = arg;
	struct flow_set *set;

	pthread_mutex_lock(&house->flows_lock);
	set = flow_set_ref(house->flows);
	pthread_mutex_unlock(&house->flows_lock);
	return set;
}

/* ---- opening ---- */

/* What plugins need before they can be looked at: where they lie, and a way out for them. */
static pa_status open_host(const struct house_options *options, const struct config *config,
			   struct house *house, pa_error *err)
{
	pa_status status = http_client_new(
		&(struct http_client_options){.ca_file = config->ca_file,
					      .no_system_ca = !config->system_authorities,
					      .proxy = config->proxy,
					      .proxy_login = config->proxy_login,
					      .no_proxy = config->no_proxy,
					      .user_agent = "proaltod/" PROALTO_VERSION},
		&house->http, err);

	if (status != PA_OK)
		return status;
	house->host = host_new(&(struct host_options){.directory = config->plugin_directory,
						      .probe_path = options->probe_path,
						      .check_owner = !config->demo,
						      .http = house->http,
						      .on_enter = options->on_enter,
						      .on_leave = options->on_leave,
						      .on_hand = options->on_hand,
						      .on_take = options->on_take,
						      .most_left = (size_t)config->stuck_calls});
	return PA_OK;
}

/* With a file that is wrong elsewhere, plugins are still looked at: all that is wrong is told at
 * once. */
static void open_host_to_look(const struct house_options *options, struct house *house,
			      struct arena *arena)
{
	house->host = host_new(&(struct host_options){
		.directory = config_plugin_directory(options->config_path, arena),
		.probe_path = options->probe_path,
		.check_owner = false});
}

static void tell_problems(const struct house_options *options,
			  const struct config_problems *problems)
{
	if (options->is_check)
		config_print_problems(options->config_path, problems);
	else
		log_problems(problems);
}

/* The plugin directory stands in the configuration, whose plugins' sections can only be checked
 * with it: the file is read twice. */
static pa_status read_config(const struct house_options *options, struct house *house,
			     pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(PROBLEMS_CAP);
	struct config_problems problems = {.arena = arena};
	struct config *first = NULL;
	pa_status status = config_load(options->config_path, NULL, &first, &problems, err);

	if (status == PA_OK)
		status = open_host(options, first, house, err);
	else
		open_host_to_look(options, house, arena);
	config_free(first);
	if (house->host) {
		problems = (struct config_problems){.arena = arena};
		status = config_load(options->config_path, house->host, &house->config, &problems,
				     err);
	}
	tell_problems(options, &problems);
	return status;
}

void house_open_host(struct house *house, const char *config_path, const char *probe_path)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(PROBLEMS_CAP);
	const struct house_options options = {.config_path = config_path, .probe_path = probe_path};

	pthread_mutex_init(&house->flows_lock, NULL);
	open_host_to_look(&options, house, arena);
}

static pa_status open_channel(struct house *house, size_t i, pa_error *err)
{
	const struct config_channel *config = &house->config->channels[i];
	struct channel *channel = &house->channels.list[house->channels.count];
	pa_status status = host_open(house->host, config->plugin, config->name, config->settings,
				     config->settings_count, &channel->plugin, err);

	if (status != PA_OK) {
		error_prefix(err, "channel %s: ", config->name);
		return status;
	}
	channel->name = config->name;
	channel->config = config;
	channel->ops = plugin_descriptor(channel->plugin)->ops;
	house->channels.count++;
	return PA_OK;
}

/* A plugin that refuses ends the start, unless the house said that it can do without. */
static pa_status forgive(pa_status status, bool is_optional, pa_error *err)
{
	if (status == PA_OK || !is_optional)
		return status;
	log_error(LOG_NO_IDS, "the daemon goes on without it: %s", error_text(err));
	return PA_OK;
}

static pa_status open_channels(struct house *house, pa_error *err)
{
	pa_status status = PA_OK;

	house->channels.list = calloc(house->config->channels_count, sizeof(struct channel));
	if (!house->channels.list)
		abort();
	for (size_t i = 0; i < house->config->channels_count && status == PA_OK; i++)
		status = forgive(open_channel(house, i, err),
				 house->config->channels[i].is_optional, err);
	if (status == PA_OK && !house->channels.count)
		return error_set(err, PA_REJECTED, "no channel could be opened");
	return status;
}

static pa_status open_core(const struct house_options *options, struct house *house, pa_error *err)
{
	const struct config_backend *config = house->config->backends;
	pa_status status;

	if (!house->config->backends_count)
		return PA_OK;
	status = host_open(house->host, config->plugin, config->name, config->settings,
			   config->settings_count, &house->backend, err);
	if (status != PA_OK) {
		error_prefix(err, "backend %s: ", config->name);
		return forgive(status, config->is_optional, err);
	}
	house->core =
		core_new(house->backend, &(struct core_options){
						 .name = config->name,
						 .max_calls = (unsigned)config->max_calls,
						 .deadline_ms = config->deadline_ms,
						 .breaker_after = (unsigned)config->breaker_after,
						 .breaker_pause_ms = config->breaker_pause_ms,
						 .on_slot = options->on_core_slot,
						 .on_back = options->on_core_back,
						 .arg = options->arg,
					 });
	return PA_OK;
}

static pa_status open_language(struct house *house, pa_error *err)
{
	const struct config_language *config = &house->config->language;
	pa_status status;

	if (!config->plugin)
		return PA_OK;
	status = host_open(house->host, config->plugin, "language", config->settings,
			   config->settings_count, &house->language, err);
	if (status != PA_OK)
		error_prefix(err, "language: ");
	return forgive(status, config->is_optional, err);
}

static pa_status open_flows(struct house *house, pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(PROBLEMS_CAP);
	struct flow_problems problems = {.arena = arena};
	pa_status status = load_flows(house->config, &problems, &house->flows, err);

	log_flow_problems(&problems);
	return status;
}

pa_status house_open(const struct house_options *options, struct house *ret, pa_error *err)
{
	pa_status status;

	pthread_mutex_init(&ret->flows_lock, NULL);
	status = read_config(options, ret, err);
	if (status != PA_OK)
		return status;
	ret->keys = keyring_new(ret->config->master_key);
	log_set_level((int)ret->config->log_level);
	status = open_flows(ret, err);
	if (status == PA_OK)
		status = open_channels(ret, err);
	if (status == PA_OK)
		status = open_core(options, ret, err);
	return status == PA_OK ? open_language(ret, err) : status;
}

void house_end_http(struct house *house)
{
	http_client_free(house->http);
	house->http = NULL;
}

void house_close(struct house *house)
{
	core_free(house->core);
	plugin_close(house->backend);
	plugin_close(house->language);
	for (size_t i = 0; i < house->channels.count; i++)
		plugin_close(house->channels.list[i].plugin);
	free(house->channels.list);
	flow_set_unref(house->flows);
	house_end_http(house);
	host_free(house->host);
	config_free(house->config);
	config_free(house->reloaded);
	keyring_free(house->keys);
	pthread_mutex_destroy(&house->flows_lock);
}

/* ---- demonstration ---- */

static pa_status ask_demo(struct house *house, uint32_t *ret_is_demo, pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(CALL_ARENA_CAP);
	const pa_backend_ops *ops = plugin_descriptor(house->backend)->ops;
	pa_call *call;
	pa_status status;

	if (!ops->is_demo)
		return PA_OK;
	call = plugin_call_begin(house->backend, arena, DEMO_ASK_MS);
	if (!call)
		return error_set(err, PA_RETRY, "the backend is busy");
	status = ops->is_demo(call_self(call), call, ret_is_demo, err);
	plugin_call_end(call);
	if (status != PA_OK)
		plugin_error_clean(err);
	return status;
}

pa_status house_check_demo(struct house *house, pa_error *err)
{
	uint32_t is_demo = 0;
	pa_status status;

	if (!house->config->demo)
		return PA_OK;
	if (!house->backend) /* nothing real can be beside it */
		is_demo = 1;
	status = house->backend ? ask_demo(house, &is_demo, err) : PA_OK;
	if (status != PA_OK) {
		error_prefix(err, "a demonstration needs its core: ");
		return status;
	}
	if (!is_demo)
		return error_set(err, PA_REJECTED,
				 "demo = true, but the core is not marked as a demonstration");
	house->is_demo_core = true;
	return PA_OK;
}

/* ---- reload ---- */

static void report_problems(struct buf *report, const struct config_problems *config,
			    const struct flow_problems *flows)
{
	for (size_t i = 0; i < config->count; i++)
		buf_format(report, "%s: %s\n", config->list[i].where, config->list[i].what);
	for (size_t i = 0; i < flows->count; i++)
		buf_format(report, "%s: %s\n", flows->list[i].where, flows->list[i].what);
}

static void swap_flows(struct house *house, struct flow_set *set)
{
	struct flow_set *old;

	flow_set_keep(set, house->flows);
	pthread_mutex_lock(&house->flows_lock);
	old = house->flows;
	house->flows = set;
	pthread_mutex_unlock(&house->flows_lock);
	flow_set_unref(old);
}

static void report_restart_keys(struct buf *report, const struct config *old,
				const struct config *new)
{
	const char *names[RESTART_KEYS];
	size_t count = config_restart_keys(old, new, names, RESTART_KEYS);

	for (size_t i = 0; i < count; i++)
		buf_format(report, "restart: %s\n", names[i]);
}

/* A channel opened anew beside the instance in use. */
struct renewal {
	struct channel *channel;
	struct instance *instance;
};

struct renewals {
	struct renewal *list;
	size_t count;
};

static const struct config_channel *channel_config(const struct config *config,
						   const struct channel *channel)
{
	for (size_t i = 0; i < config->channels_count; i++)
		if (strcmp(config->channels[i].name, channel->name) == 0)
			return &config->channels[i];
	return NULL;
}

/* The channel's new section if it gives its plugin other options; NULL: it does not. */
static const struct config_channel *
other_options(const struct config *old, const struct config *new, const struct channel *channel)
{
	const struct config_channel *a = channel_config(old, channel);
	const struct config_channel *b = channel_config(new, channel);

	/* Another plugin, or none, waits for a restart. */
	if (!a || !b || strcmp(channel->config->plugin, b->plugin) != 0)
		return NULL;
	return config_settings_differ(a->settings, a->settings_count, b->settings,
				      b->settings_count)
		       ? b
		       : NULL;
}

/* A channel that holds a session lives in its plugin's instance. */
static bool is_renewable(const struct channel *channel)
{
	return channel->ops->shape == PA_SHAPE_TRANSLATING;
}

static void drop_renewals(const struct renewals *renewals)
{
	for (size_t i = 0; i < renewals->count; i++)
		instance_release(renewals->list[i].instance);
}

/* All or none. */
static pa_status open_renewals(const struct house *house, const struct config *new,
			       struct renewals *renewals, pa_error *err)
{
	const struct config *old = house->reloaded ? house->reloaded : house->config;
	pa_status status = PA_OK;

	for (size_t i = 0; i < house->channels.count && status == PA_OK; i++) {
		struct renewal *renewal = &renewals->list[renewals->count];
		const struct config_channel *config;

		renewal->channel = &house->channels.list[i];
		config = other_options(old, new, renewal->channel);
		if (!config || !is_renewable(renewal->channel))
			continue;
		status = plugin_open_beside(renewal->channel->plugin, config->settings,
					    config->settings_count, &renewal->instance, err);
		renewals->count += status == PA_OK;
	}
	if (status == PA_OK)
		return PA_OK;
	drop_renewals(renewals);
	error_prefix(err, "channels.");
	return status;
}

static void swap_channels(const struct renewals *renewals, struct queue *queue, struct buf *report)
{
	for (size_t i = 0; i < renewals->count; i++) {
		const struct renewal *renewal = &renewals->list[i];

		plugin_swap(renewal->channel->plugin, renewal->instance);
		queue_renewed(queue, renewal->channel);
		buf_format(report, "taken: channels.%s\n", renewal->channel->name);
	}
}

static void report_restarts(struct buf *report, const struct house *house, const struct config *new)
{
	report_restart_keys(report, house->config, new);
	for (size_t i = 0; i < house->channels.count; i++) {
		const struct channel *channel = &house->channels.list[i];

		if (!is_renewable(channel) && other_options(house->config, new, channel))
			buf_format(report, "restart: channels.%s\n", channel->name);
	}
}

pa_status house_reload(struct house *house, const char *config_path, struct queue *queue,
		       struct arena *arena, pa_str *ret_report)
{
	struct buf report PA_CLEANUP(buf_done) = BUF_INIT(REPORT_MAX);
	struct config_problems problems = {.arena = arena};
	struct flow_problems flow_problems = {.arena = arena};
	struct renewals renewals = {
		.list = ARENA_ARRAY(arena, struct renewal, house->channels.count)};
	struct config *config = NULL;
	struct flow_set *set = NULL;
	pa_error err = ERROR_INIT;
	pa_status status = config_load(config_path, house->host, &config, &problems, &err);

	if (status == PA_OK)
		status = load_flows(config, &flow_problems, &set, &err);
	if (status == PA_OK)
		status = open_renewals(house, config, &renewals, &err);
	report_problems(&report, &problems, &flow_problems);
	if (status == PA_OK) {
		swap_channels(&renewals, queue, &report);
		report_restarts(&report, house, config);
		swap_flows(house, set);
		log_set_level((int)config->log_level);
		config_free(house->reloaded);
		house->reloaded = config;
	} else {
		if (set || !report.len)
			buf_format(&report, "%s\n", error_text(&err));
		flow_set_unref(set);
		config_free(config);
	}
	*ret_report = arena_copy(arena, buf_str(&report));
	return status;
}
