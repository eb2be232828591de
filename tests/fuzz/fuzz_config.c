/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration, from the bytes of a file to the typed values: whatever stands in it, the
 * reader refuses or takes it, and says so without a problem of its own. Without plugins.
 */
#include "base/err.h"
#include "config/config.h"
#include "io/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define INPUT_MAX 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets the text it was reading when the syntax breaks behind it: some bytes a
 * refused file. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig\n";
}

static void load(const char *path)
{
	struct arena *arena = arena_new((size_t)16 << 20);
	struct config_problems problems = {.arena = arena};
	struct config *config = NULL;
	pa_error err = ERROR_INIT;
	pa_status status = config_load(path, NULL, &config, &problems, &err);

	/* Refused with a reason, or taken whole. */
	if ((status == PA_OK) != (config != NULL) || (status != PA_OK && !problems.count))
		abort();
	for (size_t i = 0; i < problems.count; i++)
		if (!problems.list[i].where || !problems.list[i].what)
			abort();
	if (config && (!config->master_key.len || config->session_idle_ms > config->session_max_ms))
		abort();
	config_free(config);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	int fd;

	if (size > INPUT_MAX || crypto_init() != PA_OK)
		return 0;
	fd = memfd_create("fuzz.conf", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	setenv("FUZZ_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 1);
	load(path);
	close(fd);
	return 0;
}
