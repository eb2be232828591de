/* SPDX-License-Identifier: Apache-2.0
 *
 * host/internal.h: what the files of this room share; nobody else includes it.
 *
 * load.c finds a file and opens it, probe.c tries it in a child first, descriptor.c judges the
 * descriptor, call.c lends the services, caller.c the threads, host.c ties them together.
 *
 * Locks: host->load guards libraries and arena; host->watch guards the list of calls and the number
 * of instances; host->lending guards callers and calls on their way, and every plugin's left;
 * plugin->lock guards current, is_busy, and the references of plugin and instances. None is held
 * while foreign code runs but host->load, under which a library is loaded (its constructors run
 * there).
 */
#ifndef HOST_INTERNAL_H
#define HOST_INTERNAL_H

#include "host/host.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <time.h>

/* What a call may allocate in all. */
#define CALL_CAP ((size_t)16 << 20)

/* Which version of a file a verdict belongs to. */
struct file_stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct library;
struct caller;

struct host {
	struct host_options options;
	pthread_mutex_t load;
	struct arena *arena; /* holds libraries, descriptors and the strings of options */
	struct library *libraries;
	pthread_mutex_t watch;
	pa_call *calls; /* in progress, newest first */
	size_t instances;
	pthread_mutex_t lending;
	struct caller *idle; /* threads that wait for a call to make */
	bool is_closing;
};

struct instance {
	struct plugin *plugin;
	void *self;
	size_t references; /* the plugin's while it is current, one for each call and each hold */
};

struct plugin {
	struct host *host;
	const pa_plugin *descriptor; /* adopted: complete, see descriptor_adopt */
	char *instance;
	struct instance *current;
	bool is_pure; /* a translating channel: its functions may not block */
	pthread_mutex_t lock;
	pthread_cond_t freed; /* is_busy became false */
	size_t references;    /* the owner's and one for each instance */
	bool is_busy;         /* serial plugins: a call is in progress */
	size_t left;          /* lent calls that nobody waits for any more */
	_Atomic bool is_disabled;
};

/* One call; lies in the caller's arena. */
struct pa_call {
	struct plugin *plugin;
	struct instance *instance; /* NULL: it is being opened */
	struct arena *arena;
	const char *what;    /* a lent call's operation; NULL: on a thread that can't be replaced */
	int64_t deadline_ns; /* monotonic */
	size_t used;         /* bytes the plugin took */
	pa_call *newer;
	pa_call *older;
};

/* ---- load.c ---- */

/* Checks owner, mode and kind of the file and its directory. */
pa_status file_check(const char *directory, const char *path, bool check_owner,
		     struct file_stamp *ret, pa_error *err) PA_MUST_USE;

/* Opens the shared object and returns its descriptor as it lies there, already checked. */
pa_status file_load(const char *path, const char *name, const pa_plugin **ret, pa_error *err)
	PA_MUST_USE;

/* The descriptor linked into the program under this name, or NULL. */
const pa_plugin *static_find(const char *name);

/* The plugin's name in a path: the file name without ".so". */
pa_str name_from_path(const char *path);

/* ---- probe.c ---- */

/* Lets a child process open the file. PA_REJECTED: it refused, died or hung. */
pa_status probe_run(const char *program, const char *path, pa_error *err) PA_MUST_USE;

/* ---- descriptor.c ---- */

/* A copy of a checked descriptor in which every struct has this daemon's size: what a plugin
 * compiled with an older minor did not know is zero, what a newer one appended is gone. */
const pa_plugin *descriptor_adopt(struct arena *arena, const pa_plugin *raw);

/* ---- call.c ---- */

/* The table lent to every plugin. */
extern const pa_host host_services;

/* Makes ready the call that is not yet listed: open() has one too. */
void call_prepare(pa_call *call, struct plugin *plugin, struct arena *arena, int64_t deadline_ms);

/* A call and its end, as the watch and the fatal-signal handler see them. */
void call_enter(pa_call *call);
void call_leave(pa_call *call);

/* Takes a reference on an instance, the plugin's current one if the call has none yet, and for a
 * serial plugin its only slot; false if time ran out. */
bool call_take(pa_call *call);

/* Gives back a serial plugin's slot. */
void plugin_free_slot(struct plugin *plugin);

/* ---- caller.c ---- */

/* Ends the threads that have no call. */
void callers_free(struct host *host);

/* ---- host.c ---- */

void cond_init_monotonic(pthread_cond_t *cond);

#endif
