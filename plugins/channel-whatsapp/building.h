/* SPDX-License-Identifier: Apache-2.0
 *
 * building.h: one message on its way to a request: what build.c, template.c and upload.c share.
 *
 *	struct building building = {wa, call, message, err, false};
 *	put_text(&building, object, "body", message->body);
 *	if (building.is_broken) ...         // a text was not UTF-8
 *
 * Bad at: telling which text was broken; the daemon's texts never are.
 */
#ifndef CHANNEL_WHATSAPP_BUILDING_H
#define CHANNEL_WHATSAPP_BUILDING_H

#include "wa.h"

struct building {
	const struct whatsapp *wa;
	pa_call *call;
	const pa_message *message;
	pa_error *err;
	bool is_broken;
};

/* Puts the text into the object. */
void put_text(struct building *building, json_t *object, const char *key, pa_str text);

/* Puts the value (a new reference, which is taken) into the object, and returns it, borrowed; NULL
 * if there is no memory. */
json_t *put_value(struct building *building, json_t *object, const char *key, json_t *value);

/* Appends the value (a new reference, which is taken); returns it as above. */
json_t *add_value(struct building *building, json_t *array, json_t *value);

/* PA_REJECTED, naming what and the limit, if text has fewer than min or more than max code
 * points. */
pa_status check_length(struct building *building, const char *what, pa_str text, size_t min,
		       size_t max) WA_MUST_USE;

/* Whether the message's file goes as an image or as a document. */
bool media_is_image(const pa_message *message);

/* PA_REJECTED if the file's type, size or name is not for WhatsApp. */
pa_status media_check(struct building *building) WA_MUST_USE;

/* {"id": ..., "filename": ...} for the file uploaded before. */
json_t *media_object(struct building *building);

/* The template object of the message. PA_REJECTED names the parameter that does not fit. */
pa_status template_build(struct building *building, json_t *root) WA_MUST_USE;

/* The request that uploads the message's file. */
pa_status upload_build(struct building *building, pa_http_request *ret) WA_MUST_USE;

#endif
