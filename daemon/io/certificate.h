/* SPDX-License-Identifier: Apache-2.0
 *
 * io/certificate.h: until when other servers' certificates hold (our own files': io/tls.h). Only
 * looks: who is believed is decided by the libraries that carry the traffic.
 *
 *	status = certificate_host_end("bank.example", 443, 4000, &end_ns, &err);
 */
#ifndef IO_CERTIFICATE_H
#define IO_CERTIFICATE_H

#include "base/base.h"

/* The end of the certificate of the peer of a TLS session of OpenSSL's; false if it showed none. */
bool certificate_session_end(void *session, int64_t *ret_ns);

/* That of the server at host and port (an IPv6 address may be in brackets), whoever signed it,
 * asked within timeout_ms. PA_RETRY: nobody answers there with TLS. */
pa_status certificate_host_end(const char *host, long port, int64_t timeout_ms, int64_t *ret_ns,
			       pa_error *err) PA_MUST_USE;

#endif
