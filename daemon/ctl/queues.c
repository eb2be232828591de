/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/request.h"

#include <stdio.h>

static void print_queues(const struct json *answer)
{
	static const struct ctl_column channels[] = {
		{"channel", "canal", "channel"},
		{"node", "envía", "sent by"},
		{"paused_at", "en pausa desde", "paused since"}};
	static const struct ctl_column messages[] = {
		{"channel", "canal", "channel"},
		{"state", "estado", "state"},
		{"count", "mensajes", "messages"},
		{"oldest_s", "el más viejo (s)", "oldest (s)"},
		{"newest_s", "el más nuevo (s)", "newest (s)"}};
	static const struct ctl_column numbers[] = {
		{"events_waiting", "esperan turno", "events waiting"},
		{"events_oldest_s", "desde hace (s)", "for (s)"},
		{"events_suspect", "sospechosos", "suspect"},
		{"timers", "temporizadores", "timers"},
		{"timers_due", "vencidos", "due"},
		{"set_aside", "apartados", "set aside"}};
	struct json *one = json_array_new();
	struct json *copy = json_object_new();

	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
		int64_t value;

		if (json_get_integer(answer, numbers[i].key, &value))
			json_set_integer(copy, numbers[i].key, value);
	}
	json_append(one, copy);
	ctl_print_table(one, numbers, ARRAY_COUNT(numbers));
	json_done(&one);
	putchar('\n');
	ctl_print_table(json_get(answer, "channels"), channels, ARRAY_COUNT(channels));
	puts(ctl_say("\nPor enviar:", "\nTo be sent:"));
	ctl_print_table(json_get(answer, "messages"), messages, ARRAY_COUNT(messages));
	puts(ctl_say("\nNo salieron, o no se sabe (7 días):",
		     "\nDid not leave, or nobody knows (7 days):"));
	ctl_print_table(json_get(answer, "dead_letters"), messages, ARRAY_COUNT(messages));
}

int ctl_queues(struct ctl *ctl, int argc, char *const *argv)
{
	struct json *request PA_CLEANUP(json_done) = NULL;
	bool is_json;

	request = ctl_request("queues", NULL, 0, argc, argv, &is_json);
	return request ? ctl_ask_and_print(ctl, request, is_json, print_queues) : ctl_usage(ctl);
}
