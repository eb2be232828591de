/* SPDX-License-Identifier: Apache-2.0
 *
 * config/config.h: /etc/proalto.conf and what it includes, read, checked and typed.
 *
 * Everything wrong is reported at once, each with file and line; nothing half-read is ever used.
 * Secrets are given by reference only: "credential:NAME" ($CREDENTIALS_DIRECTORY), "file:/PATH"
 * (not readable by others), "env:NAME"; they are wiped by config_free. A config never changes after
 * it was loaded: a reload makes a new one. @include "NAME" takes files beside or below the file.
 *
 *	struct config_problems problems = {.arena = arena};
 *	status = config_load("/etc/proalto.conf", host, &config, &problems, &err);
 *	for (size_t i = 0; i < problems.count; i++) ... problems.list[i]
 *
 * Bad at: being read while the environment changes (secrets, language), more than 200 problems.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/arena.h"
#include "host/host.h"

#define CONFIG_CHANNELS_MAX 200                           /* the store numbers them with one byte */
#define CONFIG_CONTROL_SOCKET "/run/proalto/control.sock" /* default of control.socket */

enum lookup_mode { LOOKUP_FULL, LOOKUP_LAST4, LOOKUP_LINK };
enum regulation { REGULATION_NO_VIGILADA, REGULATION_VIGILADA };

struct config_channel {
	const char *name; /* "whatsapp": also the last part of its webhook address */
	const char *plugin;
	const char *account; /* our number's id at the provider, "" if it has none */
	const struct host_setting *settings;
	size_t settings_count;
	double rate;                /* messages a second of the account */
	int64_t recipient_pause_ms; /* between two messages to one person, on average */
	int64_t recipient_burst;    /* messages to one person that may go at once before that */
	int64_t attempt_timeout_ms;
	int64_t uncertain_wait_ms;
	int64_t give_up_after_ms; /* retries end */
	bool is_optional;         /* its plugin refused: go on without it */
	const char *where;
};

struct config_backend {
	const char *name;
	const char *plugin;
	const struct host_setting *settings;
	size_t settings_count;
	int64_t max_calls;
	int64_t deadline_ms;
	int64_t breaker_after;
	int64_t breaker_pause_ms;
	bool is_optional; /* its plugin refused: go on without it */
	const char *where;
};

struct config_language {
	const char *plugin; /* NULL: none */
	const struct host_setting *settings;
	size_t settings_count;
	double threshold; /* 0 to 1 */
	bool is_optional; /* its plugin refused: go on without it */
	const char *where;
};

struct config {
	struct arena *arena; /* holds all of it */

	/* listen */
	const char *listen_address;
	int64_t listen_port;
	int64_t listen_max_body;
	int64_t listen_timeout_ms;
	int64_t listen_max_connections;
	int64_t listen_max_per_address;
	int64_t listen_bad_requests;
	const char *trusted_proxies; /* networks, checked; NULL: none */
	const char *certificate;     /* NULL: plain HTTP, and no key either */
	const char *certificate_key;

	/* control */
	const char *control_socket;

	/* metrics */
	const char *metrics_address;
	int64_t metrics_port; /* 0: none */
	bool metrics_remote;  /* the address may be another than the loopback's */

	/* store */
	const char *database; /* libpq connection string */
	pa_str master_key; /* 32 bytes, from a secret: hexadecimal there; two such while one takes
			    * over from the other, the newest first */
	const char *node;  /* this node's name; default: the host's */

	/* backup: proaltoctl's business */
	const char *backup_directory;
	int64_t backup_keep;
	const char *backup_recovery; /* the recovery file, for whose code backups are sealed */

	/* files */
	const char *file_inspector; /* path of proalto-inspect */
	int64_t file_max_bytes;
	int64_t file_max_pixels;
	int64_t file_max_pages;

	/* work */
	int64_t workers;
	int64_t turn_deadline_ms;
	int64_t stuck_after_ms;
	int64_t stuck_calls;
	int64_t quiet_ms;
	int64_t quiet_max_ms;

	/* house */
	const char *house_name;
	const char *house_nit;
	const char *house_address;
	const char *house_phone;
	const char *house_email;
	const char *house_policy_url;
	enum regulation regulation;

	/* flows */
	const char *flows_directory;
	const char *texts_directory;
	const char *own_flows_directory; /* files here replace those of the same name */
	const char *own_texts_directory;

	/* identity */
	enum lookup_mode lookup;
	const char *code_channel; /* name of a channel that carries SMS */
	int64_t code_ttl_ms;
	int64_t code_tries;
	int64_t lock_ms;
	int64_t session_idle_ms;
	int64_t session_max_ms;
	int64_t owner_codes_per_hour;
	int64_t stranger_codes_per_hour;
	int64_t mobile_settle_days; /* a mobile younger than this goes to a person */

	/* plugins */
	const char *plugin_directory;
	const struct config_channel *channels;
	size_t channels_count;
	const struct config_backend *backends;
	size_t backends_count;
	struct config_language language;

	/* outbound */
	const char *ca_file; /* NULL: none but the system's */
	bool system_authorities;
	const char *proxy;       /* NULL: none */
	const char *proxy_login; /* "user:password", from a secret, or NULL */
	const char *no_proxy;    /* libcurl's list, or NULL */

	int64_t log_level;
	bool demo; /* the operator says so; refused unless every core is marked demo too */
};

/* One complaint: "proalto.conf:12: ..." */
struct config_problem {
	const char *where;
	const char *what;
	bool is_warning;
};

struct config_problems {
	struct arena *arena;
	struct config_problem *list;
	size_t count;
	size_t room;
	bool skips_secrets; /* given: no secret is read, each is zeros; for a look only */
};

/* Reads and checks path. host (may be NULL) lends the plugins' option tables, so that their
 * sections are checked too. On PA_REJECTED, problems holds every error; on PA_OK, warnings. */
pa_status config_load(const char *path, struct host *host, struct config **ret,
		      struct config_problems *problems, pa_error *err) PA_MUST_USE;
void config_free(struct config *config);
void config_done(struct config **config); /* for PA_CLEANUP */

/* The file's plugins.directory, or its default when the file can't tell: so that a host can be made
 * before the configuration is known to be right, and all problems are found at once. */
const char *config_plugin_directory(const char *path, struct arena *arena);

/* Where a credential that a file names lies encrypted, for systemd. */
const char *config_encrypted_credential(const char *path, pa_str name, struct arena *arena);

/* The file's control.socket, or its default, whatever is wrong with the rest; NULL if the file
 * can't be read at all. */
const char *config_control_socket(const char *path, struct arena *arena);

/* A setting that a file states otherwise than the default. */
struct config_change {
	const char *path;     /* "channels.whatsapp.rate" */
	const char *value;    /* as it would be written; NULL: it may be a secret */
	const char *fallback; /* the default; NULL: there is none */
	const char *where;    /* "proalto.conf:12" */
};

/* All of them, in the file's order, read without secrets and whether the rest is right or not. host
 * (NULL: none) knows the options of plugins; of those that it doesn't know only references are
 * shown. The list lies in the arena. PA_REJECTED: the file can't be read. */
pa_status config_changes(const char *path, struct host *host, struct arena *arena,
			 const struct config_change **ret, size_t *ret_count, pa_error *err)
	PA_MUST_USE;

/* One path of the file, such as "flows.directory", or its default, whatever is wrong with the rest;
 * NULL if the file can't be read. The key must exist and have a default. */
const char *config_path_of(const char *file, const char *key, struct arena *arena);

/* Prints every problem, errors and warnings, a line each, and a closing line on path, for people
 * (proaltod --check): errors on standard error. Returns how many of them are errors. */
size_t config_print_problems(const char *path, const struct config_problems *problems);

/* A secret that a file refers to. */
struct config_secret {
	const char *reference; /* "credential:NAME" ... */
	pa_str bytes;          /* absent if it can't be read */
};

/* Every secret that path refers to, once each, whosever option it is: no plugin is asked. Lies in
 * the arena, which the caller wipes. PA_REJECTED: the file can't be read. problems tells of secrets
 * that can't. */
pa_status config_secrets(const char *path, struct arena *arena, struct config_secret **ret,
			 size_t *ret_count, struct config_problems *problems, pa_error *err)
	PA_MUST_USE;

/* Where the file says that the master key is: "credential:NAME" ...; NULL if it does not. */
const char *config_master_reference(const char *path, struct arena *arena);

/* Whether a plugin is given other values of its options. */
bool config_settings_differ(const struct host_setting *a, size_t a_count,
			    const struct host_setting *b, size_t b_count);

/* Appends to names the keys that differ between the two and can't be changed without a restart. */
size_t config_restart_keys(const struct config *old, const struct config *new, const char **names,
			   size_t room);

/* Prints every key with type, default and help (proaltod --options), or those of one plugin. */
void config_print_options(const pa_plugin *plugin);

#endif
