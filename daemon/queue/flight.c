/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/flight.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC UINT64_C(0x50414c544f464c31)

struct record {
	uint64_t magic;
	_Atomic uint32_t next; /* slots given to threads so far */
	struct flight slots[FLIGHT_SLOTS];
};

/* The one record of this process: a signal handler can be given nothing else. */
static struct record *record;
static _Thread_local struct flight *mine;

static struct flight *my_slot(void)
{
	uint32_t slot;

	if (mine || !record)
		return mine;
	slot = atomic_fetch_add(&record->next, 1);
	/* Threads past the last slot share it: they are not many, and it is only a suspicion. */
	mine = &record->slots[slot < FLIGHT_SLOTS ? slot : FLIGHT_SLOTS - 1];
	return mine;
}

void flight_note(int64_t conversation, int64_t event)
{
	struct flight *slot = my_slot();

	if (!slot)
		return;
	slot->conversation = conversation;
	slot->event = event;
}

void flight_noted(int64_t *ret_conversation, int64_t *ret_event)
{
	const struct flight *slot = my_slot();

	*ret_conversation = slot ? slot->conversation : 0;
	*ret_event = slot ? slot->event : 0;
}

void flight_enter(const char *plugin)
{
	struct flight *slot = my_slot();
	size_t len = strnlen(plugin, FLIGHT_PLUGIN - 1);

	if (!slot)
		return;
	memcpy(slot->plugin, plugin, len);
	slot->plugin[len] = '\0';
}

void flight_leave(void)
{
	struct flight *slot = my_slot();

	if (slot)
		slot->plugin[0] = '\0';
}

/* The mark comes before the default: two threads that die at once would else end the process with
 * neither marked, which is why SA_RESETHAND does not do this. */
static void on_fatal(int number)
{
	if (mine)
		mine->is_culprit = true;
	signal(number, SIG_DFL);
	raise(number);
}

static void install_handlers(void)
{
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};
	struct sigaction action = {.sa_handler = on_fatal, .sa_flags = SA_NODEFER};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_COUNT(fatal); i++)
		sigaction(fatal[i], &action, NULL);
}

static bool has_event(const struct flight *list, size_t count, int64_t event)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].event == event)
			return true;
	return false;
}

/* Culprits stand first. An event that two threads had in hand, one of them in a call made for the
 * other, counts once. */
static size_t read_last(struct record *last, struct flight *ret, size_t room)
{
	size_t count = 0;

	if (last->magic != MAGIC)
		return 0;
	for (size_t i = 0; i < 2 * (size_t)FLIGHT_SLOTS && count < room; i++) {
		struct flight *slot = &last->slots[i % FLIGHT_SLOTS];
		bool is_known = slot->event && has_event(ret, count, slot->event);

		slot->plugin[FLIGHT_PLUGIN - 1] = '\0';
		if (slot->is_culprit == (i < FLIGHT_SLOTS) && !is_known &&
		    (slot->event || slot->plugin[0] || slot->is_culprit))
			ret[count++] = *slot;
	}
	return count;
}

pa_status flight_open(const char *path, struct flight *ret_last, size_t room, size_t *ret_count,
		      pa_error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	void *map;

	if (fd < 0)
		return error_set(err, PA_RETRY, "%s: %s", path, strerror(errno));
	if (ftruncate(fd, sizeof(struct record)) != 0) {
		close(fd);
		return error_set(err, PA_RETRY, "%s: %s", path, strerror(errno));
	}
	map = mmap(NULL, sizeof(struct record), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return error_set(err, PA_RETRY, "%s: %s", path, strerror(errno));
	*ret_count = read_last(map, ret_last, room);
	memset(map, 0, sizeof(struct record));
	record = map;
	record->magic = MAGIC;
	install_handlers();
	return PA_OK;
}

void flight_close(void)
{
	if (!record)
		return;
	memset(record->slots, 0, sizeof(record->slots));
	msync(record, sizeof(*record), MS_ASYNC);
}
