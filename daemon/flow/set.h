/* SPDX-License-Identifier: Apache-2.0
 *
 * flow/set.h: all that a conversation follows: flows, texts, words that tell an intent, legal
 * documents. Read from libconfig files, checked whole, then never changed.
 *
 *	struct flow_problems problems = {.arena = arena};
 *	if (flow_set_load(&options, &set, &problems, &err) != PA_OK) ... print problems ...
 *	flow_set_keep(set, old);    // on a reload: conversations finish on what they began with
 *	flow_set_unref(old);
 *
 * Everything wrong is told at once, in Spanish for the house's administrator, with file and line: a
 * step, text or verb that does not exist, a step nobody reaches or that leads nowhere, a title over
 * the channel's limit, a text against the wording rules, a value shown on a path where it was not
 * fetched or nobody was verified, a legal text edited in place (HD-10) or incomplete (HD-11).
 *
 * Ownership: reference counted, freed with the last reference. Threads: any number may use one.
 */
#ifndef FLOW_SET_H
#define FLOW_SET_H

#include "base/arena.h"
#include "identity/identity.h"

struct flow_set;

/* The house's own data, as they stand in texts. None is NULL. */
struct flow_house {
	const char *name;
	const char *nit;
	const char *address;
	const char *phone;
	const char *email;
	const char *policy_url; /* "": the policy is sent as text */
};

struct flow_options {
	const char *flows_directory;
	const char *texts_directory;
	/* The house's: a file here is read instead of the one of the same name above, or beside the
	 * others. NULL or no such directory: none. */
	const char *own_flows_directory;
	const char *own_texts_directory;
	struct flow_house house;
	struct identity_settings identity; /* its strings are copied */
	int64_t quiet_ns;                  /* how long text not understood waits for more */
	int64_t quiet_max_ns;
	bool is_supervised;        /* by the Superintendencia Financiera (GE-02) */
	uint32_t intent_threshold; /* parts per million: what the language plugin must be sure of */
};

/* One complaint, "saldo.conf:12". */
struct flow_problem {
	const char *where;
	const char *what;
	bool is_warning;
};

struct flow_problems {
	struct arena *arena;
	struct flow_problem *list;
	size_t count;
	size_t room;
};

/* Reads and checks every *.conf of the directories. PA_REJECTED: problems tells why; on PA_OK it
 * may hold warnings. The caller holds the one reference. */
pa_status flow_set_load(const struct flow_options *options, struct flow_set **ret,
			struct flow_problems *problems, pa_error *err) PA_MUST_USE;

/* A file's text as if it were a file of the directory: for tests. */
struct flow_source {
	const char *name;
	pa_str text;
	bool is_texts; /* of the texts' directory */
};
pa_status flow_set_load_sources(const struct flow_options *options,
				const struct flow_source *sources, size_t count,
				struct flow_set **ret, struct flow_problems *problems,
				pa_error *err) PA_MUST_USE;

struct flow_set *flow_set_ref(struct flow_set *set);
/* NULL is fine. */
void flow_set_unref(struct flow_set *set);

/* Lets conversations with a pending question go on with older sets: `set` holds a reference to old
 * and to what old kept, a few in all. Only before other threads see `set`. */
void flow_set_keep(struct flow_set *set, struct flow_set *old);

/* The files that the house put in the place of, or beside, the shipped ones: paths, which live as
 * long as the set. */
size_t flow_set_own_files(const struct flow_set *set, const char *const **ret);

/* Of the contents: the same files give the same version. Never 0. */
uint64_t flow_set_version(const struct flow_set *set);

#endif
