/* SPDX-License-Identifier: Apache-2.0
 *
 * simulator_rig.h: a running simulator for each test, with what it told the daemon written down.
 *
 *	SIMULATED(test_something)                        in the table of tests
 *	struct world *world = *state;                    in the test
 *	rig_post(world, "/api/message", "{...}");        as the page
 *	rig_send(world, &message);                       as the daemon
 *	rig_wait_event(world, PA_EVENT_STATUS, PA_STATUS_READ);
 *
 * Whatever can't be done fails the test. Ownership: rig_start makes the world, rig_stop frees it;
 * answers are freed with raw_http_done. Threads: the test's only.
 */
#ifndef SIMULATOR_RIG_H
#define SIMULATOR_RIG_H

#include "browser/raw_http.h"
#include "browser/session_fake.h"

#include <pthread.h>

#define RIG_PHONE "573005550101"
#define SEEN_MAX 64
#define TEXT_MAX 512

/* What the plugin told the daemon. */
struct seen {
	uint32_t kind;
	uint32_t message_kind;
	uint32_t status;
	char unique[TEXT_MAX];
	char phone[TEXT_MAX];
	char user_id[TEXT_MAX];
	char text[TEXT_MAX];
	char reply_id[TEXT_MAX];
	char context_id[TEXT_MAX];
	char ref[TEXT_MAX];
};

struct world {
	struct session_fake *fake;
	int port;
	pthread_mutex_t lock;
	struct seen events[SEEN_MAX];
	size_t events_count;
	uint32_t result; /* of the last outcome */
	int64_t code;
	char reason[TEXT_MAX];
	char external_id[TEXT_MAX];
	size_t outcomes;
	uint32_t answer_inside; /* PA_OUT_*: sent before the delivery of a message returns */
};

#define SIMULATED(test) cmocka_unit_test_setup_teardown(test, rig_start, rig_stop)

/* For cmocka: opens and runs the plugin on a free port, ends it. */
int rig_start(void **state);
int rig_stop(void **state);

/* Makes room for more events. */
void rig_forget_events(struct world *world);

/* Two milliseconds. */
void rig_nap(void);

pa_str rig_str(const char *text);

/* Copies into a place of TEXT_MAX bytes. */
void rig_keep(char *place, pa_str text);

/* Sends a request as a program would; rig_ask also waits for the answer. */
int rig_ask_later(const struct world *world, const char *method, const char *path,
		  const char *body);
struct answer rig_ask(const struct world *world, const char *method, const char *path,
		      const char *body);

/* The status of the answer to a request with these headers and nothing else. */
int rig_status(const struct world *world, const char *method, const char *path,
	       const char *headers);

/* The status of the answer to that POST. */
int rig_post(const struct world *world, const char *path, const char *body);

/* The last event of that kind and status, once there is one. */
const struct seen *rig_wait_event(struct world *world, uint32_t kind, uint32_t status);

/* Hands the message to the plugin; its outcome's result, the rest of it in world. */
uint32_t rig_send(struct world *world, const pa_message *message);

/* A text to RIG_PHONE. */
pa_message rig_text(const char *body);

/* A text in the i-th message of "chat" or "sms"; empty if it isn't there. */
const char *rig_member(const struct answer *answer, const char *list, size_t i, const char *name);

#endif
