/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/process.h"

#include "base/str.h"
#include "metrics/exposition.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX 4096

/* A small file of /proc; absent if it can't be read. */
static pa_str slurp(const char *path, char text[FILE_MAX])
{
	FILE *file = fopen(path, "re");
	size_t len;

	if (!file)
		return PA_STR_ABSENT;
	len = fread(text, 1, FILE_MAX, file);
	fclose(file);
	return (pa_str){text, len};
}

/* "Name:   123 kB" of /proc/self/status; -1: it is not there. */
static int64_t status_field(pa_str status, pa_str name)
{
	while (status.len) {
		pa_str line = str_split(&status, '\n');
		pa_str word;
		int64_t value;

		if (!str_starts(line, name))
			continue;
		line = str_trim(str_slice(line, name.len, line.len));
		word = str_split(&line, ' ');
		return str_to_int64(word, &value) ? value : -1;
	}
	return -1;
}

static void tell_status(struct buf *out)
{
	static const struct {
		pa_str field;
		const char *name;
		const char *help;
		int64_t unit;
	} fields[] = {
		{{"RssAnon:", 8},
		 "process_resident_anonymous_bytes",
		 "Memory of its own that lies in RAM: what a leak makes grow.",
		 1024},
		{{"VmRSS:", 6},
		 "process_resident_memory_bytes",
		 "Memory that lies in RAM, files and libraries included.",
		 1024},
		{{"VmSize:", 7}, "process_virtual_memory_bytes", "Address space.", 1024},
		{{"Threads:", 8}, "process_threads", "Threads.", 1},
	};
	char text[FILE_MAX];
	pa_str status = slurp("/proc/self/status", text);

	for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
		int64_t value = status_field(status, fields[i].field);

		if (value >= 0)
			exposition_tell(out, fields[i].name, "gauge", fields[i].help,
					(double)(value * fields[i].unit));
	}
}

static void tell_descriptors(struct buf *out)
{
	DIR *directory = opendir("/proc/self/fd");
	struct rlimit limit;
	int count = -3; /* ".", ".." and the directory itself */

	if (!directory)
		return;
	while (readdir(directory))
		count++;
	closedir(directory);
	exposition_tell(out, "process_open_fds", "gauge", "Open descriptors.", count);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		exposition_tell(out, "process_max_fds", "gauge", "Descriptors that may be open.",
				(double)limit.rlim_cur);
}

/* proc(5): the command's name, in parentheses, may hold anything; starttime is the 20th field
 * behind it, in ticks since the machine's start. */
static void tell_start(struct buf *out)
{
	char text[FILE_MAX];
	pa_str stat = slurp("/proc/self/stat", text);
	struct timespec boot = {0}, now = {0};
	uint64_t ticks = 0;
	pa_str field = PA_STR_ABSENT;
	size_t end = stat.len;

	while (end && stat.ptr[end - 1] != ')')
		end--;
	stat = str_trim(str_slice(stat, end, stat.len));
	for (int i = 0; i < 20; i++)
		field = str_split(&stat, ' ');
	if (!str_to_uint64(field, &ticks) || clock_gettime(CLOCK_BOOTTIME, &boot) != 0 ||
	    clock_gettime(CLOCK_REALTIME, &now) != 0)
		return;
	exposition_tell(out, "process_start_time_seconds", "gauge", "When it began, since 1970.",
			(double)(now.tv_sec - boot.tv_sec) +
				(double)(now.tv_nsec - boot.tv_nsec) / 1e9 +
				(double)ticks / (double)sysconf(_SC_CLK_TCK));
}

void process_tell(struct buf *out)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) == 0)
		exposition_tell(out, "process_cpu_seconds_total", "counter",
				"CPU time, of user and system.",
				(double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
					(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) /
						1e6);
	tell_status(out);
	tell_descriptors(out);
	tell_start(out);
}
