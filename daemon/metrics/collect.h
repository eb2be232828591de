/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics/collect.h: all metrics, read from those who count, as text. On the metrics' own thread.
 */
#ifndef METRICS_COLLECT_H
#define METRICS_COLLECT_H

#include "base/buf.h"
#include "metrics/metrics.h"
#include "metrics/sampler.h"

void collect(const struct metrics_options *from, struct sampler *sampler, struct buf *out);

#endif
