/* SPDX-License-Identifier: Apache-2.0
 *
 * api.h: what the page asks for, and what tests may ask for as well.
 *
 * All bodies and answers are JSON. A phone is named by its digits with country code, or by a user
 * id ("CO.1A2B") where the customer shows no number. Numbers "seq" and "next" belong to one run of
 * the simulator, named by "epoch".
 *
 *  GET /api/customers
 *	{"business": name, "account": id, "customers": [{"label", "document", "mobile", "try"}]}
 *
 *  GET /api/events?phone=P&sms=DIGITS&after=N&wait=MS&epoch=E
 *	{"epoch", "next", "now", "typing", "chat": [...], "sms": [...]}: the messages of P's chat
 *	and of that mobile's SMS (default: P's own) that are new or changed after N, waiting at most
 *	MS (20000) for the first. Asking with after=N says that all up to N has been received: that
 *	is what makes a message "delivered", as the phone's receipt would. With the epoch of an
	earlier run everything is told from the start. A message is {"id",
 *	"from": "bot" | "customer", "kind", "at": ms, "state": pending | retrying | sent |
 *	delivered | read | failed, "body", "header", "footer", "choices", "list_button", "media":
 *	{"id", "name", "type", "size"}, "reply_to", "reply_id"}.
 *
 *  POST /api/message
 *	{"from": P, "type": "text", "text": ..., "id": ..., "context_id": ..., "name": ...};
 *	"button" and "row" take "reply_id" and "text" (the title); "image", "video", "audio",
 *	"document", "sticker" take "media_id" and "text" (the caption), audio also "voice": true;
 *	"reaction" takes "text" (the emoji) and "context_id"; "location" and "contacts" take
 *	"detail" (JSON as text). 200 {"id", "state": "sent"}: the daemon has it durably. 503 with
 *	Retry-After: not now; post the same again with the same id, it will not be doubled. 422: the
 *	daemon refused it.
 *
 *  POST /api/read
 *	{"phone": P, "upto": N}: the person has seen the chat up to N.
 *
 *  POST /api/media?name=FILENAME   (the bytes, with their Content-Type; 16 MiB at most)
 *	{"id", "size"}
 *
 *  GET /api/media?id=ID
 *	the bytes.
 *
 * Threads: all of this runs on the listener's thread with the simulator's lock held.
 */
#ifndef API_H
#define API_H

#include "simulator.h"

#define API_JSON_BYTES (256u << 10)

/* One request; zeroed at its start. The last fields are kept while it waits. */
struct api_request {
	bool is_post;
	const char *path;
	const char *content_type;
	pa_str body;
	const char *(*argument)(const struct api_request *request, const char *name);

	bool is_begun;
	int64_t wait_until_ms;
	char key[STORE_KEY_BYTES];
	char id[STORE_ID_BYTES];
};

struct api_answer {
	unsigned status;
	json_t *json;            /* the caller's to release; or */
	const struct file *file; /* borrowed until the lock is released */
};

/* How large a body that path takes; 0: none. */
size_t api_body_max(const char *path);

/* True if *ret_answer is set, false if there is nothing to say before wait_until_ms or the next
 * change. is_closing: answer with what there is. */
bool api_handle(struct simulator *sim, struct api_request *request, bool is_closing,
		struct api_answer *ret_answer) SIM_MUST_USE;

#endif
