/* SPDX-License-Identifier: Apache-2.0
 *
 * gate/gate.h: may this message leave now? Asked at the moment of sending and again at each retry,
 * for every message without exception. Pure: all it needs is in the question.
 *
 * Until the whole gate exists (contact hours, quotas, exclusion registry), only the classes that
 * need none of it may leave: respuesta, seguridad, transaccional (CO-01).
 */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include "flow/turn.h"

struct gate_question {
	enum turn_class class;
	int64_t now_ns;       /* business time */
	int64_t not_after_ns; /* 0: none */
	int64_t window_ns;    /* end of the channel's 24 h window, 0: it has none */
	bool is_template;     /* a template needs no window */
	bool is_disabled;     /* the channel's plugin is */
};

enum gate_verdict { GATE_SEND, GATE_REFUSE };

struct gate_answer {
	enum gate_verdict verdict;
	const char *reason; /* static; recorded with the message */
};

struct gate_answer gate_ask(const struct gate_question *question);

#endif
