/* SPDX-License-Identifier: Apache-2.0
 *
 * io/listen.h: listening sockets of our own making (systemd's are passed to us). Pure but for the
 * system calls.
 */
#ifndef IO_LISTEN_H
#define IO_LISTEN_H

#include "base/base.h"

/* A TCP socket that listens on a literal IPv4 or IPv6 address; port 0: any free one. The caller
 * closes it. PA_REJECTED: not an address. PA_RETRY: the system refuses (busy, not allowed). */
pa_status listen_open(const char *address, uint16_t port, int *ret, pa_error *err) PA_MUST_USE;

/* The port a socket is bound to; 0 if it isn't an internet socket. */
uint16_t listen_port(int fd);

#endif
