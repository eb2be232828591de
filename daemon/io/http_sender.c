/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_sender.h"

#include "base/str.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 4096
#define WAYS 8 /* places where an address may stand */
#define GOOD_FOR (3600 * NS_PER_S)
#define IPV6_BITS 64

struct slot {
	struct address address;
	int64_t seen_ns; /* 0: free */
	int64_t good_ns; /* its last good delivery; 0: none */
	int64_t bad_ns;  /* when all its bad requests will be forgiven */
};

struct http_senders {
	struct networks trusted;
	int64_t each_ns; /* after so long a bad request is forgiven; 0: no limit */
	int64_t most_ns; /* of them at once */
	atomic_bool has_met_proxy;
	struct slot slots[SLOTS];
};

struct http_senders *http_senders_new(const struct networks *trusted, unsigned bad_per_minute)
{
	struct http_senders *senders = calloc(1, sizeof(*senders));

	if (!senders)
		abort();
	if (trusted)
		senders->trusted = *trusted;
	if (bad_per_minute) {
		senders->each_ns = 60 * NS_PER_S / bad_per_minute;
		senders->most_ns = senders->each_ns * bad_per_minute;
	}
	return senders;
}

void http_senders_free(struct http_senders *senders)
{
	free(senders);
}

/* ---- who --------------------------------------------------------------------------------------
 */

/* Cuts off what stands behind the last comma. */
static pa_str take_last(pa_str *list)
{
	size_t at = list->len;
	pa_str last;

	while (at > 0 && list->ptr[at - 1] != ',')
		at--;
	last = str_trim(str_slice(*list, at, SIZE_MAX));
	*list = at > 0 ? str_slice(*list, 0, at - 1) : PA_STR_ABSENT;
	return last;
}

static bool is_ours(const struct http_senders *senders, const struct address *address)
{
	return networks_have(&senders->trusted, address);
}

bool http_sender_find(struct http_senders *senders, const struct sockaddr *peer, pa_str forwarded,
		      struct address *ret)
{
	if (!senders->each_ns || !address_of(peer, ret))
		return false;
	if (!str_is_absent(forwarded) && !is_ours(senders, ret)) {
		atomic_store_explicit(&senders->has_met_proxy, true, memory_order_relaxed);
		return false;
	}
	while (is_ours(senders, ret)) {
		if (str_is_absent(forwarded) || !address_parse(take_last(&forwarded), ret))
			return false;
	}
	if (address_is_loopback(ret))
		return false;
	if (!address_is_ipv4(ret))
		*ret = address_prefix(ret, IPV6_BITS);
	return true;
}

bool http_senders_met_proxy(const struct http_senders *senders)
{
	return atomic_load_explicit(&senders->has_met_proxy, memory_order_relaxed);
}

/* ---- how many ---------------------------------------------------------------------------------
 */

/* FNV-1a (draft-eastlake-fnv): who picks addresses to collide only has others forgotten. */
static size_t place_of(const struct address *address)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < sizeof(address->bytes); i++)
		hash = (hash ^ address->bytes[i]) * UINT64_C(0x100000001b3);
	return (size_t)(hash >> 32) % (SLOTS / WAYS) * WAYS;
}

static const struct slot *find(const struct http_senders *senders, const struct address *sender)
{
	const struct slot *slots = &senders->slots[place_of(sender)];

	for (size_t i = 0; i < WAYS; i++)
		if (slots[i].seen_ns && memcmp(&slots[i].address, sender, sizeof(*sender)) == 0)
			return &slots[i];
	return NULL;
}

/* Its place, if need be that of the one seen longest ago. */
static struct slot *claim(struct http_senders *senders, const struct address *sender)
{
	struct slot *slots = &senders->slots[place_of(sender)], *oldest = slots;

	for (size_t i = 0; i < WAYS; i++) {
		if (slots[i].seen_ns && memcmp(&slots[i].address, sender, sizeof(*sender)) == 0)
			return &slots[i];
		if (slots[i].seen_ns < oldest->seen_ns)
			oldest = &slots[i];
	}
	*oldest = (struct slot){.address = *sender};
	return oldest;
}

bool http_sender_may(const struct http_senders *senders, const struct address *sender,
		     int64_t now_ns)
{
	const struct slot *slot = find(senders, sender);

	return !slot || slot->bad_ns - now_ns + senders->each_ns <= senders->most_ns ||
	       (slot->good_ns && now_ns - slot->good_ns < GOOD_FOR);
}

void http_sender_note(struct http_senders *senders, const struct address *sender, bool is_delivery,
		      unsigned status, int64_t now_ns)
{
	bool is_good = is_delivery && status / 100 == 2;
	bool is_bad = status / 100 == 4 && status != 429;
	struct slot *slot;

	if (!is_good && !is_bad)
		return;
	slot = claim(senders, sender);
	slot->seen_ns = now_ns;
	if (is_good)
		slot->good_ns = now_ns;
	else
		slot->bad_ns = (slot->bad_ns > now_ns ? slot->bad_ns : now_ns) + senders->each_ns;
}
