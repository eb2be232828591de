/* SPDX-License-Identifier: Apache-2.0
 *
 * io/address.h: IP addresses and lists of networks. IPv4 is kept as IPv4-mapped IPv6 (RFC 4291
 * section 2.5.5.2), so that there is one kind. Pure.
 *
 *	status = networks_parse("10.0.0.0/8, ::1", &networks, &err);
 *	if (address_parse(PA_STR("10.1.2.3"), &address) && networks_have(&networks, &address)) ...
 */
#ifndef IO_ADDRESS_H
#define IO_ADDRESS_H

#include "base/base.h"

#define NETWORKS_MAX 64

struct sockaddr;

struct address {
	uint8_t bytes[16];
};

struct network {
	struct address address;
	unsigned bits; /* of the 128 */
};

struct networks {
	struct network list[NETWORKS_MAX];
	size_t count;
};

/* A literal address; false if it is none. */
bool address_parse(pa_str text, struct address *ret);

/* That of an internet socket; false if it is another's. */
bool address_of(const struct sockaddr *socket, struct address *ret);

bool address_is_loopback(const struct address *address);

/* The first so many bits, the rest zero. */
struct address address_prefix(const struct address *address, unsigned bits);
bool address_is_ipv4(const struct address *address);

/* Addresses and networks (ADDRESS/BITS), separated by commas; NULL or "": none. PA_REJECTED: one of
 * them isn't any, or there are too many. */
pa_status networks_parse(const char *text, struct networks *ret, pa_error *err) PA_MUST_USE;
bool networks_have(const struct networks *networks, const struct address *address);

#endif
