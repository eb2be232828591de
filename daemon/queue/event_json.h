/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/event_json.h: one inbound item in JSON, for people and tests: its kind in words, and only
 * the members that such an item has. What the provider did not tell is null.
 */
#ifndef QUEUE_EVENT_JSON_H
#define QUEUE_EVENT_JSON_H

#include "io/json.h"

#include <proalto/channel.h>

/* Adds the item's members to object. */
void event_json(const pa_event *event, struct json *object);

#endif
