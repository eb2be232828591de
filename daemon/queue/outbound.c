/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/dispatch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct outbound *outbound_new(pa_str packed, pa_str what_for)
{
	struct outbound *outbound = calloc(1, sizeof(*outbound) + packed.len + what_for.len);
	char *bytes;

	if (!outbound)
		abort();
	bytes = (char *)(outbound + 1);
	if (packed.len)
		memcpy(bytes, packed.ptr, packed.len);
	if (what_for.len)
		memcpy(bytes + packed.len, what_for.ptr, what_for.len);
	outbound->packed = (pa_str){bytes, packed.len};
	outbound->what_for =
		what_for.len ? (pa_str){bytes + packed.len, what_for.len} : PA_STR_ABSENT;
	outbound->attempt = (struct attempt_item){.item.kind = ITEM_ATTEMPT, .outbound = outbound};
	outbound->outcome = (struct outcome_item){.item.kind = ITEM_OUTCOME, .outbound = outbound};
	return outbound;
}

void outbound_free(struct outbound *outbound)
{
	char *bytes = (char *)(outbound + 1);

	free(outbound->external);
	contact_unref(outbound->contact);
	bytes_wipe(bytes, outbound->packed.len + outbound->what_for.len);
	free(outbound);
}

pa_str outbound_ref(const struct outbound *outbound, struct arena *arena)
{
	return arena_format(arena, "%" PRIx64 ".%" PRIx64 ".%x", (uint64_t)outbound->id,
			    (uint64_t)outbound->at_ns / 1000, (unsigned)outbound->tries);
}

void outbound_external_tag(const struct keyring *ring, const struct channel *channel, pa_str id,
			   uint8_t out[TAG_BYTES])
{
	struct buf text PA_CLEANUP(buf_done) = BUF_INIT(MAX_EXTERNAL + 64);

	buf_format(&text, "%s|%.*s", channel->name, PA_FMT(id));
	keyring_tag(ring, "external id", buf_str(&text), out);
}

static bool parse_hex(pa_str text, uint64_t *ret)
{
	uint64_t value = 0;

	if (!text.len || text.len > 16)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const char *digits = "0123456789abcdef";
		const char *digit = text.ptr[i] ? strchr(digits, text.ptr[i]) : NULL;

		if (!digit)
			return false;
		value = value << 4 | (uint64_t)(digit - digits);
	}
	*ret = value;
	return true;
}

bool outbound_ref_parse(pa_str ref, int64_t *ret_id, int64_t *ret_at_ns)
{
	uint64_t id, at_us, try;
	pa_str rest = ref;

	if (!parse_hex(str_split(&rest, '.'), &id) || !parse_hex(str_split(&rest, '.'), &at_us) ||
	    !parse_hex(rest, &try) || id > INT64_MAX || at_us > INT64_MAX / 1000)
		return false;
	*ret_id = (int64_t)id;
	*ret_at_ns = (int64_t)at_us * 1000;
	return true;
}
