/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/setup.h"

#include "base/calendar.h"
#include "base/err.h"
#include "base/str.h"
#include "config/sample.h"
#include "ctl/beside.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "io/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CREDENTIALS "/etc/credstore.encrypted"
#define DATABASE_SECRET "credential:proalto.database"

/* ---- words ---- */

void setup_say(const char *es, const char *en)
{
	printf("\n%s\n", ctl_say(es, en));
}

static void tell(const char *head, const char *words, const char *what)
{
	printf("  %s: %s%s%s\n", head, words, what ? " " : "", what ? what : "");
}

void setup_did(const char *es, const char *en, const char *what)
{
	tell(ctl_say("hecho", "done"), ctl_say(es, en), what);
}

void setup_kept(const char *es, const char *en, const char *what)
{
	tell(ctl_say("ya estaba", "already there"), ctl_say(es, en), what);
}

void setup_later(struct setup *setup, const char *text)
{
	struct setup_note **end = &setup->notes;

	while (*end)
		end = &(*end)->next;
	*end = ARENA_NEW(setup->arena, struct setup_note);
	(*end)->text = text;
	tell(ctl_say("pendiente", "left to do"), text, NULL);
}

static void tell_later(const struct setup *setup)
{
	if (setup->notes)
		setup_say("Queda pendiente:", "What remains:");
	for (const struct setup_note *note = setup->notes; note; note = note->next)
		printf("  - %s\n", note->text);
}

/* ---- arguments ---- */

/* Flags that are alone, and those that take a word. */
static bool *lone_flag(struct setup *setup, const char *flag, bool *ret_value)
{
	const struct {
		const char *name;
		bool *place;
		bool value;
	} flags[] = {
		{"non-interactive", &setup->is_interactive, false},
		{"replace", &setup->replaces, true},
		{"no-start", &setup->starts, false},
		{"database-ready", &setup->has_database, true},
		{"new-password", &setup->new_password, true},
	};

	for (size_t i = 0; i < ARRAY_COUNT(flags); i++) {
		if (strcmp(flags[i].name, flag) != 0)
			continue;
		*ret_value = flags[i].value;
		return flags[i].place;
	}
	return NULL;
}

static const char **word_flag(struct setup *setup, const char *flag)
{
	const struct {
		const char *name;
		const char **place;
	} flags[] = {
		{"superuser-dsn", &setup->superuser},
		{"credentials", &setup->credentials},
		{"recovery-file", &setup->recovery_file},
		{"recovery-code-file", &setup->recovery_code_file},
		{"recover", &setup->recover},
	};

	for (size_t i = 0; i < ARRAY_COUNT(flags); i++)
		if (strcmp(flags[i].name, flag) == 0)
			return flags[i].place;
	return NULL;
}

static int take_set(struct setup *setup, const char *argument)
{
	struct setup_set **end = &setup->sets;
	pa_str value = str_from(argument);
	pa_str path = str_split(&value, '=');

	if (str_is_absent(value))
		return ctl_usage(setup->ctl);
	while (*end)
		end = &(*end)->next;
	*end = ARENA_NEW(setup->arena, struct setup_set);
	(*end)->path = arena_copy(setup->arena, path).ptr;
	(*end)->value = value;
	return CTL_OK;
}

static int take_word(struct setup *setup, const char *flag, const char *value)
{
	const char **place = word_flag(setup, flag);

	if (strcmp(flag, "secret") == 0)
		return setup_take_secret(setup, value);
	if (strcmp(flag, "set") == 0)
		return take_set(setup, value);
	if (place)
		*place = value;
	return place || setup_take(setup, flag, value) ? CTL_OK : ctl_usage(setup->ctl);
}

static int parse(struct setup *setup, int argc, char *const *argv)
{
	for (int i = 0; i < argc; i++) {
		const char *flag = argv[i] + 2;
		bool value = false;
		bool *lone;
		int status;

		if (strncmp(argv[i], "--", 2) != 0)
			return ctl_usage(setup->ctl);
		lone = lone_flag(setup, flag, &value);
		if (lone) {
			*lone = value;
			continue;
		}
		if (++i == argc)
			return ctl_usage(setup->ctl);
		status = take_word(setup, flag, argv[i]);
		if (status != CTL_OK)
			return status;
	}
	return CTL_OK;
}

/* ---- the configuration ---- */

static int read_text(struct setup *setup, const char *path, pa_str *ret)
{
	pa_error err = ERROR_INIT;

	if (file_read(setup->arena, path, CONF_MAX_BYTES, ret, &err) != PA_OK)
		return ctl_fail(setup->ctl, CTL_FAILED, "%s", error_text(&err));
	return CTL_OK;
}

/* The folder from which the configuration includes. */
static const char *folder_of(struct setup *setup, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? arena_format(setup->arena, "%.*s/", (int)(slash - path), path).ptr : ".";
}

static int edit(struct setup *setup, enum sample_edit_kind kind, const char *path, pa_str value)
{
	const struct sample_edit edit = {kind, path, value};

	if (sample_edit(setup->arena, setup->text, &edit, &setup->text, NULL) == PA_OK)
		return CTL_OK;
	return ctl_fail(
		setup->ctl, CTL_USAGE,
		ctl_say("%s: no está así en el archivo de muestra, o su valor es de otra clase",
			"%s: not so in the sample file, or its value is of another kind"),
		path);
}

static int edit_parts(struct setup *setup)
{
	int status = CTL_OK;

	if (setup->is_off[PART_SMS]) {
		status = edit(setup, EDIT_OFF, "channels.sms", PA_STR_ABSENT);
		if (status == CTL_OK)
			status = edit(setup, EDIT_SET, "identity.code_channel", PA_STR(""));
	}
	if (status == CTL_OK && setup->is_off[PART_CORE])
		return edit(setup, EDIT_OFF, "backends.core", PA_STR_ABSENT);
	if (status == CTL_OK && setup->answers[ASK_CORE_QUERIES].len)
		return edit(setup, EDIT_INCLUDE, "backends.core.sql",
			    setup->answers[ASK_CORE_QUERIES]);
	return status;
}

static int edit_keys(struct setup *setup)
{
	int status = CTL_OK;

	for (size_t i = 0; status == CTL_OK && i < ASK_COUNT; i++) {
		bool is_hidden = i == ASK_DATABASE && !setup_database_is_local(setup);

		if (setup_questions[i].kind == SETUP_KEY && setup->answers[i].len)
			status = edit(setup, EDIT_SET, setup_questions[i].path,
				      is_hidden ? PA_STR(DATABASE_SECRET) : setup->answers[i]);
	}
	for (const struct setup_set *set = setup->sets; status == CTL_OK && set; set = set->next)
		status = edit(setup, EDIT_SET, set->path, set->value);
	if (status == CTL_OK && setup->recovery_file)
		status = edit(setup, EDIT_SET, "backup.recovery", str_from(setup->recovery_file));
	return status == CTL_OK ? edit_parts(setup) : status;
}

/* Out of the shipped file, whose comments are the only ones. */
static int make_text(struct setup *setup)
{
	static const char *const places[] = {"../share/proalto/proalto.conf",
					     "../etc/proalto.conf"};
	const char *sample = beside_find(setup->arena, places, ARRAY_COUNT(places));
	int status;

	if (!sample)
		return ctl_fail(setup->ctl, CTL_FAILED, "%s",
				ctl_say("no se encuentra el archivo de muestra",
					"the sample file is not found"));
	status = read_text(setup, sample, &setup->text);
	if (status == CTL_OK)
		status = setup_ask_keys(setup);
	return status == CTL_OK ? edit_keys(setup) : status;
}

/* A file of before lends its answers. */
static int read_old(struct setup *setup, const char *path)
{
	pa_error err = ERROR_INIT;

	if (conf_read_file(setup->arena, path, folder_of(setup, path), &setup->old, &err) != PA_OK)
		return ctl_fail(setup->ctl, CTL_FAILED, "%s", error_text(&err));
	return CTL_OK;
}

/* Where a configuration lies until the daemon accepts it. */
static const char *draft_path(struct setup *setup)
{
	return arena_format(setup->arena, "%s.new", setup->ctl->config_path).ptr;
}

/* What a file of before says of the database: its connection string is a secret if it holds a
 * password. */
static int take_old_database(struct setup *setup)
{
	const struct conf_node *node = conf_find(conf_find(setup->old, "store"), "database");

	if (setup->is_given[ASK_DATABASE] || setup->database_secret.len || !node ||
	    node->kind != CONF_TEXT)
		return CTL_OK;
	setup->answers[ASK_DATABASE] = node->text;
	if (!str_starts(node->text, PA_STR("credential:")))
		return CTL_OK;
	setup->database_secret = setup_credential_read(setup, "database");
	if (str_equal(node->text, PA_STR(DATABASE_SECRET)) && setup->database_secret.len)
		return CTL_OK;
	return ctl_fail(setup->ctl, CTL_FAILED, "%s",
			ctl_say("no se puede saber cuál es la base: store.database",
				"which database it is can't be known: store.database"));
}

static int keep_text(struct setup *setup)
{
	setup_kept("configuración", "configuration", setup->ctl->config_path);
	return read_text(setup, setup->ctl->config_path, &setup->text);
}

static int choose_text(struct setup *setup)
{
	const char *path = setup->ctl->config_path;
	bool exists = access(path, F_OK) == 0;
	bool has_draft = !exists && access(draft_path(setup), F_OK) == 0;
	int status = CTL_OK;

	setup->is_new = !exists || setup->replaces;
	if (!setup->is_given[ASK_DATABASE])
		setup->answers[ASK_DATABASE] = str_from(setup_questions[ASK_DATABASE].fallback);
	if (exists || has_draft)
		status = read_old(setup, exists ? path : draft_path(setup));
	if (status == CTL_OK)
		status = take_old_database(setup);
	if (status != CTL_OK)
		return status;
	if (setup->database_secret.len)
		setup->answers[ASK_DATABASE] = setup->database_secret;
	return setup->is_new ? make_text(setup) : keep_text(setup);
}

/* ---- writing it ---- */

/* Anybody may read it: operators need the control socket's path, and no secret is in it. */
static int write_text(struct setup *setup, const char *path)
{
	FILE *file = fopen(path, "we");
	bool is_written = file &&
			  fwrite(setup->text.ptr, 1, setup->text.len, file) == setup->text.len &&
			  fflush(file) == 0 && fsync(fileno(file)) == 0;

	if (file && fclose(file) != 0)
		is_written = false;
	if (is_written && chmod(path, 0644) == 0)
		return CTL_OK;
	return ctl_fail(setup->ctl, CTL_FAILED, "%s: %s", path, strerrordesc_np(errno));
}

static int keep_old(struct setup *setup)
{
	const char *path = setup->ctl->config_path;
	const char *kept = arena_format(setup->arena, "%s.%.*s", path,
					PA_FMT(instant_iso(setup->arena, clock_now_ns())))
				   .ptr;

	if (link(path, kept) != 0 && errno != ENOENT)
		return ctl_fail(setup->ctl, CTL_FAILED, "%s: %s", kept, strerrordesc_np(errno));
	if (access(kept, F_OK) == 0)
		setup_did("la configuración anterior queda en", "the old configuration is kept in",
			  kept);
	return CTL_OK;
}

/* It is in its place only once the daemon would take it: the service waits for it. */
static int write_configuration(struct setup *setup)
{
	const char *path = setup->ctl->config_path;
	const char *new = draft_path(setup);
	pa_error err = ERROR_INIT;
	int status;

	if (!setup->is_new)
		return setup_check_file(setup, path);
	status = write_text(setup, new);
	if (status == CTL_OK)
		status = setup_check_file(setup, new);
	if (status == CTL_OK)
		status = keep_old(setup);
	if (status != CTL_OK)
		return status;
	if (file_rename(new, path, &err) != PA_OK)
		return ctl_fail(setup->ctl, CTL_FAILED, "%s", error_text(&err));
	setup->has_changed = true;
	setup_did("configuración", "configuration", path);
	return CTL_OK;
}

/* ---- the whole ---- */

static int check_arguments(struct setup *setup)
{
	const char *folder = folder_of(setup, setup->ctl->config_path);
	const char *complaint = setup->superuser
					? setup_complain_database(setup, str_from(setup->superuser))
					: NULL;

	if (complaint)
		return ctl_fail(setup->ctl, CTL_USAGE, "--superuser-dsn: %s", complaint);
	if (access(folder, W_OK) == 0)
		return CTL_OK;
	return ctl_fail(setup->ctl, CTL_FAILED,
			ctl_say("no se puede escribir en %s; ejecútelo como root (sudo)",
				"%s can't be written to; run it as root (sudo)"),
			folder);
}

/* A run without a person must have an answer to everything before it begins. */
static int check_complete(struct setup *setup)
{
	bool makes_key = !setup->recover && !setup_has_credential(setup, "master-key") &&
			 sample_mentions(setup->text, "\"credential:proalto.master-key\"");

	if (!setup->is_interactive && makes_key && !setup->recovery_code_file)
		setup->missing = arena_format(setup->arena, "%s  --recovery-code-file ...\n",
					      setup->missing ? setup->missing : "")
					 .ptr;
	if (!setup->missing)
		return CTL_OK;
	return ctl_fail(setup->ctl, CTL_USAGE, "%s\n%s",
			ctl_say("faltan respuestas:", "answers are missing:"), setup->missing);
}

static void tell_left(struct setup *setup)
{
	if (setup->is_off[PART_SMS])
		setup_later(setup,
			    ctl_say("la pasarela de SMS: channels.sms e "
				    "identity.code_channel; sin ella nadie puede identificarse",
				    "the SMS gateway: channels.sms and "
				    "identity.code_channel; without it nobody can be identified"));
	else if (setup->is_new)
		setup_later(setup,
			    ctl_say("la pasarela de SMS: que body, headers y receipt_* sean "
				    "como pide su manual, y un mensaje de prueba",
				    "the SMS gateway: that body, headers and receipt_* are as "
				    "its manual says, and a message to try it"));
	if (setup->is_off[PART_CORE])
		setup_later(setup,
			    ctl_say("el sistema central: backends.core; sin él nadie puede "
				    "identificarse",
				    "the core system: backends.core; without it nobody can be "
				    "identified"));
	else if (setup->is_new && !setup->answers[ASK_CORE_QUERIES].len)
		setup_later(setup,
			    ctl_say("las consultas al sistema central: backends.core.sql es de "
				    "muestra",
				    "the core system's queries: backends.core.sql is a sample"));
}

static int run(struct setup *setup)
{
	int status;

	setup_say("Respuestas", "Answers");
	status = choose_text(setup);
	if (status == CTL_OK)
		status = setup_ask_secrets(setup);
	if (status == CTL_OK)
		status = check_complete(setup);
	if (status == CTL_OK)
		status = setup_find_key(setup);
	if (status != CTL_OK)
		return status;
	setup_say("Base de datos", "Database");
	status = setup_database(setup);
	if (status != CTL_OK)
		return status;
	setup_say("Llaves y secretos", "Keys and secrets");
	status = setup_master_key(setup);
	if (status == CTL_OK)
		status = setup_credentials(setup);
	if (status != CTL_OK)
		return status;
	setup_say("Configuración y servicio", "Configuration and service");
	status = write_configuration(setup);
	if (status == CTL_OK)
		status = setup_service(setup);
	if (status != CTL_OK)
		return status;
	tell_left(setup);
	setup_tell_meta(setup);
	tell_later(setup);
	return CTL_OK;
}

int ctl_setup(struct ctl *ctl, int argc, char *const *argv)
{
	struct setup setup = {.ctl = ctl,
			      .arena = ctl->arena,
			      .is_interactive = isatty(STDIN_FILENO),
			      .starts = true,
			      .credentials = CREDENTIALS};
	int status;

	umask(022); /* what holds a secret says its own mode */
	if (crypto_init() != PA_OK)
		return ctl_fail(ctl, CTL_FAILED, "libsodium");
	status = parse(&setup, argc, argv);
	if (status == CTL_OK)
		status = check_arguments(&setup);
	if (status == CTL_OK)
		status = run(&setup);
	keyring_free(setup.ring);
	return status;
}
