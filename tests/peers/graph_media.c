/* SPDX-License-Identifier: Apache-2.0 */
#include "peers/graph.h"

#include "io/clock.h"
#include "io/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MB ((size_t)1 << 20)
#define ADDRESS_LIFE_NS (5 * NS_PER_MINUTE)

/* What Meta takes, and how much of it. */
static const struct {
	const char *mime;
	size_t max;
} kinds[] = {
	{"image/jpeg", 5 * MB},
	{"image/png", 5 * MB},
	{"audio/aac", 16 * MB},
	{"audio/amr", 16 * MB},
	{"audio/mpeg", 16 * MB},
	{"audio/mp4", 16 * MB},
	{"audio/ogg", 16 * MB},
	{"video/mp4", 16 * MB},
	{"video/3gpp", 16 * MB},
	{"text/plain", 100 * MB},
	{"application/pdf", 100 * MB},
	{"image/webp", 512 << 10},
	{"application/msword", 100 * MB},
	{"application/vnd.ms-excel", 100 * MB},
	{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", 100 * MB},
	{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", 100 * MB},
};

struct medium *graph_media_find(struct graph *graph, pa_str id)
{
	struct medium *medium = graph->media;

	while (medium && !str_equal(str_from(medium->id), id))
		medium = medium->next;
	return medium;
}

struct medium *graph_media_add(struct graph *graph, pa_str mime, pa_str bytes)
{
	struct medium *medium = calloc(1, sizeof(*medium));

	if (!medium)
		abort();
	snprintf(medium->id, sizeof(medium->id), "13762%010llu",
		 (unsigned long long)++graph->serial);
	snprintf(medium->mime, sizeof(medium->mime), "%.*s", PA_FMT(mime));
	medium->bytes = (struct buf)BUF_INIT(128 * MB);
	buf_add(&medium->bytes, bytes);
	medium->next = graph->media;
	graph->media = medium;
	return medium;
}

/* ---- upload ------------------------------------------------------------------------------------
 */

/* A part of multipart/form-data (RFC 7578). */
struct part {
	pa_str name, mime, body;
	bool is_file;
};

static pa_str quoted(pa_str header, pa_str key)
{
	size_t at = str_find(header, key);
	pa_str rest;

	if (at == SIZE_MAX)
		return PA_STR_ABSENT;
	rest = str_slice(header, at + key.len, SIZE_MAX);
	return str_split(&rest, '"');
}

static bool next_part(pa_str *rest, pa_str delimiter, struct part *ret)
{
	size_t start = str_find(*rest, delimiter), head, end;
	pa_str headers, disposition;

	if (start == SIZE_MAX)
		return false;
	*rest = str_slice(*rest, start + delimiter.len, SIZE_MAX);
	head = str_find(*rest, PA_STR("\r\n\r\n"));
	end = str_find(*rest, delimiter);
	if (head == SIZE_MAX || end == SIZE_MAX || end < head + 6)
		return false;
	headers = str_slice(*rest, 0, head + 2);
	ret->body = str_slice(*rest, head + 4, end - head - 6); /* less the line's end */
	ret->mime = PA_STR_ABSENT;
	disposition = PA_STR_ABSENT;
	while (!str_is_absent(headers)) {
		pa_str line = str_split(&headers, '\n'), key = str_split(&line, ':');

		if (str_equal_nocase(key, PA_STR("content-type")))
			ret->mime = str_trim(line);
		if (str_equal_nocase(key, PA_STR("content-disposition")))
			disposition = line;
	}
	ret->name = quoted(disposition, PA_STR(" name=\""));
	ret->is_file = str_find(disposition, PA_STR("filename=\"")) != SIZE_MAX;
	return true;
}

static const char *check_file(pa_str type, const struct part *file)
{
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		if (!str_starts(file->mime, str_from(kinds[i].mime)))
			continue;
		if (!str_is_absent(type) && !str_equal(type, file->mime))
			return "type and the part's content type differ";
		return file->body.len > kinds[i].max ? "the file is too large" : NULL;
	}
	return "the content type is not one of Meta's";
}

void graph_media_upload(struct graph *graph, struct talk *talk)
{
	pa_str type = talk_header(talk, PA_STR("content-type")), rest = talk->body, given, product;
	size_t at = str_find(type, PA_STR("boundary="));
	struct buf delimiter PA_CLEANUP(buf_done) = BUF_INIT(256);
	struct part part, file = {.is_file = false};
	const char *wrong;

	given = product = PA_STR_ABSENT;
	if (!str_starts(type, PA_STR("multipart/form-data")) || at == SIZE_MAX) {
		graph_error(talk, 400, 100, "not multipart/form-data");
		return;
	}
	buf_format(&delimiter, "--%.*s", PA_FMT(str_slice(type, at + 9, 200)));
	while (next_part(&rest, buf_str(&delimiter), &part)) {
		if (str_equal(part.name, PA_STR("messaging_product")))
			product = part.body;
		else if (str_equal(part.name, PA_STR("type")))
			given = part.body;
		else if (str_equal(part.name, PA_STR("file")) && part.is_file)
			file = part;
	}
	wrong = !str_equal(product, PA_STR("whatsapp")) ? "messaging_product is missing"
		: !file.is_file                         ? "file is missing"
							: check_file(given, &file);
	if (wrong) {
		graph->count_refused++;
		graph_error(talk, 400, 100, wrong);
		return;
	}
	graph->count_media++;
	graph_answer_json(
		talk, 200,
		json_pack("{ss}", "id", graph_media_add(graph, file.mime, file.body)->id));
}

/* ---- download ----------------------------------------------------------------------------------
 */

static void answer_bytes(struct talk *talk, const struct medium *medium)
{
	char header[128];

	snprintf(header, sizeof(header), "Content-Type: %s\r\n", medium->mime);
	talk_answer(talk, 200, str_from(header), buf_str(&medium->bytes));
}

static void answer_description(struct graph *graph, struct talk *talk, struct medium *medium)
{
	uint8_t digest[DIGEST_BYTES];
	char url[128], size[24], hex[2 * DIGEST_BYTES + 1];

	sha256(buf_str(&medium->bytes), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	medium->address = ++graph->serial;
	medium->address_ends_ns = clock_monotonic_ns() + ADDRESS_LIFE_NS;
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/_media/%s/%llu", serve_port(graph->serve),
		 medium->id, (unsigned long long)medium->address);
	snprintf(size, sizeof(size), "%zu", medium->bytes.len);
	graph_answer_json(talk, 200,
			  json_pack("{ss ss ss ss ss ss}", "messaging_product", "whatsapp", "url",
				    url, "mime_type", medium->mime, "sha256", hex, "file_size",
				    size, "id", medium->id));
}

static void forget(struct graph *graph, struct medium *medium)
{
	struct medium **at = &graph->media;

	while (*at != medium)
		at = &(*at)->next;
	*at = medium->next;
	buf_done(&medium->bytes);
	free(medium);
}

/* _media/ID/ADDRESS */
static void answer_at_address(struct graph *graph, struct talk *talk, pa_str rest)
{
	pa_str id = str_split(&rest, '/');
	struct medium *medium = graph_media_find(graph, id);
	char address[24] = "";

	if (medium)
		snprintf(address, sizeof(address), "%llu", (unsigned long long)medium->address);
	if (!medium || !medium->address || !str_equal(rest, str_from(address)) ||
	    clock_monotonic_ns() >= medium->address_ends_ns)
		talk_answer(talk, 404, PA_STR_ABSENT, PA_STR_ABSENT);
	else
		answer_bytes(talk, medium);
}

bool graph_media_route(struct graph *graph, struct talk *talk, pa_str path)
{
	struct medium *medium = graph_media_find(graph, path);

	if (str_starts(path, PA_STR("_media/"))) {
		answer_at_address(graph, talk, str_slice(path, 7, SIZE_MAX));
		return true;
	}
	if (!medium)
		return false;
	if (str_equal(talk->method, PA_STR("DELETE"))) {
		forget(graph, medium);
		graph_answer_json(talk, 200, json_pack("{sb}", "success", 1));
	} else {
		answer_description(graph, talk, medium);
	}
	return true;
}
