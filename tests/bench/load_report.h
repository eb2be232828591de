/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/bench/load_report.h: latencies, and the CPU time and memory of other processes.
 */
#ifndef TESTS_BENCH_LOAD_REPORT_H
#define TESTS_BENCH_LOAD_REPORT_H

#include "base/base.h"

#include <sys/types.h>

#define HISTOGRAM_BUCKETS 1024

/* Microseconds, 32 buckets to each doubling: within 3 %. */
struct histogram {
	uint64_t buckets[HISTOGRAM_BUCKETS];
	uint64_t count;
	uint64_t max_us;
};

void histogram_add(struct histogram *histogram, int64_t ns);
/* The value below which so much of all lies (0.99), in milliseconds. */
double histogram_ms(const struct histogram *histogram, double part);

/* User and system time of a process, of its living children and of those it has waited for. 0 if it
 * is not there. */
int64_t process_cpu_ns(pid_t pid);

/* This process's. */
int64_t own_cpu_ns(void);

/* Anonymous resident memory in KiB. */
int64_t process_rss_anon_kib(pid_t pid);

#endif
