/* SPDX-License-Identifier: Apache-2.0
 *
 * queue/complaint.h: what the store said when it refused something, for the journal (seldom: on a
 * full disk it may be everything that comes) and for whoever asks. Any thread.
 */
#ifndef QUEUE_COMPLAINT_H
#define QUEUE_COMPLAINT_H

#include "base/base.h"

#include <pthread.h>

struct complaint_text {
	char text[256]; /* "": nothing in the last ten seconds */
};

struct complaint {
	pthread_mutex_t lock; /* guards all */
	struct complaint_text last;
	int64_t noted_ns, told_ns; /* monotonic; 0: never */
};

void complaint_init(struct complaint *complaint);
void complaint_done(struct complaint *complaint);

/* True if it is worth a line in the journal: ten seconds after the last one. */
bool complaint_note(struct complaint *complaint, const char *text);

struct complaint_text complaint_text(struct complaint *complaint);

#endif
