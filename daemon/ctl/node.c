/* SPDX-License-Identifier: Apache-2.0
 *
 * proaltoctl node: configuration and secrets from one node to another, in a file that a code opens
 * which is shown once. Done again after each change of a key.
 */
#include "base/err.h"
#include "base/str.h"
#include "ctl/code.h"
#include "ctl/keepsake.h"
#include "ctl/options.h"
#include "io/clock.h"
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NODE_KIND "node"

static pa_status write_bundle(struct ctl *ctl, int fd, pa_str code, size_t *ret_left_out,
			      pa_error *err)
{
	struct archive *archive PA_CLEANUP(archive_done) = NULL;
	struct archive_head head = {.kind = PA_STR(NODE_KIND),
				    .version = PA_STR(PROALTO_VERSION),
				    .node = PA_STR(""),
				    .at_ns = clock_now_ns()};
	pa_status status = recovery_lock_new(code, &head.lock, err);

	if (status == PA_OK)
		status = archive_create(fd, &head, &archive, err);
	if (status == PA_OK)
		status = keepsake_pack(ctl, archive, ret_left_out, err);
	return status == PA_OK ? archive_finish(archive, err) : status;
}

static pa_status add(struct ctl *ctl, const char *path, size_t *ret_left_out, pa_error *err)
{
	int fd PA_CLEANUP(fd_done) = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char code[RECOVERY_CODE_ROOM];
	pa_status status;

	if (fd < 0)
		return error_set(err, PA_REJECTED, "%s: %s", path, strerrordesc_np(errno));
	recovery_code(code);
	status = write_bundle(ctl, fd, str_from(code), ret_left_out, err);
	if (status == PA_OK)
		printf(ctl_say("%s: configuración y secretos de este nodo. Código (no se vuelve a "
			       "mostrar):\n\n    %s\n\nEn el otro equipo, con el paquete "
			       "instalado:\n\n"
			       "    proaltoctl node import %s\n\nBorre el archivo después.\n",
			       "%s: this node's configuration and secrets. Code (it is not shown "
			       "again):\n\n    %s\n\nOn the other machine, with the package "
			       "installed:\n\n    proaltoctl node import %s\n\nDelete the file "
			       "afterwards.\n"),
		       path, code, path);
	else
		unlink(path);
	bytes_wipe(code, sizeof(code));
	return status;
}

static pa_status open_bundle(struct ctl *ctl, const char *code_path, struct archive *archive,
			     const struct archive_head *head, pa_error *err)
{
	struct key_pair pair;
	pa_str code;
	pa_status status;

	if (!str_equal(head->kind, PA_STR(NODE_KIND)))
		return error_set(err, PA_REJECTED, "it is of another kind");
	if (!code_read(ctl, code_path, &code))
		return error_set(err, PA_REJECTED, "no code");
	status = recovery_unlock(code, &head->lock, &pair, err);
	if (status != PA_OK)
		return status;
	status = archive_unlock(archive, &pair, err);
	key_wipe(&pair.secret);
	return status;
}

static pa_status import(struct ctl *ctl, const char *path, const char *code_path, pa_error *err)
{
	struct archive *archive PA_CLEANUP(archive_done) = NULL;
	int fd PA_CLEANUP(fd_done) = open(path, O_RDONLY | O_CLOEXEC);
	struct archive_head head;
	struct kept *kept;
	pa_status status;

	if (fd < 0)
		return error_set(err, PA_REJECTED, "%s: %s", path, strerrordesc_np(errno));
	status = archive_open(fd, &archive, &head, err);
	if (status == PA_OK)
		status = open_bundle(ctl, code_path, archive, &head, err);
	if (status == PA_OK)
		status = keepsake_read(ctl, archive, "", &kept, err);
	if (status == PA_OK)
		status = keepsake_install(ctl, kept, err);
	if (status == PA_OK)
		printf("%s\n",
		       ctl_say("Falta: que PostgreSQL acepte a este equipo, que store.node no se "
			       "repita "
			       "(vacío: el nombre del equipo), proaltod --check, y systemctl "
			       "enable "
			       "--now proalto.socket proalto (o restart, si ya andaba).",
			       "What is left: PostgreSQL must accept this machine, store.node must "
			       "not "
			       "be another's (empty: the host's name), proaltod --check, and "
			       "systemctl "
			       "enable --now proalto.socket proalto (or restart, if it ran)."));
	return status;
}

int ctl_node(struct ctl *ctl, int argc, char *const *argv)
{
	const char *output = NULL, *code_path = NULL, *path = NULL;
	const struct option_word table[] = {{"--output", &output, NULL},
					    {"--code-file", &code_path, NULL}};
	bool is_add = argc > 0 && strcmp(argv[0], "add") == 0;
	bool is_import = argc > 0 && strcmp(argv[0], "import") == 0;
	size_t left_out = 0;
	pa_error err = ERROR_INIT;
	pa_status status;

	if ((!is_add && !is_import) ||
	    !options_parse(argc - 1, argv + 1, table, ARRAY_COUNT(table), &path) ||
	    is_add != (output && !path) || is_import != (path && !output))
		return ctl_usage(ctl);
	if (crypto_init() != PA_OK)
		return ctl_fail(ctl, CTL_FAILED, "libsodium");
	status = is_add ? add(ctl, output, &left_out, &err) : import(ctl, path, code_path, &err);
	if (status != PA_OK)
		return ctl_fail(ctl, CTL_FAILED, "%s", error_text(&err));
	return left_out ? CTL_FAILED : CTL_OK;
}
