/* SPDX-License-Identifier: Apache-2.0 */
#define FIXTURE_NAME "other-major"
#define FIXTURE_MAJOR (PA_ABI_MAJOR + 1)
#include "fixture.h"
