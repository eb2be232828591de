/* SPDX-License-Identifier: Apache-2.0 */
#include "support/channel_rig.h"

#include "base/arena.h"
#include "base/err.h"
#include "host/option.h"
#include "io/crypto.h"
#include "support/fake_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_MS 10000
#define MEMORY ((size_t)1 << 20)

static void die(const char *what, const char *name)
{
	fprintf(stderr, "channel_rig: %s: %s\n", what, name);
	abort();
}

static void take_pairs(struct arena *arena, const char *const (*from)[2], pa_value *value)
{
	const pa_pair **list;
	size_t count = 0;

	while (from[count][0])
		count++;
	list = ARENA_ARRAY(arena, const pa_pair *, count + 1);
	for (size_t i = 0; i < count; i++) {
		pa_pair *pair = ARENA_NEW(arena, pa_pair);

		*pair = (pa_pair){str_from(from[i][0]), str_from(from[i][1])};
		list[i] = pair;
	}
	*value = (pa_value){
		.size = sizeof(*value), .is_set = 1, .pairs = list, .pairs_count = count};
}

static const struct rig_setting *setting_find(const struct rig_setting *settings, size_t count,
					      const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(settings[i].name, name) == 0)
			return &settings[i];
	return NULL;
}

static const pa_value *value_of(struct arena *arena, const pa_option *option,
				const struct rig_setting *setting)
{
	const char *text = setting ? setting->text : option->fallback;
	pa_value *value = ARENA_NEW(arena, pa_value);
	pa_error err = ERROR_INIT;

	value->size = sizeof(*value);
	if (setting && setting->pairs)
		take_pairs(arena, setting->pairs, value);
	else if (text && option_parse(option, str_from(text), value, &err) != PA_OK)
		die("bad value", error_text(&err));
	return value;
}

pa_status rig_open(struct rig *rig, const pa_plugin *plugin, const struct rig_setting *settings,
		   size_t count, pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(MEMORY);
	const pa_value **values = ARENA_ARRAY(arena, const pa_value *, plugin->options_count);
	pa_status status;
	size_t used = 0;

	if (crypto_init() != PA_OK)
		die("no crypto", plugin->name);
	*rig = (struct rig){.plugin = plugin, .ops = plugin->ops, .call = fake_call_new(CALL_MS)};
	for (size_t i = 0; i < plugin->options_count; i++) {
		const pa_option *option = plugin->options[i];
		const struct rig_setting *setting = setting_find(settings, count, option->name);

		used += setting != NULL;
		values[i] = value_of(arena, option, setting);
	}
	if (used != count)
		die("unknown or doubled option", plugin->name);
	status = plugin->open(fake_host(), rig->call, values, &rig->self, err);
	if (status != PA_OK) {
		fake_call_free(rig->call);
		rig->call = NULL;
	}
	return status;
}

void rig_next_call(struct rig *rig)
{
	fake_call_free(rig->call);
	rig->call = fake_call_new(CALL_MS);
}

void rig_close(struct rig *rig)
{
	if (rig->call)
		fake_call_free(rig->call);
	if (rig->self)
		rig->plugin->close(rig->self);
	*rig = (struct rig){.plugin = rig->plugin};
}
