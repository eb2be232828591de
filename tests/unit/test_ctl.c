/* SPDX-License-Identifier: Apache-2.0
 *
 * proaltoctl as an operator runs it: the program beside this test's folder, a real PostgreSQL, and
 * the daemon's own control socket with commands that answer what the daemon would.
 */
#include "base/err.h"
#include "base/str.h"
#include "edge/control.h"
#include "io/crypto.h"
#include "io/db.h"
#include "queue/codec.h"
#include "queue/contact.h"
#include "queue/ids.h"
#include "queue/operator.h"
#include "support/pg.h"

#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define KEY_HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define DATABASE "test_ctl"
#define RESUME_REASON "ya la llamamos"
#define OUTPUT_MAX ((size_t)1 << 20)

struct fixture {
	struct arena *arena;
	char dir[64];
	const char *program;
	const char *config;
	struct loop *loop;
	struct control *control;
	pthread_t thread;
	int stop[2];
	_Atomic bool refuses_reload;
	_Atomic int64_t level;
	_Atomic int64_t seconds;
	_Atomic bool heard_reason; /* RESUME_REASON */
	/* what status tells; set before it is asked */
	_Atomic bool is_store_away;
	const char *_Atomic channels;
};

/* ---- the daemon's side --------------------------------------------------------------------------
 */

static pa_status on_status(void *arg, const struct json *request, struct json *reply, pa_error *err)
{
	const struct fixture *fx = arg;
	struct json *channels = NULL, *nodes = NULL;

	(void)request;
	if (json_parse(str_from(fx->channels), &channels, err) != PA_OK ||
	    json_parse(PA_STR("[{\"name\":\"uno\",\"alive\":true,\"started_at\":null}]"), &nodes,
		       err) != PA_OK)
		return PA_BUG;
	json_set_text(reply, "version", PA_STR("1.2"));
	json_set_text(reply, "node", PA_STR("uno"));
	json_set_text(reply, "now", PA_STR("2026-11-26T03:10:00-05:00"));
	json_set_text(reply, "started_at", PA_STR("2026-11-23T03:00:00-05:00"));
	json_set_bool(reply, "store", !fx->is_store_away);
	if (fx->is_store_away)
		json_set_text(reply, "store_error", PA_STR("gone"));
	json_set_text(reply, "core", fx->is_store_away ? PA_STR("down") : PA_STR("up"));
	json_set_integer(reply, "stored_events", fx->is_store_away ? 7 : 0);
	json_set_integer(reply, "stored_events_oldest_ms", 7500000);
	json_set_integer(reply, "set_aside", fx->is_store_away ? 2 : 0);
	json_set(reply, "channels", channels);
	json_set(reply, "nodes", nodes);
	return PA_OK;
}

static pa_status on_reload(void *arg, const struct json *request, struct json *reply, pa_error *err)
{
	const struct fixture *fx = arg;
	struct json *report = json_array_new();

	(void)request;
	(void)err;
	json_append_text(report, PA_STR("proalto.conf:3: wrong"));
	json_set_bool(reply, "reloaded", !fx->refuses_reload);
	json_set(reply, "report", report);
	return PA_OK;
}

static pa_status on_log_level(void *arg, const struct json *request, struct json *reply,
			      pa_error *err)
{
	struct fixture *fx = arg;
	int64_t level = 0;
	bool has_level = json_get_integer(request, "level", &level);

	(void)reply;
	(void)err;
	fx->level = level;
	return has_level ? PA_OK : PA_REJECTED;
}

static pa_status on_clock(void *arg, const struct json *request, struct json *reply, pa_error *err)
{
	struct fixture *fx = arg;
	int64_t seconds = 0;
	bool has_seconds = json_get_integer(request, "seconds", &seconds);

	(void)reply;
	fx->seconds = seconds;
	if (!has_seconds || seconds == 3600)
		return error_set(err, PA_REJECTED, "not beside this core");
	return PA_OK;
}

static pa_status on_resume(void *arg, const struct json *request, struct json *reply, pa_error *err)
{
	struct fixture *fx = arg;
	pa_str conversation = PA_STR_ABSENT, reason = PA_STR_ABSENT;

	(void)reply;
	if (!json_get_text(request, "conversation", &conversation) ||
	    !json_get_text(request, "reason", &reason) ||
	    !str_equal(conversation, PA_STR("2026-000001")))
		return error_set(err, PA_REJECTED, "there is no such conversation or case");
	fx->heard_reason = str_equal(reason, PA_STR(RESUME_REASON));
	return PA_OK;
}

static void on_stop(void *arg, unsigned events)
{
	const struct fixture *fx = arg;

	(void)events;
	loop_stop(fx->loop);
}

static struct key house_key(void)
{
	struct key house;

	for (size_t i = 0; i < KEY_BYTES; i++)
		house.bytes[i] = (uint8_t)i; /* KEY_HEX */
	return house;
}

/* The daemon's own, on this test's database. */
static pa_status on_operator(void *arg, const struct json *request, struct json *reply,
			     pa_error *err)
{
	struct key house = house_key();
	struct keyring *ring = keyring_new((pa_str){(const char *)house.bytes, KEY_BYTES});
	pa_status status;

	(void)arg;
	keyring_set_store(ring, &house);
	status = operator_run(
		&(struct operator_options){
			.database = "dbname=" DATABASE " user=proalto", .ring = ring, .node = 1},
		request, reply, err);
	keyring_free(ring);
	return status;
}

static const struct control_command commands[] = {
	{"status", on_status, CONTROL_VIEW, false},
	{"reload", on_reload, CONTROL_ADMIN, false},
	{"log-level", on_log_level, CONTROL_ADMIN, false},
	{"clock", on_clock, CONTROL_ADMIN, false},
	{"conversation-resume", on_resume, CONTROL_ADMIN, false},
	{"inbox", on_operator, CONTROL_ADMIN, true},
	{"looks", on_operator, CONTROL_ADMIN, true},
};

static void *run_loop(void *arg)
{
	struct fixture *fx = arg;

	return loop_run(fx->loop, NULL) == PA_OK ? NULL : fx;
}

static void start_daemon(struct fixture *fx)
{
	pa_error err = ERROR_INIT;
	struct control_options options = {
		.path = arena_format(fx->arena, "%s/socket", fx->dir).ptr,
		.commands = commands,
		.commands_count = ARRAY_COUNT(commands),
		.arg = fx,
	};

	assert_int_equal(loop_new(&fx->loop, &err), PA_OK);
	options.loop = fx->loop;
	assert_int_equal(control_new(&options, &fx->control, &err), PA_OK);
	assert_int_equal(pipe(fx->stop), 0);
	assert_int_equal(loop_add_fd(fx->loop, fx->stop[0], LOOP_READ, on_stop, fx, NULL, &err),
			 PA_OK);
	assert_int_equal(pthread_create(&fx->thread, NULL, run_loop, fx), 0);
}

/* It listens even where its path is gone: the loop is told by its own descriptor. */
static void stop_daemon(struct fixture *fx)
{
	void *failed;

	assert_int_equal(write(fx->stop[1], "x", 1), 1);
	assert_int_equal(pthread_join(fx->thread, &failed), 0);
	assert_null(failed);
	control_free(fx->control);
	loop_free(fx->loop);
	close(fx->stop[0]);
	close(fx->stop[1]);
}

/* ---- fixture ------------------------------------------------------------------------------------
 */

static void execute(const char *conninfo, const char *text)
{
	pa_error err = ERROR_INIT;
	struct db *db = NULL;

	if (db_open(conninfo, DATABASE, NULL, &db, &err) != PA_OK ||
	    db_simple(db, text, &err) != PA_OK)
		fail_msg("%s: %s", text, error_text(&err));
	db_close(db);
}

static const char *read_file(struct fixture *fx, const char *path)
{
	char *text = arena_alloc(fx->arena, OUTPUT_MAX);
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	text[fread(text, 1, OUTPUT_MAX - 1, file)] = '\0';
	assert_int_equal(fclose(file), 0);
	return text;
}

static void write_config(struct fixture *fx)
{
	FILE *file = fopen(fx->config, "we");

	assert_non_null(file);
	fprintf(file,
		"store = { master_key = \"env:TEST_CTL_KEY\"; database = \"dbname=" DATABASE
		"\"; };\n"
		"control = { socket = \"%s/socket\"; };\n"
		"house = { name = \"P\"; nit = \"9\"; address = \"C\"; phone = \"6\"; email = "
		"\"a@b\"; policy_url = \"https://b.example/p\"; };\n"
		"identity = { code_channel = \"sms\"; };\n"
		"channels = { sms = { plugin = \"channel-sms-http\"; }; };\n"
		"backends = { core = { plugin = \"backend-postgres\"; }; };\n",
		fx->dir);
	assert_int_equal(fclose(file), 0);
}

/* build/tests/unit/test_ctl -> build/proaltoctl */
static const char *find_program(struct fixture *fx)
{
	char *own = arena_alloc(fx->arena, PATH_MAX);

	assert_true(readlink("/proc/self/exe", own, PATH_MAX - 1) > 0);
	for (int i = 0; i < 3; i++)
		*strrchr(own, '/') = '\0';
	return arena_format(fx->arena, "%s/proaltoctl", own).ptr;
}

static int setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));

	assert_int_equal(crypto_init(), PA_OK);
	fx->arena = arena_new((size_t)256 << 20);
	snprintf(fx->dir, sizeof(fx->dir), "/tmp/ctl.XXXXXX");
	assert_non_null(mkdtemp(fx->dir));
	fx->program = find_program(fx);
	fx->config = arena_format(fx->arena, "%s/t.conf", fx->dir).ptr;
	write_config(fx);
	setenv("TEST_CTL_KEY", KEY_HEX, 1);
	setenv("LC_ALL", "C", 1);
	start_daemon(fx);
	*state = fx;
	return 0;
}

static int run(struct fixture *fx, const char *arguments, const char **ret_out,
	       const char **ret_err)
{
	const char *out = arena_format(fx->arena, "%s/out", fx->dir).ptr;
	const char *err = arena_format(fx->arena, "%s/err", fx->dir).ptr;
	int status = system(arena_format(fx->arena, "%s --config %s %s >%s 2>%s", fx->program,
					 fx->config, arguments, out, err)
				    .ptr);

	assert_true(WIFEXITED(status));
	*ret_out = read_file(fx, out);
	*ret_err = read_file(fx, err);
	return WEXITSTATUS(status);
}

static int teardown(void **state)
{
	struct fixture *fx = *state;

	stop_daemon(fx);
	assert_int_equal(system(arena_format(fx->arena, "rm -rf '%s'", fx->dir).ptr), 0);
	arena_free(fx->arena);
	free(fx);
	return 0;
}

static void expect(struct fixture *fx, const char *arguments, int status, const char *out,
		   const char *err)
{
	const char *said, *complained;

	assert_int_equal(run(fx, arguments, &said, &complained), status);
	assert_string_equal(said, out);
	assert_string_equal(complained, err);
}

/* ---- commands -----------------------------------------------------------------------------------
 */

static void test_status(void **state)
{
	struct fixture *fx = *state;
	const char *out, *err;

	fx->channels = "[{\"name\":\"sms\",\"healthy\":true,\"leased\":true,"
		       "\"last_sent_at\":\"2026-11-26T03:08:00-05:00\"}]";
	assert_int_equal(run(fx, "status", &out, &err), 0);
	assert_string_equal(err, "");
	assert_memory_equal(out, "proaltod 1.2, node uno, started 3 days ago\nALL IS WELL\n\n", 54);
	assert_non_null(strstr(out, "\nDatabase            answers\n"));
	assert_non_null(strstr(out, "\nTo be served        0\n"));
	assert_non_null(strstr(out, "\n  sms               well; last sent 2 min ago\n"));
	assert_non_null(strstr(out, "\n  uno               alive, started never\n"));
	assert_int_equal(run(fx, "status --json", &out, &err), 0);
	assert_memory_equal(out, "{\"ok\":true,\"version\":\"1.2\",", 27);
}

/* What is wrong stands at the top, and each thing says why. */
static void test_status_in_trouble(void **state)
{
	struct fixture *fx = *state;
	const char *out, *err;

	fx->is_store_away = true;
	fx->channels =
		"[{\"name\":\"whatsapp\",\"plugin\":\"channel-whatsapp\",\"healthy\":false,"
		"\"paused_ms\":29001,\"last_error\":{\"at\":\"2026-11-26T03:09:50-05:00\","
		"\"code\":190,\"reason\":\"x\"}},"
		"{\"name\":\"sms\",\"healthy\":true,\"disabled\":true,\"last_error\":{\"at\":"
		"\"2026-11-26T03:09:50-05:00\",\"code\":0,\"reason\":\"no credit\"}}]";
	assert_int_equal(run(fx, "status", &out, &err), 0);
	assert_non_null(strstr(out,
			       "\nTROUBLE: the database is out of use: messages are turned away "
			       "with 503; the core system does not answer; messages wait for "
			       "a turn; messages set aside: 2; channel whatsapp fails; channel "
			       "sms is disabled\n"));
	assert_non_null(strstr(out, "OUT OF USE: gone\n"));
	assert_non_null(strstr(out, "To be served        7, for 2 h 5 min\n"));
	assert_non_null(strstr(out, "PAUSED: tried again in 30 s; last sent never\n"));
	assert_non_null(strstr(out, "last error 10 s ago: 190: the access token expired or is not "
				    "valid\n"));
	assert_non_null(strstr(out, "last error 10 s ago: no credit\n"));
	setenv("LC_ALL", "es_CO.UTF-8", 1);
	assert_int_equal(run(fx, "status", &out, &err), 0);
	setenv("LC_ALL", "C", 1);
	assert_non_null(strstr(out, "190: el token de acceso venció o no es válido\n"));
}

static void test_reload(void **state)
{
	struct fixture *fx = *state;

	fx->channels = "[]"; /* root's hint asks for the status, too */
	expect(fx, "reload", 0, "proalto.conf:3: wrong\nthe configuration was read again\n", "");
	fx->refuses_reload = true;
	expect(fx, "reload", 1, "",
	       "proalto.conf:3: wrong\nproaltoctl: reload: the old configuration stays in force\n");
}

static void test_log_level(void **state)
{
	struct fixture *fx = *state;

	expect(fx, "log-level debug", 0, "", "");
	assert_int_equal(fx->level, 7);
	expect(fx, "log-level error", 0, "", "");
	assert_int_equal(fx->level, 3);
}

static void test_clock(void **state)
{
	struct fixture *fx = *state;

	expect(fx, "clock advance 16m", 0, "ok: true\n", "");
	assert_int_equal(fx->seconds, 960);
	expect(fx, "clock advance '2 d'", 0, "ok: true\n", "");
	assert_int_equal(fx->seconds, 172800);
	expect(fx, "clock advance 1h", 1, "", "proaltoctl: clock: not beside this core\n");
}

static void test_conversation_resume(void **state)
{
	struct fixture *fx = *state;

	expect(fx, "conversation resume 2026-000001 --reason '" RESUME_REASON "'", 0, "", "");
	assert_true(fx->heard_reason);
	expect(fx, "conversation resume 5 --reason x", 1, "",
	       "proaltoctl: conversation: there is no such conversation or case\n");
}

static void test_wrong_arguments(void **state)
{
	static const char *const wrong[] = {
		"",
		"nothing",
		"status x",
		"log-level",
		"log-level loud",
		"clock",
		"clock advance",
		"clock advance x",
		"clock back 1",
		"inbox",
		"hosts x",
		"inbox --all",
		"db",
		"db drop",
		"db status --dsn",
		"clock advance 99999999999999999999",
		"inbox --json --limit x --reason y",
		"inbox --json",
		"inbox --reason x",
		"queues x",
		"looks --limit",
		"outbox",
		"outbox lose 5",
		"outbox retry 5",
		"outbox settle 5 --reason x",
		"set-aside retry --reason x",
		"set-aside drop five --reason x",
		"channel pause --reason x",
		"channel stop sms --reason x",
		"conversation show --reason x",
		"conversation show 5",
		"conversation show 5 --phone - --reason x",
		"conversation show --phone 573001112233 --reason x",
		"conversation resume 5",
		"conversation resume 5 --reason ' '",
		"conversation stop 5 --reason x",
	};
	const char *out, *err;

	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		assert_int_equal(run(*state, wrong[i], &out, &err), 2);
		assert_string_equal(out, "");
		assert_memory_equal(err, "Usage:", 6);
	}
}

static void test_help(void **state)
{
	const char *out, *err;

	assert_int_equal(run(*state, "--help", &out, &err), 0);
	assert_non_null(strstr(out, "proaltoctl inbox --json"));
	assert_int_equal(run(*state, "clock --help", &out, &err), 0);
	assert_memory_equal(out, "  proaltoctl clock advance", 26);
}

/* Only where the socket is counts: neither a secret that is out of reach nor a mistake sends the
 * command to another daemon, and a file that says nothing sends it nowhere. */
static void test_finds_its_daemon(void **state)
{
	struct fixture *fx = *state;
	const char *out, *err;
	FILE *file;

	unsetenv("TEST_CTL_KEY");
	fx->channels = "[]";
	assert_int_equal(run(fx, "status", &out, &err), 0);
	file = fopen(fx->config, "ae");
	assert_true(fputs("nonsense = 1;\n", file) > 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(run(fx, "status", &out, &err), 0);
	file = fopen(fx->config, "ae");
	assert_true(fputs("}", file) > 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(run(fx, "status", &out, &err), 1);
	assert_non_null(strstr(err, "says where the service answers"));
	setenv("TEST_CTL_KEY", KEY_HEX, 1);
	write_config(fx);
}

static void test_no_daemon(void **state)
{
	struct fixture *fx = *state;
	const char *out, *err;

	assert_int_equal(unlink(arena_format(fx->arena, "%s/socket", fx->dir).ptr), 0);
	assert_int_equal(run(fx, "status", &out, &err), 3);
	assert_non_null(strstr(err, "the service does not answer"));
}

/* ---- the store ----------------------------------------------------------------------------------
 */

static void make_database(void)
{
	execute("dbname=test", "DROP DATABASE IF EXISTS " DATABASE);
	execute("dbname=test", "CREATE DATABASE " DATABASE " OWNER proalto_owner");
}

static void make_roles(struct fixture *fx)
{
	execute("dbname=test", read_file(fx, "sql/roles.sql"));
	/* As everywhere: root migrates as him. */
	execute("dbname=test", "DROP ROLE IF EXISTS postgres");
	execute("dbname=test", "CREATE ROLE postgres SUPERUSER LOGIN");
}

static void test_migrate(void **state)
{
	struct fixture *fx = *state;
	const char *out, *err;

	make_roles(fx);
	make_database();
	assert_int_equal(run(fx, "db status --directory sql/migrations", &out, &err), 1);
	assert_non_null(strstr(out, "0001_store               pending  -\n"));
	assert_int_equal(run(fx, "db migrate --directory sql/migrations", &out, &err), 0);
	assert_non_null(strstr(out, "0001_store               new      20"));
	assert_int_equal(run(fx, "db status --directory sql/migrations", &out, &err), 0);
	assert_non_null(strstr(out, "0001_store               applied  20"));
	assert_int_equal(run(fx, "db status --dsn 'dbname=no-such-database'", &out, &err), 1);
	assert_non_null(strstr(err, "proaltoctl: db: "));
}

static void write_migrations(const struct fixture *fx, const char *directory)
{
	FILE *file;

	assert_int_equal(mkdir(directory, 0700), 0);
	file = fopen(arena_format(fx->arena, "%s/0001_slow.sql", directory).ptr, "we");
	assert_non_null(file);
	assert_true(fputs("SELECT pg_sleep(1); CREATE TABLE slow (i int);", file) > 0);
	assert_int_equal(fclose(file), 0);
}

/* The second waits for the first, then finds nothing to do. */
static void test_two_migrate(void **state)
{
	struct fixture *fx = *state;
	const char *directory = arena_format(fx->arena, "%s/migrations", fx->dir).ptr;
	const char *others = arena_format(fx->arena, "%s/others", fx->dir).ptr;
	const char *out, *err, *said;
	pid_t other;
	int status;

	make_roles(fx);
	make_database();
	write_migrations(fx, directory);
	other = fork();
	if (other == 0) {
		if (!freopen(others, "w", stdout))
			_exit(127);
		execl(fx->program, fx->program, "--config", fx->config, "db", "migrate",
		      "--directory", directory, (char *)NULL);
		_exit(127);
	}
	assert_true(other > 0);
	status = run(fx, arena_format(fx->arena, "db migrate --directory %s", directory).ptr, &out,
		     &err);
	assert_string_equal(err, "");
	assert_int_equal(status, 0);
	assert_int_equal(waitpid(other, &status, 0), other);
	assert_int_equal(status, 0);
	said = read_file(fx, others);
	assert_int_not_equal(strstr(out, " new ") != NULL, strstr(said, " new ") != NULL);
	assert_int_not_equal(strstr(out, " applied ") != NULL, strstr(said, " applied ") != NULL);
}

/* One item as intake stores it. */
struct stored {
	const struct contact *contact; /* NULL: about nobody */
	const pa_event *event;         /* NULL: not understood */
	int64_t id;
	pa_str body;
};

static const char *hex(struct fixture *fx, pa_str bytes)
{
	if (str_is_absent(bytes))
		return "NULL";
	return arena_format(fx->arena, "'\\x%.*s'", PA_FMT(hex_encode(fx->arena, bytes))).ptr;
}

static void insert(struct fixture *fx, const struct stored *item)
{
	struct buf packed PA_CLEANUP(buf_done) = BUF_INIT(1 << 16);
	struct key house = house_key();
	const struct key *key = item->contact ? &item->contact->key : &house;
	pa_str payload = PA_STR_ABSENT;
	int64_t conversation = item->contact ? item->contact->id * 256 + 1 : 0;

	if (item->event) {
		event_pack(&packed, item->event);
		payload = seal_arena(fx->arena, key, PA_STR("inbox"), buf_str(&packed));
	}
	execute("dbname=" DATABASE,
		arena_format(fx->arena,
			     "INSERT INTO proalto.inbox (id, at, channel, conversation_id, kind, "
			     "payload, body) VALUES (%jd, to_timestamp(1790000000), 1, "
			     "nullif(%jd, 0), %u, %s, %s)",
			     (intmax_t)item->id, (intmax_t)conversation,
			     item->event ? item->event->kind : PA_EVENT_UNKNOWN, hex(fx, payload),
			     hex(fx, seal_arena(fx->arena, key, PA_STR("body"), item->body)))
			.ptr);
}

static struct contact *make_contact(struct fixture *fx)
{
	struct key key, house = house_key();
	struct keyring *ring = keyring_new((pa_str){(const char *)house.bytes, KEY_BYTES});
	struct contact *contact;

	key_random(&key);
	contact = contact_new(77, &key, PA_STR("573001112233"), PA_STR_ABSENT);
	execute("dbname=" DATABASE,
		arena_format(fx->arena,
			     "INSERT INTO proalto.contact (id, created_at, sealed_key, who) "
			     "VALUES (77, now(), %s, %s)",
			     hex(fx, contact_seal_key(contact, keyring_in_force(ring), fx->arena)),
			     hex(fx, contact_seal_who(contact, fx->arena)))
			.ptr);
	keyring_free(ring);
	return contact;
}

static const pa_event text_event = {
	.size = sizeof(pa_event),
	.kind = PA_EVENT_MESSAGE,
	.message_kind = PA_IN_TEXT,
	.flags = PA_EVENT_FORWARDED,
	.at_ns = 5,
	.id = {"wamid.1", 7},
	.phone = {"573001112233", 12},
	.text = {"hola \"\0ñ", 9},
};

static const pa_event status_event = {
	.size = sizeof(pa_event),
	.kind = PA_EVENT_STATUS,
	.status = PA_STATUS_FAILED,
	.id = {"wamid.2", 7},
	.user_id = {"CO.9", 4},
	.error_code = 131026,
	.error_title = {"Undeliverable", 13},
};

static void test_inbox(void **state)
{
	struct fixture *fx = *state;
	struct contact *contact;
	const char *out, *complaint;

	make_roles(fx);
	make_database();
	assert_int_equal(run(fx, "db migrate --directory sql/migrations", &out, &complaint), 0);
	execute("dbname=" DATABASE, "INSERT INTO proalto.channel VALUES (1, 'whatsapp', NULL)");
	ids_feed(1);
	contact = make_contact(fx);
	insert(fx, &(struct stored){contact, &text_event, 101, PA_STR("{\"raw\":1}")});
	insert(fx, &(struct stored){NULL, &status_event, 102, PA_STR("x")});
	insert(fx, &(struct stored){NULL, NULL, 103, PA_STR("not json")});
	contact_unref(contact);
	expect(fx, "inbox --json --limit 2 --reason motivo", 0,
	       "{\"inbox\":101,\"at\":\"2026-09-21T09:13:20-05:00\",\"channel\":\"whatsapp\","
	       "\"event\":\"message\",\"kind\":\"text\",\"message_id\":\"wamid.1\","
	       "\"phone\":\"573001112233\",\"user_id\":null,\"account\":null,\"type\":null,"
	       "\"text\":\"hola \\\"\\u0000ñ\",\"reply_id\":null,\"media_id\":null,"
	       "\"media_type\":null,\"media_name\":null,\"context_id\":null,\"detail\":null,"
	       "\"provider_at_ns\":5,\"flags\":[\"forwarded\"]}\n"
	       "{\"inbox\":102,\"at\":\"2026-09-21T09:13:20-05:00\",\"channel\":\"whatsapp\","
	       "\"event\":\"status\",\"status\":\"failed\",\"message_id\":\"wamid.2\","
	       "\"phone\":null,\"user_id\":\"CO.9\",\"account\":null,\"type\":null,\"ref\":null,"
	       "\"error_title\":\"Undeliverable\",\"error_detail\":null,\"detail\":null,"
	       "\"error_code\":131026,\"provider_at_ns\":0,\"flags\":[]}\n",
	       "");
	assert_int_equal(
		run(fx, "inbox --json --after 102 --body --reason motivo", &out, &complaint), 0);
	assert_non_null(strstr(out, "\"event\":\"unknown\""));
	assert_non_null(strstr(out, "\"body\":\"not json\""));
	assert_int_equal(run(fx, "inbox --json --limit 1 --body --reason motivo", &out, &complaint),
			 0);
	assert_non_null(strstr(out, "\"body\":\"{\\\"raw\\\":1}\""));
	/* Once the person's key is erased, nobody reads it. */
	execute("dbname=" DATABASE, "UPDATE proalto.contact SET sealed_key = NULL");
	assert_int_equal(run(fx, "inbox --json --limit 1 --reason motivo", &out, &complaint), 0);
	assert_non_null(strstr(out, "\"unreadable\":true"));
	assert_null(strstr(out, "573001112233"));
	/* Each look is written down first, with who and why; the database keeps it from being read
	 * where it can't be. */
	assert_int_equal(run(fx, "looks --json", &out, &complaint), 0);
	assert_non_null(
		strstr(out, "\"action\":\"inbox\",\"object\":\"1 after 0\",\"reason\":\"motivo\""));
	execute("dbname=" DATABASE, "REVOKE INSERT ON proalto.operator_act FROM proalto");
	assert_int_equal(run(fx, "inbox --json --reason motivo", &out, &complaint), 1);
	assert_string_equal(out, "");
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		TEST(test_status),
		TEST(test_status_in_trouble),
		TEST(test_reload),
		TEST(test_log_level),
		TEST(test_conversation_resume),
		TEST(test_clock),
		TEST(test_wrong_arguments),
		TEST(test_help),
		TEST(test_finds_its_daemon),
		TEST(test_no_daemon),
		TEST(test_migrate),
		TEST(test_two_migrate),
		TEST(test_inbox),
	};

	(void)argc;
	pg_require(argv);
	return cmocka_run_group_tests_name("ctl", tests, NULL, NULL);
}
