/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/ids.h: ids for all that the daemon stores, unique over all nodes and starts, without a
 * round trip each: blocks of 65,536 from the store's id_block. Thread-safe.
 */
#ifndef QUEUE_IDS_H
#define QUEUE_IDS_H

#include "base/base.h"

#define ID_BLOCK_SIZE 65536
#define ID_BLOCK_LOW 16384 /* below this many left the keeper brings another block */

/* Gives the allocator a block. */
void ids_feed(int64_t block);

/* How many are left. */
int64_t ids_left(void);

/* The next id; 0 if there are none left (the store is away and the last block used up). */
int64_t ids_next(void);

/* count ids in a row: the first of them, or 0. */
int64_t ids_next_run(int64_t count);

#endif
