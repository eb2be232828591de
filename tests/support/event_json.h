/* SPDX-License-Identifier: Apache-2.0
 *
 * support/event_json.h: an event as JSON with words for the constants, so that what is expected can
 * stand in a file. Only what is set appears; at_ns as "at" in seconds; a unique that is a hash as
 * "#"; detail as the value it holds.
 */
#ifndef SUPPORT_EVENT_JSON_H
#define SUPPORT_EVENT_JSON_H

#include <proalto/channel.h>

#include <jansson.h>

/* A new reference. */
json_t *event_as_json(const pa_event *event);

#endif
