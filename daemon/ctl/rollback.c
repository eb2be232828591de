/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/rollback.c: back to the previous packages. The package's script does the work
 * (debian/rollback): it goes on while the files of this program are replaced.
 */
#include "ctl/ctl.h"

#include "base/str.h"
#include "ctl/beside.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Options, each with its value. */
static bool is_sound(int argc, char *const *argv)
{
	for (int i = 0; i < argc; i += 2) {
		bool is_yes = strcmp(argv[i], "--yes") == 0;

		if (i + 1 == argc || (is_yes && !str_is_digits(str_from(argv[i + 1]))))
			return false;
		if (!is_yes && strcmp(argv[i], "--to-backup") != 0 &&
		    strcmp(argv[i], "--package") != 0)
			return false;
	}
	return true;
}

int ctl_rollback(struct ctl *ctl, int argc, char *const *argv)
{
	static const char *const places[] = {"../lib/proalto/rollback", "../debian/rollback"};
	const char *script = beside_find(ctl->arena, places, ARRAY_COUNT(places));
	char **arguments = ARENA_ARRAY(ctl->arena, char *, (size_t)argc + 2);

	if (!is_sound(argc, argv))
		return ctl_usage(ctl);
	if (!script)
		return ctl_fail(ctl, CTL_FAILED, "rollback: %s", strerrordesc_np(ENOENT));
	/* With the subcommand's name in front; what was taken out may stand behind. */
	memcpy(arguments, argv - 1, ((size_t)argc + 1) * sizeof(*arguments));
	execv(script, arguments);
	return ctl_fail(ctl, CTL_FAILED, "%s: %s", script, strerrordesc_np(errno));
}
