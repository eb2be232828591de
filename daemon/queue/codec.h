/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/codec.h: events and messages as bytes (base/pack.h), before they are sealed and stored.
 */
#ifndef QUEUE_CODEC_H
#define QUEUE_CODEC_H

#include "base/arena.h"
#include "base/pack.h"

#include <proalto/channel.h>

void event_pack(struct buf *out, const pa_event *event);
/* The slices point into bytes. */
pa_status event_unpack(pa_str bytes, pa_event *ret) PA_MUST_USE;

/* A receipt that is all of its delivery is packed and sealed together with the raw body: half of
 * all that comes in is such receipts. */
void receipt_pack(struct buf *out, const pa_event *event, pa_str body);
/* The raw body, absent if it is kept elsewhere; else as event_unpack(). */
pa_status receipt_unpack(pa_str bytes, pa_event *ret, pa_str *ret_body) PA_MUST_USE;

void message_pack(struct buf *out, const pa_message *message);
/* Slices point into bytes; the arrays lie in the arena. */
pa_status message_unpack(struct arena *arena, pa_str bytes, pa_message *ret) PA_MUST_USE;

#endif
