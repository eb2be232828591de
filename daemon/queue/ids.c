/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/ids.h"

#include <pthread.h>

/* Two blocks: one in use, one waiting. The rest of the first is thrown away only when a run of ids
 * does not fit in it. Guarded by lock. */
static struct {
	pthread_mutex_t lock;
	int64_t next, end;
	int64_t spare; /* first id of the waiting block, 0: none */
} ids = {.lock = PTHREAD_MUTEX_INITIALIZER};

void ids_feed(int64_t block)
{
	pthread_mutex_lock(&ids.lock);
	if (ids.next == ids.end) {
		ids.next = block * ID_BLOCK_SIZE;
		ids.end = ids.next + ID_BLOCK_SIZE;
	} else {
		ids.spare = block * ID_BLOCK_SIZE;
	}
	pthread_mutex_unlock(&ids.lock);
}

int64_t ids_left(void)
{
	int64_t left;

	pthread_mutex_lock(&ids.lock);
	left = ids.end - ids.next + (ids.spare ? ID_BLOCK_SIZE : 0);
	pthread_mutex_unlock(&ids.lock);
	return left;
}

int64_t ids_next_run(int64_t count)
{
	int64_t first = 0;

	pthread_mutex_lock(&ids.lock);
	if (ids.end - ids.next < count && ids.spare) {
		ids.next = ids.spare;
		ids.end = ids.next + ID_BLOCK_SIZE;
		ids.spare = 0;
	}
	if (ids.end - ids.next >= count) {
		first = ids.next;
		ids.next += count;
	}
	pthread_mutex_unlock(&ids.lock);
	return first;
}

int64_t ids_next(void)
{
	return ids_next_run(1);
}
