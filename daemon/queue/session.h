/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/session.h: the daemon's side of a session-holding channel: a thread on which its run()
 * lives, a line of messages for its next(), and a way in for its deliver().
 */
#ifndef QUEUE_SESSION_H
#define QUEUE_SESSION_H

#include "queue/item.h"

struct session;
struct dispatch;
struct intake;

/* A session whose messages wait until it is started. */
struct session *session_new(struct channel *channel, struct intake *intake,
			    struct dispatch *dispatch);

/* Starts the thread; run() is called again with back-off when it returns. */
void session_start(struct session *session);

/* Asks run() to return and waits for it: five seconds, then the process gives up on it. Messages
 * that it did not take go back to the dispatcher. NULL, or one never started, is fine. */
void session_stop(struct session *session);

/* When nobody pushes any more. NULL is fine. */
void session_free(struct session *session);

/* Whether run() is under way. Any thread. */
bool session_is_up(const struct session *session);

/* A message to send; its attempt is committed. message lives in arena, which is the session's from
 * now on. False: the session has ended, and arena stays the caller's. */
bool session_push(struct session *session, struct outbound *outbound, const pa_message *message,
		  struct arena *arena);

/* A read mark: best effort, copied. */
void session_mark(struct session *session, const pa_message *message);

#endif
