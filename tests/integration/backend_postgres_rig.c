/* SPDX-License-Identifier: Apache-2.0 */
#include "backend_postgres_rig.h"

#include <dlfcn.h>
#include <libconfig.h>
#include <libgen.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "support/pg.h"

/* ---- a host: memory and time of a call ---- */

struct pa_call {
	int64_t deadline_ms;
	void *blocks[4096];
	size_t count;
};

int64_t clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void *host_alloc(pa_call *call, size_t n)
{
	if (call->count == 4096)
		abort();
	void *block = calloc(1, n ? n : 1);
	call->blocks[call->count++] = block;
	return block;
}

static int64_t host_remaining_ms(pa_call *call)
{
	int64_t left = call->deadline_ms - clock_ms();
	return left > 0 ? left : 0;
}

/* 20 November 2026, 22:00 in Bogota: already the 21st in UTC. */
static int64_t host_now_ns(pa_call *call)
{
	(void)call;
	return INT64_C(1795230000) * 1000000000;
}

static char logged[2000];
static size_t logged_len;

static void host_log(pa_call *call, uint32_t level, pa_str text)
{
	(void)call;
	(void)level;
	assert_true(logged_len + text.len + 2 < sizeof(logged));
	memcpy(logged + logged_len, text.ptr, text.len);
	logged_len += text.len;
	logged[logged_len++] = '\n';
	logged[logged_len] = '\0';
}

void log_clear(void)
{
	logged[logged_len = 0] = '\0';
}

const char *log_text(void)
{
	return logged;
}

static const pa_host host = {.size = sizeof(pa_host),
			     .alloc = host_alloc,
			     .log = host_log,
			     .remaining_ms = host_remaining_ms,
			     .now_ns = host_now_ns};

pa_call *call_begin(int64_t ms)
{
	pa_call *call = calloc(1, sizeof(*call));
	call->deadline_ms = clock_ms() + ms;
	return call;
}

void call_end(pa_call *call)
{
	for (size_t i = 0; i < call->count; i++)
		free(call->blocks[i]);
	free(call);
}

/* ---- the plugin, opened with a map of statements ---- */

const pa_plugin *plugin;
const pa_backend_ops *ops;
static config_t mapping;

enum { CONNECTION, PASSWORD, MAX_CONNECTIONS, SQL, STATE_WORDS, OPTIONS };

void map_add(struct map *map, const char *name, const char *value)
{
	map->pairs[map->count] = (pa_pair){{name, strlen(name)}, {value, strlen(value)}};
	map->list[map->count] = &map->pairs[map->count];
	map->count++;
}

/* A group of the shipped mapping. */
void map_read(struct map *map, const char *group)
{
	const config_setting_t *setting = config_lookup(&mapping, group);
	assert_non_null(setting);
	for (int i = 0; i < config_setting_length(setting); i++) {
		config_setting_t *item = config_setting_get_elem(setting, (unsigned)i);
		map_add(map, config_setting_name(item), config_setting_get_string(item));
	}
}

pa_status open_with(const struct setup *setup, void **ret, pa_error *err)
{
	char connection[300];
	(void)snprintf(connection, sizeof(connection), "host=%s dbname=core_demo user=%s",
		       getenv("PGHOST"), setup->role ? setup->role : "proalto_core_reader");
	const char *text = setup->connection ? setup->connection : connection;
	const pa_value values[OPTIONS] = {
		[CONNECTION] = {sizeof(pa_value), 1, {text, strlen(text)}, 0, NULL, 0},
		[PASSWORD] = {.size = sizeof(pa_value)},
		[MAX_CONNECTIONS] = {.size = sizeof(pa_value),
				     .is_set = 1,
				     .number = setup->max_connections ? setup->max_connections : 4},
		[SQL] = {.size = sizeof(pa_value),
			 .is_set = 1,
			 .pairs = setup->sql.list,
			 .pairs_count = setup->sql.count},
		[STATE_WORDS] = {.size = sizeof(pa_value),
				 .is_set = 1,
				 .pairs = setup->words.list,
				 .pairs_count = setup->words.count},
	};
	const pa_value *list[OPTIONS];
	for (size_t i = 0; i < OPTIONS; i++)
		list[i] = &values[i];
	pa_call *call = call_begin(SECONDS(5));
	pa_status status = plugin->open(&host, call, list, ret, err);
	call_end(call);
	return status;
}

void *open_sound(const struct setup *setup)
{
	void *self = NULL;
	pa_error err = {.size = sizeof(err)};
	if (open_with(setup, &self, &err) != PA_OK)
		fail_msg("open: %s", err.text);
	return self;
}

void *open_shipped(int64_t max_connections)
{
	struct setup setup = {.max_connections = max_connections};
	map_read(&setup.sql, "sql");
	map_read(&setup.words, "state_words");
	return open_sound(&setup);
}

/* An instance with one statement. */
void *open_one(const char *role, const char *operation, const char *sql)
{
	struct setup setup = {.role = role};
	map_add(&setup.sql, operation, sql);
	return open_sound(&setup);
}

/* ---- little helpers ---- */

void assert_text(pa_str text, const char *expected)
{
	assert_non_null(text.ptr);
	assert_int_equal(text.len, strlen(expected));
	assert_memory_equal(text.ptr, expected, text.len);
}

void assert_known(pa_number number, int64_t expected)
{
	assert_int_equal(number.is_known, 1);
	assert_int_equal(number.value, expected);
}

void assert_status(pa_status status, pa_status expected, const pa_error *err)
{
	if (status != expected)
		fail_msg("status %u, not %u: %s", status, expected, err->text);
}

int64_t day(int year, int month, int mday)
{
	struct tm parts = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = mday};
	return (int64_t)timegm(&parts) / 86400;
}

pa_str text_of(const char *text)
{
	return (pa_str){text, strlen(text)};
}

/* One question by a superuser of the test's own; the first value, or "" without rows. */
void admin(const char *sql, char *ret, size_t room)
{
	char connection[300];
	(void)snprintf(connection, sizeof(connection),
		       "host=%s dbname=core_demo user=test application_name=admin",
		       getenv("PGHOST"));
	PGconn *pg = PQconnectdb(connection);
	if (PQstatus(pg) != CONNECTION_OK)
		fail_msg("%s", PQerrorMessage(pg));
	PGresult *result = PQexec(pg, sql);
	if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
		fail_msg("%s", PQerrorMessage(pg));
	(void)snprintf(ret, room, "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
	PQclear(result);
	PQfinish(pg);
}

void admin_do(const char *sql)
{
	char ignored[8];
	admin(sql, ignored, sizeof(ignored));
}

long admin_number(const char *sql)
{
	char text[64];
	admin(sql, text, sizeof(text));
	return strtol(text, NULL, 10);
}

long postmaster(void)
{
	char path[300];
	(void)snprintf(path, sizeof(path), "%s/data/postmaster.pid", getenv("PG_TEMP_DIR"));
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	long pid = 0;
	assert_int_equal(fscanf(file, "%ld", &pid), 1);
	fclose(file);
	assert_true(pid > 1);
	return pid;
}

void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, (ms % 1000) * 1000000}, NULL);
}

/* Status of one credits() call about customer 1; its text goes to err. */
pa_status ask_credits(void *self, int64_t ms, const char *customer, size_t *ret_count,
		      pa_error *err)
{
	pa_call *call = call_begin(ms);
	const pa_credit *const *credits = NULL;
	*err = (pa_error){.size = sizeof(*err)};
	pa_status status = ops->credits(self, call, text_of(customer), &credits, ret_count, err);
	call_end(call);
	return status;
}

/* ---- the start ---- */

static void die(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static void run(const char *command)
{
	if (system(command) != 0)
		die(command);
}

/* build/tests/integration/test_x finds build/plugins. */
static void load_plugin(const char *program)
{
	char copy[1024], path[1100];
	(void)snprintf(copy, sizeof(copy), "%s", program);
	(void)snprintf(path, sizeof(path), "%s/../../plugins/backend-postgres.so", dirname(copy));
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (object == NULL)
		die(dlerror());
	plugin = dlsym(object, PROALTO_PLUGIN_SYMBOL);
	if (plugin == NULL)
		die("the plugin has no descriptor");
	ops = plugin->ops;
}

static void load_core(void)
{
	run("createdb core_demo");
	run("psql -q -d core_demo -v today=2026-11-20 -v customers=5000 -f sql/demo/load.sql");
	run("psql -q -d core_demo -c 'CREATE ROLE core_writer LOGIN' "
	    "-c 'GRANT ALL ON SCHEMA core_demo TO core_writer' "
	    "-c 'GRANT ALL ON ALL TABLES IN SCHEMA core_demo TO core_writer'");
}

void rig_start(char **argv)
{
	pg_require(argv);
	load_plugin(argv[0]);
	load_core();
	config_init(&mapping);
	if (config_read_file(&mapping, "etc/backend-postgres.demo.conf") != CONFIG_TRUE)
		die(config_error_text(&mapping));
}
