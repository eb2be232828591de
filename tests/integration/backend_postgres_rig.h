/* SPDX-License-Identifier: Apache-2.0
 *
 * backend_postgres_rig.h: backend-postgres in the hands of a test: a host that lends memory and
 * time, the plugin loaded from the build, a PostgreSQL with the core of sql/demo, and instances
 * opened with the shipped mapping (etc/backend-postgres.demo.conf) or with a test's own statement.
 *
 *	int main(int argc, char **argv) { (void)argc; rig_start(argv); ... }
 *
 * For test programs: failures end the program or the test. The core's date is 20 November 2026.
 */
#ifndef BACKEND_POSTGRES_RIG_H
#define BACKEND_POSTGRES_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include <proalto/backend.h>

#define LITERAL(text) ((pa_str){text, sizeof(text) - 1})
#define SECONDS(n) ((n)*1000)

/* The server's sessions of the plugin. */
#define OUR_BACKENDS "FROM pg_stat_activity WHERE application_name = 'proaltod'"

/* The operations of the plugin, after rig_start(). */
extern const pa_plugin *plugin;
extern const pa_backend_ops *ops;

/* Goes on only beside a server, with the core loaded into the database core_demo. */
void rig_start(char **argv);

/* A call with so much time; call_end() frees what was allocated in it. */
pa_call *call_begin(int64_t ms);
void call_end(pa_call *call);
/* What the plugin logged since log_clear(), a line each. From one thread at a time. */
void log_clear(void);
const char *log_text(void);
int64_t clock_ms(void);
void pause_ms(long ms);

/* Names and texts for an option of type map. */
struct map {
	pa_pair pairs[16];
	const pa_pair *list[16];
	size_t count;
};

void map_add(struct map *map, const char *name, const char *value);

/* Adds a group of the shipped mapping. */
void map_read(struct map *map, const char *group);

/* How an instance is opened. */
struct setup {
	const char *role; /* NULL: the core's reader */
	const char *connection;
	int64_t max_connections;
	struct map sql;
	struct map words;
};

pa_status open_with(const struct setup *setup, void **ret, pa_error *err);
void *open_sound(const struct setup *setup);
void *open_shipped(int64_t max_connections);

/* An instance with one statement. */
void *open_one(const char *role, const char *operation, const char *sql);

/* One call of credits(). */
pa_status ask_credits(void *self, int64_t ms, const char *customer, size_t *ret_count,
		      pa_error *err);

/* One statement by a superuser of the test's own; the first value, or "" without rows. */
void admin(const char *sql, char *ret, size_t room);
void admin_do(const char *sql);
long admin_number(const char *sql);

/* The server's first process. */
long postmaster(void);

pa_str text_of(const char *text);
int64_t day(int year, int month, int mday);
void assert_text(pa_str text, const char *expected);
void assert_known(pa_number number, int64_t expected);
void assert_status(pa_status status, pa_status expected, const pa_error *err);

#endif
