/* SPDX-License-Identifier: Apache-2.0
 *
 * support/channel_rig.h: a translating channel opened against the fake host, for unit tests and
 * fuzz targets.
 *
 *	static const struct rig_setting settings[] = {{"url", "https://sms.example/send", NULL}};
 *	struct rig rig;
 *	rig_open(&rig, &proalto_plugin, settings, 1, &err);
 *	rig.ops->build(rig.self, rig.call, &message, &request, &err);
 *	rig_next_call(&rig);     // forgets the results of the calls so far
 *	rig_close(&rig);
 *
 * One rig is used by one thread. Bad at: session-holding channels.
 */
#ifndef SUPPORT_CHANNEL_RIG_H
#define SUPPORT_CHANNEL_RIG_H

#include "base/str.h"

#include <proalto/channel.h>

/* One option: a text, or the names and texts of a map, ended by a NULL name. Numbers and the like
 * as they are written in the configuration. */
struct rig_setting {
	const char *name;
	const char *text;
	const char *const (*pairs)[2];
};

struct rig {
	const pa_plugin *plugin;
	const pa_channel_ops *ops;
	void *self;
	pa_call *call;
};

/* Opens the plugin with the settings, the other options at their defaults. A name that the plugin
 * does not have ends the program. */
pa_status rig_open(struct rig *rig, const pa_plugin *plugin, const struct rig_setting *settings,
		   size_t count, pa_error *err);

/* Ends the call in progress with all its memory and begins another. */
void rig_next_call(struct rig *rig);

void rig_close(struct rig *rig);

#endif
