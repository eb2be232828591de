/* SPDX-License-Identifier: Apache-2.0 */
#include "support/config_rig.h"

/* ---- plugins, linked in -----------------------------------------------------------------------
 */

static const pa_channel_limits limits = {.size = sizeof(limits), .text = 160};

static pa_status open_nothing(const pa_host *host, pa_call *call, const pa_value *const *values,
			      void **ret_self, pa_error *err)
{
	(void)host;
	(void)call;
	(void)values;
	(void)err;
	*ret_self = NULL;
	return PA_OK;
}

static void close_nothing(void *self)
{
	(void)self;
}

static pa_status run_nothing(void *self, pa_call *call, const pa_session_host *session_host,
			     pa_session *session, pa_error *err)
{
	(void)self;
	(void)call;
	(void)session_host;
	(void)session;
	(void)err;
	return PA_OK;
}

#define CHANNEL_OPS(carries, can)                                                                  \
	{                                                                                          \
		.size = sizeof(pa_channel_ops), .shape = PA_SHAPE_SESSION, .media = (carries),     \
		.features = (can), .limits = &limits, .run = run_nothing                           \
	}

static const pa_channel_ops plain_ops = CHANNEL_OPS(PA_MEDIUM_SMS, 0);
static const pa_channel_ops chat_ops = CHANNEL_OPS(PA_MEDIUM_CHAT, 0);
static const pa_channel_ops demo_ops = CHANNEL_OPS(PA_MEDIUM_CHAT | PA_MEDIUM_SMS, PA_FEATURE_DEMO);

#define OPTION(key, kind, must)                                                                    \
	&(const pa_option)                                                                         \
	{                                                                                          \
		.size = sizeof(pa_option), .type = (kind), .flags = (must), .name = (key),         \
		.help = "Help."                                                                    \
	}

static const pa_option *const rich_options[] = {
	OPTION("url", PA_OPT_URL, PA_OPT_REQUIRED), OPTION("token", PA_OPT_SECRET, 0),
	OPTION("parts", PA_OPT_NUMBER, 0),          OPTION("flash", PA_OPT_BOOL, 0),
	OPTION("pause", PA_OPT_DURATION, 0),        OPTION("headers", PA_OPT_MAP, 0),
	OPTION("sender", PA_OPT_TEXT, 0),           OPTION("account", PA_OPT_TEXT, 0),
};

#define PLUGIN(ident, title, sort, table, table_count, operations)                                 \
	static const pa_plugin ident = {                                                           \
		.size = sizeof(pa_plugin),                                                         \
		.abi_major = PA_ABI_MAJOR,                                                         \
		.abi_minor = PA_ABI_MINOR,                                                         \
		.kind = (sort),                                                                    \
		.name = (title),                                                                   \
		.version = "1",                                                                    \
		.summary = "For tests.",                                                           \
		.options = (table),                                                                \
		.options_count = (table_count),                                                    \
		.open = open_nothing,                                                              \
		.close = close_nothing,                                                            \
		.ops = (operations),                                                               \
	}

PLUGIN(plain, "channel-plain", PA_KIND_CHANNEL, NULL, 0, &plain_ops);
PLUGIN(chat, "channel-chat", PA_KIND_CHANNEL, NULL, 0, &chat_ops);
PLUGIN(demo, "channel-demo", PA_KIND_CHANNEL, NULL, 0, &demo_ops);
PLUGIN(rich, "channel-rich", PA_KIND_CHANNEL, rich_options, ARRAY_COUNT(rich_options), &plain_ops);

extern const pa_plugin *const host_static_plugins[];
const pa_plugin *const host_static_plugins[] = {&plain, &chat, &demo, &rich, NULL};

/* ---- tests ------------------------------------------------------------------------------------
 */

static void test_defaults(void **state)
{
	const struct config *config = load_ok(*state, NULL, GOOD);
	char host[256];

	assert_string_equal(config->listen_address, "127.0.0.1");
	assert_int_equal(config->listen_port, 8080);
	assert_int_equal(config->listen_max_body, 4 << 20);
	assert_int_equal(config->listen_timeout_ms, 15000);
	assert_int_equal(config->workers, 16);
	assert_int_equal(config->master_key.len, KEY_BYTES);
	assert_int_equal(config->master_key.ptr[31], 0x1f);
	assert_int_equal(config->lookup, LOOKUP_LAST4);
	assert_int_equal(config->regulation, REGULATION_NO_VIGILADA);
	assert_int_equal(config->code_ttl_ms, 300000);
	assert_int_equal(config->code_tries, 3);
	assert_int_equal(config->lock_ms, 1800000);
	assert_int_equal(config->session_idle_ms, 900000);
	assert_int_equal(config->session_max_ms, 3600000);
	assert_int_equal(config->stranger_codes_per_hour, 3);
	assert_int_equal(config->log_level, 6);
	assert_null(config->ca_file);
	assert_null(config->proxy);
	assert_null(config->language.plugin);
	assert_false(config->demo);
	assert_int_equal(gethostname(host, sizeof(host)), 0);
	assert_string_equal(config->node, host);
	assert_int_equal(config->channels_count, 1);
	assert_string_equal(config->channels[0].name, "sms");
	assert_string_equal(config->channels[0].account, "");
	assert_true(config->channels[0].rate == 80.0);
	assert_int_equal(config->channels[0].recipient_pause_ms, 6000);
	assert_int_equal(config->backends_count, 1);
	assert_int_equal(config->backends[0].max_calls, 4);
	assert_int_equal(config->backends[0].deadline_ms, 5000);
}

static void test_values(void **state)
{
	const struct config *config = load_ok(
		*state, NULL,
		STORE HOUSE IDENTITY BACKENDS
		"listen = { port = 0; max_body = \"512 KiB\"; timeout = \"1 min\"; };\n"
		"log = { level = \"debug\"; };\n"
		"demo = true;\n"
		"channels = { sms = { plugin = \"channel-plain\"; rate = 5; account = \"12\";\n"
		" give_up_after = \"72 h\"; recipient_pause = \"0 s\"; optional = true; };\n"
		" whatsapp-2 = { plugin = \"x\"; rate = 0.5; }; };\n");

	assert_int_equal(config->listen_port, 0);
	assert_int_equal(config->listen_max_body, 512 << 10);
	assert_int_equal(config->listen_timeout_ms, 60000);
	assert_int_equal(config->log_level, 7);
	assert_true(config->demo);
	assert_int_equal(config->channels_count, 2);
	assert_true(config->channels[0].rate == 5.0);
	assert_true(config->channels[0].is_optional);
	assert_string_equal(config->channels[0].account, "12");
	assert_int_equal(config->channels[0].give_up_after_ms, 259200000);
	assert_int_equal(config->channels[0].recipient_pause_ms, 0);
	assert_true(config->channels[1].rate == 0.5);
}

static void test_all_errors_at_once(void **state)
{
	load_wrong(*state, NULL,
		   "listen = { port = 65536; adress = \"::1\"; max_body = \"4 megas\";\n"
		   " timeout = 10; };\n"
		   "store = 3;\n"
		   "hause = { };\n" HOUSE
		   "identity = { code_ttl = \"5\"; lookup = \"none\"; session_max = \"2 h\"; };\n"
		   "demo = \"yes\";\n"
		   "plugins = { directory = \"plugins\"; };\n" CHANNELS BACKENDS,
		   "1: there is no key \"listen.adress\"; did you mean \"listen.address\"?\n"
		   "3: \"store\" must be a group { ... }, not a whole number\n"
		   "4: there is no key \"hause\"\n"
		   "1: \"listen.port\" must be between 0 and 65535\n"
		   "1: \"listen.max_body\" must be a size: \"512 KiB\", \"4 MiB\"\n"
		   "2: \"listen.timeout\" must be a duration in quotes (\"5 min\"), not a whole "
		   "number\n"
		   "3: the key \"store.master_key\" is missing\n"
		   "7: \"identity.lookup\" must be one of: \"full\", \"last4\", \"link\"\n"
		   "7: the key \"identity.code_channel\" is missing\n"
		   "7: \"identity.code_ttl\" must be a duration: \"500 ms\", \"2 s\", \"5 min\", "
		   "\"1 h\"\n"
		   "7: \"identity.session_max\" must be between 1 min and 1 h\n"
		   "9: \"plugins.directory\" must be a whole path, beginning with /\n"
		   "8: \"demo\" must be true or false, not a text in quotes\n"
		   "7: \"identity.session_idle\" may not be above \"identity.session_max\"\n");
}

static void test_door(void **state)
{
	struct fixture *fx = *state;
	const struct config *config =
		load_ok(fx, NULL, GOOD "listen = { trusted_proxies = \"10.0.0.0/8, ::1\"; };\n");

	assert_string_equal(config->trusted_proxies, "10.0.0.0/8, ::1");
	assert_int_equal(config->listen_bad_requests, 60);
	load_wrong(fx, NULL,
		   GOOD "listen = { trusted_proxies = \"10.0.0.0/40\";\n"
			" certificate = \"/cert.pem\"; };\n",
		   "7: \"listen.trusted_proxies\" is no good: '10.0.0.0/40' is no address or "
		   "network\n"
		   "8: \"listen.certificate\" and \"listen.key\" go together\n");
}

static void test_outbound(void **state)
{
	struct fixture *fx = *state;
	const struct config *config;

	setenv("TEST_LOGIN", "user:word\n", 1);
	config = load_ok(fx, NULL,
			 GOOD "outbound = { proxy = \"socks5h://proxy.example:1080\";\n"
			      " proxy_login = \"env:TEST_LOGIN\"; ca_file = \"/ca.pem\";\n"
			      " system_authorities = false; };\n");
	assert_string_equal(config->proxy, "socks5h://proxy.example:1080");
	assert_string_equal(config->proxy_login, "user:word");
	assert_false(config->system_authorities);
	unsetenv("TEST_LOGIN");
	load_wrong(
		fx, NULL,
		GOOD "outbound = { proxy = \"http://proxy.example\";\n"
		     " proxy_login = \"user:word\";\n system_authorities = false; };\n",
		"7: \"outbound.proxy\" is no good: the port is missing\n"
		"8: \"outbound.proxy_login\" is a secret and is not written here; say where it is: "
		"\"credential:NAME\", \"file:/PATH\" or \"env:NAME\"\n"
		"9: \"outbound.system_authorities\" = false leaves no authorities: give "
		"\"outbound.ca_file\"\n");
}

static void test_syntax(void **state)
{
	load_wrong(*state, NULL, GOOD "listen = {\n port = ;\n};\n", "8: syntax error\n");
}

static void test_spanish(void **state)
{
	struct fixture *fx = *state;

	unsetenv("LC_ALL");
	unsetenv("LC_MESSAGES");
	unsetenv("LANG");
	assert_true(words_are_spanish());
	load_wrong(fx, NULL, GOOD "demo = 1;\n",
		   "7: \"demo\" debe ser true o false, no un número entero\n");
	setenv("LANG", "en_US.UTF-8", 1);
	assert_false(words_are_spanish());
	setenv("LC_MESSAGES", "es_CO.UTF-8", 1);
	assert_true(words_are_spanish());
}

/* Every sentence exists in both languages and has the same arguments in both. */
static void test_words(void **state)
{
	struct fixture *fx = *state;

	for (int i = 0; i < WORDS_COUNT; i++) {
		const char *said[2];

		for (int lang = 0; lang < 2; lang++) {
			setenv("LC_ALL", lang ? "en_US.UTF-8" : "es_CO.UTF-8", 1);
			said[lang] = words_say(fx->arena, (enum words)i, "<1>", "<2>", "<3>");
			assert_true(strlen(said[lang]) > 3);
			assert_null(strchr(said[lang], '}') ? strstr(said[lang], "{1}") : NULL);
		}
		for (int n = 1; n <= 3; n++) {
			const char *mark = arena_format(fx->arena, "<%d>", n).ptr;

			assert_int_equal(strstr(said[0], mark) != NULL,
					 strstr(said[1], mark) != NULL);
		}
	}
}

/* ---- plugins ---- */

#define RICH(options)                                                                              \
	STORE HOUSE IDENTITY "channels = { sms = { plugin = \"channel-rich\";\n" options "}; };\n"

static const struct host_setting *setting(const struct config *config, const char *name)
{
	static const struct host_setting none = {.name = NULL};
	const struct config_channel *channel = &config->channels[0];

	for (size_t i = 0; i < channel->settings_count; i++)
		if (strcmp(channel->settings[i].name, name) == 0)
			return &channel->settings[i];
	return &none;
}

static void test_plugin_options(void **state)
{
	struct fixture *fx = *state;
	const struct config *config =
		load_ok(fx, fx->host,
			RICH("url = \"https://sms.example/x\"; token = \"credential:key\";\n"
			     "parts = 3; flash = true; pause = \"2 s\"; account = \"99\";\n"
			     "headers = { X-One = \"1\"; Two = \"2\"; };\n"));

	assert_int_equal(config->channels[0].settings_count, 7);
	assert_string_equal(setting(config, "url")->value.text.ptr, "https://sms.example/x");
	assert_string_equal(setting(config, "token")->value.text.ptr, KEY_TEXT_64);
	assert_int_equal(setting(config, "parts")->value.number, 3);
	assert_int_equal(setting(config, "flash")->value.number, 1);
	assert_int_equal(setting(config, "pause")->value.number, 2000);
	assert_int_equal(setting(config, "headers")->value.pairs_count, 2);
	assert_true(str_equal(setting(config, "headers")->value.pairs[0]->name, PA_STR("X-One")));
	assert_true(str_equal(setting(config, "headers")->value.pairs[1]->value, PA_STR("2")));
	config = load_ok(
		fx, fx->host,
		RICH("url = \"https://sms.example/x\"; token = \"credential:key\"; account = "
		     "\"99\"; headers = ((\"http:503\", \"retry\"), (\"12\", \"x\"));\n"));
	assert_int_equal(setting(config, "headers")->value.pairs_count, 2);
	assert_true(
		str_equal(setting(config, "headers")->value.pairs[0]->name, PA_STR("http:503")));
	assert_true(str_equal(setting(config, "headers")->value.pairs[1]->value, PA_STR("x")));
	/* The core knows "account" too. */
	assert_string_equal(setting(config, "account")->value.text.ptr, "99");
	assert_string_equal(config->channels[0].account, "99");
	assert_null(setting(config, "plugin")->name);
	assert_true(str_ends(str_from(setting(config, "token")->where), PA_STR("t.conf:6")));
}

static void test_plugin_options_wrong(void **state)
{
	struct fixture *fx = *state;

	load_wrong(fx, fx->host,
		   RICH("tokn = \"x\"; token = \"open\";\n"
			"parts = \"3\"; flash = 1; pause = \"soon\";\n"
			"headers = { X = 1; }; sender = \"password=x\";\n"),
		   "6: there is no key \"tokn\"; did you mean \"token\"?\n"
		   "6: \"token\" is a secret and is not written here; say where it is: "
		   "\"credential:NAME\", \"file:/PATH\" or \"env:NAME\"\n"
		   "7: \"parts\" must be a whole number, not a text in quotes\n"
		   "7: \"flash\" must be true or false, not a whole number\n"
		   "7: \"pause\" must be a duration: \"500 ms\", \"2 s\", \"5 min\", \"1 h\"\n"
		   "8: \"X\" must be a text in quotes, not a whole number\n"
		   "8: \"sender\" holds a password; put it into a file (passfile=/PATH), or the "
		   "whole string into \"credential:NAME\" if the key allows it\n"
		   "5: the key \"url\" is missing\n"
		   "(warning) 1: there is no core system: \"backends\" is empty, nobody can be "
		   "identified\n");
}

static void test_plugin_map_wrong(void **state)
{
	static const char *const maps[] = {"(\"a\")", "((\"a\", \"b\", \"c\"))", "((\"a\", 1))",
					   "((1, \"a\"))", "(1)"};
	struct fixture *fx = *state;

	for (size_t i = 0; i < ARRAY_COUNT(maps); i++) {
		char text[2048];

		snprintf(text, sizeof(text),
			 RICH("url = \"https://sms.example/x\"; headers = %s;\n"), maps[i]);
		load_wrong(fx, fx->host, text,
			   "6: \"headers\" must be a group of names and texts, or a list of pairs "
			   "((\"name\", \"text\"), ...), not a list\n"
			   "(warning) 1: there is no core system: \"backends\" is empty, nobody "
			   "can be "
			   "identified\n");
	}
}

static void test_plugin_url(void **state)
{
	struct fixture *fx = *state;

	load_ok(fx, fx->host, RICH("url = \"http://127.0.0.1:9/x\";\n"));
	assert_int_equal(load_with(fx, fx->host, RICH("url = \"http://sms.example/x\";\n")),
			 PA_REJECTED);
	assert_non_null(strstr(fx->problems.list[0].what, "\"url\" is not an allowed address"));
}

static void test_unchecked_without_host(void **state)
{
	struct fixture *fx = *state;
	const struct config *config = load_ok(
		fx, NULL, RICH("anything = \"x\"; token = \"open\"; many = { a = \"b\"; };\n"));

	assert_string_equal(setting(config, "anything")->value.text.ptr, "x");
	assert_int_equal(setting(config, "many")->value.pairs_count, 1);
	load_wrong(fx, NULL, RICH("rate = \"fast\";\n"),
		   "6: \"rate\" must be a number, not a text in quotes\n"
		   "(warning) 1: there is no core system: \"backends\" is empty, nobody can be "
		   "identified\n");
}

#define ONLY(channels) STORE HOUSE IDENTITY "channels = { " channels " };\n"
#define NO_CORE                                                                                    \
	"(warning) 1: there is no core system: \"backends\" is empty, nobody can be identified\n"

static void test_plugin_missing(void **state)
{
	struct fixture *fx = *state;
	const struct config *config;

	assert_int_equal(load_with(fx, fx->host, ONLY("sms = { plugin = \"channel-none\"; };")),
			 PA_REJECTED);
	assert_non_null(strstr(fx->problems.list[0].what, "the plugin can't be used: "));
	config = load_ok(fx, fx->host,
			 ONLY("sms = { plugin = \"channel-plain\"; }; x = { optional = true; "
			      "plugin = \"channel-none\"; };"));
	assert_int_equal(config->channels_count, 1);
	assert_true(fx->problems.list[0].is_warning);
	assert_non_null(strstr(fx->problems.list[0].what, "going on without \"channel-none\""));
	load_wrong(
		fx, fx->host,
		ONLY("sms = { plugin = \"channel-plain\"; };") "language = { plugin = "
							       "\"channel-plain\"; };\n",
		"6: the plugin \"channel-plain\" is of another kind; this wants a nlp\n" NO_CORE);
}

/* ---- what concerns several keys ---- */

static void test_code_channel(void **state)
{
	struct fixture *fx = *state;

	load_wrong(fx, fx->host, ONLY("sms = { plugin = \"channel-chat\"; };"),
		   NO_CORE "4: identity.code_channel: the channel \"sms\" carries no SMS\n");
	load_wrong(fx, fx->host, ONLY("whatsapp = { plugin = \"channel-chat\"; };"),
		   NO_CORE "4: identity.code_channel: there is no channel \"sms\"\n");
	load_wrong(fx, fx->host, STORE HOUSE IDENTITY,
		   "1: there are no channels: \"channels\" is empty, nobody could write\n" NO_CORE
		   "4: identity.code_channel: there is no channel \"sms\"\n");
	assert_null(load_ok(fx, NULL,
			    STORE HOUSE "identity = { code_channel = \"\"; };\n" CHANNELS BACKENDS)
			    ->code_channel);
	expect_problems(fx, "(warning) 4: there is no channel for codes: identity.code_channel is "
			    "empty, nobody can be identified\n");
}

static void test_demo(void **state)
{
	struct fixture *fx = *state;

	load_ok(fx, fx->host, ONLY("sms = { plugin = \"channel-demo\"; };") "demo = true;\n");
	load_wrong(fx, fx->host, ONLY("sms = { plugin = \"channel-demo\"; };"),
		   NO_CORE "5: the channel \"sms\" is for demonstrations: it asks for demo = "
			   "true\n");
	load_wrong(fx, fx->host,
		   ONLY("sms = { plugin = \"channel-plain\"; }; w = { plugin = \"channel-demo\"; "
			"};") "demo = true;\n",
		   NO_CORE "5: the channel \"w\" is for demonstrations and can't stand beside a "
			   "real one (\"sms\")\n");
}

static void test_bulkheads(void **state)
{
	struct fixture *fx = *state;

	load_ok(fx, NULL,
		STORE HOUSE IDENTITY CHANNELS "work = { workers = 10; };\n"
					      "backends = { a = { plugin = \"b\"; max_calls = 5; "
					      "}; b = { plugin = \"b\"; }; };\n");
	load_wrong(fx, NULL,
		   STORE HOUSE IDENTITY CHANNELS "work = { workers = 9; };\n"
						 "backends = { a = { plugin = \"b\"; max_calls = "
						 "5; }; b = { plugin = \"b\"; }; };\n",
		   "7: the sum of the backends' max_calls (9) must be below work.workers (9): or "
		   "else a slow core stops everybody\n");
}

static void test_lookup(void **state)
{
	struct fixture *fx = *state;

	load_ok(fx, NULL,
		STORE HOUSE CHANNELS BACKENDS
		"identity = { code_channel = \"sms\"; lookup = \"full\"; };\n");
	expect_problems(fx, "(warning) 6: identity.lookup = \"full\" asks for the whole document "
			    "number in the chat, which goes against Meta's policy (WhatsApp "
			    "Business Messaging Policy); \"last4\" does not\n");
	load_wrong(fx, NULL,
		   STORE HOUSE CHANNELS BACKENDS
		   "identity = { code_channel = \"sms\"; lookup = \"link\"; };\n",
		   "6: identity.lookup = \"link\" needs the public page, which this version does "
		   "not have; use \"last4\" or \"full\"\n");
}

#define VIGILADA                                                                                   \
	"house = { name = \"P\"; nit = \"9\"; address = \"C\"; phone = \"6\"; email = \"a@b\";\n"  \
	" policy_url = \"https://b.example/p\"; regulation = \"vigilada\"; };\n"

static void test_supervised(void **state)
{
	struct fixture *fx = *state;

	assert_int_equal(
		load_ok(fx, NULL, STORE VIGILADA IDENTITY CHANNELS BACKENDS)->session_idle_ms,
		300000);
	load_wrong(fx, NULL,
		   STORE VIGILADA CHANNELS BACKENDS
		   "identity = { code_channel = \"sms\"; session_idle = \"6 min\"; };\n",
		   "6: \"identity.session_idle\" is 5 min at most while house.regulation is "
		   "\"vigilada\"\n");
}

static void test_names_and_accounts(void **state)
{
	struct fixture *fx = *state;

	load_wrong(fx, NULL,
		   STORE HOUSE IDENTITY BACKENDS
		   "channels = { sms = { plugin = \"a\"; account = \"1\"; };\n"
		   " Two = { plugin = \"a\"; };\n"
		   " b = { plugin = \"a\"; account = \"1\"; }; c = \"x\"; d = { }; };\n",
		   "7: \"Two\" is no good as a name: lower-case letters, digits and hyphens, a "
		   "letter first, 32 at most\n"
		   "8: \"c\" must be a group { ... }, not a text in quotes\n"
		   "8: the key \"plugin\" is missing\n"
		   "8: the channels \"sms\" and \"b\" use the same account\n");
}

static void test_problems_are_bounded(void **state)
{
	struct fixture *fx = *state;
	struct buf text PA_CLEANUP(buf_done) = BUF_INIT(1 << 20);

	buf_add(&text, PA_STR(GOOD));
	for (int i = 0; i < 5000; i++)
		buf_format(&text, "wrong%d = %d;\n", i, i);
	buf_add_byte(&text, 0);
	assert_int_equal(load_with(fx, fx->host, text.data), PA_REJECTED);
	assert_int_equal(fx->problems.count, CONFIG_PROBLEMS_MAX);
}

static void test_include(void **state)
{
	struct fixture *fx = *state;

	put_mode(fx, "house.conf", HOUSE, 0600);
	load_ok(fx, NULL, STORE "@include \"house.conf\"\n" IDENTITY CHANNELS BACKENDS);
}

static void test_restart_keys(void **state)
{
	struct fixture *fx = *state;
	struct config *old;
	const struct config *new;
	const char *names[8];

	load_ok(fx, NULL, GOOD);
	old = fx->config;
	fx->config = NULL;
	new = load_ok(fx, NULL, GOOD "log = { level = \"debug\"; };\n");
	assert_int_equal(config_restart_keys(old, new, names, ARRAY_COUNT(names)), 0);
	new = load_ok(fx, NULL,
		      STORE HOUSE IDENTITY BACKENDS
		      "demo = true; outbound = { proxy = \"http://10.0.0.1:3128\"; };\n"
		      "listen = { port = 1; };\n"
		      "channels = { sms = { plugin = \"channel-other\"; }; };\n");
	assert_int_equal(config_restart_keys(old, new, names, ARRAY_COUNT(names)), 4);
	assert_string_equal(names[0], "listen.port");
	assert_string_equal(names[1], "outbound.proxy");
	assert_string_equal(names[2], "demo");
	assert_string_equal(names[3], "channels");
	assert_int_equal(config_restart_keys(old, new, names, 2), 2);
	config_free(old);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		TEST(test_defaults),
		TEST(test_values),
		TEST(test_all_errors_at_once),
		TEST(test_door),
		TEST(test_outbound),
		TEST(test_syntax),
		TEST(test_spanish),
		TEST(test_words),
		TEST(test_plugin_options),
		TEST(test_plugin_options_wrong),
		TEST(test_plugin_map_wrong),
		TEST(test_plugin_url),
		TEST(test_unchecked_without_host),
		TEST(test_plugin_missing),
		TEST(test_code_channel),
		TEST(test_demo),
		TEST(test_bulkheads),
		TEST(test_lookup),
		TEST(test_supervised),
		TEST(test_names_and_accounts),
		TEST(test_problems_are_bounded),
		TEST(test_include),
		TEST(test_restart_keys),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
