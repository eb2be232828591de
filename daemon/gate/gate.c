/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/gate.h"

static bool class_is_open(enum turn_class class)
{
	return class == CLASS_RESPUESTA || class == CLASS_SEGURIDAD || class == CLASS_TRANSACCIONAL;
}

struct gate_answer gate_ask(const struct gate_question *q)
{
	if (!class_is_open(q->class))
		return (struct gate_answer){GATE_REFUSE, "class-not-open"};
	if (q->is_disabled)
		return (struct gate_answer){GATE_REFUSE, "channel-disabled"};
	if (q->not_after_ns && q->now_ns > q->not_after_ns)
		return (struct gate_answer){GATE_REFUSE, "too-late"};
	if (q->window_ns && !q->is_template && q->now_ns >= q->window_ns)
		return (struct gate_answer){GATE_REFUSE, "window-closed"};
	return (struct gate_answer){GATE_SEND, "send"};
}
