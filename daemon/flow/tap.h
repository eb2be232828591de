/* SPDX-License-Identifier: Apache-2.0
 *
 * flow/tap.h: the id of a button or row: which option of which question it is, until when it may be
 * used, and the house's tag over all that and the conversation, so that nobody can make one up or
 * carry one to another chat. At most TAP_BYTES_MAX bytes of base64url.
 */
#ifndef FLOW_TAP_H
#define FLOW_TAP_H

#include "flow/state.h"
#include "flow/turn.h"

#define TAP_BYTES_MAX 200 /* WhatsApp: 256 for a button's id, 200 for a row's */

struct tap {
	enum waiting waiting; /* which kind of question */
	pa_str flow;          /* WAIT_STEP: of the top frame */
	pa_str step;
	pa_str option;
	int64_t version; /* low 32 bits of the set's */
	int64_t mark;    /* of the question: single use */
	int64_t until_s; /* seconds since 1970 */
};

pa_str tap_write(struct arena *arena, const struct turn_ports *ports, int64_t conversation,
		 const struct tap *tap);

/* False if it is not one of ours for this conversation. */
bool tap_read(struct arena *arena, const struct turn_ports *ports, int64_t conversation, pa_str id,
	      struct tap *ret);

#endif
