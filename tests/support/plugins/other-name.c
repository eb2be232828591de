/* SPDX-License-Identifier: Apache-2.0 */
#define FIXTURE_NAME "somebody-else"
#include "fixture.h"
