/* SPDX-License-Identifier: Apache-2.0 */
#include "io/log.h"

#include "base/meter.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

/* The location would always be this file. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#define PRIORITIES 8
#define LINE_MAX_BYTES 1024
#define FIELD_MAX_BYTES 160
#define FIELDS_MAX 8
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static _Atomic int level = 6;
static meter counts[PRIORITIES];
static bool has_journal;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A line's fields, as the journal wants them ("NAME=value"). */
struct fields {
	char text[FIELDS_MAX][FIELD_MAX_BYTES];
	size_t count;
};

/* systemd sets JOURNAL_STREAM to device:inode of the stream it connected (systemd.exec(5)); it is
 * inherited by children whose standard error is something else, hence the comparison. */
static bool stderr_is_journal(const struct stat *error)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];

	if (!stream)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)error->st_dev, (uintmax_t)error->st_ino);
	return strcmp(stream, own) == 0;
}

/* A terminal, a pipe or a file is read by somebody; /dev/null and a closed descriptor are not. */
static bool stderr_is_unread(const struct stat *error)
{
	return S_ISCHR(error->st_mode) && error->st_rdev == makedev(1, 3);
}

static void find_journal(void)
{
	struct stat error;

	if (fstat(STDERR_FILENO, &error) != 0)
		has_journal = access(JOURNAL_SOCKET, W_OK) == 0;
	else if (stderr_is_journal(&error))
		has_journal = true;
	else
		has_journal = stderr_is_unread(&error) && access(JOURNAL_SOCKET, W_OK) == 0;
}

/* One event stays one line, whatever was formatted into it. */
static void flatten(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = ' ';
}

static void PA_PRINTF(2, 3) add_field(struct fields *fields, const char *format, ...)
{
	va_list args;

	assert(fields->count < FIELDS_MAX);
	va_start(args, format);
	vsnprintf(fields->text[fields->count], FIELD_MAX_BYTES, format, args);
	va_end(args);
	flatten(fields->text[fields->count++]);
}

static void add_ids(struct fields *fields, const struct log_ids *ids)
{
	if (ids->conversation)
		add_field(fields, "PROALTO_CONVERSATION=%lld", (long long)ids->conversation);
	if (ids->event)
		add_field(fields, "PROALTO_EVENT=%lld", (long long)ids->event);
	if (ids->outbox)
		add_field(fields, "PROALTO_OUTBOX=%lld", (long long)ids->outbox);
	if (ids->plugin)
		add_field(fields, "PROALTO_PLUGIN=%s", ids->plugin);
	if (ids->channel)
		add_field(fields, "PROALTO_CHANNEL=%s", ids->channel);
	if (ids->message)
		add_field(fields, "MESSAGE_ID=%s", ids->message);
}

static bool send_to_journal(int priority, const char *line, const struct fields *fields)
{
	char message[LINE_MAX_BYTES + sizeof("MESSAGE=")];
	char word[sizeof("PRIORITY=0")];
	struct iovec parts[FIELDS_MAX + 2];
	size_t count = 0;

	snprintf(message, sizeof(message), "MESSAGE=%s", line);
	snprintf(word, sizeof(word), "PRIORITY=%d", priority % PRIORITIES);
	parts[count++] = (struct iovec){message, strlen(message)};
	parts[count++] = (struct iovec){word, strlen(word)};
	for (size_t i = 0; i < fields->count; i++) {
		char *text = (char *)(uintptr_t)fields->text[i];

		parts[count++] = (struct iovec){text, strlen(text)};
	}
	return sd_journal_sendv(parts, (int)count) == 0;
}

/* One write, so that the lines of several threads do not mix. */
static void send_to_stderr(int priority, const char *line, const struct fields *fields)
{
	static const char *const words[PRIORITIES] = {"emergency", "alert",  "critical", "error",
						      "warning",   "notice", "info",     "debug"};
	char text[LINE_MAX_BYTES + FIELDS_MAX * FIELD_MAX_BYTES + 32];
	size_t at = (size_t)snprintf(text, sizeof(text), "%s: %s", words[priority], line);

	for (size_t i = 0; i < fields->count; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, " %s", fields->text[i]);
	text[at++] = '\n';
	for (size_t sent = 0; sent < at;) {
		ssize_t n = write(STDERR_FILENO, text + sent, at - sent);

		if (n <= 0)
			return; /* nobody is left to be told */
		sent += (size_t)n;
	}
}

void log_line(int priority, const struct log_ids *ids, const char *format, ...)
{
	struct fields fields = {.count = 0};
	char line[LINE_MAX_BYTES];
	va_list args;

	if (priority < 0 || priority >= PRIORITIES || priority > atomic_load(&level))
		return;
	meter_add(&counts[priority], 1);
	pthread_once(&once, find_journal);
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	flatten(line);
	if (ids)
		add_ids(&fields, ids);
	if (!has_journal || !send_to_journal(priority, line, &fields))
		send_to_stderr(priority, line, &fields);
}

void log_set_level(int priority)
{
	atomic_store(&level, priority);
}

uint64_t log_count(int priority)
{
	return meter_read(&counts[priority]);
}
