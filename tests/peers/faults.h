/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/peers/faults.h: how a stand-in is told to misbehave. A plan is JSON:
 *
 *	{"latency_ms": 50,
 *	 "next": [{"count": 3, "kind": "error", "http": 400, "code": 130429},
 *	          {"count": 1, "kind": "drop_after"}]}
 *
 * kinds: ok, error, hang (no answer, ever), drop_before (the connection closes, nothing was
 * accepted), drop_after (accepted, then it closes). Each accepted-to-be request takes one of the
 * first entry's count; a count of -1 stays until the next plan. "next" replaces what was planned.
 */
#ifndef TESTS_PEERS_FAULTS_H
#define TESTS_PEERS_FAULTS_H

#include "base/base.h"

#include <jansson.h>

enum fault_kind { FAULT_NONE, FAULT_ERROR, FAULT_HANG, FAULT_DROP_BEFORE, FAULT_DROP_AFTER };

struct fault {
	enum fault_kind kind;
	unsigned http;
	int code;
};

struct faults {
	int64_t latency_ns;
	json_t *next;
};

/* False if the plan makes no sense: then nothing changed. */
bool faults_plan(struct faults *faults, json_t *plan);

/* What to do with the request at hand. */
struct fault faults_take(struct faults *faults);

#endif
