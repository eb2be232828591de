/* SPDX-License-Identifier: Apache-2.0
 *
 * proalto-inspect: see inspect/inspect.h.
 */
#include "inspect/inspect.h"
#include "inspect/sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_USAGE 64

static bool read_number(const char *word, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(word, &end, 10);
	return !errno && *word >= '0' && *word <= '9' && !*end;
}

static bool read_limits(int argc, char **argv, struct inspect_limits *ret)
{
	uint64_t pages;

	if (argc != 3 || !read_number(argv[1], &ret->pixels) || !read_number(argv[2], &pages) ||
	    pages > UINT32_MAX)
		return false;
	ret->pages = (uint32_t)pages;
	return true;
}

/* Nothing can be opened any more when it is read, so it is mapped before. */
static const uint8_t *map_input(size_t *ret_len)
{
	struct stat about;
	void *bytes;

	if (fstat(STDIN_FILENO, &about) != 0 || about.st_size < 0)
		return NULL;
	*ret_len = (size_t)about.st_size;
	if (!*ret_len)
		return (const uint8_t *)"";
	bytes = mmap(NULL, *ret_len, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
	return bytes == MAP_FAILED ? NULL : bytes;
}

static bool write_all(const void *bytes, size_t len)
{
	const char *rest = bytes;

	while (len) {
		ssize_t n = write(STDOUT_FILENO, rest, len);

		if (n <= 0)
			return false;
		rest += n;
		len -= (size_t)n;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct inspect_limits limits;
	struct inspect_result result;
	const uint8_t *bytes;
	size_t len;

	if (!read_limits(argc, argv, &limits))
		return EXIT_USAGE;
	if (!sandbox_begin() || !(bytes = map_input(&len)) || !inspect_prepare() ||
	    !sandbox_enter())
		return INSPECT_EXIT_UNREADY;
	inspect_bytes(bytes, len, &limits, &result);
	/* Destructors of libraries might want more than the sandbox grants: straight out. */
	_exit(write_all(&result.record, sizeof(result.record)) &&
			      write_all(result.clean, result.record.clean)
		      ? EXIT_SUCCESS
		      : EXIT_FAILURE);
}
