/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_request.h"

#include "base/str.h"
#include "io/http_message.h"

#include <microhttpd.h>

#define HEADERS_MAX 100 /* so many headers, and as many query parameters */

/* Collects headers or query parameters. */
struct collector {
	struct arena *arena;
	const pa_pair **pairs;
	size_t count;
};

static enum MHD_Result collect(void *arg, enum MHD_ValueKind kind, const char *name,
			       size_t name_size, const char *value, size_t value_size)
{
	struct collector *into = arg;

	into->pairs[into->count++] =
		http_pair_copy(into->arena, (pa_str){name, name_size},
			       (pa_str){value ? value : "", value_size}, kind == MHD_HEADER_KIND);
	return MHD_YES;
}

static const pa_pair *const *collect_values(struct MHD_Connection *connection, struct arena *arena,
					    enum MHD_ValueKind kind, size_t *ret_count)
{
	int count = MHD_get_connection_values_n(connection, kind, NULL, NULL);
	struct collector into = {.arena = arena};

	if (count > 0) {
		into.pairs = ARENA_ARRAY(arena, const pa_pair *, (size_t)count);
		MHD_get_connection_values_n(connection, kind, collect, &into);
	}
	*ret_count = into.count;
	return into.pairs;
}

void http_request_fill(struct MHD_Connection *connection, struct arena *arena, const char *path,
		       const char *method, pa_http_request *ret)
{
	*ret = (pa_http_request){.size = sizeof(*ret)};
	ret->method = arena_copy(arena, str_from(method));
	ret->url = arena_copy(arena, str_from(path));
	ret->headers = collect_values(connection, arena, MHD_HEADER_KIND, &ret->headers_count);
	ret->query = collect_values(connection, arena, MHD_GET_ARGUMENT_KIND, &ret->query_count);
}

bool http_request_is_crowded(struct MHD_Connection *connection)
{
	return MHD_get_connection_values_n(connection, MHD_HEADER_KIND, NULL, NULL) > HEADERS_MAX ||
	       MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, NULL, NULL) >
		       HEADERS_MAX;
}

uint64_t http_request_length(struct MHD_Connection *connection)
{
	const char *text = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
						       MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t length = 0;

	return text && str_to_uint64(str_from(text), &length) ? length : 0;
}

struct joined {
	struct arena *arena;
	pa_str list;
};

static enum MHD_Result join_forwarded(void *arg, enum MHD_ValueKind kind, const char *name,
				      const char *value)
{
	struct joined *joined = arg;

	(void)kind;
	if (!value || !str_equal_nocase(str_from(name), PA_STR("x-forwarded-for")))
		return MHD_YES;
	joined->list = str_is_absent(joined->list) ? arena_copy(joined->arena, str_from(value))
						   : arena_format(joined->arena, "%.*s,%s",
								  PA_FMT(joined->list), value);
	return MHD_YES;
}

pa_str http_request_forwarded(struct MHD_Connection *connection, struct arena *arena)
{
	struct joined joined = {.arena = arena, .list = PA_STR_ABSENT};

	MHD_get_connection_values(connection, MHD_HEADER_KIND, join_forwarded, &joined);
	return joined.list;
}
