/* SPDX-License-Identifier: Apache-2.0
 *
 * session_fake.h: the daemon's side of a session-holding channel, for tests of the channel alone.
 *
 *	struct session_fake *fake = session_fake_open(&SIMULATOR_PLUGIN, &options,
 *						      &callbacks, &err);
 *	session_fake_run(fake);
 *	session_fake_send(fake, &message);
 *	session_fake_stop(fake);
 *
 * Events and outcomes are handed to callbacks as they come; deliveries can be refused and
 * the clock be turned.
 *
 * Ownership: the caller owns the fake; what callbacks get is borrowed. Threads: callbacks run on
 * the plugin's threads. Bad at: durability; it keeps nothing.
 */
#ifndef SESSION_FAKE_H
#define SESSION_FAKE_H

#include <proalto/channel.h>

#include <stdbool.h>

struct session_fake;

/* The plugin of these tests, under the name its descriptor has in static builds and elsewhere. */
#ifdef PROALTO_STATIC
#define SIMULATOR_PLUGIN proalto_plugin_channel_simulator
#else
#define SIMULATOR_PLUGIN proalto_plugin
#endif
extern const pa_plugin SIMULATOR_PLUGIN;

/* The options of an instance; what is NULL or negative is left to the plugin's default. */
struct session_fake_options {
	const char *address;
	int port;
	const char *customers_file;
};

struct session_fake_callbacks {
	void *arg;
	/* Each event that was accepted. May be NULL. */
	void (*event)(void *arg, struct session_fake *fake, const pa_event *event);
	/* Each outcome. May be NULL. */
	void (*outcome)(void *arg, const pa_message *message, const pa_outcome *outcome);
};

/* Opens the plugin; NULL, and a sentence in err, if it refuses. */
struct session_fake *session_fake_open(const pa_plugin *plugin,
				       const struct session_fake_options *options,
				       const struct session_fake_callbacks *callbacks,
				       pa_error *err);

/* Runs it on a thread of its own. */
void session_fake_run(struct session_fake *fake);

/* Asks run() to end, waits for it, closes the plugin. NULL is fine. */
void session_fake_stop(struct session_fake *fake);

/* The number in the last line that the plugin logged ("... http://127.0.0.1:PORT/"), waiting five
 * seconds at most; 0: none. */
int session_fake_port(struct session_fake *fake);

/* What run() returned, after it did. */
pa_status session_fake_result(struct session_fake *fake);

/* Queues a copy of the message for the plugin. */
void session_fake_send(struct session_fake *fake, const pa_message *message);

/* The next `times` deliveries get that status: PA_RETRY as if the store were away, PA_REJECTED ...
 */
void session_fake_answer_with(struct session_fake *fake, pa_status status, int times);

/* Turns the business clock. */
void session_fake_turn_clock(struct session_fake *fake, int64_t ns);

#endif
