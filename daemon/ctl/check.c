/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/ctl.h"

#include "ctl/beside.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The daemon's own check: it has the plugins. */
int ctl_check(struct ctl *ctl, int argc, char *const *argv)
{
	const char *program = beside_daemon(ctl->arena);

	(void)argv;
	if (argc > 0)
		return ctl_usage(ctl);
	if (!program)
		return ctl_fail(ctl, CTL_FAILED, "proaltod: %s", strerrordesc_np(ENOENT));
	execl(program, "proaltod", "--config", ctl->config_path, "--check", (char *)NULL);
	return ctl_fail(ctl, CTL_FAILED, "%s: %s", program, strerrordesc_np(errno));
}
