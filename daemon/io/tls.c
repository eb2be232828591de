/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "io/crypto.h"
#include "io/file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#define CHAIN_MAX 8
#define FILE_MAX ((size_t)1 << 20) /* all the authorities of a system are a fifth of it */
#define KEY_ID_MAX 64
/* What systemd hands to the service: readable by an access list, so that the mode tells nothing. */
#define CREDENTIALS "/run/credentials/"

const char tls_priorities[] =
	"NONE:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-ECDSA:+ECDHE-RSA:+AES-128-GCM:+AES-256-GCM:"
	"+CHACHA20-POLY1305:+AEAD:+SIGN-ALL:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:-SIGN-DSA-SHA1:"
	"+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+CTYPE-X509:+COMP-NULL:"
	"%SERVER_PRECEDENCE";

/* A certificate with its chain, and its key. */
struct pair {
	struct pair *older;
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned count;
	gnutls_privkey_t key;
	time_t begins, ends;
};

/* What tells one file from its successor. */
struct look {
	struct timespec changed;
	ino_t inode;
	off_t size;
};

struct tls {
	char *certificate;
	char *key;
	struct pair *_Atomic pair; /* the newest */
	pthread_mutex_t lock;      /* one renewal at a time */
	struct look seen[2];       /* at the last call of tls_has_settled */
	bool is_changing;
};

static _Thread_local struct tls *offered;

/* ---- reading ----------------------------------------------------------------------------------
 */

static pa_status refuse(const char *path, int code, pa_error *err)
{
	return error_set(err, PA_REJECTED, "%s: %s", path, gnutls_strerror(code));
}

static gnutls_datum_t datum_of(pa_str text)
{
	return (gnutls_datum_t){(unsigned char *)(uintptr_t)text.ptr, (unsigned)text.len};
}

static pa_status read_chain(struct pair *pair, const char *path, pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(2 * FILE_MAX);
	unsigned count = CHAIN_MAX;
	gnutls_x509_crt_t first;
	gnutls_datum_t datum;
	pa_str text;
	int code;

	if (file_read(arena, path, FILE_MAX, &text, err) != PA_OK)
		return PA_REJECTED;
	datum = datum_of(text);
	code = gnutls_pcert_list_import_x509_raw(pair->chain, &count, &datum, GNUTLS_X509_FMT_PEM,
						 GNUTLS_X509_CRT_LIST_SORT);
	if (code < 0)
		return refuse(path, code, err);
	pair->count = count;
	code = gnutls_pcert_export_x509(&pair->chain[0], &first);
	if (code < 0)
		return refuse(path, code, err);
	pair->begins = gnutls_x509_crt_get_activation_time(first);
	pair->ends = gnutls_x509_crt_get_expiration_time(first);
	gnutls_x509_crt_deinit(first);
	return PA_OK;
}

static pa_status read_key(struct pair *pair, const char *path, pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(2 * FILE_MAX);
	bool is_handed = str_starts(str_from(path), PA_STR(CREDENTIALS));
	gnutls_datum_t datum;
	pa_status status;
	pa_str text;
	int code;

	status = is_handed ? file_read(arena, path, FILE_MAX, &text, err)
			   : file_read_private(arena, path, FILE_MAX, &text, err);
	if (status != PA_OK)
		return status;
	datum = datum_of(text);
	gnutls_privkey_init(&pair->key);
	code = gnutls_privkey_import_x509_raw(pair->key, &datum, GNUTLS_X509_FMT_PEM, NULL, 0);
	bytes_wipe(datum.data, datum.size);
	return code < 0 ? refuse(path, code, err) : PA_OK;
}

/* Whether the key is the certificate's. */
static bool is_match(const struct pair *pair)
{
	unsigned char ids[2][KEY_ID_MAX];
	size_t sizes[2] = {KEY_ID_MAX, KEY_ID_MAX};
	gnutls_pubkey_t own;
	bool is_same;

	gnutls_pubkey_init(&own);
	is_same = gnutls_pubkey_import_privkey(own, pair->key, 0, 0) >= 0 &&
		  gnutls_pubkey_get_key_id(own, GNUTLS_KEYID_USE_SHA256, ids[0], &sizes[0]) >= 0 &&
		  gnutls_pubkey_get_key_id(pair->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, ids[1],
					   &sizes[1]) >= 0 &&
		  sizes[0] == sizes[1] && memcmp(ids[0], ids[1], sizes[0]) == 0;
	gnutls_pubkey_deinit(own);
	return is_same;
}

static void pair_free(struct pair *pair)
{
	if (!pair)
		return;
	for (unsigned i = 0; i < pair->count; i++)
		gnutls_pcert_deinit(&pair->chain[i]);
	gnutls_privkey_deinit(pair->key);
	free(pair);
}

static pa_status read_pair(const struct tls *tls, struct pair **ret, pa_error *err)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	pa_status status;

	if (!pair)
		abort();
	status = read_chain(pair, tls->certificate, err);
	if (status == PA_OK)
		status = read_key(pair, tls->key, err);
	if (status == PA_OK && !is_match(pair))
		status = error_set(err, PA_REJECTED, "%s is not the key of %s", tls->key,
				   tls->certificate);
	if (status == PA_OK)
		*ret = pair;
	else
		pair_free(pair);
	return status;
}

pa_status tls_file_ends_ns(const char *path, int64_t *ret, pa_error *err)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	pa_status status;

	if (!pair)
		abort();
	status = read_chain(pair, path, err);
	if (status == PA_OK)
		*ret = (int64_t)pair->ends * NS_PER_S;
	pair_free(pair);
	return status;
}

/* ---- renewal ----------------------------------------------------------------------------------
 */

static struct look look_at(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct look){.size = -1};
	return (struct look){st.st_ctim, st.st_ino, st.st_size};
}

static bool is_same(const struct look *a, const struct look *b)
{
	return a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec &&
	       a->inode == b->inode && a->size == b->size;
}

bool tls_has_settled(struct tls *tls)
{
	const struct look now[2] = {look_at(tls->certificate), look_at(tls->key)};
	bool is_still = is_same(&now[0], &tls->seen[0]) && is_same(&now[1], &tls->seen[1]);
	bool has_settled = tls->is_changing && is_still;

	memcpy(tls->seen, now, sizeof(now));
	tls->is_changing = !is_still;
	return has_settled;
}

/* Both times by the clock that the other side of a connection goes by. */
static pa_status check_dates(const struct tls *tls, const struct pair *pair, pa_error *err)
{
	time_t now = time(NULL);

	if (pair->ends <= now)
		return error_set(err, PA_REJECTED, "%s: the certificate has expired",
				 tls->certificate);
	if (pair->begins > now)
		return error_set(err, PA_REJECTED, "%s: the certificate is not valid yet",
				 tls->certificate);
	return PA_OK;
}

/* Whether both say the same: then the older one stays, or each reload would leave a pair behind. */
static bool is_repeated(const struct pair *a, const struct pair *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (a->chain[i].cert.size != b->chain[i].cert.size ||
		    memcmp(a->chain[i].cert.data, b->chain[i].cert.data, a->chain[i].cert.size) !=
			    0)
			return false;
	return true;
}

pa_status tls_renew(struct tls *tls, pa_error *err)
{
	struct pair *pair = NULL, *old;
	pa_status status = read_pair(tls, &pair, err);

	if (status == PA_OK)
		status = check_dates(tls, pair, err);
	pthread_mutex_lock(&tls->lock);
	old = atomic_load(&tls->pair);
	if (status == PA_OK && !is_repeated(pair, old)) {
		pair->older = old;
		atomic_store(&tls->pair, pair);
		pair = NULL;
	}
	pthread_mutex_unlock(&tls->lock);
	pair_free(pair);
	return status;
}

int64_t tls_ends_ns(const struct tls *tls)
{
	return (int64_t)atomic_load(&tls->pair)->ends * NS_PER_S;
}

/* ---- handshakes -------------------------------------------------------------------------------
 */

static int retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
		    gnutls_pcert_st **ret_chain, unsigned *ret_count,
		    gnutls_ocsp_data_st **ret_ocsp, unsigned *ret_ocsp_count,
		    gnutls_privkey_t *ret_key, unsigned *ret_flags)
{
	struct pair *pair = atomic_load(&offered->pair);

	(void)session;
	(void)info;
	*ret_chain = pair->chain;
	*ret_count = pair->count;
	*ret_ocsp = NULL;
	*ret_ocsp_count = 0;
	*ret_key = pair->key;
	*ret_flags = 0; /* all of it stays ours */
	return 0;
}

void *tls_callback(void)
{
	return (void *)(uintptr_t)retrieve;
}

void tls_offer(struct tls *tls)
{
	offered = tls;
}

/* ---- birth and death --------------------------------------------------------------------------
 */

static char *copy(const char *text)
{
	char *own = strdup(text);

	if (!own)
		abort();
	return own;
}

pa_status tls_new(const char *certificate, const char *key, struct tls **ret, pa_error *err)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	struct pair *pair = NULL;
	pa_status status;

	if (!tls)
		abort();
	pthread_mutex_init(&tls->lock, NULL);
	tls->certificate = copy(certificate);
	tls->key = copy(key);
	tls_has_settled(tls);
	tls->is_changing = false;
	status = read_pair(tls, &pair, err);
	atomic_store(&tls->pair, pair);
	if (status == PA_OK)
		*ret = tls;
	else
		tls_free(tls);
	return status;
}

void tls_free(struct tls *tls)
{
	struct pair *pair;

	if (!tls)
		return;
	pair = atomic_load(&tls->pair);
	while (pair) {
		struct pair *older = pair->older;

		pair_free(pair);
		pair = older;
	}
	pthread_mutex_destroy(&tls->lock);
	free(tls->certificate);
	free(tls->key);
	free(tls);
}
