/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/ctl.h: what the subcommands of proaltoctl share. A subcommand is one file with one function,
 * and a row in main.c's table.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include "config/config.h"
#include "io/json.h"

/* Exit statuses; --help tells them to people. */
#define CTL_OK 0
#define CTL_FAILED 1    /* it was tried and did not work */
#define CTL_USAGE 2     /* the arguments make no sense */
#define CTL_NO_DAEMON 3 /* nobody answers on the control socket */

struct ctl {
	struct arena *arena; /* of the whole run */
	const char *config_path;
	const char *name; /* of the subcommand */
};

/* Runs with the arguments behind the subcommand's name. Returns the exit status. */
typedef int ctl_fn(struct ctl *ctl, int argc, char *const *argv);

ctl_fn ctl_backup;       /* backup [--output FILE] */
ctl_fn ctl_check;        /* check */
ctl_fn ctl_channel;      /* channel pause, channel resume */
ctl_fn ctl_clock;        /* clock advance DURATION */
ctl_fn ctl_config_diff;  /* config diff [--json] */
ctl_fn ctl_conversation; /* conversation show, conversation resume */
ctl_fn ctl_doctor;       /* doctor [--json] [--public-url URL] */
ctl_fn ctl_db;           /* db check, index, migrate, status */
ctl_fn ctl_demo;         /* demo [--port N] */
ctl_fn ctl_drain;        /* drain */
ctl_fn ctl_hosts;        /* hosts [--json] */
ctl_fn ctl_inbox;        /* inbox --json */
ctl_fn ctl_keys;         /* keys rotate, status, recovery */
ctl_fn ctl_log_level;    /* log-level LEVEL */
ctl_fn ctl_looks;        /* looks */
ctl_fn ctl_node;         /* node add, import */
ctl_fn ctl_outbox;       /* outbox list, retry, give-up, settle */
ctl_fn ctl_queues;       /* queues */
ctl_fn ctl_reload;       /* reload */
ctl_fn ctl_restore;      /* restore FILE */
ctl_fn ctl_retention;    /* retention show, retention run */
ctl_fn ctl_rollback;     /* rollback [--to-backup FILE] ... */
ctl_fn ctl_set_aside;    /* set-aside list, retry, drop */
ctl_fn ctl_setup;        /* setup */
ctl_fn ctl_status;       /* status */
ctl_fn ctl_undrain;      /* undrain */

/* "proaltoctl: NAME: text" on standard error; returns status. */
int ctl_fail(const struct ctl *ctl, int status, const char *format, ...) PA_PRINTF(3, 4);

/* One of two, by the operator's language. Both may be formats. */
__attribute__((format_arg(1), format_arg(2))) const char *ctl_say(const char *spanish,
								  const char *english);

/* Says how the subcommand is used, on standard error; returns CTL_USAGE. */
int ctl_usage(const struct ctl *ctl);

/* The configuration, read without plugins. CTL_OK, or CTL_FAILED after its problems were printed.
 */
int ctl_config(struct ctl *ctl, struct config **ret);

/* Sends a request to the daemon and returns its answer, which has "ok":true. Otherwise prints what
 * is wrong and returns CTL_FAILED or CTL_NO_DAEMON. */
int ctl_ask(struct ctl *ctl, const struct json *request, struct json **ret);

/* The same for a request that is nothing but a command. */
int ctl_command(struct ctl *ctl, const char *command, struct json **ret);

/* Prints an object's members, "name: value" a line; lists a line each. */
void ctl_print(const struct json *object);

/* Prints what somebody else has written, without its control characters: they are for a terminal.
 */
void ctl_print_text(pa_str text);

/* Prints a value as one line of JSON. */
void ctl_print_json(const struct json *value);

#endif
