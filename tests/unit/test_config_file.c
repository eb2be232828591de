/* SPDX-License-Identifier: Apache-2.0
 *
 * Where secrets come from, what the shipped file shows, and the command line.
 */
#include "config/command_line.h"
#include "support/config_rig.h"

/* ---- secrets ---- */

#define STORE_KEY(reference) "store = { master_key = \"" reference "\"; };\n"
#define REST HOUSE IDENTITY CHANNELS BACKENDS

static void test_secret_literal(void **state)
{
	load_wrong(*state, NULL, STORE_KEY(KEY_TEXT_64) REST,
		   "1: \"store.master_key\" is a secret and is not written here; say where it is: "
		   "\"credential:NAME\", \"file:/PATH\" or \"env:NAME\"\n");
	assert_null(strstr(((struct fixture *)*state)->problems.list[0].what, KEY_TEXT_64));
}

static void test_secret_env(void **state)
{
	static const char *const bad_keys[] = {
		"00ff",
		KEY_TEXT_64 KEY_TEXT_64,
		KEY_TEXT_64 "\n\n" KEY_TEXT_64,
		KEY_TEXT_64 "\n" KEY_TEXT_62,
		KEY_TEXT_64 "\n" KEY_TEXT_64 "\n" KEY_TEXT_64,
	};
	struct fixture *fx = *state;
	const struct config *config;

	setenv("PROALTO_TEST_KEY", " " KEY_TEXT_64 "\n", 1);
	config = load_ok(fx, NULL, STORE_KEY("env:PROALTO_TEST_KEY") REST);
	assert_int_equal(config->master_key.ptr[1], 1);
	setenv("PROALTO_TEST_KEY", "ff" KEY_TEXT_62 "\n" KEY_TEXT_64 "\n", 1);
	config = load_ok(fx, NULL, STORE_KEY("env:PROALTO_TEST_KEY") REST);
	assert_int_equal(config->master_key.len, 2 * KEY_BYTES);
	assert_int_equal(config->master_key.ptr[KEY_BYTES + 1], 1);
	for (size_t i = 0; i < ARRAY_COUNT(bad_keys); i++) {
		setenv("PROALTO_TEST_KEY", bad_keys[i], 1);
		load_wrong(fx, NULL, STORE_KEY("env:PROALTO_TEST_KEY") REST,
			   "1: the secret of \"store.master_key\" must be 64 hexadecimal digits "
			   "(openssl rand -hex 32), or two such lines while it is changed\n");
	}
	setenv("PROALTO_TEST_KEY", " \n", 1);
	load_wrong(fx, NULL, STORE_KEY("env:PROALTO_TEST_KEY") REST,
		   "1: the secret of \"store.master_key\" is empty\n");
	unsetenv("PROALTO_TEST_KEY");
	load_wrong(fx, NULL, STORE_KEY("env:PROALTO_TEST_KEY") REST,
		   "1: the secret of \"store.master_key\" is missing: there is no variable "
		   "PROALTO_TEST_KEY\n");
}

static const char *with_file(struct fixture *fx, const char *path)
{
	return arena_format(fx->arena, "store = { master_key = \"file:%s\"; };\n" REST, path).ptr;
}

static void test_secret_file(void **state)
{
	struct fixture *fx = *state;
	static const mode_t open_modes[] = {0640, 0604, 0620, 0601};
	const char *path = put_mode(fx, "secret", KEY_TEXT_64, 0600);

	load_ok(fx, NULL, with_file(fx, path));
	for (size_t i = 0; i < ARRAY_COUNT(open_modes); i++) {
		assert_int_equal(chmod(path, open_modes[i]), 0);
		load_wrong(fx, NULL, with_file(fx, path),
			   arena_format(fx->arena,
					"1: the secret of \"store.master_key\" can't be read: %s: "
					"a secret that others than its owner may read; chmod "
					"0600\n",
					path)
				   .ptr);
	}
	load_wrong(fx, NULL, with_file(fx, "secret"),
		   "1: \"store.master_key\": the secret's name is no good\n");
}

static void test_secret_of_another_owner(void **state)
{
	struct fixture *fx = *state;
	const char *path = put_mode(fx, "secret", KEY_TEXT_64, 0600);

	if (geteuid() != 0)
		skip(); /* only root can give a file away */
	assert_int_equal(chown(path, 65534, 65534), 0);
	load_wrong(fx, NULL, with_file(fx, path),
		   arena_format(fx->arena,
				"1: the secret of \"store.master_key\" can't be read: %s: a secret "
				"must belong to root or to the daemon's user\n",
				path)
			   .ptr);
}

static void test_secret_credential(void **state)
{
	struct fixture *fx = *state;

	load_wrong(fx, NULL, STORE_KEY("credential:none") REST,
		   arena_format(fx->arena,
				"1: the secret of \"store.master_key\" can't be read: %s/none: No "
				"such file or directory\n",
				fx->dir)
			   .ptr);
	load_wrong(fx, NULL, STORE_KEY("credential:../key") REST,
		   "1: \"store.master_key\": the secret's name is no good\n");
	unsetenv("CREDENTIALS_DIRECTORY");
	load_wrong(fx, NULL, STORE_KEY("credential:proalto-no-such") REST,
		   "1: the secret of \"store.master_key\" is missing: neither in "
		   "$CREDENTIALS_DIRECTORY (systemd, LoadCredential=) nor in "
		   "/etc/credstore/proalto-no-such nor in "
		   "/etc/credstore.encrypted/proalto-no-such\n");
}

static void test_password_in_text(void **state)
{
	static const char *const bad[] = {"dbname=x password=y", "password = y",
					  "postgresql://u:p@h/db"};
	static const char *const good[] = {"dbname=x user=y passfile=/z", "postgresql://u@h/db",
					   "postgresql://h:5432/db", "host=/run/password/x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_true(text_holds_password(str_from(bad[i])));
	for (size_t i = 0; i < ARRAY_COUNT(good); i++)
		assert_false(text_holds_password(str_from(good[i])));
}

static void test_database_by_reference(void **state)
{
	struct fixture *fx = *state;
	const struct config *config;

	put_mode(fx, "dsn", "dbname=x password=y\n", 0600);
	config = load_ok(fx, NULL,
			 "store = { master_key = \"credential:key\"; database = "
			 "\"credential:dsn\"; };\n" REST);
	assert_string_equal(config->database, "dbname=x password=y");
	load_wrong(
		fx, NULL,
		"store = { master_key = \"credential:key\"; database = \"password=y\"; };\n" REST,
		"1: \"store.database\" holds a password; put it into a file (passfile=/PATH), "
		"or the whole string into \"credential:NAME\" if the key allows it\n");
}

/* ---- the shipped file ---- */

/* The file with its commented settings ("#key = value;") made real. */
static char *uncomment(const char *path)
{
	FILE *file = fopen(path, "re");
	struct buf text PA_CLEANUP(buf_done) = BUF_INIT(1 << 20);
	char line[1024];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		char *hash = line + strspn(line, "\t");

		if (hash[0] == '#' && hash[1] >= 'a' && hash[1] <= 'z' && strstr(hash, " = "))
			*hash = ' ';
		buf_add(&text, str_from(line));
	}
	assert_int_equal(fclose(file), 0);
	buf_add_byte(&text, 0);
	return strdup(text.data);
}

static const struct conf_node *find_path(const struct conf_node *root, const char *path)
{
	const char *dot = strchr(path, '.');
	char group[64];

	if (!dot)
		return conf_find(root, path);
	snprintf(group, sizeof(group), "%.*s", (int)(dot - path), path);
	return conf_find(conf_find(root, group), dot + 1);
}

static bool same_value(const struct conf_node *a, const struct conf_node *b)
{
	return a->kind == b->kind && str_equal(a->text, b->text) && a->integer == b->integer &&
	       a->real == b->real && a->boolean == b->boolean;
}

/* Each key of the table stands in the group, and what has a default shows it. */
static void check_shown(struct fixture *fx, const struct conf_node *group,
			const struct config_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct config_key *key = &table->keys[i];
		const struct conf_node *node = find_path(group, key->path);
		const struct conf_node *root;
		pa_error err = ERROR_INIT;

		if (!node)
			fail_msg("%s is not shown in the shipped file", key->path);
		if (!key->fallback || strcmp(key->fallback, "\"\"") == 0)
			continue;
		assert_int_equal(conf_read_text(fx->arena,
						arena_format(fx->arena, "v = %s;", key->fallback),
						"fallback", &root, &err),
				 PA_OK);
		if (!same_value(node, root->children[0]))
			fail_msg("%s: the shipped file shows another default", key->path);
	}
}

static void test_shipped_file_shows_every_key(void **state)
{
	struct fixture *fx = *state;
	char *text = uncomment("etc/proalto.conf");
	const struct conf_node *root;
	pa_error err = ERROR_INIT;

	if (conf_read_text(fx->arena, str_from(text), "proalto.conf", &root, &err) != PA_OK)
		fail_msg("%s", error_text(&err));
	check_shown(fx, root, &config_core_keys);
	check_shown(fx, conf_find(conf_find(root, "channels"), "whatsapp"), &config_channel_keys);
	check_shown(fx, conf_find(conf_find(root, "backends"), "core"), &config_backend_keys);
	check_shown(fx, conf_find(root, "language"), &config_language_keys);
	free(text);
}

/* The reverse: nothing in it is unknown. */
static void test_shipped_file_loads(void **state)
{
	struct fixture *fx = *state;
	char *text = uncomment("etc/proalto.conf");

	put_mode(fx, "proalto.master-key", KEY_TEXT_64, 0600);
	load_ok(fx, NULL, text);
	assert_int_equal(fx->problems.count, 0);
	free(text);
}

/* A credential that the unit does not hand over is not there when the daemon starts. */
static void test_shipped_credentials_are_in_the_unit(void **state)
{
	static const char mark[] = "\"credential:proalto.";
	char *text = uncomment("etc/proalto.conf");
	char *unit = uncomment("systemd/proalto.service");
	size_t count = 0;

	(void)state;
	for (const char *at = strstr(text, mark); at; at = strstr(at, mark), count++) {
		char line[128];

		at += strlen("\"credential:");
		snprintf(line, sizeof(line), "Encrypted=%.*s\n", (int)strcspn(at, "\""), at);
		if (!strstr(unit, line))
			fail_msg("%.*s is not in the unit", (int)strcspn(at, "\""), at);
	}
	assert_true(count > 5);
	free(text);
	free(unit);
}

/* ---- the command line --------------------------------------------------------------------------
 */

static bool parse(struct command_line *line, const char *first, const char *second,
		  const char *third)
{
	char words[4][32] = {"proaltod", "", "", ""};
	char *argv[] = {words[0], words[1], words[2], words[3], NULL};
	const char *const given[] = {first, second, third};
	int argc = 1;

	while (argc <= 3 && given[argc - 1]) {
		snprintf(words[argc], sizeof(words[argc]), "%s", given[argc - 1]);
		argc++;
	}
	*line = (struct command_line){.action = COMMAND_RUN};
	return command_line_parse(argc, argv, line);
}

static void test_command_line(void **state)
{
	struct command_line line;

	(void)state;
	assert_true(parse(&line, NULL, NULL, NULL));
	assert_int_equal(line.action, COMMAND_RUN);
	assert_string_equal(line.config_path, "/etc/proalto.conf");
	assert_true(parse(&line, "--check", NULL, NULL));
	assert_int_equal(line.action, COMMAND_CHECK);
	assert_true(parse(&line, "--options", NULL, NULL));
	assert_int_equal(line.action, COMMAND_OPTIONS);
	assert_null(line.plugin);
	assert_true(parse(&line, "--options", "--config", "x"));
	assert_null(line.plugin);
	assert_true(parse(&line, "--version", NULL, NULL));
	assert_int_equal(line.action, COMMAND_VERSION);
	assert_true(parse(&line, "--help", NULL, NULL));
	assert_int_equal(line.action, COMMAND_HELP);
	assert_false(parse(&line, "--config", NULL, NULL));
	assert_false(parse(&line, "--config", "--check", NULL));
	assert_false(parse(&line, "--probe", NULL, NULL));
	assert_false(parse(&line, "--wrong", NULL, NULL));
	assert_false(parse(&line, "x", NULL, NULL));
}

/* ---- what differs from the defaults ---- */

/* "value|fallback", "-" for none; "" if the key is not among them. */
static const char *change_of(struct arena *arena, const struct config_change *list, size_t count,
			     const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].path, path) == 0)
			return arena_format(arena, "%s|%s", list[i].value ? list[i].value : "-",
					    list[i].fallback ? list[i].fallback : "-")
				.ptr;
	return "";
}

static void expect_change(struct fixture *fx, const char *file, const char *path,
			  const char *wanted)
{
	const struct config_change *list;
	pa_error err = ERROR_INIT;
	size_t count;

	assert_int_equal(config_changes(file, NULL, fx->arena, &list, &count, &err), PA_OK);
	assert_string_equal(change_of(fx->arena, list, count, path), wanted);
}

static void test_changes(void **state)
{
	static const char text[] =
		"listen = { port = 8080; address = \"0.0.0.0\"; };\n"
		"store = { master_key = \"" KEY_TEXT_64 "\"; };\n"
		"channels = { sms = { plugin = \"channel-plain\"; token = \"literal\";\n"
		" key = \"credential:sms\"; }; };\n";
	struct fixture *fx = *state;
	const char *path = put_mode(fx, "t.conf", text, 0600);

	expect_change(fx, path, "listen.port", ""); /* the default, written down */
	expect_change(fx, path, "listen.address", "\"0.0.0.0\"|\"127.0.0.1\"");
	expect_change(fx, path, "store.master_key", "-|-");
	expect_change(fx, path, "channels.sms.token", "-|-"); /* of an unknown plugin */
	expect_change(fx, path, "channels.sms.key", "\"credential:sms\"|-");
}

static void test_path_of(void **state)
{
	struct fixture *fx = *state;
	const char *path = put_mode(fx, "t.conf", "flows = { own_texts = \"/x\"; };\n", 0600);

	assert_string_equal(config_path_of(path, "flows.own_texts", fx->arena), "/x");
	assert_string_equal(config_path_of(path, "flows.directory", fx->arena),
			    "/usr/share/proalto/flows");
	assert_null(config_path_of("/nowhere", "flows.directory", fx->arena));
}

/* argv's own strings come back. */
static void test_command_line_values(void **state)
{
	char program[] = "proaltod", config[] = "--config", path[] = "/x.conf";
	char options[] = "--options", plugin[] = "nlp-x", probe[] = "--probe", file[] = "/p.so";
	char *with_options[] = {program, config, path, options, plugin, NULL};
	char *with_probe[] = {program, probe, file, NULL};
	struct command_line line;

	(void)state;
	assert_true(command_line_parse(5, with_options, &line));
	assert_ptr_equal(line.config_path, path);
	assert_ptr_equal(line.plugin, plugin);
	assert_true(command_line_parse(3, with_probe, &line));
	assert_int_equal(line.action, COMMAND_PROBE);
	assert_ptr_equal(line.file, file);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		TEST(test_secret_literal),
		TEST(test_secret_env),
		TEST(test_secret_file),
		TEST(test_secret_of_another_owner),
		TEST(test_secret_credential),
		TEST(test_password_in_text),
		TEST(test_database_by_reference),
		TEST(test_shipped_file_shows_every_key),
		TEST(test_shipped_file_loads),
		TEST(test_command_line),
		TEST(test_changes),
		TEST(test_path_of),
		TEST(test_command_line_values),
		TEST(test_shipped_credentials_are_in_the_unit),
	};

	return cmocka_run_group_tests_name("config_file", tests, NULL, NULL);
}
