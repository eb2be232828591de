/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/demo.c: a demonstration with invented customers, from the installed packages. The script of
 * the package proalto-simulator does the work (etc/demo/installed).
 */
#include "ctl/ctl.h"

#include "ctl/beside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int ctl_demo(struct ctl *ctl, int argc, char *const *argv)
{
	static const char *const places[] = {"../share/proalto/demo/run"};
	const char *script = beside_find(ctl->arena, places, ARRAY_COUNT(places));

	if (argc != 0 && (argc != 2 || strcmp(argv[0], "--port") != 0))
		return ctl_usage(ctl);
	if (!script)
		return ctl_fail(ctl, CTL_FAILED, "%s",
				ctl_say("la demostración está en otro paquete: apt install "
					"proalto-simulator",
					"the demonstration is another package: apt install "
					"proalto-simulator"));
	if (argc == 2)
		setenv("PORT", argv[1], 1);
	execl(script, script, (char *)NULL);
	return ctl_fail(ctl, CTL_FAILED, "%s: %s", script, strerrordesc_np(errno));
}
