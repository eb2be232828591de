/* SPDX-License-Identifier: Apache-2.0 */
#define FIXTURE_NAME "sound"
#include "fixture.h"
