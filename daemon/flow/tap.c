/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/tap.h"

#include "base/pack.h"
#include "base/str.h"
#include "io/crypto.h"

#include <string.h>

enum field { F_WAITING = 1, F_FLOW, F_STEP, F_OPTION, F_VERSION, F_MARK, F_UNTIL };

static void tag_of(const struct turn_ports *ports, int64_t conversation, struct buf *scratch,
		   pa_str packed, uint8_t out[TAG_BYTES])
{
	buf_clear(scratch);
	buf_add(scratch, (pa_str){(const char *)&conversation, sizeof(conversation)});
	buf_add(scratch, packed);
	ports->tag(ports->arg, "tap", buf_str(scratch), out);
}

pa_str tap_write(struct arena *arena, const struct turn_ports *ports, int64_t conversation,
		 const struct tap *tap)
{
	struct buf packed PA_CLEANUP(buf_done) = BUF_INIT(512);
	struct buf scratch PA_CLEANUP(buf_done) = BUF_INIT(1024);
	uint8_t tag[TAG_BYTES];

	pack_int(&packed, F_WAITING, tap->waiting);
	pack_str(&packed, F_FLOW, tap->flow);
	pack_str(&packed, F_STEP, tap->step);
	pack_str(&packed, F_OPTION, tap->option);
	pack_int(&packed, F_VERSION, tap->version);
	pack_int(&packed, F_MARK, tap->mark);
	pack_int(&packed, F_UNTIL, tap->until_s);
	tag_of(ports, conversation, &scratch, buf_str(&packed), tag);
	buf_add(&packed, (pa_str){(const char *)tag, sizeof(tag)});
	return base64url_encode(arena, buf_str(&packed));
}

static bool unpack(pa_str bytes, struct tap *ret)
{
	struct unpack in = unpack_from(bytes);

	*ret = (struct tap){0};
	while (unpack_next(&in)) {
		switch (in.field) {
		case F_WAITING:
			ret->waiting = in.integer > 0 && in.integer < WAIT_COUNT
					       ? (enum waiting)in.integer
					       : WAIT_NOTHING;
			break;
		case F_FLOW:
			ret->flow = in.str;
			break;
		case F_STEP:
			ret->step = in.str;
			break;
		case F_OPTION:
			ret->option = in.str;
			break;
		case F_VERSION:
			ret->version = in.integer;
			break;
		case F_MARK:
			ret->mark = in.integer;
			break;
		case F_UNTIL:
			ret->until_s = in.integer;
			break;
		default: /* written by another release */
			break;
		}
	}
	return !in.is_broken && ret->option.ptr;
}

bool tap_read(struct arena *arena, const struct turn_ports *ports, int64_t conversation, pa_str id,
	      struct tap *ret)
{
	struct buf scratch PA_CLEANUP(buf_done) = BUF_INIT(1024);
	uint8_t tag[TAG_BYTES];
	pa_str bytes, packed;

	if (id.len == 0 || id.len > TAP_BYTES_MAX || base64url_decode(arena, id, &bytes) != PA_OK ||
	    bytes.len <= TAG_BYTES)
		return false;
	packed = str_slice(bytes, 0, bytes.len - TAG_BYTES);
	tag_of(ports, conversation, &scratch, packed, tag);
	if (!equal_constant_time((pa_str){(const char *)tag, sizeof(tag)},
				 str_slice(bytes, packed.len, TAG_BYTES)))
		return false;
	return unpack(packed, ret);
}
