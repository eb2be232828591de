/* SPDX-License-Identifier: Apache-2.0
 *
 * host/host.h: plugins: found, probed, opened, called, closed. The only user of dlopen.
 *
 * A plugin is named in the configuration and lies in the one plugin directory, owned by root and
 * writable by nobody else (the file and the directory). It is first opened in a child process
 * (proaltod --probe FILE), whose death or silence of five seconds is a refusal with a sentence;
 * then here. Never unloaded. With PROALTO_STATIC the descriptors are linked in (sanitizer builds).
 *
 * Every call has a deadline and an arena. A call past its deadline can't be stopped. One that may
 * block is lent a thread and memory of its own, which its asker leaves behind when it does not come
 * back; host_stuck() tells who is late.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "base/arena.h"
#include "io/http_client.h"

#include <proalto/plugin.h>

struct host;
struct plugin;   /* one opened under the name of its instance */
struct instance; /* what its open() made of one set of options */

struct host_options {
	const char *directory;  /* of the plugins */
	const char *probe_path; /* the program to run with --probe: usually /proc/self/exe */
	bool check_owner; /* false only in builds run from a checkout, by an unprivileged user who
			     owns the file himself */
	struct http_client *http;
	/* Called on a plugin's call and return, so that a fatal signal can name it; may be NULL. */
	void (*on_enter)(const char *plugin);
	void (*on_leave)(void);
	/* For the same: what the asking thread has in hand, and that a thread which makes its call
	 * has it in hand from now on (0, 0: no more); may be NULL. */
	void (*on_hand)(int64_t *ret_conversation, int64_t *ret_event);
	void (*on_take)(int64_t conversation, int64_t event);
	/* A plugin to which this many lent calls have not come back is lent no more; 0: no limit.
	 */
	size_t most_left;
};

struct host *host_new(const struct host_options *options);
void host_free(struct host *host);

/* One configured value, by name. */
struct host_setting {
	const char *name;
	pa_value value;    /* text, number or pairs as the option's type asks */
	const char *where; /* "proalto.conf:12", for errors */
};

/* The descriptor of a plugin, probed and loaded but not opened. PA_REJECTED with a sentence that
 * names file and reason: no such file, wrong owner or mode, not a shared object, no symbol, other
 * major version, missing function, died or hung in the probe. Each file is probed once. */
pa_status host_describe(struct host *host, const char *name, const pa_plugin **ret, pa_error *err)
	PA_MUST_USE;

/* Opens an instance. settings hold checked values (daemon/config does that); those that are missing
 * get the option's fallback. */
pa_status host_open(struct host *host, const char *name, const char *instance,
		    const struct host_setting *settings, size_t count, struct plugin **ret,
		    pa_error *err) PA_MUST_USE;

/* Closes it when its last call has returned. NULL is fine. */
void plugin_close(struct plugin *plugin);

/* Opens it anew beside the instance in use, with other settings. The new one belongs to the caller,
 * who gives it to plugin_swap() or instance_release(). */
pa_status plugin_open_beside(struct plugin *plugin, const struct host_setting *settings,
			     size_t count, struct instance **ret, pa_error *err) PA_MUST_USE;

/* Calls begin with the new instance from now on; the old one is closed after its last call. Any
 * thread. */
void plugin_swap(struct plugin *plugin, struct instance *instance);

const pa_plugin *plugin_descriptor(const struct plugin *plugin);
const char *plugin_instance(const struct plugin *plugin);

/* A call into the plugin: begin, use the operations with call_self() and the call, end. Results
 * die with the arena given, which must outlive the call. deadline_ms counts from now. For a serial
 * plugin begin waits for the lock, within the deadline: NULL if it did not get it. */
pa_call *plugin_call_begin(struct plugin *plugin, struct arena *arena, int64_t deadline_ms);
void plugin_call_end(pa_call *call);
void *call_self(const pa_call *call);

/* What is begun with one instance is ended with the same: keep holds the call's, and a later call
 * on it takes the hold over, whatever comes of it. is_current: it was not swapped meanwhile. */
struct instance *plugin_call_keep(pa_call *call);
pa_call *instance_call_begin(struct instance *instance, struct arena *arena, int64_t deadline_ms);
bool instance_is_current(const struct instance *instance);
void instance_release(struct instance *instance);

/* A call that may block, on a thread of the host's. run() makes it; what it reads and writes lies
 * in the arena given, for it may go on after the asker has gone. */
typedef pa_status plugin_run_fn(void *self, pa_call *call, void *arg, pa_error *err);

struct lending {
	const char *what; /* the operation, for the journal; static */
	plugin_run_fn *run;
	void *arg;
	int64_t deadline_ns; /* monotonic */
};

/* What run() returned; or PA_RETRY: it was not called (disabled, busy, too many did not come back).
 * If the call does not come back within a second of its deadline: PA_DEADLINE, and *arena is NULL:
 * it is the call's now, and freed if that ever ends. */
pa_status plugin_lend_call(struct plugin *plugin, struct arena **arena,
			   const struct lending *lending, pa_error *err) PA_MUST_USE;

/* No more calls are lent to it. Any thread. */
void plugin_disable(struct plugin *plugin);
bool plugin_is_disabled(const struct plugin *plugin);

/* Makes an error that a plugin filled in safe to print: bounded, ended by a NUL, one line. Call it
 * after every operation that failed. */
void plugin_error_clean(pa_error *err);

/* proaltod --probe FILE: opens the file, checks the descriptor, prints one line of result for the
 * parent, and returns the exit status. Runs alone in a fresh process. */
int host_probe_main(const char *file);

/* Checks a descriptor that was found; used by the probe and for static plugins. */
pa_status host_check_descriptor(const pa_plugin *plugin, const char *name, pa_error *err)
	PA_MUST_USE;

/* A call in progress that is far past its deadline. */
struct host_stuck {
	const char *plugin;
	const char *what; /* of a lent call; NULL: its thread is one of a kind and waits with it */
	int64_t late_ms;
};

/* Those late by more than grace_ms, newest first, at most room; returns how many there are. */
size_t host_stuck(struct host *host, int64_t grace_ms, struct host_stuck *ret, size_t room);

#endif
