/* SPDX-License-Identifier: Apache-2.0
 *
 * io/crypto.h: the only user of libsodium and of OpenSSL's libcrypto. All functions are thread-safe
 * once crypto_init() has returned.
 *
 * Sealing is XChaCha20-Poly1305 (libsodium's secretbox-like AEAD with a random 24-byte nonce): a
 * sealed text is nonce, ciphertext, tag. The context is authenticated, not stored: it ties a sealed
 * text to its place ("inbox", "outbox"...), so that one column's bytes can't be passed off as
 * another's.
 */
#ifndef IO_CRYPTO_H
#define IO_CRYPTO_H

#include "base/arena.h"
#include "base/buf.h"

#define KEY_BYTES 32
#define SEAL_OVERHEAD 40 /* nonce 24, tag 16 */
#define DIGEST_BYTES 32
#define TAG_BYTES 16  /* of keyed_tag */
#define SALT_BYTES 16 /* of key_from_code */

/* A symmetric key. Never printed, never logged; wipe with key_wipe. */
struct key {
	uint8_t bytes[KEY_BYTES];
};

/* Once, before anything else. PA_BUG if libsodium does not start. */
pa_status crypto_init(void) PA_MUST_USE;

void random_fill(void *out, size_t n);
/* Uniform in 0 .. below-1. */
uint32_t random_below(uint32_t below);

void key_wipe(struct key *key);
void bytes_wipe(void *bytes, size_t n);
void key_random(struct key *ret);
/* A sub-key for a purpose ("contact address", "tap" ...). */
void key_derive(const struct key *key, const char *purpose, struct key *ret);
/* The key behind what a person typed (argon2id, 2 passes over 64 MiB: a tenth of a second).
 * PA_RETRY if there is no such memory. */
pa_status key_from_code(pa_str code, const uint8_t salt[SALT_BYTES], struct key *ret) PA_MUST_USE;

/* Appends the sealed text to out. */
void seal(const struct key *key, pa_str context, pa_str plain, struct buf *out);
pa_str seal_arena(struct arena *arena, const struct key *key, pa_str context, pa_str plain);

/* PA_REJECTED if the text was altered, sealed under another key or for another context. The plain
 * text lies in the arena. */
pa_status unseal(struct arena *arena, const struct key *key, pa_str context, pa_str sealed,
		 pa_str *ret) PA_MUST_USE;

/* A pair of keys: what is put into the public one's box only who has the secret one takes out
 * (X25519, libsodium's sealed box). Who put it in is not known. */
#define BOX_OVERHEAD 48
struct key_pair {
	struct key public;
	struct key secret;
};
/* Always the same one for one seed. Wipe the secret. */
void key_pair_from(const struct key *seed, struct key_pair *ret);
pa_str box_put(struct arena *arena, const struct key *public, pa_str plain);
/* PA_REJECTED if it was altered, or is in another's box. */
pa_status box_take(struct arena *arena, const struct key_pair *pair, pa_str boxed, pa_str *ret)
	PA_MUST_USE;

/* A long text sealed in pieces that can't be changed, left out, repeated or put in another order
 * (libsodium's secretstream). One side seals, the other opens, in turn; the last piece says that it
 * is. Wipe with stream_wipe. */
#define STREAM_HEADER_BYTES 24
#define STREAM_OVERHEAD 17
struct stream {
	uint64_t state[8];
};
void stream_seal_begin(struct stream *stream, const struct key *key,
		       uint8_t header[STREAM_HEADER_BYTES]);
/* Writes plain.len + STREAM_OVERHEAD bytes. */
void stream_seal(struct stream *stream, pa_str context, pa_str plain, bool is_last, char *out);
/* PA_REJECTED: no such header. */
pa_status stream_open_begin(struct stream *stream, const struct key *key,
			    const uint8_t header[STREAM_HEADER_BYTES]) PA_MUST_USE;
/* Writes sealed.len - STREAM_OVERHEAD bytes. PA_REJECTED if it is not the next piece. */
pa_status stream_open(struct stream *stream, pa_str context, pa_str sealed, char *out,
		      bool *ret_is_last) PA_MUST_USE;
void stream_wipe(struct stream *stream);

void hmac_sha256(pa_str key, pa_str data, uint8_t out[DIGEST_BYTES]);
void sha256(pa_str data, uint8_t out[DIGEST_BYTES]);
/* A keyed 16-byte hash (BLAKE2b), for look-up columns and authenticated taps. */
void keyed_tag(const struct key *key, pa_str data, uint8_t out[TAG_BYTES]);
bool equal_constant_time(pa_str a, pa_str b);

/* Lower-case hexadecimal and URL-safe base64 without padding. Decoding is strict. */
pa_str hex_encode(struct arena *arena, pa_str bytes);
pa_status hex_decode(struct arena *arena, pa_str text, pa_str *ret) PA_MUST_USE;
pa_str base64url_encode(struct arena *arena, pa_str bytes);
pa_status base64url_decode(struct arena *arena, pa_str text, pa_str *ret) PA_MUST_USE;

#endif
