/* SPDX-License-Identifier: Apache-2.0
 *
 * json.h: JSON as it comes from outside, read by tokens, and JSON written in one pass.
 *
 *	struct wa_json *json = NULL;
 *	if (wa_json_load(body, &json, err) == PA_OK)
 *		id = wa_text_at(wa_root(json), "id");
 *	wa_json_free(json);
 *
 * A document borrows the body; values are small, passed by value, and live as long as the document,
 * as do their texts. What is asked for by a wrong name or of a wrong kind is absent, and so is all
 * that is asked of it. Of equal keys the first counts. Nothing here recurses. One document is used
 * by one thread. Bad at: changing a document.
 *
 * Texts are never escaped or unescaped here: what is plain is copied as it is, jansson does the
 * rest.
 */
#ifndef CHANNEL_WHATSAPP_JSON_H
#define CHANNEL_WHATSAPP_JSON_H

#include "wa.h"

#include <jansson.h>

/* ---- reading ---- */

struct wa_json;

struct wa_value {
	struct wa_json *json; /* NULL: absent */
	int token;
};

enum wa_kind { WA_ABSENT, WA_NULL, WA_FALSE, WA_TRUE, WA_NUMBER, WA_STRING, WA_ARRAY, WA_OBJECT };

/* An object or an array. Of what is wrong in a detail only, the detail is mended: lone surrogates,
 * unknown escapes and bytes that are not UTF-8 become U+FFFD, control characters are taken for
 * escaped, numbers beyond 64 bits become strings of their digits. PA_REJECTED: no JSON; PA_RETRY:
 * no memory. The caller frees *ret. */
pa_status wa_json_load(pa_str body, struct wa_json **ret, pa_error *err) WA_MUST_USE;

/* NULL is fine. */
void wa_json_free(struct wa_json *json);

/* The outermost value; absent if json is NULL. */
struct wa_value wa_root(struct wa_json *json);

enum wa_kind wa_kind(struct wa_value value);

/* The value under a key of an object. */
struct wa_value wa_at(struct wa_value object, const char *key);

/* The first element of an array, and the one behind item. */
struct wa_value wa_first(struct wa_value array);
struct wa_value wa_next(struct wa_value array, struct wa_value item);

/* The text of a string. */
pa_str wa_text(struct wa_value value);
pa_str wa_text_at(struct wa_value object, const char *key);

/* A whole number, written as a number or as a string of digits, from 0 to max. */
bool wa_number_at(struct wa_value object, const char *key, int64_t max, int64_t *ret) WA_MUST_USE;

/* ---- writing ---- */

/* Begin with {0}. */
struct wa_writer {
	char *bytes;
	size_t len;
	size_t room;
	bool is_broken; /* a text was not UTF-8, or no memory */
};

void wa_writer_free(struct wa_writer *writer);

/* Appends the bytes as they are. */
void wa_write(struct wa_writer *writer, pa_str bytes);

/* Appends the text as a JSON string. */
void wa_write_text(struct wa_writer *writer, pa_str text);

/* Appends jansson's value, compact. Takes the reference; NULL breaks the writer. */
void wa_write_json(struct wa_writer *writer, json_t *value);

/* Appends the value as compact JSON that jansson reads. */
void wa_write_value(struct wa_writer *writer, struct wa_value value);

/* ---- between the two ---- */

/* True if a JSON string of that text is the text between quotes. */
bool wa_is_plain(pa_str text);

/* JSON text with all its strings as jansson takes them, to be freed; NULL if there is no memory.
 * nul_is_bad: a NUL becomes U+FFFD too. */
char *wa_mend(pa_str text, bool nul_is_bad, size_t *ret_len) WA_MUST_USE;

#endif
