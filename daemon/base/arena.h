/* SPDX-License-Identifier: Apache-2.0
 *
 * base/arena.h: memory whose lifetime is a job: a request, a turn, a call. Everything is freed at
 * once.
 *
 *	struct arena *arena = arena_new(cap);
 *	... arena_alloc(arena, n) ...
 *	arena_reset(arena);      // the next job; keeps one chunk
 *	arena_free(arena);
 *
 * Good at: many small pieces, no leaks, bounded totals. Bad at: things that grow again and again
 * (use a buf), things that outlive the job, giving memory back early. Not thread-safe.
 * Past the cap, or when malloc fails, the process aborts: sizes that a peer chose are bounded
 * before. Under AddressSanitizer what was not handed out is poisoned.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/base.h"

struct arena;

/* An arena that may hold cap bytes in all. */
struct arena *arena_new(size_t cap);

/* Frees it and all that came from it; NULL is fine. Returns NULL. */
struct arena *arena_free(struct arena *arena);

/* For PA_CLEANUP. */
void arena_done(struct arena **arena);

/* Forgets all that was handed out. */
void arena_reset(struct arena *arena);

/* n zeroed bytes, aligned for any type. Never NULL. */
void *arena_alloc(struct arena *arena, size_t n);

/* An array of count zeroed elements. Aborts on overflow. */
void *arena_array(struct arena *arena, size_t count, size_t element);

/* A copy of the bytes, with a NUL behind that is not counted. An absent slice stays absent. */
pa_str arena_copy(struct arena *arena, pa_str s);

/* A C string with the same bytes. PA_REJECTED if s holds a NUL. */
pa_status arena_cstr(struct arena *arena, pa_str s, const char **ret) PA_MUST_USE;

/* As printf. */
pa_str arena_format(struct arena *arena, const char *format, ...) PA_PRINTF(2, 3);

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *arena);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_array((arena), (count), sizeof(type)))

#endif
