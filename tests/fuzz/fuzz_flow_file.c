/* SPDX-License-Identifier: Apache-2.0
 *
 * A flow or text file of any content beside the shipped ones: taken or refused with a reason, never
 * a crash, an endless check or a leak. The first byte says which of the two it is.
 */
#include "turn_rig.h"

#include "io/conf.h"

#include <dirent.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets the text it was reading when the syntax breaks behind it. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig\n";
}

#define FILES_MAX 64

static struct flow_source shipped[FILES_MAX];
static size_t shipped_count;

static pa_str file_text(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = malloc(65536);
	size_t len;

	if (!file || !text)
		abort();
	len = fread(text, 1, 65536, file);
	fclose(file);
	return (pa_str){text, len};
}

static void read_shipped(const char *directory, bool is_texts)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	char path[600];

	if (!dir)
		abort();
	while ((entry = readdir(dir)) && shipped_count < FILES_MAX - 1) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		shipped[shipped_count++] =
			(struct flow_source){"shipped", file_text(path), is_texts};
	}
	closedir(dir);
}

static void load(pa_str text, bool is_texts)
{
	struct flow_options options = rig_options();
	struct flow_problems problems = {.arena = arena_new((size_t)1 << 26)};
	struct flow_set *set = NULL;
	pa_error err = ERROR_INIT;
	pa_status status;

	shipped[shipped_count] = (struct flow_source){"fuzzed", text, is_texts};
	status = flow_set_load_sources(&options, shipped, shipped_count + 1, &set, &problems, &err);
	if ((status == PA_OK) != (set != NULL) || (status != PA_OK && problems.count == 0))
		abort();
	for (size_t i = 0; i < problems.count; i++)
		if (!problems.list[i].where || !problems.list[i].what)
			abort();
	flow_set_unref(set);
	arena_free(problems.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > 16384)
		return 0;
	if (!shipped_count) {
		if (crypto_init() != PA_OK)
			abort();
		read_shipped("etc/texts", true);
		read_shipped("etc/flows", false);
	}
	load((pa_str){(const char *)data + 1, size - 1}, data[0] & 1);
	return 0;
}
