/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/request.h"

#include <stdio.h>

static const struct ctl_argument list[] = {{"--channel", "channel", CTL_TEXT, false},
					   {"--state", "state", CTL_TEXT, false},
					   {"--days", "days", CTL_COUNT, false},
					   {"--limit", "limit", CTL_COUNT, false}};
static const struct ctl_argument change[] = {{"ID", "id", CTL_COUNT, false},
					     {"--channel", "channel", CTL_TEXT, false},
					     {"--state", "state", CTL_TEXT, false},
					     {"--days", "days", CTL_COUNT, false},
					     {"--reason", "reason", CTL_TEXT, true}};
static const struct ctl_argument settle[] = {{"ID", "id", CTL_COUNT, true},
					     {"STATE", "state", CTL_TEXT, true},
					     {"--reason", "reason", CTL_TEXT, true}};

static void print_list(const struct json *answer)
{
	static const struct ctl_column columns[] = {
		{"id", "número", "id"},
		{"at", "de", "at"},
		{"conversation", "conversación", "conversation"},
		{"channel", "canal", "channel"},
		{"class", "clase", "class"},
		{"state", "estado", "state"},
		{"tries", "intentos", "tries"},
		{"receipts", "recibos", "receipts"},
		{"code", "código", "code"},
		{"reason", "motivo", "reason"}};

	ctl_print_table(json_get(answer, "items"), columns, ARRAY_COUNT(columns));
}

static void print_count(const struct json *answer)
{
	printf("%lld %s\n", (long long)json_integer_of(answer, "count"),
	       ctl_say("mensajes", "messages"));
	if (json_bool_of(answer, "more"))
		puts(ctl_say("hay más: repita la orden", "there are more: say it again"));
}

int ctl_outbox(struct ctl *ctl, int argc, char *const *argv)
{
	static const struct ctl_verb verbs[] = {
		{"list", "outbox-list", list, ARRAY_COUNT(list), print_list},
		{"retry", "outbox-retry", change, ARRAY_COUNT(change), print_count},
		{"give-up", "outbox-give-up", change, ARRAY_COUNT(change), print_count},
		{"settle", "outbox-settle", settle, ARRAY_COUNT(settle), print_count},
	};

	return ctl_verbs(ctl, verbs, ARRAY_COUNT(verbs), argc, argv);
}
