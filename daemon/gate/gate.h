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

enum gate_reason {
	GATE_OPEN,
	GATE_CLASS_NOT_OPEN,
	GATE_CHANNEL_DISABLED,
	GATE_TOO_LATE,
	GATE_WINDOW_CLOSED,
	GATE_REASONS,
};

/* As they are recorded with a message. */
extern const char *const gate_words[GATE_REASONS];

struct gate_answer {
	enum gate_verdict verdict;
	enum gate_reason reason;
};

struct gate_answer gate_ask(const struct gate_question *question);

#endif
