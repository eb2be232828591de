/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/gate.h"

const char *const gate_words[GATE_REASONS] = {
	[GATE_OPEN] = "send",
	[GATE_CLASS_NOT_OPEN] = "class-not-open",
	[GATE_CHANNEL_DISABLED] = "channel-disabled",
	[GATE_TOO_LATE] = "too-late",
	[GATE_WINDOW_CLOSED] = "window-closed",
};

static bool class_is_open(enum turn_class class)
{
	return class == CLASS_RESPUESTA || class == CLASS_SEGURIDAD || class == CLASS_TRANSACCIONAL;
}

struct gate_answer gate_ask(const struct gate_question *q)
{
	if (!class_is_open(q->class))
		return (struct gate_answer){GATE_REFUSE, GATE_CLASS_NOT_OPEN};
	if (q->is_disabled)
		return (struct gate_answer){GATE_REFUSE, GATE_CHANNEL_DISABLED};
	if (q->not_after_ns && q->now_ns > q->not_after_ns)
		return (struct gate_answer){GATE_REFUSE, GATE_TOO_LATE};
	if (q->window_ns && !q->is_template && q->now_ns >= q->window_ns)
		return (struct gate_answer){GATE_REFUSE, GATE_WINDOW_CLOSED};
	return (struct gate_answer){GATE_SEND, GATE_OPEN};
}
