/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/request.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

#define PHONE_MAX 64

static const struct ctl_argument show[] = {{"NUMBER", "conversation", CTL_TEXT, false},
					   {"--phone", "phone", CTL_TEXT, false},
					   {"--messages", "messages", CTL_COUNT, false},
					   {"--reason", "reason", CTL_TEXT, true}};
static const struct ctl_argument resume[] = {{"NUMBER", "conversation", CTL_TEXT, true},
					     {"--reason", "reason", CTL_TEXT, true}};

/* ---- for people ---- */

static void print_members(const struct json *conversation)
{
	static const struct ctl_column columns[] = {
		{"conversation", "conversación", "conversation"},
		{"channel", "canal", "channel"},
		{"node", "nodo", "node"},
		{"last_inbound_at", "último mensaje suyo", "last message from him"},
		{"flow", "flujo", "flow"},
		{"step", "paso", "step"},
		{"only_a_person", "solo una persona", "only a person"},
		{"events_waiting", "esperan turno", "waiting"},
		{"set_aside", "apartados", "set aside"},
		{"erased", "borrado", "erased"}};
	static const struct ctl_column cases[] = {{"number", "radicado", "case"},
						  {"kind", "clase", "kind"},
						  {"at", "abierto", "opened"},
						  {"due", "vence", "due"},
						  {"closed_at", "cerrado", "closed"}};
	static const struct ctl_column consents[] = {{"purpose", "finalidad", "purpose"},
						     {"action", "palabra", "word"},
						     {"at", "cuándo", "when"}};
	static const struct ctl_column timers[] = {{"name", "temporizador", "timer"},
						   {"due", "vence", "due"}};

	for (size_t i = 0; i < ARRAY_COUNT(columns); i++) {
		pa_str text;
		int64_t integer;
		bool is_true = false;

		if (json_get_text(conversation, columns[i].key, &text))
			printf("%s: %.*s\n", ctl_say(columns[i].es, columns[i].en), PA_FMT(text));
		else if (json_get_integer(conversation, columns[i].key, &integer))
			printf("%s: %lld\n", ctl_say(columns[i].es, columns[i].en),
			       (long long)integer);
		else if (json_get_bool(conversation, columns[i].key, &is_true) && is_true)
			puts(ctl_say(columns[i].es, columns[i].en));
	}
	if (json_count(json_get(conversation, "cases")))
		ctl_print_table(json_get(conversation, "cases"), cases, ARRAY_COUNT(cases));
	if (json_count(json_get(conversation, "consents")))
		ctl_print_table(json_get(conversation, "consents"), consents,
				ARRAY_COUNT(consents));
	if (json_count(json_get(conversation, "timers")))
		ctl_print_table(json_get(conversation, "timers"), timers, ARRAY_COUNT(timers));
}

static void print_lines(pa_str text)
{
	do {
		ctl_print_text(str_split(&text, '\n'));
		putchar('\n');
	} while (text.len);
}

static void print_message(const struct json *message)
{
	bool is_out = str_equal(json_text_of(message, "direction"), PA_STR("out"));
	const struct json *receipts = json_get(message, "receipts");

	printf("\n%.*s %s %lld %.*s", PA_FMT(json_text_of(message, "at")), is_out ? "->" : "<-",
	       (long long)json_integer_of(message, "id"),
	       PA_FMT(json_text_of(message, is_out ? "state" : "kind")));
	for (size_t i = 0; i < json_count(receipts); i++) {
		pa_str word;

		if (json_text(json_at(receipts, i), &word))
			printf(" %.*s", PA_FMT(word));
	}
	if (json_text_of(message, "reason").len) {
		fputs(" (", stdout);
		ctl_print_text(json_text_of(message, "reason"));
		putchar(')');
	}
	if (json_bool_of(message, "secret"))
		printf(" %s", ctl_say("[código]", "[code]"));
	putchar('\n');
	print_lines(json_text_of(message, "text"));
}

static void print_conversations(const struct json *answer)
{
	const struct json *list = json_get(answer, "conversations");

	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *messages = json_get(json_at(list, i), "messages");

		print_members(json_at(list, i));
		for (size_t j = 0; j < json_count(messages); j++)
			print_message(json_at(messages, j));
	}
}

/* ---- a phone never stands in the arguments, where every process of the machine reads it ---- */

static bool read_phone(struct json *request)
{
	char line[PHONE_MAX];

	if (!fgets(line, sizeof(line), stdin) || !str_trim(str_from(line)).len)
		return false;
	json_set_text(request, "phone", str_trim(str_from(line)));
	return true;
}

static int show_one(struct ctl *ctl, int argc, char *const *argv)
{
	struct json *request PA_CLEANUP(json_done) = NULL;
	bool is_json, has_phone, has_number;
	pa_str text;

	request = ctl_request("conversation-show", show, ARRAY_COUNT(show), argc, argv, &is_json);
	if (!request)
		return ctl_usage(ctl);
	has_phone = json_get_text(request, "phone", &text);
	if (has_phone && (!str_equal(text, PA_STR("-")) || !read_phone(request)))
		return ctl_usage(ctl);
	has_number = json_get_text(request, "conversation", &text);
	if (has_phone == has_number)
		return ctl_usage(ctl);
	return ctl_ask_and_print(ctl, request, is_json, print_conversations);
}

int ctl_conversation(struct ctl *ctl, int argc, char *const *argv)
{
	static const struct ctl_verb verbs[] = {
		{"resume", "conversation-resume", resume, ARRAY_COUNT(resume), NULL},
	};

	if (argc > 0 && strcmp(argv[0], "show") == 0)
		return show_one(ctl, argc - 1, argv + 1);
	return ctl_verbs(ctl, verbs, ARRAY_COUNT(verbs), argc, argv);
}
