/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/ctl.h"

#include "base/str.h"

#include <string.h>

int ctl_conversation(struct ctl *ctl, int argc, char *const *argv)
{
	struct json *request PA_CLEANUP(json_done) = NULL;
	struct json *answer PA_CLEANUP(json_done) = NULL;

	if (argc != 4 || strcmp(argv[0], "resume") != 0 || strcmp(argv[2], "--reason") != 0 ||
	    !str_trim(str_from(argv[3])).len)
		return ctl_usage(ctl);
	request = json_object_new();
	json_set_text(request, "command", PA_STR("conversation-resume"));
	json_set_text(request, "conversation", str_from(argv[1]));
	json_set_text(request, "reason", str_from(argv[3]));
	return ctl_ask(ctl, request, &answer);
}
