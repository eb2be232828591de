/* SPDX-License-Identifier: Apache-2.0
 *
 * backend-postgres when things go wrong: attempts to write, slow statements, servers that hang or
 * die, tables that change, many threads at once.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "backend_postgres_rig.h"
#include "support/pg.h"

/* ---- nothing can be written ---- */

#define BRAND "INSERT INTO core_demo.core_info VALUES (true, 'escrito', now(), now()) RETURNING "

static void writes_nothing(void **state)
{
	(void)state;
	static const char *const statements[] = {
		BRAND "'a' AS id, 'activo' AS state, 'n' AS number",
		"WITH w AS (" BRAND "1) SELECT 'a' AS id, 'activo' AS state, 'n' AS number FROM w",
		"SELECT core_demo.escribir() AS id, 'activo' AS state, 'n' AS number",
		"SELECT set_config('transaction_read_only', 'off', true) AS id, "
		"core_demo.escribir() AS state, 'n' AS number",
		"SELECT set_config('default_transaction_read_only', 'off', false) AS id, 'activo' "
		"AS state, core_demo.escribir() AS number",
		"UPDATE core_demo.cliente SET celular = '1' RETURNING 'a' AS id",
		"CREATE TABLE core_demo.nueva (n int)",
		"TRUNCATE core_demo.novedad",
	};
	admin_do("CREATE OR REPLACE FUNCTION core_demo.escribir() RETURNS text LANGUAGE plpgsql AS "
		 "$$DECLARE n text; BEGIN " BRAND "nombre INTO n; RETURN 'activo'; END$$");
	/* A role that may write everything: here it is the plugin that forbids it. */
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		void *self = open_one("core_writer", "credits", statements[i]);
		for (int again = 0; again < 2; again++) {
			pa_error err;
			size_t count = 0;
			assert_status(ask_credits(self, SECONDS(5), "1", &count, &err), PA_REJECTED,
				      &err);
		}
		plugin->close(self);
	}
	assert_int_equal(admin_number("SELECT count(*) FROM core_demo.core_info"), 1);
	assert_int_equal(admin_number("SELECT count(*) FROM core_demo.cliente WHERE celular = '1'"),
			 0);
}

/* Even a session that switched its own default off gets read-only transactions. */
static void keeps_transactions_read_only(void **state)
{
	(void)state;
	struct setup setup = {.role = "core_writer", .max_connections = 1};
	map_add(&setup.sql, "credits",
		"SELECT set_config('default_transaction_read_only', 'off', false) AS id, 'activo' "
		"AS state, 'n' AS number");
	map_add(&setup.sql, "applications", BRAND "'a' AS id, 'radicado' AS stage, 'n' AS number");
	map_add(&setup.sql, "obligations",
		BRAND "'a' AS credit_id, 'activo' AS state, 'n' AS number");
	void *self = open_sound(&setup);
	pa_error err;
	size_t count = 0;
	assert_status(ask_credits(self, SECONDS(5), "1", &count, &err), PA_OK, &err);
	pa_call *call = call_begin(SECONDS(5));
	const pa_application *const *applications = NULL;
	assert_status(ops->applications(self, call, LITERAL("1"), &applications, &count, &err),
		      PA_REJECTED, &err);
	assert_non_null(strstr(err.text, "25006"));
	/* The refusal closed that connection: switch the next one's default off, too. */
	assert_status(ask_credits(self, SECONDS(5), "1", &count, &err), PA_OK, &err);
	const pa_obligation *const *obligations = NULL;
	assert_status(ops->obligations(self, call, LITERAL("1"), &obligations, &count, &err),
		      PA_REJECTED, &err);
	assert_non_null(strstr(err.text, "25006"));
	call_end(call);
	plugin->close(self);
	assert_int_equal(admin_number("SELECT count(*) FROM core_demo.core_info"), 1);
}

static void refuses_a_superuser(void **state)
{
	(void)state;
	void *self = open_one("test", "credits", "SELECT 1 AS id");
	pa_error err;
	size_t count = 0;
	assert_status(ask_credits(self, SECONDS(5), "1", &count, &err), PA_REJECTED, &err);
	assert_non_null(strstr(err.text, "superuser"));
	plugin->close(self);
}

/* ---- time ---- */

static void ends_a_slow_statement(void **state)
{
	(void)state;
	void *self = open_one(NULL, "credits",
			      "SELECT pg_sleep(20)::text AS id, 'activo' AS state, "
			      "'n' AS number");
	pa_error err;
	size_t count = 0;
	int64_t start = clock_ms();
	assert_status(ask_credits(self, 300, "1", &count, &err), PA_DEADLINE, &err);
	int64_t took = clock_ms() - start;
	assert_in_range(took, 290, 600);
	/* The server does not go on with it either. */
	pause_ms(300);
	assert_int_equal(admin_number("SELECT count(*) " OUR_BACKENDS " AND state = 'active'"), 0);
	assert_status(ask_credits(self, 0, "1", &count, &err), PA_DEADLINE, &err);
	plugin->close(self);
}

static void leaves_a_hung_server(void **state)
{
	(void)state;
	void *self = open_shipped(1);
	pa_error err;
	size_t count = 0;
	assert_status(ask_credits(self, SECONDS(5), "1", &count, &err), PA_OK, &err);
	pid_t backend = (pid_t)admin_number("SELECT pid " OUR_BACKENDS);
	pid_t server = (pid_t)postmaster();
	assert_true(backend > 1);
	assert_int_equal(kill(backend, SIGSTOP), 0);
	int64_t start = clock_ms();
	assert_status(ask_credits(self, 300, "1", &count, &err), PA_DEADLINE, &err);
	assert_in_range(clock_ms() - start, 290, 600);
	/* The next one needs a new connection, which the stopped server never answers. */
	assert_int_equal(kill(server, SIGSTOP), 0);
	start = clock_ms();
	pa_status status = ask_credits(self, 300, "1", &count, &err);
	int64_t took = clock_ms() - start;
	assert_int_equal(kill(server, SIGCONT), 0);
	assert_int_equal(kill(backend, SIGCONT), 0);
	assert_status(status, PA_DEADLINE, &err);
	assert_in_range(took, 290, 600);
	assert_status(ask_credits(self, SECONDS(5), "1", &count, &err), PA_OK, &err);
	plugin->close(self);
}

static void *kill_server_soon(void *arg)
{
	(void)arg;
	pause_ms(300);
	kill((pid_t)postmaster(), SIGQUIT); /* an immediate shutdown */
	return NULL;
}

static void survives_a_stopped_server(void **state)
{
	(void)state;
	struct setup setup = {0};
	map_read(&setup.sql, "sql");
	map_read(&setup.words, "state_words");
	for (size_t i = 0; i < setup.sql.count; i++)
		if (strcmp(setup.sql.pairs[i].name.ptr, "applications") == 0)
			setup.sql.pairs[i].value = LITERAL("SELECT pg_sleep(20)::text AS id, "
							   "'radicada' AS stage, 'n' AS number");
	void *self = open_sound(&setup);
	pa_error err = {.size = sizeof(err)};
	size_t count = 0;
	assert_status(ask_credits(self, SECONDS(5), "1", &count, &err), PA_OK, &err);

	pthread_t killer;
	assert_int_equal(pthread_create(&killer, NULL, kill_server_soon, NULL), 0);
	pa_call *call = call_begin(SECONDS(10));
	const pa_application *const *applications = NULL;
	assert_status(ops->applications(self, call, LITERAL("1"), &applications, &count, &err),
		      PA_RETRY, &err);
	call_end(call);
	pthread_join(killer, NULL);

	int64_t start = clock_ms();
	assert_status(ask_credits(self, SECONDS(5), "1", &count, &err), PA_RETRY, &err);
	assert_in_range(clock_ms() - start, 0, 1000);
	assert_int_equal(pg_command("resume"), 0);
	assert_status(ask_credits(self, SECONDS(5), "1", &count, &err), PA_OK, &err);
	assert_int_equal(count, 1);

	/* A connection that died while idle costs no call. */
	admin_do("SELECT pg_terminate_backend(pid) " OUR_BACKENDS);
	pause_ms(100);
	assert_status(ask_credits(self, SECONDS(5), "1", &count, &err), PA_OK, &err);
	plugin->close(self);
}

static void prepares_again_when_tables_change(void **state)
{
	(void)state;
	admin_do("CREATE VIEW core_demo.v_cambiante AS SELECT 'a' AS id, 'activo' AS state, "
		 "'n'::text "
		 "AS number; GRANT SELECT ON core_demo.v_cambiante TO proalto_core_reader");
	void *self = open_one(NULL, "credits", "SELECT * FROM core_demo.v_cambiante");
	pa_error err;
	size_t count = 0;
	assert_status(ask_credits(self, SECONDS(5), "1", &count, &err), PA_OK, &err);
	admin_do("DROP VIEW core_demo.v_cambiante; CREATE VIEW core_demo.v_cambiante AS SELECT 'a' "
		 "AS "
		 "id, 'activo' AS state, 7 AS number; GRANT SELECT ON core_demo.v_cambiante TO "
		 "proalto_core_reader");
	assert_status(ask_credits(self, SECONDS(5), "1", &count, &err), PA_RETRY, &err);
	assert_status(ask_credits(self, SECONDS(5), "1", &count, &err), PA_OK, &err);
	plugin->close(self);
}

/* ---- many at once ---- */

struct crowd {
	void *self;
	int failures[8];
};

struct member {
	struct crowd *crowd;
	int number;
};

/* Everybody asks for his own customer and must never see another's credits. */
static void *ask_often(void *arg)
{
	const struct member *member = arg;
	char id[12];
	(void)snprintf(id, sizeof(id), "%d", member->number + 1);
	static const char *const numbers[] = {"L0000101", "L0000102", NULL,       "L0000104",
					      "L0000105", "L0000106", "L0000107", "L0000108"};
	for (int i = 0; i < 150; i++) {
		pa_call *call = call_begin(SECONDS(20));
		pa_error err = {.size = sizeof(err)};
		const pa_credit *const *credits = NULL;
		size_t count = 0;
		pa_status status = ops->credits(member->crowd->self, call, text_of(id), &credits,
						&count, &err);
		const char *expected = numbers[member->number];
		bool is_right = status == PA_OK && (expected == NULL) == (count == 0);
		if (is_right && expected)
			is_right = memcmp(credits[0]->number.ptr, expected, 8) == 0;
		member->crowd->failures[member->number] += !is_right;
		call_end(call);
	}
	return NULL;
}

static void serves_eight_threads_with_three_connections(void **state)
{
	(void)state;
	struct crowd crowd = {.self = open_shipped(3)};
	struct member members[8];
	pthread_t threads[8];
	for (int i = 0; i < 8; i++) {
		members[i] = (struct member){&crowd, i};
		assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &members[i]), 0);
	}
	pause_ms(100);
	assert_in_range(admin_number("SELECT count(*) " OUR_BACKENDS), 1, 3);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	assert_in_range(admin_number("SELECT count(*) " OUR_BACKENDS), 1, 3);
	for (int i = 0; i < 8; i++)
		assert_int_equal(crowd.failures[i], 0);
	plugin->close(crowd.self);
	pause_ms(200);
	assert_int_equal(admin_number("SELECT count(*) " OUR_BACKENDS), 0);
}

static void *sleep_in_core(void *self)
{
	pa_error err;
	size_t count = 0;
	(void)ask_credits(self, 1500, "1", &count, &err);
	return NULL;
}

static void waits_for_a_connection_until_the_deadline(void **state)
{
	(void)state;
	struct setup setup = {.max_connections = 1};
	map_add(&setup.sql, "credits",
		"SELECT pg_sleep(1)::text AS id, 'activo' AS state, 'n' AS number");
	void *self = open_sound(&setup);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, sleep_in_core, self), 0);
	pause_ms(200);
	pa_error err;
	size_t count = 0;
	int64_t start = clock_ms();
	assert_status(ask_credits(self, 200, "1", &count, &err), PA_DEADLINE, &err);
	assert_non_null(strstr(err.text, "busy"));
	assert_in_range(clock_ms() - start, 190, 400);
	assert_status(ask_credits(self, SECONDS(5), "1", &count, &err), PA_REJECTED, &err);
	pthread_join(thread, NULL);
	plugin->close(self);
}

int main(int argc, char **argv)
{
	(void)argc;
	rig_start(argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_nothing),
		cmocka_unit_test(keeps_transactions_read_only),
		cmocka_unit_test(refuses_a_superuser),
		cmocka_unit_test(ends_a_slow_statement),
		cmocka_unit_test(leaves_a_hung_server),
		cmocka_unit_test(survives_a_stopped_server),
		cmocka_unit_test(prepares_again_when_tables_change),
		cmocka_unit_test(serves_eight_threads_with_three_connections),
		cmocka_unit_test(waits_for_a_connection_until_the_deadline),
	};
	return cmocka_run_group_tests_name("backend-postgres: trouble", tests, NULL, NULL);
}
