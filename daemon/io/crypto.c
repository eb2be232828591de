/* SPDX-License-Identifier: Apache-2.0 */
#include "io/crypto.h"

#include "base/str.h"

#include <openssl/evp.h>
#include <openssl/params.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define AEAD_TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES

static_assert(NONCE_BYTES + AEAD_TAG_BYTES == SEAL_OVERHEAD, "the header promises this size");
static_assert(SALT_BYTES == crypto_pwhash_argon2id_SALTBYTES, "the header promises this size");
static_assert(KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "one kind of key");

static const unsigned char *as_bytes(pa_str s)
{
	return (const unsigned char *)s.ptr;
}

/* OpenSSL's algorithms, looked up once: looking one up costs as much as hashing a kilobyte. They
 * use the processor's SHA instructions, which libsodium does not. Set by crypto_init, then
 * constant. */
static EVP_MD *sha256_md;
static EVP_MAC *hmac_mac;

pa_status crypto_init(void)
{
	if (sha256_md)
		return PA_OK;
	if (sodium_init() < 0)
		return PA_BUG;
	sha256_md = EVP_MD_fetch(NULL, "SHA256", NULL);
	hmac_mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	return sha256_md && hmac_mac ? PA_OK : PA_BUG;
}

void random_fill(void *out, size_t n)
{
	randombytes_buf(out, n);
}

uint32_t random_below(uint32_t below)
{
	return randombytes_uniform(below);
}

void key_wipe(struct key *key)
{
	bytes_wipe(key->bytes, sizeof(key->bytes));
}

void bytes_wipe(void *bytes, size_t n)
{
	sodium_memzero(bytes, n);
}

void key_random(struct key *ret)
{
	randombytes_buf(ret->bytes, sizeof(ret->bytes));
}

/* The personalisation keeps sub-keys apart from keyed_tag's hashes under the same key. */
void key_derive(const struct key *key, const char *purpose, struct key *ret)
{
	static const unsigned char personal[crypto_generichash_blake2b_PERSONALBYTES] =
		"proalto sub-key";

	crypto_generichash_blake2b_salt_personal(ret->bytes, sizeof(ret->bytes),
						 (const unsigned char *)purpose, strlen(purpose),
						 key->bytes, sizeof(key->bytes), NULL, personal);
}

pa_status key_from_code(pa_str code, const uint8_t salt[SALT_BYTES], struct key *ret)
{
	return crypto_pwhash_argon2id(ret->bytes, sizeof(ret->bytes), code.ptr, code.len, salt,
				      crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE,
				      crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE,
				      crypto_pwhash_argon2id_ALG_ARGON2ID13)
		       ? PA_RETRY
		       : PA_OK;
}

/* Nonces are random and public: drawing them by the hundred saves a system call for each (0.5 of
 * 1.5 us when sealing half a kilobyte). */
static void next_nonce(unsigned char *out)
{
	static _Thread_local struct {
		unsigned char bytes[128 * NONCE_BYTES];
		size_t left;
	} pool;

	if (!pool.left) {
		randombytes_buf(pool.bytes, sizeof(pool.bytes));
		pool.left = sizeof(pool.bytes);
	}
	pool.left -= NONCE_BYTES;
	memcpy(out, pool.bytes + pool.left, NONCE_BYTES);
}

/* Writes plain.len + SEAL_OVERHEAD bytes. Cannot fail: the sizes are fixed. */
static void seal_into(unsigned char *out, const struct key *key, pa_str context, pa_str plain)
{
	next_nonce(out);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_BYTES, NULL, as_bytes(plain),
						   plain.len, as_bytes(context), context.len, NULL,
						   out, key->bytes);
}

void seal(const struct key *key, pa_str context, pa_str plain, struct buf *out)
{
	char *to = buf_grow(out, plain.len + SEAL_OVERHEAD);

	if (to)
		seal_into((unsigned char *)to, key, context, plain);
}

pa_str seal_arena(struct arena *arena, const struct key *key, pa_str context, pa_str plain)
{
	size_t len = plain.len + SEAL_OVERHEAD;
	char *to = arena_alloc(arena, len);

	seal_into((unsigned char *)to, key, context, plain);
	return (pa_str){to, len};
}

pa_status unseal(struct arena *arena, const struct key *key, pa_str context, pa_str sealed,
		 pa_str *ret)
{
	const unsigned char *nonce = as_bytes(sealed);
	size_t len;
	char *plain;

	if (sealed.len < SEAL_OVERHEAD)
		return PA_REJECTED;
	len = sealed.len - SEAL_OVERHEAD;
	plain = arena_alloc(arena, len + 1);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    (unsigned char *)plain, NULL, NULL, nonce + NONCE_BYTES,
		    sealed.len - NONCE_BYTES, as_bytes(context), context.len, nonce, key->bytes))
		return PA_REJECTED;
	*ret = (pa_str){plain, len};
	return PA_OK;
}

static_assert(BOX_OVERHEAD == crypto_box_SEALBYTES, "the header promises this size");
static_assert(KEY_BYTES == crypto_box_SEEDBYTES, "one kind of key");
static_assert(KEY_BYTES == crypto_box_PUBLICKEYBYTES, "one kind of key");
static_assert(KEY_BYTES == crypto_box_SECRETKEYBYTES, "one kind of key");

void key_pair_from(const struct key *seed, struct key_pair *ret)
{
	if (crypto_box_seed_keypair(ret->public.bytes, ret->secret.bytes, seed->bytes))
		abort();
}

pa_str box_put(struct arena *arena, const struct key *public, pa_str plain)
{
	size_t len = plain.len + BOX_OVERHEAD;
	char *to = arena_alloc(arena, len);

	/* It fails for a public key that is none; then nobody may believe that it was boxed. */
	if (crypto_box_seal((unsigned char *)to, as_bytes(plain), plain.len, public->bytes))
		return PA_STR_ABSENT;
	return (pa_str){to, len};
}

pa_status box_take(struct arena *arena, const struct key_pair *pair, pa_str boxed, pa_str *ret)
{
	char *plain;

	if (boxed.len < BOX_OVERHEAD)
		return PA_REJECTED;
	plain = arena_alloc(arena, boxed.len - BOX_OVERHEAD + 1);
	if (crypto_box_seal_open((unsigned char *)plain, as_bytes(boxed), boxed.len,
				 pair->public.bytes, pair->secret.bytes))
		return PA_REJECTED;
	*ret = (pa_str){plain, boxed.len - BOX_OVERHEAD};
	return PA_OK;
}

#define STREAM_STATE(stream) ((crypto_secretstream_xchacha20poly1305_state *)(stream)->state)
static_assert(sizeof(crypto_secretstream_xchacha20poly1305_state) <= sizeof(struct stream) &&
		      STREAM_HEADER_BYTES == crypto_secretstream_xchacha20poly1305_HEADERBYTES &&
		      STREAM_OVERHEAD == crypto_secretstream_xchacha20poly1305_ABYTES,
	      "the header promises these sizes");

void stream_seal_begin(struct stream *stream, const struct key *key,
		       uint8_t header[STREAM_HEADER_BYTES])
{
	crypto_secretstream_xchacha20poly1305_init_push(STREAM_STATE(stream), header, key->bytes);
}

void stream_seal(struct stream *stream, pa_str context, pa_str plain, bool is_last, char *out)
{
	unsigned char tag = is_last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
				    : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;

	crypto_secretstream_xchacha20poly1305_push(STREAM_STATE(stream), (unsigned char *)out, NULL,
						   as_bytes(plain), plain.len, as_bytes(context),
						   context.len, tag);
}

pa_status stream_open_begin(struct stream *stream, const struct key *key,
			    const uint8_t header[STREAM_HEADER_BYTES])
{
	return crypto_secretstream_xchacha20poly1305_init_pull(STREAM_STATE(stream), header,
							       key->bytes)
		       ? PA_REJECTED
		       : PA_OK;
}

pa_status stream_open(struct stream *stream, pa_str context, pa_str sealed, char *out,
		      bool *ret_is_last)
{
	unsigned char tag;

	if (sealed.len < STREAM_OVERHEAD ||
	    crypto_secretstream_xchacha20poly1305_pull(STREAM_STATE(stream), (unsigned char *)out,
						       NULL, &tag, as_bytes(sealed), sealed.len,
						       as_bytes(context), context.len))
		return PA_REJECTED;
	*ret_is_last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
	return PA_OK;
}

void stream_wipe(struct stream *stream)
{
	sodium_memzero(stream, sizeof(*stream));
}

void hmac_sha256(pa_str key, pa_str data, uint8_t out[DIGEST_BYTES])
{
	static char digest[] = "SHA256";
	const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0),
				     OSSL_PARAM_construct_end()};
	/* An empty key is none to OpenSSL, but one of zeros to RFC 2104; both are the same. */
	const unsigned char *bytes = key.len ? as_bytes(key) : (const unsigned char *)"";
	EVP_MAC_CTX *context = EVP_MAC_CTX_new(hmac_mac);
	size_t len;

	if (!context || !EVP_MAC_init(context, bytes, key.len, params) ||
	    !EVP_MAC_update(context, as_bytes(data), data.len) ||
	    !EVP_MAC_final(context, out, &len, DIGEST_BYTES))
		abort();
	EVP_MAC_CTX_free(context);
}

void sha256(pa_str data, uint8_t out[DIGEST_BYTES])
{
	if (!EVP_Digest(data.ptr, data.len, out, NULL, sha256_md, NULL))
		abort();
}

void keyed_tag(const struct key *key, pa_str data, uint8_t out[TAG_BYTES])
{
	crypto_generichash(out, TAG_BYTES, as_bytes(data), data.len, key->bytes,
			   sizeof(key->bytes));
}

bool equal_constant_time(pa_str a, pa_str b)
{
	return a.len == b.len && (a.len == 0 || sodium_memcmp(a.ptr, b.ptr, a.len) == 0);
}

pa_str hex_encode(struct arena *arena, pa_str bytes)
{
	char *text = arena_alloc(arena, bytes.len * 2 + 1);

	sodium_bin2hex(text, bytes.len * 2 + 1, as_bytes(bytes), bytes.len);
	return (pa_str){text, bytes.len * 2};
}

pa_status hex_decode(struct arena *arena, pa_str text, pa_str *ret)
{
	unsigned char *bytes = arena_alloc(arena, text.len / 2 + 1);
	size_t len;

	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] >= 'A' && text.ptr[i] <= 'F')
			return PA_REJECTED; /* one text for one value */
	if (sodium_hex2bin(bytes, text.len / 2 + 1, text.ptr, text.len, NULL, &len, NULL) ||
	    len * 2 != text.len)
		return PA_REJECTED;
	*ret = (pa_str){(const char *)bytes, len};
	return PA_OK;
}

pa_str base64url_encode(struct arena *arena, pa_str bytes)
{
	size_t room =
		sodium_base64_ENCODED_LEN(bytes.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *text = arena_alloc(arena, room);

	sodium_bin2base64(text, room, as_bytes(bytes), bytes.len,
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return (pa_str){text, room - 1};
}

pa_status base64url_decode(struct arena *arena, pa_str text, pa_str *ret)
{
	unsigned char *bytes = arena_alloc(arena, text.len / 4 * 3 + 3);
	size_t len;

	if (sodium_base642bin(bytes, text.len / 4 * 3 + 3, text.ptr, text.len, NULL, &len, NULL,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING))
		return PA_REJECTED;
	*ret = (pa_str){(const char *)bytes, len};
	return PA_OK;
}
