/* SPDX-License-Identifier: Apache-2.0 */
#include "peers/faults.h"

#include <string.h>

static const char *const kinds[] = {"ok", "error", "hang", "drop_before", "drop_after"};

static bool find_kind(json_t *entry, enum fault_kind *ret)
{
	const char *name = json_string_value(json_object_get(entry, "kind"));

	for (size_t i = 0; name && i < ARRAY_COUNT(kinds); i++) {
		if (strcmp(kinds[i], name) == 0) {
			*ret = (enum fault_kind)i;
			return true;
		}
	}
	return false;
}

bool faults_plan(struct faults *faults, json_t *plan)
{
	json_t *next = json_object_get(plan, "next");
	json_t *latency = json_object_get(plan, "latency_ms");
	enum fault_kind kind;
	json_t *entry;
	size_t i;

	json_array_foreach(next, i, entry)
	{
		if (!find_kind(entry, &kind) || !json_is_integer(json_object_get(entry, "count")))
			return false;
	}
	if (latency)
		faults->latency_ns = json_integer_value(latency) * NS_PER_MS;
	if (next) {
		json_decref(faults->next);
		faults->next = json_deep_copy(next);
	}
	return true;
}

struct fault faults_take(struct faults *faults)
{
	json_t *entry = json_array_get(faults->next, 0);
	json_int_t count = json_integer_value(json_object_get(entry, "count"));
	struct fault fault = {.kind = FAULT_NONE};

	if (!entry || !find_kind(entry, &fault.kind))
		return fault;
	fault.http = (unsigned)json_integer_value(json_object_get(entry, "http"));
	fault.code = (int)json_integer_value(json_object_get(entry, "code"));
	if (count > 1)
		json_object_set_new(entry, "count", json_integer(count - 1));
	else if (count >= 0)
		json_array_remove(faults->next, 0);
	return fault;
}
