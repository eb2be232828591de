/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/setup.h"

#include "base/err.h"
#include "base/str.h"
#include "config/sample.h"
#include "ctl/credential.h"
#include "io/child.h"
#include "io/file.h"
#include "io/recovery.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MASTER_KEY "master-key"
#define RANDOM_BYTES 24
#define RECOVERY_FILE "/etc/proalto/recovery.json" /* default of backup.recovery */

pa_str setup_random_word(struct setup *setup)
{
	uint8_t bytes[RANDOM_BYTES];

	random_fill(bytes, sizeof(bytes));
	return base64url_encode(setup->arena, (pa_str){(const char *)bytes, sizeof(bytes)});
}

/* ---- credentials ---- */

static const char *credential_path(struct setup *setup, const char *name)
{
	return arena_format(setup->arena, "%s/proalto.%s", setup->credentials, name).ptr;
}

bool setup_has_credential(struct setup *setup, const char *name)
{
	return access(credential_path(setup, name), F_OK) == 0;
}

static int write_credential(struct setup *setup, const char *name, pa_str value)
{
	const char *as = arena_format(setup->arena, "proalto.%s", name).ptr;
	pa_error err = ERROR_INIT;

	IGNORE_STATUS(mkdir(setup->credentials, 0700),
		      "most often it is there, or the writing fails");
	if (credential_encrypt(setup->ctl, as, credential_path(setup, name), value, &err) != PA_OK)
		return ctl_fail(setup->ctl, CTL_FAILED, "%s: %s", as, error_text(&err));
	setup->has_changed = true;
	return CTL_OK;
}

pa_str setup_credential_read(struct setup *setup, const char *name)
{
	const char *as = arena_format(setup->arena, "--name=proalto.%s", name).ptr;
	const char *const argv[] = {
		"systemd-creds", "decrypt", as, credential_path(setup, name), "-", NULL};
	pa_str value;

	if (!setup_has_credential(setup, name) ||
	    child_run(setup->arena, argv, PA_STR_ABSENT, SETUP_SECRET_MAX, &value, NULL) != PA_OK)
		return PA_STR_ABSENT;
	return str_trim(value);
}

int setup_database_credential(struct setup *setup)
{
	if (!setup->writes_database)
		return CTL_OK;
	setup->writes_database = false;
	if (write_credential(setup, "database", setup->database_secret) != CTL_OK)
		return CTL_FAILED;
	setup_did("secreto", "secret", "database");
	return CTL_OK;
}

int setup_credentials(struct setup *setup)
{
	for (size_t i = 0; i < ASK_COUNT; i++) {
		const struct setup_question *question = &setup_questions[i];
		bool is_secret = question->kind == SETUP_SECRET || question->kind == SETUP_TOKEN;

		if (!is_secret || !setup->answers[i].len)
			continue;
		if (write_credential(setup, question->flag, setup->answers[i]) != CTL_OK)
			return CTL_FAILED;
		setup_did("secreto", "secret", question->flag);
	}
	return setup_database_credential(setup);
}

/* ---- the master key ---- */

/* A file that was not there before. */
static int write_once(struct setup *setup, const char *path, pa_str text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool is_written = fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len &&
			  fchmod(fd, mode) == 0 && fsync(fd) == 0;
	int failure = errno;

	if (fd >= 0)
		close(fd);
	if (is_written)
		return CTL_OK;
	return ctl_fail(setup->ctl, CTL_FAILED, "%s: %s", path, strerrordesc_np(failure));
}

static int store_key(struct setup *setup, const struct key *key)
{
	pa_str bytes = {(const char *)key->bytes, sizeof(key->bytes)};

	return write_credential(setup, MASTER_KEY, hex_encode(setup->arena, bytes));
}

/* The last group is typed back: it has been written down. */
static int show_code(struct setup *setup, const char *code)
{
	const char *last = strrchr(code, '-') + 1;
	pa_str typed;

	setup_say("CÓDIGO DE RECUPERACIÓN: escríbalo en papel y guárdelo lejos de su archivo.",
		  "RECOVERY CODE: write it down on paper and keep it away from its file.");
	printf("%s\n\n    %s\n\n",
	       ctl_say("No se muestra otra vez. Sin él y sin este equipo nadie leerá los datos.",
		       "It is not shown again. Without it and this machine nobody reads the data."),
	       code);
	for (;;) {
		int status = setup_read_line(setup,
					     ctl_say("Escriba su último grupo para seguir",
						     "Type its last group to go on"),
					     false, &typed);

		if (status != CTL_OK)
			return status;
		if (str_equal_nocase(typed, str_from(last)))
			return CTL_OK;
	}
}

static int hand_over_code(struct setup *setup, const char *code)
{
	if (setup->recovery_code_file)
		return write_once(setup, setup->recovery_code_file,
				  arena_format(setup->arena, "%s\n", code), 0600);
	return show_code(setup, code);
}

/* The code first: a file whose code nobody has would be worth nothing. */
static int export_key(struct setup *setup, const struct key *key)
{
	char code[RECOVERY_CODE_ROOM];
	pa_error err = ERROR_INIT;
	pa_str text;
	int status;

	recovery_code(code);
	if (recovery_seal(setup->arena, str_from(code), key, &text, &err) != PA_OK)
		return ctl_fail(setup->ctl, CTL_FAILED, "%s", error_text(&err));
	status = hand_over_code(setup, code);
	bytes_wipe(code, sizeof(code));
	return status == CTL_OK ? write_once(setup, setup->recovery_file, text, 0644) : status;
}

/* Where what seals backups for the code looks for it. */
static int choose_recovery_file(struct setup *setup)
{
	pa_error err = ERROR_INIT;

	if (!setup->recovery_file)
		setup->recovery_file = setup_setting(setup, "backup.recovery");
	if (!setup->recovery_file)
		setup->recovery_file = RECOVERY_FILE;
	if (credential_make_folders(setup->ctl, setup->recovery_file, &err) == PA_OK)
		return CTL_OK;
	return ctl_fail(setup->ctl, CTL_FAILED, "%s", error_text(&err));
}

static int check_absent(struct setup *setup, const char *path)
{
	if (!path || access(path, F_OK) != 0)
		return CTL_OK;
	return ctl_fail(setup->ctl, CTL_FAILED,
			ctl_say("%s ya existe: recupere su llave (--recover ARCHIVO) o muévalo",
				"%s exists: recover its key (--recover FILE), or move it"),
			path);
}

/* No key is in use before it can be had again: so the export comes first, and a run that fails
 * takes it back. */
static int make_key(struct setup *setup)
{
	struct key key PA_CLEANUP(key_wipe) = {{0}};
	int status = check_absent(setup, setup->recovery_file);

	if (status == CTL_OK)
		status = check_absent(setup, setup->recovery_code_file);
	if (status != CTL_OK)
		return status;
	key_random(&key);
	status = export_key(setup, &key);
	if (status == CTL_OK)
		status = store_key(setup, &key);
	if (status != CTL_OK) {
		IGNORE_STATUS(unlink(setup->recovery_file), "it is of no key");
		if (setup->recovery_code_file)
			IGNORE_STATUS(unlink(setup->recovery_code_file), "of no file");
		return status;
	}
	setup_did("llave maestra; su archivo de recuperación", "master key; its recovery file",
		  setup->recovery_file);
	setup_later(setup,
		    arena_format(setup->arena,
				 ctl_say("guarde una copia de %s fuera de este equipo, aparte "
					 "de su código",
					 "keep a copy of %s off this machine, away from its "
					 "code"),
				 setup->recovery_file)
			    .ptr);
	return CTL_OK;
}

static int open_recovery(struct setup *setup, pa_str *ret_text, struct key *ret)
{
	pa_error err = ERROR_INIT;
	int status = CTL_OK;

	if (file_read(setup->arena, setup->recover, RECOVERY_FILE_MAX, ret_text, &err) != PA_OK)
		return ctl_fail(setup->ctl, CTL_FAILED, "%s", error_text(&err));
	if (!setup->recovery_code.len)
		status = setup_read_line(setup, ctl_say("Código de recuperación", "Recovery code"),
					 false, &setup->recovery_code);
	if (status != CTL_OK)
		return status;
	if (recovery_open(setup->arena, setup->recovery_code, *ret_text, ret, &err) != PA_OK)
		return ctl_fail(setup->ctl, CTL_FAILED, "%s: %s", setup->recover, error_text(&err));
	return CTL_OK;
}

/* The key, and its file in the usual place. */
static int recover_key(struct setup *setup)
{
	struct key key PA_CLEANUP(key_wipe) = {{0}};
	pa_str text;
	int status = open_recovery(setup, &text, &key);

	if (status == CTL_OK && access(setup->recovery_file, F_OK) != 0)
		status = write_once(setup, setup->recovery_file, text, 0644);
	if (status == CTL_OK)
		status = store_key(setup, &key);
	if (status == CTL_OK)
		setup_did("llave maestra, recuperada de", "master key, recovered from",
			  setup->recover);
	return status;
}

/* Some other secret, if the configuration says so. */
static bool is_elsewhere(struct setup *setup)
{
	return !setup_has_credential(setup, MASTER_KEY) &&
	       !sample_mentions(setup->text, "\"credential:proalto." MASTER_KEY "\"");
}

/* A line each, the newest first. */
static struct keyring *ring_of(struct setup *setup, pa_str text)
{
	struct buf bytes PA_CLEANUP(buf_done) = BUF_INIT((size_t)MASTERS_MAX * KEY_BYTES);
	struct keyring *ring;
	pa_str key;

	while (text.len &&
	       hex_decode(setup->arena, str_trim(str_split(&text, '\n')), &key) == PA_OK)
		buf_add(&bytes, key);
	ring = bytes.len ? keyring_new((pa_str){bytes.data, bytes.len}) : NULL;
	bytes_wipe(bytes.data, bytes.len);
	return ring;
}

int setup_find_key(struct setup *setup)
{
	struct key key PA_CLEANUP(key_wipe) = {{0}};
	pa_str text;
	int status;

	setup->has_key =
		setup_has_credential(setup, MASTER_KEY) || is_elsewhere(setup) || setup->recover;
	if (setup_has_credential(setup, MASTER_KEY)) {
		setup->ring = ring_of(setup, setup_credential_read(setup, MASTER_KEY));
		return CTL_OK;
	}
	if (is_elsewhere(setup) || !setup->recover)
		return CTL_OK;
	status = open_recovery(setup, &text, &key);
	if (status == CTL_OK)
		setup->ring = keyring_new((pa_str){(const char *)key.bytes, KEY_BYTES});
	return status;
}

int setup_accept_store(struct setup *setup, bool is_used, bool is_other)
{
	if (is_other)
		return ctl_fail(setup->ctl, CTL_FAILED, "%s",
				ctl_say("la base está sellada con otra llave maestra que la de "
					"este equipo o la de --recover: indique otra base, o "
					"traiga la llave de ésta",
					"the database is sealed under another master key than this "
					"machine's or that of --recover: name another database, or "
					"bring this one's key"));
	if (!is_used || setup->has_key)
		return CTL_OK;
	return ctl_fail(setup->ctl, CTL_FAILED, "%s",
			ctl_say("la base ya guarda datos sellados con otra llave: "
				"tráigala con --recover ARCHIVO, o indique otra base",
				"the database holds data that another key has sealed: "
				"bring it with --recover FILE, or name another database"));
}

int setup_master_key(struct setup *setup)
{
	if (setup_has_credential(setup, MASTER_KEY)) {
		setup_kept("llave maestra", "master key", NULL);
		return CTL_OK;
	}
	if (is_elsewhere(setup)) {
		setup_kept("llave maestra, en otro lugar", "master key, elsewhere", NULL);
		return CTL_OK;
	}
	if (choose_recovery_file(setup) != CTL_OK)
		return CTL_FAILED;
	return setup->recover ? recover_key(setup) : make_key(setup);
}
