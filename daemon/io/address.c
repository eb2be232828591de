/* SPDX-License-Identifier: Apache-2.0 */
#include "io/address.h"

#include "base/err.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define MAPPED_BITS 96 /* before the address of an IPv4-mapped one */

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static void map(const void *ipv4, struct address *ret)
{
	memcpy(ret->bytes, mapped, sizeof(mapped));
	memcpy(ret->bytes + sizeof(mapped), ipv4, sizeof(struct in_addr));
}

bool address_parse(pa_str text, struct address *ret)
{
	char literal[INET6_ADDRSTRLEN];
	struct in_addr ipv4;

	if (text.len >= sizeof(literal))
		return false;
	if (text.len)
		memcpy(literal, text.ptr, text.len);
	literal[text.len] = '\0';
	if (inet_pton(AF_INET6, literal, ret->bytes) == 1)
		return true;
	if (inet_pton(AF_INET, literal, &ipv4) != 1)
		return false;
	map(&ipv4, ret);
	return true;
}

bool address_of(const struct sockaddr *socket, struct address *ret)
{
	const void *any = socket;

	if (socket && socket->sa_family == AF_INET6)
		memcpy(ret->bytes, &((const struct sockaddr_in6 *)any)->sin6_addr,
		       sizeof(ret->bytes));
	else if (socket && socket->sa_family == AF_INET)
		map(&((const struct sockaddr_in *)any)->sin_addr, ret);
	else
		return false;
	return true;
}

bool address_is_ipv4(const struct address *address)
{
	return memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
}

bool address_is_loopback(const struct address *address)
{
	static const struct address own = {.bytes = {[15] = 1}};

	if (address_is_ipv4(address))
		return address->bytes[sizeof(mapped)] == 127;
	return memcmp(address, &own, sizeof(own)) == 0;
}

struct address address_prefix(const struct address *address, unsigned bits)
{
	struct address prefix = *address;

	for (unsigned i = 0; i < sizeof(prefix.bytes); i++) {
		unsigned left = bits > 8 * i ? bits - 8 * i : 0;

		if (left < 8)
			prefix.bytes[i] &= (uint8_t)(0xff00 >> left);
	}
	return prefix;
}

static bool parse_network(pa_str text, struct network *ret)
{
	pa_str address = str_split(&text, '/');
	int64_t bits, most;

	if (!address_parse(str_trim(address), &ret->address))
		return false;
	most = address_is_ipv4(&ret->address) ? 128 - MAPPED_BITS : 128;
	bits = most;
	if (!str_is_absent(text) &&
	    (!str_to_int64(str_trim(text), &bits) || bits < 0 || bits > most))
		return false;
	ret->bits = (unsigned)(bits + 128 - most);
	ret->address = address_prefix(&ret->address, ret->bits);
	return true;
}

pa_status networks_parse(const char *text, struct networks *ret, pa_error *err)
{
	pa_str rest = text && *text ? str_from(text) : PA_STR_ABSENT;

	ret->count = 0;
	while (!str_is_absent(rest)) {
		pa_str one = str_trim(str_split(&rest, ','));

		if (ret->count == NETWORKS_MAX)
			return error_set(err, PA_REJECTED, "more than %d", NETWORKS_MAX);
		if (!parse_network(one, &ret->list[ret->count++]))
			return error_set(err, PA_REJECTED, "'%.*s' is no address or network",
					 PA_FMT(one));
	}
	return PA_OK;
}

bool networks_have(const struct networks *networks, const struct address *address)
{
	for (size_t i = 0; i < networks->count; i++) {
		const struct network *network = &networks->list[i];
		struct address prefix = address_prefix(address, network->bits);

		if (memcmp(&prefix, &network->address, sizeof(prefix)) == 0)
			return true;
	}
	return false;
}
