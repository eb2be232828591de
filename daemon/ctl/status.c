/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/ctl.h"

int ctl_status(struct ctl *ctl, int argc, char *const *argv)
{
	struct json *answer PA_CLEANUP(json_done) = NULL;
	int status;

	(void)argv;
	if (argc > 0)
		return ctl_usage(ctl);
	status = ctl_command(ctl, "status", &answer);
	if (status == CTL_OK)
		ctl_print(answer);
	return status;
}
