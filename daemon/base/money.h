/* SPDX-License-Identifier: Apache-2.0
 *
 * base/money.h: pesos of Colombia, whole ones, and how they are written for people.
 */
#ifndef BASE_MONEY_H
#define BASE_MONEY_H

#include "base/arena.h"

/* "$ 3.210.500", the space being U+00A0; "-$ 1.234" below zero. */
pa_str money_format(struct arena *arena, int64_t pesos);

#endif
