/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif

#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
#define POISON(ptr, n) ASAN_POISON_MEMORY_REGION(ptr, n)
#define UNPOISON(ptr, n) ASAN_UNPOISON_MEMORY_REGION(ptr, n)
#else
#define POISON(ptr, n) ((void)0)
#define UNPOISON(ptr, n) ((void)0)
#endif

#define FIRST_CHUNK ((size_t)4096)
#define ALIGN alignof(max_align_t)

struct chunk {
	struct chunk *next; /* older and not larger */
	size_t size;        /* of data */
	size_t used;
	alignas(max_align_t) char data[];
};

struct arena {
	struct chunk *chunk; /* the newest */
	size_t cap;
	size_t used; /* handed out over all chunks */
};

static void out_of_memory(const char *why)
{
	fprintf(stderr, "proaltod: arena: %s\n", why);
	abort();
}

static struct chunk *chunk_new(size_t size, struct chunk *next)
{
	struct chunk *chunk = malloc(sizeof(*chunk) + size);

	if (!chunk)
		out_of_memory("out of memory");
	chunk->next = next;
	chunk->size = size;
	chunk->used = 0;
	POISON(chunk->data, size);
	return chunk;
}

static void chunk_free(struct chunk *chunk)
{
	UNPOISON(chunk->data, chunk->size);
	free(chunk);
}

struct arena *arena_new(size_t cap)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		out_of_memory("out of memory");
	arena->cap = cap;
	arena->chunk = chunk_new(FIRST_CHUNK, NULL);
	return arena;
}

struct arena *arena_free(struct arena *arena)
{
	if (!arena)
		return NULL;
	while (arena->chunk) {
		struct chunk *next = arena->chunk->next;

		chunk_free(arena->chunk);
		arena->chunk = next;
	}
	free(arena);
	return NULL;
}

void arena_done(struct arena **arena)
{
	*arena = arena_free(*arena);
}

void arena_reset(struct arena *arena)
{
	while (arena->chunk->next) {
		struct chunk *next = arena->chunk->next;

		chunk_free(arena->chunk);
		arena->chunk = next;
	}
	arena->chunk->used = 0;
	arena->used = 0;
	POISON(arena->chunk->data, arena->chunk->size);
}

void *arena_alloc(struct arena *arena, size_t n)
{
	struct chunk *chunk = arena->chunk;
	size_t need = (n + ALIGN - 1) / ALIGN * ALIGN;
	void *ptr;

	if (need < n || need > arena->cap - arena->used)
		out_of_memory("a job went past its memory cap");
	if (need > chunk->size - chunk->used) {
		size_t size = chunk->size * 2;

		chunk = chunk_new(need > size ? need : size, chunk);
		arena->chunk = chunk;
	}
	ptr = chunk->data + chunk->used;
	chunk->used += need;
	arena->used += need;
	UNPOISON(ptr, n);
	memset(ptr, 0, n);
	return ptr;
}

void *arena_array(struct arena *arena, size_t count, size_t element)
{
	size_t n;

	if (__builtin_mul_overflow(count, element, &n))
		out_of_memory("an array's size overflows");
	return arena_alloc(arena, n);
}

pa_str arena_copy(struct arena *arena, pa_str s)
{
	char *copy;

	if (!s.ptr)
		return s;
	copy = arena_alloc(arena, s.len + 1);
	if (s.len)
		memcpy(copy, s.ptr, s.len);
	return (pa_str){copy, s.len};
}

pa_status arena_cstr(struct arena *arena, pa_str s, const char **ret)
{
	if (s.len && memchr(s.ptr, '\0', s.len))
		return PA_REJECTED;
	*ret = s.ptr ? arena_copy(arena, s).ptr : "";
	return PA_OK;
}

pa_str arena_format(struct arena *arena, const char *format, ...)
{
	char small[256]; /* most texts fit: they are printed once */
	va_list args, again;
	int len;
	char *text;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(small, sizeof(small), format, args);
	va_end(args);
	if (len < 0)
		out_of_memory("a format is broken");
	text = arena_alloc(arena, (size_t)len + 1);
	if ((size_t)len < sizeof(small))
		memcpy(text, small, (size_t)len);
	else
		vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	return (pa_str){text, (size_t)len};
}

size_t arena_used(const struct arena *arena)
{
	return arena->used;
}
