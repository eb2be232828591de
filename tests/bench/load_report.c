/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load_report.h"

#include "base/str.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SUB_BITS 5

static size_t bucket_of(uint64_t us)
{
	unsigned top;
	size_t bucket;

	if (us < 1u << SUB_BITS)
		return (size_t)us;
	top = 63u - (unsigned)__builtin_clzll(us);
	bucket = ((size_t)(top - SUB_BITS + 1) << SUB_BITS) +
		 (size_t)((us >> (top - SUB_BITS)) & ((1u << SUB_BITS) - 1));
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The middle of a bucket. */
static double value_of(size_t bucket)
{
	size_t top = bucket >> SUB_BITS, low = bucket & ((1u << SUB_BITS) - 1);

	if (top == 0)
		return (double)low;
	return ((double)(low + (1u << SUB_BITS)) + 0.5) * (double)((uint64_t)1 << (top - 1));
}

void histogram_add(struct histogram *histogram, int64_t ns)
{
	uint64_t us = ns > 0 ? (uint64_t)ns / 1000 : 0;

	histogram->buckets[bucket_of(us)]++;
	histogram->count++;
	if (us > histogram->max_us)
		histogram->max_us = us;
}

double histogram_ms(const struct histogram *histogram, double part)
{
	double wanted = part * (double)histogram->count, seen = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += (double)histogram->buckets[i];
		if (histogram->buckets[i] && seen >= wanted)
			return value_of(i) / 1000;
	}
	return 0;
}

/* What stands behind the command's name in /proc/PID/stat (proc(5)): fields from the third on. */
struct stat_line {
	long parent;
	long long ticks;      /* utime, stime */
	long long dead_ticks; /* cutime, cstime */
};

static bool read_stat(const char *pid, struct stat_line *ret)
{
	char path[64], text[1024];
	unsigned long long user, system;
	const char *behind;
	FILE *file;
	size_t got;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	got = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[got] = '\0';
	behind = strrchr(text, ')');
	if (!behind ||
	    sscanf(behind + 1, " %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld",
		   &ret->parent, &user, &system, &ret->ticks, &ret->dead_ticks) != 5)
		return false;
	ret->dead_ticks += ret->ticks;
	ret->ticks = (long long)(user + system);
	return true;
}

int64_t process_cpu_ns(pid_t pid)
{
	int64_t per_tick = NS_PER_S / sysconf(_SC_CLK_TCK), ticks = 0;
	DIR *directory = opendir("/proc");
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		struct stat_line line;

		if (!str_is_digits(str_from(entry->d_name)) || !read_stat(entry->d_name, &line))
			continue;
		if (strtol(entry->d_name, NULL, 10) == pid)
			ticks += line.ticks + line.dead_ticks;
		else if (line.parent == pid)
			ticks += line.ticks;
	}
	if (directory)
		closedir(directory);
	return ticks * per_tick;
}

int64_t own_cpu_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return used.tv_sec * NS_PER_S + used.tv_nsec;
}

int64_t process_rss_anon_kib(pid_t pid)
{
	char path[64], line[256];
	long long kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "RssAnon: %lld", &kib) == 1)
			break;
	}
	if (file)
		fclose(file);
	return kib;
}
