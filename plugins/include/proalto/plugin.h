/* SPDX-License-Identifier: Apache-2.0
 *
 * proalto/plugin.h: how the daemon and a plugin meet.
 *
 * A plugin is a shared object that exports one constant, made by PROALTO_PLUGIN(name). It is data:
 * the daemon reads name, kind, options and tables without running a line of the plugin's code.
 *
 *	static const pa_option *const options[] = { &(pa_option){ ... }, ... };
 *	PROALTO_PLUGIN(example) = {
 *		.size = sizeof(pa_plugin), .abi_major = PA_ABI_MAJOR, .abi_minor = PA_ABI_MINOR,
 *		.kind = PA_KIND_CHANNEL, .name = "example", ...
 *	};
 *
 * Life: probe (descriptor read in a child process) -> open -> operations -> close. The daemon never
 * unloads a plugin. When its options change, it is opened anew beside the old one, which is closed
 * after its last call: keep all state in `self`, none in globals.
 *
 * Threads: open and close run alone. Operations may run at once on several threads with the same
 * self, unless the plugin sets PA_FLAG_SERIAL. Blocking is allowed where the kind's header says so,
 * unbounded blocking never: host->remaining_ms() tells what is left.
 *
 * Ownership: arguments are borrowed until the function returns. Results are allocated with
 * host->alloc and die with the call. Nobody frees what the other side made.
 *
 * Forbidden: exit, fork, signal handlers, setlocale, chdir, umask, threads that outlive close.
 * A plugin runs with the daemon's rights: install only those you trust.
 */
#ifndef PROALTO_PLUGIN_H
#define PROALTO_PLUGIN_H

#include <proalto/http.h>
#include <proalto/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Another major number is refused; a higher minor only appended fields. */
#define PA_ABI_MAJOR 1
#define PA_ABI_MINOR 0

#define PA_KIND_CHANNEL 1u
#define PA_KIND_BACKEND 2u
#define PA_KIND_NLP 3u
#define PA_KIND_SCANNER 4u
#define PA_KIND_TRANSCRIBER 5u
#define PA_KIND_TIMESTAMPER 6u

/* The daemon makes one call at a time with a given self (old libraries that are not thread-safe).
 */
#define PA_FLAG_SERIAL 1u

/* Option types. */
#define PA_OPT_TEXT 1u     /* value.text */
#define PA_OPT_NUMBER 2u   /* value.number */
#define PA_OPT_BOOL 3u     /* value.number, 0 or 1 */
#define PA_OPT_DURATION 4u /* value.number, milliseconds; written "500 ms", "2 s", "5 min" */
#define PA_OPT_URL 5u      /* value.text; https, or http to the loopback */
#define PA_OPT_SECRET 6u   /* value.text; only ever given by reference in the configuration */
#define PA_OPT_MAP 7u      /* value.pairs: names and texts */

/* Option flags. */
#define PA_OPT_REQUIRED 1u

/* One key of the plugin's section of the configuration. */
typedef struct pa_option {
	uint32_t size;
	uint32_t type;  /* PA_OPT_TEXT and so on */
	uint32_t flags; /* PA_OPT_REQUIRED or 0 */
	uint32_t reserved;
	const char *name;
	const char *fallback; /* the default as it would be written, or NULL: none */
	const char *help;     /* one or two sentences in English, shown by proaltod --options */
} pa_option;

/* The value of the option at the same place in the descriptor's table. */
typedef struct pa_value {
	uint32_t size;
	uint32_t is_set; /* 0: neither configured nor defaulted */
	pa_str text;     /* NUL-terminated as a courtesy; the NUL is not counted */
	int64_t number;
	const pa_pair *const *pairs;
	size_t pairs_count;
} pa_value;

/* One call in progress: its memory and its deadline. Opaque; valid until the operation returns. */
typedef struct pa_call pa_call;

#define PA_LOG_ERROR 3u
#define PA_LOG_WARNING 4u
#define PA_LOG_INFO 6u
#define PA_LOG_DEBUG 7u

/* The services a plugin may use. Every one of them may be called from any thread that runs an
 * operation, with that operation's call. */
typedef struct pa_host {
	uint32_t size;
	uint32_t reserved;

	/* n bytes of zeroed memory, aligned for any type, that lives as long as the call.
	 * Never NULL: past the call's cap (16 MiB) the daemon ends the call's plugin. */
	void *(*alloc)(pa_call *call, size_t n);

	/* Milliseconds until the call's deadline; 0 when it has passed. */
	int64_t (*remaining_ms)(pa_call *call);

	/* Business time in nanoseconds since 1970-01-01 UTC. Never use the system clock: tests turn
	 * this one. */
	int64_t (*now_ns)(pa_call *call);

	/* One line to the journal, a sentence in English, at most 500 bytes. Never a personal
	 * datum, a secret, or text that a peer chose. */
	void (*log)(pa_call *call, uint32_t level, pa_str text);

	/* HMAC-SHA-256 (RFC 2104, FIPS 180-4) of data under key; out takes 32 bytes. */
	void (*hmac_sha256)(pa_call *call, pa_str key, pa_str data, uint8_t *out);

	/* 1 if equal, 0 if not; the time depends on the lengths only. */
	uint32_t (*equal_constant_time)(pa_call *call, pa_str a, pa_str b);

	/* n bytes from the kernel's random generator. */
	void (*random_bytes)(pa_call *call, uint8_t *out, size_t n);

	/* Sends the request and waits for the answer, at most until the call's deadline, over the
	 * daemon's own connections, TLS and proxy policy. PA_OK: ret_response is filled, whatever
	 * its status code. PA_RETRY: no answer; ret_failure is PA_HTTP_FAILED_*. PA_REJECTED: the
	 * URL is not allowed. PA_DEADLINE: time is up, the peer may have seen the request.
	 * Blocking: not for the pure functions of a translating channel (there it is PA_BUG). */
	pa_status (*http)(pa_call *call, const pa_http_request *request,
			  pa_http_response *ret_response, uint32_t *ret_failure, pa_error *err);
} pa_host;

/* The descriptor: the one exported symbol. */
typedef struct pa_plugin {
	uint32_t size;
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t kind;
	uint32_t flags;
	const char *name;    /* as the file: "channel-whatsapp" */
	const char *version; /* free text, shown to administrators */
	const char *summary; /* one sentence in English */
	const pa_option *const *options;
	size_t options_count;

	/* Makes an instance from checked values (one per option, same order; borrowed until open
	 * returns). Must not touch the network. PA_REJECTED with a sentence refuses the values. */
	pa_status (*open)(const pa_host *host, pa_call *call, const pa_value *const *values,
			  void **ret_self, pa_error *err);

	/* Frees the instance. No call is in progress. */
	void (*close)(void *self);

	/* pa_channel_ops, pa_backend_ops ... by kind. */
	const void *ops;
} pa_plugin;

/* The exported symbol's name, and how it is defined. With PROALTO_STATIC the plugin is linked into
 * the program (sanitizer and fuzz builds) and the symbol carries the plugin's name. */
#define PROALTO_PLUGIN_SYMBOL "proalto_plugin"
#ifdef __cplusplus
#define PA_PLUGIN_LINKAGE extern "C"
#else
#define PA_PLUGIN_LINKAGE extern
#endif
#ifdef PROALTO_STATIC
#define PROALTO_PLUGIN(ident)                                                                      \
	PA_PLUGIN_LINKAGE const pa_plugin proalto_plugin_##ident;                                  \
	const pa_plugin proalto_plugin_##ident
#else
#define PROALTO_PLUGIN(ident)                                                                      \
	PA_PLUGIN_LINKAGE __attribute__((visibility("default"))) const pa_plugin proalto_plugin;   \
	const pa_plugin proalto_plugin
#endif

#ifdef __cplusplus
}
#endif

#endif
