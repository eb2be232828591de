/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/beside.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

const char *beside_find(struct arena *arena, const char *const *paths, size_t count)
{
	char *own = arena_alloc(arena, PATH_MAX);
	ssize_t len = readlink("/proc/self/exe", own, PATH_MAX - 1);
	char *slash = len > 0 ? strrchr(own, '/') : NULL;

	if (!slash)
		return NULL;
	*slash = '\0';
	for (size_t i = 0; i < count; i++) {
		const char *path = arena_format(arena, "%s/%s", own, paths[i]).ptr;

		if (access(path, F_OK) == 0)
			return path;
	}
	return NULL;
}

const char *beside_daemon(struct arena *arena)
{
	static const char *const places[] = {"proaltod", "../sbin/proaltod"};

	return beside_find(arena, places, ARRAY_COUNT(places));
}
