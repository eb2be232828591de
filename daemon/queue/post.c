/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/post.h"

#include "io/clock.h"

#include <stdlib.h>

struct post *post_new(struct channel *channel, size_t memory_cap)
{
	struct post *post = calloc(1, sizeof(*post));

	if (!post)
		abort();
	post->arena = arena_new(memory_cap);
	post->channel = channel;
	post->arrived_ns = clock_monotonic_ns();
	post->references = 1;
	post->undone = 1;
	return post;
}

struct post *post_ref(struct post *post)
{
	atomic_fetch_add(&post->references, 1);
	return post;
}

void post_unref(struct post *post)
{
	if (!post || atomic_fetch_sub(&post->references, 1) > 1)
		return;
	arena_free(post->arena);
	free(post);
}

void post_add(struct post *post)
{
	atomic_fetch_add(&post->undone, 1);
}

void post_settle(struct post *post, bool is_durable)
{
	if (!is_durable)
		atomic_store(&post->is_refused, true);
	if (atomic_fetch_sub(&post->undone, 1) == 1)
		post->on_done(post, !atomic_load(&post->is_refused));
}
