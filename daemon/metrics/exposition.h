/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics/exposition.h: Prometheus' text format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/), written to a buf.
 *
 *	exposition_begin(out, "proalto_receipts_total", "counter", "Receipts of providers.");
 *	exposition_add(out, "proalto_receipts_total", LABELS({"channel", name}), 17);
 *
 * All lines of a metric follow its head. Pure. Bad at: checking names (a test does).
 */
#ifndef METRICS_EXPOSITION_H
#define METRICS_EXPOSITION_H

#include "base/buf.h"
#include "base/meter.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct label {
	const char *name; /* NULL ends a list */
	const char *value;
};
#define LABELS(...) ((const struct label[]){__VA_ARGS__, {0}})
#define NO_LABELS NULL

/* type: "counter", "gauge" or "histogram". */
void exposition_begin(struct buf *out, const char *name, const char *type, const char *help);

void exposition_add(struct buf *out, const char *name, const struct label *labels, double value);

/* Both, for a metric that is one number. */
void exposition_tell(struct buf *out, const char *name, const char *type, const char *help,
		     double value);

/* A whole histogram: its buckets, sum and count, in seconds. */
void exposition_add_histogram(struct buf *out, const char *name, const struct label *labels,
			      const struct histogram *h);

#endif
