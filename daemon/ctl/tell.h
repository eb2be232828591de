/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/tell.h: times, ages and providers' errors in the operator's words, for status and doctor.
 */
#ifndef CTL_TELL_H
#define CTL_TELL_H

#include "base/arena.h"

/* "12 s", "3 min", "2 h 5 min", "4 días". Less than nothing is "0 s". */
const char *tell_age(struct arena *arena, int64_t ms);

/* Milliseconds between two times as the daemon tells them (base/calendar.h instant_iso); false if
 * one is none. */
bool tell_between(pa_str from, pa_str to, int64_t *ret_ms);

/* "190: el token de acceso venció o no es válido": what a channel's plugin reported, with its code
 * (0: none). Codes that nobody has put into words here keep the plugin's own. */
const char *tell_error(struct arena *arena, pa_str plugin, int64_t code, pa_str reason);

#endif
