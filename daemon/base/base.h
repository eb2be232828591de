/* SPDX-License-Identifier: Apache-2.0
 *
 * base/base.h: the handful of macros that every file of the daemon uses.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <proalto/types.h>

#define PA_MUST_USE __attribute__((warn_unused_result))
#define PA_PRINTF(text_arg, first_arg) __attribute__((format(printf, text_arg, first_arg)))

/* Runs fn(&variable) when the variable leaves its scope. */
#define PA_CLEANUP(fn) __attribute__((cleanup(fn)))

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* For a failure that is deliberately not acted on: says why, for the reader. */
#define IGNORE_STATUS(call, why)                                                                   \
	do {                                                                                       \
		if ((call) != 0)                                                                   \
			(void)(why);                                                               \
	} while (0)

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MINUTE (60 * NS_PER_S)
#define NS_PER_HOUR (60 * NS_PER_MINUTE)
#define NS_PER_DAY (24 * NS_PER_HOUR)

#endif
