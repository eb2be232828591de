/* SPDX-License-Identifier: Apache-2.0
 *
 * proaltoctl inbox --json: what came in and how it was understood, an object a line, for support
 * and for tests. Page by page, each of which the daemon writes down as a look.
 */
#include "ctl/request.h"

#include <stdio.h>

/* The request moves on behind what was printed; *ret_more is false after the last page. */
static int print_page(struct ctl *ctl, struct json *request, bool *ret_more)
{
	struct json *answer PA_CLEANUP(json_done) = NULL;
	int status = ctl_ask(ctl, request, &answer);
	const struct json *items;
	int64_t limit, last = 0;

	*ret_more = false;
	if (status != CTL_OK)
		return status;
	items = json_get(answer, "items");
	for (size_t i = 0; i < json_count(items); i++)
		ctl_print_json(json_at(items, i));
	IGNORE_STATUS(!json_get_bool(answer, "more", ret_more), "then there is no more");
	if (!json_count(items) ||
	    !json_get_integer(json_at(items, json_count(items) - 1), "inbox", &last))
		*ret_more = false;
	json_set_integer(request, "after", last);
	if (json_get_integer(request, "limit", &limit)) {
		limit -= (int64_t)json_count(items);
		json_set_integer(request, "limit", limit);
		*ret_more &= limit > 0;
	}
	return CTL_OK;
}

int ctl_inbox(struct ctl *ctl, int argc, char *const *argv)
{
	static const struct ctl_argument arguments[] = {{"--after", "after", CTL_COUNT, false},
							{"--limit", "limit", CTL_COUNT, false},
							{"--body", "body", CTL_FLAG, false},
							{"--reason", "reason", CTL_TEXT, true}};
	struct json *request PA_CLEANUP(json_done) = NULL;
	bool is_json, more = true;
	int status = CTL_OK;

	request = ctl_request("inbox", arguments, ARRAY_COUNT(arguments), argc, argv, &is_json);
	if (!request || !is_json)
		return ctl_usage(ctl);
	while (more && status == CTL_OK)
		status = print_page(ctl, request, &more);
	return fflush(stdout) == 0 ? status : CTL_FAILED;
}
