/* SPDX-License-Identifier: Apache-2.0
 *
 * host/option.h: one option of a plugin: its text, as written in a configuration or as the
 * descriptor's fallback, to a value. Pure; the value points into the text.
 *
 *	pa_value value;
 *	status = option_parse(option, PA_STR("2 s"), &value, &err);      // value.number is 2000
 */
#ifndef HOST_OPTION_H
#define HOST_OPTION_H

#include "base/base.h"

#include <proalto/plugin.h>

/* PA_REJECTED, with a sentence that does not repeat the text (it may be a secret): it does not fit
 * the option's type. Maps have no text and are refused. */
pa_status option_parse(const pa_option *option, pa_str text, pa_value *ret, pa_error *err)
	PA_MUST_USE;

/* "500 ms", "2 s", "5 min", "1 h", at most a year; false if it is none of them. */
bool duration_parse(pa_str text, int64_t *ret_ms) PA_MUST_USE;

#endif
