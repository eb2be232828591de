/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "metrics/exposition.h"
#include "queue/counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void a_bound_belongs_to_its_bucket(void **state)
{
	struct histogram h = {0};

	(void)state;
	histogram_note(&h, -5);
	histogram_note(&h, histogram_bounds_ns[0]);
	histogram_note(&h, histogram_bounds_ns[0] + 1);
	histogram_note(&h, histogram_bounds_ns[HISTOGRAM_BOUNDS - 1]);
	histogram_note(&h, INT64_MAX / 2);
	assert_int_equal(meter_read(&h.buckets[0]), 2);
	assert_int_equal(meter_read(&h.buckets[1]), 1);
	assert_int_equal(meter_read(&h.buckets[HISTOGRAM_BOUNDS - 1]), 1);
	assert_int_equal(meter_read(&h.buckets[HISTOGRAM_BOUNDS]), 1);
	assert_int_equal(meter_read(&h.sum_ns), 2 * histogram_bounds_ns[0] + 1 +
							histogram_bounds_ns[HISTOGRAM_BOUNDS - 1] +
							INT64_MAX / 2);
}

static void bounds_ascend(void **state)
{
	(void)state;
	for (size_t i = 1; i < HISTOGRAM_BOUNDS; i++)
		assert_true(histogram_bounds_ns[i] > histogram_bounds_ns[i - 1]);
}

static void a_value_can_hold_anything(void **state)
{
	struct buf out PA_CLEANUP(buf_done) = BUF_INIT(4096);

	(void)state;
	exposition_begin(&out, "a_total", "counter", "What a is.");
	exposition_add(&out, "a_total", LABELS({"x", "a \"b\" \\ c\nd"}, {"y", ""}), 1e15 - 1);
	exposition_add(&out, "a_total", NO_LABELS, 0.25);
	assert_true(
		str_equal(buf_str(&out),
			  PA_STR("# HELP a_total What a is.\n# TYPE a_total counter\n"
				 "a_total{x=\"a \\\"b\\\" \\\\ c\\nd\",y=\"\"} 999999999999999\n"
				 "a_total 0.25\n")));
}

static void buckets_are_told_together_with_all_below(void **state)
{
	struct buf out PA_CLEANUP(buf_done) = BUF_INIT(16384);
	struct histogram h = {0};

	(void)state;
	histogram_note(&h, NS_PER_MS);
	histogram_note(&h, 2 * NS_PER_MS);
	exposition_add_histogram(&out, "t_seconds", LABELS({"c", "w"}), &h);
	assert_int_equal(
		str_find(buf_str(&out), PA_STR("t_seconds_bucket{c=\"w\",le=\"0.001\"} 1\n"
					       "t_seconds_bucket{c=\"w\",le=\"0.0025\"} 2\n")),
		0);
	assert_true(str_ends(buf_str(&out), PA_STR("t_seconds_bucket{c=\"w\",le=\"+Inf\"} 2\n"
						   "t_seconds_sum{c=\"w\"} 0.003\n"
						   "t_seconds_count{c=\"w\"} 2\n")));
}

/* Whoever chooses codes does not choose how many there are. */
static void codes_are_bounded(void **state)
{
	struct channel_counts *counts = test_calloc(1, sizeof(*counts));

	(void)state;
	for (int64_t code = 1; code <= COUNTS_CODES + 5; code++)
		counts_note_code(counts, code);
	counts_note_code(counts, 7);
	counts_note_code(counts, 0);
	for (size_t i = 0; i < COUNTS_CODES; i++) {
		assert_int_equal(counts->codes[i].code, i + 1);
		assert_int_equal(meter_read(&counts->codes[i].count), i == 6 ? 2 : 1);
	}
	assert_int_equal(meter_read(&counts->codes_other), 6);
	test_free(counts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bound_belongs_to_its_bucket),
		cmocka_unit_test(bounds_ascend),
		cmocka_unit_test(a_value_can_hold_anything),
		cmocka_unit_test(buckets_are_told_together_with_all_below),
		cmocka_unit_test(codes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
