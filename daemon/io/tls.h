/* SPDX-License-Identifier: Apache-2.0
 *
 * io/tls.h: the certificate with which our own port says who it is, read from two PEM files and
 * read again when they are renewed, while connections go on. The only user of GnuTLS but for
 * libmicrohttpd, which does the rest of TLS.
 *
 *	status = tls_new("/etc/proalto/tls/fullchain.pem", "/etc/proalto/tls/privkey.pem", &tls,
 *&err); if (tls_has_settled(tls))                 // now and then: the files are others than before
 *		status = tls_renew(tls, &err);
 *
 * Thread-safe but for tls_has_settled, which is one thread's. Bad at: more than one name with a
 * certificate each; what was replaced is kept in memory until the end, as handshakes may be under
 * way.
 */
#ifndef IO_TLS_H
#define IO_TLS_H

#include "base/base.h"

struct tls;

/* Reads certificate (with its chain) and private key; the paths are copied. An expired certificate
 * is taken: what else there is to do should not end with it; tls_ends_ns tells. PA_REJECTED:
 * unreadable, not a pair, or the key may be read by others. */
pa_status tls_new(const char *certificate, const char *key, struct tls **ret, pa_error *err)
	PA_MUST_USE;
void tls_free(struct tls *tls); /* NULL is fine */

/* Reads both again, for the handshakes from now on. PA_REJECTED: as above, or expired or not valid
 * yet; the old pair stays. */
pa_status tls_renew(struct tls *tls, pa_error *err) PA_MUST_USE;

/* True once when a file has changed and both have stayed the same between two calls: whoever
 * renews them puts one in place after the other. */
bool tls_has_settled(struct tls *tls);

/* When the certificate in use ends, UTC. */
int64_t tls_ends_ns(const struct tls *tls);

/* When the first certificate of a PEM file ends. PA_REJECTED: there is none to be read. */
pa_status tls_file_ends_ns(const char *path, int64_t *ret, pa_error *err) PA_MUST_USE;

/* What libmicrohttpd wants as MHD_OPTION_HTTPS_CERT_CALLBACK2, and the pair that it answers with on
 * this thread. */
void *tls_callback(void);
void tls_offer(struct tls *tls);

/* TLS 1.2 and 1.3 with ephemeral keys and authenticated encryption, in GnuTLS's words. */
extern const char tls_priorities[];

#endif
