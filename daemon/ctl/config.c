/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/ctl.h"

#include "base/err.h"

#include <stdio.h>

int ctl_config(struct ctl *ctl, struct config **ret)
{
	struct config_problems problems = {.arena = ctl->arena};
	pa_error err = ERROR_INIT;

	if (config_load(ctl->config_path, NULL, ret, &problems, &err) == PA_OK)
		return CTL_OK;
	config_print_problems(ctl->config_path, &problems);
	return CTL_FAILED;
}
