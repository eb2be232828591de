/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/request.h"

static void print_looks(const struct json *answer)
{
	static const struct ctl_column columns[] = {
		{"at", "cuándo", "when"},
		{"user", "quién", "who"},
		{"action", "qué", "what"},
		{"object", "de qué", "of what"},
		{"conversation", "conversación", "conversation"},
		{"reason", "por qué", "why"}};

	ctl_print_table(json_get(answer, "items"), columns, ARRAY_COUNT(columns));
}

int ctl_looks(struct ctl *ctl, int argc, char *const *argv)
{
	static const struct ctl_argument arguments[] = {
		{"--conversation", "conversation", CTL_COUNT, false},
		{"--limit", "limit", CTL_COUNT, false}};
	struct json *request PA_CLEANUP(json_done) = NULL;
	bool is_json;

	request = ctl_request("looks", arguments, ARRAY_COUNT(arguments), argc, argv, &is_json);
	return request ? ctl_ask_and_print(ctl, request, is_json, print_looks) : ctl_usage(ctl);
}
