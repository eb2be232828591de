/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/exposition.h"

#include "base/str.h"

#include <stdio.h>

void exposition_begin(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_escaped(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n') {
			buf_add(out, PA_STR("\\n"));
			continue;
		}
		if (*text == '\\' || *text == '"')
			buf_add_byte(out, '\\');
		buf_add_byte(out, (uint8_t)*text);
	}
}

/* bound: a histogram's "le", or NULL. */
static void add_line(struct buf *out, const char *name, const char *suffix,
		     const struct label *labels, const char *bound, double value)
{
	const struct label le[] = {{bound ? "le" : NULL, bound}, {0}};
	const struct label *const lists[] = {labels, le};
	size_t count = 0;

	buf_format(out, "%s%s", name, suffix);
	for (size_t i = 0; i < ARRAY_COUNT(lists); i++)
		for (const struct label *each = lists[i]; each && each->name; each++) {
			buf_format(out, "%s%s=\"", count++ ? "," : "{", each->name);
			add_escaped(out, each->value);
			buf_add_byte(out, '"');
		}
	buf_format(out, "%s %.15g\n", count ? "}" : "", value);
}

void exposition_add(struct buf *out, const char *name, const struct label *labels, double value)
{
	add_line(out, name, "", labels, NULL, value);
}

void exposition_tell(struct buf *out, const char *name, const char *type, const char *help,
		     double value)
{
	exposition_begin(out, name, type, help);
	exposition_add(out, name, NO_LABELS, value);
}

void exposition_add_histogram(struct buf *out, const char *name, const struct label *labels,
			      const struct histogram *h)
{
	uint64_t count = 0;
	char bound[32];

	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		count += meter_read(&h->buckets[i]);
		snprintf(bound, sizeof(bound), "%g",
			 (double)histogram_bounds_ns[i] / (double)NS_PER_S);
		add_line(out, name, "_bucket", labels, bound, (double)count);
	}
	count += meter_read(&h->buckets[HISTOGRAM_BOUNDS]);
	add_line(out, name, "_bucket", labels, "+Inf", (double)count);
	add_line(out, name, "_sum", labels, NULL,
		 (double)meter_read(&h->sum_ns) / (double)NS_PER_S);
	add_line(out, name, "_count", labels, NULL, (double)count);
}
