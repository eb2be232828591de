/* SPDX-License-Identifier: Apache-2.0
 *
 * proaltoctl keys: the master key and the recovery file. A change has three steps: rotate here,
 * node add for each other node, and --finish on each when status says that it is over. What the
 * daemons do between is queue/rotation.h.
 */
#include "base/calendar.h"
#include "base/err.h"
#include "base/str.h"
#include "ctl/credential.h"
#include "ctl/options.h"
#include "ctl/peer.h"
#include "io/child.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/recovery.h"
#include "queue/keyring.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct keys {
	struct ctl *ctl;
	struct config *config;
	const char *output;
	bool is_finish;
	bool without_restart;
};

/* ---- how far it is ---- */

enum column { ID, STORE_KEY, SINCE, DONE_TO, RESEALED, FINISHED };

static pa_status list(struct keys *k, struct db_result **ret, pa_error *err)
{
	static const char *const sets[] = {"keys", NULL};
	struct db *db PA_CLEANUP(db_done) = NULL;
	pa_status status = peer_open(k->ctl, k->config->database, sets, &db, err);

	if (status == PA_OK)
		status = db_run(db, db_params_new(k->ctl->arena, SQL_MASTER_KEY_LIST), ret, err);
	return status;
}

static bool is_newest(const struct keys *k, pa_str id)
{
	struct keyring *ring = keyring_new(k->config->master_key);
	size_t count;
	bool is = str_equal(master_id(keyring_masters(ring, &count)), id);

	keyring_free(ring);
	return is;
}

/* The key of the configuration is in force and nothing is left under another. */
static bool is_settled(const struct keys *k, const struct db_result *rows)
{
	return db_rows(rows) && is_newest(k, db_str(rows, 0, ID)) && !db_is_null(rows, 0, FINISHED);
}

static const char *word_of(const struct keys *k, const struct db_result *rows)
{
	if (!db_rows(rows))
		return ctl_say("sin estrenar: ningún servicio ha trabajado aquí",
			       "unused: no daemon has worked here");
	if (is_settled(k, rows))
		return k->config->master_key.len > KEY_BYTES
			       ? ctl_say("terminado: proaltoctl keys rotate --finish, en cada nodo",
					 "over: proaltoctl keys rotate --finish, on each node")
			       : ctl_say("una sola llave", "one key");
	if (!is_newest(k, db_str(rows, 0, ID)))
		return ctl_say(
			"en espera: la llave nueva no está en todos los nodos, o la de este "
			"equipo ya no es la vigente (proaltoctl node add)",
			"waiting: not every node has the new key, or this machine's is not the "
			"one in force any more (proaltoctl node add)");
	return ctl_say("sellando de nuevo", "sealing anew");
}

static pa_status status_of(struct keys *k, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	pa_status status = list(k, &rows, err);

	if (status != PA_OK)
		return status;
	printf("%s\n", word_of(k, rows));
	if (db_rows(rows))
		printf(ctl_say("selladas de nuevo: %lld\n", "sealed anew: %lld\n"),
		       (long long)db_int64(rows, 0, RESEALED));
	return PA_OK;
}

/* ---- the credential ---- */

static pa_status store_keys(struct keys *k, const struct key *first, const char *rest,
			    pa_error *err)
{
	const char *reference = config_master_reference(k->ctl->config_path, k->ctl->arena);
	pa_str hex = hex_encode(k->ctl->arena, (pa_str){(const char *)first->bytes, KEY_BYTES});
	pa_str text = arena_format(k->ctl->arena, "%.*s\n%s", PA_FMT(hex), rest);
	pa_status status = reference ? credential_store(k->ctl, reference, text, err)
				     : error_set(err, PA_REJECTED, "store.master_key");

	bytes_wipe((char *)(uintptr_t)hex.ptr, hex.len);
	bytes_wipe((char *)(uintptr_t)text.ptr, text.len);
	return status;
}

static struct key key_at(const struct keys *k, size_t i)
{
	struct key key;

	memcpy(key.bytes, k->config->master_key.ptr + i * KEY_BYTES, KEY_BYTES);
	return key;
}

/* Beside the one that is there, for the same code: nobody has to know it. */
static pa_status renew_recovery(struct keys *k, const struct key *key, pa_error *err)
{
	const char *path = k->config->backup_recovery;
	pa_str old, new;
	pa_status status;

	if (access(path, F_OK) < 0) {
		printf("%s\n", ctl_say("No hay archivo de recuperación: proaltoctl keys recovery",
				       "There is no recovery file: proaltoctl keys recovery"));
		return PA_OK;
	}
	status = file_read(k->ctl->arena, path, RECOVERY_FILE_MAX, &old, err);
	if (status == PA_OK)
		status = recovery_renew(k->ctl->arena, old, key, &new, err);
	if (status != PA_OK) {
		error_prefix(err, "%s: ", path);
		return status;
	}
	status = credential_write_file(k->ctl, path, new, 0644, err);
	if (status == PA_OK)
		printf(ctl_say("%s: renovado para el mismo código. Guarde esta copia fuera del "
			       "equipo; "
			       "la anterior, hasta terminar el cambio.\n",
			       "%s: renewed for the same code. Keep this copy off the machine; the "
			       "old "
			       "one until the change is over.\n"),
		       path);
	return status;
}

/* Before a key is changed: whether renewing will go well, as far as that can be known. */
static pa_status check_recovery(struct keys *k, pa_error *err)
{
	const char *path = k->config->backup_recovery;
	const char *slash = strrchr(path, '/');
	struct recovery_lock lock;
	pa_str text;
	pa_status status;

	if (access(path, F_OK) < 0)
		return PA_OK;
	status = file_read(k->ctl->arena, path, RECOVERY_FILE_MAX, &text, err);
	if (status == PA_OK)
		status = recovery_lock_of(k->ctl->arena, text, &lock, err);
	if (status != PA_OK) {
		error_prefix(err, "%s: ", path);
		return status;
	}
	if (access(slash ? arena_format(k->ctl->arena, "%.*s/", (int)(slash - path), path).ptr
			 : ".",
		   W_OK) < 0)
		return error_set(err, PA_REJECTED, "%s: %s", path, strerrordesc_np(errno));
	return PA_OK;
}

static void restart(struct keys *k)
{
	static const char *const argv[] = {"systemctl", "try-restart", "proalto.service", NULL};
	pa_error err = ERROR_INIT;

	if (k->without_restart || access("/run/systemd/system", F_OK) < 0 ||
	    child_run(k->ctl->arena, argv, PA_STR_ABSENT, 0, NULL, &err) != PA_OK)
		printf("%s\n", ctl_say("Reinicie el servicio: systemctl restart proalto",
				       "Restart the service: systemctl restart proalto"));
}

static pa_status finish(struct keys *k, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	struct key key PA_CLEANUP(key_wipe) = key_at(k, 0);
	pa_status status = list(k, &rows, err);

	if (status != PA_OK)
		return status;
	if (k->config->master_key.len == KEY_BYTES)
		return error_set(err, PA_REJECTED, "%s",
				 ctl_say("aquí hay una sola llave: no hay nada que terminar",
					 "there is one key here: nothing to finish"));
	if (!is_settled(k, rows))
		return error_set(err, PA_REJECTED, "%s: %s", ctl_say("todavía no", "not yet"),
				 word_of(k, rows));
	status = renew_recovery(k, &key, err); /* rotate may have ended between the two */
	if (status == PA_OK)
		status = store_keys(k, &key, "", err);
	if (status != PA_OK)
		return status;
	printf("%s\n", ctl_say("La llave anterior ya no está en este equipo.",
			       "The key before is no longer on this machine."));
	restart(k);
	return PA_OK;
}

static pa_status rotate(struct keys *k, pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	struct key old PA_CLEANUP(key_wipe) = key_at(k, 0);
	struct key new PA_CLEANUP(key_wipe);
	pa_str hex;
	pa_status status;

	key_random(&new);
	if (k->is_finish)
		return finish(k, err);
	status = list(k, &rows, err);
	if (status != PA_OK)
		return status;
	if (k->config->master_key.len > KEY_BYTES || !is_settled(k, rows))
		return error_set(err, PA_REJECTED, "%s: %s",
				 ctl_say("no se puede empezar un cambio", "no change can begin"),
				 word_of(k, rows));
	status = check_recovery(k, err);
	if (status != PA_OK)
		return status;
	hex = hex_encode(k->ctl->arena, (pa_str){(const char *)old.bytes, KEY_BYTES});
	status = store_keys(k, &new, arena_format(k->ctl->arena, "%.*s\n", PA_FMT(hex)).ptr, err);
	if (status == PA_OK)
		status = renew_recovery(k, &new, err);
	if (status != PA_OK)
		return status;
	printf("%s\n",
	       ctl_say("La llave nueva está en este equipo, delante de la anterior. Llévela a los "
		       "demás nodos (proaltoctl node add); cuando todos la tengan, se usa.",
		       "The new key is on this machine, in front of the old one. Carry it to the "
		       "other nodes (proaltoctl node add); when all have it, it is used."));
	restart(k);
	return PA_OK;
}

/* ---- the recovery file ---- */

/* Who has only the code before needs the file before. */
static pa_status keep_old(struct keys *k, const char *path, pa_error *err)
{
	const char *kept = arena_format(k->ctl->arena, "%s.%.*s", path,
					PA_FMT(instant_iso(k->ctl->arena, clock_now_ns())))
				   .ptr;

	if (link(path, kept) == 0)
		printf(ctl_say("El archivo anterior queda en %s.\n",
			       "The file before is kept in %s.\n"),
		       kept);
	else if (errno != ENOENT)
		return error_set(err, PA_REJECTED, "%s: %s", kept, strerrordesc_np(errno));
	return PA_OK;
}

/* The code first: a file whose code nobody has would be worth nothing. */
static pa_status show_code(const char *code, pa_error *err)
{
	printf(ctl_say("Código de recuperación (no se vuelve a mostrar; anótelo en papel):\n\n"
		       "    %s\n\n",
		       "Recovery code (it is not shown again; write it down):\n\n    %s\n\n"),
	       code);
	if (fflush(stdout) == 0)
		return PA_OK;
	return error_set(err, PA_REJECTED, "%s", strerrordesc_np(errno));
}

static void tell_what_opens(const struct keys *k, const char *path)
{
	const char *sealing = k->config->backup_recovery;

	printf(ctl_say("Archivo: %s. Guarde una copia fuera del equipo, lejos del código.\n",
		       "File: %s. Keep a copy off the machine, and away from the code.\n"),
	       path);
	if (strcmp(path, sealing) == 0)
		printf("%s\n",
		       ctl_say("Las copias de seguridad que ya hay se abren con el código "
			       "anterior; las de ahora en adelante, con éste.",
			       "The backups that there are open with the code before, those "
			       "from now on with this one."));
	else
		printf(ctl_say("Este código abre este archivo y ninguna copia de seguridad: las "
			       "que hay y las que vengan se abren con el código de %s.\n",
			       "This code opens this file and no backup: those that there are and "
			       "those to come open with the code of %s.\n"),
		       sealing);
}

static pa_status recovery(struct keys *k, pa_error *err)
{
	const char *path = k->output ? k->output : k->config->backup_recovery;
	struct key key PA_CLEANUP(key_wipe) = key_at(k, 0);
	char code[RECOVERY_CODE_ROOM];
	pa_str text;
	pa_status status;

	recovery_code(code);
	status = recovery_seal(k->ctl->arena, str_from(code), &key, &text, err);
	if (status == PA_OK)
		status = show_code(code, err);
	if (status == PA_OK)
		status = keep_old(k, path, err);
	if (status == PA_OK)
		status = credential_write_file(k->ctl, path, text, 0644, err);
	if (status == PA_OK)
		tell_what_opens(k, path);
	bytes_wipe(code, sizeof(code));
	return status;
}

int ctl_keys(struct ctl *ctl, int argc, char *const *argv)
{
	static const struct {
		const char *name;
		pa_status (*run)(struct keys *, pa_error *);
	} actions[] = {{"rotate", rotate}, {"status", status_of}, {"recovery", recovery}};
	struct config *config PA_CLEANUP(config_done) = NULL;
	struct keys k = {.ctl = ctl};
	const struct option_word table[] = {{"--output", &k.output, NULL},
					    {"--finish", NULL, &k.is_finish},
					    {"--no-restart", NULL, &k.without_restart}};
	const char *word = NULL;
	pa_error err = ERROR_INIT;
	size_t i = 0;

	if (!options_parse(argc, argv, table, ARRAY_COUNT(table), &word) || !word)
		return ctl_usage(ctl);
	while (i < ARRAY_COUNT(actions) && strcmp(actions[i].name, word) != 0)
		i++;
	if (i == ARRAY_COUNT(actions))
		return ctl_usage(ctl);
	if (crypto_init() != PA_OK)
		return ctl_fail(ctl, CTL_FAILED, "libsodium");
	if (ctl_config(ctl, &config) != CTL_OK)
		return CTL_FAILED;
	k.config = config;
	return actions[i].run(&k, &err) == PA_OK
		       ? CTL_OK
		       : ctl_fail(ctl, CTL_FAILED, "%s", error_text(&err));
}
