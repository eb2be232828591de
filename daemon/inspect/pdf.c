/* SPDX-License-Identifier: Apache-2.0
 *
 * By qpdf without its repairs: what it must guess, a reader at the desk would guess otherwise. All
 * that can be reached from the trailer is looked at, and each stream is unpacked.
 */
#include "inspect/decode.h"

#include <qpdf/qpdf-c.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NODES 400000
#define MAX_UNPACKED ((uint64_t)256 << 20)
#define SEEN_SLOTS (1u << 20) /* a power of two, more than twice MAX_NODES */

/* Keys that only stand where something acts or is hidden. */
static const char *const active_keys[] = {"/JS", "/JavaScript", "/EmbeddedFiles",
					  "/EF", "/XFA",        "/RichMediaContent"};

static const struct {
	const char *key, *value;
} active_values[] = {
	{"/S", "/JavaScript"},       {"/S", "/Launch"},      {"/S", "/ImportData"},
	{"/S", "/SubmitForm"},       {"/S", "/GoToE"},       {"/S", "/GoToR"},
	{"/S", "/Rendition"},        {"/S", "/Movie"},       {"/S", "/Sound"},
	{"/S", "/RichMediaExecute"}, {"/Type", "/Filespec"}, {"/Type", "/EmbeddedFile"},
	{"/Subtype", "/RichMedia"},  {"/Subtype", "/Movie"}, {"/Subtype", "/FileAttachment"},
	{"/Subtype", "/Screen"},     {"/Subtype", "/Sound"}, {"/Subtype", "/3D"},
};

struct walk {
	const struct inspect_input *input;
	qpdf_data pdf;
	qpdf_oh *open; /* what is still to be looked at */
	size_t open_count;
	size_t nodes;
	uint64_t *seen; /* objects by number, open addressing, 0 is free */
	uint64_t unpacked;
	enum inspect_verdict verdict;
};

/* Memory that is not there has no code of its own, whoever noticed it. */
static enum inspect_verdict verdict_of(qpdf_data pdf, qpdf_error error)
{
	const char *detail = qpdf_get_error_message_detail(pdf, error);

	if (qpdf_get_error_code(pdf, error) == qpdf_e_password)
		return INSPECT_ENCRYPTED;
	return strstr(detail, "bad_alloc") ? INSPECT_BOMB : INSPECT_BROKEN;
}

static enum inspect_verdict graver(enum inspect_verdict a, enum inspect_verdict b)
{
	return a > b ? a : b;
}

/* What qpdf has to complain of since it was last asked; INSPECT_SOUND: nothing. An error comes with
 * warnings that say more. One that nobody asks for would be printed in the end. */
static enum inspect_verdict complaint_of(qpdf_data pdf)
{
	enum inspect_verdict verdict = INSPECT_SOUND;

	if (qpdf_has_error(pdf))
		verdict = verdict_of(pdf, qpdf_get_error(pdf));
	while (qpdf_more_warnings(pdf))
		verdict = graver(verdict, verdict_of(pdf, qpdf_next_warning(pdf)));
	return verdict;
}

/* The first reason counts. */
static void refuse(struct walk *walk, enum inspect_verdict verdict)
{
	if (walk->verdict == INSPECT_SOUND)
		walk->verdict = verdict;
}

/* True the first time. */
static bool note_seen(struct walk *walk, qpdf_oh object)
{
	uint64_t id = (uint64_t)(uint32_t)qpdf_oh_get_object_id(walk->pdf, object) << 32 |
		      (uint32_t)qpdf_oh_get_generation(walk->pdf, object);
	size_t slot = (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 44);

	for (; walk->seen[slot]; slot = (slot + 1) & (SEEN_SLOTS - 1))
		if (walk->seen[slot] == id)
			return false;
	walk->seen[slot] = id;
	return true;
}

static void push(struct walk *walk, qpdf_oh object)
{
	bool is_inner = qpdf_oh_is_array(walk->pdf, object) ||
			qpdf_oh_is_dictionary(walk->pdf, object) ||
			qpdf_oh_is_stream(walk->pdf, object);

	if (!is_inner || (qpdf_oh_is_indirect(walk->pdf, object) && !note_seen(walk, object))) {
		qpdf_oh_release(walk->pdf, object);
	} else if (walk->nodes == MAX_NODES) {
		refuse(walk, INSPECT_BOMB);
	} else {
		walk->nodes++;
		walk->open[walk->open_count++] = object;
	}
}

static bool is_name(struct walk *walk, qpdf_oh object, const char *name)
{
	return qpdf_oh_is_name_and_equals(walk->pdf, object, name);
}

static void look_at_key(struct walk *walk, const char *key, qpdf_oh value)
{
	for (size_t i = 0; i < ARRAY_COUNT(active_keys); i++)
		if (strcmp(key, active_keys[i]) == 0)
			refuse(walk, INSPECT_ACTIVE);
	for (size_t i = 0; i < ARRAY_COUNT(active_values); i++)
		if (strcmp(key, active_values[i].key) == 0 &&
		    is_name(walk, value, active_values[i].value))
			refuse(walk, INSPECT_ACTIVE);
}

static void look_at_dictionary(struct walk *walk, qpdf_oh dictionary)
{
	qpdf_oh_begin_dict_key_iter(walk->pdf, dictionary);
	while (walk->verdict == INSPECT_SOUND && qpdf_oh_dict_more_keys(walk->pdf)) {
		const char *key = qpdf_oh_dict_next_key(walk->pdf);
		qpdf_oh value = qpdf_oh_get_key(walk->pdf, dictionary, key);

		look_at_key(walk, key, value);
		push(walk, value);
	}
}

static void look_at_array(struct walk *walk, qpdf_oh array)
{
	int count = qpdf_oh_get_array_n_items(walk->pdf, array);

	for (int i = 0; i < count && walk->verdict == INSPECT_SOUND; i++)
		push(walk, qpdf_oh_get_array_item(walk->pdf, array, i));
}

static uint64_t number_at(struct walk *walk, qpdf_oh dictionary, const char *key)
{
	qpdf_oh value = qpdf_oh_get_key(walk->pdf, dictionary, key);
	long long number = 0;

	if (!qpdf_oh_get_value_as_longlong(walk->pdf, value, &number) || number < 0)
		number = 0;
	qpdf_oh_release(walk->pdf, value);
	return number > INT32_MAX ? INT32_MAX : (uint64_t)number;
}

/* Before it is unpacked: a picture says its size, and data from elsewhere are none of ours. */
static bool is_stream_allowed(struct walk *walk, qpdf_oh dictionary)
{
	qpdf_oh subtype = qpdf_oh_get_key(walk->pdf, dictionary, "/Subtype");
	bool is_picture = is_name(walk, subtype, "/Image");

	qpdf_oh_release(walk->pdf, subtype);
	if (qpdf_oh_has_key(walk->pdf, dictionary, "/F"))
		refuse(walk, INSPECT_ACTIVE);
	if (is_picture &&
	    number_at(walk, dictionary, "/Width") * number_at(walk, dictionary, "/Height") >
		    walk->input->limits->pixels)
		refuse(walk, INSPECT_TOO_MANY_PIXELS);
	return walk->verdict == INSPECT_SOUND;
}

static void unpack(struct walk *walk, qpdf_oh stream)
{
	unsigned char *data = NULL;
	QPDF_BOOL is_filtered;
	size_t len = 0;

	IGNORE_STATUS(
		qpdf_oh_get_stream_data(walk->pdf, stream, qpdf_dl_all, &is_filtered, &data, &len),
		"complaint_of tells");
	free(data);
	walk->unpacked += len;
	if (walk->unpacked > MAX_UNPACKED)
		refuse(walk, INSPECT_BOMB);
}

static void look_at_stream(struct walk *walk, qpdf_oh stream)
{
	qpdf_oh dictionary = qpdf_oh_get_dict(walk->pdf, stream);

	look_at_dictionary(walk, dictionary);
	if (walk->verdict == INSPECT_SOUND && is_stream_allowed(walk, dictionary))
		unpack(walk, stream);
	qpdf_oh_release(walk->pdf, dictionary);
}

static void look_at(struct walk *walk, qpdf_oh object)
{
	if (qpdf_oh_is_stream(walk->pdf, object))
		look_at_stream(walk, object);
	else if (qpdf_oh_is_array(walk->pdf, object))
		look_at_array(walk, object);
	else
		look_at_dictionary(walk, object);
	qpdf_oh_release(walk->pdf, object);
}

static enum inspect_verdict walk_all(const struct inspect_input *input, qpdf_data pdf)
{
	struct walk walk = {.input = input, .pdf = pdf};

	walk.open = calloc(MAX_NODES, sizeof(*walk.open));
	walk.seen = calloc(SEEN_SLOTS, sizeof(*walk.seen));
	if (!walk.open || !walk.seen)
		abort();
	push(&walk, qpdf_get_trailer(pdf));
	while (walk.open_count && walk.verdict == INSPECT_SOUND) {
		look_at(&walk, walk.open[--walk.open_count]);
		refuse(&walk, complaint_of(pdf));
	}
	free(walk.open);
	free(walk.seen);
	return walk.verdict;
}

/* Behind the last "%%EOF" there is white space and nothing else. */
static bool is_end_clean(const struct inspect_input *input)
{
	size_t end = input->len;

	while (end && memchr(" \t\r\n", input->bytes[end - 1], 4))
		end--;
	return end >= 5 && memcmp(input->bytes + end - 5, "%%EOF", 5) == 0;
}

static enum inspect_verdict judge(qpdf_data pdf, const struct inspect_input *input,
				  struct inspect_result *ret)
{
	enum inspect_verdict complaint;
	int pages = -1;

	qpdf_silence_errors(pdf);
	qpdf_set_suppress_warnings(pdf, QPDF_TRUE);
	qpdf_set_attempt_recovery(pdf, QPDF_FALSE);
	if (!(qpdf_read_memory(pdf, "file", (const char *)input->bytes, input->len, NULL) &
	      QPDF_ERRORS))
		pages = qpdf_get_num_pages(pdf);
	complaint = complaint_of(pdf);
	if (complaint != INSPECT_SOUND)
		return complaint;
	if (qpdf_is_encrypted(pdf))
		return INSPECT_ENCRYPTED;
	if (pages <= 0)
		return INSPECT_BROKEN;
	ret->record.pages = (uint32_t)pages;
	if ((uint32_t)pages > input->limits->pages)
		return INSPECT_TOO_MANY_PAGES;
	return walk_all(input, pdf);
}

enum inspect_verdict inspect_pdf(const struct inspect_input *input, struct inspect_result *ret)
{
	enum inspect_verdict verdict;
	qpdf_data pdf;

	if (!is_end_clean(input))
		return INSPECT_POLYGLOT;
	pdf = qpdf_init();
	verdict = judge(pdf, input, ret);
	IGNORE_STATUS(complaint_of(pdf), "none may be left");
	qpdf_cleanup(&pdf);
	return verdict;
}
