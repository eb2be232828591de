/* SPDX-License-Identifier: Apache-2.0
 *
 * proaltoctl drain, undrain: a node that is to be idle, and one that serves again.
 */
#include "ctl/request.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define PATIENCE_S 60
#define LOOK_MS 250

static void print_state(const struct json *answer)
{
	static const struct ctl_column columns[] = {
		{"state", "estado", "state"},
		{"deliveries", "entregas", "deliveries"},
		{"conversations", "conversaciones", "conversations"},
		{"messages", "mensajes", "messages"}};
	struct json *list = json_array_new();
	struct json *copy = json_object_new();
	int64_t count;
	pa_str word;

	if (json_get_text(answer, "state", &word))
		json_set_text(copy, "state", word);
	for (size_t i = 1; i < ARRAY_COUNT(columns); i++)
		if (json_get_integer(answer, columns[i].key, &count))
			json_set_integer(copy, columns[i].key, count);
	json_append(list, copy);
	ctl_print_table(list, columns, ARRAY_COUNT(columns));
	json_done(&list);
}

static bool is_there(const struct json *answer, const char *wanted)
{
	pa_str word;

	return json_get_text(answer, "state", &word) && str_equal(word, str_from(wanted));
}

/* Until the node is as it was asked to be. */
static int wait_for(struct ctl *ctl, const char *wanted, int64_t seconds, bool is_json)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
	struct json *request PA_CLEANUP(json_done) = json_object_new();
	bool is_done = false;
	int status = CTL_OK;

	json_set_text(request, "command", PA_STR("drain-status"));
	for (int64_t left = seconds * 1000 / LOOK_MS; status == CTL_OK && !is_done && left >= 0;
	     left--) {
		struct json *answer PA_CLEANUP(json_done) = NULL;

		status = ctl_ask(ctl, request, &answer);
		is_done = status == CTL_OK && is_there(answer, wanted);
		if (status == CTL_OK && !is_done)
			nanosleep(&pause, NULL);
	}
	if (status == CTL_OK)
		status = ctl_ask_and_print(ctl, request, is_json, print_state);
	return status == CTL_OK && !is_done ? CTL_FAILED : status;
}

static int change(struct ctl *ctl, int argc, char *const *argv, const char *wanted)
{
	static const struct ctl_argument arguments[] = {{"--wait", "wait", CTL_COUNT, false},
							{"--reason", "reason", CTL_TEXT, true}};
	struct json *request PA_CLEANUP(json_done) = NULL;
	struct json *answer PA_CLEANUP(json_done) = NULL;
	int64_t seconds = PATIENCE_S;
	bool is_json;
	int status;

	request = ctl_request(ctl->name, arguments, ARRAY_COUNT(arguments), argc, argv, &is_json);
	if (!request)
		return ctl_usage(ctl);
	IGNORE_STATUS(!json_get_integer(request, "wait", &seconds), "then it is as above");
	status = ctl_ask(ctl, request, &answer);
	return status == CTL_OK ? wait_for(ctl, wanted, seconds, is_json) : status;
}

int ctl_drain(struct ctl *ctl, int argc, char *const *argv)
{
	struct json *request PA_CLEANUP(json_done) = NULL;
	bool is_json;

	if (argc < 1 || strcmp(argv[0], "show") != 0)
		return change(ctl, argc, argv, "drained");
	request = ctl_request("drain-status", NULL, 0, argc - 1, argv + 1, &is_json);
	return request ? ctl_ask_and_print(ctl, request, is_json, print_state) : ctl_usage(ctl);
}

int ctl_undrain(struct ctl *ctl, int argc, char *const *argv)
{
	return change(ctl, argc, argv, "serving");
}
