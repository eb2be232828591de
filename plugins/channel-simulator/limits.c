/* SPDX-License-Identifier: Apache-2.0 */
#include "limits.h"

#include <stdbool.h>
#include <string.h>

#define SECTIONS_MAX 10u
#define SMS_TEXT_MAX 1530u /* ten parts of a long SMS (3GPP TS 23.040, 9.2.3.24.1) */

const pa_channel_limits limits_whatsapp = {
	.size = sizeof(pa_channel_limits),
	.text = 4096,
	.interactive_body = 1024,
	.header = 60,
	.footer = 60,
	.buttons = 3,
	.button_title = 20,
	.button_id_bytes = 256,
	.rows = 10,
	.row_title = 24,
	.row_description = 72,
	.row_id_bytes = 200,
	.list_button = 20,
	.section_title = 24,
	.caption = 1024,
	.ref_bytes = 512,
};

static size_t count_points(pa_str text)
{
	size_t points = 0;

	for (size_t i = 0; i < text.len; i++)
		points += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
	return points;
}

static bool is_blank(pa_str text)
{
	static const char blanks[] = {' ', '\t', '\r', '\n'};

	for (size_t i = 0; i < text.len; i++) {
		if (!memchr(blanks, text.ptr[i], sizeof(blanks)))
			return false;
	}
	return true;
}

static bool has_edge_space(pa_str text)
{
	return text.len && (text.ptr[0] == ' ' || text.ptr[text.len - 1] == ' ');
}

static bool is_equal(pa_str a, pa_str b)
{
	return a.len == b.len && (!a.len || !memcmp(a.ptr, b.ptr, a.len));
}

/* Texts around the choices, the same for buttons and lists. */
static const char *frame_broken(const pa_message *message)
{
	const pa_channel_limits *max = &limits_whatsapp;

	if (is_blank(message->body))
		return "the body is empty";
	if (count_points(message->body) > max->interactive_body)
		return "the body has more than 1024 characters";
	if (count_points(message->header) > max->header)
		return "the header has more than 60 characters";
	if (count_points(message->footer) > max->footer)
		return "the footer has more than 60 characters";
	return NULL;
}

static const char *doubles_broken(const pa_message *message)
{
	for (size_t i = 0; i < message->choices_count; i++) {
		for (size_t j = i + 1; j < message->choices_count; j++) {
			if (is_equal(message->choices[i]->id, message->choices[j]->id))
				return "two choices have the same id";
			if (is_equal(message->choices[i]->title, message->choices[j]->title))
				return "two choices have the same title";
		}
	}
	return NULL;
}

static const char *button_broken(const pa_choice *button)
{
	if (is_blank(button->id) || is_blank(button->title))
		return "a button has no id or no title";
	if (has_edge_space(button->id))
		return "a button's id begins or ends with a space";
	if (button->id.len > limits_whatsapp.button_id_bytes)
		return "a button's id has more than 256 bytes";
	if (count_points(button->title) > limits_whatsapp.button_title)
		return "a button's title has more than 20 characters";
	return NULL;
}

static const char *buttons_broken(const pa_message *message)
{
	const char *reason = frame_broken(message);

	if (reason)
		return reason;
	if (!message->choices_count || message->choices_count > limits_whatsapp.buttons)
		return "there must be one to three buttons";
	for (size_t i = 0; i < message->choices_count; i++) {
		reason = button_broken(message->choices[i]);
		if (reason)
			return reason;
	}
	return doubles_broken(message);
}

static const char *row_broken(const pa_choice *row)
{
	if (is_blank(row->id) || is_blank(row->title))
		return "a row has no id or no title";
	if (has_edge_space(row->id))
		return "a row's id begins or ends with a space";
	if (row->id.len > limits_whatsapp.row_id_bytes)
		return "a row's id has more than 200 bytes";
	if (count_points(row->title) > limits_whatsapp.row_title)
		return "a row's title has more than 24 characters";
	if (count_points(row->description) > limits_whatsapp.row_description)
		return "a row's description has more than 72 characters";
	if (count_points(row->section) > limits_whatsapp.section_title)
		return "a section's title has more than 24 characters";
	return NULL;
}

/* A row without a section belongs to the one above it. */
static const char *sections_broken(const pa_message *message)
{
	size_t sections = 0;
	pa_str current = {0};

	for (size_t i = 0; i < message->choices_count; i++) {
		pa_str title = message->choices[i]->section;

		if (i == 0 || (title.len && !is_equal(title, current))) {
			sections++;
			if (sections > 1 && !current.len)
				return "a section of several has no title";
			current = title;
		}
	}
	return sections > SECTIONS_MAX ? "there are more than ten sections" : NULL;
}

static const char *list_broken(const pa_message *message)
{
	const char *reason = frame_broken(message);

	if (reason)
		return reason;
	if (is_blank(message->list_button))
		return "the list's button has no text";
	if (count_points(message->list_button) > limits_whatsapp.list_button)
		return "the list's button has more than 20 characters";
	if (!message->choices_count || message->choices_count > limits_whatsapp.rows)
		return "there must be one to ten rows";
	for (size_t i = 0; i < message->choices_count; i++) {
		reason = row_broken(message->choices[i]);
		if (reason)
			return reason;
	}
	reason = sections_broken(message);
	return reason ? reason : doubles_broken(message);
}

static const char *text_broken(const pa_message *message)
{
	size_t max = message->medium == PA_MEDIUM_SMS ? SMS_TEXT_MAX : limits_whatsapp.text;

	if (is_blank(message->body))
		return "the body is empty";
	return count_points(message->body) > max ? "the body is too long" : NULL;
}

static const char *file_broken(const pa_message *message)
{
	if (!message->media_bytes.len && !message->media_id.len)
		return "there is no file";
	if (count_points(message->body) > limits_whatsapp.caption)
		return "the caption has more than 1024 characters";
	if (message->kind == PA_OUT_DOCUMENT && is_blank(message->media_name))
		return "the document has no name";
	return NULL;
}

const char *limits_broken_by(const pa_message *message)
{
	if (message->ref.len > limits_whatsapp.ref_bytes)
		return "the reference has more than 512 bytes";
	if (message->medium == PA_MEDIUM_SMS && message->kind != PA_OUT_TEXT)
		return "an SMS is plain text";
	switch (message->kind) {
	case PA_OUT_TEXT:
		return text_broken(message);
	case PA_OUT_BUTTONS:
		return buttons_broken(message);
	case PA_OUT_LIST:
		return list_broken(message);
	case PA_OUT_DOCUMENT:
	case PA_OUT_IMAGE:
		return file_broken(message);
	default:
		return "the simulator does not carry messages of this kind";
	}
}
