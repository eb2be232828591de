/* SPDX-License-Identifier: Apache-2.0 */
#define FIXTURE_NAME "missing-function"
#define FIXTURE_SCAN NULL
#include "fixture.h"
