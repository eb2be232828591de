/* SPDX-License-Identifier: Apache-2.0
 *
 * io/log.h: the journal (libsystemd), or standard error when there is none. One event, one line,
 * one sentence in English. Only our own ids: never a cédula, phone, code, token, wamid (it holds
 * the phone) or text, at any level. base/ and io/ never log: whoever handles an error does.
 * Thread-safe.
 *
 *	log_warning(LOG_IDS(.conversation = id), "the core is away: %s", error_text(&err));
 */
#ifndef IO_LOG_H
#define IO_LOG_H

#include "base/str.h"

/* Fields of a line; zero and NULL are left out. */
struct log_ids {
	int64_t conversation; /* PROALTO_CONVERSATION */
	int64_t event;        /* PROALTO_EVENT: inbox id */
	int64_t outbox;       /* PROALTO_OUTBOX */
	const char *plugin;   /* PROALTO_PLUGIN */
	const char *channel;  /* PROALTO_CHANNEL: name in the configuration */
	const char *message;  /* MESSAGE_ID of a catalogued event */
};

#define LOG_IDS(...) (&(const struct log_ids){__VA_ARGS__})
#define LOG_NO_IDS NULL

/* Priorities as in syslog: 3 error, 4 warning, 5 notice, 6 info, 7 debug. */
void log_line(int priority, const struct log_ids *ids, const char *format, ...) PA_PRINTF(3, 4);

#define log_error(ids, ...) log_line(3, ids, __VA_ARGS__)
#define log_warning(ids, ...) log_line(4, ids, __VA_ARGS__)
#define log_notice(ids, ...) log_line(5, ids, __VA_ARGS__)
#define log_info(ids, ...) log_line(6, ids, __VA_ARGS__)
#define log_debug(ids, ...) log_line(7, ids, __VA_ARGS__)

/* Lines above this priority are dropped; 6 at first. */
void log_set_level(int priority);

/* Lines of this priority that were not dropped, so far. */
uint64_t log_count(int priority);

#endif
