/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/complaint.h"

#include "io/clock.h"

#include <stdio.h>

#define LASTS_NS (10 * NS_PER_S)

void complaint_init(struct complaint *c)
{
	pthread_mutex_init(&c->lock, NULL);
}

void complaint_done(struct complaint *c)
{
	pthread_mutex_destroy(&c->lock);
}

static bool is_recent(int64_t at_ns, int64_t now_ns)
{
	return at_ns && now_ns < at_ns + LASTS_NS;
}

bool complaint_note(struct complaint *c, const char *text)
{
	int64_t now_ns = clock_monotonic_ns();
	bool is_news;

	pthread_mutex_lock(&c->lock);
	snprintf(c->last.text, sizeof(c->last.text), "%s", text);
	c->noted_ns = now_ns;
	is_news = !is_recent(c->told_ns, now_ns);
	if (is_news)
		c->told_ns = now_ns;
	pthread_mutex_unlock(&c->lock);
	return is_news;
}

struct complaint_text complaint_text(struct complaint *c)
{
	struct complaint_text text = {""};

	pthread_mutex_lock(&c->lock);
	if (is_recent(c->noted_ns, clock_monotonic_ns()))
		text = c->last;
	pthread_mutex_unlock(&c->lock);
	return text;
}
