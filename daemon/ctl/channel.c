/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/request.h"

int ctl_channel(struct ctl *ctl, int argc, char *const *argv)
{
	static const struct ctl_argument change[] = {{"NAME", "channel", CTL_TEXT, true},
						     {"--reason", "reason", CTL_TEXT, true}};
	static const struct ctl_verb verbs[] = {
		{"pause", "channel-pause", change, ARRAY_COUNT(change), NULL},
		{"resume", "channel-resume", change, ARRAY_COUNT(change), NULL},
	};

	return ctl_verbs(ctl, verbs, ARRAY_COUNT(verbs), argc, argv);
}
