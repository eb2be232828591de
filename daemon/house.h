/* SPDX-License-Identifier: Apache-2.0
 *
 * house.h: what the configuration names, opened: plugins, channels, core system, language, flows.
 * Made once at start (or by --check, which opens and closes it), ended after everything that uses
 * it.
 */
#ifndef HOUSE_H
#define HOUSE_H

#include "config/config.h"
#include "core/core.h"
#include "flow/set.h"
#include "queue/channel.h"
#include "queue/keyring.h"
#include "queue/queue.h"

#include <pthread.h>

struct house {
	struct config *config;
	struct config *reloaded; /* that of the last reload: what channels' plugins are opened
				  * with; NULL: none yet */
	struct host *host;
	struct http_client *http;
	struct channels channels;
	struct plugin *backend; /* NULL: none */
	struct core *core;
	struct plugin *language; /* NULL: none */
	struct keyring *keys;
	pthread_mutex_t flows_lock; /* guards flows */
	struct flow_set *flows;
	bool is_demo_core; /* its backend says that it is a demonstration */
};

struct house_options {
	const char *config_path;
	const char *probe_path;
	void (*on_core_slot)(void *arg);
	void (*on_core_back)(void *arg);
	void *arg;
	void (*on_enter)(const char *plugin); /* a thread enters and leaves a plugin's code */
	void (*on_leave)(void);
	void (*on_hand)(int64_t *ret_conversation, int64_t *ret_event); /* host_options says what */
	void (*on_take)(int64_t conversation, int64_t event);
	bool is_check; /* tell what is wrong on the terminal, not in the journal */
};

/* Reads the configuration and opens everything. Complaints go to the journal, all of them;
 * PA_REJECTED: the configuration, a flow or a plugin is refused. */
pa_status house_open(const struct house_options *options, struct house *ret, pa_error *err)
	PA_MUST_USE;

/* Only what is needed to look at plugins; the rest of the configuration may be wrong. */
void house_open_host(struct house *house, const char *config_path, const char *probe_path);

/* Ends the HTTP client; requests under way are told so. Before house_close, while those who hear of
 * them still are. */
void house_end_http(struct house *house);
void house_close(struct house *house);

/* Asks the backend whether it is a demonstration; a demo house beside a real core is refused. */
pa_status house_check_demo(struct house *house, pa_error *err) PA_MUST_USE;

/* The flow set in force, with a reference. Any thread. A flow_set_source_fn; arg is
 * the house. */
struct flow_set *house_flows(void *arg);

/* Reads configuration, secrets and flows again. Everything is checked first, and translating
 * channels whose plugin's options changed are opened anew; if anything is refused the old ones stay
 * whole and report says why, a line each. On PA_OK flows and channels are swapped, the queue hears
 * which channels, the log level is set, and report names what was taken and what needs a restart.
 */
pa_status house_reload(struct house *house, const char *config_path, struct queue *queue,
		       struct arena *arena, pa_str *ret_report) PA_MUST_USE;

#endif
