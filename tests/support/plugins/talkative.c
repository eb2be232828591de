/* SPDX-License-Identifier: Apache-2.0 */
#define FIXTURE_NAME "talkative"
#include "fixture.h"

#include <stdio.h>

/* In the probe ("proaltod --probe FILE"), more than a pipe holds: a parent that does not read would
 * wait for ever. */
__attribute__((constructor)) static void talk(int argc, char **argv)
{
	(void)argv;
	for (int i = 0; argc == 3 && i < 20000; i++)
		puts("a line that nobody asked for");
}
