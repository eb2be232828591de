/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates for tests, made with OpenSSL. Static functions in a header, because each unit test
 * is one file.
 */
#ifndef TESTS_UNIT_CERTIFICATE_H
#define TESTS_UNIT_CERTIFICATE_H

#include <stdio.h>
#include <sys/stat.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

/* Its subject is "test", its name the host's; good for so many seconds from now. */
static inline X509 *self_signed(EVP_PKEY *key, const char *host, long seconds)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);
	char alternative[64];
	X509_EXTENSION *extension;

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), seconds);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1,
				   0);
	X509_set_issuer_name(certificate, name);
	X509_set_pubkey(certificate, key);
	snprintf(alternative, sizeof(alternative), "DNS:%s", host);
	extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alternative);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	return certificate;
}

/* A new key and its certificate for localhost, in two files. */
static inline void write_pair(const char *certificate_path, const char *key_path, long seconds)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = self_signed(key, "localhost", seconds);
	FILE *file = fopen(key_path, "w");

	assert_int_equal(chmod(key_path, 0600), 0);
	assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
	file = fopen(certificate_path, "w");
	assert_int_equal(PEM_write_X509(file, certificate), 1);
	fclose(file);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

#endif
