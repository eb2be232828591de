/* SPDX-License-Identifier: Apache-2.0 */
#define FIXTURE_NAME "crash"
#include "fixture.h"

#include <stdlib.h>

__attribute__((constructor)) static void crash(void)
{
	abort();
}
