/* SPDX-License-Identifier: Apache-2.0
 *
 * Is it Meta who speaks? Meta's "Create a webhook endpoint": the verification request and the
 * validation of payloads.
 */
#include "wa.h"

#include <string.h>

#define DIGEST_BYTES 32
#define MAX_CHALLENGE 256
#define PREFIX "sha256="

static bool is_printable(pa_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < 0x20 || s.ptr[i] > 0x7e)
			return false;
	return true;
}

pa_status wa_handshake(void *self, pa_call *call, const pa_http_request *request,
		       pa_http_response *ret_response, pa_error *err)
{
	const struct whatsapp *wa = self;
	pa_str mode = wa_pair_value(request->query, request->query_count, "hub.mode");
	pa_str token = wa_pair_value(request->query, request->query_count, "hub.verify_token");
	pa_str challenge = wa_pair_value(request->query, request->query_count, "hub.challenge");
	/* The challenge is echoed: no browser shall take it for a page. */
	const pa_pair headers[] = {
		{WA_STR("Content-Type"), WA_STR("text/plain")},
		{WA_STR("X-Content-Type-Options"), WA_STR("nosniff")},
	};

	if (!wa_equal(mode, WA_STR("subscribe")))
		return wa_fail(err, PA_REJECTED, "hub.mode is not subscribe");
	if (token.ptr == NULL || !wa->host->equal_constant_time(call, token, wa->verify_token))
		return wa_fail(err, PA_REJECTED, "hub.verify_token is not ours");
	if (challenge.len == 0 || challenge.len > MAX_CHALLENGE || !is_printable(challenge))
		return wa_fail(err, PA_REJECTED, "hub.challenge is missing or no plain text");
	*ret_response = (pa_http_response){
		.size = sizeof(*ret_response),
		.status = 200,
		.headers = wa_pairs(wa, call, headers, WA_COUNT(headers)),
		.headers_count = WA_COUNT(headers),
		.body = wa_copy(wa, call, challenge),
	};
	return PA_OK;
}

/* The signature's bytes; false if the header is not the prefix and 64 hexadecimal digits. */
static bool signature_read(pa_str header, uint8_t *out)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const size_t skip = sizeof(PREFIX) - 1;

	if (header.len != skip + 2 * (size_t)DIGEST_BYTES || memcmp(header.ptr, PREFIX, skip) != 0)
		return false;
	for (size_t i = 0; i < 2 * (size_t)DIGEST_BYTES; i++) {
		const char *digit = memchr(digits, header.ptr[skip + i], sizeof(digits) - 1);

		if (digit == NULL)
			return false;
		out[i / 2] = (uint8_t)(out[i / 2] << 4 | (digit - digits) % 16);
	}
	return true;
}

static bool is_signed_with(const struct whatsapp *wa, pa_call *call, pa_str secret, pa_str body,
			   const uint8_t *signature)
{
	uint8_t digest[DIGEST_BYTES];

	if (secret.len == 0)
		return false;
	wa->host->hmac_sha256(call, secret, body, digest);
	return wa->host->equal_constant_time(call, (pa_str){(const char *)digest, DIGEST_BYTES},
					     (pa_str){(const char *)signature, DIGEST_BYTES});
}

pa_status wa_verify(void *self, pa_call *call, const pa_http_request *request, pa_error *err)
{
	const struct whatsapp *wa = self;
	pa_str header =
		wa_pair_value(request->headers, request->headers_count, "x-hub-signature-256");
	uint8_t signature[DIGEST_BYTES] = {0};

	if (header.ptr == NULL)
		return wa_fail(err, PA_REJECTED, "X-Hub-Signature-256 is missing");
	if (!signature_read(header, signature))
		return wa_fail(err, PA_REJECTED,
			       "X-Hub-Signature-256 is not sha256= and 64 hexadecimal digits");
	if (!is_signed_with(wa, call, wa->app_secret, request->body, signature) &&
	    !is_signed_with(wa, call, wa->app_secret_previous, request->body, signature))
		return wa_fail(err, PA_REJECTED, "the signature does not fit the body");
	return PA_OK;
}
