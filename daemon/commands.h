/* SPDX-License-Identifier: Apache-2.0
 *
 * commands.h: what proaltoctl can ask a running daemon over the control socket. Each command reads
 * its request, does it, and fills in the reply; see the table in commands.c for their names.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "edge/control.h"
#include "house.h"
#include "queue/queue.h"

struct commands {
	struct house *house;
	struct queue *queue;
	struct tls *tls; /* NULL: plain HTTP */
	const char *config_path;
	int64_t started_ns;  /* business time */
	int64_t reloaded_ns; /* the last time that a reload was tried; 0: never */
	bool is_reload_refused;
};

/* Listens at the configured socket. commands must outlive the control. */
pa_status commands_listen(struct commands *commands, struct loop *loop, struct control **ret,
			  pa_error *err) PA_MUST_USE;

/* All that can be asked, and who may. */
const struct control_command *commands_table(size_t *ret_count);

/* Reads certificate, configuration and flows again, tells systemd and the journal, and gives back
 * the report. */
pa_status commands_reload(struct commands *commands, struct arena *arena, pa_str *ret_report)
	PA_MUST_USE;

#endif
