/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/request.h"

static const struct ctl_argument list[] = {{"--limit", "limit", CTL_COUNT, false}};
static const struct ctl_argument change[] = {{"ID", "id", CTL_COUNT, true},
					     {"--reason", "reason", CTL_TEXT, true}};

static void print_list(const struct json *answer)
{
	static const struct ctl_column columns[] = {
		{"id", "número", "id"},
		{"conversation", "conversación", "conversation"},
		{"came_at", "llegó", "came"},
		{"at", "se apartó", "set aside"},
		{"reason", "motivo", "reason"}};

	ctl_print_table(json_get(answer, "items"), columns, ARRAY_COUNT(columns));
}

int ctl_set_aside(struct ctl *ctl, int argc, char *const *argv)
{
	static const struct ctl_verb verbs[] = {
		{"list", "set-aside-list", list, ARRAY_COUNT(list), print_list},
		{"retry", "set-aside-retry", change, ARRAY_COUNT(change), NULL},
		{"drop", "set-aside-drop", change, ARRAY_COUNT(change), NULL},
	};

	return ctl_verbs(ctl, verbs, ARRAY_COUNT(verbs), argc, argv);
}
