/* SPDX-License-Identifier: Apache-2.0 */
#define FIXTURE_NAME "hang"
#include "fixture.h"

#include <unistd.h>

__attribute__((constructor)) static void hang(void)
{
	for (;;)
		pause();
}
