/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/channel.h: one configured channel while the daemon runs: its plugin, its number in the
 * store, and whether it may send just now. Made at start, never freed before the threads that use
 * it have ended.
 */
#ifndef QUEUE_CHANNEL_H
#define QUEUE_CHANNEL_H

#include "base/str.h"
#include "config/config.h"
#include "io/clock.h"
#include "queue/counts.h"

#include <proalto/channel.h>

#include <stdatomic.h>

struct session;

struct channel {
	const char *name;
	const struct config_channel *config;
	struct plugin *plugin;
	const pa_channel_ops *ops;
	int16_t number;                  /* 0 until the store told it */
	struct session *session;         /* of a session-holding channel, else NULL */
	_Atomic int64_t leased_until_ns; /* monotonic: this node alone sends on it until then */
	_Atomic bool is_catching_up;     /* nothing leaves before what others left is in line */
	_Atomic int64_t sick_until_ns;   /* monotonic: its last attempts failed; tried again then */
	_Atomic bool is_unreachable;     /* its last attempt got no answer; for the journal */
	_Atomic bool is_disabled;        /* its plugin was charged too often */
	struct channel_counts counts;
};

struct channels {
	struct channel *list;
	size_t count;
};

/* NULL if there is none. */
struct channel *channel_by_name(const struct channels *channels, pa_str name);
struct channel *channel_by_number(const struct channels *channels, int16_t number);

/* Whether this node sends on it. */
static inline bool channel_is_leased(const struct channel *channel)
{
	return atomic_load(&channel->leased_until_ns) > clock_monotonic_ns();
}

/* Whether what is sent on it just now has a good chance to leave. */
static inline bool channel_is_healthy(const struct channel *channel)
{
	return !atomic_load(&channel->is_disabled) &&
	       atomic_load(&channel->sick_until_ns) <= clock_monotonic_ns();
}

/* The medium the assistant speaks on this channel: chat where it has it. One PA_MEDIUM_*. */
uint32_t channel_medium(const struct channel *channel);

/* conversation.id = contact.id * 256 + channel.number */
static inline int64_t conversation_id(int64_t contact, int16_t channel_number)
{
	return contact * 256 + channel_number;
}

static inline int64_t conversation_contact(int64_t conversation)
{
	return conversation / 256;
}

static inline int16_t conversation_channel(int64_t conversation)
{
	return (int16_t)(conversation % 256);
}

#endif
