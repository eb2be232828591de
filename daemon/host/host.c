/* SPDX-License-Identifier: Apache-2.0 */
#include "host/host.h"

#include "base/err.h"
#include "base/str.h"
#include "host/internal.h"
#include "host/option.h"

#include <proalto/channel.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names of plugins stand in paths. */
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789-"
#define MAX_NAME 64

#define OPEN_DEADLINE_MS 10000
#define LIBRARIES_CAP ((size_t)4 << 20)

/* A plugin that was looked for: found, or refused and why. */
struct library {
	struct library *next;
	const char *name;
	const pa_plugin *descriptor; /* NULL: refused */
	struct file_stamp stamp;     /* the version of the file that was refused */
	pa_status status;
	pa_error why;
};

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct host *host_new(const struct host_options *options)
{
	struct host *host = must(calloc(1, sizeof(*host)));

	host->options = *options;
	host->arena = arena_new(LIBRARIES_CAP);
	host->options.directory = arena_copy(host->arena, str_from(options->directory)).ptr;
	host->options.probe_path = arena_copy(host->arena, str_from(options->probe_path)).ptr;
	pthread_mutex_init(&host->load, NULL);
	pthread_mutex_init(&host->watch, NULL);
	pthread_mutex_init(&host->lending, NULL);
	return host;
}

static bool has_instances(struct host *host)
{
	size_t instances;

	pthread_mutex_lock(&host->watch);
	instances = host->instances;
	pthread_mutex_unlock(&host->watch);
	return instances > 0;
}

void host_free(struct host *host)
{
	/* A call that never came back still uses it: as its thread is written off, so is this. */
	if (!host || has_instances(host))
		return;
	callers_free(host);
	pthread_mutex_destroy(&host->lending);
	pthread_mutex_destroy(&host->watch);
	pthread_mutex_destroy(&host->load);
	arena_free(host->arena);
	free(host);
}

/* ---- descriptors ---- */

static struct library *library_find(struct host *host, const char *name)
{
	for (struct library *library = host->libraries; library; library = library->next) {
		if (strcmp(library->name, name) == 0)
			return library;
	}
	return NULL;
}

static struct library *library_add(struct host *host, const char *name)
{
	struct library *library = ARENA_NEW(host->arena, struct library);

	library->name = arena_copy(host->arena, str_from(name)).ptr;
	library->next = host->libraries;
	host->libraries = library;
	return library;
}

static bool stamp_is_same(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static pa_status probe_and_load(struct host *host, const char *path, const char *name,
				const pa_plugin **ret, pa_error *err)
{
	pa_status status = probe_run(host->options.probe_path, path, err);

	return status == PA_OK ? file_load(path, name, ret, err) : status;
}

/* A refusal holds as long as the file is the same; a mended one is looked at again. */
static pa_status library_load(struct host *host, const char *name, const pa_plugin **ret,
			      pa_error *err)
{
	struct library *library = library_find(host, name);
	struct file_stamp stamp;
	const pa_plugin *raw;
	char path[PATH_MAX];
	pa_status status;

	if (snprintf(path, sizeof(path), "%s/%s.so", host->options.directory, name) >=
	    (int)sizeof(path))
		return error_set(err, PA_REJECTED, "the path of plugin %s is too long", name);
	status = file_check(host->options.directory, path, host->options.check_owner, &stamp, err);
	if (status != PA_OK)
		return status;
	if (library && stamp_is_same(&library->stamp, &stamp)) {
		*err = library->why;
		return library->status;
	}
	status = probe_and_load(host, path, name, &raw, err);
	if (status != PA_OK && status != PA_REJECTED)
		return status;
	if (!library)
		library = library_add(host, name);
	library->stamp = stamp;
	library->status = status;
	if (status != PA_OK) {
		library->why = *err;
		return status;
	}
	*ret = library->descriptor = descriptor_adopt(host->arena, raw);
	return PA_OK;
}

static pa_status library_link(struct host *host, const pa_plugin *raw, const pa_plugin **ret,
			      pa_error *err)
{
	struct library *library;

	if (host_check_descriptor(raw, raw->name, err) != PA_OK) {
		error_prefix(err, "built-in plugin %s: ", raw->name);
		return PA_REJECTED;
	}
	library = library_add(host, raw->name);
	*ret = library->descriptor = descriptor_adopt(host->arena, raw);
	return PA_OK;
}

static pa_status library_get(struct host *host, const char *name, const pa_plugin **ret,
			     pa_error *err)
{
	const struct library *library = library_find(host, name);
	const pa_plugin *linked;

	if (library && library->descriptor) {
		*ret = library->descriptor;
		return PA_OK;
	}
	linked = static_find(name);
	return linked ? library_link(host, linked, ret, err) : library_load(host, name, ret, err);
}

pa_status host_describe(struct host *host, const char *name, const pa_plugin **ret, pa_error *err)
{
	size_t len = strspn(name, NAME_LETTERS);
	pa_error local = ERROR_INIT;
	pa_status status;

	if (len == 0 || len > MAX_NAME || name[len])
		return error_set(err, PA_REJECTED,
				 "the name of a plugin is made of lower-case letters, digits and "
				 "hyphens");
	pthread_mutex_lock(&host->load);
	status = library_get(host, name, ret, &local);
	pthread_mutex_unlock(&host->load);
	if (status != PA_OK && err)
		*err = local;
	return status;
}

/* ---- options ---- */

static const struct host_setting *setting_find(const struct host_setting *settings, size_t count,
					       const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(settings[i].name, name) == 0)
			return &settings[i];
	}
	return NULL;
}

static const pa_option *option_find(const pa_plugin *descriptor, const char *name)
{
	for (size_t i = 0; i < descriptor->options_count; i++) {
		if (strcmp(descriptor->options[i]->name, name) == 0)
			return descriptor->options[i];
	}
	return NULL;
}

static pa_status check_settings(const pa_plugin *descriptor, const struct host_setting *settings,
				size_t count, pa_error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (!option_find(descriptor, settings[i].name))
			return error_set(err, PA_REJECTED, "%s%s%s is not an option of it",
					 settings[i].where ? settings[i].where : "",
					 settings[i].where ? ": " : "", settings[i].name);
	}
	return PA_OK;
}

static pa_status value_choose(const pa_option *option, const struct host_setting *setting,
			      pa_value *ret, pa_error *err)
{
	if (setting && setting->value.is_set) {
		*ret = setting->value;
		ret->size = sizeof(*ret);
		return PA_OK;
	}
	if (option->fallback)
		return option_parse(option, str_from(option->fallback), ret, err);
	if (option->flags & PA_OPT_REQUIRED)
		return error_set(err, PA_REJECTED, "%s is missing", option->name);
	*ret = (pa_value){.size = sizeof(*ret)};
	return PA_OK;
}

static pa_status values_make(struct arena *arena, const pa_plugin *descriptor,
			     const struct host_setting *settings, size_t count,
			     const pa_value *const **ret, pa_error *err)
{
	const pa_value **values;
	pa_status status;

	assert(descriptor);
	values = ARENA_ARRAY(arena, const pa_value *, descriptor->options_count);
	status = check_settings(descriptor, settings, count, err);

	for (size_t i = 0; status == PA_OK && i < descriptor->options_count; i++) {
		const pa_option *option = descriptor->options[i];
		pa_value *value = ARENA_NEW(arena, pa_value);

		status = value_choose(option, setting_find(settings, count, option->name), value,
				      err);
		values[i] = value;
	}
	if (status == PA_OK)
		*ret = values;
	return status;
}

/* ---- instances ---- */

void cond_init_monotonic(pthread_cond_t *cond)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static struct plugin *plugin_new(struct host *host, const pa_plugin *descriptor,
				 const char *instance)
{
	struct plugin *plugin = must(calloc(1, sizeof(*plugin)));
	const pa_channel_ops *channel;

	assert(descriptor);
	channel = descriptor->ops;
	plugin->host = host;
	plugin->descriptor = descriptor;
	plugin->instance = must(strdup(instance));
	plugin->is_pure =
		descriptor->kind == PA_KIND_CHANNEL && channel->shape == PA_SHAPE_TRANSLATING;
	plugin->references = 1;
	pthread_mutex_init(&plugin->lock, NULL);
	cond_init_monotonic(&plugin->freed);
	return plugin;
}

static void plugin_free(struct plugin *plugin)
{
	pthread_cond_destroy(&plugin->freed);
	pthread_mutex_destroy(&plugin->lock);
	free(plugin->instance);
	free(plugin);
}

/* The plugin's owner, or one of its instances, needs it no more. */
static void plugin_release(struct plugin *plugin)
{
	bool is_last;

	pthread_mutex_lock(&plugin->lock);
	is_last = --plugin->references == 0;
	pthread_mutex_unlock(&plugin->lock);
	if (is_last)
		plugin_free(plugin);
}

static pa_status call_open(struct plugin *plugin, struct arena *arena,
			   const pa_value *const *values, void **ret_self, pa_error *err)
{
	pa_call call;
	pa_status status;

	call_prepare(&call, plugin, arena, OPEN_DEADLINE_MS);
	call_enter(&call);
	status = plugin->descriptor->open(&host_services, &call, values, ret_self, err);
	call_leave(&call);
	plugin_error_clean(err);
	if (status != PA_OK && err->len == 0)
		error_set(err, status, "refused without a reason (%s)", status_name(status));
	return status;
}

static void count_instance(struct host *host, bool is_new)
{
	pthread_mutex_lock(&host->watch);
	host->instances += is_new ? 1 : (size_t)-1;
	pthread_mutex_unlock(&host->watch);
}

static struct instance *instance_new(struct plugin *plugin, void *self)
{
	struct instance *instance = must(calloc(1, sizeof(*instance)));

	*instance = (struct instance){.plugin = plugin, .self = self, .references = 1};
	pthread_mutex_lock(&plugin->lock);
	plugin->references++;
	pthread_mutex_unlock(&plugin->lock);
	count_instance(plugin->host, true);
	return instance;
}

static pa_status instance_open(struct plugin *plugin, const struct host_setting *settings,
			       size_t count, struct instance **ret, pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(2 * CALL_CAP);
	const pa_value *const *values;
	void *self = NULL;
	pa_status status = values_make(arena, plugin->descriptor, settings, count, &values, err);

	if (status == PA_OK)
		status = call_open(plugin, arena, values, &self, err);
	if (status == PA_OK)
		*ret = instance_new(plugin, self);
	return status;
}

static pa_status open_named(struct plugin *plugin, const struct host_setting *settings,
			    size_t count, struct instance **ret, pa_error *err)
{
	pa_error local = ERROR_INIT;
	pa_status status = instance_open(plugin, settings, count, ret, &local);

	if (status == PA_OK)
		return PA_OK;
	error_prefix(&local, "%s (%s): ", plugin->instance, plugin->descriptor->name);
	if (err)
		*err = local;
	return status;
}

pa_status host_open(struct host *host, const char *name, const char *instance,
		    const struct host_setting *settings, size_t count, struct plugin **ret,
		    pa_error *err)
{
	const pa_plugin *descriptor = NULL;
	struct plugin *plugin;
	pa_status status = host_describe(host, name, &descriptor, err);

	if (status != PA_OK) {
		error_prefix(err, "%s (%s): ", instance, name);
		return status;
	}
	plugin = plugin_new(host, descriptor, instance);
	status = open_named(plugin, settings, count, &plugin->current, err);
	if (status == PA_OK)
		*ret = plugin;
	else
		plugin_release(plugin);
	return status;
}

pa_status plugin_open_beside(struct plugin *plugin, const struct host_setting *settings,
			     size_t count, struct instance **ret, pa_error *err)
{
	return open_named(plugin, settings, count, ret, err);
}

void instance_release(struct instance *instance)
{
	struct plugin *plugin = instance->plugin;
	struct host *host = plugin->host;
	bool is_last;

	pthread_mutex_lock(&plugin->lock);
	is_last = --instance->references == 0;
	pthread_mutex_unlock(&plugin->lock);
	if (!is_last)
		return;
	if (host->options.on_enter)
		host->options.on_enter(plugin->descriptor->name);
	plugin->descriptor->close(instance->self);
	if (host->options.on_leave)
		host->options.on_leave();
	free(instance);
	plugin_release(plugin);
	count_instance(host, false);
}

void plugin_swap(struct plugin *plugin, struct instance *instance)
{
	struct instance *old;

	pthread_mutex_lock(&plugin->lock);
	old = plugin->current;
	plugin->current = instance;
	pthread_mutex_unlock(&plugin->lock);
	instance_release(old);
}

bool instance_is_current(const struct instance *instance)
{
	struct plugin *plugin = instance->plugin;
	bool is_current;

	pthread_mutex_lock(&plugin->lock);
	is_current = plugin->current == instance;
	pthread_mutex_unlock(&plugin->lock);
	return is_current;
}

void plugin_close(struct plugin *plugin)
{
	if (!plugin)
		return;
	instance_release(plugin->current);
	plugin_release(plugin);
}

void plugin_disable(struct plugin *plugin)
{
	atomic_store(&plugin->is_disabled, true);
}

bool plugin_is_disabled(const struct plugin *plugin)
{
	return atomic_load(&plugin->is_disabled);
}

const pa_plugin *plugin_descriptor(const struct plugin *plugin)
{
	return plugin->descriptor;
}

const char *plugin_instance(const struct plugin *plugin)
{
	return plugin->instance;
}
