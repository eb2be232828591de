/* SPDX-License-Identifier: Apache-2.0
 *
 * edge/control.h: the control socket: how proaltoctl talks to a running daemon.
 *
 * A unix stream socket. A request is one line with a JSON object, {"command":"reload"}; the answer
 * is one line too: the object that the command filled in with "ok":true, or
 * {"ok":false,"error":"..."}. Several requests may follow each other on a connection.
 *
 *	static const struct control_command commands[] = {{"reload", on_reload}, ...};
 *	status = control_new(&(struct control_options){.loop = loop, .path = path,
 *			.commands = commands, .commands_count = ..., .arg = app}, &control, &err);
 *
 * Who may: root, the daemon's own user, and members of the group; asked of the kernel
 * (SO_PEERCRED, SO_PEERGROUPS), never of a name service, which could block. Runs on the loop:
 * commands are called on its thread, one at a time. Lines, answers, connections and their time are
 * bounded; a peer that does not read is dropped. Bad at: bulk, and commands that take long (the
 * loop waits for them).
 */
#ifndef EDGE_CONTROL_H
#define EDGE_CONTROL_H

#include "io/json.h"
#include "io/loop.h"

struct control;

/* Fills reply, or sets err and returns another status than PA_OK. request is the whole object, with
 * the asker's user id as "uid", whatever he wrote there himself; reply and request are borrowed. */
typedef pa_status control_fn(void *arg, const struct json *request, struct json *reply,
			     pa_error *err);

struct control_command {
	const char *name;
	control_fn *run;
};

struct control_options {
	struct loop *loop;
	const char *path;  /* of the socket; made with mode 0660 */
	const char *group; /* whose members may command; NULL or unknown: nobody else */
	const struct control_command *commands; /* must outlive the control */
	size_t commands_count;
	void *arg; /* for the commands */
};

/* Listens. A socket left behind by a dead daemon is replaced. PA_RETRY: another daemon answers
 * there, or the path can't be used. */
pa_status control_new(const struct control_options *options, struct control **ret, pa_error *err)
	PA_MUST_USE;

/* Closes all connections and removes the socket. NULL is fine. */
void control_free(struct control *control);

#endif
