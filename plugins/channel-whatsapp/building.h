/* SPDX-License-Identifier: Apache-2.0
 *
 * building.h: one message on its way to a request: what build.c, template.c and upload.c share.
 *
 *	open_object(building, "text");
 *	put_text(building, "body", message->body);
 *	close_object(building);
 *
 * Bad at: telling which text was broken; the daemon's texts never are.
 */
#ifndef CHANNEL_WHATSAPP_BUILDING_H
#define CHANNEL_WHATSAPP_BUILDING_H

#include "json.h"

struct building {
	const struct whatsapp *wa;
	pa_call *call;
	const pa_message *message;
	pa_error *err;
	struct wa_writer writer;
};

/* Each begins a member of the object that is open, or, with a NULL key, the next element of the
 * array. A text that is not UTF-8 breaks the writer. */
void put_text(struct building *building, const char *key, pa_str text);
void open_object(struct building *building, const char *key);
void open_array(struct building *building, const char *key);

void close_object(struct building *building);
void close_array(struct building *building);

/* PA_REJECTED, naming what and the limit, if text has fewer than min or more than max code
 * points. */
pa_status check_length(struct building *building, const char *what, pa_str text, size_t min,
		       size_t max) WA_MUST_USE;

/* Whether the message's file goes as an image or as a document. */
bool media_is_image(const pa_message *message);

/* PA_REJECTED if the file's type, size or name is not for WhatsApp. */
pa_status media_check(struct building *building) WA_MUST_USE;

/* "image" or "document", with {"id": ..., "filename": ...} for the file uploaded before left open.
 */
void open_media(struct building *building);

/* The template object of the message. PA_REJECTED names the parameter that does not fit. */
pa_status template_build(struct building *building) WA_MUST_USE;

/* The request that uploads the message's file. */
pa_status upload_build(struct building *building, pa_http_request *ret) WA_MUST_USE;

#endif
