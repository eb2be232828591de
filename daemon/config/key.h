/* SPDX-License-Identifier: Apache-2.0
 *
 * config/key.h: what the files of this room share; nobody else includes it.
 *
 * keys.c says which keys there are, value.c turns one node of the file into a value, secret.c finds
 * secrets, section.c reads a section by its table and the rest of it by a plugin's, load.c reads
 * the whole, cross.c checks what no key can check alone, options.c prints the tables, changes.c
 * says what differs from the defaults.
 */
#ifndef CONFIG_KEY_H
#define CONFIG_KEY_H

#include "config/config.h"
#include "config/words.h"
#include "io/conf.h"

#define CONFIG_PLUGIN_DIRECTORY "/usr/lib/proalto/plugins"
#define CONFIG_TEXT_MAX 2048    /* bytes of one text */
#define CONFIG_PROBLEMS_MAX 200 /* more are not worth reading */

/* Conversation rule: a supervised house's session ends after so long idle. */
#define CONFIG_IDLE_SUPERVISED_MS (INT64_C(5) * 60 * 1000)

enum key_type {
	KEY_TEXT,     /* const char *; present */
	KEY_NAME,     /* the same, empty is the same as absent: NULL */
	KEY_PATH,     /* const char *: absolute */
	KEY_PATH_OR,  /* the same, empty is NULL */
	KEY_URL,      /* const char *: https, or http to the loopback */
	KEY_PROXY,    /* const char *: a proxy's URL; empty is NULL */
	KEY_NETWORKS, /* const char *: addresses and networks; empty is NULL */
	KEY_SECRET,   /* const char *: a reference to a secret; empty is NULL */
	KEY_DATABASE, /* const char *: connection string, or a reference to a secret */
	KEY_MASTER,   /* pa_str of 32 bytes: a reference to a secret */
	KEY_INTEGER,  /* int64_t */
	KEY_REAL,     /* double */
	KEY_BOOL,     /* bool */
	KEY_DURATION, /* int64_t, milliseconds */
	KEY_SIZE,     /* int64_t, bytes */
	KEY_CHOICE,   /* an enum: the place of the word in choices */
	KEY_LEVEL,    /* int64_t: the same, counted from 3 as syslog does */
};

#define KEY_REQUIRED 1u
#define KEY_RESTART 2u /* a change needs a restart */

/* One key. */
struct config_key {
	const char *path; /* "listen.port"; in a named section: "rate" */
	enum key_type type;
	unsigned flags;
	size_t offset; /* in struct config, config_channel ... */
	double least;  /* numbers, durations in ms, sizes in bytes */
	double most;
	const char *fallback; /* as it would be written in the file; NULL: none */
	const char *const *choices;
	const char *es; /* what it is for */
	const char *en;
};

struct config_table {
	const struct config_key *keys;
	size_t count;
};

extern const struct config_table config_core_keys;
extern const struct config_table config_channel_keys;
extern const struct config_table config_backend_keys;
extern const struct config_table config_language_keys;

/* A secret that is wiped with the configuration. */
struct secret {
	pa_str bytes;
	struct secret *next;
};

/* What config_load makes; users see its first member. */
struct loaded {
	struct config config;
	struct secret *secrets;
};

/* One reading. */
struct reader {
	const char *path; /* of the file */
	struct loaded *loaded;
	struct arena *arena; /* of the configuration */
	struct config_problems *problems;
	struct host *host; /* or NULL */
	size_t errors;
};

/* Notes a problem; where is copied. */
void reader_problem(struct reader *reader, const char *where, bool is_warning, enum words words,
		    const char *first, const char *second, const char *third);
#define reader_error(reader, where, ...) reader_problem((reader), (where), false, __VA_ARGS__)

/* ---- load.c ---- */

/* The file, with what it includes, as a tree. */
pa_status config_read_tree(const char *path, struct arena *arena, const struct conf_node **ret,
			   pa_error *err) PA_MUST_USE;

/* ---- value.c ---- */

/* Puts the node's value into the field at base + key->offset, or notes a problem. */
void value_read(struct reader *reader, const struct config_key *key, const struct conf_node *node,
		void *base);

/* The default, likewise; without one the field stays zero. */
void value_fallback(struct reader *reader, const struct config_key *key, void *base);

/* "a whole number" ... for a key, in the operator's language. */
const char *key_type_words(struct arena *arena, const struct config_key *key);
const char *kind_words(struct arena *arena, enum conf_kind kind);
/* The same for a plugin's option. */
const char *option_words(struct arena *arena, uint32_t type);

/* True if text carries a literal password for libpq, as key=value or within a URI. */
bool text_holds_password(pa_str text);

/* ---- secret.c ---- */

/* True if the text begins as a reference does. */
bool secret_is_reference(pa_str text);

/* The secret that reference points at; false after a problem was noted. */
bool secret_read(struct reader *reader, const char *where, const char *key, pa_str reference,
		 pa_str *ret);

/* Makes sure that the bytes are wiped with the configuration. */
void secret_keep(struct reader *reader, pa_str bytes);

/* ---- section.c ---- */

/* Reads the keys of the table that stand in the group, and the defaults of the others. What is
 * missing is reported at where. */
void section_read_keys(struct reader *reader, const struct config_table *table,
		       const struct conf_node *group, const char *where, void *base);

/* Names the key that the operator may have meant. nearest may be NULL. */
void section_unknown_key(struct reader *reader, const struct conf_node *node, const char *path,
			 const char *nearest);

/* The known name nearest to name, if it is near enough. */
const char *nearest_name(const char *name, const char *const *known, size_t count);

/* The plugin's part of a named section. */
struct plugin_section {
	const struct config_table *table; /* the core's own keys, which are not the plugin's */
	const struct conf_node *group;
	const char *plugin;
	uint32_t kind; /* PA_KIND_* that is wanted */
	bool is_optional;
	const struct host_setting *settings; /* out */
	size_t settings_count;
	const pa_plugin *descriptor; /* out; NULL without a host or when it was refused */
};

/* Checks the options against the plugin's table. False: the section must be left out (its plugin
 * can't be used; that was noted, as a warning if the section is optional). */
bool section_read_options(struct reader *reader, struct plugin_section *section);

/* ---- cross.c ---- */

/* What concerns several keys. descriptors are those of config->channels, with NULL for unknown. */
void cross_check(struct reader *reader, const struct conf_node *root,
		 const pa_plugin *const *descriptors);

#endif
