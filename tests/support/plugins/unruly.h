/* SPDX-License-Identifier: Apache-2.0
 *
 * support/plugins/unruly.h: what unruly plugins have in common: an option that names a file with
 * orders, which each call reads and obeys:
 *
 *	hang        never comes back
 *	late MS     comes back after so long, whatever its deadline
 *	die         ends the process
 *
 * Anything else, or no file: it behaves.
 */
#include <proalto/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const pa_option orders_option = {.size = sizeof(pa_option),
					.type = PA_OPT_TEXT,
					.flags = PA_OPT_REQUIRED,
					.name = "orders",
					.help = "The file with its orders."};
static const pa_option *const unruly_options[] = {&orders_option};

static pa_status unruly_open(const pa_host *host, pa_call *call, const pa_value *const *values,
			     void **ret_self, pa_error *err)
{
	(void)host;
	(void)call;
	(void)err;
	*ret_self = strndup(values[0]->text.ptr, values[0]->text.len);
	return *ret_self ? PA_OK : PA_RETRY;
}

static void unruly_close(void *self)
{
	free(self);
}

static void obey(const char *path)
{
	char word[16] = "";
	long ms = 0;
	FILE *orders = fopen(path, "re");

	if (!orders)
		return;
	if (fscanf(orders, "%15s %ld", word, &ms) < 1)
		word[0] = '\0';
	fclose(orders);
	if (strcmp(word, "die") == 0)
		abort();
	while (strcmp(word, "hang") == 0)
		pause();
	if (strcmp(word, "late") == 0)
		nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}
