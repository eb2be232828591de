/* SPDX-License-Identifier: Apache-2.0
 *
 * io/http_way.h: by which way requests leave and whom they believe: the proxy and the authorities
 * of http_client_options. For io/http_client.c alone.
 */
#ifndef IO_HTTP_WAY_H
#define IO_HTTP_WAY_H

#include "io/http_client.h"

/* A copy with texts of its own, in the arena, in the form that http_way_set wants. */
void http_way_copy(struct arena *arena, const struct http_client_options *from,
		   struct http_client_options *to);

/* Tells an easy handle of libcurl. */
void http_way_set(void *easy, const struct http_client_options *options);

#endif
