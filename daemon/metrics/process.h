/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics/process.h: what the kernel says of this process, under the names that Prometheus' own
 * client libraries use (process_cpu_seconds_total ...).
 */
#ifndef METRICS_PROCESS_H
#define METRICS_PROCESS_H

#include "base/buf.h"

/* What /proc does not tell is left out. */
void process_tell(struct buf *out);

#endif
