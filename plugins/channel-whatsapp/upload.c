/* SPDX-License-Identifier: Apache-2.0
 *
 * Files out: POST /{version}/{phone-number-id}/media, multipart/form-data (RFC 7578). Meta's
 * "Media" page: types and sizes.
 */
#include "building.h"

#include <string.h>

#define MIB ((size_t)1 << 20)
/* Meta takes documents of 100 MB; a call's memory, which holds the whole body, is 16 MiB. */
#define MAX_UPLOAD (14 * MIB)
#define MAX_FILE_NAME 240
#define BOUNDARY_BYTES 16

#define OFFICE "application/vnd.openxmlformats-officedocument."

static const struct media_kind {
	const char *mime_type;
	bool is_image;
	size_t max;
} media_kinds[] = {
	{"application/pdf", false, MAX_UPLOAD},
	{"image/jpeg", true, 5 * MIB},
	{"image/png", true, 5 * MIB},
	{"text/plain", false, MAX_UPLOAD},
	{"application/msword", false, MAX_UPLOAD},
	{"application/vnd.ms-excel", false, MAX_UPLOAD},
	{"application/vnd.ms-powerpoint", false, MAX_UPLOAD},
	{OFFICE "wordprocessingml.document", false, MAX_UPLOAD},
	{OFFICE "spreadsheetml.sheet", false, MAX_UPLOAD},
	{OFFICE "presentationml.presentation", false, MAX_UPLOAD},
};

/* NULL: not one that WhatsApp carries. */
static const struct media_kind *media_find(pa_str type)
{
	for (size_t i = 0; i < WA_COUNT(media_kinds); i++)
		if (wa_equal_literal(type, media_kinds[i].mime_type))
			return &media_kinds[i];
	return NULL;
}

bool media_is_image(const pa_message *message)
{
	const struct media_kind *kind = media_find(message->media_type);

	if (message->kind == PA_OUT_IMAGE || message->kind == PA_OUT_DOCUMENT)
		return message->kind == PA_OUT_IMAGE;
	return kind != NULL && kind->is_image;
}

pa_status media_check(struct building *building)
{
	const pa_message *message = building->message;
	const struct media_kind *kind = media_find(message->media_type);

	/* A file uploaded before has been looked at then. */
	if (message->media_id.len == 0 || message->media_type.len) {
		if (kind == NULL)
			return wa_fail(building->err, PA_REJECTED,
				       "WhatsApp carries no files of this media type");
		if (message->kind == PA_OUT_IMAGE && !kind->is_image)
			return wa_fail(building->err, PA_REJECTED,
				       "an image must be image/jpeg or image/png");
		if (message->kind == PA_OUT_DOCUMENT && kind->is_image)
			return wa_fail(building->err, PA_REJECTED,
				       "an image can't go as a document");
		if (message->media_bytes.len > kind->max)
			return wa_fail(building->err, PA_REJECTED,
				       "the file has %zu bytes, the limit is %zu",
				       message->media_bytes.len, kind->max);
	}
	return check_length(building, "file name", message->media_name, 0, MAX_FILE_NAME);
}

void open_media(struct building *building)
{
	const pa_message *message = building->message;
	bool is_image = media_is_image(message);

	open_object(building, is_image ? "image" : "document");
	put_text(building, "id", message->media_id);
	if (!is_image && message->media_name.len)
		put_text(building, "filename", message->media_name);
}

static pa_str make_boundary(struct building *building)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t random[BOUNDARY_BYTES];
	char text[2 * BOUNDARY_BYTES];

	building->wa->host->random_bytes(building->call, random, sizeof(random));
	for (size_t i = 0; i < BOUNDARY_BYTES; i++) {
		text[2 * i] = digits[random[i] >> 4];
		text[2 * i + 1] = digits[random[i] & 15];
	}
	return wa_copy(building->wa, building->call, (pa_str){text, sizeof(text)});
}

/* A name inside quotes: RFC 7578, section 4.2, as browsers do it (quotes and line ends as percent
 * escapes). Other control characters have no place in a name. */
static pa_str quote_name(struct building *building, pa_str name)
{
	char *out = building->wa->host->alloc(building->call, 3 * name.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];

		if (c == '"') {
			memcpy(out + len, "%22", 3);
			len += 3;
		} else if (c >= 0x20 && c != 0x7f) {
			out[len++] = name.ptr[i];
		}
	}
	return (pa_str){out, len};
}

static pa_str make_form(struct building *building, pa_str boundary)
{
	const pa_message *message = building->message;
	pa_str name = message->media_name.len ? message->media_name : WA_STR("file");
	const pa_str parts[] = {
		WA_STR("--"),
		boundary,
		WA_STR("\r\nContent-Disposition: form-data; name=\"messaging_product\"\r\n\r\n"
		       "whatsapp\r\n--"),
		boundary,
		WA_STR("\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\n"),
		message->media_type,
		WA_STR("\r\n--"),
		boundary,
		WA_STR("\r\nContent-Disposition: form-data; name=\"file\"; filename=\""),
		quote_name(building, name),
		WA_STR("\"\r\nContent-Type: "),
		message->media_type,
		WA_STR("\r\n\r\n"),
		message->media_bytes,
		WA_STR("\r\n--"),
		boundary,
		WA_STR("--\r\n"),
	};

	return wa_join(building->wa, building->call, parts, WA_COUNT(parts));
}

pa_status upload_build(struct building *building, pa_http_request *ret)
{
	const struct whatsapp *wa = building->wa;
	pa_status status = media_check(building);
	pa_str boundary;
	pa_str type[2] = {WA_STR("multipart/form-data; boundary=")};

	if (status != PA_OK)
		return status;
	boundary = make_boundary(building);
	type[1] = boundary;
	wa_request(wa, building->call, "POST",
		   wa_graph_url(wa, building->call, wa->phone_number_id, WA_STR("/media")),
		   wa_join(wa, building->call, type, WA_COUNT(type)), make_form(building, boundary),
		   ret);
	return PA_OK;
}
