/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/check.h"

#include "base/str.h"

#include <pthread.h>
#include <string.h>

#define HUGE_TEXT ((size_t)300000)
#define THREADS 4

/* xorshift64*: the same bytes in every run. */
uint32_t noise_below(struct noise *noise, uint32_t below)
{
	noise->state ^= noise->state >> 12;
	noise->state ^= noise->state << 25;
	noise->state ^= noise->state >> 27;
	return (uint32_t)((noise->state * UINT64_C(2685821657736338717)) >> 33) % below;
}

static const pa_str hostile[] = {
	{"", 0},
	{"\0", 1},
	{"a\0b", 3},
	{"\xff\xfe\x80", 3},
	{"\xed\xa0\x80", 3}, /* a lone surrogate */
	{"\xf0\x9f\x98", 3}, /* a cut emoji */
	{"a\r\nX-Other: b", 13},
	{"\x1b[31m\x7f", 6},
	{"';--\"<&>%s%n{}[]", 16},
	{"\xe2\x80\xae\xcc\x81\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7", 16},
	{PLANTED_TEXT, sizeof(PLANTED_TEXT) - 1},
	{"99999999999999999999999999", 26},
};
const size_t hostile_count = ARRAY_COUNT(hostile) + 1;

pa_str hostile_text(struct arena *arena, size_t which)
{
	char *huge;

	if (which < ARRAY_COUNT(hostile))
		return hostile[which];
	huge = arena_alloc(arena, HUGE_TEXT);
	memset(huge, 'x', HUGE_TEXT);
	return (pa_str){huge, HUGE_TEXT};
}

static pa_str chance(struct noise *noise, struct arena *arena)
{
	size_t len = noise_below(noise, 600);
	char *bytes = arena_alloc(arena, len + 1);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)noise_below(noise, 256);
	return (pa_str){bytes, len};
}

/* Puts a hostile text in place of some bytes. */
static pa_str splice(struct noise *noise, struct arena *arena, pa_str seed)
{
	pa_str piece = hostile[noise_below(noise, ARRAY_COUNT(hostile))];
	size_t at = noise_below(noise, (uint32_t)seed.len + 1);
	size_t drop = noise_below(noise, 8);
	pa_str tail = str_slice(seed, at + drop, seed.len);
	char *bytes = arena_alloc(arena, at + piece.len + tail.len + 1);

	memcpy(bytes, seed.ptr, at);
	memcpy(bytes + at, piece.ptr, piece.len);
	if (tail.len)
		memcpy(bytes + at + piece.len, tail.ptr, tail.len);
	return (pa_str){bytes, at + piece.len + tail.len};
}

static pa_str flip(struct noise *noise, struct arena *arena, pa_str seed)
{
	char *bytes = arena_alloc(arena, seed.len + 1);

	memcpy(bytes, seed.ptr, seed.len);
	for (uint32_t i = noise_below(noise, 4) + 1; i && seed.len; i--)
		bytes[noise_below(noise, (uint32_t)seed.len)] = (char)noise_below(noise, 256);
	return (pa_str){bytes, seed.len};
}

pa_str noise_mutate(struct noise *noise, struct arena *arena, pa_str seed)
{
	if (seed.len == 0)
		return chance(noise, arena);
	switch (noise_below(noise, 8)) {
	case 0:
		return chance(noise, arena);
	case 1:
		return str_slice(seed, 0, noise_below(noise, (uint32_t)seed.len));
	case 2:
	case 3:
	case 4:
		return splice(noise, arena, seed);
	default:
		return flip(noise, arena, seed);
	}
}

struct worker {
	pthread_t thread;
	void (*work)(const struct subject *subject, unsigned thread);
	const struct subject *subject;
	unsigned number;
};

static void *worker_run(void *arg)
{
	struct worker *worker = arg;

	worker->work(worker->subject, worker->number);
	return NULL;
}

/* A serial plugin gets the same work on one thread: the daemon promises it that. */
void in_parallel(void (*work)(const struct subject *subject, unsigned thread),
		 const struct subject *subject)
{
	unsigned threads = subject->plugin->flags & PA_FLAG_SERIAL ? 1 : THREADS;
	struct worker workers[THREADS];

	for (unsigned i = 0; i < threads; i++) {
		workers[i] = (struct worker){.work = work, .subject = subject, .number = i};
		pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]);
	}
	for (unsigned i = 0; i < threads; i++)
		pthread_join(workers[i].thread, NULL);
}
