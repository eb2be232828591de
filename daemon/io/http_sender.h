/* SPDX-License-Identifier: Apache-2.0
 *
 * io/http_sender.h: who sends requests to an HTTP server, and whether he may go on. For the
 * server's thread alone.
 *
 * Only requests that were no good count: a provider's deliveries must never be limited into
 * getting lost, and what costs us something is what others send. Each address has so many bad ones
 * a minute, as many at once; then it hears 429, unless it brought a good delivery within the hour.
 * Nobody is limited who can't be told from others: the loopback (a proxy of this machine's), or a
 * trusted proxy that doesn't say for whom it asks. IPv6 counts by /64, what one customer of a
 * network has. And a peer that is no trusted proxy but brings X-Forwarded-For is likely a proxy
 * that nobody named, before many senders, the provider among them: it isn't limited.
 *
 * Bad at: many addresses at once (4096 are remembered, the one seen longest ago is forgotten);
 * somebody who invents the header: a delivery lost weighs more than a bad request too many.
 */
#ifndef IO_HTTP_SENDER_H
#define IO_HTTP_SENDER_H

#include "io/address.h"

struct http_senders;

/* trusted: whose X-Forwarded-For is believed. bad_per_minute: 0 for no limit. */
struct http_senders *http_senders_new(const struct networks *trusted, unsigned bad_per_minute);
void http_senders_free(struct http_senders *senders);

/* Who asks: the peer, or, if that is a trusted proxy, the rightmost address in forwarded (all
 * X-Forwarded-For of the request, in their order, joined by commas) that is none. False: nobody who
 * could be limited. */
bool http_sender_find(struct http_senders *senders, const struct sockaddr *peer, pa_str forwarded,
		      struct address *ret);

/* Whether somebody who isn't trusted has brought X-Forwarded-For. Any thread. */
bool http_senders_met_proxy(const struct http_senders *senders);

bool http_sender_may(const struct http_senders *senders, const struct address *sender,
		     int64_t now_ns);

/* How a request was answered. is_delivery: it went where only those get 2xx who are recognised. */
void http_sender_note(struct http_senders *senders, const struct address *sender, bool is_delivery,
		      unsigned status, int64_t now_ns);

#endif
