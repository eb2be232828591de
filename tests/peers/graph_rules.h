/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/peers/graph_rules.h: what Meta's Cloud API accepts at POST /{phone-number-id}/messages,
 * stricter than Meta itself: unknown keys are refused. Source of the limits: Meta's pages on
 * messages, interactive messages and templates for the Cloud API, Graph API v26.0.
 */
#ifndef TESTS_PEERS_GRAPH_RULES_H
#define TESTS_PEERS_GRAPH_RULES_H

#include "base/base.h"

#include <jansson.h>

/* What the rules need to know of the stand-in's state. */
struct graph_world {
	bool (*knows_media)(void *arg, const char *id);
	bool (*knows_inbound)(void *arg, const char *wamid);
	json_t *templates; /* name -> {"languages": [...], "body": n}; empty: any template */
	void *arg;
};

/* Why a message was refused; code 0: it was not. */
struct verdict {
	unsigned http;
	int code;
	char details[200];
};

/* Checks a whole request body: a message, or a mark as read. */
struct verdict graph_check(const struct graph_world *world, json_t *request);

/* True for {"status": "read", ...}. */
bool graph_is_read(json_t *request);

#endif
