/* SPDX-License-Identifier: Apache-2.0
 *
 * edge/control.h: the control socket: how proaltoctl talks to a running daemon.
 *
 * A unix stream socket. A request is one line with a JSON object, {"command":"reload"}; the answer
 * is one line too: the object that the command filled in with "ok":true, or
 * {"ok":false,"error":"..."}. Several requests may follow each other on a connection.
 *
 *	static const struct control_command commands[] = {{"reload", on_reload, CONTROL_ADMIN},
 *...}; status = control_new(&(struct control_options){.loop = loop, .path = path, .commands =
 * commands, .commands_count = ..., .arg = app}, &control, &err);
 *
 * Who may: root and the daemon's own user everything, members of two groups what the table says;
 * asked of the kernel for each command (SO_PEERCRED, SO_PEERGROUPS), never of a name service, which
 * could block. The socket itself is open to everyone (giving it to a group would need chown, which
 * the unit forbids); who is in neither group is hung up on. Runs on the loop: commands are called
 * on its thread, one at a time, but for those that ask the store: each of these has a thread while
 * it lasts. Lines, answers, connections and their time are bounded; a peer that does not read is
 * dropped.
 */
#ifndef EDGE_CONTROL_H
#define EDGE_CONTROL_H

#include "io/json.h"
#include "io/loop.h"

struct control;

/* Fills reply, or sets err and returns another status than PA_OK. request is the whole object, with
 * the asker's user id as "uid", whatever he wrote there himself; reply and request are borrowed.
 * On the loop's thread, or on one of its own. */
typedef pa_status control_fn(void *arg, const struct json *request, struct json *reply,
			     pa_error *err);

/* Whose a command is. */
enum control_right {
	CONTROL_ADMIN, /* of the members of admin_group */
	CONTROL_VIEW,  /* of those of view_group as well */
};

struct control_command {
	const char *name;
	control_fn *run;
	enum control_right right;
	bool asks_store; /* may take long: on a thread of its own, and its answer may be large */
};

struct control_options {
	struct loop *loop;
	const char *path;                       /* of the socket; made with mode 0666 */
	const char *view_group;                 /* NULL or unknown: nobody's */
	const char *admin_group;                /* the same */
	const struct control_command *commands; /* must outlive the control */
	size_t commands_count;
	void *arg; /* for the commands */
};

/* Listens. A socket left behind by a dead daemon is replaced. PA_RETRY: another daemon answers
 * there, or the path can't be used. */
pa_status control_new(const struct control_options *options, struct control **ret, pa_error *err)
	PA_MUST_USE;

/* Closes all connections, waits for commands that ask the store, and removes the socket. NULL is
 * fine. */
void control_free(struct control *control);

#endif
