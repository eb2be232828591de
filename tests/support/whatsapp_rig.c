/* SPDX-License-Identifier: Apache-2.0 */
#include "support/whatsapp_rig.h"

#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef PROALTO_STATIC
extern const pa_plugin proalto_plugin_channel_whatsapp;
#define WHATSAPP proalto_plugin_channel_whatsapp
#else
extern const pa_plugin proalto_plugin;
#define WHATSAPP proalto_plugin
#endif

#define MAX_SETTINGS 16

static const struct rig_setting usual[] = {
	{"account", WHATSAPP_NUMBER, NULL},
	{"app_secret", WHATSAPP_SECRET, NULL},
	{"app_secret_previous", WHATSAPP_SECRET_BEFORE, NULL},
	{"verify_token", WHATSAPP_VERIFY, NULL},
	{"access_token", WHATSAPP_TOKEN, NULL},
};

pa_status whatsapp_rig_try(struct rig *rig, const struct rig_setting *more, size_t count,
			   pa_error *err)
{
	struct rig_setting settings[MAX_SETTINGS];
	size_t used = 0;

	for (size_t i = 0; i < count && used < MAX_SETTINGS; i++)
		settings[used++] = more[i];
	for (size_t i = 0; i < ARRAY_COUNT(usual); i++) {
		bool is_replaced = false;

		for (size_t j = 0; j < count; j++)
			is_replaced |= strcmp(more[j].name, usual[i].name) == 0;
		if (!is_replaced && used < MAX_SETTINGS)
			settings[used++] = usual[i];
	}
	return rig_open(rig, &WHATSAPP, settings, used, err);
}

void whatsapp_rig_open(struct rig *rig, const struct rig_setting *more, size_t count)
{
	pa_error err = ERROR_INIT;

	if (whatsapp_rig_try(rig, more, count, &err) == PA_OK)
		return;
	fprintf(stderr, "whatsapp_rig: %s\n", error_text(&err));
	abort();
}
